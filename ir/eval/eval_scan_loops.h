/* The loops of eval_scan.c for one element type, included once for each: Real is the type, NAME(x)
 * the name of x for it. */

static void NAME(cumsum)(const Real *x, Real *out, AxisExtent extent) {
    for (int64_t column = 0; column < extent.outer * extent.inner; column++) {
        int64_t at = column / extent.inner * extent.n * extent.inner + column % extent.inner;
        double sum = 0;
        for (int64_t j = 0; j < extent.n; j++, at += extent.inner) {
            sum += (double)x[at];
            out[at] = (Real)sum;
        }
    }
}

static void NAME(scatter_add)(const Real *x, const int32_t *index, Real *out, AxisExtent from,
                              int64_t size) {
    for (int64_t o = 0; o < from.outer; o++, out += size * from.inner)
        for (int64_t j = 0; j < from.n; j++)
            for (int64_t i = 0; i < from.inner; i++, x++, index++) {
                int64_t row = *index < 0 ? 0 : *index >= size ? size - 1 : *index;
                out[row * from.inner + i] = out[row * from.inner + i] + *x;
            }
}

#undef Real
#undef NAME
