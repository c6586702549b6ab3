/* Reductions along one axis of [outer, n, inner]. The shape alone decides the order.
 *
 * A sum along an outer axis (inner > 1) has one accumulator for each element, which begins at +0; j
 * ascends in blocks of SUM_BLOCK. Along the innermost axis, element j goes to partial sum j % 16,
 * each of which is made of blocks too. Then the upper half of the partial sums is added to the
 * lower half until one is left.
 *
 * argmax takes the first of the largest elements. A NaN is larger than all numbers; the first NaN
 * wins. */
#include "ir/eval/eval.h"

#include <math.h>

enum { PARTIAL_SUMS = 16 };

#define Real float
#define NAME(x) x##_f32
#include "ir/eval/eval_reduce_loops.h"
#define Real double
#define NAME(x) x##_f64
#include "ir/eval/eval_reduce_loops.h"

static AxisExtent extent_of(const EvalArgs *args) {
    return axis_extent(args->operands[0]->shape, args->node->attrs.axis);
}

#define REDUCE(name)                                                                               \
    void eval_##name(const EvalArgs *args) {                                                       \
        if (args->precision == INTERP_F64)                                                         \
            name##_f64(args->in[0], args->out, extent_of(args));                                   \
        else                                                                                       \
            name##_f32(args->in[0], args->out, extent_of(args));                                   \
    }
REDUCE(sum)
REDUCE(reduce_max)
REDUCE(argmax)
