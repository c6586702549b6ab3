/* Exact rules for arithmetic. Some rules would not be exact and are left out: x + 0 is not x (-0 +
 * 0 = 0), x * 0 is not 0 (NaN, infinity, -0), x - x is not 0 in f32. */
#include "passes/graph/simplify.h"

#include <math.h>
#include <string.h>

/* c + a = a + c: equal terms get one form, and other rules need to look for constants on the right
 * only. */
NodeId simplify_constant_right(const Term *t) {
    if (!term_is_constant(t, 0) || term_is_constant(t, 1)) return NODE_NONE;
    NodeId operands[3] = {t->operands[1], t->operands[0],
                          t->count > 2 ? t->operands[2] : NODE_NONE};
    Term swapped = *t;
    swapped.operands = operands;
    return simplify_add(&swapped);
}

/* -- sums -- */

/* x + -0 = x, in i32 x + 0 = x */
NodeId simplify_add_zero(const Term *t) {
    return term_is_real(t, 1, -0.0f) || term_is_int(t, 1, 0) ? t->operands[0] : NODE_NONE;
}

/* x + -y = x - y */
NodeId simplify_add_negative(const Term *t) {
    for (uint32_t i = 0; i < 2; i++)
        if (term_is(t, i, OP_neg))
            return simplify_binary(t, OP_sub, t->operands[1 - i], term_inside(t, i, 0));
    return NODE_NONE;
}

/* x - 0 = x */
NodeId simplify_sub_zero(const Term *t) {
    return term_is_bits(t, 1, 0) ? t->operands[0] : NODE_NONE;
}

/* -0 - x = -x, in i32 0 - x = -x */
NodeId simplify_zero_sub(const Term *t) {
    bool zero = term_is_real(t, 0, -0.0f) || term_is_int(t, 0, 0);
    return zero ? simplify_unary(t, OP_neg, t->operands[1]) : NODE_NONE;
}

/* x - -y = x + y */
NodeId simplify_sub_negative(const Term *t) {
    return term_is(t, 1, OP_neg) ? simplify_binary(t, OP_add, t->operands[0], term_inside(t, 1, 0))
                                 : NODE_NONE;
}

/* i32: x - x = 0 */
NodeId simplify_sub_self(const Term *t) {
    bool same = t->operands[0] == t->operands[1] && t->type.dtype == DTYPE_I32;
    return same ? build_i32(t->graph, 0, t->type.shape) : NODE_NONE;
}

/* -- products -- */

NodeId simplify_times_one(const Term *t) {
    return term_is_real(t, 1, 1) || term_is_int(t, 1, 1) ? t->operands[0] : NODE_NONE;
}

NodeId simplify_times_minus_one(const Term *t) {
    bool minus_one = term_is_real(t, 1, -1) || term_is_int(t, 1, -1);
    return minus_one ? simplify_unary(t, OP_neg, t->operands[0]) : NODE_NONE;
}

/* i32 only */
NodeId simplify_times_zero(const Term *t) {
    return term_is_int(t, 1, 0) ? t->operands[1] : NODE_NONE;
}

static NodeId with_factors(const Term *t, NodeId a, NodeId b) {
    return t->op == OP_fma ? simplify_ternary(t, OP_fma, a, b, t->operands[2])
                           : simplify_binary(t, t->op, a, b);
}

/* -x * -y = x * y; likewise x / y and the product of an fma */
NodeId simplify_two_negatives(const Term *t) {
    if (!term_is(t, 0, OP_neg) || !term_is(t, 1, OP_neg)) return NODE_NONE;
    return with_factors(t, term_inside(t, 0, 0), term_inside(t, 1, 0));
}

/* -x * c = x * -c; likewise x / c and the product of an fma */
NodeId simplify_negative_constant(const Term *t) {
    if (!term_is(t, 0, OP_neg) || !term_is_constant(t, 1)) return NODE_NONE;
    return with_factors(t, term_inside(t, 0, 0), build_unary(t->graph, OP_neg, t->operands[1]));
}

/* fma(x, 1, y) = x + y */
NodeId simplify_fma_one(const Term *t) {
    return term_is_real(t, 1, 1) ? simplify_binary(t, OP_add, t->operands[0], t->operands[2])
                                 : NODE_NONE;
}

/* fma(x, -1, y) = y - x */
NodeId simplify_fma_minus_one(const Term *t) {
    return term_is_real(t, 1, -1) ? simplify_binary(t, OP_sub, t->operands[2], t->operands[0])
                                  : NODE_NONE;
}

