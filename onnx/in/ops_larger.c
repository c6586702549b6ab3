/* Operations that make tensors of other sizes: repeated, padded, spread. */
#include "onnx/in/fold.h"

#include <math.h>
#include <string.h>

/* A constant whose elements are all equal becomes one number; others stay as they are. */
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
    for (int i = 0; i < wanted.rank; i++) { /* the file may fix the size of the batch */
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

/* Makes a tensor a constant of `count` equal numbers. */
static void repeat_constant(Import *import, const Tensor *number, int64_t count, Tensor *to) {
    float *reals = number->reals ? ARENA_ARRAY(import->arena, float, count) : NULL;
    Dim *wholes = number->reals ? NULL : ARENA_ARRAY(import->arena, Dim, count);
    for (int64_t i = 0; i < count && reals; i++) reals[i] = number->reals[0];
    for (int64_t i = 0; i < count && wholes; i++) wholes[i] = number->wholes[0];
    to->constant = true;
    to->count = count;
    to->kind = number->kind;
    to->reals = reals;
    to->wholes = wholes;
}

/* A shape with N cannot be a constant: one number is expanded. */
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
    repeat_constant(import, number, count, node->out[0]);
    set_dims(node->out[0], (int)shape->count, dims);
    return true;
}

const int64_t *node_pads(const Import *import, const OpNode *node, int rank) {
    const int64_t *pads, *axes;
    uint32_t count, axis_count;
    if (!(pads = node_ints(node, "pads", &count)) &&
        !(pads = node_ints(node, "paddings", &count)) &&
        !node_constant(import, node, 1, &pads, &count))
        return NULL;
    if (node->in_count > 3 && node->in[3]) { /* the fourth input lists the axes that are padded */
        int64_t *all = ARENA_ARRAY(import->arena, int64_t, 2 * ONNX_MAX_RANK);
        if (!node_constant(import, node, 3, &axes, &axis_count)) return NULL;
        if (count != 2 * axis_count)
            return node_fail(import, node, "its pads and axes do not fit"), NULL;
        for (uint32_t i = 0; i < axis_count; i++) {
            int axis;
            if (!axis_of(import, node, axes[i], rank, &axis)) return NULL;
            all[axis] = pads[i];
            all[rank + axis] = pads[axis_count + i];
        }
        pads = all;
        count = 2 * (uint32_t)rank;
    }
    if ((int)count != 2 * rank)
        return node_fail(import, node, "pads has %u numbers for %d axes", count, rank), NULL;
    for (uint32_t i = 0; i < count; i++)
        if (pads[i] < -(1 << 20) || pads[i] > 1 << 20)
            return node_fail(import, node, "pads of %lld are not supported", (long long)pads[i]),
                   NULL;
    return pads;
}

/* Negative padding removes elements. NULL after reporting that none is left. */
static Tensor *cropped(Import *import, const OpNode *node, Tensor *x, int axis, int64_t before,
                       int64_t after) {
    int64_t size = x->dims[axis].size, from = before < 0 ? -before : 0,
            count = size - from + (after < 0 ? after : 0);
    if (count == size) return x;
    if (count < 1) return node_fail(import, node, "nothing of axis %d is left", axis), NULL;
    return take_part(import, x, (Part){axis, from, count, 1});
}

/* Pads by copies of the edge, by a reflection, or by the other end: parts of the axis are joined
 * with it. NULL after reporting an error. */
static Tensor *pad_by_copies(Import *import, const OpNode *node, Tensor *x, int axis,
                             int64_t before, int64_t after) {
    enum { MAX_SIZE = 1 << 16 };
    int64_t size = x->dims[axis].size;
    bool single = size == 1 && !strcmp(node_string(node, "mode", ""), "reflect");
    if (size > MAX_SIZE || before + after > MAX_SIZE || single)
        return node_fail(import, node, "axis %d cannot be padded in this mode", axis), NULL;
    return take_elements(import, x, axis, before + size + after,
                         fold_pads(import, node, before, size, after));
}

