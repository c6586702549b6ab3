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

/* concat([a, b], axis = 1). A text has room for MAX_JOINED arguments. */
enum { MAX_JOINED = 60 };
static const char *concat_text(const Import *import, int axis, int rank, uint32_t count) {
    const char *text = "concat([";
    for (uint32_t i = 0; i < count; i++)
        text = arena_format(import->arena, "%s%s%%%c0", text, i ? ", " : "", (char)('0' + (int)i));
    return arena_format(import->arena, axis == rank - 1 ? "%s])" : "%s], axis = %d)", text, axis);
}

static void set_joined(Tensor *tensor, int axis, int64_t size) {
    tensor->joins = true;
    tensor->axis = axis;
    tensor->dims[axis].size = size;
}

Tensor *joined(Import *import, int axis, uint32_t count, Tensor *const *parts) {
    int64_t size = 0;
    for (uint32_t i = 0; i < count; i++) size += parts[i]->dims[axis].size;
    Tensor *y =
        inner(import, LEVEL_ATOM, concat_text(import, axis, parts[0]->rank, count), count, parts);
    set_joined(y, axis, size);
    return y;
}

static bool has_equal_rows(const Tensor *x) {
    int64_t width = x->dims[0].size ? x->count / x->dims[0].size : 0;
    bool equal = x->dims[0].size == 1 || (x->constant && x->reals);
    for (int64_t i = width; equal && i < x->count; i++) equal = x->reals[i] == x->reals[i - width];
    return equal;
}

/* x for all rows of the batch, if the file has it for a fixed number of rows, which are equal: the
 * class token of a transformer. */
static Tensor *for_all_rows(Import *import, Tensor *x) {
    if (!x->rank || x->dims[0].rows || x->dims[0].size != import->batch || !has_equal_rows(x))
        return x;
    Tensor *row = x;
    if (x->constant && import->batch > 1) {
        row = tensor_new(import, x->name);
        *row = *x;
        row->args = NULL;
        row->count /= import->batch;
        row->dims[0].size = 1;
    }
    Dim dims[ONNX_MAX_RANK];
    memcpy(dims, x->dims, sizeof dims);
    dims[0] = (Dim){1, true};
    Tensor *y = inner_pipe(
        import, arena_format(import->arena, "expand(%s)", dims_text(import, dims, x->rank)), row);
    set_dims(y, x->rank, dims);
    return y;
}

bool op_concat(Import *import, OpNode *node) {
    int axis;
    bool rows = false;
    int64_t size = 0;
    if (!axis_of(import, node, node_int(node, "axis", 1), node->in[0]->rank, &axis)) return false;
    for (uint32_t i = 0; i < node->in_count; i++)
        rows |= node->in[i]->rank > 0 && node->in[i]->dims[0].rows;
    for (uint32_t i = 0; i < node->in_count && rows && axis > 0 && import->batch; i++)
        node->in[i] = for_all_rows(import, node->in[i]);
    const Tensor *first = node->in[0];
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
        if (__builtin_add_overflow(size, part->dims[axis].size, &size) || size > SHAPE_MAX_ELEMENTS)
            return node_fail(import, node, "its result is too large");
    }
    if (node->in_count > MAX_JOINED)
        return node_fail(import, node, "it joins %u tensors; at most %d are supported",
                         node->in_count, MAX_JOINED);
    const char *text = concat_text(import, axis, first->rank, node->in_count);
    set_joined(make(import, node, 0, LEVEL_ATOM, text, node->in_count, node->in), axis, size);
    return true;
}

/* An axis is split into parts of given sizes, or into equal ones, of which the last may be
 * smaller. */
