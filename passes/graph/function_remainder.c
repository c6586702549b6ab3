/* The remainder in primitives, exact for every quotient, with the sign of the divisor as in Python:
 * 7 % -3 = -2.
 *
 * f32: |a| = 2^j A and |b| = 2^k B with A and B in sqrt(1/2) .. sqrt(2). R begins as A. Each step
 * multiplies R by 2^20 and takes the remainder by B, until R has been multiplied by 2^(j - k) in
 * all.
 *
 * A step computes q = rint(R 2^20 / B), whose argument has an error of at most 1/8. So R 2^20 - q B
 * is below 5/8 B in size and a multiple of 2^-24, and fma computes it without rounding. */
#include "passes/graph/formula_bits.h"

enum {
    STEP_BITS = 20,
    /* j - k is below this: 2^127 is 2^276 times the smallest number */
    LARGEST_EXPONENT = 277,
    STEPS = LARGEST_EXPONENT / STEP_BITS
};

/* -- f32 -- */

/* The remainder of `rest` * `scale` divided by B. inverse: -1 / B. */
static NodeId reduced(const Formula *f, NodeId rest, NodeId scale, NodeId b, NodeId inverse) {
    NodeId scaled = f_mul(f, rest, scale), quotient = f_rint(f, f_mul(f, scaled, inverse));
    return f_fma(f, quotient, b, scaled);
}

/* |a| mod |b| for |a| >= |b| > 0, both finite. The first step multiplies by the part of 2^(j - k)
 * that is not a multiple of 2^20. */
static NodeId remainder_of_larger(const Formula *f, NodeId a, NodeId b) {
    FloatParts above = f_split(f, a), below = f_split(f, b);
    NodeId divisor = below.mantissa, inverse = f_div(f, f_real(f, -1), divisor);
    NodeId count = f_sub(f, above.exponent, below.exponent);
    /* floor(count / STEP_BITS) */
    NodeId steps =
        f_rint(f, f_fma(f, count, f_real(f, 1.0f / (float)STEP_BITS), f_real(f, -0.47f)));
    NodeId first = f_power_of_whole(f, f_fma(f, steps, f_real(f, -STEP_BITS), count)),
           scale = f_real(f, 1 << STEP_BITS);
    NodeId rest = reduced(f, above.mantissa, first, divisor, inverse);
    for (int i = 0; i < STEPS; i++) {
        NodeId more = f_lt(f, f_real(f, (float)i), steps);
        rest = f_select(f, more, reduced(f, rest, scale, divisor, inverse), rest);
    }
    rest = f_select(f, f_lt(f, rest, f_real(f, 0)), f_add(f, rest, divisor), rest);
    NodeId half = f_rint(f, f_mul(f, below.exponent, f_real(f, 0.5f)));
    return f_mul(f, f_mul(f, rest, f_power_of_whole(f, half)),
                 f_power_of_whole(f, f_sub(f, below.exponent, half)));
}

/* NaN for a divisor of 0 or an infinite a. The result is rounded only where the signs differ:
 * -1e-20 % 1 is 1. */
static NodeId real_remainder(const Formula *f, NodeId a, NodeId b) {
    NodeId size = f_abs(f, a), divisor = f_abs(f, b), zero = f_real(f, 0);
    NodeId rest = f_select(f, f_lt(f, size, divisor), size, remainder_of_larger(f, size, divisor));
    NodeId sign = f_and(f, f_bits_of(f, a), f_int(f, SIGN_BIT)),
           wanted = f_and(f, f_bits_of(f, b), f_int(f, SIGN_BIT));
    NodeId signed_rest = f_real_of_bits(f, f_or(f, f_bits_of(f, rest), sign));
    NodeId moved = f_select(f, f_eq(f, sign, wanted), signed_rest, f_add(f, signed_rest, b));
    NodeId value = f_select(f, f_eq(f, rest, zero), f_real_of_bits(f, wanted), moved);
    NodeId finite = f_lt(f, size, f_real(f, INFINITY)),
           defined = f_and(f, finite, f_lt(f, zero, divisor));
    return f_select(f, defined, value, f_real(f, NAN));
}

/* -- i32: |a| and |b| are numbers without sign, up to 2^31 -- */

static NodeId size_of(const Formula *f, NodeId a) {
    return f_select(f, f_lt(f, a, f_int(f, 0)), f_neg(f, a), a);
}

static NodeId below_unsigned(const Formula *f, NodeId a, NodeId b) {
    NodeId sign = f_int(f, SIGN_BIT);
    return f_lt(f, f_xor(f, a, sign), f_xor(f, b, sign));
}

/* n mod d for d >= 2. An estimate of 2^32 / d in f32, slightly too small, is improved by one step
 * of Newton's method. It gives a quotient that is at most 2 too small, so two conditional
 * subtractions follow. */
static NodeId unsigned_remainder(const Formula *f, NodeId n, NodeId d) {
    NodeId real = f_abs(f, f_real_of_int(f, d)),
           estimate = f_div(f, f_real(f, 0x1.fffffcp31f), real);
    NodeId inverse = build_convert(f->graph, estimate, DTYPE_I32);
    NodeId error = f_mul(f, f_neg(f, d), inverse);
    inverse = f_add(f, inverse, f_mul_high(f, inverse, error));
    NodeId rest = f_sub(f, n, f_mul(f, f_mul_high(f, n, inverse), d));
    for (int i = 0; i < 2; i++)
        rest = f_select(f, below_unsigned(f, rest, d), rest, f_sub(f, rest, d));
    return rest;
}

/* For a divisor of 0 the remainder is 0, as in NumPy. */
static NodeId whole_remainder(const Formula *f, NodeId a, NodeId b) {
    NodeId zero = f_int(f, 0), divisor = size_of(f, b),
           rest = unsigned_remainder(f, size_of(f, a), divisor);
    NodeId trivial = f_or(f, f_eq(f, divisor, zero), f_eq(f, divisor, f_int(f, 1)));
    rest = f_select(f, trivial, zero, rest);
    NodeId negative = f_lt(f, a, zero), signed_rest = f_select(f, negative, f_neg(f, rest), rest);
    NodeId differs = f_xor(f, negative, f_lt(f, b, zero)),
           moves = f_and(f, differs, f_ne(f, rest, zero));
    return f_select(f, moves, f_add(f, signed_rest, b), signed_rest);
}

NodeId expand_remainder(const Formula *f) {
    NodeId a = f->operands[0], b = f->operands[1];
    return f->node.dtype == DTYPE_I32 ? whole_remainder(f, a, b) : real_remainder(f, a, b);
}
