/* Functions written in C about shapes: asking for them, and moving elements into others. */
#include "frontend/evaluate.h"

#include <inttypes.h>

static Shape shape_of_arg(const Call *call, uint32_t arg) {
    return tensor_node(call->evaluator, call->args[arg])->shape;
}

static const char *arg_text(const Call *call, uint32_t arg) {
    return value_text(call->evaluator->arena, call->evaluator->graph, call->args[arg]);
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

Value call_index(const Call *call) {
    Shape shape;
    int axis;
    if (!call_sizes(call, 0, &shape) || !call_axis(call, 1, shape.rank, &axis)) return value_error();
    return built(call, build_iota(call->evaluator->graph, shape, axis));
}

Value call_same_shape(const Call *call) {
    if (shape_equal(shape_of_arg(call, 0), shape_of_arg(call, 1))) return call->args[0];
    evaluator_error(call->evaluator, call->span, "the shapes differ: %s and %s", arg_text(call, 0), arg_text(call, 1));
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
        evaluator_error(call->evaluator, call->span, "cannot reshape %s to %s: %" PRId64 " elements are not %" PRId64,
                        arg_text(call, 0), shape_text(tensor_node(call->evaluator, call->args[0])->dtype, to, text),
                        shape_elements(from), shape_elements(to));
        return value_error();
    }
    return built(call, build_reshape(call->evaluator->graph, call->args[0].node, to));
}

Value call_transpose(const Call *call) {
    if (shape_of_arg(call, 0).rank < 2) return call_fail(call, 0, "must have at least two axes, not be %s", arg_text(call, 0));
    return built(call, build_transpose(call->evaluator->graph, call->args[0].node, NULL));
}
