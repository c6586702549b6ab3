/* Functions that return shapes, and functions that give elements another shape or order. */
#include "frontend/evaluate/summary.h"

#include <inttypes.h>

static Shape shape_of_arg(const Call *call, uint32_t arg) {
    return tensor_node(call->evaluator, call->args[arg])->shape;
}

static Value built(const Call *call, NodeId node) {
    return evaluator_built(call->evaluator, call->span, node);
}

Value call_dim(const Call *call) {
    int axis;
    Shape shape = shape_of_arg(call, 0);
    return call_axis(call, 1, shape.rank, &axis) ? value_int(shape.dim[axis]) : value_error();
}

Value call_shape(const Call *call) {
    Shape shape = shape_of_arg(call, 0);
    Value *items = ARENA_ARRAY(call->evaluator->arena, Value, shape.rank);
    for (int i = 0; i < shape.rank; i++) items[i] = value_int(shape.dim[i]);
    return value_list(items, (uint32_t)shape.rank);
}

Value call_rank(const Call *call) { return value_int(shape_of_arg(call, 0).rank); }

Value call_index(const Call *call) {
    Shape shape;
    int axis;
    if (!call_sizes(call, 0, &shape) || !call_axis(call, 1, shape.rank, &axis))
        return value_error();
    return built(call, build_iota(call->evaluator->graph, shape, axis));
}

Value call_same_shape(const Call *call) {
    Shape x = shape_of_arg(call, 0), y = shape_of_arg(call, 1);
    if (shape_equal(x, y)) return call->args[0];
    if (evaluator_error(call->evaluator, call->span, "the shapes must be the same, not %s and %s",
                        call_arg_text(call, 0), call_arg_text(call, 1))) {
        Diagnostics *diag = call->evaluator->diag;
        const Node *target = tensor_node(call->evaluator, call->args[1]);
        if (shape_elements(x) != shape_elements(y)) {
            if (x.rank == 2 && y.rank == 1 && target->dtype != DTYPE_F32)
                diag_help(diag,
                          "for class numbers use cross_entropy; one_hot(y, %" PRId64
                          ") turns them into columns",
                          x.dim[1]);
        } else if (!tensors_help_column(call->evaluator, call->args[0].node, call->args[1].node)) {
            diag_help(diag, "reshape gives one the shape of the other: reshape(y, shape(x))");
        }
    }
    return value_error();
}

Value call_flatten(const Call *call) {
    Shape shape = shape_of_arg(call, 0);
    if (shape.rank < 1) return call_fail(call, 0, "must have at least one axis");
    Shape flat = {.rank = 2, .dim = {shape.dim[0], shape_inner(shape, 0)}};
    return built(call, build_reshape(call->evaluator->graph, call->args[0].node, flat));
}

Value call_reshape(const Call *call) {
    Shape from = shape_of_arg(call, 0), to;
    if (!call_sizes(call, 1, &to)) return value_error();
    if (shape_elements(from) != shape_elements(to)) {
        char text[SHAPE_TEXT];
        evaluator_error(call->evaluator, call->span,
                        "cannot reshape %s to %s: %" PRId64 " elements are not %" PRId64,
                        call_arg_text(call, 0),
                        shape_text(tensor_node(call->evaluator, call->args[0])->dtype, to, text),
                        shape_elements(from), shape_elements(to));
        return value_error();
    }
    return built(call, build_reshape(call->evaluator->graph, call->args[0].node, to));
}

Value call_unsqueeze(const Call *call) {
    Shape shape = shape_of_arg(call, 0);
    int axis;
    if (shape.rank == SHAPE_MAX_RANK)
        return call_fail(call, 0, "has %d axes already, the maximum", SHAPE_MAX_RANK);
    if (!call_axis(call, 1, shape.rank + 1, &axis)) return value_error();
    for (int i = shape.rank++; i > axis; i--) shape.dim[i] = shape.dim[i - 1];
    shape.dim[axis] = 1;
    return built(call, build_reshape(call->evaluator->graph, call->args[0].node, shape));
}

Value call_transpose(const Call *call) {
    if (shape_of_arg(call, 0).rank < 2)
        return call_fail(call, 0, "must have at least two axes, not be %s", call_arg_text(call, 0));
    return built(call, build_transpose(call->evaluator->graph, call->args[0].node, NULL));
}

