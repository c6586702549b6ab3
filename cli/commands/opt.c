/* mlc opt: runs passes on a graph in text form. Tests of passes use it. */
#include "cli/session/build.h"
#include "cli/session/commands.h"
#include "engine/files/files.h"

#include <stdlib.h>

static Status list_passes(void) {
    for (int i = 0; i < PASS_COUNT; i++) {
        char level[16];
        PassId pass = (PassId)i;
        snprintf(level, sizeof level, pass_is_mandatory(pass) ? "always" : "-O%d",
                 pass_level(pass));
        printf("%-12s %-7s %-6s %s\n", pass_name(pass), pass_makes_plan(pass) ? "plan" : "graph",
               level, pass_doc(pass));
    }
    return STATUS_OK;
}

static PassId first_plan_pass(void) {
    int pass = 0;
    while (!pass_makes_plan((PassId)pass)) pass++;
    return (PassId)pass;
}

static bool primitives_only(Graph *graph) {
    const bool *live = graph_live(graph);
    for (NodeId id = 1; id < graph->node_count; id++)
        if (live[id] && !op_is_primitive(graph_node(graph, id)->op)) return false;
    return true;
}

static bool run_named(Compilation *compilation, const Options *options,
                      const PassOptions *pass_options, Diagnostics *diag) {
    for (uint32_t i = 0; i < options->pass.count; i++) {
        PassId pass;
        if (!build_find_pass(options->pass.items[i], &pass, diag)) return false;
        /* A plan needs a graph of primitives: earlier passes replace all other operations. */
        if (pass == first_plan_pass() && !primitives_only(compilation->graph)) {
            diag_error(diag, STATUS_USAGE, (Span){0}, "--pass %s needs a graph of primitives",
                       pass_name(pass));
            diag_help(diag, "run the passes before it first; 'mlc opt --list-passes' names them");
            return false;
        }
        if (!pass_run(pass, compilation, pass_options)) return false;
    }
    return true;
}

static Status optimize(Graph *graph, const Options *options, Diagnostics *diag) {
    BuildOptions how = options_build(options);
    PassOptions pass_options = build_pass_options(&how);
    Compilation compilation = {0};
    bool good;
    if (options->pass.count) {
        compilation.graph = graph;
        good = run_named(&compilation, options, &pass_options, diag);
    } else {
        good = passes_run(&compilation, graph, &pass_options, first_plan_pass() - 1);
    }
    if (good) graph_print(compilation.graph, stdout);
    if (good && compilation.plan) plan_print(compilation.plan, stdout);
    compilation_free(&compilation);
    return diag_outcome(diag, good);
}

Status command_opt(const Options *given, Diagnostics *diag) {
    size_t length = 0;
    if (given->list_passes) return list_passes();
    if (given->operand_count == 0) {
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "'mlc opt' needs a file with a graph, or - for stdin");
        return STATUS_USAGE;
    }
    char *text = file_read(given->operands[0], &length, STATUS_FILE, diag);
    Graph *graph = text ? graph_read(given->operands[0], text, length, diag) : NULL;
    free(text);
    return graph ? optimize(graph, given, diag) : diag_outcome(diag, false);
}
