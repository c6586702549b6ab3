/* The parts of softmax and log_softmax. Example: logits 20 and 0 give a first probability of 1 -
 * 2e-9, which rounds to 1. Its logarithm, its gradient and the probability of the others come from
 * the sum of the others, which is kept apart. */
#include "passes/graph/softmax.h"

SoftmaxPowers softmax_powers(Graph *graph, NodeId a, int axis) {
    NodeId below =
        build_binary(graph, OP_sub, a, build_reduce(graph, OP_reduce_max, a, axis, true));
    return (SoftmaxPowers){below, build_unary(graph, OP_exp, below)};
}

/* The second sum is cheap, as only the first computes exponentials. */
SoftmaxSum softmax_sum(Graph *graph, SoftmaxPowers powers, int axis) {
    NodeId zero = build_f32(graph, 0, graph_node(graph, powers.below)->shape);
    NodeId other = build_ternary(graph, OP_select, build_binary(graph, OP_lt, powers.below, zero),
                                 powers.exp, zero);
    NodeId largest =
        build_convert(graph, build_binary(graph, OP_eq, powers.below, zero), DTYPE_F32);
    return (SoftmaxSum){build_reduce(graph, OP_sum, other, axis, true),
                        build_reduce(graph, OP_sum, largest, axis, true)};
}
