/* Layers on images [N, C, H, W]: convolutions and pooling. Meaning, names and initial values of
 * their weights are those of PyTorch. */
#include "frontend/library/library.h"
#include "frontend/evaluate/evaluate.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* -- arguments that hold a number for height and width, or one for both -- */

static bool call_pair(const Call *call, uint32_t arg, int64_t least, int64_t pair[2]) {
    uint32_t count;
    if (!call_ints(call, arg, pair, 2, &count)) return false;
    if (count == 1) pair[1] = pair[0];
    bool good = count > 0 && pair[0] >= least && pair[1] >= least &&
                pair[0] <= SHAPE_MAX_ELEMENTS && pair[1] <= SHAPE_MAX_ELEMENTS;
    if (!good && count == 0)
        call_fail(call, arg, "must be a whole number, or a list of two: height and width");
    if (!good && count > 0)
        call_fail(call, arg, "must be at least %" PRId64 ", not %s", least,
                  value_text(call->evaluator->arena, call->evaluator->graph, call->args[arg]));
    return good;
}

/* Zeros around the image, for height and width. */
typedef struct {
    int64_t before[2], after[2];
} Padding;

/* Reads `pad`: a number, one each for height and width, or "same". "same" keeps the size if the
 * stride is 1; an odd number of zeros has one more after the image than before it. */
static bool call_padding(const Call *call, uint32_t arg, const Window *window, Padding *padding) {
    Value value = call->args[arg];
    if (value.kind != VALUE_STRING) {
        if (!call_pair(call, arg, 0, padding->before)) return false;
        memcpy(padding->after, padding->before, sizeof padding->after);
        return true;
    }
    if (strcmp(value.text, "same") != 0) {
        call_fail(call, arg, "must be a whole number, a list of two, or \"same\", not \"%s\"",
                  value.text);
        return false;
    }
    for (int i = 0; i < 2; i++) {
        int64_t all = window->dilation[i] * (window->kernel[i] - 1);
        padding->before[i] = all / 2;
        padding->after[i] = all - all / 2;
    }
    return true;
}

/* Refuses windows so large that sizes could overflow before the shapes are checked. */
static bool window_small(const Call *call, uint32_t arg, const Window *window) {
    for (int i = 0; i < 2; i++)
        if (window->dilation[i] > SHAPE_MAX_ELEMENTS / window->kernel[i] ||
            window->stride[i] > SHAPE_MAX_ELEMENTS)
            return call_fail(call, arg, "and dilation reach over more than 2^31 elements"), false;
    return true;
}

static bool is_image(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    const Node *x = tensor_node(evaluator, call->args[0]);
    if (x->shape.rank == 4) return true;
    call_fail(call, 0, "must be [N, C, H, W], not %s",
              value_text(evaluator->arena, evaluator->graph, call->args[0]));
    if (x->shape.rank == 3)
        diag_help(evaluator->diag, "reshape it to [N, 1, H, W]: images have at least one channel");
    return false;
}

static NodeId pad_image(Graph *graph, NodeId x, const Padding *padding) {
    int64_t before[4] = {0, 0, padding->before[0], padding->before[1]},
            after[4] = {0, 0, padding->after[0], padding->after[1]};
    bool any = before[2] || before[3] || after[2] || after[3];
    return any ? build_pad(graph, x, before, after) : x;
}

/* Whether the kernel fits into the image with its padding. If only one window fits, the stride has
 * no effect; a large one is reduced, so that the gradient needs no memory for it. */
static bool kernel_fits(const Call *call, uint32_t arg, Window *window, const Padding *padding) {
    Shape shape = tensor_node(call->evaluator, call->args[0])->shape;
    for (int i = 0; i < 2; i++) {
        int64_t size = shape.dim[2 + i] + padding->before[i] + padding->after[i];
        int64_t reach = window->dilation[i] * (window->kernel[i] - 1) + 1;
        if (reach <= size && window->stride[i] > size - reach && window->stride[i] > reach)
            window->stride[i] = reach;
        if (reach <= size) continue;
        call_fail(call, arg, "reaches over %" PRId64 " elements of the %s, which has %" PRId64 "%s",
                  reach, i ? "width" : "height", size,
                  size > shape.dim[2 + i] ? " with its padding" : "");
        return false;
    }
    return true;
}

