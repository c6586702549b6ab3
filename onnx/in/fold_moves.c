/* Folding of nodes that move elements, and of casts. */
#include "onnx/in/fold.h"

#include <math.h>

bool fold_cast(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    int64_t to = node_int(node, "to", ONNX_FLOAT);
    bool real = to == ONNX_FLOAT || to == ONNX_FLOAT16 || to == ONNX_DOUBLE || to == ONNX_BFLOAT16;
    Tensor *tensor = fold_like(import, x);
    tensor->kind = real ? KIND_REAL : to == ONNX_BOOL ? KIND_BOOL : KIND_WHOLE;
    if (real && !x->reals) {
        float *reals = ARENA_ARRAY(import->arena, float, x->count);
        for (int64_t i = 0; i < x->count; i++) {
            if (x->wholes[i].rows)
                return node_fail(import, node, "it converts the number of rows to a real number");
            reals[i] = (float)x->wholes[i].size;
        }
        tensor->reals = reals;
        tensor->wholes = NULL;
    }
    if (!real) {
        Dim *wholes = ARENA_ARRAY(import->arena, Dim, x->count);
        for (int64_t i = 0; i < x->count; i++) {
            wholes[i] = x->reals
                            ? (Dim){fabsf(x->reals[i]) < 9e18F ? (int64_t)x->reals[i] : 0, false}
                            : x->wholes[i];
            if (to == ONNX_BOOL)
                wholes[i] = (Dim){x->reals ? x->reals[i] != 0 : x->wholes[i].size != 0, false};
        }
        tensor->wholes = wholes;
        tensor->reals = NULL;
    }
    return fold_give(node, tensor);
}

/* Resolves a shape: 0 keeps the size of the input, -1 takes the remaining elements. false: the
 * elements do not fit. */
static bool resolve_shape(const Tensor *x, const int64_t *wanted, uint32_t count, bool zero_is_zero,
                          Dim *dims) {
    int64_t known = 1;
    int rest = -1;
    for (uint32_t i = 0; i < count; i++) {
        int64_t size =
            wanted[i] == 0 && !zero_is_zero && (int)i < x->rank ? x->dims[i].size : wanted[i];
        dims[i] = (Dim){size, false};
        if (size == -1 && rest < 0)
            rest = (int)i;
        else if (size < 0 || __builtin_mul_overflow(known, size, &known))
            return false;
    }
    if (rest >= 0 && (known == 0 || x->count % known)) return false;
    if (rest >= 0) dims[rest].size = x->count / known;
    return rest >= 0 || known == x->count;
}

bool fold_reshape(Import *import, OpNode *node) {
    const int64_t *wanted;
    uint32_t count;
    Dim dims[ONNX_MAX_RANK];
    if (!(wanted = node_ints(node, "shape", &count)) &&
        !node_constant(import, node, 1, &wanted, &count))
        return false;
    if (count > ONNX_MAX_RANK ||
        !resolve_shape(node->in[0], wanted, count, node_int(node, "allowzero", 0), dims))
        return node_fail(import, node, "the shape does not fit");
    Tensor *tensor = fold_like(import, node->in[0]);
    set_dims(tensor, (int)count, dims);
    return fold_give(node, tensor);
}

bool fold_unsqueeze(Import *import, OpNode *node) {
    int64_t axes[ONNX_MAX_RANK];
    uint32_t count;
    bool given;
    Tensor *tensor = fold_like(import, node->in[0]);
    if (!node_ints(node, "axes", &count) && (node->in_count < 2 || !node->in[1]))
        return node_fail(import, node, "it has no axes");
    const Tensor *list = node->in_count > 1 ? node->in[1] : NULL;
    int rank = tensor->rank + (int)(list && list->constant ? list->count : count);
    if (rank > ONNX_MAX_RANK || !node_axes(import, node, 1, rank, axes, &count, &given))
        return rank > ONNX_MAX_RANK ? node_fail(import, node, "it makes %d axes", rank) : false;
    Dim dims[ONNX_MAX_RANK];
    for (int i = 0, from = 0; i < rank; i++) {
        bool added = false;
        for (uint32_t k = 0; k < count; k++) added |= axes[k] == i;
        dims[i] = added ? (Dim){1, false} : tensor->dims[from++];
    }
    set_dims(tensor, rank, dims);
    return fold_give(node, tensor);
}

bool fold_squeeze(Import *import, OpNode *node) {
    int64_t axes[ONNX_MAX_RANK];
    uint32_t count;
    bool given;
    Tensor *tensor = fold_like(import, node->in[0]);
    if (!node_axes(import, node, 1, tensor->rank, axes, &count, &given)) return false;
    int rank = 0;
    for (int i = 0; i < node->in[0]->rank; i++) {
        bool gone = !given && tensor->dims[i].size == 1;
        for (uint32_t k = 0; k < count && given; k++) gone |= axes[k] == i;
        if (!gone) tensor->dims[rank++] = node->in[0]->dims[i];
    }
    tensor->rank = rank;
    return fold_give(node, tensor);
}

bool fold_flatten(Import *import, OpNode *node) {
    Tensor *tensor = fold_like(import, node->in[0]);
    int64_t axis = node_int(node, "axis", 1), before = 1;
    if (axis < 0) axis += tensor->rank;
    for (int i = 0; i < axis && i < tensor->rank; i++) before *= tensor->dims[i].size;
    set_dims(tensor, 2, (Dim[]){{before, false}, {before ? tensor->count / before : 0, false}});
    return fold_give(node, tensor);
}

