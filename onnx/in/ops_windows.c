/* Windows and convolution. Filters are brought to the layout of the language, which is PyTorch's.
 * */
#include "onnx/in/windows.h"

#include <string.h>

/* -- windows -- */

enum { LARGEST = 1 << 20 }; /* the largest kernel, stride and pad: their products cannot overflow */

static bool take_pair(const Import *import, const OpNode *node, const char *name, int axes,
                      int64_t standard, int64_t pair[2]) {
    uint32_t count;
    const int64_t *numbers = node_ints(node, name, &count);
    if (numbers && (int)count != axes)
        return node_fail(import, node, "%s has %u numbers, where %d are needed", name, count, axes);
    for (int i = 0; i < 2; i++) {
        int own = i - (2 - axes);
        pair[i] = own < 0 ? 1 : numbers ? numbers[own] : standard;
        if (pair[i] < 1 || pair[i] > LARGEST)
            return node_fail(import, node, "%s is %lld", name, (long long)pair[i]);
    }
    return true;
}

/* The padding for which the output has the size of the input divided by the stride. An odd element
 * is added at the end, or at the front. */
static void pad_same(Windowing *window, bool odd_in_front) {
    for (int i = 0; i < 2; i++) {
        int64_t size = window->size[i].size,
                out = (size + window->stride[i] - 1) / window->stride[i];
        int64_t all = (out - 1) * window->stride[i] +
                      window->dilation[i] * (window->kernel[i] - 1) + 1 - size;
        if (all < 0) all = 0;
        window->before[i] = odd_in_front ? all - all / 2 : all / 2;
        window->after[i] = all - window->before[i];
    }
}

static bool take_pads(const Import *import, const OpNode *node, Windowing *window) {
    uint32_t count;
    const int64_t *pads = node_ints(node, "pads", &count);
    const char *mode = node_string(node, "auto_pad", "NOTSET");
    memset(window->before, 0, sizeof window->before);
    memset(window->after, 0, sizeof window->after);
    if (!strcmp(mode, "SAME_UPPER") || !strcmp(mode, "SAME_LOWER"))
        return pad_same(window, !strcmp(mode, "SAME_LOWER")), true;
    if (pads && (int)count != 2 * window->axes)
        return node_fail(import, node, "pads has %u numbers", count);
    for (int i = 0; i < window->axes && pads && strcmp(mode, "VALID"); i++) {
        window->before[2 - window->axes + i] = pads[i];
        window->after[2 - window->axes + i] = pads[window->axes + i];
        if (pads[i] < 0 || pads[window->axes + i] < 0)
            return node_fail(import, node, "negative pads are not supported");
        if (pads[i] > LARGEST || pads[window->axes + i] > LARGEST)
            return node_fail(import, node, "its pads are too large");
    }
    return true;
}

bool window_take(const Import *import, const OpNode *node, const Tensor *x, const int64_t *kernel,
                 Windowing *window) {
    window->axes = x->rank - 2;
    if (window->axes < 1 || window->axes > 2)
        return node_fail(import, node, "it works on %d axes; 1 and 2 are supported", window->axes);
    window->size[0] = window->axes == 2 ? x->dims[2] : (Dim){1, false};
    window->size[1] = x->dims[x->rank - 1];
    if (window->size[0].rows || window->size[1].rows || x->dims[1].rows || !x->dims[0].rows)
        return node_fail(import, node, "its input %s is not a batch of pictures",
                         dims_text(import, x->dims, x->rank));
    if (!take_pair(import, node, "kernel_shape", window->axes, 0, window->kernel) && !kernel)
        return false;
    for (int i = 0; i < window->axes && kernel; i++)
        window->kernel[2 - window->axes + i] = kernel[i];
    if (kernel && window->axes == 1) window->kernel[0] = 1;
    return take_pair(import, node, "strides", window->axes, 1, window->stride) &&
           take_pair(import, node, "dilations", window->axes, 1, window->dilation) &&
           take_pads(import, node, window);
}

