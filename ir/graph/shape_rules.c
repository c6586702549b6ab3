/* The shape rules: each checks the operands of an op and infers the type of its result. */
#include "ir/graph/shape_rules.h"
#include "ir/ops/winograd.h"

#include <inttypes.h>
#include <string.h>

/* -- reporting -- */

static const Node *operand(const ShapeCheck *check, uint32_t i) {
    return graph_node(check->graph, check->operands[i]);
}

static bool reject(const ShapeCheck *check, const char *expectation) {
    char list[4 * SHAPE_TEXT] = "", text[SHAPE_TEXT];
    size_t at = 0;
    for (uint32_t i = 0; i < check->count && i < 3; i++) {
        const Node *node = operand(check, i);
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i ? ", " : "",
                               shape_text(node->dtype, node->shape, text));
    }
    diag_error(check->graph->diag, STATUS_MODEL, check->graph->span, "%s of %s: %s",
               op_name(check->op), check->count ? list : "nothing", expectation);
    for (uint32_t i = 0; i < check->count && i < 4; i++) {
        const Node *node = operand(check, i);
        if (node->span.file)
            diag_note(check->graph->diag, node->span, "operand %u is %s", i + 1,
                      shape_text(node->dtype, node->shape, text));
    }
    return false;
}

static bool infer(const ShapeCheck *check, DType dtype, Shape shape) {
    *check->result = (TensorType){dtype, shape};
    return true;
}

static bool same_types(const ShapeCheck *check) {
    const Node *first = operand(check, 0);
    for (uint32_t i = 1; i < check->count; i++)
        if (operand(check, i)->dtype != first->dtype ||
            !shape_equal(operand(check, i)->shape, first->shape))
            return reject(check, "the operands must have the same type and shape");
    return true;
}

/* -- the rules -- */

static bool shape_leaf(const ShapeCheck *check) {
    if (check->op != OP_iota) return true;
    if (check->result->dtype != DTYPE_I32) return reject(check, "the result must be i32");
    return check->attrs->axis >= 0 && check->attrs->axis < check->result->shape.rank
               ? true
               : reject(check, "no such axis");
}

static bool shape_arithmetic(const ShapeCheck *check) {
    const Node *a = operand(check, 0);
    if (a->dtype != DTYPE_F32 && a->dtype != DTYPE_I32)
        return reject(check, "the operands must be f32 or i32");
    return same_types(check) && infer(check, a->dtype, a->shape);
}

static bool shape_real(const ShapeCheck *check) {
    const Node *a = operand(check, 0);
    if (a->dtype != DTYPE_F32) return reject(check, "the operands must be f32");
    return same_types(check) && infer(check, DTYPE_F32, a->shape);
}

/* Derivatives, which only gradients use; they are not functions of the language. */
static bool shape_slope(const ShapeCheck *check) { return shape_real(check); }

static bool shape_compare(const ShapeCheck *check) {
    if (operand(check, 0)->dtype == DTYPE_I8) return reject(check, "the operands must not be i8");
    return same_types(check) && infer(check, DTYPE_BOOL, operand(check, 0)->shape);
}

static bool shape_bits(const ShapeCheck *check) {
    const Node *a = operand(check, 0);
    if (a->dtype != DTYPE_BOOL && a->dtype != DTYPE_I32)
        return reject(check, "the operands must be bool or i32");
    return same_types(check) && infer(check, a->dtype, a->shape);
}

static bool shape_shift(const ShapeCheck *check) {
    if (operand(check, 0)->dtype != DTYPE_I32) return reject(check, "the operands must be i32");
    return same_types(check) && infer(check, DTYPE_I32, operand(check, 0)->shape);
}

/* Only quantized networks use it; it is no function of the language. */
static bool shape_scale(const ShapeCheck *check) { return shape_shift(check); }

static bool shape_select(const ShapeCheck *check) {
    const Node *c = operand(check, 0), *a = operand(check, 1), *b = operand(check, 2);
    if (c->dtype != DTYPE_BOOL) return reject(check, "the first operand must be bool");
    if (a->dtype != b->dtype)
        return reject(check, "the second and third operand must have the same type");
    if (!shape_equal(a->shape, b->shape) || !shape_equal(a->shape, c->shape))
        return reject(check, "the operands must have the same shape");
    return infer(check, a->dtype, a->shape);
}

static bool shape_convert(const ShapeCheck *check) {
    return infer(check, check->result->dtype, operand(check, 0)->shape);
}

