/* Class lookups: x[m, ...] where 0 <= label[m] < classes, NaN in the other rows. So a computed
 * class without a column stops the training, and the message can give the reason. */
#include "ir/graph/class_lookup.h"

#include <math.h>

NodeId build_class_lookup(Graph *graph, NodeId label, int64_t classes, NodeId x) {
    Shape rows = graph_node(graph, x)->shape, each = {.rank = rows.rank, .dim = {rows.dim[0]}};
    for (int axis = 1; axis < rows.rank; axis++) each.dim[axis] = 1;
    label = build_reshape(graph, label, each);
    bool number = graph_node(graph, label)->dtype == DTYPE_F32; /* NaN is in no range */
    NodeId first = number ? build_f32(graph, 0, rows) : build_i32(graph, 0, rows),
           last = number ? build_f32(graph, (double)(classes - 1), rows)
                         : build_i32(graph, (int32_t)(classes - 1), rows);
    NodeId inside = build_binary(graph, OP_and, build_binary(graph, OP_le, first, label),
                                 build_binary(graph, OP_le, label, last));
    return build_ternary(graph, OP_select, inside, x, build_f32(graph, (double)NAN, rows));
}

static const Node *viewed(const Graph *graph, const Node *node) {
    while (op_class(node->op) == CLASS_VIEW) node = graph_operand(graph, node, 0);
    return node;
}

bool graph_is_class_lookup(const Graph *graph, const Node *node) {
    if (node->op != OP_select) return false;
    const Node *inside = viewed(graph, graph_operand(graph, node, 0)),
               *outside = viewed(graph, graph_operand(graph, node, 2));
    bool range = inside->op == OP_and && graph_operand(graph, inside, 0)->op == OP_le;
    return range && outside->op == OP_constant && outside->dtype == DTYPE_F32 &&
           isnan(outside->attrs.value.f);
}
