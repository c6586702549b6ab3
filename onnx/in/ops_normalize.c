/* Normalization by statistics of the row itself. */
#include "onnx/in/translate.h"

#include <string.h>

static const char *reshape_text(const Import *import, const Dim *dims, int rank) {
    return arena_format(import->arena, "reshape(%s)", dims_text(import, dims, rank));
}

/* x with all axes from `axis` on merged; false after reporting that they cannot be. */
static bool merged_dims(const Import *import, const OpNode *node, const Tensor *x, int axis,
                        Dim *dims) {
    int64_t width = 1;
    memcpy(dims, x->dims, (size_t)axis * sizeof *dims);
    for (int i = axis; i < x->rank; i++) {
        if (x->dims[i].rows) return node_fail(import, node, "it goes over the rows of the batch");
        if (__builtin_mul_overflow(width, x->dims[i].size, &width) || width > SHAPE_MAX_ELEMENTS)
            return node_fail(import, node, "its input is too large");
    }
    dims[axis] = (Dim){width, false};
    return true;
}

/* (x - mean(x)) / sqrt(var(x) + eps) * weight + bias over the axes from `axis` on, which become
 * one. A weight of another shape is multiplied afterwards. */
bool op_layer_norm(Import *import, OpNode *node) {
    Tensor *x = node->in[0], *whole = x;
    int axis;
    Dim dims[ONNX_MAX_RANK];
    bool bias = node->in_count > 2 && node->in[2];
    if (!axis_of(import, node, node_int(node, "axis", -1), x->rank, &axis) ||
        !merged_dims(import, node, x, axis, dims) ||
        !channel_constants(import, node, 1, bias ? 2 : 1, dims[axis].size))
        return false;
    bool merges = axis < x->rank - 1;
    if (merges) x = reshape_to(import, x, axis + 1, dims);
    Tensor *y = merges ? inner_pipe(import, "", x) : make_pipe(import, node, 0, "", x);
    y->eps = node_float(node, "epsilon", 1e-5F);
    Layer *layer = layer_new(import, y, "layer_norm");
    layer_add(layer, "weight", reshaped(import, node->in[1], 1, &dims[axis].size));
    if (bias) layer_add(layer, "bias", reshaped(import, node->in[2], 1, &dims[axis].size));
    y->text = norm_text(import, y, bias);
    if (merges)
        set_dims(make_pipe(import, node, 0, reshape_text(import, whole->dims, whole->rank), y),
                 whole->rank, whole->dims);
    return true;
}

/* A constant with an element for each channel, as one that is broadcast along axis 1. */
static Tensor *for_channels(Import *import, const Tensor *constant, int rank) {
    int64_t dims[ONNX_MAX_RANK] = {constant->count, 1, 1, 1, 1, 1, 1, 1};
    Tensor *aligned = tensor_new(import, "");
    *aligned = *reshaped(import, constant, rank - 1, dims);
    aligned->args = NULL;
    return aligned;
}

/* Normalizes over height and width, for each channel of each row. */
bool op_instance_norm(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    if (x->rank < 3 || !channel_constants(import, node, 1, 2, x->dims[1].size))
        return x->rank < 3 ? node_fail(import, node, "its input has no height and width") : false;
    const char *axes = "2";
    for (int i = 3; i < x->rank; i++) axes = arena_format(import->arena, "%s, %d", axes, i);
    Tensor *args[] = {x, for_channels(import, node->in[1], x->rank),
                      for_channels(import, node->in[2], x->rank)};
    make(
        import, node, 0, LEVEL_SUM,
        arena_format(
            import->arena,
            "(%%05 - mean(%%00, axis = [%s], keep = true)) / sqrt(var(%%00, axis = [%s], keep = true, correction = 0) + %s) * %%17 + %%26",
            axes, axes, real_text(import, node_float(node, "epsilon", 1e-5F))),
        3, args);
    return true;
}

/* A constant with an element for each channel; before opset 21 it has one for each group, which is
 * repeated. NULL after reporting that it is another one. */
