/* Gradient rules of windows, convolutions and pooling. All work with the channels as the last axis,
 * as the expansions do. */
#include "passes/graph/gradients.h"
#include "passes/graph/winograd.h"

/* -- windows -- */

/* Cuts or pads [N,H',W',C] at its end to the height and width of the image. */
static NodeId fit_image(Graph *graph, NodeId a, Shape to) {
    Shape from = graph_node(graph, a)->shape;
    int64_t zeros[4] = {0}, stop[4], after[4];
    bool cuts = false, pads = false;
    for (int i = 0; i < 4; i++) {
        stop[i] = from.dim[i] < to.dim[i] ? from.dim[i] : to.dim[i];
        after[i] = to.dim[i] - stop[i];
        cuts |= stop[i] < from.dim[i];
        pads |= after[i] > 0;
    }
    if (cuts) a = build_slice(graph, a, zeros, stop, NULL);
    return pads ? build_pad(graph, a, zeros, after) : a;
}

/* Puts windows that do not overlap back into the image, with zeros between them. */
static NodeId lay_windows(Graph *graph, NodeId windows, const Window *window, Shape image) {
    Shape shape = graph_node(graph, windows)->shape;
    /* [N,OH,KH,OW,KW,C] */
    NodeId rows = build_transpose(graph, windows, (int64_t[]){0, 1, 3, 2, 4, 5});
    int64_t zeros[6] = {0}, room[6] = {0};
    for (int i = 0; i < 2; i++) room[2 + 2 * i] = window->stride[i] - window->kernel[i];
    if (room[2] || room[4]) rows = build_pad(graph, rows, zeros, room);
    int64_t dims[] = {shape.dim[0], shape.dim[1] * window->stride[0],
                      shape.dim[2] * window->stride[1], shape.dim[5]};
    return fit_image(graph, build_reshape(graph, rows, shape_of(4, dims)), image);
}

/* Puts element (kh, kw) of all windows back into the image. */
static NodeId lay_tap(Graph *graph, NodeId windows, const Window *window, Shape image,
                      const int64_t tap[2]) {
    Shape shape = graph_node(graph, windows)->shape;
    int64_t start[6] = {0, 0, 0, tap[0], tap[1], 0}, stop[6], before[4] = {0}, after[4] = {0};
    for (int i = 0; i < 6; i++) stop[i] = i == 3 || i == 4 ? start[i] + 1 : shape.dim[i];
    int64_t dims[] = {shape.dim[0], shape.dim[1], shape.dim[2], shape.dim[5]};
    NodeId taken =
        build_reshape(graph, build_slice(graph, windows, start, stop, NULL), shape_of(4, dims));
    Shape room = image;
    for (int i = 0; i < 2; i++) {
        taken = build_spread(graph, taken, 1 + i, window->stride[i]);
        before[1 + i] = tap[i] * window->dilation[i];
        room.dim[1 + i] -= before[1 + i];
    }
    taken = fit_image(graph, taken, room);
    return before[1] || before[2] ? build_pad(graph, taken, before, after) : taken;
}

/* The transpose of `windows` as a linear map: from [N,OH,OW,KH,KW,C] to [N,H,W,C]. */
static NodeId windows_back(Graph *graph, NodeId windows, const Window *window, Shape image) {
    if (!windows) return NODE_NONE;
    /* no element is in two windows */
    bool apart = true;
    for (int i = 0; i < 2; i++)
        apart &= window->kernel[i] == 1 ||
                 (window->dilation[i] == 1 && window->kernel[i] <= window->stride[i]);
    if (apart) return lay_windows(graph, windows, window, image);
    NodeId sum = NODE_NONE;
    for (int64_t kh = 0; kh < window->kernel[0]; kh++)
        for (int64_t kw = 0; kw < window->kernel[1]; kw++) {
            NodeId tap = lay_tap(graph, windows, window, image, (int64_t[]){kh, kw});
            sum = sum ? build_binary(graph, OP_add, sum, tap) : tap;
        }
    return sum;
}

void gradient_windows(const Backward *at) {
    Window window = at->node.attrs.window;
    gradient_contribute(
        at, 0, windows_back(at->graph, at->gradient, &window, gradient_operand_shape(at, 0)));
}

/* -- pooling -- */

/* The first largest element of a window gets the window's gradient. */
void gradient_max_pool(const Backward *at) {
    Graph *graph = at->graph;
    Window window = at->node.attrs.window;
    NodeId image = build_channels_last(graph, gradient_operand(at, 0)),
           windows = build_windows(graph, image, &window);
    Shape whole = graph_node(graph, image)->shape, apart = graph_node(graph, windows)->shape;
    Shape merged = shape_of(5, (int64_t[]){apart.dim[0], apart.dim[1], apart.dim[2],
                                           apart.dim[3] * apart.dim[4], apart.dim[5]});
    NodeId first = build_reduce(graph, OP_argmax, build_reshape(graph, windows, merged), 3, true);
    Shape kept = graph_node(graph, first)->shape;
    NodeId chosen = build_binary(graph, OP_eq, first, build_iota(graph, merged, 3));
    NodeId gradient = build_broadcast(
        graph, build_reshape(graph, build_channels_last(graph, at->gradient), kept), merged);
    NodeId placed = build_ternary(graph, OP_select, chosen, gradient, build_f32(graph, 0, merged));
    NodeId back = windows_back(graph, build_reshape(graph, placed, apart), &window, whole);
    gradient_contribute(at, 0, build_channels_first(graph, back));
}

