/* sin and cos in primitives.
 *
 * x = n pi/2 + r with |r| <= pi/4, or slightly more where x is large. n comes from the rounding
 * trick of formula_bits.h. n pi/2 is subtracted in three parts of 24 bits: the first difference is
 * exact, the second is rounded to the precision of r, and the third adds the rest. So r has an
 * error of at most an ulp up to |x| = 2^20.
 *
 * There, neighbouring f32 are an eighth of a radian apart. Beyond, the result is NaN instead of a
 * meaningless number. The polynomials are minimax fits like those of function_exp.c. */
#include "passes/graph/formula_bits.h"

static const float LARGEST = 0x1p20f;

typedef struct {
    NodeId quarter; /* i32: n in its two lowest bits */
    /* r; a zero keeps its sign, as all parts of pi/2 are positive (truncated, not rounded) */
    NodeId rest;
} ReducedAngle;

static ReducedAngle reduce_angle(const Formula *f, NodeId x) {
    NodeId t = f_rounded(f, x, 0x1.45f306p-1f), n = f_whole(f, t);
    NodeId rest = f_fma(f, n, f_real(f, -0x1.921fb4p0f), x);
    rest = f_fma(f, n, f_real(f, -0x1.4442d0p-24f), rest);
    return (ReducedAngle){f_bits_of(f, t), f_fma(f, n, f_real(f, -0x1.846988p-48f), rest)};
}

/* sin(r + quarter pi/2): an odd quarter swaps sine and cosine, quarters 2 and 3 change the sign.
 *     sin r = r + r^3 q(r^2)           with a relative error of 2^-27.5
 *     cos r = 1 - r^2/2 + r^4 q(r^2)   with a relative error of 2^-30.9 */
static NodeId sin_of_angle(const Formula *f, NodeId x, ReducedAngle angle) {
    static const float sine[] = {1, -0x1.555542p-3f, 0x1.11064cp-7f, -0x1.98fce8p-13f},
                       cosine[] = {1, -0.5f, 0x1.555554p-5f, -0x1.6c10ccp-10f, 0x1.9af1acp-16f};
    NodeId square = f_mul(f, angle.rest, angle.rest);
    NodeId odd = f_ne(f, f_and(f, angle.quarter, f_int(f, 1)), f_int(f, 0));
    NodeId small_sin = f_mul(f, angle.rest, f_polynomial(f, square, sine, 4));
    NodeId small_cos = f_polynomial(f, square, cosine, 5);
    NodeId size = f_select(f, odd, small_cos, small_sin);
    NodeId sign = f_shl(f, f_and(f, angle.quarter, f_int(f, 2)), f_int(f, 30));
    NodeId value = f_real_of_bits(f, f_xor(f, f_bits_of(f, size), sign));
    return f_select(f, f_le(f, f_abs(f, x), f_real(f, LARGEST)), value, f_real(f, NAN));
}

/* At most 2.1 ulp up to |x| = 2^15, 2.7 beyond. */
NodeId expand_sin(const Formula *f) {
    NodeId x = f->operands[0];
    return sin_of_angle(f, x, reduce_angle(f, x));
}

/* sin(x + pi/2), one quarter more. The errors are those of sin. */
NodeId expand_cos(const Formula *f) {
    NodeId x = f->operands[0];
    ReducedAngle angle = reduce_angle(f, x);
    angle.quarter = f_add(f, angle.quarter, f_int(f, 1));
    return sin_of_angle(f, x, angle);
}
