/* Fusion: every live node that others read from memory gets a kernel to compute it. Below -O2 that is every node. */
#include "passes/pass_list.h"
#include "passes/planning.h"

static KernelKind kind_of_root(const Fusion *fusion, const Node *node) {
    if (op_class(node->op) == CLASS_REDUCE) return KERNEL_REDUCE;
    if (op_class(node->op) == CLASS_MATRIX) return fusion->options->external_gemm ? KERNEL_GEMM : KERNEL_MATMUL;
    return KERNEL_MAP;
}

/* A kernel of its own for every node that is not a leaf and does not share its operand's memory. */
static void fuse_nothing(Fusion *fusion) {
    for (NodeId id = 1; id < fusion->graph->node_count; id++) {
        const Node *node = graph_node(fusion->graph, id);
        if (!fusion->live[id] || node_is_leaf(node) || fusion->home[id] != id) continue;
        KernelKind kind = kind_of_root(fusion, node);
        fusion->kernel[id] = fusion_add(fusion, kind, kind == KERNEL_MAP ? NODE_NONE : id, node->shape);
    }
}

bool pass_fuse(Compilation *compilation, const PassOptions *options) {
    Graph *graph = compilation->graph;
    Arena *arena = arena_new();
    Fusion fusion = {
        .graph = graph,
        .options = options,
        .arena = arena,
        .live = graph_live(graph),
        .home = home_nodes(graph, arena),
        .kernel = ARENA_ARRAY(arena, uint32_t, graph->node_count),
        .drafts = ARENA_ARRAY(arena, Draft, graph->node_count + graph->output_count + graph->symbol_count),
    };
    fuse_nothing(&fusion);
    compilation->plan = kernels_build(&fusion);
    arena_free(arena);
    return true;
}
