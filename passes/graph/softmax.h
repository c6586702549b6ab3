/* Internal to passes/: the parts that softmax, log_softmax and their gradients share. They build
 * equal nodes, which become one. */
#ifndef MLC_PASSES_GRAPH_SOFTMAX_H
#define MLC_PASSES_GRAPH_SOFTMAX_H

#include "passes/passes.h"

/* e^d with d = a - max(a) along an axis. */
typedef struct {
    NodeId below; /* d: at most 0 */
    NodeId exp;
} SoftmaxPowers;

/* The sum of the powers in two parts. Both keep the axis, with size 1. */
typedef struct {
    /* the sum of e^d over all d < 0; by itself it keeps its digits although it may be small beside
     * 1 */
    NodeId others;
    NodeId ties; /* how many elements are the largest, as f32: each adds 1 to the sum */
} SoftmaxSum;

SoftmaxPowers softmax_powers(Graph *graph, NodeId a, int axis);
SoftmaxSum softmax_sum(Graph *graph, SoftmaxPowers powers, int axis);

#endif
