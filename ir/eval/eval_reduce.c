/* Reductions along one axis, seen as [outer, n, inner]. Their order is fixed by the shape alone.
 *
 * A sum along an outer axis (inner > 1) has one accumulator an element, from +0, j ascending, in blocks of SUM_BLOCK. Along the
 * innermost axis element j goes to partial sum j % 16, each of which is made in blocks likewise; then the upper half of the sums is
 * added to the lower half until one is left. argmax takes the first largest: a NaN is larger than everything, and the first NaN wins. */
#include "ir/eval/eval.h"

#include <math.h>

enum { PARTIAL_SUMS = 16 };

typedef struct {
    int64_t outer, n, inner;
} Extent;

#define Real float
#define NAME(x) x##_f32
#include "ir/eval/eval_reduce_loops.h"
#define Real double
#define NAME(x) x##_f64
#include "ir/eval/eval_reduce_loops.h"

static Extent extent_of(const EvalArgs *args) {
    Shape shape = args->operands[0]->shape;
    int axis = args->node->attrs.axis;
    return (Extent){shape_outer(shape, axis), shape.dim[axis], shape_inner(shape, axis)};
}

#define REDUCE(name)                                                                                                           \
    void eval_##name(const EvalArgs *args) {                                                                                   \
        if (args->precision == INTERP_F64)                                                                                     \
            name##_f64(args->in[0], args->out, extent_of(args));                                                               \
        else                                                                                                                   \
            name##_f32(args->in[0], args->out, extent_of(args));                                                               \
    }
REDUCE(sum)
REDUCE(reduce_max)
REDUCE(argmax)
