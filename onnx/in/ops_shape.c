/* Operations that move elements, and those along axes. */
#include "onnx/in/translate.h"

#include <stdio.h>
#include <string.h>

/* -- along axes -- */

static const char *axes_text(const Import *import, const int64_t *axes, uint32_t count) {
    const char *text =
        arena_format(import->arena, count == 1 ? "%lld" : "[%lld", (long long)axes[0]);
    for (uint32_t i = 1; i < count; i++)
        text = arena_format(import->arena, "%s, %lld", text, (long long)axes[i]);
    return count == 1 ? text : arena_format(import->arena, "%s]", text);
}

static bool mixes_rows(const Import *import, const OpNode *node, const Tensor *x,
                       const int64_t *axes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (x->dims[axes[i]].rows)
            return node_fail(
                       import, node,
                       "it goes over the rows of the batch; each row of a prediction stands alone"),
                   true;
    return false;
}

/* What is done to x before the sum, and to the sum. */
static const struct {
    const char *name, *before, *reduction, *after;
} reductions[] = {{"abs", "abs", "sum", NULL},
                  {"** 2", "%09 ** 2", "sum", NULL},
                  {"log", NULL, "sum", "log"},
                  {"exp", "exp", "sum", "log"}};

bool op_reduce(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    int64_t axes[ONNX_MAX_RANK];
    uint32_t count;
    bool given, keep = node_int(node, "keepdims", 1);
    const char *function = node->text, *before = NULL, *after = NULL;
    if (!node_axes(import, node, 1, x->rank, axes, &count, &given)) return false;
    if (!given && node_int(node, "noop_with_empty_axes", 0)) return op_same(import, node);
    if (!given)
        for (count = 0; (int)count < x->rank; count++) axes[count] = count;
    if (!count || mixes_rows(import, node, x, axes, count))
        return count ? false : op_same(import, node);
    if (!strcmp(function, "prod") && count > 1)
        return node_fail(import, node, "a product over several axes is not supported");
    for (size_t i = 0; i < sizeof reductions / sizeof *reductions; i++) {
        if (strcmp(reductions[i].name, function)) continue;
        before = reductions[i].before;
        after = reductions[i].after;
        function = reductions[i].reduction;
        break;
    }
    if (before &&
        !strcmp(before,
                "exp")) { /* without overflow: the largest element is taken off and added again */
        const char *at = axes_text(import, axes, count);
        Tensor *top =
            inner_pipe(import, arena_format(import->arena, "amax(axis = %s, keep = true)", at), x);
        for (uint32_t i = 0; i < count; i++) top->dims[axes[i]] = (Dim){1, false};
        Tensor *sum =
            inner(import, LEVEL_SUM,
                  arena_format(import->arena,
                               "%%15 + log(sum(exp(%%05 - %%16), axis = %s, keep = true))", at),
                  2, (Tensor *[]){x, top});
        memcpy(sum->dims, top->dims, sizeof sum->dims);
        x = sum;
        function = "sum";
        after = NULL;
    } else if (before) {
        x = strchr(before, '%') ? inner(import, LEVEL_POWER, before, 1, &x)
                                : inner_pipe(import, before, x);
    }
    bool global = !strcmp(function, "mean") && !keep && count == 2 && x->rank == 4 && axes[0] == 2;
    const char *text = global
                           ? "global_avg_pool"
                           : arena_format(import->arena, "%s(axis = %s%s)", function,
                                          axes_text(import, axes, count),
                                          keep && strcmp(function, "prod") ? ", keep = true" : "");
    Tensor *y = after || (keep && !strcmp(function, "prod")) ? inner_pipe(import, text, x)
                                                             : make_pipe(import, node, 0, text, x);
    Dim dims[ONNX_MAX_RANK];
    int rank = 0;
    for (int i = 0; i < x->rank; i++) {
        bool gone = false;
        for (uint32_t k = 0; k < count; k++) gone |= axes[k] == i;
        if (!gone || keep) dims[rank++] = gone ? (Dim){1, false} : x->dims[i];
    }
    set_dims(y, rank, dims);
    y->kind = KIND_REAL;
    if (after) make_pipe(import, node, 0, after, y);
    if (!after && keep && !strcmp(function, "prod"))
        set_dims(
            make_pipe(import, node, 0,
                      arena_format(import->arena, "reshape(%s)", dims_text(import, dims, rank)), y),
            rank, dims);
    return true;
}