bool node_split(const Import *import, const OpNode *node, int *axis, const int64_t **sizes) {
    const Tensor *x = node->in[0];
    uint32_t count = 0;
    *sizes = node_ints(node, "split", &count);
    if (!axis_of(import, node, node_int(node, "axis", 0), x->rank, axis)) return false;
    if (!*sizes && node->in_count > 1 && node->in[1] &&
        !node_constant(import, node, 1, sizes, &count))
        return false;
    int64_t size = x->dims[*axis].size, rest = size,
            each = (size + node->out_count - 1) / node->out_count;
    if (x->dims[*axis].rows || (*sizes && count != node->out_count))
        return node_fail(import, node, "its parts do not fit");
    int64_t *all = ARENA_ARRAY(import->arena, int64_t, node->out_count);
    for (uint32_t i = 0; i < node->out_count; rest -= all[i++]) {
        all[i] = *sizes ? (*sizes)[i] : each < rest ? each : rest;
        if (all[i] <= 0 || all[i] > rest) return node_fail(import, node, "its parts do not fit");
    }
    *sizes = all;
    return true;
}

bool op_split(Import *import, OpNode *node) {
    int axis;
    const int64_t *sizes;
    int64_t at = 0;
    if (!node_split(import, node, &axis, &sizes)) return false;
    for (uint32_t i = 0; i < node->out_count; at += sizes[i++]) {
        Tensor *part = make(import, node, i, LEVEL_ATOM,
                            part_text(import, axis, at, at + sizes[i], 1), 1, node->in);
        part->dims[axis].size = sizes[i];
    }
    return true;
}

static bool slice_numbers(const Import *import, const OpNode *node, const char *name,
                          uint32_t input, const int64_t **numbers, uint32_t *count) {
    *count = 0;
    *numbers = node_ints(node, name, count);
    if (*numbers || input >= node->in_count || !node->in[input]) return true;
    return node_constant(import, node, input, numbers, count);
}

/* Brings the ends of a slice into an axis: negative ones count from its end, others that are
 * outside mean the first or the last element. */
static Part part_of(int axis, int64_t size, int64_t from, int64_t to, int64_t step) {
    int64_t least = step > 0 ? 0 : -1, most = step > 0 ? size : size - 1;
    if (from < 0) from += size;
    if (to < 0) to += size;
    from = from < least ? least : from > most ? most : from;
    to = to < least ? least : to > most ? most : to;
    int64_t room = step > 0 ? to - from : from - to, stride = step > 0 ? step : -step;
    Part part = {axis, from, room > 0 ? (room - 1) / stride + 1 : 0, step};
    if (part.count == 1) part.step = 1;
    return part;
}

/* Whether a slice takes the rows of the batch as they are. */
static bool takes_rows(const Import *import, Dim rows, int64_t from, int64_t to, int64_t step) {
    bool fixed = import->batch && to >= import->batch * rows.size;
    return from == 0 && step == 1 && (to >= INT32_MAX || fixed);
}

bool node_parts(const Import *import, const OpNode *node, const Tensor *x, Part *parts,
                uint32_t *count) {
    const int64_t *starts, *ends, *axes, *steps;
    uint32_t wanted, end_count, axis_count, step_count;
    if (!slice_numbers(import, node, "starts", 1, &starts, &wanted) ||
        !slice_numbers(import, node, "ends", 2, &ends, &end_count) ||
        !slice_numbers(import, node, "axes", 3, &axes, &axis_count) ||
        !slice_numbers(import, node, "steps", 4, &steps, &step_count))
        return false;
    if (!starts || !ends || wanted != end_count || wanted > ONNX_MAX_RANK ||
        (axes && axis_count != wanted) || (steps && step_count != wanted))
        return node_fail(import, node, "its numbers do not fit");
    *count = 0;
    for (uint32_t i = 0; i < wanted; i++) {
        int axis;
        int64_t step = steps ? steps[i] : 1;
        if (!axis_of(import, node, axes ? axes[i] : (int64_t)i, x->rank, &axis)) return false;
        Dim size = x->dims[axis];
        if (step == 0 || step == INT64_MIN) return node_fail(import, node, "its step is 0");
        if (size.rows && takes_rows(import, size, starts[i], ends[i], step)) continue;
        if (size.rows) return node_fail(import, node, "it takes some rows of the batch");
        Part part = part_of(axis, size.size, starts[i], ends[i], step);
        if (part.from != 0 || part.count != size.size || part.step != 1) parts[(*count)++] = part;
    }
    return true;
}

