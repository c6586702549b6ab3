/* The loops of eval_winograd.c for one element type, included once for each: Real is the type,
 * FUSED its fma, NAME(x) the name of x for that type. */

/* B' times six elements, each `step` after the one before. */
INLINE void NAME(winograd_tile)(Real *x, int64_t step) {
    Real x0 = x[0], x1 = x[step], x2 = x[2 * step], x3 = x[3 * step], x4 = x[4 * step],
         x5 = x[5 * step];
    Real even = FUSED((Real)-WINOGRAD_FAR_2, x2, x4), odd = FUSED((Real)-WINOGRAD_FAR_2, x1, x3);
    x[step] = FUSED((Real)WINOGRAD_NEAR, odd, even);
    x[2 * step] = FUSED((Real)-WINOGRAD_NEAR, odd, even);
    even = FUSED((Real)-WINOGRAD_NEAR_2, x2, x4), odd = FUSED((Real)-WINOGRAD_NEAR_2, x1, x3);
    x[3 * step] = FUSED((Real)WINOGRAD_FAR, odd, even);
    x[4 * step] = FUSED((Real)-WINOGRAD_FAR, odd, even);
    x[0] = FUSED((Real)-WINOGRAD_SUM, x2, FUSED((Real)WINOGRAD_PRODUCT, x0, x4));
    x[5 * step] = FUSED((Real)-WINOGRAD_SUM, x3, FUSED((Real)WINOGRAD_PRODUCT, x1, x5));
}

/* A' times six elements, each `step` after the one before. The four results replace the first
 * ones. */
INLINE void NAME(winograd_result)(Real *m, int64_t step) {
    Real near = m[step] + m[2 * step], far = m[3 * step] + m[4 * step];
    Real near_odd = m[step] - m[2 * step], far_odd = m[3 * step] - m[4 * step];
    m[0] = (m[0] + near) + far;
    m[step] = FUSED((Real)WINOGRAD_FAR, far_odd, (Real)WINOGRAD_NEAR * near_odd);
    m[2 * step] = FUSED((Real)WINOGRAD_FAR_2, far, (Real)WINOGRAD_NEAR_2 * near);
    m[3 * step] =
        FUSED((Real)WINOGRAD_FAR_3, far_odd, (Real)WINOGRAD_NEAR_3 * near_odd) + m[5 * step];
}

/* A times four elements, each `step` after the one before, to six. */
INLINE void NAME(winograd_gradients)(Real *y, int64_t step) {
    Real y0 = y[0], y1 = y[step], y2 = y[2 * step], y3 = y[3 * step];
    Real even = FUSED((Real)WINOGRAD_NEAR_2, y2, y0),
         odd = FUSED((Real)WINOGRAD_NEAR_3, y3, (Real)WINOGRAD_NEAR * y1);
    y[step] = even + odd;
    y[2 * step] = even - odd;
    even = FUSED((Real)WINOGRAD_FAR_2, y2, y0);
    odd = FUSED((Real)WINOGRAD_FAR_3, y3, (Real)WINOGRAD_FAR * y1);
    y[3 * step] = even + odd;
    y[4 * step] = even - odd;
    y[5 * step] = y3;
}

/* tile[i][j][c] = the transformed tile; beyond the picture are zeros. */
INLINE void NAME(read_tile)(const WinogradLoop *p, const Real *picture, const int64_t at[2],
                            Real *tile) {
    for (int64_t i = 0; i < WINOGRAD_TILE; i++)
        for (int64_t j = 0; j < WINOGRAD_TILE; j++)
            for (int64_t c = 0; c < p->channels; c++) {
                int64_t y = at[0] + i, x = at[1] + j;
                bool inside = y < p->height && x < p->width;
                *tile++ = inside ? picture[(y * p->width + x) * p->channels + c] : 0;
            }
    tile -= WINOGRAD_PRODUCTS * p->channels;
    for (int64_t k = 0; k < WINOGRAD_TILE * p->channels; k++)
        NAME(winograd_tile)(tile + k, WINOGRAD_TILE * p->channels);
    for (int64_t i = 0; i < WINOGRAD_TILE; i++)
        for (int64_t c = 0; c < p->channels; c++)
            NAME(winograd_tile)(tile + i * WINOGRAD_TILE * p->channels + c, p->channels);
}

/* sums[o] = the sum of tile[c] * filters[c][o], in ascending order of c from +0 */
INLINE void NAME(add_channels)(const WinogradLoop *p, const Real *tile, const Real *filters,
                               Real *sums) {
    for (int64_t o = 0; o < p->filters; o++) sums[o] = 0;
    for (int64_t c = 0; c < p->channels; c++)
        for (int64_t o = 0; o < p->filters; o++)
            sums[o] = FUSED(tile[c], filters[c * p->filters + o], sums[o]);
}