/* -- convolution -- */

/* A depthwise convolution: window times gradient, summed over each image, then over the images. */
static NodeId depthwise_weights(Graph *graph, NodeId windows, NodeId gradient) {
    Shape s = graph_node(graph, windows)->shape;
    int64_t places = s.dim[1] * s.dim[2], taps = s.dim[3] * s.dim[4], channels = s.dim[5];
    NodeId x =
        build_reshape(graph, windows, shape_of(4, (int64_t[]){s.dim[0], places, taps, channels}));
    NodeId g =
        build_reshape(graph, gradient, shape_of(4, (int64_t[]){s.dim[0], places, 1, channels}));
    NodeId image_sums = build_reduce(graph, OP_sum, build_binary(graph, OP_mul, x, g), 1, false);
    NodeId sums = build_reduce(graph, OP_sum, image_sums, 0, false);
    return build_transpose(graph, sums, (int64_t[]){1, 0});
}

/* Batched products over parts and groups, [taps * channels in a group, windows] times [windows,
 * filters in a group], then the sum over the parts. */
static NodeId grouped_weights(Graph *graph, NodeId windows, NodeId gradient, Shape weights,
                              int64_t groups) {
    Shape s = graph_node(graph, windows)->shape;
    int64_t images = window_part(s.dim[0], s.dim[1] * s.dim[2]), parts = s.dim[0] / images;
    int64_t terms = images * s.dim[1] * s.dim[2], taps = s.dim[3] * s.dim[4];
    int64_t in = s.dim[5] / groups, out = weights.dim[0] / groups;
    NodeId x =
        build_reshape(graph, windows, shape_of(5, (int64_t[]){parts, terms, taps, groups, in}));
    x = build_transpose(graph, x, (int64_t[]){0, 3, 1, 2, 4});
    x = build_reshape(graph, x, shape_of(4, (int64_t[]){parts, groups, terms, taps * in}));
    NodeId g = build_reshape(graph, gradient, shape_of(4, (int64_t[]){parts, terms, groups, out}));
    g = build_transpose(graph, g, (int64_t[]){0, 2, 1, 3});
    NodeId sums = build_reduce(graph, OP_sum, build_matmul(graph, x, g, true, false), 0, false);
    sums = build_reshape(graph, sums, shape_of(4, (int64_t[]){groups, taps, in, out}));
    return build_transpose(graph, sums, (int64_t[]){0, 3, 2, 1});
}

NodeId weights_in_order(Graph *graph, NodeId x, NodeId y, const Window *window, Shape weights,
                        int64_t groups) {
    NodeId windows = build_windows(graph, build_channels_last(graph, x), window);
    NodeId gradient = build_channels_last(graph, y);
    bool depthwise = weights.dim[1] == 1 && weights.dim[0] == groups && groups > 1;
    NodeId result = depthwise ? depthwise_weights(graph, windows, gradient)
                              : grouped_weights(graph, windows, gradient, weights, groups);
    return build_reshape(graph, result, weights);
}

/* The composite only where tiles will pay: it hides the windows from other rules. */
static NodeId weights_gradient(const Backward *at, const Window *window) {
    NodeId x = gradient_operand(at, 0);
    Shape weights = gradient_operand_shape(at, 1);
    if (winograd_allows(&at->node.attrs, weights) &&
        winograd_weights_pay(weights, graph_node(at->graph, at->gradient)->shape))
        return build_conv_weights(at->graph, x, at->gradient);
    return weights_in_order(at->graph, x, at->gradient, window, weights,
                            at->node.attrs.conv.groups);
}

void gradient_conv(const Backward *at) {
    const Attrs *attrs = &at->node.attrs;
    Window window = conv_window(attrs, gradient_operand_shape(at, 1));
    if (gradient_wanted(at, 0))
        gradient_contribute(at, 0,
                            build_conv_transposed(at->graph, at->gradient, gradient_operand(at, 1),
                                                  &window, attrs->conv.groups,
                                                  gradient_operand_shape(at, 0)));
    if (gradient_wanted(at, 1)) gradient_contribute(at, 1, weights_gradient(at, &window));
}

/* conv_weights is linear in both operands. Its gradients are a convolution of x with other weights,
 * and the transpose of one. */
void gradient_conv_weights(const Backward *at) {
    Window window = {.stride = {1, 1}, .dilation = {1, 1}};
    if (gradient_wanted(at, 0))
        gradient_contribute(at, 0,
                            build_conv_transposed(at->graph, gradient_operand(at, 1), at->gradient,
                                                  &window, 1, gradient_operand_shape(at, 0)));
    if (gradient_wanted(at, 1))
        gradient_contribute(
            at, 1, build_conv(at->graph, gradient_operand(at, 0), at->gradient, &window, 1));
}
