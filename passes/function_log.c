/* log in primitives.
 *
 * x = 2^k m with m in sqrt(1/2) .. sqrt(2), by integer arithmetic on the bits. With f = m - 1,
 * log x = k ln2 + f - f^2/2 + f^3 q(f). The polynomial is a minimax fit like those of function_exp.c: relative error 2^-27.3.
 */
#include "passes/formula_bits.h"

/* log(1 + f) - f + f^2/2 + low, for f in sqrt(1/2) - 1 .. sqrt(2) - 1, with -f^2/2 added last because it is larger. */
static NodeId correction(const Formula *f, NodeId x, NodeId low) {
    static const float q[] = {0x1.555554p-2f, -0x1.000226p-2f, 0x1.99a00ep-3f, -0x1.54725ep-3f,
                              0x1.22da32p-3f, -0x1.0d8570p-3f, 0x1.055bdep-3f, -0x1.38b5dap-4f};
    NodeId square = f_mul(f, x, x);
    NodeId cubic = f_fma(f, f_mul(f, square, x), f_polynomial(f, x, q, 8), low);
    return f_fma(f, square, f_real(f, -0.5f), cubic);
}

/* log x for a positive, finite x. */
static NodeId log_of_positive(const Formula *f, NodeId x) {
    Split split = f_split(f, x);
    NodeId k = split.exponent, rest = f_sub(f, split.mantissa, f_real(f, 1));
    NodeId sum = f_add(f, rest, correction(f, rest, f_mul(f, k, f_real(f, -0x1.05c610p-29f))));
    return f_fma(f, k, f_real(f, 0x1.62e430p-1f), sum);
}

/* log 0 = -infinity, of less: NaN; infinity and NaN are their own. At most 1 ulp. */
NodeId expand_log(const Formula *f) {
    NodeId x = f->operands[0], zero = f_real(f, 0);
    NodeId finite = f_select(f, f_lt(f, x, f_real(f, INFINITY)), log_of_positive(f, x), x);
    NodeId undefined = f_select(f, f_eq(f, x, zero), f_real(f, -INFINITY), f_real(f, NAN));
    return f_select(f, f_lt(f, zero, x), finite, undefined);
}
