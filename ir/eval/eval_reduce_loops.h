/* The loops of eval_reduce.c for one element type, included once for each: Real is the type,
 * NAME(x) the name of x for it. */

/* Adds n elements that are `stride` apart, in blocks. level[l] holds the sum of 2^l blocks if bit l
 * of the number of blocks so far is set. */
static Real NAME(sum_blocks)(const Real *x, int64_t n, int64_t stride) {
    Real level[64], total = 0;
    int64_t blocks = 0;
    for (int64_t begin = 0; begin < n; begin += SUM_BLOCK, blocks++) {
        int64_t end = begin + SUM_BLOCK < n ? begin + SUM_BLOCK : n;
        Real sum = 0;
        for (int64_t j = begin; j < end; j++) sum = sum + x[j * stride];
        int l = 0;
        for (; blocks >> l & 1; l++) sum = level[l] + sum;
        level[l] = sum;
    }
    for (int l = 0; blocks >> l; l++)
        if (blocks >> l & 1) total = blocks & ((INT64_C(1) << l) - 1) ? level[l] + total : level[l];
    return total;
}

static void NAME(sum_outer)(const Real *x, Real *out, AxisExtent extent) {
    if (extent.n > SUM_BLOCK) {
        for (int64_t i = 0; i < extent.inner; i++)
            out[i] = NAME(sum_blocks)(x + i, extent.n, extent.inner);
        return;
    }
    for (int64_t i = 0; i < extent.inner; i++) out[i] = 0;
    for (int64_t j = 0; j < extent.n; j++)
        for (int64_t i = 0; i < extent.inner; i++) out[i] = out[i] + x[j * extent.inner + i];
}

static Real NAME(sum_innermost)(const Real *x, int64_t n) {
    Real partial[PARTIAL_SUMS];
    for (int l = 0; l < PARTIAL_SUMS; l++)
        partial[l] =
            NAME(sum_blocks)(x + l, (n - l + PARTIAL_SUMS - 1) / PARTIAL_SUMS, PARTIAL_SUMS);
    for (int width = PARTIAL_SUMS / 2; width > 0; width /= 2)
        for (int l = 0; l < width; l++) partial[l] = partial[l] + partial[l + width];
    return partial[0];
}

static void NAME(sum)(const Real *x, Real *out, AxisExtent extent) {
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

static void NAME(reduce_max)(const Real *x, Real *out, AxisExtent extent) {
    for (int64_t o = 0; o < extent.outer; o++, x += extent.n * extent.inner)
        for (int64_t i = 0; i < extent.inner; i++)
            *out++ = NAME(maximum)(x + i, extent.n, extent.inner);
}

static void NAME(argmax)(const Real *x, int32_t *out, AxisExtent extent) {
    for (int64_t o = 0; o < extent.outer; o++, x += extent.n * extent.inner)
        for (int64_t i = 0; i < extent.inner; i++)
            *out++ = (int32_t)NAME(largest)(x + i, extent.n, extent.inner);
}

#undef Real
#undef NAME
