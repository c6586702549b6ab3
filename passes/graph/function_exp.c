/* exp, expm1, tanh, sigmoid and their slopes, erf and normal_cdf in primitives.
 *
 * All write x = n ln2 + r. n comes from the rounding trick of formula_bits.h, and n ln2 is
 * subtracted from x in two parts, by fma.
 *
 * The polynomials are minimax fits: a Remez exchange in double on the relative error of the result.
 * Then the coefficients are rounded to f32 and changed by single ulps while that lowers the largest
 * error.
 *
 * The errors stated with the functions were measured against the double functions of glibc, over
 * all f32 arguments. tests/unit/functions_test.c samples them. */
#include "passes/graph/formula_bits.h"

/* The r of x = n ln2 + r for the n in a rounded number. */
static NodeId small_remainder(const Formula *f, NodeId x, NodeId t) {
    NodeId n = f_whole(f, t), rest = f_fma(f, n, f_real(f, -0x1.62e430p-1f), x);
    return f_fma(f, n, f_real(f, 0x1.05c610p-29f), rest);
}

/* e^r 2^n with x = n ln2 + r. 2^n may be denormal or too large, so it is two normal factors:
 * 2^(n-1) and 2, or for small x 2^(n+64) and 2^-64. Only the second product can overflow or become
 * denormal. Beyond the bounds the result is 0 or infinity; a NaN passes both bounds. The polynomial
 * has an error of 2^-28.2, the result at most 0.9 ulp. */
static NodeId exp_of(const Formula *f, NodeId operand) {
    static const float c[] = {
        1, 1, 0x1.fffffcp-2f, 0x1.555492p-3f, 0x1.5558d0p-5f, 0x1.1239b8p-7f, 0x1.6a24c0p-10f};
    NodeId x = f_max(f, f_min(f, operand, f_real(f, 89)), f_real(f, -104));
    NodeId t = f_rounded(f, x, 0x1.715476p0f), small = f_lt(f, x, f_real(f, -64));
    NodeId bias =
        f_select(f, small, f_int(f, ONE_BITS + (64u << 23)), f_int(f, ONE_BITS - (1u << 23)));
    NodeId first = f_real_of_bits(f, f_add(f, f_shl(f, f_bits_of(f, t), f_int(f, 23)), bias));
    NodeId second = f_select(f, small, f_real(f, 0x1p-64f), f_real(f, 2));
    return f_mul(f, f_mul(f, f_polynomial(f, small_remainder(f, x, t), c, 7), first), second);
}

NodeId expand_exp(const Formula *f) { return exp_of(f, f->operands[0]); }

/* e^r - 1 = r + r^2 q(r) for -0.35 <= r <= 0.7. The polynomial has an error of 2^-27.4. */
static NodeId small_expm1(const Formula *f, NodeId r) {
    static const float q[] = {0x1.fffffep-2f, 0x1.55557ap-3f,  0x1.555774p-5f,
                              0x1.10df92p-7f, 0x1.6b2b46p-10f, 0x1.e2ea2ap-13f};
    return f_fma(f, f_mul(f, r, r), f_polynomial(f, r, q, 6), r);
}

/* e^x - 1 = (e^r - 1) 2^n + (2^n - 1) with x = n ln2 + r. n is at most 127; for larger x, r exceeds
 * ln2 and the result is infinity. A zero keeps its sign. At most 1.5 ulp. */
NodeId expand_expm1(const Formula *f) {
    NodeId x = f->operands[0], bounded = f_max(f, x, f_real(f, -87));
    NodeId t = f_min(f, f_rounded(f, bounded, 0x1.715476p0f), f_real(f, ROUNDER + 127));
    NodeId power = f_power_of_two(f, t);
    NodeId y = f_fma(f, small_expm1(f, small_remainder(f, bounded, t)), power,
                     f_sub(f, power, f_real(f, 1)));
    return f_select(f, f_eq(f, x, f_real(f, 0)), x, y);
}