Value call_permute(const Call *call) {
    Shape shape = shape_of_arg(call, 0);
    int64_t axes[SHAPE_MAX_RANK];
    uint32_t count, seen = 0;
    if (!call_ints(call, 1, axes, SHAPE_MAX_RANK, &count)) return value_error();
    for (uint32_t i = 0; i < count; i++) {
        if (axes[i] < 0) axes[i] += shape.rank;
        if (axes[i] >= 0 && axes[i] < shape.rank) seen |= 1u << axes[i];
    }
    if ((int)count != shape.rank || seen != (1u << shape.rank) - 1)
        return call_fail(call, 1, "must name each axis of %s once", call_arg_text(call, 0));
    return built(call, build_transpose(call->evaluator->graph, call->args[0].node, axes));
}

/* -- several tensors, or parts of one -- */

/* All parts must have the same sizes, except along the axis. */
static bool check_part(const Call *call, Value part, Value first, int axis) {
    Evaluator *evaluator = call->evaluator;
    Shape shape = tensor_node(evaluator, part)->shape, other = tensor_node(evaluator, first)->shape;
    if (shape.rank == other.rank) shape.dim[axis] = other.dim[axis];
    if (shape_equal(shape, other)) return true;
    if (evaluator_error(evaluator, call->span,
                        "cannot concat %s and %s along axis %d: they may differ in that axis only",
                        value_text(evaluator->arena, evaluator->graph, first),
                        value_text(evaluator->arena, evaluator->graph, part), axis) &&
        (shape.rank == 1 || other.rank == 1))
        diag_help(evaluator->diag, "unsqueeze(x, 1) makes a column, f32[N,1], of f32[N]");
    return false;
}

Value call_concat(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    Value list = call->args[0];
    int axis;
    bool tensors = list.list.count > 0;
    for (uint32_t i = 0; i < list.list.count; i++)
        tensors &= list.list.items[i].kind == VALUE_TENSOR;
    if (!tensors) return call_fail(call, 0, "must hold tensors");
    if (!call_axis(call, 1, tensor_node(evaluator, list.list.items[0])->shape.rank, &axis))
        return value_error();
    NodeId *parts = ARENA_ARRAY(evaluator->arena, NodeId, list.list.count);
    for (uint32_t i = 0; i < list.list.count; i++) {
        if (!check_part(call, list.list.items[i], list.list.items[0], axis)) return value_error();
        parts[i] = tensor_f32(evaluator, list.list.items[i]);
    }
    return built(call, build_concat(evaluator->graph, parts, list.list.count, axis));
}

/* index may have any size along the axis. Along the others it has the size of x, or 1. */
Value call_gather(const Call *call) {
    Evaluator *evaluator = call->evaluator;
    Shape x = shape_of_arg(call, 0), index = shape_of_arg(call, 1);
    int axis;
    if (!call_axis(call, 2, x.rank, &axis)) return value_error();
    bool fits = x.rank == index.rank;
    for (int i = 0; fits && i < x.rank; i++)
        fits = i == axis || index.dim[i] == x.dim[i] || index.dim[i] == 1;
    if (!fits)
        return call_fail(
            call, 1, "must have the sizes of x, %s, or 1, along all axes but axis %d, not be %s",
            call_arg_text(call, 0), axis, call_arg_text(call, 1));
    present_keep(evaluator, call->args[1].node, call->span);
    NodeId whole = build_convert(evaluator->graph, call->args[1].node, DTYPE_I32);
    return built(call, build_gather(evaluator->graph, call->args[0].node, whole, axis));
}

Value call_as_images(const Call *call) {
    int rank = shape_of_arg(call, 0).rank;
    if (rank == 3 || rank == 4) return call->args[0];
    if (evaluator_error(call->evaluator, call->span,
                        "images are [N, height, width] or [N, channels, height, width], not %s",
                        call_arg_text(call, 0)))
        diag_help(call->evaluator->diag, "flatten them in the model instead: x |> flatten");
    return value_error();
}

