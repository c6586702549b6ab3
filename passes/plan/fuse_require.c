/* First step of fusion: finds the values that must be in memory whatever is fused, and how many
 * steps it takes to recompute the others. */
#include "passes/plan/planning.h"

enum { MAX_STEPS = 1 << 20 };

static void require(Fusion *fusion, NodeId id) {
    NodeId buffer = fusion->buffer[id];
    if (!node_is_leaf(graph_node(fusion->graph, buffer))) fusion->required[buffer] = true;
}

uint32_t fuse_node_steps(const Node *node) {
    if (node->op == OP_concat) return node->operand_count - 1; /* a select for each further part */
    return op_steps(node->op);
}

/* The steps to compute a node from values that every kernel reads from memory. Roots are never
 * computed twice. */
static uint32_t count_steps(const Fusion *fusion, const Node *node) {
    uint32_t steps = fuse_node_steps(node);
    for (uint32_t i = 0; i < node->operand_count; i++) {
        NodeId id = node->operands[i];
        const Node *operand = graph_node(fusion->graph, id);
        bool in_memory =
            node_is_leaf(operand) || node_is_root(operand) || fusion->required[fusion->buffer[id]];
        if (!in_memory) steps += fusion->cost[id];
    }
    return steps < MAX_STEPS ? steps : MAX_STEPS;
}

/* A broadcast would recompute its operand for each repetition. So the operand is stored, unless it
 * takes no step, or a single step and is not a scalar. */
static void require_repeated(Fusion *fusion, const Node *broadcast) {
    const Node *operand = graph_operand(fusion->graph, broadcast, 0);
    uint32_t free_steps = operand->shape.rank == 0 ? 0 : 1;
    bool enlarges = shape_elements(broadcast->shape) >= 2 * shape_elements(operand->shape);
    if (enlarges && fusion->cost[broadcast->operands[0]] > free_steps)
        require(fusion, broadcast->operands[0]);
}

/* Windows that overlap would recompute the elements of the image that they share. */
static void require_overlapping(Fusion *fusion, const Node *windows) {
    NodeId image = windows_image(fusion->graph, windows).node;
    if (shape_elements(windows->shape) > shape_elements(graph_node(fusion->graph, image)->shape))
        require(fusion, image);
}

static void require_operands(Fusion *fusion, NodeId id, const Node *node) {
    if (node->op == OP_broadcast) require_repeated(fusion, node);
    if (node->op == OP_windows) require_overlapping(fusion, node);
    /* every element of a concat computes all its parts and selects one */
    for (uint32_t i = 0; node->op == OP_concat && i < node->operand_count; i++)
        if (fusion->cost[node->operands[i]] > FUSE_CHEAP_STEPS) require(fusion, node->operands[i]);
    /* tiles overlap, and every tile needs all filters */
    for (uint32_t i = 0; op_class(node->op) == CLASS_WINOGRAD && i < node->operand_count; i++)
        require(fusion, node->operands[i]);
    if (op_class(node->op) != CLASS_MATRIX) return;
    /* a product reads its operands from memory, or instead of windows the image */
    NodeId windows = fusion_windows(fusion, node);
    require(fusion, windows ? windows_image(fusion->graph, graph_node(fusion->graph, windows)).node
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
