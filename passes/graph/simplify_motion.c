/* Rules that move views below elementwise ops: f(reshape(a), reshape(b)) = reshape(f(a, b)), so
 * chains of elementwise ops keep one shape; and f(broadcast(a), broadcast(b)) = broadcast(f(a, b)),
 * which computes each value once. */
#include "passes/graph/simplify.h"

/* The op of the term on operands of another shape. */
static NodeId rebuild(const Term *t, const NodeId *operands, Shape shape) {
    return simplify_add(
        &(Term){t->graph, t->op, {t->type.dtype, shape}, operands, t->count, t->attrs});
}

/* Whether operand i is one value repeated, a constant or the broadcast of one element: it fits
 * every shape. */
static bool is_uniform(const Term *t, uint32_t i) {
    if (term_is_constant(t, i)) return true;
    return term_is(t, i, OP_broadcast) &&
           shape_elements(term_node(t, term_inside(t, i, 0))->shape) == 1;
}

/* Operand i, which is uniform, in another shape. */
static NodeId uniform_like(const Term *t, uint32_t i, Shape shape) {
    const Node *node = term_operand(t, i);
    if (node->op == OP_constant)
        return build_constant(t->graph, (TensorType){node->dtype, shape}, node->attrs.value.bits);
    return simplify_broadcast(t, simplify_reshape(t, node->operands[0], (Shape){0}), shape);
}

/* The shape of which all operands are reshapes, except uniform ones; false if there is none. */
static bool common_origin(const Term *t, Shape *shape) {
    bool found = false;
    for (uint32_t i = 0; i < t->count; i++) {
        if (is_uniform(t, i)) continue;
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
        operands[i] = is_uniform(t, i) ? uniform_like(t, i, shape) : term_inside(t, i, 0);
    return simplify_reshape(t, rebuild(t, operands, shape), t->type.shape);
}

/* The smallest shape in which the op can be computed before it is broadcast: that of what the
 * operands repeat. */
static bool common_repeated(const Term *t, Shape *shape) {
    *shape = (Shape){0};
    for (uint32_t i = 0; i < t->count; i++) {
        if (term_is_constant(t, i)) continue;
        if (!term_is(t, i, OP_broadcast)) return false;
        if (!shape_broadcast(*shape, term_node(t, term_inside(t, i, 0))->shape, shape))
            return false;
    }
    return shape_elements(*shape) < shape_elements(t->type.shape);
}

NodeId simplify_sink_broadcast(const Term *t) {
    Shape shape;
    if (!common_repeated(t, &shape)) return NODE_NONE;
    NodeId operands[3];
    for (uint32_t i = 0; i < t->count; i++)
        operands[i] = term_is_constant(t, i) ? uniform_like(t, i, shape)
                                             : simplify_broadcast(t, term_inside(t, i, 0), shape);
    return simplify_broadcast(t, rebuild(t, operands, shape), t->type.shape);
}
