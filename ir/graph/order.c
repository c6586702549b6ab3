/* Numbers a graph's nodes anew, by what they compute alone: graph_in_order. */
#include "ir/graph/graph.h"

typedef struct {
    NodeId id;
    uint32_t next; /* operands before this one have been copied */
} Visit;

typedef struct {
    Graph *from, *to;
    NodeId *map;
    Visit *stack; /* an explicit stack: a chain of nodes may be too long for recursion */
} Order;

/* Copies a node after its operands, and these from the first to the last. */
static void copy_with_operands(Order *order, NodeId root) {
    uint32_t depth = 0;
    order->stack[depth++] = (Visit){root, 0};
    while (depth) {
        Visit *top = &order->stack[depth - 1];
        const Node *node = graph_node(order->from, top->id);
        if (order->map[top->id] || top->next == node->operand_count) {
            if (!order->map[top->id])
                order->map[top->id] = graph_copy_node(order->to, order->from, top->id, order->map);
            depth--;
        } else {
            order->stack[depth++] = (Visit){node->operands[top->next++], 0};
        }
    }
}

static void copy_roots(Order *order, const NodeId *roots, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (roots[i]) copy_with_operands(order, roots[i]);
}

static void copy_all(Order *order) {
    const Graph *from = order->from;
    for (uint32_t i = 0; i < from->output_count; i++) copy_roots(order, &from->outputs[i].node, 1);
    for (uint32_t i = 0; i < from->symbol_count; i++)
        copy_roots(order, &from->symbols[i].update, 1);
    for (uint32_t i = 0; i < from->symbol_count; i++)
        if (from->symbols[i].kind != SYMBOL_BATCH) copy_roots(order, &from->symbols[i].node, 1);
}

Graph *graph_in_order(Graph *from, const NodeId *roots, uint32_t count) {
    Arena *scratch = arena_new();
    NodeId *map = ARENA_ARRAY(scratch, NodeId, from->node_count);
    Visit *stack = ARENA_ARRAY(scratch, Visit, from->node_count);
    Order order = {from, graph_like(from), map, stack};
    if (roots)
        copy_roots(&order, roots, count);
    else
        copy_all(&order);
    graph_finish(order.to, from, map);
    arena_free(scratch);
    graph_free(from);
    return order.to;
}
