/* Internal to passes/: what softmax, log_softmax and their gradients are made of. They build equal nodes, which become one. */
#ifndef MLC_PASSES_GRAPH_SOFTMAX_H
#define MLC_PASSES_GRAPH_SOFTMAX_H

#include "passes/passes.h"

/* e^d with d = a - max(a) along an axis. */
typedef struct {
    NodeId below; /* d: at most 0 */
    NodeId exp;
} SoftmaxPowers;

/* The sum of the powers, taken apart. Both keep the axis, with size 1. */
typedef struct {
    NodeId others; /* the sum of e^d over all d below 0: it has digits of its own where it is small beside 1 */
    NodeId ties;   /* how many elements are the largest, as f32: each adds 1 to the sum */
} SoftmaxSum;

SoftmaxPowers softmax_powers(Graph *graph, NodeId a, int axis);
SoftmaxSum softmax_sum(Graph *graph, SoftmaxPowers powers, int axis);

#endif
