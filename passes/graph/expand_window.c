/* Expands convolution and pooling: images are transposed to [N,H,W,C], and their windows become the
 * rows of a matrix. */
#include "passes/graph/formula.h"
#include "passes/graph/gradients.h"
#include "passes/graph/winograd.h"
#include "passes/pass_list.h"

/* The product of each group, [windows, taps * channels] times [taps * channels, filters]: k runs
 * over (kh, kw, channel). */
static NodeId conv_products(const Formula *f, NodeId windows, int64_t groups) {
    Graph *graph = f->graph;
    Shape s = graph_node(graph, windows)->shape, weights = graph_node(graph, f->operands[1])->shape;
    int64_t rows = s.dim[0] * s.dim[1] * s.dim[2], taps = s.dim[3] * s.dim[4];
    int64_t in = s.dim[5] / groups, out = weights.dim[0] / groups;
    NodeId x = build_reshape(graph, windows, shape_of(4, (int64_t[]){rows, taps, groups, in}));
    x = build_transpose(graph, x, (int64_t[]){2, 0, 1, 3});
    x = build_reshape(graph, x, shape_of(3, (int64_t[]){groups, rows, taps * in}));
    NodeId w =
        build_reshape(graph, f->operands[1], shape_of(4, (int64_t[]){groups, out, in, taps}));
    w = build_transpose(graph, w, (int64_t[]){0, 3, 2, 1});
    w = build_reshape(graph, w, shape_of(3, (int64_t[]){groups, taps * in, out}));
    NodeId product = build_matmul(graph, x, w, false, false);
    return build_transpose(graph, product, (int64_t[]){1, 0, 2});
}

/* Element `tap` of all windows, [rows, channels]. */
static NodeId window_tap(Graph *graph, NodeId windows, int64_t tap) {
    int64_t start[] = {0, tap, 0}, stop[3];
    Shape shape = graph_node(graph, windows)->shape;
    for (int i = 0; i < 3; i++) stop[i] = i == 1 ? tap + 1 : shape.dim[i];
    return build_reshape(graph, build_slice(graph, windows, start, stop, NULL),
                         shape_of(2, (int64_t[]){shape.dim[0], shape.dim[2]}));
}

/* A depthwise convolution, one channel a group: the same sums in the same order, without matrices
 * of one column. */
static NodeId depthwise_sums(const Formula *f, NodeId windows) {
    Graph *graph = f->graph;
    Shape s = graph_node(graph, windows)->shape;
    int64_t rows = s.dim[0] * s.dim[1] * s.dim[2], taps = s.dim[3] * s.dim[4], channels = s.dim[5];
    NodeId x = build_reshape(graph, windows, shape_of(3, (int64_t[]){rows, taps, channels}));
    NodeId w = build_transpose(
        graph, build_reshape(graph, f->operands[1], shape_of(2, (int64_t[]){channels, taps})),
        NULL);
    w = build_reshape(graph, w, shape_of(3, (int64_t[]){1, taps, channels}));
    NodeId zero = build_f32(graph, 0, (Shape){0}), sum = zero;
    for (int64_t tap = 0; tap < taps; tap++)
        sum =
            build_ternary(graph, OP_fma, window_tap(graph, x, tap), window_tap(graph, w, tap), sum);
    return build_binary(graph, OP_add, sum, zero);
}

enum { MAX_TAPS = 64 }; /* a depthwise convolution with more becomes a product */

NodeId expand_conv(const Formula *f) {
    Graph *graph = f->graph;
    Shape weights = graph_node(graph, f->operands[1])->shape, result = f->node.shape;
    Window window = conv_window(&f->node.attrs, weights);
    if (winograd_allows(&f->node.attrs, weights) && winograd_pays(weights, result))
        return winograd_conv(graph, f->operands[0], f->operands[1]);
    int64_t groups = f->node.attrs.conv.groups;
    NodeId windows = build_windows(graph, build_channels_last(graph, f->operands[0]), &window);
    bool depthwise = groups > 1 && weights.dim[1] == 1 && weights.dim[0] == groups;
    bool few_taps = weights.dim[2] <= MAX_TAPS && weights.dim[2] * weights.dim[3] <= MAX_TAPS;
    NodeId product =
        depthwise && few_taps ? depthwise_sums(f, windows) : conv_products(f, windows, groups);
    int64_t dims[] = {result.dim[0], result.dim[2], result.dim[3], result.dim[1]};
    return build_channels_first(graph, build_reshape(graph, product, shape_of(4, dims)));
}

NodeId expand_weights_in_order(const Formula *f) {
    Shape weights = f->node.shape;
    Window window = {{weights.dim[2], weights.dim[3]}, {1, 1}, {1, 1}};
    return weights_in_order(f->graph, f->operands[0], f->operands[1], &window, weights, 1);
}

NodeId expand_conv_weights(const Formula *f) {
    static const Attrs plain = {.conv = {.stride = {1, 1}, .dilation = {1, 1}, .groups = 1}};
    Shape weights = f->node.shape, result = graph_node(f->graph, f->operands[1])->shape;
    return winograd_allows(&plain, weights) && winograd_weights_pay(weights, result)
               ? winograd_weights(f->graph, f->operands[0], f->operands[1])
               : expand_weights_in_order(f);
}

NodeId expand_max_pool(const Formula *f) {
    NodeId elements = build_window_elements(f->graph, f->operands[0], &f->node.attrs.window);
    return build_channels_first(f->graph,
                                build_reduce(f->graph, OP_reduce_max, elements, 3, false));
}
