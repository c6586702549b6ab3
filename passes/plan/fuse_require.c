/* First step of fusion: which values must be in memory whatever is fused, and what the others cost
 * to compute again. */
#include "passes/plan/planning.h"

enum { MOST_STEPS = 1 << 20 };

static void require(Fusion *fusion, NodeId id) {
    NodeId buffer = fusion->buffer[id];
    if (!node_is_leaf(graph_node(fusion->graph, buffer))) fusion->required[buffer] = true;
}

uint32_t fuse_node_steps(const Node *node) {
    if (node->op == OP_concat) return node->operand_count - 1; /* a choice for each further part */
    return op_steps(node->op);
}

/* Roots are never computed twice: whoever needs one reads it. */
static bool surely_in_memory(const Fusion *fusion, NodeId id) {
    const Node *node = graph_node(fusion->graph, id);
    return node_is_leaf(node) || node_is_root(node) || fusion->required[fusion->buffer[id]];
}

static uint32_t count_steps(const Fusion *fusion, const Node *node) {
    uint32_t steps = fuse_node_steps(node);
    for (uint32_t i = 0; i < node->operand_count; i++)
        if (!surely_in_memory(fusion, node->operands[i])) steps += fusion->cost[node->operands[i]];
    return steps < MOST_STEPS ? steps : MOST_STEPS;
}

/* What a broadcast repeats is computed before: scalars always, others unless it is next to
 * nothing. */
static void require_repeated(Fusion *fusion, const Node *broadcast) {
    const Node *operand = graph_operand(fusion->graph, broadcast, 0);
    uint32_t free_steps = operand->shape.rank == 0 ? 0 : 1;
    bool enlarges = shape_elements(broadcast->shape) >= 2 * shape_elements(operand->shape);
    if (enlarges && fusion->cost[broadcast->operands[0]] > free_steps)
        require(fusion, broadcast->operands[0]);
}

static void require_operands(Fusion *fusion, NodeId id, const Node *node) {
    if (node->op == OP_broadcast) require_repeated(fusion, node);
    if (node->op == OP_windows) {
        /* Windows that overlap repeat what they are cut from. */
        NodeId picture = windows_picture(fusion->graph, node).node;
        if (shape_elements(node->shape) > shape_elements(graph_node(fusion->graph, picture)->shape))
            require(fusion, picture);
    }
    if (node->op == OP_concat) {
        /* Every element of a concatenation looks at all its parts. */
        for (uint32_t i = 0; i < node->operand_count; i++)
            if (fusion->cost[node->operands[i]] > FUSE_CHEAP_STEPS)
                require(fusion, node->operands[i]);
    }
    if (op_class(node->op) != CLASS_MATRIX) return;
    /* Products read their operands whole. */
    NodeId windows = fusion_windows(fusion, node);
    require(fusion, windows
                        ? windows_picture(fusion->graph, graph_node(fusion->graph, windows)).node
                        : node->operands[0]);
    require(fusion, node->operands[1]);
    if (fusion->options->external_gemm) require(fusion, id);
}

void fuse_require(Fusion *fusion) {
    const Graph *graph = fusion->graph;
    for (uint32_t i = 0; i < graph->output_count; i++) require(fusion, graph->outputs[i].node);
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].update) require(fusion, graph->symbols[i].update);
    for (NodeId id = 1; id < fusion->graph->node_count; id++) {
        if (!fusion->live[id]) continue;
        const Node *node = graph_node(fusion->graph, id);
        require_operands(fusion, id, node);
        fusion->cost[id] = count_steps(fusion, node);
    }
}
