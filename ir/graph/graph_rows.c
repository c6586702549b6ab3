#include "ir/graph/graph_rows.h"

int shape_row_axes(const Shape *shape, int64_t rows) {
    int64_t product = 1;
    int axes = 0;
    while (axes < shape->rank && product < rows) product *= shape->dim[axes++];
    return product == rows ? axes : -1;
}

bool node_stays_in_row(const Graph *graph, const Node *node, uint32_t i, int64_t rows) {
    const Shape *from = &graph_operand(graph, node, i)->shape, *to = &node->shape;
    int axes = shape_row_axes(to, rows);
    if (axes < 0 || shape_row_axes(from, rows) < 0) return false;
    if (op_stays_in_place(node->op)) return true;
    for (int axis = 0; axis < axes; axis++)
        if (from->rank <= axis || from->dim[axis] != to->dim[axis]) return false;
    if (op_class(node->op) == CLASS_REDUCE) return node->attrs.axis >= axes;
    return node->op == OP_slice || (node->op == OP_broadcast && from->rank == to->rank);
}