/* -- weights -- */

/* The weights of a convolution of any kind. */
typedef struct {
    const Call *call;
    const char *kind; /* "conv" for weights named conv1.weight... */
    Shape weights;
    Fan fan;
    int64_t channels; /* of the result */
    bool bias;
    Value init, bias_init;
} Filters;

static bool weights_small(const Filters *filters, uint32_t arg) {
    int64_t room = SHAPE_MAX_ELEMENTS;
    for (int i = 0; i < 4; i++) room /= filters->weights.dim[i];
    if (room == 0)
        call_fail(filters->call, arg, "gives a weight of more than 2^31 elements, the maximum");
    return room > 0;
}

static NodeId filters_weight(const Filters *filters, const char *layer) {
    return weight_of_layer(filters->call, layer, "weight", filters->weights, filters->init,
                           filters->fan);
}

/* y + bias, added with the channels as the last axis. The bias is broadcast in two steps. So its
 * gradient is summed first over each image, then over the images. */
static Value filters_finish(const Filters *filters, const char *layer, NodeId y) {
    Graph *graph = filters->call->evaluator->graph;
    if (filters->bias && y) {
        NodeId bias = weight_of_layer(filters->call, layer, "bias", shape_of(1, &filters->channels),
                                      filters->bias_init, filters->fan);
        if (!bias) return evaluator_built(filters->call->evaluator, filters->call->span, bias);
        NodeId last = build_channels_last(graph, y);
        Shape shape = graph_node(graph, last)->shape;
        Shape rows = {.rank = 4, .dim = {shape.dim[0], 1, 1, shape.dim[3]}};
        NodeId repeated = build_broadcast(graph, build_broadcast(graph, bias, rows), shape);
        y = build_channels_first(graph, build_binary(graph, OP_add, last, repeated));
    }
    return evaluator_built(filters->call->evaluator, filters->call->span, y);
}

/* -- convolution -- */

static bool groups_divide(const Call *call, uint32_t arg, int64_t groups, int64_t in, int64_t out) {
    if (in % groups == 0 && out % groups == 0) return true;
    call_fail(call, arg,
              "must divide the %" PRId64 " channels of x and the %" PRId64
              " of the result, unlike %" PRId64,
              in, out, groups);
    return false;
}

static Value convolve(const Filters *filters, const Window *window, const Padding *padding,
                      int64_t groups) {
    const Call *call = filters->call;
    Graph *graph = call->evaluator->graph;
    const char *layer = layer_name(call->evaluator, filters->kind);
    NodeId x = pad_image(graph, tensor_f32(call->evaluator, call->args[0]), padding);
    NodeId y = build_conv(graph, x, filters_weight(filters, layer), window, groups);
    return filters_finish(filters, layer, y);
}

static Filters filters_of(const Call *call, const char *kind, int64_t channels,
                          const Window *window, int64_t groups, uint32_t first) {
    int64_t in = tensor_node(call->evaluator, call->args[0])->shape.dim[1];
    double taps = (double)(window->kernel[0] * window->kernel[1]);
    Shape weights = {.rank = 4,
                     .dim = {channels, in / groups, window->kernel[0], window->kernel[1]}};
    Fan fan = {(double)(in / groups) * taps, (double)channels * taps};
    return (Filters){call,
                     kind,
                     weights,
                     fan,
                     channels,
                     call->args[first].boolean,
                     call->args[first + 1],
                     call->args[first + 2]};
}

/* conv(x, channels, kernel, stride, pad, dilation, groups, bias, init, bias_init) with weight
 * f32[channels, C / groups, KH, KW]. */