Tensor *pad_with(Import *import, Tensor *x, const char *number, int axis, int64_t before,
                 int64_t after) {
    Dim ends[2][ONNX_MAX_RANK];
    Arena *arena = import->arena;
    const char *texts[2] = {"", ""};
    for (int e = 0; e < 2; e++) {
        memcpy(ends[e], x->dims, sizeof ends[e]);
        ends[e][axis].size = e ? after : before;
        if (ends[e][axis].size)
            texts[e] = arena_format(arena, e ? ", expand(%s, %s)" : "expand(%s, %s), ", number,
                                    dims_text(import, ends[e], x->rank));
    }
    Tensor *wider =
        strcmp(number, "0.0")
            ? inner(import, LEVEL_ATOM,
                    arena_format(arena, "concat([%s%%00%s], axis = %d)", texts[0], texts[1], axis),
                    1, &x)
            : inner_pipe(import,
                         arena_format(arena, "pad(%lld, %lld, axis = %d)", (long long)before,
                                      (long long)after, axis),
                         x);
    wider->dims[axis].size += before + after;
    return wider;
}

/* Pads all axes, one after the other, with a number, or with copies if it is NULL. NULL after
 * reporting an error. */
static Tensor *pad_axes(Import *import, const OpNode *node, Tensor *x, const char *number) {
    int rank = x->rank;
    const int64_t *pads = node_pads(import, node, rank);
    for (int axis = 0; axis < rank && x && pads; axis++) {
        int64_t before = pads[axis], after = pads[rank + axis];
        if (!before && !after) continue;
        if (x->dims[axis].rows)
            return node_fail(import, node, "it changes the number of rows"), NULL;
        x = cropped(import, node, x, axis, before, after);
        if (before < 0) before = 0;
        if (after < 0) after = 0;
        if (!x || (!before && !after)) continue;
        x = number ? pad_with(import, x, number, axis, before, after)
                   : pad_by_copies(import, node, x, axis, before, after);
    }
    return pads ? x : NULL;
}

bool op_pad(Import *import, OpNode *node) {
    double value = (double)node_float(node, "value", 0);
    const char *mode = node_string(node, "mode", "constant");
    bool copies = !strcmp(mode, "reflect") || !strcmp(mode, "edge") || !strcmp(mode, "wrap");
    if (!copies && strcmp(mode, "constant"))
        return node_fail(import, node, "the mode '%.40s' is not supported", mode);
    if (node->in_count > 2 && node->in[2] && !is_number(node->in[2], &value))
        return node_fail(import, node, "its value must be known here");
    Tensor *y = pad_axes(import, node, node->in[0],
                         copies ? NULL : real_text(import, value == 0 ? 0 : (float)value));
    if (y) make_same(import, node, 0, y);
    return y != NULL;
}

bool op_trilu(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    double diagonal = 0;
    const Dim *last = x->dims + x->rank - 2;
    if (x->rank < 2 || last[0].rows || last[1].rows)
        return node_fail(import, node, "its input is not a matrix of a fixed size");
    if (node->in_count > 1 && node->in[1] && !is_number(node->in[1], &diagonal))
        return node_fail(import, node, "its diagonal must be known here");
    if (fabs(diagonal) > (double)SHAPE_MAX_ELEMENTS)
        return node_fail(import, node, "its diagonal is outside of its input");
    const char *triangle =
        triangle_text(import, last, 2, node_int(node, "upper", 1) ? ">=" : "<=", (int64_t)diagonal);
    if (x->kind == KIND_BOOL)
        make(import, node, 0, LEVEL_AND, arena_format(import->arena, "%s and %%03", triangle), 1,
             &x);
    else
        make(import, node, 0, LEVEL_ATOM,
             arena_format(import->arena, "select(%s, %%00, 0.0)", triangle), 1, &x)
            ->kind = KIND_REAL;
    return true;
}

