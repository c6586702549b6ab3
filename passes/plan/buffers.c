/* Finds the buffer of each value. A reshape of a value in the slab has the buffer of its operand. A
 * product can read its windows directly from the image, so they need no buffer. */
#include "passes/plan/planning.h"

void mark_matrix_updates(const Graph *graph, bool *marked) {
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->kind == SYMBOL_STATE && symbol->shape.rank == 2 && symbol->dtype == DTYPE_F32)
            marked[symbol->update] = true;
    }
}

NodeId *buffer_nodes(const Graph *graph, Arena *arena) {
    NodeId *buffer = ARENA_ARRAY(arena, NodeId, graph->node_count);
    bool *kept = ARENA_ARRAY(arena, bool, graph->node_count);
    mark_matrix_updates(graph, kept);
    for (NodeId id = 1; id < graph->node_count; id++) {
        const Node *node = graph_node(graph, id);
        buffer[id] = id;
        if (node->op != OP_reshape || kept[id]) continue;
        NodeId below = buffer[node->operands[0]];
        if (!node_is_leaf(graph_node(graph, below))) buffer[id] = below;
    }
    return buffer;
}

/* The windows must be the rows of operand 0. If operand 0 is a batch of matrices, each must hold
 * the windows of whole images. */
NodeId product_windows(const Graph *graph, const NodeId *buffer, const Node *product) {
    if (product->op != OP_matmul) return NODE_NONE;
    const Node *operand = graph_operand(graph, product, 0),
               *windows = graph_node(graph, buffer[product->operands[0]]);
    if (windows->op != OP_windows) return NODE_NONE;
    Shape matrix = operand->shape, each = windows->shape;
    int64_t rows = matrix.dim[matrix.rank - 2], elements = each.dim[3] * each.dim[4] * each.dim[5];
    bool whole = matrix.rank == 2 || rows % (each.dim[1] * each.dim[2]) == 0;
    return whole && matrix.dim[matrix.rank - 1] == elements ? buffer[product->operands[0]]
                                                            : NODE_NONE;
}