Value call_conv(const Call *call) {
    Window window;
    Padding padding;
    int64_t channels = call->args[1].integer, groups = call->args[6].integer;
    if (!is_image(call) || !call_pair(call, 2, 1, window.kernel) ||
        !call_pair(call, 3, 1, window.stride) || !call_pair(call, 5, 1, window.dilation) ||
        !window_small(call, 2, &window) || !call_padding(call, 4, &window, &padding))
        return value_error();
    if (!groups_divide(call, 6, groups, tensor_node(call->evaluator, call->args[0])->shape.dim[1],
                       channels))
        return value_error();
    Filters filters = filters_of(call, "conv", channels, &window, groups, 7);
    if (!weights_small(&filters, 1) || !kernel_fits(call, 2, &window, &padding))
        return value_error();
    return convolve(&filters, &window, &padding, groups);
}

/* depthwise(x, kernel, stride, pad, dilation, multiplier, bias, init, bias_init) with weight f32[C
 * * multiplier, 1, KH, KW]. */
Value call_depthwise(const Call *call) {
    Window window;
    Padding padding;
    int64_t multiplier = call->args[5].integer;
    if (!is_image(call) || !call_pair(call, 1, 1, window.kernel) ||
        !call_pair(call, 2, 1, window.stride) || !call_pair(call, 4, 1, window.dilation) ||
        !window_small(call, 1, &window) || !call_padding(call, 3, &window, &padding))
        return value_error();
    int64_t in = tensor_node(call->evaluator, call->args[0])->shape.dim[1];
    if (multiplier > SHAPE_MAX_ELEMENTS / in) return call_fail(call, 5, "makes too many channels");
    Filters filters = filters_of(call, "depthwise", in * multiplier, &window, in, 6);
    if (!weights_small(&filters, 1) || !kernel_fits(call, 1, &window, &padding))
        return value_error();
    return convolve(&filters, &window, &padding, in);
}

/* -- transposed convolution -- */

/* Height and width of the result: (n - 1) * stride - 2 * pad + dilation * (kernel - 1) + 1 +
 * output_pad. */
static bool transposed_sizes(const Call *call, const Window *window, const int64_t *pad,
                             const int64_t *output_pad, Shape *full) {
    for (int i = 0; i < 2; i++) {
        int64_t n = full->dim[2 + i], reach = window->dilation[i] * (window->kernel[i] - 1) + 1;
        if (output_pad[i] >= window->stride[i] && output_pad[i] >= window->dilation[i])
            return call_fail(call, 5, "must be smaller than the stride or the dilation"), false;
        if (n > SHAPE_MAX_ELEMENTS / window->stride[i])
            return call_fail(call, 3, "is too large for x"), false;
        full->dim[2 + i] = (n - 1) * window->stride[i] + reach + output_pad[i];
        if (full->dim[2 + i] - 2 * pad[i] < 1)
            return call_fail(call, 4, "leaves nothing of the result"), false;
    }
    return true;
}

/* Removes `pad` rows and columns at each border. */
static NodeId cut_border(Graph *graph, NodeId y, const int64_t *pad, Shape full) {
    int64_t start[4] = {0, 0, pad[0], pad[1]};
    for (int i = 0; i < 2; i++) full.dim[2 + i] -= pad[i];
    return pad[0] || pad[1] ? build_slice(graph, y, start, full.dim, NULL) : y;
}

/* conv_transpose(x, channels, kernel, stride, pad, output_pad, dilation, groups, bias, init,
 * bias_init) with weight f32[C, channels / groups, KH, KW]. */