INLINE void NAME(write_tile)(const WinogradLoop *p, Real *sums, const int64_t at[2], Real *result) {
    for (int64_t k = 0; k < WINOGRAD_TILE * p->filters; k++)
        NAME(winograd_result)(sums + k, WINOGRAD_TILE * p->filters);
    int64_t height = p->height - 2, width = p->width - 2;
    for (int64_t i = 0; i < WINOGRAD_RESULT && at[0] + i < height; i++)
        for (int64_t o = 0; o < p->filters; o++) {
            Real *row = sums + i * WINOGRAD_TILE * p->filters + o;
            NAME(winograd_result)(row, p->filters);
            for (int64_t j = 0; j < WINOGRAD_RESULT && at[1] + j < width; j++)
                result[((at[0] + i) * width + at[1] + j) * p->filters + o] = row[j * p->filters];
        }
}

INLINE void NAME(winograd)(const WinogradLoop *p) {
    const Real *picture = p->x, *filters = p->transformed;
    Real *tile = p->tile, *sums = p->sums, *result = p->out;
    int64_t height = p->height - 2, width = p->width - 2;
    for (int64_t n = 0; n < p->pictures; n++) {
        int64_t at[2];
        for (at[0] = 0; at[0] < height; at[0] += WINOGRAD_RESULT)
            for (at[1] = 0; at[1] < width; at[1] += WINOGRAD_RESULT) {
                NAME(read_tile)(p, picture, at, tile);
                for (int64_t k = 0; k < WINOGRAD_PRODUCTS; k++) {
                    const Real *of = filters + k * p->channels * p->filters;
                    NAME(add_channels)(p, tile + k * p->channels, of, sums + k * p->filters);
                }
                NAME(write_tile)(p, sums, at, result);
            }
        picture += p->height * p->width * p->channels;
        result += height * width * p->filters;
    }
}

/* gradients[i][j][o] = the transformed tile of gradients; beyond them are zeros. */
INLINE void NAME(read_gradients)(const WinogradLoop *p, const Real *from, const int64_t at[2],
                                 Real *gradients) {
    int64_t height = p->height - 2, width = p->width - 2, row = WINOGRAD_TILE * p->filters;
    for (int64_t i = 0; i < WINOGRAD_RESULT; i++)
        for (int64_t j = 0; j < WINOGRAD_RESULT; j++)
            for (int64_t o = 0; o < p->filters; o++) {
                int64_t y = at[0] + i, x = at[1] + j;
                gradients[i * row + j * p->filters + o] =
                    y < height && x < width ? from[(y * width + x) * p->filters + o] : 0;
            }
    for (int64_t k = 0; k < WINOGRAD_RESULT * p->filters; k++)
        NAME(winograd_gradients)(gradients + k, row);
    for (int64_t i = 0; i < WINOGRAD_TILE; i++)
        for (int64_t o = 0; o < p->filters; o++)
            NAME(winograd_gradients)(gradients + i * row + o, p->filters);
}

/* sums[k][c][o] += tile[k][c] * gradients[k][o] */
INLINE void NAME(add_tile)(const WinogradLoop *p, const Real *tile, const Real *gradients,
                           Real *sums) {
    for (int64_t row = 0; row < WINOGRAD_PRODUCTS * p->channels; row++) {
        const Real *of = gradients + row / p->channels * p->filters;
        for (int64_t o = 0; o < p->filters; o++)
            sums[row * p->filters + o] = FUSED(tile[row], of[o], sums[row * p->filters + o]);
    }
}

/* The pictures of one part after the other. */
INLINE void NAME(winograd_weights)(const WinogradLoop *p) {
    const Real *picture = p->x, *gradient = p->transformed;
    Real *tile = p->tile, *gradients = p->sums, *sums = p->out;
    int64_t height = p->height - 2, width = p->width - 2,
            part = WINOGRAD_PRODUCTS * p->channels * p->filters;
    for (int64_t n = 0; n < p->pictures; n++) {
        Real *to = sums + n / p->in_part * part;
        for (int64_t k = 0; k < part && n % p->in_part == 0; k++) to[k] = 0;
        int64_t at[2];
        for (at[0] = 0; at[0] < height; at[0] += WINOGRAD_RESULT)
            for (at[1] = 0; at[1] < width; at[1] += WINOGRAD_RESULT) {
                NAME(read_tile)(p, picture, at, tile);
                NAME(read_gradients)(p, gradient, at, gradients);
                NAME(add_tile)(p, tile, gradients, to);
            }
        picture += p->height * p->width * p->channels;
        gradient += height * width * p->filters;
    }
}

static void NAME(winograd_weights_portable)(const WinogradLoop *p) { NAME(winograd_weights)(p); }

FMA_TARGET static void NAME(winograd_weights_native)(const WinogradLoop *p) {
    NAME(winograd_weights)(p);
}

static void NAME(winograd_portable)(const WinogradLoop *p) { NAME(winograd)(p); }

FMA_TARGET static void NAME(winograd_native)(const WinogradLoop *p) { NAME(winograd)(p); }

#undef Real
#undef FUSED
#undef NAME
