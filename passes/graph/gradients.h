/* Internal to passes/: the rules of reverse-mode differentiation, one function for each gradient
 * named in ops.def. */
#ifndef MLC_PASSES_GRAPH_GRADIENTS_H
#define MLC_PASSES_GRAPH_GRADIENTS_H

#include "passes/passes.h"

/* Facts about a value, provided that weights and scalar inputs are finite. */
typedef struct {
    /* it can still be infinite or NaN: log(x), 1 / x, a product of three, rows of data */
    bool open;
    /* its growth with x. 0: bounded, like sigmoid(x); 1: like x; 2: like x * x or faster */
    uint8_t degree;
    bool not_negative; /* unless it is NaN */
    bool positive;     /* at least some constant above 0, unless it is NaN */
} ValueFacts;

/* The facts of all nodes up to `last`, by their ids. */
ValueFacts *gradient_facts(const Graph *graph, NodeId last, Arena *arena);
/* Whether a node, used as a denominator, can be 0. */
bool gradient_may_be_zero(const Graph *graph, NodeId id, const ValueFacts *facts);

/* A node in the backward sweep. For every wanted operand, its rule adds a contribution to the
 * gradient of the operand. */
typedef struct {
    Graph *graph;
    Node node;       /* a copy: the graph's array moves as nodes are added */
    NodeId id;       /* the node's value */
    NodeId gradient; /* of the scalar by this node; it has the node's shape */
    const bool *wanted;
    const ValueFacts *facts; /* [id], up to the scalar */
    NodeId *total;           /* [id]: the sum of the contributions so far, or NODE_NONE */
} Backward;

typedef void GradientRule(const Backward *at);

#define OP(name, arity, class, attrs, rule, gradient, expand, place, steps, zero, doc)             \
    GradientRule gradient_##gradient;
#include "ir/ops/ops.def"

/* The gradient of a convolution's weights from its operand x and its result's gradient y, by sums
 * in order. */
NodeId weights_in_order(Graph *graph, NodeId x, NodeId y, const Window *window, Shape weights,
                        int64_t groups);

/* Whether the gradient of an operand is needed; that of the first layer's input is not. A rule
 * checks this before it builds a contribution. */
static inline bool gradient_wanted(const Backward *at, uint32_t operand) {
    return at->wanted[at->node.operands[operand]];
}
static inline NodeId gradient_operand(const Backward *at, uint32_t operand) {
    return at->node.operands[operand];
}
static inline Shape gradient_operand_shape(const Backward *at, uint32_t operand) {
    return graph_node(at->graph, at->node.operands[operand])->shape;
}
/* Adds `contribution`, of the operand's shape, to the operand's gradient. */
void gradient_contribute(const Backward *at, uint32_t operand, NodeId contribution);
/* The product of a gradient and a local derivative, but 0 where the gradient is exactly 0 and the
 * product is NaN (0 times infinity). */
NodeId gradient_masked(const Backward *at, NodeId gradient, NodeId product);
/* gradient * factor, where the factor is an operand or the result of the node. Masked as above if
 * the factor may be infinite or NaN. */
NodeId gradient_times(const Backward *at, NodeId gradient, NodeId factor);

#endif