Value call_conv_transpose(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    Window window;
    int64_t pad[2], output_pad[2], channels = call->args[1].integer, groups = call->args[7].integer;
    if (!is_image(call) || !call_pair(call, 2, 1, window.kernel) ||
        !call_pair(call, 3, 1, window.stride) || !call_pair(call, 4, 0, pad) ||
        !call_pair(call, 5, 0, output_pad) || !call_pair(call, 6, 1, window.dilation) ||
        !window_small(call, 2, &window))
        return value_error();
    Shape full = tensor_node(evaluator, call->args[0])->shape;
    int64_t in = full.dim[1];
    full.dim[1] = channels;
    double taps = (double)(window.kernel[0] * window.kernel[1]);
    if (!groups_divide(call, 7, groups, in, channels) ||
        !transposed_sizes(call, &window, pad, output_pad, &full))
        return value_error();
    Shape weights = {.rank = 4, .dim = {in, channels / groups, window.kernel[0], window.kernel[1]}};
    Fan fan = {(double)(channels / groups) * taps, (double)in * taps};
    Filters filters = {call,     "conv_transpose",      weights,       fan,
                       channels, call->args[8].boolean, call->args[9], call->args[10]};
    if (!weights_small(&filters, 1)) return value_error();
    const char *layer = layer_name(evaluator, filters.kind);
    NodeId y = build_conv_transposed(evaluator->graph, tensor_f32(evaluator, call->args[0]),
                                     filters_weight(&filters, layer), &window, groups, full);
    return filters_finish(&filters, layer, cut_border(evaluator->graph, y, pad, full));
}

/* -- pooling -- */

/* The arguments kernel, stride (none: the kernel) and pad of a pooling layer. */
static bool pool_window(const Call *call, Window *window, Padding *padding) {
    if (!is_image(call) || !call_pair(call, 1, 1, window->kernel)) return false;
    memcpy(window->stride, window->kernel, sizeof window->stride);
    if (call->args[2].kind != VALUE_NONE && !call_pair(call, 2, 1, window->stride)) return false;
    return window_small(call, 1, window) && call_padding(call, 3, window, padding) &&
           kernel_fits(call, 1, window, padding);
}

/* max_pool(x, kernel, stride, pad, dilation) */
Value call_max_pool(const Call *call) {
    Graph *graph = call->evaluator->graph;
    Window window;
    Padding padding;
    if (!call_pair(call, 4, 1, window.dilation) || !pool_window(call, &window, &padding))
        return value_error();
    for (int i = 0; i < 2; i++)
        if (padding.before[i] > window.kernel[i] / 2)
            return call_fail(call, 3, "must be at most half of the kernel");
    /* padded with minus infinity, so that no maximum is taken from the padding */
    NodeId image = tensor_f32(call->evaluator, call->args[0]),
           x = pad_image(graph, image, &padding);
    if (x != image) {
        TensorType type = {DTYPE_BOOL, graph_node(graph, image)->shape};
        NodeId inside = pad_image(graph, build_constant(graph, type, true), &padding),
               below = build_f32(graph, (double)-INFINITY, (Shape){0});
        x = build_ternary(graph, OP_select, inside, x, below);
    }
    return evaluator_built(call->evaluator, call->span, build_max_pool(graph, x, &window));
}

/* avg_pool(x, kernel, stride, pad). The zeros of the padding count. The elements of a window are
 * added in row-major order. */
Value call_avg_pool(const Call *call) {
    Graph *graph = call->evaluator->graph;
    Window window = {.dilation = {1, 1}};
    Padding padding;
    if (!pool_window(call, &window, &padding)) return value_error();
    for (int i = 0; i < 2; i++)
        if (padding.before[i] > window.kernel[i] / 2)
            return call_fail(call, 3, "must be at most half of the kernel");
    NodeId x = pad_image(graph, tensor_f32(call->evaluator, call->args[0]), &padding);
    NodeId windows = build_windows(graph, build_channels_last(graph, x), &window);
    if (!windows) return evaluator_built(call->evaluator, call->span, NODE_NONE);
    Shape s = graph_node(graph, windows)->shape;
    int64_t taps = s.dim[3] * s.dim[4];
    NodeId merged = build_reshape(
        graph, windows, shape_of(5, (int64_t[]){s.dim[0], s.dim[1], s.dim[2], taps, s.dim[5]}));
    NodeId sum = build_reduce(graph, OP_sum, merged, 3, false);
    NodeId mean = build_binary(graph, OP_mul, sum, build_f32(graph, 1 / (double)taps, (Shape){0}));
    return evaluator_built(call->evaluator, call->span, build_channels_first(graph, mean));
}
