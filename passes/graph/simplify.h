/* Internal to passes/: rules of exact algebra. A rule looks at a node that is about to be built,
 * whose operands are already simplified. It returns a node with the same value, or NODE_NONE if it
 * does not apply. It builds with the functions below, which simplify in turn. Every rule makes its
 * term smaller or moves something in one direction only, so this ends.
 *
 * Exact means the same bits for all values of the operands, including -0, infinities and denormal
 * numbers; all NaNs count as equal. */
#ifndef MLC_PASSES_GRAPH_SIMPLIFY_H
#define MLC_PASSES_GRAPH_SIMPLIFY_H

#include "passes/passes.h"

/* A node that is about to be built. */
typedef struct {
    Graph *graph;
    Op op;
    TensorType type;
    const NodeId *operands;
    uint32_t count;
    Attrs attrs;
} Term;

typedef NodeId SimplifyRule(const Term *term);

/* Building with simplification. */
NodeId simplify_add(const Term *term);
NodeId simplify_unary(const Term *from, Op op, NodeId a);
NodeId simplify_binary(const Term *from, Op op, NodeId a, NodeId b);
NodeId simplify_ternary(const Term *from, Op op, NodeId a, NodeId b, NodeId c);
NodeId simplify_reshape(const Term *from, NodeId a, Shape shape);
NodeId simplify_broadcast(const Term *from, NodeId a, Shape shape);
NodeId simplify_convert(const Term *from, NodeId a, DType dtype);

/* A node of the graph. The pointer becomes invalid when nodes are added. */
static inline const Node *term_node(const Term *term, NodeId id) {
    return graph_node(term->graph, id);
}
static inline const Node *term_operand(const Term *term, uint32_t i) {
    return graph_node(term->graph, term->operands[i]);
}
/* Whether operand i is an `op`; term_inside: operand j of operand i. */
static inline bool term_is(const Term *term, uint32_t i, Op op) {
    return term_operand(term, i)->op == op;
}
static inline NodeId term_inside(const Term *term, uint32_t i, uint32_t j) {
    return term_operand(term, i)->operands[j];
}
static inline bool term_is_constant(const Term *term, uint32_t i) {
    return term_is(term, i, OP_constant);
}
/* Whether operand i is the constant with these bits: -0 is not 0. */
static inline bool term_is_bits(const Term *term, uint32_t i, uint32_t bits) {
    return term_is_constant(term, i) && term_operand(term, i)->attrs.value.bits == bits;
}
bool term_is_real(const Term *term, uint32_t i, float value);  /* the f32 constant `value` */
bool term_is_int(const Term *term, uint32_t i, int32_t value); /* the i32 constant `value` */
NodeId term_real(const Term *term, float value);               /* a constant of the term's shape */

/* The rules: arithmetic; logic and conversion; views. */
SimplifyRule simplify_constant_right, simplify_sum, simplify_difference, simplify_product,
    simplify_two_negatives, simplify_negative_constant, simplify_quotient, simplify_divide_byte,
    simplify_fma, simplify_negation, simplify_abs_of_sign, simplify_extreme, simplify_already_whole;
SimplifyRule simplify_not, simplify_and, simplify_or, simplify_xor, simplify_shift_nothing,
    simplify_compare_self, simplify_select, simplify_conversions, simplify_bitcast_twice;
SimplifyRule simplify_same_shape, simplify_reshapes, simplify_broadcasts,
    simplify_transpose_nothing, simplify_transpose_twice, simplify_slice_twice,
    simplify_slice_of_concat, simplify_pad_twice, simplify_concat_one, simplify_reduce_one,
    simplify_matmul_flags;
SimplifyRule simplify_add_pads;
SimplifyRule simplify_relu_of_pool;
SimplifyRule simplify_slice_of_pad, simplify_windows_single, simplify_matmul_leading;
SimplifyRule simplify_sink_reshape, simplify_sink_broadcast, simplify_sink_transpose,
    simplify_sink_transpose_lists, simplify_transpose_constant, simplify_transpose_broadcast;

#endif