/* The text of the indices from, from + step, ... along an axis, as a tensor of whole numbers. */
static const char *indices_text(const Import *import, const Dim *dims, int rank, Part part) {
    const char *index =
        arena_format(import->arena, "index(%s, %d)", dims_text(import, dims, rank), part.axis);
    if (part.step != -1)
        index = arena_format(import->arena, "%lld * %s", -(long long)part.step, index);
    return arena_format(import->arena, "%lld - %s", (long long)part.from, index);
}

Tensor *take_part(Import *import, Tensor *x, Part part) {
    Dim dims[ONNX_MAX_RANK];
    memcpy(dims, x->dims, sizeof dims);
    dims[part.axis].size = part.count;
    const char *text = part.step > 0
                           ? part_text(import, part.axis, part.from,
                                       part.from + (part.count - 1) * part.step + 1, part.step)
                           : arena_format(import->arena, "gather(%%00, %s, %d)",
                                          indices_text(import, dims, x->rank, part), part.axis);
    Tensor *y = inner(import, LEVEL_ATOM, text, 1, &x);
    set_dims(y, x->rank, dims);
    return y;
}

/* x[from:to:step], one axis after the other. */
bool op_slice(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    Part parts[ONNX_MAX_RANK];
    uint32_t count;
    if (!node_parts(import, node, x, parts, &count)) return false;
    for (uint32_t i = 0; i < count; i++) {
        if (!parts[i].count)
            return node_fail(import, node, "it takes nothing of axis %d", parts[i].axis);
        x = take_part(import, x, parts[i]);
    }
    make_same(import, node, 0, x);
    return true;
}

int gathered_dims(const Tensor *x, int axis, const Tensor *index, Dim *dims) {
    int rank = 0;
    for (int i = 0; i < axis; i++) dims[rank++] = x->dims[i];
    for (int i = 0; i < index->rank; i++) dims[rank++] = index->dims[i];
    for (int i = axis + 1; i < x->rank; i++) dims[rank++] = x->dims[i];
    return rank;
}

/* If an element of a concat is taken, the part in which it lies; *at becomes its place there. */
static Tensor *part_with(Tensor *x, int axis, int64_t *at) {
    while (x->joins && x->axis == axis) {
        uint32_t i = 0;
        for (; *at >= x->args[i]->dims[axis].size; i++) *at -= x->args[i]->dims[axis].size;
        x = x->args[i];
    }
    return x;
}

Tensor *take_one(Import *import, Tensor *x, int axis, int64_t at) {
    Dim dims[ONNX_MAX_RANK];
    int rank = 0;
    x = part_with(x, axis, &at);
    bool added = x->pipe && !strcmp(x->text, arena_format(import->arena, "unsqueeze(%d)", axis));
    if (added) return x->args[0];
    const char *text = "%09[";
    for (int i = 0; i < axis; i++) text = arena_format(import->arena, "%s:, ", text);
    for (int i = 0; i < x->rank; i++)
        if (i != axis) dims[rank++] = x->dims[i];
    Tensor *y = inner(import, LEVEL_ATOM,
                      arena_format(import->arena, "%s%lld]", text, (long long)at), 1, &x);
    set_dims(y, rank, dims);
    return y;
}

bool node_indices(const Import *import, const OpNode *node, int64_t size, const int64_t **index,
                  uint32_t *count) {
    const int64_t *numbers;
    if (!node_constant(import, node, 1, &numbers, count)) return false;
    int64_t *counted = ARENA_ARRAY(import->arena, int64_t, *count);
    for (uint32_t i = 0; i < *count; i++) {
        counted[i] = numbers[i] < 0 ? numbers[i] + size : numbers[i];
        if (counted[i] < 0 || counted[i] >= size)
            return node_fail(import, node, "index %lld is beyond an axis of %lld elements",
                             (long long)numbers[i], (long long)size);
    }
    *index = counted;
    return true;
}

/* The first indices as a part: as many of them as are equally far apart. Two indices make a part
 * only if they are neighbours. */
