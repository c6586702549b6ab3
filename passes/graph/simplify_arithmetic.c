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

/* x + -0 = x, in i32 x + 0 = x; x + -y = x - y */
NodeId simplify_sum(const Term *t) {
    if (term_is_real(t, 1, -0.0f) || term_is_int(t, 1, 0)) return t->operands[0];
    for (uint32_t i = 0; i < 2; i++)
        if (term_is(t, i, OP_neg))
            return simplify_binary(t, OP_sub, t->operands[1 - i], term_inside(t, i, 0));
    return NODE_NONE;
}

/* x - 0 = x; -0 - x = -x; x - -y = x + y; in i32 also 0 - x = -x and x - x = 0 */
NodeId simplify_difference(const Term *t) {
    NodeId x = t->operands[0], y = t->operands[1];
    bool from_zero = term_is_real(t, 0, -0.0f) || term_is_int(t, 0, 0);
    if (term_is_bits(t, 1, 0)) return x;
    if (from_zero) return simplify_unary(t, OP_neg, y);
    if (term_is(t, 1, OP_neg)) return simplify_binary(t, OP_add, x, term_inside(t, 1, 0));
    bool nothing = x == y && t->type.dtype == DTYPE_I32;
    return nothing ? build_i32(t->graph, 0, t->type.shape) : NODE_NONE;
}

/* -- products -- */

/* x * 1 = x; x * -1 = -x; in i32 x * 0 = 0 */
NodeId simplify_product(const Term *t) {
    if (term_is_real(t, 1, 1) || term_is_int(t, 1, 1)) return t->operands[0];
    if (term_is_real(t, 1, -1) || term_is_int(t, 1, -1))
        return simplify_unary(t, OP_neg, t->operands[0]);
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

/* fma(x, 1, y) = x + y; fma(x, -1, y) = y - x; fma(x, y, -0) = x * y */
NodeId simplify_fma(const Term *t) {
    const NodeId *of = t->operands;
    if (term_is_real(t, 1, 1)) return simplify_binary(t, OP_add, of[0], of[2]);
    if (term_is_real(t, 1, -1)) return simplify_binary(t, OP_sub, of[2], of[0]);
    return term_is_real(t, 2, -0.0f) ? simplify_binary(t, OP_mul, of[0], of[1]) : NODE_NONE;
}

/* -- quotients -- */

/* x / 1 = x; x / 2^k = x * 2^-k if 2^-k is an f32 */
NodeId simplify_quotient(const Term *t) {
    if (!term_is_constant(t, 1)) return NODE_NONE;
    if (term_is_real(t, 1, 1)) return t->operands[0];
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

/* --x = x; -(x * c) = x * -c */
NodeId simplify_negation(const Term *t) {
    if (term_is(t, 0, OP_neg)) return term_inside(t, 0, 0);
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

/* max(x, x) = x; max(max(x, y), y) = max(x, y); likewise min */
NodeId simplify_extreme(const Term *t) {
    bool same = t->operands[0] == t->operands[1];
    bool absorbed = term_is(t, 0, t->op) && term_inside(t, 0, 1) == t->operands[1];
    return same || absorbed ? t->operands[0] : NODE_NONE;
}

/* rint(x) = floor(x) = x for an x that is a whole number */
NodeId simplify_already_whole(const Term *t) {
    bool whole = term_is(t, 0, OP_rint) || term_is(t, 0, OP_floor) || term_is(t, 0, OP_convert);
    return whole ? t->operands[0] : NODE_NONE;
}
