/* The fuse pass: decides which kernel computes each node, and which values are stored. In relu(x @
 * w + b), one kernel computes the product, adds b and takes the relu while the value is in a
 * register. Below -O2 every node has its own kernel. */
#include "passes/pass_list.h"
#include "passes/plan/planning.h"

KernelKind fusion_kind(const Fusion *fusion, const Node *node) {
    if (op_class(node->op) == CLASS_REDUCE) return KERNEL_REDUCE;
    if (op_class(node->op) == CLASS_SCAN) return KERNEL_SCAN;
    if (op_class(node->op) == CLASS_WINOGRAD) return KERNEL_WINOGRAD;
    if (op_class(node->op) == CLASS_MATRIX)
        return fusion->options->external_gemm && node->dtype == DTYPE_F32 ? KERNEL_GEMM
                                                                          : KERNEL_MATMUL;
    return KERNEL_MAP;
}

enum { LEVEL_THAT_FUSES = 2 };

NodeId fusion_windows(const Fusion *fusion, const Node *product) {
    bool fuses = fusion->options->level >= LEVEL_THAT_FUSES && !fusion->options->external_gemm;
    return fuses ? product_windows(fusion->graph, fusion->buffer, product) : NODE_NONE;
}

/* A kernel of its own for every node that is not a leaf and does not share its operand's memory. */
static void fuse_nothing(Fusion *fusion) {
    for (NodeId id = 1; id < fusion->graph->node_count; id++) {
        const Node *node = graph_node(fusion->graph, id);
        if (!fusion->live[id] || node_is_leaf(node) || fusion->buffer[id] != id) continue;
        KernelKind kind = fusion_kind(fusion, node);
        fusion->kernel[id] =
            fusion_add(fusion, kind, kind == KERNEL_MAP ? NODE_NONE : id, node->shape);
    }
}

/* Sorts the drafts by the first node that each stores. The plan lists kernels in this order, and
 * prefers to run them so. */
static void number_drafts(Fusion *fusion) {
    uint32_t *number = ARENA_ARRAY(fusion->arena, uint32_t, fusion->draft_count + 1), count = 0;
    Draft *drafts = ARENA_ARRAY(fusion->arena, Draft, fusion->draft_capacity);
    for (NodeId id = 1; id < fusion->graph->node_count; id++) {
        uint32_t *kernel = &fusion->kernel[id];
        if (*kernel && !number[*kernel]) {
            number[*kernel] = ++count;
            drafts[count] = fusion->drafts[*kernel];
        }
        *kernel = number[*kernel];
    }
    fusion->drafts = drafts;
    fusion->draft_count = count;
}

static void fuse_nodes(Fusion *fusion) {
    uint32_t nodes = fusion->graph->node_count;
    fusion->required = ARENA_ARRAY(fusion->arena, bool, nodes);
    fusion->cost = ARENA_ARRAY(fusion->arena, uint32_t, nodes);
    fusion->group = ARENA_ARRAY(fusion->arena, uint32_t, nodes);
    fusion->level = ARENA_ARRAY(fusion->arena, uint32_t, fusion->draft_capacity);
    fusion->reach = ARENA_ARRAY(fusion->arena, uint32_t, nodes);
    fusion->outside = ARENA_ARRAY(fusion->arena, Users, nodes);
    fuse_require(fusion);
    fuse_join(fusion);
    fuse_share(fusion);
    fuse_follow(fusion);
    number_drafts(fusion);
}

static void build_plan(Compilation *compilation, const PassOptions *options) {
    Graph *graph = compilation->graph;
    Arena *arena = arena_new();
    Fusion fusion = {
        .graph = graph,
        .options = options,
        .arena = arena,
        .live = graph_live(graph),
        .buffer = buffer_nodes(graph, arena),
        .kernel = ARENA_ARRAY(arena, uint32_t, graph->node_count),
        .draft_capacity = graph->node_count + graph->output_count + graph->symbol_count,
    };
    fusion.drafts = ARENA_ARRAY(arena, Draft, fusion.draft_capacity);
    if (options->level >= LEVEL_THAT_FUSES)
        fuse_nodes(&fusion);
    else
        fuse_nothing(&fusion);
    compilation->plan = kernels_build(&fusion);
    arena_free(arena);
}

bool pass_fuse(Compilation *compilation, const PassOptions *options) {
    plan_free(compilation->plan);
    build_plan(compilation, options);
    return true;
}
