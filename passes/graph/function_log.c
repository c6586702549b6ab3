/* log and log1p in primitives.
 *
 * x = 2^k m with m in sqrt(1/2) .. sqrt(2), by integer arithmetic on the bits. With f = m - 1,
 *
 *     log x = k ln2 + f - f^2/2 + f^3 q(f)
 *
 * The polynomial q is a minimax fit, as those of function_exp.c are. Its relative error is
 * 2^-27.3. */
#include "passes/graph/formula_bits.h"

/* log x + low for a positive, finite x. low must be small compared with ln2, and with x - 1 where x
 * is near 1. */
static NodeId log_of_positive(const Formula *f, NodeId x, NodeId low) {
    FloatParts split = f_split(f, x);
    NodeId k = split.exponent, rest = f_sub(f, split.mantissa, f_real(f, 1)),
           lost = f_real(f, -0x1.05c610p-29f);
    low = low ? f_fma(f, k, lost, low) : f_mul(f, k, lost);
    /* log(1 + f) - f + f^2/2 + low, for f in sqrt(1/2) - 1 .. sqrt(2) - 1, with -f^2/2 added last
     * because it is larger. */
    static const float q[] = {0x1.555554p-2f, -0x1.000226p-2f, 0x1.99a00ep-3f, -0x1.54725ep-3f,
                              0x1.22da32p-3f, -0x1.0d8570p-3f, 0x1.055bdep-3f, -0x1.38b5dap-4f};
    NodeId square = f_mul(f, rest, rest);
    NodeId cubic = f_fma(f, f_mul(f, square, rest), f_polynomial(f, rest, q, 8), low);
    NodeId sum = f_add(f, rest, f_fma(f, square, f_real(f, -0.5f), cubic));
    return f_fma(f, k, f_real(f, 0x1.62e430p-1f), sum);
}

/* The logarithm of any x, where `value` is that of a positive, finite x. log 0 = -infinity, log x =
 * NaN for x < 0, and infinity and NaN stay. */
static NodeId log_everywhere(const Formula *f, NodeId x, NodeId value) {
    NodeId zero = f_real(f, 0), finite = f_select(f, f_lt(f, x, f_real(f, INFINITY)), value, x);
    NodeId undefined = f_select(f, f_eq(f, x, zero), f_real(f, -INFINITY), f_real(f, NAN));
    return f_select(f, f_lt(f, zero, x), finite, undefined);
}

/* At most 1 ulp. */
NodeId expand_log(const Formula *f) {
    NodeId x = f->operands[0];
    return log_everywhere(f, x, log_of_positive(f, x, NODE_NONE));
}

/* log u + c / u, where u is 1 + x rounded and c = 1 + x - u is its rounding error; c = x for a tiny
 * x. A zero keeps its sign. At most 1.2 ulp. */
NodeId expand_log1p(const Formula *f) {
    NodeId x = f->operands[0], one = f_real(f, 1), u = f_add(f, one, x);
    NodeId lost = f_sub(f, x, f_sub(f, u, one));
    NodeId value = log_everywhere(f, u, log_of_positive(f, u, f_div(f, lost, u)));
    return f_select(f, f_eq(f, x, f_real(f, 0)), x, value);
}
