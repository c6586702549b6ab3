/* Exact rules for comparisons, logic, select and convert. There is no rule not(a < b) = b <= a: for
 * NaN both comparisons are false. */
#include "passes/graph/simplify.h"

static bool same_operands(const Term *t) { return t->operands[0] == t->operands[1]; }

static NodeId all_bits(const Term *t, bool set) {
    uint32_t ones = t->type.dtype == DTYPE_BOOL ? 1 : UINT32_MAX;
    return build_constant(t->graph, t->type, set ? ones : 0);
}

/* Whether operand 1 is the constant with all bits set, or with none set. */
static bool is_all_bits(const Term *t, bool set) {
    uint32_t ones = t->type.dtype == DTYPE_BOOL ? 1 : UINT32_MAX;
    return term_is_bits(t, 1, set ? ones : 0);
}

/* -- not, and, or, xor, shifts -- */

/* not not x = x; not(a == b) = a != b, for NaN too; and the other way round */
NodeId simplify_not(const Term *t) {
    if (term_is(t, 0, OP_not)) return term_inside(t, 0, 0);
    if (!term_is(t, 0, OP_eq) && !term_is(t, 0, OP_ne)) return NODE_NONE;
    NodeId operands[2] = {term_inside(t, 0, 0), term_inside(t, 0, 1)};
    Op opposite = term_is(t, 0, OP_eq) ? OP_ne : OP_eq;
    return simplify_add(&(Term){
        .graph = t->graph, .op = opposite, .type = t->type, .operands = operands, .count = 2});
}

/* x and x = x; x and 1...1 = x, x and 0 = 0 */
NodeId simplify_and(const Term *t) {
    if (same_operands(t) || is_all_bits(t, true)) return t->operands[0];
    return is_all_bits(t, false) ? t->operands[1] : NODE_NONE;
}

/* x or x = x; x or 0 = x, x or 1...1 = 1...1 */
NodeId simplify_or(const Term *t) {
    if (same_operands(t) || is_all_bits(t, false)) return t->operands[0];
    return is_all_bits(t, true) ? t->operands[1] : NODE_NONE;
}

/* x xor x = 0; x xor 0 = x, x xor 1...1 = not x */
NodeId simplify_xor(const Term *t) {
    if (same_operands(t)) return all_bits(t, false);
    if (is_all_bits(t, false)) return t->operands[0];
    return is_all_bits(t, true) ? simplify_unary(t, OP_not, t->operands[0]) : NODE_NONE;
}

/* x shifted by 0 = x */
NodeId simplify_shift_nothing(const Term *t) {
    return term_is_bits(t, 1, 0) ? t->operands[0] : NODE_NONE;
}

/* -- comparisons -- */

/* x < x is false even for NaN. x == x is not true for NaN, so f32 has no such rule. */
NodeId simplify_compare_self(const Term *t) {
    if (!same_operands(t)) return NODE_NONE;
    if (t->op != OP_lt && term_operand(t, 0)->dtype == DTYPE_F32) return NODE_NONE;
    return all_bits(t, t->op == OP_le || t->op == OP_eq);
}

/* -- select -- */

/* true ? a : b = a              false ? a : b = b             c ? a : a = a
 * not c ? a : b = c ? b : a     c ? true : false = c          c ? false : true = not c
 * c ? (c ? a : b) : d = c ? a : d                             c ? a : (c ? b : d) = c ? a : d */
NodeId simplify_select(const Term *t) {
    NodeId c = t->operands[0], a = t->operands[1], b = t->operands[2];
    if (term_is_constant(t, 0)) return term_is_bits(t, 0, 0) ? b : a;
    if (a == b) return a;
    if (term_is(t, 0, OP_not)) return simplify_ternary(t, OP_select, term_inside(t, 0, 0), b, a);
    if (t->type.dtype == DTYPE_BOOL && term_is_constant(t, 1) && term_is_constant(t, 2))
        return term_is_bits(t, 1, 0) ? simplify_unary(t, OP_not, c) : c;
    for (uint32_t i = 1; i <= 2; i++) {
        if (!term_is(t, i, OP_select) || term_inside(t, i, 0) != c) continue;
        NodeId branch[3] = {c, a, b};
        branch[i] = term_inside(t, i, i);
        return simplify_ternary(t, OP_select, branch[0], branch[1], branch[2]);
    }
    return NODE_NONE;
}

/* -- conversion -- */

/* A conversion to the same dtype is none. A conversion through a dtype that keeps every value is
 * one: u8 to i32 to f32 is u8 to f32. */
NodeId simplify_conversions(const Term *t) {
    if (term_operand(t, 0)->dtype == t->type.dtype) return t->operands[0];
    if (!term_is(t, 0, OP_convert)) return NODE_NONE;
    NodeId origin = term_inside(t, 0, 0);
    /* [to]: the dtypes whose every value is a value of `to` */
    static const uint8_t held[DTYPE_COUNT] = {
        [DTYPE_BOOL] = 1 << DTYPE_BOOL,
        [DTYPE_U8] = 1 << DTYPE_BOOL | 1 << DTYPE_U8,
        [DTYPE_I8] = 1 << DTYPE_BOOL | 1 << DTYPE_I8,
        [DTYPE_I32] = 1 << DTYPE_BOOL | 1 << DTYPE_U8 | 1 << DTYPE_I8 | 1 << DTYPE_I32,
        [DTYPE_F32] = 1 << DTYPE_BOOL | 1 << DTYPE_U8 | 1 << DTYPE_I8 | 1 << DTYPE_F32,
    };
    bool kept = held[term_operand(t, 0)->dtype] >> term_node(t, origin)->dtype & 1;
    return kept ? simplify_convert(t, origin, t->type.dtype) : NODE_NONE;
}

/* There are two dtypes of 32 bits, so a bitcast of a bitcast gives the first value back. */
NodeId simplify_bitcast_twice(const Term *t) {
    if (term_operand(t, 0)->dtype == t->type.dtype) return t->operands[0];
    return term_is(t, 0, OP_bitcast) && term_node(t, term_inside(t, 0, 0))->dtype == t->type.dtype
               ? term_inside(t, 0, 0)
               : NODE_NONE;
}