bool op_argmax(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    int axis, rank = 0;
    bool keep = node_int(node, "keepdims", 1), least = !strcmp(node->text, "argmin");
    if (!axis_of(import, node, node_int(node, "axis", 0), x->rank, &axis)) return false;
    if (x->dims[axis].rows) return node_fail(import, node, "it goes over the rows of the batch");
    if (node_int(node, "select_last_index", 0))
        return node_fail(import, node, "select_last_index is not supported");
    Dim dims[ONNX_MAX_RANK];
    for (int i = 0; i < x->rank; i++)
        if (i != axis) dims[rank++] = x->dims[i];
    if (least) x = inner(import, LEVEL_SIGN, "-%07", 1, &x);
    const char *text =
        axis == x->rank - 1 ? "argmax" : arena_format(import->arena, "argmax(%d)", axis);
    Tensor *y = keep ? inner_pipe(import, text, x) : make_pipe(import, node, 0, text, x);
    set_dims(y, rank, dims);
    y->kind = KIND_WHOLE;
    if (!keep) return true;
    Tensor *kept =
        make_pipe(import, node, 0, arena_format(import->arena, "unsqueeze(%d)", axis), y);
    memcpy(kept->dims, x->dims, sizeof kept->dims);
    kept->rank = x->rank;
    kept->dims[axis] = (Dim){1, false};
    return true;
}

bool op_cumsum(Import *import, OpNode *node) {
    double number;
    int axis;
    if (!is_number(node->in[1], &number) || node_int(node, "exclusive", 0) ||
        node_int(node, "reverse", 0))
        return node_fail(import, node, "only sums from the first element on are supported");
    if (!axis_of(import, node, (int64_t)number, node->in[0]->rank, &axis)) return false;
    if (node->in[0]->dims[axis].rows)
        return node_fail(import, node, "it goes over the rows of the batch");
    make_pipe(import, node, 0, arena_format(import->arena, "cumsum(%d)", axis), node->in[0]);
    return true;
}

static int64_t product_of(const Dim *dims, int from, int to, bool *rows) {
    int64_t product = 1;
    for (int i = from; i < to; i++) {
        if (__builtin_mul_overflow(product, dims[i].size, &product) || product > SHAPE_MAX_ELEMENTS)
            product = SHAPE_MAX_ELEMENTS;
        *rows |= dims[i].rows;
    }
    return product;
}

/* Before opset 13 it goes over all axes from `axis` on together. */
bool op_softmax(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    bool old = import->model->opset < 13, rows = false;
    int axis;
    if (!axis_of(import, node, node_int(node, "axis", old ? 1 : -1), x->rank, &axis)) return false;
    int64_t rest = product_of(x->dims, axis, x->rank, &rows);
    if (x->dims[axis].rows || (old && rows))
        return node_fail(import, node, "it goes over the rows of the batch");
    if (old && axis < x->rank - 1 && rest != x->dims[axis].size) {
        Dim dims[ONNX_MAX_RANK];
        memcpy(dims, x->dims, sizeof dims);
        dims[axis] = (Dim){rest, false};
        Tensor *flat = inner_pipe(
            import, arena_format(import->arena, "reshape(%s)", dims_text(import, dims, axis + 1)),
            x);
        set_dims(flat, axis + 1, dims);
        Tensor *y = inner_pipe(import, node->text, flat);
        set_dims(make_pipe(import, node, 0,
                           arena_format(import->arena, "reshape(%s)",
                                        dims_text(import, x->dims, x->rank)),
                           y),
                 x->rank, x->dims);
        return true;
    }
    make_pipe(import, node, 0,
              axis == x->rank - 1 ? node->text
                                  : arena_format(import->arena, "%s(%d)", node->text, axis),
              x);
    return true;
}

/* -- shapes -- */

/* Whether x has only got another shape, so that the elements are those of args[0] in the same
 * order. */
static bool is_reshaped(const Tensor *x) {
    return x->pipe && (!strncmp(x->text, "reshape(", 8) || !strncmp(x->text, "unsqueeze(", 10) ||
                       !strcmp(x->text, "flatten"));
}