static bool shape_bitcast(const ShapeCheck *check) {
    const Node *a = operand(check, 0);
    bool four = (a->dtype == DTYPE_F32 || a->dtype == DTYPE_I32) &&
                (check->result->dtype == DTYPE_F32 || check->result->dtype == DTYPE_I32);
    return four ? infer(check, check->result->dtype, a->shape)
                : reject(check, "only f32 and i32 can be read as each other");
}

static bool shape_reshape(const ShapeCheck *check) {
    const Node *a = operand(check, 0);
    if (shape_elements(a->shape) == shape_elements(check->result->shape))
        return infer(check, a->dtype, check->result->shape);
    char text[SHAPE_TEXT], expectation[2 * SHAPE_TEXT];
    snprintf(expectation, sizeof expectation,
             "%s has another number of elements (%" PRId64 ", not %" PRId64 ")",
             shape_text(a->dtype, check->result->shape, text), shape_elements(check->result->shape),
             shape_elements(a->shape));
    return reject(check, expectation);
}

static bool shape_repeat(const ShapeCheck *check) {
    const Node *a = operand(check, 0);
    Shape both;
    if (shape_broadcast(a->shape, check->result->shape, &both) &&
        shape_equal(both, check->result->shape))
        return infer(check, a->dtype, both);
    char text[SHAPE_TEXT], expectation[2 * SHAPE_TEXT];
    snprintf(expectation, sizeof expectation, "cannot be repeated to %s",
             shape_text(a->dtype, check->result->shape, text));
    return reject(check, expectation);
}

static bool shape_transpose(const ShapeCheck *check) {
    const Node *a = operand(check, 0);
    Shape shape = {.rank = a->shape.rank};
    uint32_t seen = 0;
    for (int i = 0; i < a->shape.rank; i++) {
        int64_t from = check->attrs->perm[i];
        if (from < 0 || from >= a->shape.rank || seen >> from & 1)
            return reject(check, "the permutation must name every axis once");
        seen |= 1u << from;
        shape.dim[i] = a->shape.dim[from];
    }
    return infer(check, a->dtype, shape);
}

static bool shape_slice(const ShapeCheck *check) {
    const Node *a = operand(check, 0);
    const Attrs *attrs = check->attrs;
    Shape shape = {.rank = a->shape.rank};
    for (int i = 0; i < a->shape.rank; i++) {
        int64_t start = attrs->range.start[i], stop = attrs->range.stop[i],
                step = attrs->range.step[i];
        if (start < 0 || stop > a->shape.dim[i] || start >= stop || step < 1)
            return reject(check,
                          "start, stop and step must select at least one element along every axis");
        shape.dim[i] = (stop - start - 1) / step + 1;
    }
    return infer(check, a->dtype, shape);
}

static bool shape_pad(const ShapeCheck *check) {
    const Node *a = operand(check, 0);
    Shape shape = {.rank = a->shape.rank};
    for (int i = 0; i < a->shape.rank; i++) {
        int64_t before = check->attrs->pad.before[i], after = check->attrs->pad.after[i];
        if (before < 0 || after < 0 || before > SHAPE_MAX_ELEMENTS || after > SHAPE_MAX_ELEMENTS)
            return reject(check, "the padding must be between 0 and 2^31");
        shape.dim[i] = a->shape.dim[i] + before + after;
    }
    return infer(check, a->dtype, shape);
}

static bool shape_concat(const ShapeCheck *check) {
    const Node *first = operand(check, 0);
    int axis = check->attrs->axis;
    if (axis < 0 || axis >= first->shape.rank) return reject(check, "no such axis");
    Shape shape = first->shape;
    shape.dim[axis] = 0;
    for (uint32_t i = 0; i < check->count; i++) {
        Shape part = operand(check, i)->shape;
        if (part.rank != shape.rank || operand(check, i)->dtype != first->dtype)
            return reject(check, "the operands must have the same type and rank");
        shape.dim[axis] += part.dim[axis];
        part.dim[axis] = first->shape.dim[axis];
        if (!shape_equal(part, first->shape))
            return reject(check, "the operands may differ along the axis only");
    }
    return infer(check, first->dtype, shape);
}

static bool shape_reverse(const ShapeCheck *check) {
    const Node *a = operand(check, 0);
    if (check->attrs->axis < 0 || check->attrs->axis >= a->shape.rank)
        return reject(check, "no such axis");
    return infer(check, a->dtype, a->shape);
}

/* -- windows -- */

/* Both sizes, along height and width, must be at least 1. */
static bool sizes_positive(const ShapeCheck *check, const int64_t *sizes, const char *expectation) {
    return sizes[0] >= 1 && sizes[1] >= 1 ? true : reject(check, expectation);
}

