/* The loops of eval_reduce.c for one element type, included once for each: Real is the type, NAME(x) the name of x for it. */

static void NAME(sum_outer)(const Real *x, Real *out, Extent extent) {
    for (int64_t i = 0; i < extent.inner; i++) out[i] = 0;
    for (int64_t j = 0; j < extent.n; j++)
        for (int64_t i = 0; i < extent.inner; i++) out[i] = out[i] + x[j * extent.inner + i];
}

static Real NAME(sum_innermost)(const Real *x, int64_t n) {
    Real partial[PARTIAL_SUMS] = {0};
    for (int64_t j = 0; j < n; j++) partial[j % PARTIAL_SUMS] = partial[j % PARTIAL_SUMS] + x[j];
    for (int width = PARTIAL_SUMS / 2; width > 0; width /= 2)
        for (int l = 0; l < width; l++) partial[l] = partial[l] + partial[l + width];
    return partial[0];
}

static void NAME(sum)(const Real *x, Real *out, Extent extent) {
    for (int64_t o = 0; o < extent.outer; o++, x += extent.n * extent.inner, out += extent.inner) {
        if (extent.inner == 1)
            *out = NAME(sum_innermost)(x, extent.n);
        else
            NAME(sum_outer)(x, out, extent);
    }
}

static int64_t NAME(largest)(const Real *x, int64_t n, int64_t stride) {
    int64_t best = 0;
    for (int64_t j = 1; j < n && !isnan(x[best * stride]); j++)
        if (x[j * stride] > x[best * stride] || isnan(x[j * stride])) best = j;
    return best;
}

/* -0 is below +0, although they compare equal. */
static Real NAME(maximum)(const Real *x, int64_t n, int64_t stride) {
    Real best = x[NAME(largest)(x, n, stride) * stride];
    for (int64_t j = 0; best == 0 && signbit(best) && j < n; j++)
        if (x[j * stride] == 0) best = x[j * stride];
    return best;
}

static void NAME(reduce_max)(const Real *x, Real *out, Extent extent) {
    for (int64_t o = 0; o < extent.outer; o++, x += extent.n * extent.inner)
        for (int64_t i = 0; i < extent.inner; i++) *out++ = NAME(maximum)(x + i, extent.n, extent.inner);
}

static void NAME(argmax)(const Real *x, int32_t *out, Extent extent) {
    for (int64_t o = 0; o < extent.outer; o++, x += extent.n * extent.inner)
        for (int64_t i = 0; i < extent.inner; i++) *out++ = (int32_t)NAME(largest)(x + i, extent.n, extent.inner);
}

#undef Real
#undef NAME
