/* Gradient rules of ops that move elements, reduce an axis or multiply matrices: each is the
 * transposed linear map. */
#include "passes/graph/gradients.h"
#include "passes/graph/softmax.h"

/* -- views -- */

void gradient_reshape(const Backward *at) {
    gradient_contribute(at, 0,
                        build_reshape(at->graph, at->gradient, gradient_operand_shape(at, 0)));
}

/* The gradients of the copies are added. */
void gradient_broadcast(const Backward *at) {
    Shape small = gradient_operand_shape(at, 0), large = at->node.shape;
    int front = large.rank - small.rank;
    uint32_t repeated = 0;
    for (int i = 0; i < large.rank; i++)
        if (i < front || small.dim[i - front] != large.dim[i]) repeated |= 1u << i;
    NodeId sum = build_reduce_axes(at->graph, OP_sum, at->gradient, repeated);
    gradient_contribute(at, 0, build_reshape(at->graph, sum, small));
}

void gradient_transpose(const Backward *at) {
    int64_t inverse[SHAPE_MAX_RANK];
    for (int i = 0; i < at->node.shape.rank; i++) inverse[at->node.attrs.perm[i]] = i;
    gradient_contribute(at, 0, build_transpose(at->graph, at->gradient, inverse));
}

/* Elements outside of the slice get 0: first those between its elements, then those before and
 * after. */
void gradient_slice(const Backward *at) {
    Shape whole = gradient_operand_shape(at, 0), taken = at->node.shape;
    const int64_t *start = at->node.attrs.range.start, *step = at->node.attrs.range.step;
    int64_t counts[SHAPE_MAX_RANK] = {0}, after[SHAPE_MAX_RANK] = {0}, zero[SHAPE_MAX_RANK] = {0};
    NodeId gradient = at->gradient;
    bool cuts = false;
    for (int i = 0; i < whole.rank; i++) {
        gradient = build_spread(at->graph, gradient, i, step[i]);
        int64_t room = whole.dim[i] - start[i], spanned = taken.dim[i] * step[i];
        counts[i] = spanned < room ? spanned : room;
        cuts |= spanned > room;
        after[i] = room - counts[i];
    }
    if (!gradient) return;
    if (cuts) gradient = build_slice(at->graph, gradient, zero, counts, NULL);
    gradient_contribute(at, 0, build_pad(at->graph, gradient, start, after));
}

/* A slice. The slice of a convolution with stride 1 is the convolution of a slice of its images, so
 * no element is computed in vain. */
static NodeId part_of(Graph *graph, NodeId a, const int64_t *start, const int64_t *stop) {
    const Node node = *graph_node(graph, a);
    bool near =
        node.op == OP_conv && node.attrs.conv.stride[0] == 1 && node.attrs.conv.stride[1] == 1;
    bool all_channels = near && start[1] == 0 && stop[1] == node.shape.dim[1];
    if (!all_channels) return build_slice(graph, a, start, stop, NULL);
    int64_t from[4] = {start[0], 0, start[2], start[3]},
            to[4] = {stop[0], graph_operand(graph, &node, 0)->shape.dim[1]};
    for (int i = 0; i < 2; i++)
        to[2 + i] = stop[2 + i] + node.attrs.conv.dilation[i] *
                                      (graph_operand(graph, &node, 1)->shape.dim[2 + i] - 1);
    NodeId operands[] = {build_slice(graph, node.operands[0], from, to, NULL), node.operands[1]};
    return graph_add(graph, OP_conv, operands, 2, &node.attrs, NULL);
}

void gradient_pad(const Backward *at) {
    Shape inside = gradient_operand_shape(at, 0);
    int64_t stop[SHAPE_MAX_RANK];
    for (int i = 0; i < inside.rank; i++) stop[i] = at->node.attrs.pad.before[i] + inside.dim[i];
    gradient_contribute(at, 0, part_of(at->graph, at->gradient, at->node.attrs.pad.before, stop));
}

void gradient_concat(const Backward *at) {
    int axis = at->node.attrs.axis;
    int64_t start[SHAPE_MAX_RANK] = {0}, stop[SHAPE_MAX_RANK];
    for (int i = 0; i < at->node.shape.rank; i++) stop[i] = at->node.shape.dim[i];
    for (uint32_t i = 0; i < at->node.operand_count; i++, start[axis] = stop[axis]) {
        stop[axis] = start[axis] + gradient_operand_shape(at, i).dim[axis];
        if (gradient_wanted(at, i))
            gradient_contribute(at, i, build_slice(at->graph, at->gradient, start, stop, NULL));
    }
}

void gradient_reverse(const Backward *at) {
    gradient_contribute(at, 0, build_reverse(at->graph, at->gradient, at->node.attrs.axis));
}

/* Every element gets the sum of the gradients of the results that are copies of it, in their order
 * along the axis. */
void gradient_gather(const Backward *at) {
    int axis = at->node.attrs.axis;
    int64_t size = gradient_operand_shape(at, 0).dim[axis];
    gradient_contribute(
        at, 0, build_scatter_add(at->graph, at->gradient, gradient_operand(at, 1), axis, size));
}

