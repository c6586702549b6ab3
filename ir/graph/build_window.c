/* Builders of nodes on images: windows, convolutions, and the parts of convolutions. */
#include "ir/graph/graph.h"

NodeId build_windows(Graph *graph, NodeId a, const Window *window) {
    return graph_add(graph, OP_windows, &a, 1, &(Attrs){.window = *window}, NULL);
}

NodeId build_max_pool(Graph *graph, NodeId a, const Window *window) {
    return graph_add(graph, OP_max_pool, &a, 1, &(Attrs){.window = *window}, NULL);
}

Window conv_window(const Attrs *attrs, Shape weights) {
    return (Window){{weights.dim[2], weights.dim[3]},
                    {attrs->conv.stride[0], attrs->conv.stride[1]},
                    {attrs->conv.dilation[0], attrs->conv.dilation[1]}};
}

NodeId build_conv(Graph *graph, NodeId x, NodeId weights, const Window *window, int64_t groups) {
    NodeId operands[] = {x, weights};
    Attrs attrs = {.conv = {.groups = groups}};
    for (int i = 0; i < 2; i++) {
        attrs.conv.stride[i] = window->stride[i];
        attrs.conv.dilation[i] = window->dilation[i];
    }
    return graph_add(graph, OP_conv, operands, 2, &attrs, NULL);
}

NodeId build_winograd(Graph *graph, NodeId pictures, NodeId filters) {
    NodeId operands[] = {pictures, filters};
    return graph_add(graph, OP_winograd, operands, 2, NULL, NULL);
}

NodeId build_winograd_weights(Graph *graph, NodeId pictures, NodeId gradient) {
    NodeId operands[] = {pictures, gradient};
    return graph_add(graph, OP_winograd_weights, operands, 2, NULL, NULL);
}

NodeId build_conv_weights(Graph *graph, NodeId x, NodeId gradient) {
    NodeId operands[] = {x, gradient};
    return graph_add(graph, OP_conv_weights, operands, 2, NULL, NULL);
}

NodeId build_channels_last(Graph *graph, NodeId a) {
    return build_transpose(graph, a, (int64_t[]){0, 2, 3, 1});
}
NodeId build_channels_first(Graph *graph, NodeId a) {
    return build_transpose(graph, a, (int64_t[]){0, 3, 1, 2});
}

NodeId build_window_elements(Graph *graph, NodeId a, const Window *window) {
    NodeId windows = build_windows(graph, build_channels_last(graph, a), window);
    Shape s = graph_node(graph, windows)->shape;
    return build_reshape(
        graph, windows,
        shape_of(5, (int64_t[]){s.dim[0], s.dim[1], s.dim[2], s.dim[3] * s.dim[4], s.dim[5]}));
}

/* The shape with an axis of size 1 after axis *at; *at becomes the number of the new axis. The
 * other axes stay as they are, unless the shape has SHAPE_MAX_RANK axes already: then axes are
 * merged. */
static Shape insert_axis(Shape shape, int *at) {
    if (shape.rank == SHAPE_MAX_RANK) {
        int64_t before = shape_outer(shape, *at) * shape.dim[*at], after = shape_inner(shape, *at);
        *at = 1;
        return (Shape){.rank = 3, .dim = {before, 1, after}};
    }
    for (int i = shape.rank++; i > *at + 1; i--) shape.dim[i] = shape.dim[i - 1];
    shape.dim[++*at] = 1;
    return shape;
}

NodeId build_spread(Graph *graph, NodeId a, int axis, int64_t step) {
    if (!a || step == 1) return a;
    Shape shape = graph_node(graph, a)->shape;
    int at = axis;
    NodeId apart = build_reshape(graph, a, insert_axis(shape, &at));
    int64_t zeros[SHAPE_MAX_RANK] = {0}, after[SHAPE_MAX_RANK] = {0};
    after[at] = step - 1;
    shape.dim[axis] *= step;
    return build_reshape(graph, build_pad(graph, apart, zeros, after), shape);
}

/* [O, C/groups, KH, KW] to [C, O/groups, KH, KW] with the kernel reversed along both axes. */
static NodeId reverse_weights(Graph *graph, NodeId weights, int64_t groups) {
    if (!weights) return NODE_NONE;
    Shape shape = graph_node(graph, weights)->shape;
    int64_t out = shape.dim[0] / groups, in = shape.dim[1], kh = shape.dim[2], kw = shape.dim[3];
    NodeId grouped =
        build_reshape(graph, weights, shape_of(5, (int64_t[]){groups, out, in, kh, kw}));
    NodeId exchanged = build_transpose(graph, grouped, (int64_t[]){0, 2, 1, 3, 4});
    NodeId transposed =
        build_reshape(graph, exchanged, shape_of(4, (int64_t[]){groups * in, out, kh, kw}));
    return build_reverse(graph, build_reverse(graph, transposed, 2), 3);
}

/* Puts zeros before the elements along an axis. Then as many zeros are added, or elements left out,
 * at the end as make `size`. */
static NodeId fit_axis(Graph *graph, NodeId a, int axis, int64_t before, int64_t size) {
    if (!a) return a;
    Shape shape = graph_node(graph, a)->shape;
    int64_t zeros[SHAPE_MAX_RANK] = {0}, first[SHAPE_MAX_RANK] = {0}, last[SHAPE_MAX_RANK] = {0};
    if (shape.dim[axis] > size - before) {
        shape.dim[axis] = size - before;
        a = build_slice(graph, a, zeros, shape.dim, NULL);
    }
    first[axis] = before;
    last[axis] = size - before - shape.dim[axis];
    return first[axis] || last[axis] ? build_pad(graph, a, first, last) : a;
}

NodeId build_conv_transposed(Graph *graph, NodeId y, NodeId weights, const Window *window,
                             int64_t groups, Shape result) {
    Window single = {.stride = {1, 1}, .dilation = {window->dilation[0], window->dilation[1]}};
    for (int i = 0; i < 2 && weights; i++) {
        int64_t reach = window->dilation[i] * (graph_node(graph, weights)->shape.dim[2 + i] - 1);
        y = fit_axis(graph, build_spread(graph, y, 2 + i, window->stride[i]), 2 + i, reach,
                     result.dim[2 + i] + reach);
    }
    return build_conv(graph, y, reverse_weights(graph, weights, groups), &single, groups);
}