/* The text of the numbers: "3", or "[3, 5]". */
const char *window_pair(const Import *import, const int64_t pair[2]) {
    if (pair[0] == pair[1]) return arena_format(import->arena, "%lld", (long long)pair[0]);
    return arena_format(import->arena, "[%lld, %lld]", (long long)pair[0], (long long)pair[1]);
}

/* The text of an argument, ", NAME = VALUE"; "" if it has the default. */
const char *window_argument(const Import *import, const char *name, const int64_t pair[2],
                            int64_t standard) {
    if (pair[0] == standard && pair[1] == standard) return "";
    return arena_format(import->arena, ", %s = %s", name, window_pair(import, pair));
}

bool window_is_symmetric(const Windowing *window) {
    return window->before[0] == window->after[0] && window->before[1] == window->after[1];
}

/* Whether the padding is what the language calls "same": an odd element is at the end, and the
 * stride is 1. */
static bool is_same(const Windowing *window) {
    bool same = true;
    for (int i = 0; i < 2; i++) {
        int64_t all = window->dilation[i] * (window->kernel[i] - 1);
        same &= window->before[i] == all / 2 && window->after[i] == all - all / 2;
    }
    return same && (window->before[0] || window->before[1] || window->after[0] || window->after[1]);
}

/* [N, C, W] as pictures of height 1. */
Tensor *window_picture(Import *import, Tensor *x, int axes) {
    if (axes == 2) return x;
    Dim dims[] = {x->dims[0], x->dims[1], {1, false}, x->dims[2]};
    Tensor *y = inner_pipe(import, "unsqueeze(2)", x);
    set_dims(y, 4, dims);
    return y;
}

/* Pads the input where the layer cannot: with zeros or another number, before and after each
 * axis. */
Tensor *window_padded(Import *import, Tensor *x, Windowing *window, const char *below) {
    for (int i = 0; i < 2; i++) {
        int64_t before = window->before[i], after = window->after[i];
        if (!before && !after) continue;
        int axis = 2 + i;
        x = pad_with(import, x, below ? below : "0.0", axis, before, after);
        window->size[i] = x->dims[axis];
        window->before[i] = window->after[i] = 0;
    }
    return x;
}

bool window_dims(const Import *import, const OpNode *node, const Tensor *x, const Windowing *window,
                 int64_t channels, Dim dims[4]) {
    dims[0] = x->dims[0];
    dims[1] = (Dim){channels, false};
    for (int i = 0; i < 2; i++) {
        int64_t reach = 0, room = window->size[i].size + window->before[i] + window->after[i];
        if (__builtin_mul_overflow(window->dilation[i], window->kernel[i] - 1, &reach) ||
            reach + 1 > room)
            return node_fail(import, node, "its kernel is larger than its input");
        dims[2 + i] = (Dim){(room - reach - 1) / window->stride[i] + 1, false};
    }
    return true;
}

/* Gives a node on sequences its output: y without the axis of height 1. */
void window_give_sequence(Import *import, OpNode *node, Tensor *y, const Dim dims[4]) {
    set_dims(y, 4, dims);
    Dim flat[] = {dims[0], dims[1], dims[3]};
    set_dims(make_pipe(import, node, 0,
                       arena_format(import->arena, "reshape(%s)", dims_text(import, flat, 3)), y),
             3, flat);
}

/* The result of a layer in the shape of the file. In a file of sequences, the axis of height 1 is
 * removed. */
Tensor *window_layer(Import *import, OpNode *node, Tensor *x, const Windowing *window,
                     const char *text, const Dim dims[4]) {
    if (window->axes == 2) {
        Tensor *y = make_pipe(import, node, 0, text, x);
        set_dims(y, 4, dims);
        return y;
    }
    Tensor *y = inner_pipe(import, text, x);
    window_give_sequence(import, node, y, dims);
    return y;
}

/* The filters of a sequence, with a height of 1. */
static const Tensor *picture_filters(Import *import, const Tensor *weight, int axes) {
    if (axes == 2) return weight;
    int64_t dims[] = {weight->dims[0].size, weight->dims[1].size, 1, weight->dims[2].size};
    return reshaped(import, weight, 4, dims);
}

