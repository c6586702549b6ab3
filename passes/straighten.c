/* Before fusion: a matrix product needs one operand whose columns are contiguous. States can be stored that way; of two values
 * that are computed, (a, transposed b) has neither. The right one then gets a transposed copy, which fusion makes a kernel of
 * its own or part of the kernel that computes it. */
#include "passes/planning.h"

static bool is_matrix_state(const Node *node) { return node->op == OP_state && node->shape.rank == 2; }

static bool needs_copy(const Graph *graph, const Node *node) {
    if (node->op != OP_matmul || !node->attrs.transpose_b || node->attrs.transpose_a) return false;
    return !is_matrix_state(graph_operand(graph, node, 0)) && !is_matrix_state(graph_operand(graph, node, 1));
}

static bool any_needs_copy(const Graph *graph) {
    for (NodeId id = 1; id < graph->node_count; id++)
        if (needs_copy(graph, graph_node(graph, id))) return true;
    return false;
}

static NodeId copy_product(Graph *to, const Node *node, const NodeId *map) {
    to->span = node->span;
    return build_matmul(to, map[node->operands[0]], build_transpose(to, map[node->operands[1]], NULL), false, false);
}

Graph *products_straighten(Graph *from) {
    if (!any_needs_copy(from)) return from;
    Graph *to = graph_like(from);
    Arena *scratch = arena_new();
    NodeId *map = ARENA_ARRAY(scratch, NodeId, from->node_count);
    for (NodeId id = 1; id < from->node_count; id++) {
        const Node *node = graph_node(from, id);
        map[id] = needs_copy(from, node) ? copy_product(to, node, map) : graph_copy_node(to, from, id, map);
    }
    graph_finish(to, from, map);
    arena_free(scratch);
    graph_free(from);
    return to;
}
