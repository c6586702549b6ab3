/* Layers with weights, and pooling. Weights are brought to the layout of the language, which is
 * PyTorch's. */
#include "onnx/in/translate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* -- dense -- */

/* The text says that there is no bias, until there is one. */
#define NO_BIAS "bias = false"

const char *layer_text_with_bias(const Import *import, const char *text) {
    const char *at = strstr(text, ", " NO_BIAS);
    if (!at) return text;
    return arena_format(import->arena, "%.*s%s", (int)(at - text), text, at + strlen(", " NO_BIAS));
}

/* Numbers times a factor: alpha and beta of Gemm. */
static const Tensor *scaled(Import *import, const Tensor *constant, float factor) {
    if (factor == 1) return constant;
    float *reals = ARENA_ARRAY(import->arena, float, constant->count);
    for (int64_t i = 0; i < constant->count; i++) reals[i] = factor * constant->reals[i];
    Tensor *result = tensor_new(import, constant->name);
    *result = *constant;
    result->reals = reals;
    return result;
}

/* weight [out, in]. The layer works on the last axis of x. */
static Tensor *make_dense(Import *import, OpNode *node, Tensor *x, const Tensor *weight) {
    Dim dims[ONNX_MAX_RANK];
    memcpy(dims, x->dims, sizeof dims);
    dims[x->rank - 1] = weight->dims[0];
    Tensor *y = make_pipe(
        import, node, 0,
        arena_format(import->arena, "dense(%lld, " NO_BIAS ")", (long long)weight->dims[0].size),
        x);
    set_dims(y, x->rank, dims);
    layer_add(layer_new(import, y, "dense"), "weight", weight);
    return y;
}

static bool is_matrix(const Tensor *tensor) {
    return tensor->constant && tensor->reals && tensor->rank == 2 && tensor->count > 0;
}

static const int exchange[] = {1, 0};

static bool inner_axis_fits(const Import *import, const OpNode *node, Dim a, Dim b) {
    if (dim_equal(a, b) && !a.rows) return true;
    return node_fail(import, node, "the product adds over an axis of %s and one of %s",
                     dim_text(import, a), dim_text(import, b));
}

bool op_matmul(Import *import, OpNode *node) {
    Tensor *a = node->in[0], *b = node->in[1];
    if (a->rank < 2 || b->rank < 2)
        return node_fail(import, node, "products of vectors are not supported");
    if (!inner_axis_fits(import, node, a->dims[a->rank - 1], b->dims[b->rank - 2])) return false;
    if (is_matrix(b) && b->consumers == 1 && !a->constant) {
        make_dense(import, node, a, transposed(import, b, 2, exchange));
        return true;
    }
    /* leading axes are repeated, the last two are those of the product */
    Tensor left = *a, right = *b;
    left.rank -= 2;
    right.rank -= 2;
    int rank;
    Dim dims[ONNX_MAX_RANK + 2];
    if (!broadcast_dims(import, node, &left, &right, &rank, dims)) return false;
    dims[rank] = a->dims[a->rank - 2];
    dims[rank + 1] = b->dims[b->rank - 1];
    if (rank + 2 > SHAPE_MAX_RANK)
        return node_fail(import, node, "it has %d axes; at most %d are supported", rank + 2,
                         SHAPE_MAX_RANK);
    Tensor *y = make(import, node, 0, node->level, node->text, 2, node->in);
    set_dims(y, rank + 2, dims);
    return true;
}

/* The bias of each output, [N], [1, N] or one number for all; NULL: it has another shape. */
static const Tensor *bias_of(Import *import, const Tensor *bias, int64_t width) {
    if (!bias->constant || !bias->reals || (bias->count != width && bias->count != 1)) return NULL;
    if (bias->rank > 2 || (bias->rank == 2 && bias->dims[0].size != 1)) return NULL;
    if (bias->count == width) return reshaped(import, bias, 1, &width);
    float *reals = ARENA_ARRAY(import->arena, float, width);
    for (int64_t i = 0; i < width; i++) reals[i] = bias->reals[0];
    return constant_reals(import, reals, 1, (Dim[]){{width, false}});
}