/* Counts the windows along axis and axis + 1 of the first operand. */
static bool count_windows(const ShapeCheck *check, int axis, const int64_t *kernel,
                          const int64_t *stride, const int64_t *dilation, int64_t counts[2]) {
    if (!sizes_positive(check, kernel, "the kernel must be at least 1 along both axes") ||
        !sizes_positive(check, stride, "the stride must be at least 1 along both axes") ||
        !sizes_positive(check, dilation, "the dilation must be at least 1 along both axes"))
        return false;
    for (int i = 0; i < 2; i++) {
        counts[i] =
            window_count(operand(check, 0)->shape.dim[axis + i], kernel[i], stride[i], dilation[i]);
        if (counts[i] < 1) return reject(check, "the kernel is larger than the picture");
    }
    /* the expanded graph holds all windows as one value */
    int64_t room = SHAPE_MAX_ELEMENTS / (shape_elements(operand(check, 0)->shape) /
                                         shape_product(operand(check, 0)->shape, axis, axis + 2));
    for (int i = 0; i < 2; i++) room = room / counts[i] / kernel[i];
    return room > 0 ? true
                    : reject(check, "all windows together would have more than 2^31 elements");
}

static bool shape_windows(const ShapeCheck *check) {
    const Node *a = operand(check, 0);
    const Window *window = &check->attrs->window;
    int64_t counts[2];
    if (a->shape.rank != 4) return reject(check, "the operand must be [N,H,W,C]");
    if (!count_windows(check, 1, window->kernel, window->stride, window->dilation, counts))
        return false;
    int64_t dims[] = {a->shape.dim[0],   counts[0],         counts[1],
                      window->kernel[0], window->kernel[1], a->shape.dim[3]};
    return infer(check, a->dtype, shape_of(6, dims));
}

static bool shape_pool(const ShapeCheck *check) {
    const Node *a = operand(check, 0);
    const Window *window = &check->attrs->window;
    Shape shape = a->shape;
    if (a->dtype != DTYPE_F32 || shape.rank != 4)
        return reject(check, "the operand must be f32[N,C,H,W]");
    return count_windows(check, 2, window->kernel, window->stride, window->dilation,
                         &shape.dim[2]) &&
           infer(check, DTYPE_F32, shape);
}

static bool shape_conv(const ShapeCheck *check) {
    const Node *x = operand(check, 0), *w = operand(check, 1);
    const Attrs *attrs = check->attrs;
    int64_t groups = attrs->conv.groups;
    Shape shape = x->shape;
    if (x->dtype != DTYPE_F32 || w->dtype != DTYPE_F32 || shape.rank != 4 || w->shape.rank != 4)
        return reject(check, "the operands must be f32[N,C,H,W] and f32[O,C/groups,KH,KW]");
    if (groups < 1 || shape.dim[1] % groups || w->shape.dim[0] % groups)
        return reject(check, "the channels of both must be multiples of the groups");
    if (w->shape.dim[1] != shape.dim[1] / groups)
        return reject(check, "the weights are for another number of channels");
    shape.dim[1] = w->shape.dim[0];
    return count_windows(check, 2, &w->shape.dim[2], attrs->conv.stride, attrs->conv.dilation,
                         &shape.dim[2]) &&
           infer(check, DTYPE_F32, shape);
}

static bool shape_reduce(const ShapeCheck *check) {
    const Node *a = operand(check, 0);
    int axis = check->attrs->axis;
    if (a->dtype != DTYPE_F32) return reject(check, "the operand must be f32");
    if (axis < 0 || axis >= a->shape.rank) return reject(check, "no such axis");
    Shape shape = {.rank = a->shape.rank - 1};
    for (int i = 0; i < shape.rank; i++) shape.dim[i] = a->shape.dim[i + (i >= axis)];
    return infer(check, DTYPE_F32, shape);
}

static bool shape_argmax(const ShapeCheck *check) {
    if (!shape_reduce(check)) return false;
    check->result->dtype = DTYPE_I32;
    return true;
}

static bool shape_axiswise(const ShapeCheck *check) {
    const Node *a = operand(check, 0);
    if (a->dtype != DTYPE_F32) return reject(check, "the operand must be f32");
    if (check->attrs->axis < 0 || check->attrs->axis >= a->shape.rank)
        return reject(check, "no such axis");
    return infer(check, DTYPE_F32, a->shape);
}

