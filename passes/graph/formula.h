/* Internal to passes/: short names to build functions from primitives, on tensors of one shape. */
#ifndef MLC_PASSES_GRAPH_FORMULA_H
#define MLC_PASSES_GRAPH_FORMULA_H

#include "passes/passes.h"

#include <math.h>

/* A node that is expanded: a copy of it, and its operands in the new graph. */
typedef struct {
    Graph *graph;
    Node node;
    const NodeId *operands;
} Formula;

/* The expansions named in ops.def: each returns the value of the node. */
typedef NodeId ExpandRule(const Formula *f);
#define OP(name, arity, class, attrs, rule, gradient, expand, place, steps, zero, doc)             \
    ExpandRule expand_##expand;
#include "ir/ops/ops.def"

/* conv_weights as windows and products, whatever pays. */
ExpandRule expand_weights_in_order;

static inline NodeId f_real(const Formula *f, float value) {
    return build_f32(f->graph, (double)value, f->node.shape);
}
static inline NodeId f_int(const Formula *f, uint32_t bits) {
    return build_i32(f->graph, (int32_t)bits, f->node.shape);
}

#define FORMULA_1(op)                                                                              \
    static inline NodeId f_##op(const Formula *f, NodeId a) {                                      \
        return build_unary(f->graph, OP_##op, a);                                                  \
    }
#define FORMULA_2(op)                                                                              \
    static inline NodeId f_##op(const Formula *f, NodeId a, NodeId b) {                            \
        return build_binary(f->graph, OP_##op, a, b);                                              \
    }
#define FORMULA_3(op)                                                                              \
    static inline NodeId f_##op(const Formula *f, NodeId a, NodeId b, NodeId c) {                  \
        return build_ternary(f->graph, OP_##op, a, b, c);                                          \
    }
FORMULA_2(add)
FORMULA_2(sub)
FORMULA_2(mul)
FORMULA_2(div)
FORMULA_3(fma)
FORMULA_1(neg)
FORMULA_1(abs)
FORMULA_1(sqrt)
FORMULA_1(rint)
FORMULA_2(max)
FORMULA_2(min)
FORMULA_2(lt)
FORMULA_2(le)
FORMULA_2(eq)
FORMULA_2(ne)
FORMULA_2(and)
FORMULA_2(or)
FORMULA_2(xor)
FORMULA_1(not )
FORMULA_2(shl)
FORMULA_2(shr)
FORMULA_2(mul_high)
FORMULA_3(select)
#undef FORMULA_1
#undef FORMULA_2
#undef FORMULA_3

static inline NodeId f_bits_of(const Formula *f, NodeId a) {
    return build_bitcast(f->graph, a, DTYPE_I32);
}
static inline NodeId f_real_of_bits(const Formula *f, NodeId a) {
    return build_bitcast(f->graph, a, DTYPE_F32);
}
static inline NodeId f_real_of_int(const Formula *f, NodeId a) {
    return build_convert(f->graph, a, DTYPE_F32);
}

/* c[0] + x (c[1] + x (c[2] + ...)), by Horner's rule with fma. */
static inline NodeId f_polynomial(const Formula *f, NodeId x, const float *c, int count) {
    NodeId sum = f_real(f, c[count - 1]);
    for (int i = count - 2; i >= 0; i--) sum = f_fma(f, sum, x, f_real(f, c[i]));
    return sum;
}

#endif