static Part first_part(int axis, int64_t count, const int64_t *index) {
    Part part = {axis, index[0], 1, 1};
    if (count > 1 && index[1] != index[0]) part.step = index[1] - index[0];
    while (part.count < count && index[part.count] == index[part.count - 1] + part.step)
        part.count++;
    if (part.count == 1 || (part.count == 2 && part.step != 1)) part.step = 1, part.count = 1;
    return part;
}

/* Indices that follow no rule are numbers of the model. */
static Tensor *gather_numbers(Import *import, Tensor *x, int axis, int64_t count,
                              const int64_t *index) {
    Dim *wholes = ARENA_ARRAY(import->arena, Dim, count), dims[ONNX_MAX_RANK];
    for (int64_t i = 0; i < count; i++) wholes[i] = (Dim){index[i], false};
    Tensor *numbers = constant_wholes(import, wholes, count, KIND_WHOLE);
    for (int i = axis + 1; i < x->rank; i++) numbers->dims[numbers->rank++] = (Dim){1, false};
    memcpy(dims, x->dims, sizeof dims);
    dims[axis].size = count;
    Tensor *y = inner(import, LEVEL_ATOM,
                      arena_format(import->arena, "gather(%%00, expand(int(%%10), %s), %d)",
                                   dims_text(import, dims, x->rank), axis),
                      2, (Tensor *[]){x, numbers});
    set_dims(y, x->rank, dims);
    return y;
}

/* Equally spaced indices become a slice; a few others become slices that are joined. */
Tensor *take_elements(Import *import, Tensor *x, int axis, int64_t count, const int64_t *index) {
    enum { MAX_PARTS = 8 };
    Tensor *parts[MAX_PARTS];
    uint32_t found = 0;
    for (int64_t at = 0; at < count; found++) {
        if (found == MAX_PARTS) return gather_numbers(import, x, axis, count, index);
        Part part = first_part(axis, count - at, index + at);
        bool whole = part.count == x->dims[axis].size && part.step == 1;
        parts[found] = whole ? x : take_part(import, x, part);
        at += part.count;
    }
    return found == 1 ? parts[0] : joined(import, axis, found, parts);
}