/* Moves blocks of pixels to channels, or back: a reshape, a permute and a reshape. */
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

/* Where an axis, which x has not, has the index that x gives: "index([N, 3], 1) == unsqueeze(x,
 * 1)". x: the argument with its level. */
static const char *at_index(const Import *import, const Dim *dims, int rank, int axis,
                            const char *x) {
    return arena_format(import->arena, "index(%s, %d) == unsqueeze(%s, %d)",
                        dims_text(import, dims, rank), axis, x, axis);
}

/* 1 at the first largest element along an axis, 0 elsewhere. */
bool op_hardmax(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    bool old = import->model->opset < 13;
    int axis;
    if (!axis_of(import, node, node_int(node, "axis", old ? 1 : -1), x->rank, &axis)) return false;
    if (x->dims[axis].rows) return node_fail(import, node, "it goes over the rows of the batch");
    if (old && axis < x->rank - 1)
        return node_fail(import, node, "before opset 13, only the last axis is supported");
    const char *largest = arena_format(import->arena, "argmax(%%00, %d)", axis);
    make(import, node, 0, LEVEL_ATOM,
         arena_format(import->arena, "select(%s, 1.0, 0.0)",
                      at_index(import, x->dims, x->rank, axis, largest)),
         1, &x);
    return true;
}

/* Any indices, and any axis: an index below 0 counts from the end. */
static bool spread_classes(Import *import, OpNode *node, Tensor *x, int64_t depth, int axis) {
    Dim dims[ONNX_MAX_RANK];
    const Tensor *values = node->in[2];
    const char *index =
        arena_format(import->arena, "select(%%05 < 0, %%05 + %lld, %%00)", (long long)depth);
    for (int i = 0; i <= x->rank; i++)
        dims[i] = i == axis ? (Dim){depth, false} : x->dims[i - (i > axis)];
    if (x->kind == KIND_REAL) {
        x = inner_pipe(import, "int", x);
        x->kind = KIND_WHOLE;
    }
    Tensor *y = make(import, node, 0, LEVEL_ATOM,
                     arena_format(import->arena, "select(%s, %s, %s)",
                                  at_index(import, dims, x->rank + 1, axis, index),
                                  real_text(import, (float)constant_element(values, 1)),
                                  real_text(import, (float)constant_element(values, 0))),
                     1, &x);
    set_dims(y, x->rank + 1, dims);
    y->kind = KIND_REAL;
    return true;
}

bool op_one_hot(Import *import, OpNode *node) {
    Tensor *x = node->in[0];
    double depth;
    const Tensor *values = node->in[2];
    int axis;
    if (!is_number(node->in[1], &depth) || depth < 1 || depth > SHAPE_MAX_ELEMENTS)
        return node_fail(import, node, "its depth must be known here");
    if (!values->constant || values->count != 2)
        return node_fail(import, node, "its two values must be known here");
    if (x->rank >= SHAPE_MAX_RANK)
        return node_fail(import, node, "it makes %d axes; at most %d are supported", x->rank + 1,
                         SHAPE_MAX_RANK);
    if (!axis_of(import, node, node_int(node, "axis", -1), x->rank + 1, &axis)) return false;
    bool classes = x->rank == 1 && axis == 1 && x->kind == KIND_WHOLE &&
                   constant_element(values, 0) == 0 && constant_element(values, 1) == 1;
    if (!classes) return spread_classes(import, node, x, (int64_t)depth, axis);
    Dim dims[] = {x->dims[0], {(int64_t)depth, false}};
    Tensor *y = make_pipe(import, node, 0,
                          arena_format(import->arena, "one_hot(%lld)", (long long)dims[1].size), x);
    set_dims(y, 2, dims);
    y->kind = KIND_REAL;
    return true;
}
