/* The loops of eval_scan.c for one element type, included once for each: Real is the type, NAME(x) the name of x for it. */

static void NAME(cumsum)(const Real *x, Real *out, Extent extent) {
    int64_t column = extent.inner;
    for (int64_t o = 0; o < extent.outer; o++)
        for (int64_t j = 0; j < extent.n; j++)
            for (int64_t i = 0; i < column; i++, x++, out++) *out = (j ? out[-column] : 0) + *x;
}

static void NAME(scatter_add)(const Real *x, const int32_t *index, Real *out, Extent from, int64_t size) {
    for (int64_t o = 0; o < from.outer; o++, out += size * from.inner)
        for (int64_t j = 0; j < from.n; j++)
            for (int64_t i = 0; i < from.inner; i++, x++, index++) {
                int64_t row = *index < 0 ? 0 : *index >= size ? size - 1 : *index;
                out[row * from.inner + i] = out[row * from.inner + i] + *x;
            }
}

#undef Real
#undef NAME
