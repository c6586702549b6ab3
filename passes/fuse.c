/* Fusion: which kernel computes what. Below -O2 every node gets a kernel of its own. */
#include "passes/pass_list.h"
#include "passes/planning.h"

KernelKind fusion_kind(const Fusion *fusion, const Node *node) {
    if (op_class(node->op) == CLASS_REDUCE) return KERNEL_REDUCE;
    if (op_class(node->op) == CLASS_MATRIX) return fusion->options->external_gemm ? KERNEL_GEMM : KERNEL_MATMUL;
    return KERNEL_MAP;
}

/* A kernel of its own for every node that is not a leaf and does not share its operand's memory. */
static void fuse_nothing(Fusion *fusion) {
    for (NodeId id = 1; id < fusion->graph->node_count; id++) {
        const Node *node = graph_node(fusion->graph, id);
        if (!fusion->live[id] || node_is_leaf(node) || fusion->home[id] != id) continue;
        KernelKind kind = fusion_kind(fusion, node);
        fusion->kernel[id] = fusion_add(fusion, kind, kind == KERNEL_MAP ? NODE_NONE : id, node->shape);
    }
}

enum { LEVEL_THAT_FUSES = 2 };

static void fuse_nodes(Fusion *fusion) {
    uint32_t nodes = fusion->graph->node_count;
    fusion->required = ARENA_ARRAY(fusion->arena, bool, nodes);
    fusion->cost = ARENA_ARRAY(fusion->arena, uint32_t, nodes);
    fusion->group = ARENA_ARRAY(fusion->arena, uint32_t, nodes);
    fuse_require(fusion);
    fuse_join(fusion);
    fuse_share(fusion);
}

static void build_plan(Compilation *compilation, const PassOptions *options) {
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
    if (options->level >= LEVEL_THAT_FUSES) fuse_nodes(&fusion);
    else fuse_nothing(&fusion);
    compilation->plan = kernels_build(&fusion);
    arena_free(arena);
}

bool pass_fuse(Compilation *compilation, const PassOptions *options) {
    plan_free(compilation->plan);
    if (options->level >= LEVEL_THAT_FUSES && !options->external_gemm)
        compilation->graph = products_straighten(compilation->graph);
    build_plan(compilation, options);
    return true;
}
