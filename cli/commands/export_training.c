/* mlc export RUN --to step.onnx --training: one step of the training. A state "dense1.weight" is an
 * input, whose first value is in the file, and "dense1.weight.next" is the output that takes its
 * place in the next step. */
#include "cli/commands/exporting.h"

#include <string.h>

/* One run of the file is one whole step. */
static bool check_whole(const Build *build) {
    const ModelInfo *info = build->info;
    bool accumulates = info->accumulate > 1;
    if (!accumulates && info->replicas == 1) return true;
    diag_error(build->diag, STATUS_MODEL, (Span){0},
               "a step of the training takes %u %s, but one of the file takes one batch",
               accumulates ? info->accumulate : info->replicas,
               accumulates ? "batches (accumulate)" : "shares of a batch (replicas)");
    diag_help(build->diag, "export a run that was trained with %s = 1",
              accumulates ? "accumulate" : "replicas");
    return false;
}

/* Makes the states that a step changes inputs and outputs. The others stay weights of the file. */
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
    if (!check_whole(build) ||
        !build_compilation(build, GRAPH_TRAIN, build->info->batch, PASS_gradients, &compilation))
        return false;
    passes_expand_exported(&compilation);
    file->graph = compilation.graph;
    carry_states(file);
    return true;
}
