/* Operations that move elements, and those along axes. */
#include "onnx/in/translate.h"

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

/* Reductions in steps: a function of x, the reduction, a function of its result. */
static const struct {
    const char *name, *before, *reduction, *after;
} reductions[] = {{"abs", "abs", "sum", NULL},
                  {"** 2", "%09 ** 2", "sum", NULL},
                  {"log", NULL, "sum", "log"},
                  {"exp", "exp", "sum", "log"}};

/* log(sum(exp(x))) without overflow: the largest element is subtracted and added again. */
static Tensor *log_sum_exp(Import *import, Tensor *x, const int64_t *axes, uint32_t count) {
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
    return sum;
}

int reduced_dims(const Tensor *x, const int64_t *axes, uint32_t count, bool keep, Dim *dims) {
    int rank = 0;
    for (int i = 0; i < x->rank; i++) {
        bool gone = false;
        for (uint32_t k = 0; k < count; k++) gone |= axes[k] == i;
        if (!gone || keep) dims[rank++] = gone ? (Dim){1, false} : x->dims[i];
    }
    return rank;
}

/* Writes x |> before |> reduction |> after along some axes, with the three functions of a row of
 * the table. A mean over height and width becomes global_avg_pool. */
static bool reduce_axes(Import *import, OpNode *node, const int64_t *axes, uint32_t count) {
    Tensor *x = node->in[0];
    const char *function = node->text, *before = NULL, *after = NULL;
    bool keep = node_int(node, "keepdims", 1), product = !strcmp(function, "prod");
    for (size_t i = 0; i < sizeof reductions / sizeof *reductions; i++) {
        if (strcmp(reductions[i].name, node->text)) continue;
        before = reductions[i].before;
        after = reductions[i].after;
        function = reductions[i].reduction;
    }
    if (before && !strcmp(before, "exp"))
        x = log_sum_exp(import, x, axes, count), after = NULL;
    else if (before)
        x = strchr(before, '%') ? inner(import, LEVEL_POWER, before, 1, &x)
                                : inner_pipe(import, before, x);
    bool global = !strcmp(function, "mean") && !keep && count == 2 && x->rank == 4 && axes[0] == 2;
    const char *text = global ? "global_avg_pool"
                              : arena_format(import->arena, "%s(axis = %s%s)", function,
                                             axes_text(import, axes, count),
                                             keep && !product ? ", keep = true" : "");
    Dim dims[ONNX_MAX_RANK];
    int rank = reduced_dims(x, axes, count, keep, dims);
    bool reshapes = keep && product; /* prod() cannot keep axes */
    Tensor *y =
        after || reshapes ? inner_pipe(import, text, x) : make_pipe(import, node, 0, text, x);
    set_dims(y, rank, dims);
    y->kind = KIND_REAL;
    if (after) make_pipe(import, node, 0, after, y);
    if (reshapes)
        set_dims(
            make_pipe(import, node, 0,
                      arena_format(import->arena, "reshape(%s)", dims_text(import, dims, rank)), y),
            rank, dims);
    return true;
}

bool reduced_axes(const Import *import, const OpNode *node, const Tensor *x, int64_t *axes,
                  uint32_t *count) {
    bool given;
    if (!node_axes(import, node, 1, x->rank, axes, count, &given)) return false;
    if (given || node_int(node, "noop_with_empty_axes", 0)) return true;
    for (*count = 0; (int)*count < x->rank; ++*count) axes[*count] = *count;
    return true;
}