/* fma(x, y, -0) = x * y */
NodeId simplify_fma_nothing_added(const Term *t) {
    return term_is_real(t, 2, -0.0f) ? simplify_binary(t, OP_mul, t->operands[0], t->operands[1])
                                     : NODE_NONE;
}

/* -- quotients -- */

NodeId simplify_divide_by_one(const Term *t) {
    return term_is_real(t, 1, 1) ? t->operands[0] : NODE_NONE;
}

/* x / 2^k = x * 2^-k if 2^-k is an f32 */
NodeId simplify_divide_by_power_of_two(const Term *t) {
    if (!term_is_constant(t, 1)) return NODE_NONE;
    float divisor = term_operand(t, 1)->attrs.value.f, inverse = 1 / divisor;
    int exponent;
    bool exact =
        isfinite(divisor) && isfinite(inverse) && fabsf(frexpf(divisor, &exponent)) == 0.5f;
    return exact ? simplify_binary(t, OP_mul, t->operands[0], term_real(t, inverse)) : NODE_NONE;
}

/* Two ways to divide x by c, with r near 1/c: x * r; and x * r corrected by the remainder. */
static float product(float x, float c, float r) {
    (void)c;
    return x * r;
}

static float corrected_product(float x, float c, float r) {
    float q = x * r;
    return fmaf(fmaf(-q, c, x), r, q);
}

/* Whether a way gives the bits of x / c for all 256 bytes. */
static bool divides_bytes(float (*way)(float x, float c, float r), float c) {
    for (int byte = 0; byte < 256; byte++) {
        float x = (float)byte, expected = x / c, found = way(x, c, 1 / c);
        if (memcmp(&expected, &found, sizeof found)) return false;
    }
    return true;
}

/* A byte divided by a constant, as in image / 255, becomes a product. */
NodeId simplify_divide_byte(const Term *t) {
    bool byte = term_is(t, 0, OP_convert) && term_node(t, term_inside(t, 0, 0))->dtype == DTYPE_U8;
    if (!byte || !term_is_constant(t, 1)) return NODE_NONE;
    float c = term_operand(t, 1)->attrs.value.f;
    if (!isnormal(c) || !isnormal(1 / c)) return NODE_NONE;
    NodeId x = t->operands[0], r = term_real(t, 1 / c);
    if (divides_bytes(product, c)) return simplify_binary(t, OP_mul, x, r);
    if (!divides_bytes(corrected_product, c)) return NODE_NONE;
    NodeId q = simplify_binary(t, OP_mul, x, r);
    NodeId rest = simplify_ternary(t, OP_fma, q, term_real(t, -c), x);
    return simplify_ternary(t, OP_fma, rest, r, q);
}

/* -- one operand, and extremes -- */

NodeId simplify_negative_twice(const Term *t) {
    return term_is(t, 0, OP_neg) ? term_inside(t, 0, 0) : NODE_NONE;
}

/* -(x * c) = x * -c */
NodeId simplify_negative_product(const Term *t) {
    if (!term_is(t, 0, OP_mul) || term_node(t, term_inside(t, 0, 1))->op != OP_constant)
        return NODE_NONE;
    return simplify_binary(t, OP_mul, term_inside(t, 0, 0),
                           build_unary(t->graph, OP_neg, term_inside(t, 0, 1)));
}

/* |-x| = ||x|| = |x| */
NodeId simplify_abs_of_sign(const Term *t) {
    bool sign = term_is(t, 0, OP_neg) || term_is(t, 0, OP_abs);
    return sign ? simplify_unary(t, OP_abs, term_inside(t, 0, 0)) : NODE_NONE;
}

/* max(x, x) = x */
NodeId simplify_same_twice(const Term *t) {
    return t->operands[0] == t->operands[1] ? t->operands[0] : NODE_NONE;
}

/* max(max(x, y), y) = max(x, y) */
NodeId simplify_absorb(const Term *t) {
    return term_is(t, 0, t->op) && term_inside(t, 0, 1) == t->operands[1] ? t->operands[0]
                                                                          : NODE_NONE;
}

/* rint(x) = floor(x) = x for an x that is a whole number */
NodeId simplify_already_whole(const Term *t) {
    bool whole = term_is(t, 0, OP_rint) || term_is(t, 0, OP_floor) || term_is(t, 0, OP_convert);
    return whole ? t->operands[0] : NODE_NONE;
}