static bool is_byte(const Node *node) { return node->dtype == DTYPE_U8 || node->dtype == DTYPE_I8; }

static bool shape_matmul(const ShapeCheck *check) {
    const Node *a = operand(check, 0), *b = operand(check, 1);
    int rank = a->shape.rank;
    bool bytes = is_byte(a) && is_byte(b);
    if (!bytes && (a->dtype != DTYPE_F32 || b->dtype != DTYPE_F32))
        return reject(check, "both operands must be f32, or both u8 or i8");
    if (rank < 2 || b->shape.rank != rank)
        return reject(check, "the operands must have the same rank, at least 2");
    Shape shape = a->shape;
    for (int i = 0; i < rank - 2; i++)
        if (a->shape.dim[i] != b->shape.dim[i])
            return reject(check, "the leading axes must be equal");
    bool ta = check->attrs->matmul.transpose_a, tb = check->attrs->matmul.transpose_b;
    int64_t k = a->shape.dim[ta ? rank - 2 : rank - 1],
            other = b->shape.dim[tb ? rank - 1 : rank - 2];
    if (k != other) {
        char expectation[128];
        snprintf(expectation, sizeof expectation,
                 "the inner sizes differ: %" PRId64 " and %" PRId64, k, other);
        return reject(check, expectation);
    }
    shape.dim[rank - 2] = a->shape.dim[ta ? rank - 1 : rank - 2];
    shape.dim[rank - 1] = b->shape.dim[tb ? rank - 2 : rank - 1];
    return infer(check, bytes ? DTYPE_I32 : DTYPE_F32, shape);
}

/* The first operand of a convolution by tiles, with as many channels. */
static bool takes_tiles(const ShapeCheck *check, int64_t channels) {
    const Node *x = operand(check, 0);
    if (x->dtype != DTYPE_F32 || x->shape.rank != 4 || x->shape.dim[1] < WINOGRAD_TAPS ||
        x->shape.dim[2] < WINOGRAD_TAPS || x->shape.dim[3] != channels)
        return reject(check, "the first operand must be f32[N,H,W,C], with H and W from 3 on");
    return true;
}

static bool counts_channels(const ShapeCheck *check, int64_t channels, int64_t filters) {
    return channels % WINOGRAD_CHANNELS || channels > WINOGRAD_MAX_CHANNELS ||
                   filters % WINOGRAD_CHANNELS || filters > WINOGRAD_MAX_CHANNELS
               ? reject(check, "C and O must be multiples of 16, at most 256")
               : true;
}

static bool shape_winograd(const ShapeCheck *check) {
    const Node *x = operand(check, 0), *filters = operand(check, 1);
    Shape shape = x->shape, like = filters->shape;
    if (filters->dtype != DTYPE_F32 || like.rank != 3 || like.dim[0] != WINOGRAD_PRODUCTS)
        return reject(check, "the second operand must be f32[36,C,O]");
    if (!takes_tiles(check, like.dim[1]) || !counts_channels(check, like.dim[1], like.dim[2]))
        return false;
    shape.dim[1] -= WINOGRAD_TAPS - 1;
    shape.dim[2] -= WINOGRAD_TAPS - 1;
    shape.dim[3] = like.dim[2];
    return infer(check, DTYPE_F32, shape);
}

static bool shape_winograd_weights(const ShapeCheck *check) {
    const Node *x = operand(check, 0), *gradient = operand(check, 1);
    Shape from = x->shape, to = gradient->shape;
    if (!takes_tiles(check, from.dim[3])) return false;
    bool fits = gradient->dtype == DTYPE_F32 && to.rank == 4 && to.dim[0] == from.dim[0];
    for (int i = 1; i <= 2 && fits; i++) fits = to.dim[i] == from.dim[i] - (WINOGRAD_TAPS - 1);
    if (!fits) return reject(check, "the second operand must be f32[N,H-2,W-2,O]");
    if (!counts_channels(check, from.dim[3], to.dim[3])) return false;
    int64_t parts = to.dim[0] / window_part(to.dim[0], to.dim[1] * to.dim[2]);
    int64_t dims[] = {parts, WINOGRAD_PRODUCTS, from.dim[3], to.dim[3]};
    return infer(check, DTYPE_F32, shape_of(4, dims));
}