static bool filters_fit(const Import *import, const OpNode *node, const Tensor *x,
                        const Tensor *weight) {
    if (!weight->constant || !weight->reals)
        return node_fail(import, node, "its filters must be constants");
    if (weight->rank != x->rank || weight->count == 0)
        return node_fail(import, node, "its filters %s do not fit",
                         dims_text(import, weight->dims, weight->rank));
    return true;
}

static bool add_channel_bias(Import *import, OpNode *node, Layer *layer, int64_t channels) {
    const Tensor *bias = node->in_count > 2 ? node->in[2] : NULL;
    if (!bias) return true;
    if (!bias->constant || !bias->reals || bias->count != channels)
        return node_fail(import, node, "its bias must be a constant with %lld numbers",
                         (long long)channels);
    layer_add(layer, "bias", reshaped(import, bias, 1, &channels));
    return true;
}

/* conv(16, kernel = 3, ...), or depthwise(3, ...) */
static const char *conv_text(Import *import, const Windowing *window, int64_t in, int64_t channels,
                             int64_t groups, bool biased) {
    Arena *arena = import->arena;
    bool depthwise = groups == in && groups > 1;
    const char *first = depthwise
                            ? "depthwise("
                            : arena_format(arena, "conv(%lld, kernel = ", (long long)channels),
               *last = "", *pad = is_same(window) ? ", pad = \"same\"" : "";
    if (window_is_symmetric(window)) pad = window_argument(import, "pad", window->before, 0);
    if (depthwise && channels != in)
        last = arena_format(arena, ", multiplier = %lld", (long long)(channels / in));
    if (groups > 1 && !depthwise) last = arena_format(arena, ", groups = %lld", (long long)groups);
    return arena_format(arena, "%s%s%s%s%s%s%s)", first, window_pair(import, window->kernel),
                        window_argument(import, "stride", window->stride, 1), pad,
                        window_argument(import, "dilation", window->dilation, 1), last,
                        biased ? "" : ", " NO_BIAS);
}

bool op_conv(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    const Tensor *weight = node->in[1];
    Windowing window;
    int64_t kernel[2], groups = node_int(node, "group", 1), fixed[ONNX_MAX_RANK];
    if (!filters_fit(import, node, x, weight) || !fixed_dims(weight, fixed)) return false;
    for (int i = 0; i < weight->rank - 2 && i < 2; i++) kernel[i] = fixed[2 + i];
    if (!window_take(import, node, x, kernel, &window)) return false;
    int64_t in = x->dims[1].size, channels = fixed[0];
    if (groups < 1 || in % groups || channels % groups || fixed[1] != in / groups)
        return node_fail(import, node, "%lld groups do not fit its filters", (long long)groups);
    x = window_picture(import, x, window.axes);
    if (!window_is_symmetric(&window) && !is_same(&window))
        x = window_padded(import, x, &window, NULL);
    Dim dims[4];
    if (!window_dims(import, node, x, &window, channels, dims)) return false;
    bool biased = node->in_count > 2 && node->in[2];
    const char *text = conv_text(import, &window, in, channels, groups, biased);
    Tensor *y = window_layer(import, node, x, &window, text, dims);
    Layer *layer = layer_new(import, y, groups == in && groups > 1 ? "depthwise" : "conv");
    layer_add(layer, "weight", picture_filters(import, weight, window.axes));
    return add_channel_bias(import, node, layer, channels);
}

