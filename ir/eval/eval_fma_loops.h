/* The loops of eval_fma.c for one element type, included once for each: Real is the type, FUSED its
 * fma, NAME(x) the name of x for that type. Every loop exists twice, compiled for any processor and
 * for one with the instruction. */

INLINE void NAME(fma)(const EvalArgs *args) {
    const Real *a = args->in[0], *b = args->in[1], *c = args->in[2];
    Real *out = args->out;
    for (int64_t i = 0, n = eval_elements(args); i < n; i++) out[i] = FUSED(a[i], b[i], c[i]);
}

static void NAME(fma_portable)(const EvalArgs *args) { NAME(fma)(args); }

FMA_TARGET static void NAME(fma_native)(const EvalArgs *args) { NAME(fma)(args); }

/* One row of a, one panel of b. The inner loop is over a constant number of neighbouring columns,
 * each with its own accumulator and k ascending: vector code for it has the same bits. */
INLINE void NAME(row)(const MatrixProduct *product, const Real *a, const Real *panel, Real *out,
                      int64_t columns) {
    Real sum[PANEL] = {0};
    for (int64_t k = 0; k < product->k; k++)
        for (int j = 0; j < PANEL; j++)
            sum[j] = FUSED(a[k * product->a_column], panel[k * PANEL + j], sum[j]);
    for (int64_t j = 0; j < columns; j++) out[j] = sum[j] + 0; /* never -0: see eval_fma.c */
}

INLINE void NAME(product)(const MatrixProduct *product) {
    const Real *a = product->a, *panel = product->panels;
    Real *out = product->out;
    for (int64_t n = 0; n < product->n; n += PANEL, panel += PANEL * product->k) {
        int64_t columns = product->n - n < PANEL ? product->n - n : PANEL;
        for (int64_t m = 0; m < product->m; m++)
            NAME(row)(product, a + m * product->a_row, panel, out + m * product->n + n, columns);
    }
}

static void NAME(product_portable)(const MatrixProduct *product) { NAME(product)(product); }

FMA_TARGET static void NAME(product_native)(const MatrixProduct *product) {
    NAME(product)(product);
}

/* b[k, n] is at k * row + n * column of the operand. */
static void NAME(pack)(const MatrixProduct *product, const void *operand, int64_t row,
                       int64_t column) {
    const Real *b = operand;
    Real *panels = product->panels;
    for (int64_t n = 0; n < product->n; n += PANEL)
        for (int64_t k = 0; k < product->k; k++)
            for (int64_t j = n; j < n + PANEL; j++)
                *panels++ = j < product->n ? b[k * row + j * column] : 0;
}

#undef Real
#undef FUSED
#undef NAME