static bool gather_constant(Import *import, OpNode *node, int axis) {
    Tensor *x = node->in[0];
    const int64_t *index;
    const Tensor *list = node->in[1];
    uint32_t count;
    if (!node_indices(import, node, x->dims[axis].size, &index, &count)) return false;
    if (list->rank == 0)
        return make_same(import, node, 0, take_one(import, x, axis, index[0])), true;
    if (!count) return node_fail(import, node, "it takes nothing");
    Tensor *y = take_elements(import, x, axis, count, index);
    if (list->rank == 1) return make_same(import, node, 0, y), true;
    Dim dims[2 * ONNX_MAX_RANK];
    int rank = gathered_dims(x, axis, list, dims);
    if (rank > SHAPE_MAX_RANK)
        return node_fail(import, node, "it makes %d axes; at most %d are supported", rank,
                         SHAPE_MAX_RANK);
    set_dims(make_pipe(import, node, 0,
                       arena_format(import->arena, "reshape(%s)", dims_text(import, dims, rank)),
                       y),
             rank, dims);
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

/* -- by places in several axes, which become one -- */

/* For rows [i, j, ...] of a list of constants: i * size + j, and so on, over the axes of x from
 * `first` on. *axes: the numbers in a row. NULL after reporting an error. */
static int64_t *flat_places(const Import *import, const OpNode *node, int first, int *axes) {
    const Tensor *x = node->in[0], *list = node->in[1];
    const int64_t *numbers;
    uint32_t count;
    if (!node_constant(import, node, 1, &numbers, &count)) return NULL;
    int64_t row = list->rank ? list->dims[list->rank - 1].size : 0;
    if (row < 1 || first + row > x->rank || !count)
        return node_fail(import, node, "its indices do not fit"), NULL;
    *axes = (int)row;
    uint32_t width = (uint32_t)*axes;
    int64_t *places = ARENA_ARRAY(import->arena, int64_t, count / width);
    for (uint32_t i = 0; i < count; i++) {
        const Dim size = x->dims[first + (int)(i % width)];
        int64_t at = numbers[i] < 0 ? numbers[i] + size.size : numbers[i];
        if (size.rows || at < 0 || at >= size.size)
            return node_fail(import, node, "index %lld does not lie in an axis of %s",
                             (long long)numbers[i], dim_text(import, size)),
                   NULL;
        places[i / width] = places[i / width] * size.size + at;
    }
    return places;
}

/* x with some axes merged into one. */
static Tensor *merge_axes(Import *import, Tensor *x, int first, int count) {
    Dim dims[ONNX_MAX_RANK];
    memcpy(dims, x->dims, sizeof dims);
    for (int i = first + 1; i < first + count; i++) dims[first].size *= x->dims[i].size;
    memmove(dims + first + 1, x->dims + first + count,
            (size_t)(x->rank - first - count) * sizeof *dims);
    return count == 1 ? x : reshape_to(import, x, x->rank - count + 1, dims);
}

/* x[:, [0, 1], [2, 3]]: the same elements of each row. */
bool op_gather_nd(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    const Tensor *list = node->in[1];
    int axes, first = (int)node_int(node, "batch_dims", 0);
    if (first) return node_fail(import, node, "batch_dims is not supported");
    const int64_t *places = flat_places(import, node, first, &axes);
    if (!places) return false;
    Dim dims[2 * ONNX_MAX_RANK];
    int rank = list->rank - 1;
    memcpy(dims, list->dims, sizeof list->dims);
    for (int i = axes; i < x->rank; i++) dims[rank++] = x->dims[i];
    if (rank > SHAPE_MAX_RANK)
        return node_fail(import, node, "it makes %d axes; at most %d are supported", rank,
                         SHAPE_MAX_RANK);
    Tensor *y =
        take_elements(import, merge_axes(import, x, 0, axes), 0, list->count / axes, places);
    bool shaped = list->rank == 2;
    make_same(import, node, 0, shaped ? y : reshape_to(import, y, rank, dims));
    return true;
}

/* Whether the updates of a ScatterND have the shape of what they replace; reports others. */
static bool updates_fit(const Import *import, const OpNode *node, int axes) {
    const Tensor *x = node->in[0], *list = node->in[1];
    Tensor wanted = {.rank = list->rank - 1};
    bool fits = wanted.rank + x->rank - axes <= ONNX_MAX_RANK;
    memcpy(wanted.dims, list->dims, sizeof wanted.dims);
    for (int i = axes; i < x->rank && fits; i++) wanted.dims[wanted.rank++] = x->dims[i];
    return (fits && same_dims(node->in[2], &wanted)) ||
           node_fail(import, node, "its updates do not fit");
}

/* x with other elements at some places: it is joined with the new ones, and each place takes the
 * last element that is given for it. */
bool op_scatter_nd(Import *import, OpNode *node) {
    Tensor *x = node->in[0], *updates = node->in[2];
    const Tensor *list = node->in[1];
    int axes;
    if (strcmp(node_string(node, "reduction", "none"), "none") != 0)
        return node_fail(import, node, "a reduction is not supported");
    const int64_t *places = flat_places(import, node, 0, &axes);
    if (!places || !updates_fit(import, node, axes)) return false;
    Tensor *all = merge_axes(import, x, 0, axes);
    Dim dims[ONNX_MAX_RANK];
    int64_t size = all->dims[0].size, count = list->count / axes,
            *from = ARENA_ARRAY(import->arena, int64_t, size);
    memcpy(dims, all->dims, sizeof dims);
    dims[0] = (Dim){count, false};
    for (int64_t i = 0; i < size; i++) from[i] = i;
    for (int64_t i = 0; i < count; i++) from[places[i]] = size + i;
    if (list->rank != 2) updates = reshape_to(import, updates, all->rank, dims);
    Tensor *both = joined(import, 0, 2, (Tensor *[]){all, updates});
    Tensor *y = take_elements(import, both, 0, size, from);
    make_same(import, node, 0, axes == 1 ? y : reshape_to(import, y, x->rank, x->dims));
    return true;
}

/* Operations that can only be folded: the language has nothing for them. */
bool op_constant_only(Import *import, OpNode *node) {
    return node_fail(import, node, "its inputs must be known here");
}