/* e^-size = root * power + power, where root = e^r - 1 and power = 2^n. power and one are scaled by
 * 2^27, so that numbers that lead to denormal results stay normal up to a division. */
typedef struct {
    NodeId root, power, one;
} Decay;

static Decay decay_of(const Formula *f, NodeId size) {
    NodeId x = f_max(f, f_neg(f, size), f_real(f, -106)), t = f_rounded(f, x, 0x1.715476p0f);
    NodeId power = f_power_of_two(f, f_add(f, t, f_real(f, 27)));
    return (Decay){small_expm1(f, small_remainder(f, x, t)), power, f_real(f, 0x1p27f)};
}

static NodeId decay_value(const Formula *f, const Decay *e) {
    return f_fma(f, e->root, e->power, e->power);
}

static NodeId decay_plus_one(const Formula *f, const Decay *e) {
    return f_fma(f, e->root, e->power, f_add(f, e->power, e->one));
}

static NodeId f_sign(const Formula *f, NodeId x) {
    return f_and(f, f_bits_of(f, x), f_int(f, SIGN_BIT));
}

/* The half: m = e / (1 + e) with e = e^-|x|, the smaller one of sigmoid(x) and sigmoid(-x). Its
 * sign bit is set where x >= 0. sigmoid(x) and its derivative take a few steps from the half, so a
 * training step stores the half only. */
static NodeId sigmoid_half(const Formula *f) {
    Decay e = decay_of(f, f_abs(f, f->operands[0]));
    NodeId half = f_div(f, decay_value(f, &e), decay_plus_one(f, &e));
    NodeId opposite = f_and(f, f_not(f, f_bits_of(f, f->operands[0])), f_int(f, SIGN_BIT));
    return f_real_of_bits(f, f_or(f, f_bits_of(f, half), opposite));
}

/* m, or 1 - m. At most 2.5 ulp. */
NodeId expand_sigmoid(const Formula *f) {
    NodeId half = sigmoid_half(f), above = f_lt(f, f_bits_of(f, half), f_int(f, 0));
    return f_select(f, above, f_add(f, f_real(f, 1), half), half);
}

/* m (1 - m) = m - m^2. At most 3.5 ulp. */
NodeId expand_sigmoid_slope(const Formula *f) {
    NodeId half = sigmoid_half(f);
    return f_fma(f, f_neg(f, half), half, f_abs(f, half));
}

#define FAR_BIT 0x40000000u /* not set in a number from 0 to 1.9 */

/* The half of tanh: |tanh x| = (1 - e) / (1 + e) with e = e^-2|x|. Where that is above 1/2, the
 * half is 1 - |tanh x| = 2 e / (1 + e), marked by FAR_BIT. The sign is that of x. */
static NodeId tanh_half(const Formula *f) {
    NodeId x = f->operands[0], size = f_abs(f, x), near = f_lt(f, size, f_real(f, 0.549f));
    Decay e = decay_of(f, f_add(f, size, size));
    NodeId value = decay_value(f, &e),
           difference = f_fma(f, f_neg(f, e.root), e.power, f_sub(f, e.one, e.power));
    NodeId half =
        f_div(f, f_select(f, near, difference, f_add(f, value, value)), decay_plus_one(f, &e));
    NodeId mark = f_or(f, f_sign(f, x), f_select(f, near, f_int(f, 0), f_int(f, FAR_BIT)));
    return f_real_of_bits(f, f_or(f, f_bits_of(f, half), mark));
}

/* value = |tanh x| and rest = 1 - value. A NaN counts as near. */
typedef struct {
    NodeId value, rest;
} TanhParts;

static TanhParts tanh_parts(const Formula *f, NodeId half) {
    NodeId size = f_abs(f, half), far = f_lt(f, f_real(f, 1), size);
    NodeId unmarked = f_real_of_bits(f, f_and(f, f_bits_of(f, size), f_int(f, ~FAR_BIT)));
    NodeId small = f_select(f, far, unmarked, size), large = f_sub(f, f_real(f, 1), small);
    return (TanhParts){f_select(f, far, large, small), f_select(f, far, small, large)};
}

