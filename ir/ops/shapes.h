/* Shapes: numbers of elements, broadcasting, windows, and their text form. */
#ifndef MLC_IR_OPS_SHAPES_H
#define MLC_IR_OPS_SHAPES_H

#include "ir/ops/node.h"

Shape shape_of(int rank, const int64_t *dims);
bool shape_equal(Shape a, Shape b);
int64_t shape_elements(Shape shape);                  /* 1 for a scalar */
int64_t shape_product(Shape shape, int from, int to); /* of the dimensions [from, to) */
/* The product of the dimensions before, or after, an axis. A loop along an axis of n elements sees
 * the tensor as [outer, n, inner]. */
int64_t shape_outer(Shape shape, int axis);
int64_t shape_inner(Shape shape, int axis);
/* How many windows fit into n elements: each has `kernel` elements that are `dilation` apart, and
 * windows begin `stride` apart. */
int64_t window_count(int64_t n, int64_t kernel, int64_t stride, int64_t dilation);
/* The gradient of a convolution's weights is a sum over the windows of all images. It is added in
 * parts: the smallest number of images that divides all and has at least 1,024 windows; else
 * all. */
int64_t window_part(int64_t images, int64_t windows);
/* The shape of both operands after numpy's broadcasting; false if the two do not match. */
bool shape_broadcast(Shape a, Shape b, Shape *result);
enum { SHAPE_TEXT = 160 };
const char *shape_text(DType dtype, Shape shape, char buffer[SHAPE_TEXT]); /* "f32[64,784]" */

#endif
