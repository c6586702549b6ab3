/* Walks along one axis of [outer, n, inner], from its first element to its last. A running sum begins at +0 and is kept in
 * f64, from which each element is rounded: in f32 a million equal numbers would lose two digits. Of a scatter the elements are added in this order to what is there, which was +0. */
#include "ir/eval/eval.h"

#include <string.h>

typedef struct {
    int64_t outer, n, inner;
} Extent;

static Extent extent_of(Shape shape, int axis) {
    return (Extent){shape_outer(shape, axis), shape.dim[axis], shape_inner(shape, axis)};
}

#define Real float
#define NAME(x) x##_f32
#include "ir/eval/eval_scan_loops.h"
#define Real double
#define NAME(x) x##_f64
#include "ir/eval/eval_scan_loops.h"

void eval_cumsum(const EvalArgs *args) {
    Extent extent = extent_of(args->node->shape, args->node->attrs.axis);
    if (args->precision == INTERP_F64)
        cumsum_f64(args->in[0], args->out, extent);
    else
        cumsum_f32(args->in[0], args->out, extent);
}

void eval_scatter_add(const EvalArgs *args) {
    int axis = args->node->attrs.axis;
    Extent from = extent_of(args->operands[0]->shape, axis);
    int64_t size = args->node->shape.dim[axis];
    memset(args->out, 0, (size_t)eval_elements(args) * eval_element_bytes(args->precision, args->node->dtype));
    if (args->precision == INTERP_F64)
        scatter_add_f64(args->in[0], args->in[1], args->out, from, size);
    else
        scatter_add_f32(args->in[0], args->in[1], args->out, from, size);
}
