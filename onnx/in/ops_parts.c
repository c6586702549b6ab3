/* Operations that take parts of tensors, or put parts together. */
#include "onnx/in/translate.h"

#include <string.h>

/* The text of a part of one axis, such as "%09[:, 2:5]". */
const char *part_text(const Import *import, int axis, int64_t from, int64_t to, int64_t step) {
    const char *text = "%09[";
    for (int i = 0; i < axis; i++) text = arena_format(import->arena, "%s:, ", text);
    text = arena_format(import->arena, "%s%lld:%lld", text, (long long)from, (long long)to);
    return step == 1 ? arena_format(import->arena, "%s]", text)
                     : arena_format(import->arena, "%s:%lld]", text, (long long)step);
}

bool op_concat(Import *import, OpNode *node) {
    int axis;
    const Tensor *first = node->in[0];
    if (!axis_of(import, node, node_int(node, "axis", 1), first->rank, &axis)) return false;
    Dim dims[ONNX_MAX_RANK];
    memcpy(dims, first->dims, sizeof dims);
    dims[axis].size = 0;
    const char *text = "concat([";
    if (first->dims[axis].rows) return node_fail(import, node, "it joins rows of the batch");
    for (uint32_t i = 0; i < node->in_count; i++) {
        const Tensor *part = node->in[i];
        if (part->rank != first->rank || part->dims[axis].rows)
            return node_fail(import, node, "its inputs have different axes");
        for (int k = 0; k < part->rank; k++)
            if (k != axis && !dim_equal(part->dims[k], first->dims[k]))
                return node_fail(import, node, "the shapes %s and %s do not fit",
                                 dims_text(import, first->dims, first->rank),
                                 dims_text(import, part->dims, part->rank));
        if (__builtin_add_overflow(dims[axis].size, part->dims[axis].size, &dims[axis].size) ||
            dims[axis].size > SHAPE_MAX_ELEMENTS)
            return node_fail(import, node, "its result is too large");
        text = arena_format(import->arena, "%s%s%%%c0", text, i ? ", " : "", (char)('0' + (int)i));
    }
    if (node->in_count > 60)
        return node_fail(import, node, "it joins %u tensors; at most 60 are supported",
                         node->in_count);
    text = arena_format(import->arena, axis == first->rank - 1 ? "%s])" : "%s], axis = %d)", text,
                        axis);
    set_dims(make(import, node, 0, LEVEL_ATOM, text, node->in_count, node->in), first->rank, dims);
    return true;
}

bool op_split(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    uint32_t count = 0;
    int axis;
    const int64_t *sizes = node_ints(node, "split", &count);
    if (!axis_of(import, node, node_int(node, "axis", 0), x->rank, &axis)) return false;
    if (!sizes && node->in_count > 1 && node->in[1] &&
        !node_constant(import, node, 1, &sizes, &count))
        return false;
    int64_t size = x->dims[axis].size, at = 0,
            each = node->out_count ? (size + node->out_count - 1) / node->out_count : 0;
    if (x->dims[axis].rows || (sizes && count != node->out_count))
        return node_fail(import, node, "its parts do not fit");
    for (uint32_t i = 0; i < node->out_count; i++) {
        int64_t own = sizes ? sizes[i] : each < size - at ? each : size - at;
        if (own <= 0 || own > size - at) return node_fail(import, node, "its parts do not fit");
        Tensor *part =
            make(import, node, i, LEVEL_ATOM, part_text(import, axis, at, at + own, 1), 1, &x);
        part->dims[axis].size = own;
        at += own;
    }
    return true;
}

static bool slice_numbers(Import *import, OpNode *node, const char *name, uint32_t input,
                          const int64_t **numbers, uint32_t *count) {
    *count = 0;
    *numbers = node_ints(node, name, count);
    if (*numbers || input >= node->in_count || !node->in[input]) return true;
    return node_constant(import, node, input, numbers, count);
}

/* x[from:to:step], one axis after the other. An axis that is taken whole needs no slice; the batch
 * can only be taken whole. */
bool op_slice(Import *import, OpNode *node) {
    Tensor *x = node->in[0], *y = x;
    const int64_t *starts, *ends, *axes, *steps;
    uint32_t count, end_count, axis_count, step_count;
    if (!slice_numbers(import, node, "starts", 1, &starts, &count) ||
        !slice_numbers(import, node, "ends", 2, &ends, &end_count) ||
        !slice_numbers(import, node, "axes", 3, &axes, &axis_count) ||
        !slice_numbers(import, node, "steps", 4, &steps, &step_count))
        return false;
    if (!starts || !ends || count != end_count || (axes && axis_count != count) ||
        (steps && step_count != count))
        return node_fail(import, node, "its numbers do not fit");
    for (uint32_t i = 0; i < count; i++) {
        int axis;
        int64_t from = starts[i], to = ends[i], step = steps ? steps[i] : 1;
        if (!axis_of(import, node, axes ? axes[i] : (int64_t)i, x->rank, &axis)) return false;
        int64_t size = y->dims[axis].size;
        if (step < 1) return node_fail(import, node, "steps below 1 are not supported");
        if (y->dims[axis].rows) {
            if (from == 0 && to >= size && step == 1 && to > INT32_MAX - 1) continue;
            return node_fail(import, node, "it takes some rows of the batch");
        }
        if (from < 0) from = from < -size ? 0 : from + size;
        if (to < 0) to = to < -size ? 0 : to + size;
        if (to > size) to = size;
        if (from >= to) return node_fail(import, node, "it takes nothing of axis %d", axis);
        if (from == 0 && to == size && step == 1) continue;
        if (step > size) step = size;
        Tensor *part = inner(import, LEVEL_ATOM, part_text(import, axis, from, to, step), 1, &y);
        part->dims[axis].size = (to - from + step - 1) / step;
        y = part;
    }
    make_same(import, node, 0, y);
    return true;
}