/* x with another shape, of the same elements. */
static bool give_shape(Import *import, OpNode *node, int rank, const Dim *dims) {
    Tensor *x = node->in[0], shaped = {.rank = rank};
    if (rank > SHAPE_MAX_RANK)
        return node_fail(import, node, "it makes %d axes; at most %d are supported", rank,
                         SHAPE_MAX_RANK);
    memcpy(shaped.dims, dims, (size_t)rank * sizeof *dims);
    while (is_reshaped(x) && !same_dims(x, &shaped)) x = x->args[0]; /* the last shape counts */
    if (same_dims(x, &shaped)) return make_same(import, node, 0, x), true;
    bool global = x->pipe && x->node && x->consumers == 1 &&
                  !strcmp(x->node->op, "GlobalAveragePool") && x->rank == 4 && rank == 2 &&
                  dim_equal(dims[0], x->dims[0]);
    if (global) {
        x->text = "global_avg_pool";
        set_dims(x, rank, dims);
        return make_same(import, node, 0, x), true;
    }
    bool flat = rank == 2 && dims[0].rows && dims[0].size == 1 && x->dims[0].rows &&
                x->dims[0].size == 1 && !dims[1].rows;
    const char *text = flat && x->rank > 2 ? "flatten"
                                           : arena_format(import->arena, "reshape(%s)",
                                                          dims_text(import, dims, rank));
    Tensor *y = make_pipe(import, node, 0, text, x);
    set_dims(y, rank, dims);
    return true;
}

bool op_flatten(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    int64_t axis = node_int(node, "axis", 1);
    bool before = false, after = false;
    if (axis < -x->rank || axis > x->rank)
        return node_fail(import, node, "it names axis %lld of %d", (long long)axis, x->rank);
    if (axis < 0) axis += x->rank;
    int64_t front = product_of(x->dims, 0, (int)axis, &before),
            back = product_of(x->dims, (int)axis, x->rank, &after);
    return give_shape(import, node, 2, (Dim[]){{front, before}, {back, after}});
}

/* Where the file fixes the size of a batch, a number of its size is N: at the front, or else
 * where x has N, or else anywhere. */
static void find_rows(const Import *import, const Tensor *x, int rank, int rest, Dim *dims) {
    int order[2 * ONNX_MAX_RANK], count = 0;
    for (int i = 0; i < rank; i++)
        if (dims[i].rows) return;
    for (int i = 0; i < x->rank && i < rank; i++)
        if (x->dims[i].rows) order[count++] = i;
    for (int i = 0; i < rank; i++) order[count++] = i;
    for (int i = 0; i < count; i++) {
        Dim *dim = &dims[order[i]];
        if (order[i] == rest || dim->size < 1 || dim->size % import->batch) continue;
        *dim = (Dim){dim->size / import->batch, true};
        return;
    }
}

/* The size that the elements of x leave for the axis `rest`; -1: for none. */
static bool fill_rest(const Import *import, const Tensor *x, int rank, int rest, Dim *dims) {
    Dim all = {1, false}, known = {1, false};
    for (int i = 0; i < x->rank; i++) all.size *= x->dims[i].size, all.rows |= x->dims[i].rows;
    if (all.rows && import->batch) find_rows(import, x, rank, rest, dims);
    for (int i = 0; i < rank; i++)
        if (i != rest) {
            if (__builtin_mul_overflow(known.size, dims[i].size, &known.size) ||
                (known.rows && dims[i].rows))
                return false;
            known.rows |= dims[i].rows;
        }
    if (known.rows && !all.rows) return false;
    if (rest < 0) return known.size == all.size && known.rows == all.rows;
    if (known.size == 0 || all.size % known.size) return false;
    dims[rest] = (Dim){all.size / known.size, all.rows && !known.rows};
    return true;
}

bool op_reshape(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    uint32_t count;
    const int64_t *numbers = node_ints(node, "shape", &count);
    const Tensor *list = node->in_count > 1 ? node->in[1] : NULL;
    if (!numbers && (!list || !list->constant || !list->wholes))
        return node_fail(import, node, "its shape must be known here");
    if (!numbers) count = (uint32_t)list->count;
    Dim dims[ONNX_MAX_RANK];
    int rest = -1;
    if (count > ONNX_MAX_RANK) return node_fail(import, node, "it makes %u axes", count);
    for (uint32_t i = 0; i < count; i++) {
        dims[i] = numbers ? (Dim){numbers[i], false} : list->wholes[i];
        if (dims[i].rows) continue;
        if (dims[i].size == 0 && !node_int(node, "allowzero", 0) && (int)i < x->rank)
            dims[i] = x->dims[i];
        if (dims[i].size == -1 && rest < 0)
            rest = (int)i;
        else if (dims[i].size <= 0 || dims[i].size > SHAPE_MAX_ELEMENTS)
            return node_fail(import, node, "its shape has the size %lld", (long long)dims[i].size);
    }
    if (!fill_rest(import, x, (int)count, rest, dims))
        return node_fail(import, node, "%s cannot get this shape",
                         dims_text(import, x->dims, x->rank));
    return give_shape(import, node, (int)count, dims);
}

