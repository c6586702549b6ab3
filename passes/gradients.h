/* Internal to passes/: the rules of reverse-mode differentiation, one function for each gradient named in ops.def. */
#ifndef MLC_PASSES_GRADIENTS_H
#define MLC_PASSES_GRADIENTS_H

#include "passes/passes.h"

/* One node of a backward sweep. Its rule adds, for every wanted operand, the operand's share of the gradient. */
typedef struct {
    Graph *graph;
    Node node;       /* a copy: the graph's array moves as nodes are added */
    NodeId id;       /* the node's value */
    NodeId gradient; /* of the scalar by the node; has the node's shape */
    const bool *wanted;
    NodeId *total; /* [id]: the sum of the contributions so far, or NODE_NONE */
} Backward;

typedef void GradientRule(const Backward *at);

#define OP(name, arity, class, attrs, rule, gradient, expand, doc) GradientRule gradient_##gradient;
#include "ir/ops.def"

/* A rule asks before it builds a contribution: nobody needs the gradient of the first layer's input. */
static inline bool gradient_wanted(const Backward *at, uint32_t operand) { return at->wanted[at->node.operands[operand]]; }
static inline NodeId gradient_operand(const Backward *at, uint32_t operand) { return at->node.operands[operand]; }
static inline Shape gradient_operand_shape(const Backward *at, uint32_t operand) {
    return graph_node(at->graph, at->node.operands[operand])->shape;
}
/* Adds `contribution`, of the operand's shape, to the operand's gradient. */
void gradient_contribute(const Backward *at, uint32_t operand, NodeId contribution);

#endif