/* x[:, 0]: an index removes its axis. */
static void gather_one(Import *import, OpNode *node, int axis, int64_t at) {
    Tensor *x = node->in[0];
    Dim dims[ONNX_MAX_RANK];
    int rank = 0;
    const char *text = "%09[";
    for (int i = 0; i < axis; i++) text = arena_format(import->arena, "%s:, ", text);
    for (int i = 0; i < x->rank; i++)
        if (i != axis) dims[rank++] = x->dims[i];
    text = arena_format(import->arena, "%s%lld]", text, (long long)at);
    set_dims(make(import, node, 0, LEVEL_ATOM, text, 1, &x), rank, dims);
}

/* Consecutive indices become a slice; others become slices that are joined. */
static bool gather_constant(Import *import, OpNode *node, int axis) {
    Tensor *x = node->in[0];
    const int64_t *index;
    uint32_t count;
    if (!node_constant(import, node, 1, &index, &count)) return false;
    int64_t size = x->dims[axis].size;
    int64_t *at = ARENA_ARRAY(import->arena, int64_t, count);
    bool row = true;
    for (uint32_t i = 0; i < count; i++) {
        at[i] = index[i] < 0 ? index[i] + size : index[i];
        if (at[i] < 0 || at[i] >= size)
            return node_fail(import, node, "index %lld is beyond an axis of %lld elements",
                             (long long)index[i], (long long)size);
        row &= at[i] == at[0] + (int64_t)i;
    }
    if (node->in[1]->rank == 0) return gather_one(import, node, axis, at[0]), true;
    if (node->in[1]->rank > 1 || !count || count > 60)
        return node_fail(import, node, "indices of this shape are not supported");
    const char *text = part_text(import, axis, at[0], at[0] + count, 1);
    if (!row) {
        text = "concat([";
        for (uint32_t i = 0; i < count; i++)
            text = arena_format(import->arena, "%s%s%s", text, i ? ", " : "",
                                part_text(import, axis, at[i], at[i] + 1, 1));
        text = arena_format(import->arena, "%s], axis = %d)", text, axis);
    }
    make(import, node, 0, LEVEL_ATOM, text, 1, &x)->dims[axis].size = count;
    return true;
}

/* A gather of rows of a constant matrix, by numbers of the data, becomes an embedding. */
static bool gather_rows(Import *import, OpNode *node) {
    const Tensor *table = node->in[0];
    Tensor *ids = node->in[1];
    Dim dims[2 * ONNX_MAX_RANK];
    if (table->rank != 2 || !table->reals || ids->rank < 1 || ids->rank >= SHAPE_MAX_RANK)
        return node_fail(import, node, "only rows of a matrix can be looked up");
    const char *text = arena_format(import->arena, "embedding(%lld, %lld)",
                                    (long long)table->dims[0].size, (long long)table->dims[1].size);
    memcpy(dims, ids->dims, sizeof ids->dims);
    dims[ids->rank] = table->dims[1];
    Tensor *y = make_pipe(import, node, 0, text, ids);
    set_dims(y, ids->rank + 1, dims);
    y->kind = KIND_REAL;
    layer_add(layer_new(import, y, "embedding"), "weight", table);
    return true;
}

bool op_gather(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    int axis;
    if (!axis_of(import, node, node_int(node, "axis", 0), x->rank, &axis)) return false;
    if (x->constant && !node->in[1]->constant && axis == 0) return gather_rows(import, node);
    if (!node->in[1]->constant) return node_fail(import, node, "its indices must be known here");
    if (x->dims[axis].rows) return node_fail(import, node, "it takes some rows of the batch");
    return gather_constant(import, node, axis);
}

bool op_gather_elements(Import *import, OpNode *node) {
    Tensor *x = node->in[0], *index = node->in[1];
    int axis;
    if (!axis_of(import, node, node_int(node, "axis", 0), x->rank, &axis)) return false;
    if (x->rank != index->rank)
        return node_fail(import, node, "its indices have %d axes, but its input has %d",
                         index->rank, x->rank);
    if (x->dims[axis].rows) return node_fail(import, node, "it goes over the rows of the batch");
    Tensor *y = make(import, node, 0, LEVEL_ATOM,
                     arena_format(import->arena, "gather(%%00, %%10, %d)", axis), 2, node->in);
    set_dims(y, index->rank, index->dims);
    return true;
}

/* Operations that can only be folded: the language has nothing for them. */
bool op_constant_only(Import *import, OpNode *node) {
    return node_fail(import, node, "its inputs must be known here");
}