static Tensor *flipped(Import *import, Tensor *x) {
    if (x->constant) {
        Tensor *y = tensor_new(import, x->name);
        *y = *transposed(import, x, 2, exchange);
        y->args = NULL;
        return y;
    }
    Tensor *y = inner_pipe(import, "transpose", x);
    set_dims(y, 2, (Dim[]){x->dims[1], x->dims[0]});
    return y;
}

/* alpha A B + beta C, where A and B may be transposed */
bool op_gemm(Import *import, OpNode *node) {
    Tensor *a = node->in[0], *b = node->in[1], *c = node->in_count > 2 ? node->in[2] : NULL;
    float alpha = node_float(node, "alpha", 1), beta = node_float(node, "beta", 1);
    if (import->model->opset < 7 && c && node_int(node, "broadcast", 0) == 0 && c->constant &&
        c->rank < 2 && c->count > 1)
        c = node->in[2];
    if (a->rank != 2 || b->rank != 2)
        return node_fail(import, node, "its operands must be matrices");
    if (node_int(node, "transA", 0)) a = flipped(import, a);
    if (!inner_axis_fits(import, node, a->dims[1], b->dims[node_int(node, "transB", 0) ? 1 : 0]))
        return false;
    int64_t width = b->dims[node_int(node, "transB", 0) ? 0 : 1].size;
    const Tensor *bias = c && beta != 0 ? bias_of(import, c, width) : NULL;
    if (is_matrix(b) && b->consumers == 1 && !a->constant && (bias || !c || beta == 0)) {
        const Tensor *weight = node_int(node, "transB", 0) ? b : transposed(import, b, 2, exchange);
        Tensor *y = make_dense(import, node, a, scaled(import, weight, alpha));
        if (!bias) return true;
        layer_add(y->layer, "bias", scaled(import, bias, beta));
        y->text = layer_text_with_bias(import, y->text);
        return true;
    }
    if (node_int(node, "transB", 0)) b = flipped(import, b);
    Dim dims[] = {a->dims[0], b->dims[1]};
    const char *product =
        alpha == 1 ? "%06 @ %17"
                   : arena_format(import->arena, "%s * (%%06 @ %%17)", real_text(import, alpha));
    if (!c || beta == 0) {
        set_dims(make(import, node, 0, LEVEL_PRODUCT, product, 2, (Tensor *[]){a, b}), 2, dims);
        return true;
    }
    Tensor *y = inner(import, LEVEL_PRODUCT, product, 2, (Tensor *[]){a, b});
    set_dims(y, 2, dims);
    const char *sum =
        beta == 1 ? "%05 + %16"
                  : arena_format(import->arena, "%%05 + %s * %%17", real_text(import, beta));
    set_dims(make(import, node, 0, LEVEL_SUM, sum, 2, (Tensor *[]){y, c}), 2, dims);
    return true;
}

/* -- windows: convolution and pooling -- */

enum {
    LARGEST = 1 << 20
}; /* of kernels, strides and pads: products of them stay far from overflow */

/* Height and width. Of sequences [N, C, W] the height is 1. */
typedef struct {
    int64_t kernel[2], stride[2], dilation[2], before[2], after[2];
    Dim size[2];
    int axes; /* 1 or 2 */
} Windowing;

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

/* As many as keep the size, divided by the stride: the odd one behind, or in front. */
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

