/* Rules that move views below elementwise ops: f(reshape(a), reshape(b)) = reshape(f(a, b)), so that chains of elementwise ops
 * stay in one space, and f(broadcast(a), broadcast(b)) = broadcast(f(a, b)), which computes each value once. Constants have
 * every shape. */
#include "passes/simplify.h"

/* The elementwise node on other operands, of another shape. */
static NodeId rebuild(const Term *t, const NodeId *operands, Shape shape) {
    return simplify_add(&(Term){t->graph, t->op, {t->type.dtype, shape}, operands, t->count, t->attrs});
}

static NodeId constant_like(const Term *t, uint32_t i, Shape shape) {
    const Node *node = term_operand(t, i);
    return build_constant(t->graph, (TensorType){node->dtype, shape}, node->attrs.value.bits);
}

/* The shape that all operands, constants apart, are reshapes of; false if there is no such shape. */
static bool common_origin(const Term *t, Shape *shape) {
    bool found = false;
    for (uint32_t i = 0; i < t->count; i++) {
        if (term_is_constant(t, i)) continue;
        if (!term_is(t, i, OP_reshape)) return false;
        Shape origin = term_node(t, term_inside(t, i, 0))->shape;
        if (found && !shape_equal(origin, *shape)) return false;
        *shape = origin;
        found = true;
    }
    return found;
}

NodeId simplify_sink_reshape(const Term *t) {
    Shape shape;
    if (!common_origin(t, &shape)) return NODE_NONE;
    NodeId operands[3];
    for (uint32_t i = 0; i < t->count; i++)
        operands[i] = term_is_constant(t, i) ? constant_like(t, i, shape) : term_inside(t, i, 0);
    return simplify_reshape(t, rebuild(t, operands, shape), t->type.shape);
}

/* The smallest shape that what all operands, constants apart, repeat can be computed in. */
static bool common_repeated(const Term *t, Shape *shape) {
    *shape = (Shape){0};
    for (uint32_t i = 0; i < t->count; i++) {
        if (term_is_constant(t, i)) continue;
        if (!term_is(t, i, OP_broadcast)) return false;
        if (!shape_broadcast(*shape, term_node(t, term_inside(t, i, 0))->shape, shape)) return false;
    }
    return shape_elements(*shape) < shape_elements(t->type.shape);
}

NodeId simplify_sink_broadcast(const Term *t) {
    Shape shape;
    if (!common_repeated(t, &shape)) return NODE_NONE;
    NodeId operands[3];
    for (uint32_t i = 0; i < t->count; i++)
        operands[i] = term_is_constant(t, i) ? constant_like(t, i, shape) : simplify_broadcast(t, term_inside(t, i, 0), shape);
    return simplify_broadcast(t, rebuild(t, operands, shape), t->type.shape);
}
