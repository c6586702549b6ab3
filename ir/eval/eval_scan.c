/* Walks along one axis of [outer, n, inner], from the first element to the last. A running sum
 * begins at +0 and is kept in f64; each element is rounded from it. In f32, a million equal numbers
 * would lose two digits. scatter_add adds the elements in this order to what is there, at first
 * +0. */
#include "ir/eval/eval.h"

#include <string.h>

#define Real float
#define NAME(x) x##_f32
#include "ir/eval/eval_scan_loops.h"
#define Real double
#define NAME(x) x##_f64
#include "ir/eval/eval_scan_loops.h"

void eval_cumsum(const EvalArgs *args) {
    AxisExtent extent = axis_extent(args->node->shape, args->node->attrs.axis);
    if (args->precision == INTERP_F64)
        cumsum_f64(args->in[0], args->out, extent);
    else
        cumsum_f32(args->in[0], args->out, extent);
}

void eval_scatter_add(const EvalArgs *args) {
    int axis = args->node->attrs.axis;
    AxisExtent from = axis_extent(args->operands[0]->shape, axis);
    int64_t size = args->node->shape.dim[axis];
    memset(args->out, 0,
           (size_t)eval_elements(args) * eval_element_bytes(args->precision, args->node->dtype));
    if (args->precision == INTERP_F64)
        scatter_add_f64(args->in[0], args->in[1], args->out, from, size);
    else
        scatter_add_f32(args->in[0], args->in[1], args->out, from, size);
}
