/* pow in primitives: |a|^b = 2^(b log2 |a|), with the logarithm and the product carried as sums of
 * two f32.
 *
 * |a| = 2^k m with m in sqrt(1/2) .. sqrt(2). With s = (m - 1) / (m + 1),
 *
 *     log2 m = 2/ln2 s + s^3 p(s^2)
 *
 * The first term dominates and is computed to twice the precision by fma. The polynomials are
 * minimax fits like those of function_exp.c. */
#include "passes/graph/formula_bits.h"

/* The unevaluated sum of two f32, |low| at most an ulp of high. */
typedef struct {
    NodeId high, low;
} DoubleFloat;

/* log2 m for m in sqrt(1/2) .. sqrt(2), by s = (m - 1) / (m + 1). The low part of s is the
 * remainder of the division, corrected by the rounding error of m + 1. It is multiplied by the
 * slope of the whole function, 2/ln2 (1 + s^2 + ...). The polynomial's error is 2^-36 of the
 * result. */
static DoubleFloat log2_of_mantissa(const Formula *f, NodeId m) {
    static const float c[] = {0x1.ec709ep-1f, 0x1.2776f4p-1f, 0x1.a5c0acp-2f, 0x1.59f6ecp-2f};
    NodeId scale = f_real(f, 0x1.715476p1f);
    NodeId one = f_real(f, 1), above = f_sub(f, m, one), below = f_add(f, m, one);
    NodeId lost = f_sub(f, m, f_sub(f, below, one)), inverse = f_div(f, one, below);
    NodeId s = f_mul(f, above, inverse);
    NodeId rest = f_fma(f, f_neg(f, s), lost, f_fma(f, f_neg(f, s), below, above));
    NodeId s_low = f_mul(f, rest, inverse);
    NodeId square = f_mul(f, s, s);
    NodeId cubic = f_mul(f, f_mul(f, square, s), f_polynomial(f, square, c, 4));
    NodeId high = f_mul(f, s, scale);
    NodeId low = f_fma(f, s, scale, f_neg(f, high));
    low = f_fma(f, s, f_real(f, 0x1.4ae0c0p-25f), low);
    NodeId slope = f_fma(f, square, scale, scale);
    return (DoubleFloat){high, f_add(f, f_fma(f, s_low, slope, low), cubic)};
}

/* a + b, for |a| > |b| or a = 0. */
static DoubleFloat pair_sum(const Formula *f, NodeId a, NodeId b) {
    NodeId high = f_add(f, a, b);
    return (DoubleFloat){high, f_add(f, f_sub(f, a, high), b)};
}

/* 2^(high + low). Beyond +-200 the result is infinity or 0 for any low part, which may be NaN there
 * and is replaced by 0. The power has two factors, so that only the last product can overflow or
 * become denormal. The polynomial has an error of 2^-28.2. */
static NodeId exp2_of(const Formula *f, DoubleFloat y) {
    static const float c[] = {1,
                              0x1.62e430p-1f,
                              0x1.ebfbdcp-3f,
                              0x1.c6af6ap-5f,
                              0x1.3b2d86p-7f,
                              0x1.5f13cep-10f,
                              0x1.41d48ap-13f};
    NodeId near = f_lt(f, f_abs(f, y.high), f_real(f, 200));
    NodeId low = f_select(f, near, y.low, f_real(f, 0));
    NodeId high = f_max(f, f_min(f, y.high, f_real(f, 200)), f_real(f, -200));
    NodeId n = f_rint(f, high), half = f_rint(f, f_mul(f, n, f_real(f, 0.5f)));
    NodeId root = f_polynomial(f, f_add(f, f_sub(f, high, n), low), c, 7);
    return f_mul(f, f_mul(f, root, f_power_of_whole(f, half)),
                 f_power_of_whole(f, f_sub(f, n, half)));
}

