/* clip_value and clip_norm: gradients that are limited before the optimizer sees them.
 *
 * clip_norm is gradient * min(1, limit / (norm + 1e-6)), where norm is that of all gradients
 * together, as in PyTorch's clip_grad_norm_. Before squaring, the gradients are multiplied by a
 * power of two that brings the largest to between 1 and 4. So no square overflows, and those that
 * underflow are too small to count. For ordinary gradients this changes no bit. */
#include "frontend/model/clip.h"
#include "ir/base/integers.h"
#include "ir/data/weight_parts.h"

static NodeId scalar(Graph *graph, double value) { return build_f32(graph, value, (Shape){0}); }
static NodeId whole(Graph *graph, int32_t value) { return build_i32(graph, value, (Shape){0}); }

void clip_each(Graph *graph, Trained *trained, uint32_t count, double limit) {
    for (uint32_t i = 0; i < count; i++) {
        NodeId low = build_binary(graph, OP_max, trained[i].gradient, scalar(graph, -limit));
        trained[i].gradient = build_binary(graph, OP_min, low, scalar(graph, limit));
    }
}

/* The elements of a gradient as a matrix with NORM_BLOCK columns, filled up with zeros; a vector
 * if there are no more than that. */
static NodeId norm_blocks(Graph *graph, NodeId gradient) {
    int64_t count = shape_elements(graph_node(graph, gradient)->shape),
            blocks = divide_up(count, NORM_BLOCK);
    NodeId flat = build_reshape(graph, gradient, (Shape){.rank = 1, .dim = {count}});
    if (blocks == 1) return flat;
    int64_t before = 0, after = blocks * NORM_BLOCK - count;
    if (after) flat = build_pad(graph, flat, &before, &after);
    return build_reshape(graph, flat, (Shape){.rank = 2, .dim = {blocks, NORM_BLOCK}});
}

NodeId clip_largest(Graph *graph, const Trained *trained, uint32_t count) {
    NodeId largest = scalar(graph, 0);
    for (uint32_t i = 0; i < count; i++) {
        NodeId size = build_unary(graph, OP_abs, trained[i].gradient);
        uint32_t axes = (1u << graph_node(graph, size)->shape.rank) - 1;
        largest = build_binary(graph, OP_max, largest,
                               build_reduce_axes(graph, OP_reduce_max, size, axes));
    }
    return largest;
}

/* The power of two with this exponent field. */
static NodeId power_of_two(Graph *graph, NodeId exponent) {
    return build_bitcast(graph, build_binary(graph, OP_shl, exponent, whole(graph, 23)), DTYPE_F32);
}

/* The exponent field is limited so that the power of two and its inverse are normal numbers. */
ClipScale clip_scale(Graph *graph, NodeId largest) {
    enum { MANTISSA_BITS = 23, LARGEST = 253 };
    NodeId exponent = build_binary(graph, OP_shr, build_bitcast(graph, largest, DTYPE_I32),
                                   whole(graph, MANTISSA_BITS));
    exponent = build_binary(graph, OP_min, build_binary(graph, OP_max, exponent, whole(graph, 1)),
                            whole(graph, LARGEST));
    return (ClipScale){
        .up = power_of_two(graph, exponent),
        .down = power_of_two(graph, build_binary(graph, OP_sub, whole(graph, 254), exponent))};
}

NodeId clip_squares(Graph *graph, NodeId gradient, const ClipScale *scale) {
    NodeId blocks = norm_blocks(graph, build_binary(graph, OP_mul, gradient, scale->down));
    int last = graph_node(graph, blocks)->shape.rank - 1;
    NodeId sums =
        build_reduce(graph, OP_sum, build_binary(graph, OP_mul, blocks, blocks), last, false);
    return last ? sums : build_reshape(graph, sums, shape_of(1, (int64_t[]){1}));
}

NodeId clip_sum(Graph *graph, NodeId squares) {
    return graph_node(graph, squares)->shape.dim[0] == 1
               ? build_reshape(graph, squares, (Shape){0})
               : build_reduce(graph, OP_sum, squares, 0, false);
}

void clip_by(Graph *graph, Trained *trained, uint32_t count, const ClipScale *scale, NodeId total,
             double limit) {
    NodeId least = build_binary(graph, OP_mul, scalar(graph, 1e-6), scale->down);
    NodeId norm = build_binary(graph, OP_add, build_unary(graph, OP_sqrt, total), least);
    NodeId factor = build_binary(
        graph, OP_min, build_binary(graph, OP_div, scalar(graph, limit), norm), scale->up);
    for (uint32_t i = 0; i < count; i++) {
        NodeId scaled = build_binary(graph, OP_mul, trained[i].gradient, scale->down);
        trained[i].gradient = build_binary(graph, OP_mul, scaled, factor);
    }
}

void clip_to_norm(Graph *graph, Trained *trained, uint32_t count, double limit) {
    ClipScale scale = clip_scale(graph, clip_largest(graph, trained, count));
    NodeId total = scalar(graph, 0);
    for (uint32_t i = 0; i < count; i++) {
        NodeId squares = clip_squares(graph, trained[i].gradient, &scale);
        total = build_binary(graph, OP_add, total, clip_sum(graph, squares));
    }
    clip_by(graph, trained, count, &scale, total, limit);
}
