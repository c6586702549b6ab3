/* Folding of casts, and of nodes that give all elements another shape or order. */
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
