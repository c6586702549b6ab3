/* Reductions along one axis, seen as [outer, n, inner]. Their order is fixed by the shape alone. */
#include "ir/eval.h"

#include <math.h>

typedef struct {
    int64_t outer, n, inner;
} Extent;

static Extent extent_of(const EvalArgs *args) {
    Shape shape = args->operands[0]->shape;
    int axis = args->node->attrs.axis;
    return (Extent){shape_outer(shape, axis), shape.dim[axis], shape_inner(shape, axis)};
}

/* Along an outer axis: one accumulator an element, j ascending. Along the innermost axis: element j goes to partial sum
 * j % 16; then the upper half is added to the lower half until one is left. This is the meaning of a sum, always. */
enum { PARTIAL_SUMS = 16 };
#define SUM(Type, suffix)                                                                                                      \
    static void sum_outer_##suffix(const Type *x, Type *out, Extent extent) {                                                  \
        for (int64_t i = 0; i < extent.inner; i++) out[i] = 0;                                                                 \
        for (int64_t j = 0; j < extent.n; j++)                                                                                 \
            for (int64_t i = 0; i < extent.inner; i++) out[i] = out[i] + x[j * extent.inner + i];                              \
    }                                                                                                                          \
    static Type sum_innermost_##suffix(const Type *x, int64_t n) {                                                             \
        Type partial[PARTIAL_SUMS] = {0};                                                                                      \
        for (int64_t j = 0; j < n; j++) partial[j % PARTIAL_SUMS] += x[j];                                                     \
        for (int width = PARTIAL_SUMS / 2; width > 0; width /= 2)                                                              \
            for (int l = 0; l < width; l++) partial[l] = partial[l] + partial[l + width];                                      \
        return partial[0];                                                                                                     \
    }                                                                                                                          \
    static void sum_##suffix(const Type *x, Type *out, Extent extent) {                                                        \
        for (int64_t o = 0; o < extent.outer; o++, x += extent.n * extent.inner, out += extent.inner) {                        \
            if (extent.inner == 1)                                                                                             \
                *out = sum_innermost_##suffix(x, extent.n);                                                                    \
            else                                                                                                               \
                sum_outer_##suffix(x, out, extent);                                                                            \
        }                                                                                                                      \
    }
SUM(float, f32)
SUM(double, f64)

void eval_sum(const EvalArgs *args) {
    if (args->precision == INTERP_F64)
        sum_f64(args->in[0], args->out, extent_of(args));
    else
        sum_f32(args->in[0], args->out, extent_of(args));
}

/* The first index of the largest of n elements `stride` apart: a NaN is larger than everything, the first NaN wins. Of +0 and
 * -0, the first counts, since they compare equal. */
#define LARGEST(Type, suffix)                                                                                                  \
    static int64_t largest_##suffix(const Type *x, int64_t n, int64_t stride) {                                                \
        int64_t best = 0;                                                                                                      \
        for (int64_t j = 1; j < n && !isnan(x[best * stride]); j++)                                                            \
            if (x[j * stride] > x[best * stride] || isnan(x[j * stride])) best = j;                                            \
        return best;                                                                                                           \
    }                                                                                                                          \
    static Type maximum_##suffix(const Type *x, int64_t n, int64_t stride) {                                                   \
        Type best = x[largest_##suffix(x, n, stride) * stride];                                                                \
        for (int64_t j = 0; best == 0 && signbit(best) && j < n; j++)                                                          \
            if (x[j * stride] == 0) best = x[j * stride]; /* -0 is below +0 */                                                 \
        return best;                                                                                                           \
    }                                                                                                                          \
    static void reduce_max_##suffix(const Type *x, Type *out, Extent extent) {                                                 \
        for (int64_t o = 0; o < extent.outer; o++)                                                                             \
            for (int64_t i = 0; i < extent.inner; i++)                                                                         \
                *out++ = maximum_##suffix(x + o * extent.n * extent.inner + i, extent.n, extent.inner);                        \
    }                                                                                                                          \
    static void argmax_##suffix(const Type *x, int32_t *out, Extent extent) {                                                  \
        for (int64_t o = 0; o < extent.outer; o++)                                                                             \
            for (int64_t i = 0; i < extent.inner; i++)                                                                         \
                *out++ = (int32_t)largest_##suffix(x + o * extent.n * extent.inner + i, extent.n, extent.inner);               \
    }
LARGEST(float, f32)
LARGEST(double, f64)

void eval_reduce_max(const EvalArgs *args) {
    if (args->precision == INTERP_F64)
        reduce_max_f64(args->in[0], args->out, extent_of(args));
    else
        reduce_max_f32(args->in[0], args->out, extent_of(args));
}

void eval_argmax(const EvalArgs *args) {
    if (args->precision == INTERP_F64)
        argmax_f64(args->in[0], args->out, extent_of(args));
    else
        argmax_f32(args->in[0], args->out, extent_of(args));
}