/* [O,C,KH,KW] from pictures [N,C,H,W] and [N,O,OH,OW]. */
static bool shape_conv_weights(const ShapeCheck *check) {
    const Node *x = operand(check, 0), *gradient = operand(check, 1);
    Shape from = x->shape, to = gradient->shape;
    bool fits = x->dtype == DTYPE_F32 && gradient->dtype == DTYPE_F32 && from.rank == 4 &&
                to.rank == 4 && from.dim[0] == to.dim[0];
    for (int i = 2; i <= 3 && fits; i++) fits = to.dim[i] <= from.dim[i];
    if (!fits) return reject(check, "the operands must be f32[N,C,H,W] and f32[N,O,OH,OW]");
    int64_t dims[] = {to.dim[1], from.dim[1], from.dim[2] - to.dim[2] + 1,
                      from.dim[3] - to.dim[3] + 1};
    return infer(check, DTYPE_F32, shape_of(4, dims));
}

/* The result has the shape of the index, which is that of a except along the axis. */
static bool shape_gather(const ShapeCheck *check) {
    const Node *a = operand(check, 0), *index = operand(check, 1);
    int axis = check->attrs->axis;
    if (index->dtype != DTYPE_I32) return reject(check, "the index must be i32");
    if (axis < 0 || axis >= a->shape.rank) return reject(check, "no such axis");
    Shape taken = index->shape;
    if (taken.rank == a->shape.rank) taken.dim[axis] = a->shape.dim[axis];
    if (!shape_equal(taken, a->shape))
        return reject(check, "the operands may differ along the axis only");
    return infer(check, a->dtype, index->shape);
}

/* The result has the shape of the first operand, except along the axis: there its size is given. */
static bool shape_scatter(const ShapeCheck *check) {
    const Node *a = operand(check, 0), *index = operand(check, 1);
    int axis = check->attrs->axis;
    if (a->dtype != DTYPE_F32) return reject(check, "the operand must be f32");
    if (index->dtype != DTYPE_I32 || !shape_equal(index->shape, a->shape))
        return reject(check, "the index must be i32 of the operand's shape");
    if (axis < 0 || axis >= a->shape.rank) return reject(check, "no such axis");
    Shape shape = check->result->shape, like = a->shape;
    if (shape.rank == like.rank) like.dim[axis] = shape.dim[axis];
    if (!shape_equal(shape, like))
        return reject(check, "the result may differ from the operand along the axis only");
    return infer(check, DTYPE_F32, shape);
}

static bool shape_random(const ShapeCheck *check) {
    for (uint32_t i = 0; i < check->count; i++)
        if (operand(check, i)->dtype != DTYPE_I32 || operand(check, i)->shape.rank)
            return reject(check, "the operands must be i32 scalars");
    return infer(check, DTYPE_I32, check->result->shape);
}

static bool shape_grad(const ShapeCheck *check) {
    const Node *y = operand(check, 0), *by = operand(check, 1);
    if (y->dtype != DTYPE_F32 || y->shape.rank != 0)
        return reject(check, "only an f32 scalar has a gradient");
    if (by->dtype != DTYPE_F32) return reject(check, "a gradient is taken by an f32 value");
    return infer(check, DTYPE_F32, by->shape);
}

static bool (*const rules[OP_COUNT])(const ShapeCheck *) = {
#define OP(name, arity, class, attrs, rule, gradient, expand, place, steps, zero, doc)             \
    [OP_##name] = shape_##rule,
#include "ir/ops/ops.def"
};

static bool count_fits(const ShapeCheck *check) {
    int arity = op_arity(check->op);
    if (arity >= 0 ? check->count == (uint32_t)arity : check->count >= 1) return true;
    char expectation[64];
    if (arity < 0)
        snprintf(expectation, sizeof expectation, "it takes at least 1 operand");
    else
        snprintf(expectation, sizeof expectation, "it takes %d operand%s, not %u", arity,
                 arity == 1 ? "" : "s", check->count);
    return reject(check, expectation);
}

bool shape_infer(const ShapeCheck *check) {
    if (!count_fits(check)) return false;
    if (check->result->shape.rank < 0 || check->result->shape.rank > SHAPE_MAX_RANK)
        return reject(check, "a tensor has at most 6 axes");
    if (!rules[check->op](check)) return false;
    /* Dimensions between 1 and 2^31, at most 2^31 elements. */
    Shape shape = check->result->shape;
    int64_t elements = 1;
    for (int i = 0; i < shape.rank; i++) {
        if (shape.dim[i] < 1) return reject(check, "the result would have an axis of size 0");
        if (shape.dim[i] > SHAPE_MAX_ELEMENTS || elements > SHAPE_MAX_ELEMENTS / shape.dim[i])
            return reject(check, "the result would have more than 2^31 elements");
        elements *= shape.dim[i];
    }
    return true;
}
