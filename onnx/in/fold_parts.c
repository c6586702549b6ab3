/* Folding of nodes that take parts of constants, repeat or join them. All but Concat name for each
 * element of an axis the one that it comes from. */
#include "onnx/in/fold.h"

#include <string.h>

/* The number that stands where no element is taken. */
typedef struct {
    float real;
    int64_t whole;
} Filler;

/* Room for the indices of an axis. NULL after reporting that there are too many. */
static int64_t *indices(const Import *import, const OpNode *node, int64_t count) {
    if (count <= FOLD_MAX) return ARENA_ARRAY(import->arena, int64_t, count);
    return node_fail(import, node, "its result is too large"), NULL;
}

/* x with the elements index[0], ... index[count - 1] of an axis; -1 is the filler. NULL after
 * reporting that there are too many. */
static Tensor *taken(Import *import, const OpNode *node, const Tensor *x, int axis, int64_t count,
                     const int64_t *index, Filler filler) {
    int64_t outer = fold_elements(axis, x->dims), size = x->dims[axis].size,
            inside = fold_elements(x->rank - axis - 1, x->dims + axis + 1), all;
    float *reals;
    Dim *wholes;
    if (__builtin_mul_overflow(outer * inside, count, &all) || all > FOLD_MAX)
        return node_fail(import, node, "its result is too large"), NULL;
    Tensor *tensor = fold_numbers(import, x, all, &reals, &wholes);
    for (int64_t to = 0; to < all; to++) {
        int64_t at = index[to / inside % count];
        int64_t from = (to / inside / count * size + at) * inside + to % inside;
        if (reals) reals[to] = at < 0 ? filler.real : x->reals[from];
        if (wholes) wholes[to] = at < 0 ? (Dim){filler.whole, false} : x->wholes[from];
    }
    tensor->dims[axis].size = count;
    return tensor;
}

static Tensor *taken_part(Import *import, const OpNode *node, const Tensor *x, Part part) {
    int64_t *index = indices(import, node, part.count);
    if (!index) return NULL;
    for (int64_t i = 0; i < part.count; i++) index[i] = part.from + i * part.step;
    return taken(import, node, x, part.axis, part.count, index, (Filler){0});
}

bool fold_gather(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    const int64_t *index;
    uint32_t count;
    int axis;
    if (!axis_of(import, node, node_int(node, "axis", 0), x->rank, &axis) ||
        !node_indices(import, node, x->dims[axis].size, &index, &count))
        return false;
    Dim dims[2 * ONNX_MAX_RANK];
    int rank = gathered_dims(x, axis, node->in[1], dims);
    if (rank > ONNX_MAX_RANK) return node_fail(import, node, "it makes %d axes", rank);
    Tensor *tensor = taken(import, node, x, axis, count, index, (Filler){0});
    if (!tensor) return false;
    set_dims(tensor, rank, dims);
    return fold_give(node, tensor);
}

bool fold_slice(Import *import, OpNode *node) {
    Tensor *tensor = node->in[0];
    Part parts[ONNX_MAX_RANK];
    uint32_t count;
    if (!node_parts(import, node, tensor, parts, &count)) return false;
    for (uint32_t i = 0; i < count && tensor; i++)
        tensor = taken_part(import, node, tensor, parts[i]);
    return tensor && fold_give(node, fold_like(import, tensor));
}

bool fold_split(Import *import, OpNode *node) {
    int axis;
    const int64_t *sizes;
    if (!node_split(import, node, &axis, &sizes)) return false;
    int64_t at = 0;
    for (uint32_t i = 0; i < node->out_count; at += sizes[i++]) {
        Tensor *tensor = taken_part(import, node, node->in[0], (Part){axis, at, sizes[i], 1});
        if (!tensor) return false;
        fold_give_output(node, i, tensor);
    }
    return true;
}

/* The element of an axis that stands at place i beside its ends, -1: none. */
static int64_t mirrored(const char *mode, int64_t i, int64_t size) {
    if (i >= 0 && i < size) return i;
    if (!strcmp(mode, "edge")) return i < 0 ? 0 : size - 1;
    if (!strcmp(mode, "wrap")) return (i % size + size) % size;
    if (strcmp(mode, "reflect") || size < 2) return -1;
    int64_t period = 2 * (size - 1), at = (i % period + period) % period;
    return at < size ? at : period - at;
}

const int64_t *fold_pads(const Import *import, const OpNode *node, int64_t before, int64_t size,
                         int64_t after) {
    const char *mode = node_string(node, "mode", "constant");
    int64_t *index = indices(import, node, before + size + after);
    for (int64_t i = -before; i < size + after && index; i++)
        index[i + before] = mirrored(mode, i, size);
    return index;
}

