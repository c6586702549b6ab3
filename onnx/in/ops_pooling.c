/* Pooling, also of sequences as pictures of height 1. */
#include "onnx/in/windows.h"

#include <string.h>

/* ceil_mode adds a window for the remaining elements, if it begins inside the picture or its front
 * padding. */
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
    bool standard =
        window->stride[0] == window->kernel[0] && window->stride[1] == window->kernel[1];
    const char *stride = standard ? ""
                                  : arena_format(import->arena, ", stride = %s",
                                                 window_pair(import, window->stride));
    return arena_format(import->arena, "%s(%s%s%s%s)", name, window_pair(import, window->kernel),
                        stride, window_argument(import, "pad", window->before, 0),
                        window_argument(import, "dilation", window->dilation, 1));
}

/* Whether the layer can pad itself: equally on both sides, and by at most half of the kernel. */
static bool pads_itself(const Windowing *window) {
    return window_is_symmetric(window) && window->before[0] <= window->kernel[0] / 2 &&
           window->before[1] <= window->kernel[1] / 2;
}

/* For averages that do not count the padding: a constant [1, 1, H, W] of 1 / (elements of each
 * window that are inside the picture). */
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

/* A pooling layer, with a pad before it if the layer cannot pad itself. An average that does not
 * count the padding is the mean of the layer times (elements of a window) / (elements inside). */
bool op_pool(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    Windowing window;
    int64_t extra[2] = {0, 0};
    bool maximum = !strcmp(node->text, "max_pool"),
         count_padding = node_int(node, "count_include_pad", 0);
    if (node->out_count > 1 && node->out[1]->consumers)
        return node_fail(import, node, "the indices of maxima are not supported");
    if (!window_take(import, node, x, NULL, &window)) return false;
    if (!maximum && (window.dilation[0] != 1 || window.dilation[1] != 1))
        return node_fail(import, node, "averages with dilation are not supported");
    if (node_int(node, "ceil_mode", 0)) round_up(&window, extra);
    for (int i = 0; i < 2; i++) window.after[i] += extra[i];
    Windowing asked = window;
    bool pads = window.before[0] || window.before[1] || window.after[0] || window.after[1];
    Dim dims[4];
    x = window_picture(import, x, window.axes);
    if (!window_dims(import, node, x, &window, x->dims[1].size, dims)) return false;
    if (!pads_itself(&window))
        x = window_padded(import, x, &window, maximum ? "-3.4028235e38" : NULL);
    const char *text = pool_text(import, node->text, &window);
    bool corrected = !maximum && pads && (!count_padding || extra[0] || extra[1]);
    if (!corrected) {
        window_layer(import, node, x, &window, text, dims);
        return true;
    }
    Tensor *mean = inner_pipe(import, text, x);
    set_dims(mean, 4, dims);
    Tensor *factors = window_shares(import, &asked, dims, extra, count_padding);
    Tensor *both[] = {mean, factors};
    if (window.axes == 2)
        set_dims(make(import, node, 0, LEVEL_PRODUCT, "%06 * %17", 2, both), 4, dims);
    else
        window_give_sequence(import, node, inner(import, LEVEL_PRODUCT, "%06 * %17", 2, both),
                             dims);
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