bool op_reduce(Import *import, OpNode *node) {
    const Tensor *x = node->in[0];
    int64_t axes[ONNX_MAX_RANK];
    uint32_t count;
    if (!reduced_axes(import, node, x, axes, &count)) return false;
    if (!count) return op_same(import, node);
    if (mixes_rows(import, node, x, axes, count)) return false;
    if (!strcmp(node->text, "prod") && count > 1)
        return node_fail(import, node, "a product over several axes is not supported");
    return reduce_axes(import, node, axes, count);
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

bool cumsum_axis(const Import *import, const OpNode *node, int *axis) {
    double number;
    if (!is_number(node->in[1], &number))
        return node_fail(import, node, "its axis must be known here");
    return axis_of(import, node, (int64_t)number, node->in[0]->rank, axis);
}

/* A sum that does not include the element itself is that of the elements before it. */
bool op_cumsum(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    int axis;
    if (!cumsum_axis(import, node, &axis)) return false;
    if (x->dims[axis].rows) return node_fail(import, node, "it goes over the rows of the batch");
    int64_t size = x->dims[axis].size;
    bool reverse = node_int(node, "reverse", 0);
    const Part backwards = {axis, size - 1, size, -1};
    if (reverse) x = take_part(import, x, backwards);
    if (node_int(node, "exclusive", 0)) {
        Tensor *before = take_part(import, x, (Part){axis, 0, size - 1, 1});
        x = inner_pipe(import, arena_format(import->arena, "pad(1, 0, axis = %d)", axis), before);
        x->dims[axis].size = size;
    }
    Tensor *y = inner_pipe(import, arena_format(import->arena, "cumsum(%d)", axis), x);
    y->kind = KIND_REAL;
    make_same(import, node, 0, reverse ? take_part(import, y, backwards) : y);
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

Tensor *reshape_to(Import *import, Tensor *x, int rank, const Dim *dims) {
    Tensor *y = inner_pipe(
        import, arena_format(import->arena, "reshape(%s)", dims_text(import, dims, rank)), x);
    set_dims(y, rank, dims);
    return y;
}

/* Whether x has only got another shape, so that the elements are those of args[0] in the same
 * order. */
static bool is_reshaped(const Tensor *x) {
    return x->pipe && (!strncmp(x->text, "reshape(", 8) || !strncmp(x->text, "unsqueeze(", 10) ||
                       !strcmp(x->text, "flatten"));
}

/* The axis of size 1 that x has more than these sizes. If there is none, the last but one, which is
 * merged with the last. -1: the shape is another one. */
static int removed_axis(const Tensor *x, int rank, const Dim *dims) {
    int axis = 0;
    if (rank != x->rank - 1 || rank < 1) return -1;
    while (axis < rank && dim_equal(x->dims[axis], dims[axis])) axis++;
    bool one = x->dims[axis].size == 1 && !x->dims[axis].rows;
    bool merged = axis == rank - 1 && x->permuted && !dims[axis].rows && x->order[axis] == axis &&
                  x->order[axis + 1] == axis + 1;
    for (int i = axis; i < rank && one; i++) one = dim_equal(x->dims[i + 1], dims[i]);
    return one || merged ? axis : -1;
}

/* If x is permuted after a reshape, one axis less is reshaped before: (x |> reshape([N, 5, 1, 8]))
 * |> permute(...) may lose both. x itself if it is something else. */
static Tensor *reshaped_first(Import *import, Tensor *x, int rank, const Dim *dims) {
    int removed = x->permuted ? removed_axis(x, rank, dims) : -1, order[ONNX_MAX_RANK], count = 0;
    if (removed < 0) return x;
    Tensor *from = x->args[0], less = {.rank = rank};
    int axis = x->order[removed];
    for (int i = 0; i < x->rank; i++) {
        if (i != removed) order[count++] = x->order[i] - (x->order[i] > axis);
        if (i != axis) less.dims[i - (i > axis)] = from->dims[i];
    }
    for (int i = 0; i < rank; i++) less.dims[order[i]] = dims[i];
    while (is_reshaped(from) && !same_dims(from, &less)) from = from->args[0];
    return same_dims(from, &less) ? permuted(import, from, order) : x;
}

/* x with another shape, of the same elements. */
static bool give_shape(Import *import, OpNode *node, int rank, const Dim *dims) {
    Tensor *x = node->in[0], shaped = {.rank = rank};
    if (rank > SHAPE_MAX_RANK)
        return node_fail(import, node, "it makes %d axes; at most %d are supported", rank,
                         SHAPE_MAX_RANK);
    memcpy(shaped.dims, dims, (size_t)rank * sizeof *dims);
    x = reshaped_first(import, x, rank, dims);
    while (is_reshaped(x) && !same_dims(x, &shaped))
        x = x->args[0]; /* of several reshapes only the last one matters */
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
        return node_fail(import, node, "it names axis %lld, but its input has %d axes",
                         (long long)axis, x->rank);
    if (axis < 0) axis += x->rank;
    int64_t front = product_of(x->dims, 0, (int)axis, &before),
            back = product_of(x->dims, (int)axis, x->rank, &after);
    return give_shape(import, node, 2, (Dim[]){{front, before}, {back, after}});
}

/* Whether axis `at` of a shape may hold the rows of x, in the order of the elements: what stands
 * before and after the rows in x is divided between this axis and those before and after it. Of an
 * axis N * k, the rows are the outer or the inner part. */
static bool holds_rows(const Import *import, const Tensor *x, int rank, const Dim *dims, int at) {
    int rows = 0;
    bool unused = false, holds = false;
    while (!x->dims[rows].rows) rows++;
    int64_t first = product_of(dims, 0, at, &unused),
            last = product_of(dims, at + 1, rank, &unused);
    for (int outer = 0; outer <= 1; outer++) {
        int64_t before = product_of(x->dims, 0, rows + !outer, &unused),
                after = product_of(x->dims, rows + !outer, x->rank, &unused);
        double size = (double)(before / first) * (double)(after / last) * (double)import->batch;
        holds |= before % first == 0 && after % last == 0 && (double)dims[at].size == size;
    }
    return holds;
}

/* If the file fixes the size of the batch, one axis becomes a multiple of N: the one where x has N,
 * else the first one that may hold the rows. all: the elements of a row of x. */
static void find_rows(const Import *import, const Tensor *x, int rank, int rest, int64_t all,
                      Dim *dims) {
    Dim sizes[ONNX_MAX_RANK];
    int64_t known = 1;
    memcpy(sizes, dims, (size_t)rank * sizeof *dims);
    for (int i = 0; i < rank; i++)
        if (dims[i].rows || dims[i].size == 0 ||
            (i != rest && __builtin_mul_overflow(known, dims[i].size, &known)))
            return;
    if (known < 1 || __builtin_mul_overflow(all, import->batch, &all)) return;
    if (rest >= 0) sizes[rest].size = all / known;
    if (rest >= 0 && sizes[rest].size < 1) return;
    for (int i = -x->rank; i < rank; i++) {
        int at = i < 0 ? i + x->rank : i;
        if (at >= rank || (i < 0 && !x->dims[at].rows) || !holds_rows(import, x, rank, sizes, at))
            continue;
        if (at != rest) dims[at] = (Dim){sizes[at].size / import->batch, true};
        return;
    }
}

/* Computes the size of the axis `rest`, so that all sizes together hold the elements of x. rest -1:
 * no axis is open. */
static bool fill_rest(const Import *import, const Tensor *x, int rank, int rest, Dim *dims) {
    Dim all = {1, false}, known = {1, false};
    for (int i = 0; i < x->rank; i++) all.size *= x->dims[i].size, all.rows |= x->dims[i].rows;
    if (all.rows && import->batch) find_rows(import, x, rank, rest, all.size, dims);
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

/* Composes two permutes into one, or none, as for NHWC to NCHW and back. NULL: they cancel; *from
 * is the tensor before both. */
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