bool fold_pad(Import *import, OpNode *node) {
    Tensor *tensor = node->in[0];
    const int64_t *pads = node_pads(import, node, tensor->rank);
    double value = (double)node_float(node, "value", 0);
    if (!pads) return false;
    if (node->in_count > 2 && node->in[2] && !is_number(node->in[2], &value))
        return node_fail(import, node, "its value must be known here");
    for (int axis = 0, rank = tensor->rank; axis < rank && tensor; axis++) {
        int64_t before = pads[axis], size = tensor->dims[axis].size, after = pads[rank + axis];
        if (size + before + after < 0) return node_fail(import, node, "nothing is left");
        if (!before && !after) continue;
        const int64_t *index = fold_pads(import, node, before, size, after);
        tensor = index ? taken(import, node, tensor, axis, before + size + after, index,
                               (Filler){(float)value, (int64_t)value})
                       : NULL;
    }
    return tensor && fold_give(node, fold_like(import, tensor));
}

bool fold_tile(Import *import, OpNode *node) {
    Tensor *tensor = node->in[0];
    const int64_t *times;
    uint32_t count;
    if (!node_constant(import, node, 1, &times, &count)) return false;
    if ((int)count != tensor->rank) return node_fail(import, node, "its numbers do not fit");
    for (uint32_t i = 0; i < count && tensor; i++) {
        int64_t size = tensor->dims[i].size;
        bool fits = times[i] >= 0 && times[i] <= FOLD_MAX && size <= FOLD_MAX;
        int64_t *index = indices(import, node, fits ? size * times[i] : INT64_MAX);
        if (!index) return false;
        for (int64_t k = 0; k < size * times[i]; k++) index[k] = k % size;
        tensor = taken(import, node, tensor, (int)i, size * times[i], index, (Filler){0});
    }
    return tensor && fold_give(node, fold_like(import, tensor));
}

/* Weights stay what they are, and are expanded by the model; so is what would be large. */
bool fold_expand(Import *import, OpNode *node) {
    const Tensor *x = node->in[0], *shape = node->in[1];
    Tensor wanted = {.rank = (int)shape->count};
    Dim dims[ONNX_MAX_RANK];
    int rank;
    if (!shape->wholes || shape->count > ONNX_MAX_RANK)
        return node_fail(import, node, "its shape must be known here");
    for (int i = 0; i < wanted.rank; i++) {
        wanted.dims[i] = shape->wholes[i];
        if (wanted.dims[i].rows) return op_expand(import, node);
    }
    if (!broadcast_dims(import, node, x, &wanted, &rank, dims)) return false;
    int64_t count = fold_elements(rank, dims);
    if (count > FOLD_SMALL || is_weight(x)) return op_expand(import, node);
    float *reals;
    Dim *wholes;
    Tensor *tensor = fold_numbers(import, x, count, &reals, &wholes);
    for (int64_t i = 0; i < count; i++) {
        int64_t from = fold_place(x, rank, dims, i);
        if (reals) reals[i] = x->reals[from];
        if (wholes) wholes[i] = x->wholes[from];
    }
    tensor->trained = false;
    set_dims(tensor, rank, dims);
    return fold_give(node, tensor);
}

/* Copies a part into its place in a joined tensor: `inside` elements for each index before the
 * axis. */
static void copy_part(const Tensor *part, int64_t inside, int64_t stride, int64_t at, float *reals,
                      Dim *wholes) {
    for (int64_t i = 0; i < part->count; i++) {
        int64_t to = i / inside * stride + at + i % inside;
        if (reals) reals[to] = part->reals[i];
        if (wholes) wholes[to] = part->wholes[i];
    }
}

bool fold_concat(Import *import, OpNode *node) {
    const Tensor *first = node->in[0];
    int axis;
    Dim dims[ONNX_MAX_RANK];
    bool real = first->reals != NULL;
    if (!axis_of(import, node, node_int(node, "axis", 1), first->rank, &axis)) return false;
    memcpy(dims, first->dims, sizeof dims);
    dims[axis].size = 0;
    for (uint32_t k = 0; k < node->in_count; k++) {
        const Tensor *part = node->in[k];
        bool fits = part->rank == first->rank && (part->reals != NULL) == real;
        for (int i = 0; i < first->rank && fits; i++)
            fits = i == axis || dim_equal(part->dims[i], first->dims[i]);
        if (!fits) return node_fail(import, node, "its inputs do not fit");
        dims[axis].size += part->dims[axis].size;
    }
    int64_t count = fold_elements(first->rank, dims), at = 0;
    if (count > FOLD_MAX) return node_fail(import, node, "its result is too large");
    float *reals;
    Dim *wholes;
    Tensor *tensor = fold_numbers(import, first, count, &reals, &wholes);
    int64_t stride = fold_elements(first->rank - axis, dims + axis);
    for (uint32_t k = 0; k < node->in_count; k++) {
        int64_t inside = fold_elements(first->rank - axis, node->in[k]->dims + axis);
        if (inside) copy_part(node->in[k], inside, stride, at, reals, wholes);
        at += inside;
    }
    set_dims(tensor, first->rank, dims);
    return fold_give(node, tensor);
}