static bool take_window(const Import *import, const OpNode *node, const Tensor *x,
                        const int64_t *kernel, Windowing *window) {
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

/* "3", or "[3, 5]" */
static const char *pair_text(const Import *import, const int64_t pair[2]) {
    if (pair[0] == pair[1]) return arena_format(import->arena, "%lld", (long long)pair[0]);
    return arena_format(import->arena, "[%lld, %lld]", (long long)pair[0], (long long)pair[1]);
}

/* ", NAME = VALUE", or nothing where it is the default. */
static const char *pair_argument(const Import *import, const char *name, const int64_t pair[2],
                                 int64_t standard) {
    if (pair[0] == standard && pair[1] == standard) return "";
    return arena_format(import->arena, ", %s = %s", name, pair_text(import, pair));
}

static bool is_symmetric(const Windowing *window) {
    return window->before[0] == window->after[0] && window->before[1] == window->after[1];
}

/* "same" of the language: the odd one behind, with stride 1. */
static bool is_same(const Windowing *window) {
    bool same = true;
    for (int i = 0; i < 2; i++) {
        int64_t all = window->dilation[i] * (window->kernel[i] - 1);
        same &= window->before[i] == all / 2 && window->after[i] == all - all / 2;
    }
    return same && (window->before[0] || window->before[1] || window->after[0] || window->after[1]);
}

static const char *pad_argument(const Import *import, const Windowing *window) {
    if (is_symmetric(window)) return pair_argument(import, "pad", window->before, 0);
    return is_same(window) ? ", pad = \"same\"" : "";
}

/* [N, C, W] as pictures of height 1. */
static Tensor *as_picture(Import *import, Tensor *x, int axes) {
    if (axes == 2) return x;
    Dim dims[] = {x->dims[0], x->dims[1], {1, false}, x->dims[2]};
    Tensor *y = inner_pipe(import, "unsqueeze(2)", x);
    set_dims(y, 4, dims);
    return y;
}

/* Padding that the layer cannot say: zeros, or another number, in front of and behind each axis. */
static Tensor *padded(Import *import, Tensor *x, Windowing *window, const char *below) {
    Dim dims[ONNX_MAX_RANK];
    memcpy(dims, x->dims, sizeof dims);
    for (int i = 0; i < 2; i++) {
        int64_t before = window->before[i], after = window->after[i];
        if (!before && !after) continue;
        Dim ends[2][4];
        int axis = 2 + i;
        if (!below) {
            x = inner_pipe(import,
                           arena_format(import->arena, "pad(%lld, %lld, axis = %d)",
                                        (long long)before, (long long)after, axis),
                           x);
        } else {
            for (int e = 0; e < 2; e++) {
                memcpy(ends[e], dims, sizeof ends[e]);
                ends[e][axis].size = e ? after : before;
            }
            const char *front = arena_format(import->arena, "expand(%s, %s), ", below,
                                             dims_text(import, ends[0], 4));
            const char *back = arena_format(import->arena, ", expand(%s, %s)", below,
                                            dims_text(import, ends[1], 4));
            x = inner(import, LEVEL_ATOM,
                      arena_format(import->arena, "concat([%s%%00%s], axis = %d)",
                                   before ? front : "", after ? back : "", axis),
                      1, &x);
        }
        dims[axis].size += before + after;
        set_dims(x, 4, dims);
        window->size[i] = dims[axis];
        window->before[i] = window->after[i] = 0;
    }
    return x;
}

static bool window_dims(const Import *import, const OpNode *node, const Tensor *x,
                        const Windowing *window, int64_t channels, Dim dims[4]) {
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

/* The output of a node on sequences: y, of pictures of height 1, without this axis. */
static void give_sequence(Import *import, OpNode *node, Tensor *y, const Dim dims[4]) {
    set_dims(y, 4, dims);
    Dim flat[] = {dims[0], dims[1], dims[3]};
    set_dims(make_pipe(import, node, 0,
                       arena_format(import->arena, "reshape(%s)", dims_text(import, flat, 3)), y),
             3, flat);
}

/* The picture that a layer has made, in the shape of the file. The layer is the output itself,
 * unless the file has sequences. */
static Tensor *layer_output(Import *import, OpNode *node, Tensor *x, const Windowing *window,
                            const char *text, const Dim dims[4]) {
    if (window->axes == 2) {
        Tensor *y = make_pipe(import, node, 0, text, x);
        set_dims(y, 4, dims);
        return y;
    }
    Tensor *y = inner_pipe(import, text, x);
    give_sequence(import, node, y, dims);
    return y;
}

/* The filters of the file as those of a picture of height 1. */
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

bool op_conv(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    const Tensor *weight = node->in[1];
    Windowing window;
    int64_t kernel[2], groups = node_int(node, "group", 1), fixed[ONNX_MAX_RANK];
    if (!filters_fit(import, node, x, weight) || !fixed_dims(weight, fixed)) return false;
    for (int i = 0; i < weight->rank - 2 && i < 2; i++) kernel[i] = fixed[2 + i];
    if (!take_window(import, node, x, kernel, &window)) return false;
    int64_t in = x->dims[1].size, channels = fixed[0];
    if (groups < 1 || in % groups || channels % groups || fixed[1] != in / groups)
        return node_fail(import, node, "%lld groups do not fit its filters", (long long)groups);
    x = as_picture(import, x, window.axes);
    if (!is_symmetric(&window) && !is_same(&window)) x = padded(import, x, &window, NULL);
    Dim dims[4];
    if (!window_dims(import, node, x, &window, channels, dims)) return false;
    bool depthwise = groups == in && groups > 1, biased = node->in_count > 2 && node->in[2];
    const char *multiplier =
        depthwise && channels != in
            ? arena_format(import->arena, ", multiplier = %lld", (long long)(channels / in))
            : "";
    const char *first =
        depthwise ? "depthwise("
                  : arena_format(import->arena, "conv(%lld, kernel = ", (long long)channels);
    const char *grouped = groups > 1 && !depthwise
                              ? arena_format(import->arena, ", groups = %lld", (long long)groups)
                              : "";
    const char *text = arena_format(
        import->arena, "%s%s%s%s%s%s%s%s)", first, pair_text(import, window.kernel),
        pair_argument(import, "stride", window.stride, 1), pad_argument(import, &window),
        pair_argument(import, "dilation", window.dilation, 1), grouped, multiplier,
        biased ? "" : ", " NO_BIAS);
    Tensor *y = layer_output(import, node, x, &window, text, dims);
    Layer *layer = layer_new(import, y, depthwise ? "depthwise" : "conv");
    layer_add(layer, "weight", picture_filters(import, weight, window.axes));
    return add_channel_bias(import, node, layer, channels);
}

/* output_shape says the size of the result, so that the padding follows. */
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
    if (!take_window(import, node, x, kernel, &window)) return false;
    for (int i = 0; i < window.axes && extra && (int)count == window.axes; i++)
        output_pad[2 - window.axes + i] = extra[i];
    if (!transposed_pads(import, node, &window, output_pad)) return false;
    if (groups < 1 || fixed[0] != x->dims[1].size || fixed[0] % groups)
        return node_fail(import, node, "its filters do not fit its input");
    int64_t channels = fixed[1] * groups;
    x = as_picture(import, x, window.axes);
    Dim dims[4] = {x->dims[0], {channels, false}};
    for (int i = 0; i < 2; i++) {
        /* what is cut off behind and not in front is made, and then sliced away */
        if (window.before[i] > window.after[i])
            output_pad[i] += window.before[i] - window.after[i], window.after[i] = window.before[i];
        dims[2 + i] = (Dim){(window.size[i].size - 1) * window.stride[i] +
                                window.dilation[i] * (window.kernel[i] - 1) + 1 + output_pad[i] -
                                window.before[i] - window.after[i],
                            false};
        if (dims[2 + i].size < 1) return node_fail(import, node, "its padding leaves nothing");
        if (output_pad[i] >= window.stride[i] && output_pad[i] >= window.dilation[i])
            return node_fail(import, node, "its output_padding is as large as its stride");
        if (window.after[i] != window.before[i])
            return node_fail(import, node, "more padding behind than in front is not supported");
    }
    const char *grouped =
        groups > 1 ? arena_format(import->arena, ", groups = %lld", (long long)groups) : "";
    bool biased = node->in_count > 2 && node->in[2];
    const char *text = arena_format(
        import->arena, "conv_transpose(%lld, kernel = %s%s%s%s%s%s%s)", (long long)channels,
        pair_text(import, window.kernel), pair_argument(import, "stride", window.stride, 1),
        pair_argument(import, "pad", window.before, 0),
        pair_argument(import, "output_pad", output_pad, 0),
        pair_argument(import, "dilation", window.dilation, 1), grouped, biased ? "" : ", " NO_BIAS);
    Tensor *y = layer_output(import, node, x, &window, text, dims);
    Layer *layer = layer_new(import, y, "conv_transpose");
    layer_add(layer, "weight", picture_filters(import, weight, window.axes));
    return add_channel_bias(import, node, layer, channels);
}

/* -- pooling -- */

/* ceil_mode: a window more where a remainder is left, if it begins inside of the picture or its
 * front padding. */
static void round_up(Windowing *window, int64_t extra[2]) {
    for (int i = 0; i < 2; i++) {
        int64_t reach = window->dilation[i] * (window->kernel[i] - 1) + 1,
                room = window->size[i].size + window->before[i] + window->after[i];
        extra[i] = 0;
        if (room < reach || (room - reach) % window->stride[i] == 0) continue;
        int64_t begin = ((room - reach) / window->stride[i] + 1) * window->stride[i];
        if (begin < window->size[i].size + window->before[i]) extra[i] = begin + reach - room;
    }
}

static const char *pool_text(const Import *import, const char *name, const Windowing *window) {
    bool own = window->stride[0] == window->kernel[0] && window->stride[1] == window->kernel[1];
    const char *stride =
        own ? "" : arena_format(import->arena, ", stride = %s", pair_text(import, window->stride));
    return arena_format(import->arena, "%s(%s%s%s%s)", name, pair_text(import, window->kernel),
                        stride, pair_argument(import, "pad", window->before, 0),
                        pair_argument(import, "dilation", window->dilation, 1));
}

/* Whether the layer can pad by itself: as much on both sides, and at most half of the kernel. */
static bool pads_itself(const Windowing *window) {
    return is_symmetric(window) && window->before[0] <= window->kernel[0] / 2 &&
           window->before[1] <= window->kernel[1] / 2;
}

/* 1 / how much of each window lies in the picture, for averages that do not count the padding: a
 * constant [1, 1, H, W]. */
static Tensor *window_shares(Import *import, const Windowing *window, const Dim dims[4],
                             const int64_t extra[2], bool count_padding) {
    float *reals = ARENA_ARRAY(import->arena, float, dims[2].size *dims[3].size);
    int64_t taps = window->kernel[0] * window->kernel[1];
    for (int64_t at = 0; at < dims[2].size * dims[3].size; at++) {
        int64_t inside = 1;
        for (int i = 0; i < 2; i++) {
            int64_t begin = (i ? at % dims[3].size : at / dims[3].size) * window->stride[i],
                    own = 0;
            int64_t low = count_padding ? 0 : window->before[i],
                    high = window->before[i] + window->size[i].size +
                           (count_padding ? window->after[i] - extra[i] : 0);
            for (int64_t k = 0; k < window->kernel[i]; k++)
                own += begin + k * window->dilation[i] >= low &&
                       begin + k * window->dilation[i] < high;
            inside *= own ? own : 1;
        }
        reals[at] = (float)((double)taps / (double)inside);
    }
    return constant_reals(import, reals, 4, (Dim[]){{1, false}, {1, false}, dims[2], dims[3]});
}

bool op_pool(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    Windowing window;
    int64_t extra[2] = {0, 0};
    bool maximum = !strcmp(node->text, "max_pool"),
         count_padding = node_int(node, "count_include_pad", 0);
    if (node->out_count > 1 && node->out[1]->consumers)
        return node_fail(import, node, "places of maxima are not supported");
    if (!take_window(import, node, x, NULL, &window)) return false;
    if (!maximum && (window.dilation[0] != 1 || window.dilation[1] != 1))
        return node_fail(import, node, "averages with dilation are not supported");
    if (node_int(node, "ceil_mode", 0)) round_up(&window, extra);
    for (int i = 0; i < 2; i++) window.after[i] += extra[i];
    Windowing asked = window;
    bool pads = window.before[0] || window.before[1] || window.after[0] || window.after[1];
    Dim dims[4];
    x = as_picture(import, x, window.axes);
    if (!window_dims(import, node, x, &window, x->dims[1].size, dims)) return false;
    if (!pads_itself(&window)) x = padded(import, x, &window, maximum ? "-3.4028235e38" : NULL);
    bool shares = !maximum && pads && (!count_padding || extra[0] || extra[1]);
    if (!shares)
        return layer_output(import, node, x, &window, pool_text(import, node->text, &window), dims),
               true;
    Tensor *mean = inner_pipe(import, pool_text(import, node->text, &window), x);
    set_dims(mean, 4, dims);
    Tensor *factors = window_shares(import, &asked, dims, extra, count_padding);
    if (window.axes == 2)
        return set_dims(make(import, node, 0, LEVEL_PRODUCT, "%06 * %17", 2,
                             (Tensor *[]){mean, factors}),
                        4, dims),
               true;
    Tensor *y = inner(import, LEVEL_PRODUCT, "%06 * %17", 2, (Tensor *[]){mean, factors});
    give_sequence(import, node, y, dims);
    return true;
}

bool op_global_pool(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    Dim dims[ONNX_MAX_RANK];
    const char *axes = "[2";
    if (x->rank < 3) return node_fail(import, node, "its input has no height and width");
    for (int i = 0; i < x->rank; i++) dims[i] = i < 2 ? x->dims[i] : (Dim){1, false};
    for (int i = 3; i < x->rank; i++) axes = arena_format(import->arena, "%s, %d", axes, i);
    Tensor *y =
        make_pipe(import, node, 0,
                  arena_format(import->arena, "%s(axis = %s], keep = true)", node->text, axes), x);
    set_dims(y, x->rank, dims);
    return true;
}

/* -- normalization -- */

static bool channel_constants(const Import *import, const OpNode *node, uint32_t first,
                              uint32_t last, int64_t channels) {
    for (uint32_t i = first; i <= last; i++)
        if (!node->in[i]->constant || !node->in[i]->reals || node->in[i]->count != channels)
            return node_fail(import, node, "its input %u must be a constant with %lld numbers", i,
                             (long long)channels);
    return true;
}

/* momentum is 1 - PyTorch's. */
bool op_batch_norm(Import *import, OpNode *node) {
    static const char *const roles[] = {NULL, "weight", "bias", "running_mean", "running_var"};
    Tensor *x = node->in[0];
    float eps = node_float(node, "epsilon", 1e-5F), momentum = node_float(node, "momentum", 0.9F);
    bool training = node_int(node, "training_mode", 0);
    for (uint32_t i = 1; i < node->out_count; i++)
        training |= *node->out[i]->name && node->out[i]->consumers;
    if (training) {
        node_fail(import, node, "it is in the form of the training");
        diag_help(import->diag, "export the network after model.eval()");
        return false;
    }
    if (x->rank < 2 || x->dims[1].rows) return node_fail(import, node, "its input has no channels");
    if (import->model->opset < 9 && !node_int(node, "spatial", 1) && x->rank > 2)
        return node_fail(import, node, "spatial = 0 is not supported");
    if (!channel_constants(import, node, 1, 4, x->dims[1].size)) return false;
    const char *text = "batch_norm";
    const char *eps_text =
        eps == 1e-5F ? "" : arena_format(import->arena, "eps = %s", real_text(import, eps));
    const char *rate = fabsf(momentum - 0.9F) < 1e-6F
                           ? ""
                           : arena_format(import->arena, "momentum = %s",
                                          real_text(import, (float)(1 - (double)momentum)));
    if (momentum < 0 || momentum > 1) rate = "";
    if (*eps_text || *rate)
        text = arena_format(import->arena, "batch_norm(%s%s%s)", rate,
                            *rate && *eps_text ? ", " : "", eps_text);
    Tensor *y = make_pipe(import, node, 0, text, x);
    Layer *layer = layer_new(import, y, "batch_norm");
    for (uint32_t i = 1; i <= 4; i++)
        layer_add(layer, roles[i], reshaped(import, node->in[i], 1, &x->dims[1].size));
    return true;
}

const char *norm_text(const Import *import, const Tensor *norm, bool bias) {
    const char *eps = norm->eps == 1e-5F
                          ? ""
                          : arena_format(import->arena, "eps = %s", real_text(import, norm->eps));
    const char *parts = norm->layer->count == 0 ? "affine = false" : bias ? "" : NO_BIAS;
    if (!*eps && !*parts) return "layer_norm";
    return arena_format(import->arena, "layer_norm(%s%s%s)", eps, *eps && *parts ? ", " : "",
                        parts);
}

bool op_layer_norm(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    int axis;
    int64_t width = x->rank ? x->dims[x->rank - 1].size : 0;
    if (!axis_of(import, node, node_int(node, "axis", -1), x->rank, &axis)) return false;
    if (axis != x->rank - 1)
        return node_fail(import, node, "layer norm over several axes is not supported");
    bool bias = node->in_count > 2 && node->in[2];
    if (!channel_constants(import, node, 1, bias ? 2 : 1, width)) return false;
    Tensor *y = make_pipe(import, node, 0, "", x);
    y->eps = node_float(node, "epsilon", 1e-5F);
    Layer *layer = layer_new(import, y, "layer_norm");
    layer_add(layer, "weight", reshaped(import, node->in[1], 1, &width));
    if (bias) layer_add(layer, "bias", reshaped(import, node->in[2], 1, &width));
    y->text = norm_text(import, y, bias);
    return true;
}

/* Over height and width of each channel of each row. */
bool op_instance_norm(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    if (x->rank < 3 || !channel_constants(import, node, 1, 2, x->dims[1].size))
        return x->rank < 3 ? node_fail(import, node, "its input has no height and width") : false;
    int64_t dims[ONNX_MAX_RANK] = {x->dims[1].size, 1, 1, 1, 1, 1, 1, 1};
    const char *axes = "2";
    for (int i = 3; i < x->rank; i++) axes = arena_format(import->arena, "%s, %d", axes, i);
    Tensor *args[] = {x, tensor_new(import, ""), tensor_new(import, "")};
    for (uint32_t i = 1; i <= 2; i++) {
        *args[i] = *reshaped(import, node->in[i], x->rank - 1, dims);
        args[i]->args = NULL;
    }
    make(
        import, node, 0, LEVEL_SUM,
        arena_format(
            import->arena,
            "(%%05 - mean(%%00, axis = [%s], keep = true)) / sqrt(var(%%00, axis = [%s], keep = true, correction = 0) + %s) * %%17 + %%26",
            axes, axes, real_text(import, node_float(node, "epsilon", 1e-5F))),
        3, args);
    return true;
}

bool op_lp_norm(Import *import, OpNode *node) {
    int axis;
    if (!axis_of(import, node, node_int(node, "axis", -1), node->in[0]->rank, &axis)) return false;
    const char *format =
        node_int(node, "p", 2) == 1 ? "%06 / sum(abs(%00), axis = " : "%06 / norm(%00, axis = ";
    make(import, node, 0, LEVEL_PRODUCT,
         arena_format(import->arena, "%s%d, keep = true)", format, axis), 1, node->in);
    return true;
}

/* coefficients [outputs, inputs] and intercepts */
bool op_linear_ml(Import *import, OpNode *node) {
    const OnnxAttribute *weights = onnx_attribute(node->onnx, "coefficients"),
                        *bias = onnx_attribute(node->onnx, "intercepts");
    Tensor *x = node->in[0];
    if (x->rank != 2 || !weights || x->dims[1].size < 1 || weights->count % x->dims[1].size)
        return node_fail(import, node, "its coefficients do not fit");
    int64_t width = weights->count / x->dims[1].size;
    if (!strcmp(node->onnx->op, "LinearClassifier"))
        return node_fail(import, node, "linear classifiers of scikit-learn are not supported");
    const Tensor *matrix =
        constant_reals(import, weights->floats, 2, (Dim[]){{width, false}, x->dims[1]});
    Tensor *y = make_dense(import, node, x, matrix);
    if (!bias || bias->count != width) return true;
    layer_add(y->layer, "bias", constant_reals(import, bias->floats, 1, (Dim[]){{width, false}}));
    y->text = layer_text_with_bias(import, y->text);
    return true;
}
