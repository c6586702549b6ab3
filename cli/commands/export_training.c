/* mlc export RUN --to step.onnx --training: one step of the training. A state "dense1.weight" is an
 * input, whose first value is in the file, and "dense1.weight.next" is the output that takes its
 * place in the next step. */
#include "cli/commands/exporting.h"

#include <string.h>

static bool check_accumulate(const Build *build) {
    if (build->info->accumulate == 1) return true;
    diag_error(
        build->diag, STATUS_MODEL, (Span){0},
        "a step of the training takes %u batches (accumulate), but one of the file takes one",
        build->info->accumulate);
    diag_help(build->diag, "export a run that was trained with accumulate = 1");
    return false;
}

/* The states that a step changes. The others stay weights of the file. */
static void carry_states(OnnxFile *file) {
    Graph *graph = file->graph;
    const char **carried = ARENA_ARRAY(file->arena, const char *, graph->symbol_count);
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        Symbol *symbol = &graph->symbols[i];
        if (symbol->kind != SYMBOL_STATE || !symbol->node || !symbol->update) continue;
        graph_output(graph, arena_format(graph->arena, "%s.next", symbol->name), symbol->update);
        symbol->update = NODE_NONE;
        carried[file->wanted.carried_count++] = symbol->name;
    }
    file->wanted.carried = carried;
}

bool export_training(OnnxFile *file) {
    const Build *build = &file->exporting->session.build;
    Compilation compilation;
    if (!check_accumulate(build) ||
        !build_compilation(build, GRAPH_TRAIN, build->info->batch, PASS_gradients, &compilation))
        return false;
    passes_expand_random(&compilation);
    file->graph = compilation.graph;
    carry_states(file);
    return true;
}