/* |a|^b. log2 0 = -infinity, and log2 leaves infinity and NaN as they are. b is limited to finite
 * numbers, so that 1^infinity is 2^0. */
static NodeId power_of_size(const Formula *f, NodeId size, NodeId b) {
    const float largest = 0x1.fffffep127f;
    /* log2 x for a positive, finite x. */
    FloatParts split = f_split(f, size);
    DoubleFloat part = log2_of_mantissa(f, split.mantissa),
                sum = pair_sum(f, split.exponent, part.high);
    DoubleFloat log2 = pair_sum(f, sum.high, f_add(f, sum.low, part.low));
    NodeId finite = f_lt(f, size, f_real(f, INFINITY)), zero = f_eq(f, size, f_real(f, 0));
    NodeId high = f_select(f, zero, f_real(f, -INFINITY), f_select(f, finite, log2.high, size));
    NodeId factor = f_max(f, f_min(f, b, f_real(f, largest)), f_real(f, -largest));
    NodeId product = f_mul(f, factor, high);
    NodeId rest = f_fma(f, factor, high, f_neg(f, product));
    return exp2_of(f, (DoubleFloat){product, f_fma(f, factor, log2.low, rest)});
}

/* a^0 and 1^b are 1 even for NaN. At most 3 ulp. */
static NodeId general_power(const Formula *f, NodeId a, NodeId b) {
    NodeId power = power_of_size(f, f_abs(f, a), b);
    /* A negative, finite a has a power only for whole b. An odd b keeps the sign of a, also for -0
     * and -infinity. */
    NodeId half = f_mul(f, b, f_real(f, 0.5f));
    NodeId whole = f_eq(f, f_rint(f, b), b), even = f_eq(f, f_rint(f, half), half);
    NodeId sign = f_and(f, f_bits_of(f, a), f_int(f, SIGN_BIT));
    NodeId kept = f_select(f, f_and(f, whole, f_not(f, even)), sign, f_int(f, 0));
    NodeId value = f_real_of_bits(f, f_xor(f, f_bits_of(f, power), kept));
    NodeId negative = f_and(f, f_lt(f, a, f_real(f, 0)), f_lt(f, f_real(f, -INFINITY), a));
    value = f_select(f, f_or(f, whole, f_not(f, negative)), value, f_real(f, NAN));
    NodeId one = f_real(f, 1);
    return f_select(f, f_or(f, f_eq(f, a, one), f_eq(f, b, f_real(f, 0))), one, value);
}

/* a^(1/2). As in C's pow, -0 counts as +0 and -infinity as infinity. */
static NodeId square_root(const Formula *f, NodeId a) {
    NodeId infinite = f_eq(f, a, f_real(f, -INFINITY));
    return f_select(f, infinite, f_real(f, INFINITY), f_sqrt(f, f_add(f, a, f_real(f, 0))));
}

static NodeId inverse(const Formula *f, NodeId a) { return f_div(f, f_real(f, 1), a); }

/* Exponents that take an operation or two. */
static NodeId constant_power(const Formula *f, NodeId a, float exponent) {
    if (exponent == 1) return a;
    if (exponent == 2) return f_mul(f, a, a);
    if (exponent == 3) return f_mul(f, f_mul(f, a, a), a);
    if (exponent == 0.5f) return square_root(f, a);
    if (exponent == -0.5f) return inverse(f, square_root(f, a));
    if (exponent == -1) return inverse(f, a);
    if (exponent == -2) {
        /* (1/a)^2 overflows only where the result does. */
        NodeId root = inverse(f, a);
        return f_mul(f, root, root);
    }
    return general_power(f, a, f->operands[1]);
}

NodeId expand_pow(const Formula *f) {
    const Node *exponent = graph_node(f->graph, f->operands[1]);
    if (exponent->op == OP_constant)
        return constant_power(f, f->operands[0], exponent->attrs.value.f);
    return general_power(f, f->operands[0], f->operands[1]);
}