bool fold_transpose(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    int order[ONNX_MAX_RANK];
    uint32_t count;
    const int64_t *perm = node_ints(node, "perm", &count);
    if (perm && (int)count != x->rank) return node_fail(import, node, "perm has %u axes", count);
    for (int i = 0; i < x->rank; i++) {
        if (!axis_of(import, node, perm ? perm[i] : x->rank - 1 - i, x->rank, &order[i]))
            return false;
        for (int k = 0; k < i; k++)
            if (order[k] == order[i]) return node_fail(import, node, "perm names an axis twice");
    }
    Tensor *tensor = fold_like(import, transposed(import, x, x->rank, order));
    return fold_give(node, tensor);
}

/* The shape of x with one axis replaced by those of the indices. */
static void set_gathered_dims(Tensor *tensor, const Tensor *x, int axis, const Tensor *index) {
    Dim dims[2 * ONNX_MAX_RANK];
    int rank = 0;
    for (int i = 0; i < axis; i++) dims[rank++] = x->dims[i];
    for (int i = 0; i < index->rank; i++) dims[rank++] = index->dims[i];
    for (int i = axis + 1; i < x->rank; i++) dims[rank++] = x->dims[i];
    set_dims(tensor, rank, dims);
}

bool fold_gather(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    const int64_t *index;
    uint32_t count;
    int axis;
    if (!axis_of(import, node, node_int(node, "axis", 0), x->rank, &axis) ||
        !node_constant(import, node, 1, &index, &count))
        return false;
    int64_t outer = 1, inside = 1, size = x->dims[axis].size;
    for (int i = 0; i < axis; i++) outer *= x->dims[i].size;
    for (int i = axis + 1; i < x->rank; i++) inside *= x->dims[i].size;
    float *reals;
    Dim *wholes;
    if (outer * inside * (int64_t)count > FOLD_MAX ||
        x->rank - 1 + node->in[1]->rank > ONNX_MAX_RANK)
        return node_fail(import, node, "its result is too large");
    Tensor *tensor = fold_numbers(import, x, outer * inside * count, &reals, &wholes);
    for (int64_t o = 0; o < outer; o++)
        for (uint32_t k = 0; k < count; k++) {
            int64_t at = index[k] < 0 ? index[k] + size : index[k];
            if (at < 0 || at >= size)
                return node_fail(import, node, "index %lld is beyond an axis of %lld elements",
                                 (long long)index[k], (long long)size);
            for (int64_t i = 0; i < inside; i++) {
                int64_t to = (o * count + k) * inside + i, from = (o * size + at) * inside + i;
                if (reals) reals[to] = x->reals[from];
                if (wholes) wholes[to] = x->wholes[from];
            }
        }
    set_gathered_dims(tensor, x, axis, node->in[1]);
    return fold_give(node, tensor);
}

bool fold_concat(Import *import, OpNode *node) {
    int64_t count = 0;
    bool real = node->in[0]->reals != NULL;
    for (uint32_t k = 0; k < node->in_count; k++) {
        if (node->in[k]->rank != 1 || (node->in[k]->reals != NULL) != real)
            return node_fail(import, node, "constants with several axes cannot be joined");
        count += node->in[k]->count;
    }
    if (count > FOLD_MAX) return node_fail(import, node, "its result is too large");
    float *reals;
    Dim *wholes, dims[1] = {{count, false}};
    Tensor *tensor = fold_numbers(import, node->in[0], count, &reals, &wholes);
    int64_t at = 0;
    for (uint32_t k = 0; k < node->in_count; k++)
        for (int64_t i = 0; i < node->in[k]->count; i++, at++) {
            if (reals) reals[at] = node->in[k]->reals[i];
            if (wholes) wholes[at] = node->in[k]->wholes[i];
        }
    set_dims(tensor, 1, dims);
    return fold_give(node, tensor);
}

/* The number of elements of a slice, whose ends may be negative or outside; *from becomes the first
 * index. */
static int64_t slice_count(int64_t size, int64_t *from, int64_t to, int64_t step) {
    if (*from < 0) *from = *from < -size ? 0 : *from + size;
    if (to < 0) to = to < -size ? -1 : to + size;
    if (step > 0 && to < 0) to = 0;
    if (*from >= size) *from = step > 0 ? size : size - 1;
    if (to > size) to = size;
    int64_t count = step > 0 ? (to - *from + step - 1) / step : (*from - to - step - 1) / -step;
    return count < 0 ? 0 : count;
}

bool fold_slice(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    const int64_t *starts, *ends, *steps = NULL;
    uint32_t start_count, end_count, step_count = 0;
    if (x->rank != 1)
        return node_fail(import, node, "parts of constants with several axes are not supported");
    if (!(starts = node_ints(node, "starts", &start_count)) &&
        !node_constant(import, node, 1, &starts, &start_count))
        return false;
    if (!(ends = node_ints(node, "ends", &end_count)) &&
        !node_constant(import, node, 2, &ends, &end_count))
        return false;
    if (node->in_count > 4 && node->in[4] && !node_constant(import, node, 4, &steps, &step_count))
        return false;
    if (start_count != 1 || end_count != 1 || step_count > 1)
        return node_fail(import, node, "it has several parts");
    int64_t step = steps ? steps[0] : 1, from = starts[0];
    if (step == 0 || step == INT64_MIN) return node_fail(import, node, "its step is 0");
    int64_t count = slice_count(x->count, &from, ends[0], step);
    float *reals;
    Dim *wholes, dims[1] = {{count, false}};
    Tensor *tensor = fold_numbers(import, x, count, &reals, &wholes);
    for (int64_t i = 0; i < count; i++) {
        if (reals) reals[i] = x->reals[from + i * step];
        if (wholes) wholes[i] = x->wholes[from + i * step];
    }
    set_dims(tensor, 1, dims);
    return fold_give(node, tensor);
}
