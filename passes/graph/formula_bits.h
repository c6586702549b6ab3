/* Internal to passes/: bit arithmetic for the expansions of functions: rounding, powers of two,
 * exponent and mantissa. */
#ifndef MLC_PASSES_GRAPH_FORMULA_BITS_H
#define MLC_PASSES_GRAPH_FORMULA_BITS_H

#include "passes/graph/formula.h"

/* Adding 1.5 * 2^23 to a number below 2^22 leaves its nearest whole number in the low bits of the
 * sum. Its own bits are 0x4B400000: the two lowest are 0, and all vanish when shifted left by
 * 23. */
#define ROUNDER 0x1.8p23f
#define ONE_BITS 0x3F800000u
#define SIGN_BIT 0x80000000u
#define ROOT_HALF_BITS 0x3F3504F3u /* sqrt(1/2) */

/* rint(x * scale) + ROUNDER, whose low bits are the whole number. */
static inline NodeId f_rounded(const Formula *f, NodeId x, float scale) {
    return f_fma(f, x, f_real(f, scale), f_real(f, ROUNDER));
}

/* The whole number n in the result of f_rounded, as f32. */
static inline NodeId f_whole(const Formula *f, NodeId rounded) {
    return f_sub(f, rounded, f_real(f, ROUNDER));
}

/* 2^n for the n in the result of f_rounded, -126 <= n <= 127. */
static inline NodeId f_power_of_two(const Formula *f, NodeId rounded) {
    return f_real_of_bits(
        f, f_add(f, f_shl(f, f_bits_of(f, rounded), f_int(f, 23)), f_int(f, ONE_BITS)));
}

/* 2^n for a whole number n as f32, -126 <= n <= 127. */
static inline NodeId f_power_of_whole(const Formula *f, NodeId n) {
    return f_power_of_two(f, f_add(f, n, f_real(f, ROUNDER)));
}

/* x = 2^exponent mantissa, both f32, the mantissa in [sqrt(1/2), sqrt(2)). */
typedef struct {
    NodeId exponent, mantissa;
} FloatParts;

/* Splits a positive, finite x. Denormal numbers are scaled up first. The bits of x minus those of
 * sqrt(1/2) are exponent * 2^23 plus a rest. The shift is unsigned, so 127 is added to the exponent
 * before it, and subtracted after it. */
static inline FloatParts f_split(const Formula *f, NodeId x) {
    NodeId small = f_lt(f, x, f_real(f, 0x1p-126f));
    NodeId scaled = f_select(f, small, f_mul(f, x, f_real(f, 0x1p24f)), x);
    NodeId bits = f_sub(f, f_bits_of(f, scaled), f_int(f, ROOT_HALF_BITS - ONE_BITS));
    NodeId exponent = f_real_of_int(f, f_shr(f, bits, f_int(f, 23)));
    NodeId mantissa = f_add(f, f_and(f, bits, f_int(f, 0x7FFFFF)), f_int(f, ROOT_HALF_BITS));
    NodeId bias = f_select(f, small, f_real(f, 127 + 24), f_real(f, 127));
    return (FloatParts){f_sub(f, exponent, bias), f_real_of_bits(f, mantissa)};
}

#endif
