/* Stands in for parts of other folders until they are there; linked last, so that it is out of use as soon as they are. */
#include "codegen/codegen.h"
#include "frontend/frontend.h"
#include "passes/pass_list.h"
#include "runtime/runtime.h"

#define MISSING __attribute__((weak))

static void report(Diagnostics *diag) { diag_error(diag, STATUS_BUG, (Span){0}, "this part of mlc is not there yet"); }

MISSING Model *model_load(const ModelOptions *options, Diagnostics *diag) { return (void)options, report(diag), NULL; }
MISSING void model_free(Model *model) { (void)model; }
MISSING const ModelInfo *model_info(const Model *model) { return (void)model, NULL; }
MISSING Graph *model_graph(const Model *model, GraphKind kind, uint32_t batch, Diagnostics *diag) {
    return (void)model, (void)kind, (void)batch, report(diag), NULL;
}
MISSING const LayerInfo *model_layers(const Model *model, uint32_t *count) { return (void)model, *count = 0, NULL; }
MISSING Program *codegen_compile(Plan *plan, Graph *graph, const CodegenOptions *options, Diagnostics *diag) {
    return (void)options, plan_free(plan), graph_free(graph), report(diag), NULL;
}
MISSING bool codegen_print(const Plan *plan, const CodegenOptions *options, CodegenText text, FILE *out, Diagnostics *diag) {
    return (void)plan, (void)options, (void)text, (void)out, report(diag), false;
}
MISSING const char *codegen_version(void) { return "no LLVM"; }
MISSING const char *codegen_host_cpu(void) { return "no CPU"; }
MISSING bool data_get(const char *name, const char *from, bool quiet, Diagnostics *diag) {
    return (void)name, (void)from, (void)quiet, report(diag), false;
}
MISSING Graph *pass_simplify(Graph *graph, const PassOptions *options) {
    (void)options;
    Graph *copy = graph_like(graph);
    NodeId *map = ARENA_ARRAY(copy->arena, NodeId, graph->node_count);
    for (NodeId id = 1; id < graph->node_count; id++) map[id] = graph_copy_node(copy, graph, id, map);
    graph_finish(copy, graph, map);
    return copy;
}