/* If output_shape gives the size of the result, the padding follows from it. */
static bool transposed_pads(const Import *import, const OpNode *node, Windowing *window,
                            int64_t output_pad[2]) {
    uint32_t count;
    const int64_t *shape = node_ints(node, "output_shape", &count);
    const char *mode = node_string(node, "auto_pad", "NOTSET");
    bool same = !strncmp(mode, "SAME", 4);
    if (!shape && !same) return true;
    if (shape && (int)count < window->axes)
        return node_fail(import, node, "output_shape has %u numbers", count);
    for (int i = 2 - window->axes; i < 2; i++) {
        int64_t wanted =
            shape ? shape[(int)count - 2 + i] : window->size[i].size * window->stride[i];
        int64_t all = (window->size[i].size - 1) * window->stride[i] +
                      window->dilation[i] * (window->kernel[i] - 1) + 1 + output_pad[i] - wanted;
        if (all < 0) output_pad[i] -= all, all = 0;
        bool upper = !strcmp(mode, "SAME_UPPER");
        window->before[i] = upper ? all / 2 : all - all / 2;
        window->after[i] = all - window->before[i];
    }
    return true;
}

/* The shape of the result. Elements that are only lost at the end are computed and then sliced
 * away: they are added to output_pad. */
static bool transposed_dims(const Import *import, const OpNode *node, Windowing *window,
                            int64_t output_pad[2], Dim dims[4]) {
    for (int i = 0; i < 2; i++) {
        if (window->before[i] > window->after[i])
            output_pad[i] += window->before[i] - window->after[i],
                window->after[i] = window->before[i];
        int64_t size = (window->size[i].size - 1) * window->stride[i] +
                       window->dilation[i] * (window->kernel[i] - 1) + 1 + output_pad[i] -
                       window->before[i] - window->after[i];
        dims[2 + i] = (Dim){size, false};
        if (size < 1) return node_fail(import, node, "its padding is larger than its result");
        if (output_pad[i] >= window->stride[i] && output_pad[i] >= window->dilation[i])
            return node_fail(import, node, "its output_padding is as large as its stride");
        if (window->after[i] != window->before[i])
            return node_fail(import, node,
                             "different padding before and after an axis is not supported");
    }
    return true;
}

/* conv_transpose(channels, ...): the filters [C, O / groups, KH, KW] are those of the layer.
 * output_padding, and padding that only the end has, become output_pad. */
bool op_conv_transpose(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    const Tensor *weight = node->in[1];
    Windowing window;
    int64_t kernel[2], groups = node_int(node, "group", 1), fixed[ONNX_MAX_RANK],
                       output_pad[2] = {0, 0};
    uint32_t count;
    const int64_t *extra = node_ints(node, "output_padding", &count);
    if (!filters_fit(import, node, x, weight) || !fixed_dims(weight, fixed)) return false;
    for (int i = 0; i < weight->rank - 2 && i < 2; i++) kernel[i] = fixed[2 + i];
    if (!window_take(import, node, x, kernel, &window)) return false;
    for (int i = 0; i < window.axes && extra && (int)count == window.axes; i++)
        output_pad[2 - window.axes + i] = extra[i];
    if (!transposed_pads(import, node, &window, output_pad)) return false;
    if (groups < 1 || fixed[0] != x->dims[1].size || fixed[0] % groups)
        return node_fail(import, node, "its filters do not fit its input");
    int64_t channels = fixed[1] * groups;
    x = window_picture(import, x, window.axes);
    Dim dims[4] = {x->dims[0], {channels, false}};
    if (!transposed_dims(import, node, &window, output_pad, dims)) return false;
    const char *grouped =
        groups > 1 ? arena_format(import->arena, ", groups = %lld", (long long)groups) : "";
    bool biased = node->in_count > 2 && node->in[2];
    const char *text = arena_format(import->arena, "conv_transpose(%lld, kernel = %s%s%s%s%s%s%s)",
                                    (long long)channels, window_pair(import, window.kernel),
                                    window_argument(import, "stride", window.stride, 1),
                                    window_argument(import, "pad", window.before, 0),
                                    window_argument(import, "output_pad", output_pad, 0),
                                    window_argument(import, "dilation", window.dilation, 1),
                                    grouped, biased ? "" : ", " NO_BIAS);
    Tensor *y = window_layer(import, node, x, &window, text, dims);
    Layer *layer = layer_new(import, y, "conv_transpose");
    layer_add(layer, "weight", picture_filters(import, weight, window.axes));
    return add_channel_bias(import, node, layer, channels);
}