bool op_squeeze(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    int64_t axes[ONNX_MAX_RANK];
    uint32_t count;
    bool given;
    Dim dims[ONNX_MAX_RANK];
    int rank = 0;
    if (!node_axes(import, node, 1, x->rank, axes, &count, &given)) return false;
    for (int i = 0; i < x->rank; i++) {
        bool one = x->dims[i].size == 1 && !x->dims[i].rows, gone = !given && one;
        for (uint32_t k = 0; k < count && given; k++) gone |= axes[k] == i;
        if (gone && !one)
            return node_fail(import, node, "axis %d of %s is no 1", i,
                             dims_text(import, x->dims, x->rank));
        if (!gone) dims[rank++] = x->dims[i];
    }
    return give_shape(import, node, rank, dims);
}

bool op_unsqueeze(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    int64_t axes[ONNX_MAX_RANK];
    uint32_t count = 0;
    bool given;
    Dim dims[ONNX_MAX_RANK];
    const int64_t *numbers = node_ints(node, "axes", &count);
    if (!numbers && !node_constant(import, node, 1, &numbers, &count)) return false;
    int rank = x->rank + (int)count;
    if (rank > SHAPE_MAX_RANK || count > SHAPE_MAX_RANK)
        return node_fail(import, node, "it makes %d axes; at most %d are supported", rank,
                         SHAPE_MAX_RANK);
    if (!node_axes(import, node, 1, rank, axes, &count, &given)) return false;
    for (int i = 0, from = 0; i < rank; i++) {
        bool added = false;
        for (uint32_t k = 0; k < count; k++) added |= axes[k] == i;
        dims[i] = added ? (Dim){1, false} : x->dims[from++];
    }
    if (count != 1) return give_shape(import, node, rank, dims);
    set_dims(make_pipe(import, node, 0,
                       arena_format(import->arena, "unsqueeze(%lld)", (long long)axes[0]), x),
             rank, dims);
    return true;
}

static const char *order_text(const Import *import, const int *order, int rank) {
    int64_t axes[ONNX_MAX_RANK];
    bool last = rank >= 2;
    for (int i = 0; i < rank; i++) {
        axes[i] = order[i];
        last &= order[i] == (i < rank - 2 ? i : i == rank - 2 ? rank - 1 : rank - 2);
    }
    return last ? "transpose"
                : arena_format(import->arena, "permute(%s)",
                               axes_text(import, axes, (uint32_t)rank));
}

/* Two after each other are one, or none: NHWC to NCHW and back. NULL: none, and *from is what
 * they begin with. */
static const char *compose(const Import *import, Tensor **from, const int *order,
                           int whole[ONNX_MAX_RANK]) {
    const Tensor *x = *from;
    bool none = true;
    for (int i = 0; i < x->rank; i++) whole[i] = x->permuted ? x->order[order[i]] : order[i];
    if (x->permuted) *from = x->args[0];
    for (int i = 0; i < x->rank; i++) none &= whole[i] == i;
    return none ? NULL : order_text(import, whole, x->rank);
}

static void set_order(Tensor *tensor, const Tensor *from, const int *order) {
    tensor->permuted = true;
    for (int i = 0; i < from->rank; i++) {
        tensor->order[i] = order[i];
        tensor->dims[i] = from->dims[order[i]];
    }
}

Tensor *permuted(Import *import, Tensor *x, const int *order) {
    int whole[ONNX_MAX_RANK];
    const char *text = compose(import, &x, order, whole);
    if (!text) return x;
    Tensor *y = inner_pipe(import, text, x);
    set_order(y, x, whole);
    return y;
}

bool op_transpose(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    int order[ONNX_MAX_RANK], whole[ONNX_MAX_RANK];
    uint32_t count;
    const int64_t *perm = node_ints(node, "perm", &count);
    if (perm && (int)count != x->rank)
        return node_fail(import, node, "perm has %u axes, its input %d", count, x->rank);
    for (int i = 0; i < x->rank; i++) {
        if (!axis_of(import, node, perm ? perm[i] : x->rank - 1 - i, x->rank, &order[i]))
            return false;
        for (int k = 0; k < i; k++)
            if (order[k] == order[i]) return node_fail(import, node, "perm names an axis twice");
    }
    const char *text = compose(import, &x, order, whole);
    if (text)
        set_order(make_pipe(import, node, 0, text, x), x, whole);
    else
        make_same(import, node, 0, x);
    return true;
}

/* -- parts -- */

