#include "tests/support/op_graph.h"

static bool takes_whole_numbers(Op op) {
    return op == OP_and || op == OP_or || op == OP_xor || op == OP_not || op == OP_shl ||
           op == OP_shr || op == OP_mul_high || op == OP_scale;
}

NodeId op_on_numbers(Graph *graph, Op op, const NodeId numbers[3]) {
    NodeId x[3] = {0};
    Shape shape = graph_node(graph, numbers[0])->shape;
    for (int i = 0; i < op_arity(op); i++)
        x[i] = takes_whole_numbers(op) ? build_bitcast(graph, numbers[i], DTYPE_I32) : numbers[i];
    if (op == OP_select) x[0] = build_binary(graph, OP_lt, x[0], build_f32(graph, 0, shape));
    if (op == OP_scale) x[2] = build_i32(graph, 5, shape); /* a shift */
    if (op == OP_convert) return build_convert(graph, x[0], DTYPE_I32);
    if (op == OP_bitcast) return build_bitcast(graph, x[0], DTYPE_I32);
    if (op_arity(op) == 1) return build_unary(graph, op, x[0]);
    if (op_arity(op) == 2) return build_binary(graph, op, x[0], x[1]);
    return build_ternary(graph, op, x[0], x[1], x[2]);
}