static Tensor *for_groups(Import *import, const OpNode *node, uint32_t input, int64_t groups) {
    int64_t channels = node->in[0]->dims[1].size;
    Tensor *constant = node->in[input];
    bool grouped = constant->count == groups && constant->constant && constant->reals;
    if (!grouped && !channel_constants(import, node, input, input, channels)) return NULL;
    if (!grouped) return for_channels(import, constant, node->in[0]->rank);
    float *reals = ARENA_ARRAY(import->arena, float, channels);
    for (int64_t i = 0; i < channels; i++) reals[i] = constant->reals[i / (channels / groups)];
    Tensor *all = constant_reals(import, reals, 1, (Dim[]){{channels, false}});
    all->name = constant->name;
    all->trained = constant->trained;
    return for_channels(import, all, node->in[0]->rank);
}

/* A group of channels is a row of a layer_norm without weights. */
bool op_group_norm(Import *import, OpNode *node) {
    Tensor *x = node->in[0], *weight, *bias;
    int64_t groups = node_int(node, "num_groups", 0);
    if (x->rank < 3 || x->dims[1].rows || groups < 1 || x->dims[1].size % groups)
        return node_fail(import, node, "its channels cannot be divided into %lld groups",
                         (long long)groups);
    Dim all[ONNX_MAX_RANK], dims[] = {x->dims[0], {groups, false}, {0, false}};
    if (!merged_dims(import, node, x, 1, all) || !(weight = for_groups(import, node, 1, groups)) ||
        !(bias = for_groups(import, node, 2, groups)))
        return false;
    dims[2].size = all[1].size / groups;
    Tensor *norm = inner_pipe(import, "", reshape_to(import, x, 3, dims));
    norm->eps = node_float(node, "epsilon", 1e-5F);
    layer_new(import, norm, "layer_norm");
    norm->text = norm_text(import, norm, false);
    make(import, node, 0, LEVEL_SUM, "%06 * %17 + %26", 3,
         (Tensor *[]){reshape_to(import, norm, x->rank, x->dims), weight, bias});
    return true;
}

/* x / sqrt(mean(x^2) + eps) * weight over the axes from `axis` on */
bool op_rms_norm(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    int axis;
    Dim dims[ONNX_MAX_RANK];
    if (!axis_of(import, node, node_int(node, "axis", -1), x->rank, &axis) ||
        !merged_dims(import, node, x, axis, dims))
        return false;
    int rank;
    if (!broadcast_dims(import, node, x, node->in[1], &rank, dims)) return false;
    const char *axes = arena_format(import->arena, "%d", axis);
    for (int i = axis + 1; i < x->rank; i++) axes = arena_format(import->arena, "%s, %d", axes, i);
    if (axis < x->rank - 1) axes = arena_format(import->arena, "[%s]", axes);
    make(import, node, 0, LEVEL_PRODUCT,
         arena_format(import->arena,
                      "%%06 / sqrt(mean(%%09 ** 2, axis = %s, keep = true) + %s) * %%17", axes,
                      real_text(import, node_float(node, "epsilon", 1e-5F))),
         2, node->in);
    return true;
}

/* x / (bias + alpha / size * s)^beta, where s adds the squares of `size` channels, of which more
 * stand behind than before if it is even. */
bool op_local_norm(Import *import, OpNode *node) {
    enum { MAX_CHANNELS = 64 };
    Tensor *x = node->in[0];
    int64_t size = node_int(node, "size", 0), before = (size - 1) / 2;
    if (x->rank < 2 || x->dims[1].rows || size < 1 || size > MAX_CHANNELS)
        return node_fail(import, node, "it cannot add %lld channels", (long long)size);
    Tensor *squares = inner(import, LEVEL_POWER, "%09 ** 2", 1, &x);
    if (size > 1) squares = pad_with(import, squares, "0.0", 1, before, size - 1 - before);
    squares->apart = true;
    const char *sum = "";
    for (int64_t i = 0; i < size; i++)
        sum = arena_format(import->arena, "%s%s%%19[:, %lld:%lld]", sum, i ? " + " : "",
                           (long long)i, (long long)(i + x->dims[1].size));
    float scale = node_float(node, "alpha", 1e-4F) / (float)size;
    make(import, node, 0, LEVEL_PRODUCT,
         arena_format(import->arena, "%%06 / (%s + %s * (%s)) ** %s",
                      real_text(import, node_float(node, "bias", 1)), real_text(import, scale), sum,
                      real_text(import, node_float(node, "beta", 0.75F))),
         2, (Tensor *[]){x, squares});
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