/* At most 2.5 ulp. */
NodeId expand_tanh(const Formula *f) {
    NodeId half = tanh_half(f), value = tanh_parts(f, half).value;
    return f_real_of_bits(f, f_or(f, f_bits_of(f, value), f_sign(f, half)));
}

/* (1 - |y|) (1 + |y|). At most 3.5 ulp. */
NodeId expand_tanh_slope(const Formula *f) {
    TanhParts parts = tanh_parts(f, tanh_half(f));
    return f_fma(f, parts.rest, parts.value, parts.rest);
}

/* erf |x| = 1 - e^-p with p = -log erfc |x| = (e^r - 1) (-2^n) + (1 - 2^n) for -p = n ln2 + r; from
 * |x| = 4 on it is 1. p is a polynomial without constant term, fitted on 0 .. 4 to the smallest
 * relative error of the result, 2^-27.9; its first coefficient, 2 / sqrt(pi), comes in two parts.
 * The sign is put back as a bit. At most 1.7 ulp. */
NodeId expand_erf(const Formula *f) {
    static const float c[] = {-0x1.d0e51cp-25f, 0x1.45f2fap-1f,   0x1.a4fa5cp-4f,
                              -0x1.39cdbap-6f,  -0x1.506aaep-13f, 0x1.b50168p-10f,
                              -0x1.4bcabap-11f, 0x1.ed6d04p-14f,  -0x1.369624p-17f};
    NodeId x = f->operands[0], size = f_min(f, f_abs(f, x), f_real(f, 4));
    NodeId p = f_fma(f, size, f_real(f, 0x1.20dd76p0f),
                     f_mul(f, size, f_polynomial(f, size, c, 9))),
           exponent = f_neg(f, p);
    NodeId t = f_rounded(f, exponent, 0x1.715476p0f), power = f_power_of_two(f, t);
    NodeId root = small_expm1(f, small_remainder(f, exponent, t));
    NodeId y = f_fma(f, f_neg(f, root), power, f_sub(f, f_real(f, 1), power));
    return f_real_of_bits(f,
                          f_or(f, f_bits_of(f, y), f_and(f, f_bits_of(f, x), f_int(f, SIGN_BIT))));
}

/* normal_cdf(-|x|) = e^(-x^2/2) h(|x|), where h = t p(t) and t = 1 / (1 + 0.35 |x|). x^2 has two
 * parts, so that a large square is not rounded. The polynomial was fitted on |x| = 0 .. 14.5,
 * beyond which the result is 0. Relative error: 2^-24.9. At most 6 ulp. */
NodeId expand_normal_cdf(const Formula *f) {
    static const float p[] = {0x1.1deeaap-3f,  0x1.1eb47cp-3f, 0x1.e5f08cp-4f,  0x1.c8f376p-4f,
                              -0x1.57201ap-5f, 0x1.920978p-3f, -0x1.35f6c2p-2f, 0x1.723b34p-3f,
                              -0x1.73e234p-5f, 0x1.9510dap-9f};
    NodeId x = f->operands[0], one = f_real(f, 1), size = f_min(f, f_abs(f, x), f_real(f, 14.5f));
    NodeId minus = f_neg(f, f_mul(f, size, size)), low = f_fma(f, size, size, minus);
    NodeId bell = exp_of(f, f_mul(f, minus, f_real(f, 0.5f)));
    bell = f_fma(f, bell, f_mul(f, low, f_real(f, -0.5f)), bell);
    NodeId t = f_div(f, one, f_fma(f, size, f_real(f, 0.35f), one));
    NodeId tail = f_mul(f, f_mul(f, t, f_polynomial(f, t, p, 10)), bell);
    return f_select(f, f_lt(f, x, f_real(f, 0)), tail, f_sub(f, one, tail));
}