void gradient_scatter_add(const Backward *at) {
    gradient_contribute(
        at, 0, build_gather(at->graph, at->gradient, gradient_operand(at, 1), at->node.attrs.axis));
}

/* Running sums from the last element to the first. */
void gradient_cumsum(const Backward *at) {
    int axis = at->node.attrs.axis;
    NodeId sums =
        build_axiswise(at->graph, OP_cumsum, build_reverse(at->graph, at->gradient, axis), axis);
    gradient_contribute(at, 0, build_reverse(at->graph, sums, axis));
}

/* -- reductions and softmax -- */

/* Repeats a reduced value along the axis that the reduction removed. */
static NodeId repeat(const Backward *at, NodeId reduced, Shape shape, int axis) {
    Shape kept = shape;
    kept.dim[axis] = 1;
    return build_broadcast(at->graph, build_reshape(at->graph, reduced, kept), shape);
}

void gradient_sum(const Backward *at) {
    gradient_contribute(
        at, 0, repeat(at, at->gradient, gradient_operand_shape(at, 0), at->node.attrs.axis));
}

/* The gradient is divided equally among the elements that are the largest. */
void gradient_reduce_max(const Backward *at) {
    Graph *graph = at->graph;
    int axis = at->node.attrs.axis;
    Shape shape = gradient_operand_shape(at, 0);
    NodeId largest =
        build_binary(graph, OP_eq, gradient_operand(at, 0), repeat(at, at->id, shape, axis));
    NodeId count =
        build_reduce(graph, OP_sum, build_convert(graph, largest, DTYPE_F32), axis, false);
    NodeId part = build_binary(graph, OP_div, at->gradient, count);
    NodeId parts = repeat(at, part, shape, axis), zero = build_f32(graph, 0, shape);
    gradient_contribute(at, 0, build_ternary(graph, OP_select, largest, parts, zero));
}

/* y (g - sum(g y)). The formula allows a number to be subtracted from all g. It is the g of the
 * element with y > 1/2, if there is one. The gradient of that element is then -y times a sum over
 * the others, which loses no digits where y is near 1. */
void gradient_softmax(const Backward *at) {
    Graph *graph = at->graph;
    int axis = at->node.attrs.axis;
    NodeId above = build_binary(graph, OP_lt, build_f32(graph, 0.5, at->node.shape), at->id);
    NodeId chosen =
        build_ternary(graph, OP_select, above, at->gradient, build_f32(graph, 0, at->node.shape));
    NodeId gradient =
        build_binary(graph, OP_sub, at->gradient, build_reduce(graph, OP_sum, chosen, axis, true));
    NodeId weighted = build_reduce(graph, OP_sum, gradient_times(at, gradient, at->id), axis, true);
    gradient_contribute(
        at, 0, gradient_times(at, build_binary(graph, OP_sub, gradient, weighted), at->id));
}

/* g - p sum(g) with p = softmax(a); all of p but its division is computed for log_softmax already.
 * Where p > 1/2 it is computed as (g - sum(g)) + (1 - p) sum(g). For the class of the label the
 * first term is 0, so no digits are lost where p is near 1. */
void gradient_log_softmax(const Backward *at) {
    Graph *graph = at->graph;
    int axis = at->node.attrs.axis;
    SoftmaxPowers powers = softmax_powers(graph, gradient_operand(at, 0), axis);
    SoftmaxSum parts = softmax_sum(graph, powers, axis);
    NodeId whole = build_binary(graph, OP_add, parts.others, parts.ties),
           p = build_binary(graph, OP_div, powers.exp, whole);
    NodeId rest = build_binary(graph, OP_div, parts.others, whole),
           sum = build_reduce(graph, OP_sum, at->gradient, axis, true);
    NodeId above = build_binary(graph, OP_lt, build_f32(graph, 0.5, at->node.shape), p);
    NodeId base = build_ternary(graph, OP_select, above,
                                build_binary(graph, OP_sub, at->gradient, sum), at->gradient);
    NodeId factor = build_ternary(graph, OP_select, above, build_unary(graph, OP_neg, rest), p);
    NodeId product = build_binary(graph, OP_mul, factor, sum);
    if (at->facts[at->id].open) product = gradient_masked(at, sum, product);
    gradient_contribute(at, 0, build_binary(graph, OP_sub, base, product));
}

/* -- matrix product -- */

/* With C = A B: dA = dC B^T and dB = A^T dC. An operand stored transposed gets its gradient
 * transposed: (dC B^T)^T = B dC^T and (A^T dC)^T = dC^T A. */
void gradient_matmul(const Backward *at) {
    bool ta = at->node.attrs.matmul.transpose_a, tb = at->node.attrs.matmul.transpose_b;
    NodeId a = gradient_operand(at, 0), b = gradient_operand(at, 1), g = at->gradient;
    if (gradient_wanted(at, 0))
        gradient_contribute(at, 0,
                            ta ? build_matmul(at->graph, b, g, tb, true)
                               : build_matmul(at->graph, g, b, false, !tb));
    if (gradient_wanted(at, 1))
        gradient_contribute(at, 1,
                            tb ? build_matmul(at->graph, g, a, true, ta)
                               : build_matmul(at->graph, a, g, !ta, false));
}
