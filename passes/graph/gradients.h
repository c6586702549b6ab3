/* Internal to passes/: the rules of reverse-mode differentiation, one function for each gradient named in ops.def. */
#ifndef MLC_PASSES_GRAPH_GRADIENTS_H
#define MLC_PASSES_GRAPH_GRADIENTS_H

#include "passes/passes.h"

/* What is known of a value where inputs that are numbers, and weights, are finite. */
typedef struct {
    bool open;         /* it can be infinite or NaN all the same: log(x), 1 / x, a product of three, rows of data */
    uint8_t degree;    /* 0: bounded, as sigmoid(x); 1: as x; 2: as x * x or beyond */
    bool not_negative; /* a NaN apart */
    bool positive;     /* not below a constant above 0, a NaN apart */
} ValueFacts;

/* facts[id] of all nodes up to `last`. */
ValueFacts *gradient_facts(const Graph *graph, NodeId last, Arena *arena);
/* A denominator that can be 0. */
bool gradient_may_be_zero(const Graph *graph, NodeId id, const ValueFacts *facts);

/* One node of a backward sweep. Its rule adds, for every wanted operand, the operand's share of the gradient. */
typedef struct {
    Graph *graph;
    Node node;       /* a copy: the graph's array moves as nodes are added */
    NodeId id;       /* the node's value */
    NodeId gradient; /* of the scalar by the node; has the node's shape */
    const bool *wanted;
    const ValueFacts *facts; /* [id], up to the scalar */
    NodeId *total;           /* [id]: the sum of the contributions so far, or NODE_NONE */
} Backward;

typedef void GradientRule(const Backward *at);

#define OP(name, arity, class, attrs, rule, gradient, expand, place, steps, zero, doc) GradientRule gradient_##gradient;
#include "ir/ops/ops.def"

/* A rule asks before it builds a contribution: nobody needs the gradient of the first layer's input. */
static inline bool gradient_wanted(const Backward *at, uint32_t operand) { return at->wanted[at->node.operands[operand]]; }
static inline NodeId gradient_operand(const Backward *at, uint32_t operand) { return at->node.operands[operand]; }
static inline Shape gradient_operand_shape(const Backward *at, uint32_t operand) {
    return graph_node(at->graph, at->node.operands[operand])->shape;
}
/* Adds `contribution`, of the operand's shape, to the operand's gradient. */
void gradient_contribute(const Backward *at, uint32_t operand, NodeId contribution);
/* `product` of a gradient and a local derivative; where it is NaN although the gradient is exactly 0, it is 0: 0 times infinity. */
NodeId gradient_masked(const Backward *at, NodeId gradient, NodeId product);
/* gradient * factor, masked where the factor, which the node has as operand or result, can be other than finite. */
NodeId gradient_times(const Backward *at, NodeId gradient, NodeId factor);

#endif