/* Elements [from, to) along an axis. */
static Value part_of(const Call *call, int axis, int64_t from, int64_t to) {
    Shape shape = shape_of_arg(call, 0);
    int64_t start[SHAPE_MAX_RANK] = {0};
    start[axis] = from;
    shape.dim[axis] = to;
    return built(call,
                 build_slice(call->evaluator->graph, call->args[0].node, start, shape.dim, NULL));
}

/* The sizes of the parts: given, or `parts` equal ones. */
static bool part_sizes(const Call *call, int64_t size, int64_t **sizes, uint32_t *count) {
    Value parts = call->args[1];
    bool equal = parts.kind == VALUE_INT && parts.integer > 0 && parts.integer <= size;
    *sizes = ARENA_ARRAY(call->evaluator->arena, int64_t,
                         equal                      ? parts.integer
                         : parts.kind == VALUE_LIST ? parts.list.count
                                                    : 1);
    if (!equal) return call_ints(call, 1, *sizes, LIST_MAX_ITEMS, count);
    *count = (uint32_t)parts.integer;
    for (uint32_t i = 0; i < *count; i++) (*sizes)[i] = size / parts.integer;
    return true;
}

static Value wrong_parts(const Call *call, int axis) {
    int64_t size = shape_of_arg(call, 0).dim[axis];
    if (call->args[1].kind == VALUE_INT)
        evaluator_error(call->evaluator, call->span,
                        "the %" PRId64 " elements along axis %d of %s do not make %" PRId64
                        " equal parts",
                        size, axis, call_arg_text(call, 0), call->args[1].integer);
    else
        evaluator_error(call->evaluator, call->span,
                        "the parts do not add up to the %" PRId64 " elements along axis %d of %s",
                        size, axis, call_arg_text(call, 0));
    return value_error();
}

Value call_split(const Call *call) {
    Shape shape = shape_of_arg(call, 0);
    int axis;
    int64_t *sizes, at = 0;
    uint32_t count;
    if (!call_axis(call, 2, shape.rank, &axis) ||
        !part_sizes(call, shape.dim[axis], &sizes, &count))
        return value_error();
    for (uint32_t i = 0; i < count; i++)
        at = sizes[i] < 1 || sizes[i] > shape.dim[axis] || at < 0 ? -1 : at + sizes[i];
    if (at != shape.dim[axis]) return wrong_parts(call, axis);
    if (!evaluator_charge(call->evaluator, call->span, count)) return value_error();
    Value *parts = ARENA_ARRAY(call->evaluator->arena, Value, count);
    at = 0;
    for (uint32_t i = 0; i < count; at += sizes[i++])
        if ((parts[i] = part_of(call, axis, at, at + sizes[i])).kind == VALUE_ERROR)
            return value_error();
    return value_list(parts, count);
}

Value call_pad(const Call *call) {
    int rank = shape_of_arg(call, 0).rank;
    uint32_t axes;
    if (!call_axes(call, 3, rank, &axes)) return value_error();
    for (uint32_t arg = 1; arg <= 2; arg++)
        if (call->args[arg].integer > SHAPE_MAX_ELEMENTS)
            return call_fail(call, arg, "gives a tensor of more than 2^31 elements, the maximum");
    int64_t before[SHAPE_MAX_RANK] = {0}, after[SHAPE_MAX_RANK] = {0};
    for (int axis = 0; axis < rank; axis++) {
        if (!(axes >> axis & 1)) continue;
        before[axis] = call->args[1].integer;
        after[axis] = call->args[2].integer;
    }
    return built(call, build_pad(call->evaluator->graph, call->args[0].node, before, after));
}

Value call_expand(const Call *call) {
    Shape to, both;
    if (!call_sizes(call, 1, &to)) return value_error();
    NodeId x = tensor_of(call->evaluator, call->args[0]);
    if (!x)
        return call_fail(call, 0, "must be a tensor or a number, not %s", call_arg_text(call, 0));
    const Node *node = graph_node(call->evaluator->graph, x);
    if (!shape_broadcast(node->shape, to, &both) || !shape_equal(both, to)) {
        char text[SHAPE_TEXT];
        evaluator_error(call->evaluator, call->span,
                        "cannot expand %s to %s: only axes of size 1 can be repeated",
                        call_arg_text(call, 0), shape_text(node->dtype, to, text));
        return value_error();
    }
    return built(call, build_broadcast(call->evaluator->graph, x, to));
}