/* "[:, 2:5]": a part of one axis, with a step */
static const char *part_text(const Import *import, int axis, int64_t from, int64_t to,
                             int64_t step) {
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

/* One index leaves its axis out: x[:, 0]. Several are a part, or parts that are joined. */
static bool gather_constant(Import *import, OpNode *node, int axis) {
    Tensor *x = node->in[0];
    const int64_t *index;
    uint32_t count;
    int rank = 0;
    Dim dims[2 * ONNX_MAX_RANK];
    if (!node_constant(import, node, 1, &index, &count)) return false;
    int64_t size = x->dims[axis].size;
    int64_t *at = ARENA_ARRAY(import->arena, int64_t, count);
    bool row = true;
    for (uint32_t i = 0; i < count; i++) {
        at[i] = index[i] < 0 ? index[i] + size : index[i];
        if (at[i] < 0 || at[i] >= size)
            return node_fail(import, node, "index %lld of %lld", (long long)index[i],
                             (long long)size);
        row &= at[i] == at[0] + (int64_t)i;
    }
    if (node->in[1]->rank == 0) {
        const char *text = "%09[";
        for (int i = 0; i < axis; i++) text = arena_format(import->arena, "%s:, ", text);
        for (int i = 0; i < x->rank; i++)
            if (i != axis) dims[rank++] = x->dims[i];
        set_dims(make(import, node, 0, LEVEL_ATOM,
                      arena_format(import->arena, "%s%lld]", text, (long long)at[0]), 1, &x),
                 rank, dims);
        return true;
    }
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

/* Rows of a table by numbers of the data: an embedding. */
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
    if (x->dims[axis].rows || x->rank != index->rank)
        return node_fail(import, node, "it goes over the rows of the batch");
    Tensor *y = make(import, node, 0, LEVEL_ATOM,
                     arena_format(import->arena, "gather(%%00, %%10, %d)", axis), 2, node->in);
    set_dims(y, index->rank, index->dims);
    return true;
}

/* -- larger tensors -- */

/* A constant that is one number repeated, as that number; else the constant. */
static Tensor *as_number(Import *import, Tensor *x) {
    if (!x->constant || !x->reals || x->count < 2) return x;
    for (int64_t i = 1; i < x->count; i++)
        if (x->reals[i] != x->reals[0]) return x;
    return constant_reals(import, x->reals, 0, NULL);
}

bool op_expand(Import *import, OpNode *node) {
    Tensor *x = as_number(import, node->in[0]), wanted = {0};
    const Tensor *shape = node->in[1];
    int rank;
    Dim dims[ONNX_MAX_RANK];
    if (!shape->constant || !shape->wholes || shape->count > SHAPE_MAX_RANK)
        return node_fail(import, node, "its shape must be known here");
    wanted.rank = (int)shape->count;
    for (int i = 0; i < wanted.rank; i++) wanted.dims[i] = shape->wholes[i];
    for (int i = 0; i < wanted.rank; i++)
        if (wanted.dims[i].size < 1)
            return node_fail(import, node, "its shape has the size %lld",
                             (long long)wanted.dims[i].size);
    for (int i = 0; i < wanted.rank; i++) { /* the size of a batch that the file fixes */
        int own = i - (wanted.rank - x->rank);
        if (own >= 0 && x->dims[own].rows && !wanted.dims[i].rows &&
            wanted.dims[i].size == import->batch * x->dims[own].size)
            wanted.dims[i] = x->dims[own];
    }
    if (!broadcast_dims(import, node, x, &wanted, &rank, dims)) return false;
    if (rank == x->rank) {
        wanted.rank = rank;
        memcpy(wanted.dims, dims, sizeof dims);
        if (same_dims(x, &wanted)) return op_same(import, node);
    }
    set_dims(make_pipe(import, node, 0,
                       arena_format(import->arena, "expand(%s)", dims_text(import, dims, rank)), x),
             rank, dims);
    return true;
}

bool op_tile(Import *import, OpNode *node) {
    Tensor *x = node->in[0], *y = x;
    const int64_t *times;
    uint32_t count;
    if (!node_constant(import, node, 1, &times, &count)) return false;
    if ((int)count != x->rank)
        return node_fail(import, node, "it has %u numbers for %d axes", count, x->rank);
    for (uint32_t i = 0; i < count; i++) {
        if (times[i] == 1) continue;
        if (times[i] < 1 || times[i] > 10000 || x->dims[i].rows)
            return node_fail(import, node, "axis %u cannot be repeated %lld times", i,
                             (long long)times[i]);
        Tensor *longer = inner_pipe(
            import, arena_format(import->arena, "repeat(%lld, axis = %u)", (long long)times[i], i),
            y);
        if (__builtin_mul_overflow(longer->dims[i].size, times[i], &longer->dims[i].size) ||
            longer->dims[i].size > SHAPE_MAX_ELEMENTS)
            return node_fail(import, node, "its result is too large");
        y = longer;
    }
    make_same(import, node, 0, y);
    return true;
}

/* Constant of a shape with N: one number that is repeated. */
bool op_constant_of_shape(Import *import, OpNode *node) {
    const Tensor *shape = node->in[0];
    const OnnxAttribute *value = onnx_attribute(node->onnx, "value");
    Dim dims[ONNX_MAX_RANK];
    if (!shape->constant || !shape->wholes || shape->count > SHAPE_MAX_RANK)
        return node_fail(import, node, "its shape must be known here");
    Tensor *number = value && value->t && value->t->count == 1
                         ? constant_of_file(import, value->t)
                         : constant_reals(import, ARENA_NEW(import->arena, float), 0, NULL);
    bool rows = false;
    int64_t count = 1;
    for (int64_t i = 0; i < shape->count; i++) {
        dims[i] = shape->wholes[i];
        rows |= dims[i].rows;
        if (dims[i].size < 0 || __builtin_mul_overflow(count, dims[i].size, &count) ||
            count > SHAPE_MAX_ELEMENTS)
            return node_fail(import, node, "its shape is too large");
    }
    if (rows || count > 4096) {
        number->rank = 0;
        Tensor *y = make(import, node, 0, LEVEL_ATOM,
                         arena_format(import->arena, "expand(%%00, %s)",
                                      dims_text(import, dims, (int)shape->count)),
                         1, &number);
        set_dims(y, (int)shape->count, dims);
        return true;
    }
    Tensor *out = node->out[0];
    float *reals = ARENA_ARRAY(import->arena, float, count);
    Dim *wholes = ARENA_ARRAY(import->arena, Dim, count);
    for (int64_t i = 0; i < count; i++) {
        if (number->reals)
            reals[i] = number->reals[0];
        else
            wholes[i] = number->wholes[0];
    }
    out->constant = true;
    out->count = count;
    out->kind = number->kind;
    out->reals = number->reals ? reals : NULL;
    out->wholes = number->reals ? NULL : wholes;
    set_dims(out, (int)shape->count, dims);
    return true;
}

/* The row of a part of an axis at its edge, for padding by copies. */
static bool pad_by_copies(Import *import, OpNode *node, const int64_t *pads, const char *mode) {
    Tensor *y = node->in[0];
    bool reflect = !strcmp(mode, "reflect");
    int rank = y->rank;
    for (int axis = 0; axis < rank; axis++) {
        int64_t before = pads[axis], after = pads[rank + axis], size = y->dims[axis].size;
        if (!before && !after) continue;
        if (y->dims[axis].rows || before + after > 60 ||
            (reflect && (before >= size || after >= size)))
            return node_fail(import, node, "axis %d cannot be padded so", axis);
        const char *text = "concat([";
        for (int64_t i = before; i > 0; i--)
            text = arena_format(import->arena, "%s%s, ", text,
                                part_text(import, axis, reflect ? i : 0, reflect ? i + 1 : 1, 1));
        text = arena_format(import->arena, "%s%%00", text);
        for (int64_t i = 1; i <= after; i++)
            text = arena_format(import->arena, "%s, %s", text,
                                part_text(import, axis, reflect ? size - 1 - i : size - 1,
                                          reflect ? size - i : size, 1));
        Tensor *wider = inner(import, LEVEL_ATOM,
                              arena_format(import->arena, "%s], axis = %d)", text, axis), 1, &y);
        wider->dims[axis].size = size + before + after;
        y = wider;
    }
    make_same(import, node, 0, y);
    return true;
}

bool op_pad(Import *import, OpNode *node) {
    Tensor *x = node->in[0], *y = x;
    const int64_t *pads;
    uint32_t count;
    double value = (double)node_float(node, "value", 0);
    const char *mode = node_string(node, "mode", "constant");
    if (!(pads = node_ints(node, "pads", &count)) &&
        !(pads = node_ints(node, "paddings", &count)) &&
        !node_constant(import, node, 1, &pads, &count))
        return false;
    if (node->in_count > 2 && node->in[2] && !is_number(node->in[2], &value))
        return node_fail(import, node, "its value must be known here");
    if (node->in_count > 3 && node->in[3]) { /* the axes that are padded; the others are not */
        const int64_t *axes;
        uint32_t axis_count;
        int64_t *all = ARENA_ARRAY(import->arena, int64_t, 2 * ONNX_MAX_RANK);
        if (!node_constant(import, node, 3, &axes, &axis_count)) return false;
        if (count != 2 * axis_count) return node_fail(import, node, "its pads and axes do not fit");
        for (uint32_t i = 0; i < axis_count; i++) {
            int axis;
            if (!axis_of(import, node, axes[i], x->rank, &axis)) return false;
            all[axis] = pads[i];
            all[x->rank + axis] = pads[axis_count + i];
        }
        pads = all;
        count = 2 * (uint32_t)x->rank;
    }
    if ((int)count != 2 * x->rank)
        return node_fail(import, node, "pads has %u numbers for %d axes", count, x->rank);
    for (uint32_t i = 0; i < count; i++)
        if (pads[i] < 0 || pads[i] > 1 << 20)
            return node_fail(import, node, "pads of %lld are not supported", (long long)pads[i]);
    if (!strcmp(mode, "reflect") || !strcmp(mode, "edge"))
        return pad_by_copies(import, node, pads, mode);
    if (strcmp(mode, "constant"))
        return node_fail(import, node, "the mode '%.40s' is not supported", mode);
    if (value != 0)
        y = inner(import, LEVEL_SUM,
                  arena_format(import->arena, "%%05 - %s",
                               value < 0 ? arena_format(import->arena, "(%s)",
                                                        real_text(import, (float)value))
                                         : real_text(import, (float)value)),
                  1, &y);
    for (int axis = 0; axis < x->rank; axis++) {
        int64_t before = pads[axis], after = pads[x->rank + axis];
        if (!before && !after) continue;
        if (x->dims[axis].rows) return node_fail(import, node, "it adds rows to the batch");
        Tensor *wider = inner_pipe(import,
                                   arena_format(import->arena, "pad(%lld, %lld, axis = %d)",
                                                (long long)before, (long long)after, axis),
                                   y);
        wider->dims[axis].size += before + after;
        y = wider;
    }
    if (value != 0)
        y = inner(import, LEVEL_SUM,
                  arena_format(import->arena, "%%05 + %s", real_text(import, (float)value)), 1, &y);
    make_same(import, node, 0, y);
    return true;
}

/* Whole factors of height and width, each pixel repeated. */
static bool whole_factors(Import *import, OpNode *node, int64_t factors[2]) {
    const Tensor *x = node->in[0], *scales = NULL;
    const OnnxAttribute *attribute = onnx_attribute(node->onnx, "scales");
    bool upsample = !strcmp(node->onnx->op, "Upsample") || import->model->opset < 11;
    uint32_t at = upsample ? 1 : 2;
    double all[ONNX_MAX_RANK] = {1, 1, 1, 1};
    if (attribute && attribute->count == 4)
        for (int i = 0; i < 4; i++) all[i] = (double)attribute->floats[i];
    else if (node->in_count > at && node->in[at] && (scales = node->in[at])->count == 4 &&
             scales->reals)
        for (int i = 0; i < 4; i++) all[i] = (double)scales->reals[i];
    else if (node->in_count > 3 && node->in[3] && node->in[3]->constant && node->in[3]->wholes &&
             node->in[3]->count == 4)
        for (int i = 2; i < 4; i++)
            all[i] = (double)node->in[3]->wholes[i].size / (double)x->dims[i].size;
    else
        return node_fail(import, node, "its factors must be known here");
    for (int i = 0; i < 2; i++) {
        factors[i] = all[2 + i] >= 1 && all[2 + i] <= 1024 ? (int64_t)all[2 + i] : 0;
        if (!factors[i] || (double)factors[i] != all[2 + i] || all[i] != 1)
            return node_fail(import, node, "only whole factors of height and width are supported");
    }
    return true;
}

bool op_resize(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    int64_t factors[2] = {1, 1};
    const char *mode = node_string(node, "mode", "nearest"),
               *place = node_string(node, "coordinate_transformation_mode", "half_pixel");
    if (x->rank != 4 || x->dims[2].rows || x->dims[3].rows)
        return node_fail(import, node, "its input is not a batch of pictures");
    if (strcmp(mode, "nearest"))
        return node_fail(import, node, "the mode '%.40s' is not supported; 'nearest' is", mode);
    /* Of these, whole factors repeat each pixel: floor from the corner, the nearest from the
     * middle. */
    const char *nearest = node_string(node, "nearest_mode", "round_prefer_floor");
    bool corner =
        import->model->opset < 11 || (!strcmp(place, "asymmetric") && !strcmp(nearest, "floor"));
    bool middle = !strcmp(place, "half_pixel") && !strncmp(nearest, "round_prefer_", 13);
    if (!corner && !middle)
        return node_fail(import, node, "the mode '%.40s' with '%.40s' is not supported", place,
                         nearest);
    if (!whole_factors(import, node, factors)) return false;
    Dim apart[] = {x->dims[0], x->dims[1], x->dims[2], {1, false}, x->dims[3], {1, false}};
    Tensor *y = inner_pipe(
        import, arena_format(import->arena, "reshape(%s)", dims_text(import, apart, 6)), x);
    set_dims(y, 6, apart);
    apart[3].size = factors[0];
    apart[5].size = factors[1];
    y = inner_pipe(import, arena_format(import->arena, "expand(%s)", dims_text(import, apart, 6)),
                   y);
    set_dims(y, 6, apart);
    Dim dims[] = {x->dims[0],
                  x->dims[1],
                  {x->dims[2].size * factors[0], false},
                  {x->dims[3].size * factors[1], false}};
    set_dims(make_pipe(import, node, 0,
                       arena_format(import->arena, "reshape(%s)", dims_text(import, dims, 4)), y),
             4, dims);
    return true;
}

/* Pixels from channels, and back: a reshape, a permute and a reshape. */
static bool move_blocks(Import *import, OpNode *node, const Dim *apart, const char *order,
                        const Dim *moved, const Dim *dims) {
    Tensor *y =
        inner_pipe(import, arena_format(import->arena, "reshape(%s)", dims_text(import, apart, 6)),
                   node->in[0]);
    set_dims(y, 6, apart);
    y = inner_pipe(import, arena_format(import->arena, "permute(%s)", order), y);
    set_dims(y, 6, moved);
    set_dims(make_pipe(import, node, 0,
                       arena_format(import->arena, "reshape(%s)", dims_text(import, dims, 4)), y),
             4, dims);
    return true;
}

bool op_depth_to_space(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    int64_t block = node_int(node, "blocksize", 0);
    bool columns = !strcmp(node_string(node, "mode", "DCR"), "CRD");
    if (x->rank != 4 || block < 1 || block > 1024 || x->dims[1].size % (block * block))
        return node_fail(import, node, "its block does not fit");
    Dim b = {block, false}, c = {x->dims[1].size / (block * block), false}, n = x->dims[0],
        h = x->dims[2], w = x->dims[3];
    Dim dims[] = {n, c, {h.size * block, h.rows}, {w.size * block, w.rows}},
        moved[] = {n, c, h, b, w, b};
    if (columns)
        return move_blocks(import, node, (Dim[]){n, c, b, b, h, w}, "[0, 1, 4, 2, 5, 3]", moved,
                           dims);
    return move_blocks(import, node, (Dim[]){n, b, b, c, h, w}, "[0, 3, 4, 1, 5, 2]", moved, dims);
}

bool op_space_to_depth(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    int64_t block = node_int(node, "blocksize", 0);
    if (x->rank != 4 || block < 1 || block > 1024 || x->dims[2].size % block ||
        x->dims[3].size % block)
        return node_fail(import, node, "its block does not fit");
    Dim b = {block, false}, n = x->dims[0], c = x->dims[1], h = {x->dims[2].size / block, false},
        w = {x->dims[3].size / block, false};
    Dim dims[] = {n, {c.size * block * block, false}, h, w};
    return move_blocks(import, node, (Dim[]){n, c, h, b, w, b}, "[0, 3, 5, 1, 2, 4]",
                       (Dim[]){n, b, b, c, h, w}, dims);
}

bool op_one_hot(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    double depth;
    const Tensor *values = node->in[2];
    int64_t axis = node_int(node, "axis", -1);
    if (!is_number(node->in[1], &depth) || depth < 1 || depth > SHAPE_MAX_ELEMENTS)
        return node_fail(import, node, "its depth must be known here");
    if (!values->constant || values->count != 2 || x->rank != 1 || (axis != -1 && axis != 1))
        return node_fail(import, node, "only classes of rows are supported");
    double off = values->reals ? (double)values->reals[0] : (double)values->wholes[0].size,
           on = values->reals ? (double)values->reals[1] : (double)values->wholes[1].size;
    if (off != 0 || on != 1) return node_fail(import, node, "its values must be 0 and 1");
    Dim dims[] = {x->dims[0], {(int64_t)depth, false}};
    Tensor *y = make_pipe(import, node, 0,
                          arena_format(import->arena, "one_hot(%lld)", (long long)dims[1].size), x);
    set_dims(y, 2, dims);
    y->kind = KIND_REAL;
    return true;
}

/* What is folded always, or else cannot be said. */
bool op_constant_only(Import *import, OpNode *node) {
    return node_fail(import, node, "its inputs must be known here");
}
