/* The gradient of relu before max_pool. Each window gives its gradient to the place of its first
 * largest element, if relu let this element through. So the largest element alone is compared with
 * 0, and the image x is not read again:
 *
 *     0 < x ? back(argmax(x) == place ? g : 0) : 0
 *         = back(argmax(x) == place ? (0 < max(x) ? g : 0) : 0)
 *
 * `back` lays windows that cover the image without overlap back into it. Both sides agree on every
 * bit: the element at the place equals the largest one, or is +0 where that is -0 or the other way
 * round, or both are NaN. */
#include "passes/graph/simplify.h"

#include <string.h>

/* The parts of back(argmax(x) == place ? g : 0). */
typedef struct {
    NodeId back[3];              /* reshape(transpose(reshape(...))), from the outside */
    NodeId choice, first, zeros; /* the select; argmax(x); what other places get */
    NodeId gradient;             /* g, before it is broadcast over the window */
    NodeId elements;             /* the elements of the windows of x, [N,OH,OW,KH*KW,C] */
    NodeId image;                /* x, [N,H,W,C] */
} PoolGradient;

static bool is_op(const Term *t, NodeId id, Op op) { return term_node(t, id)->op == op; }
static NodeId operand(const Term *t, NodeId id, uint32_t i) {
    return term_node(t, id)->operands[i];
}
static bool is_zero(const Term *t, NodeId id) {
    const Node *node = term_node(t, id);
    return node->op == OP_constant && node->dtype == DTYPE_F32 && node->attrs.value.bits == 0;
}

/* back: [N,OH,OW,KH*KW,C] as [N,OH,OW,KH,KW,C], transposed to [N,OH,KH,OW,KW,C], as [N,H,W,C] */
static bool match_back(const Term *t, NodeId id, PoolGradient *p) {
    static const Op ops[] = {OP_reshape, OP_transpose, OP_reshape};
    static const int64_t order[] = {0, 1, 3, 2, 4, 5};
    for (int i = 0; i < 3; i++, id = operand(t, id, 0)) {
        if (!is_op(t, id, ops[i])) return false;
        p->back[i] = id;
    }
    const Node *transpose = term_node(t, p->back[1]);
    p->choice = id;
    return transpose->shape.rank == 6 && !memcmp(transpose->attrs.perm, order, sizeof order);
}

/* argmax(x) == place ? g : 0, where the windows are the fourth axis of five */
static bool match_choice(const Term *t, PoolGradient *p) {
    enum { WINDOW = 3 };
    if (!is_op(t, p->choice, OP_select)) return false;
    NodeId chosen = operand(t, p->choice, 0), g = operand(t, p->choice, 1);
    p->zeros = operand(t, p->choice, 2);
    if (!is_op(t, chosen, OP_eq) || !is_op(t, g, OP_broadcast) || !is_zero(t, p->zeros))
        return false;
    NodeId first = operand(t, chosen, 0), place = operand(t, chosen, 1);
    bool matches = is_op(t, first, OP_broadcast) && is_op(t, operand(t, first, 0), OP_reshape) &&
                   is_op(t, place, OP_iota) && term_node(t, place)->attrs.axis == WINDOW;
    if (!matches) return false;
    p->gradient = operand(t, g, 0);
    p->first = operand(t, operand(t, first, 0), 0);
    return is_op(t, p->first, OP_argmax) && term_node(t, p->first)->attrs.axis == WINDOW &&
           term_node(t, p->first)->shape.rank == 4 &&
           shape_equal(term_node(t, p->gradient)->shape, term_node(t, operand(t, first, 0))->shape);
}

/* The windows of which argmax takes the places are those that `back` lays into the image. */
static bool match_windows(const Term *t, PoolGradient *p) {
    p->elements = operand(t, p->first, 0);
    if (!is_op(t, p->elements, OP_reshape) || !is_op(t, operand(t, p->elements, 0), OP_windows))
        return false;
    const Node *windows = term_node(t, operand(t, p->elements, 0));
    const Window *window = &windows->attrs.window;
    p->image = windows->operands[0];
    for (int i = 0; i < 2; i++)
        if (window->kernel[i] != window->stride[i] ||
            (window->kernel[i] > 1 && window->dilation[i] != 1))
            return false;
    return shape_equal(windows->shape, term_node(t, p->back[2])->shape) &&
           shape_equal(term_node(t, p->image)->shape, t->type.shape) &&
           shape_equal(term_node(t, p->elements)->shape, term_node(t, p->choice)->shape);
}

static NodeId view_again(const Term *t, NodeId view, NodeId of) {
    const Node *node = term_node(t, view);
    return simplify_add(
        &(Term){t->graph, node->op, {node->dtype, node->shape}, &of, 1, node->attrs});
}

/* back(argmax(x) == place ? (k < max(x) ? g : 0) : 0); limit: the constant k */
static NodeId build_moved(const Term *t, const PoolGradient *p, uint32_t limit) {
    Shape kept = term_node(t, p->gradient)->shape, windows = term_node(t, p->choice)->shape;
    NodeId largest =
        simplify_reshape(t, build_reduce(t->graph, OP_reduce_max, p->elements, 3, false), kept);
    NodeId k = build_constant(t->graph, (TensorType){DTYPE_F32, kept}, limit),
           zero = build_constant(t->graph, (TensorType){DTYPE_F32, kept}, 0);
    TensorType type = {DTYPE_BOOL, kept};
    NodeId passes = simplify_add(&(Term){.graph = t->graph,
                                         .op = OP_lt,
                                         .type = type,
                                         .operands = (NodeId[]){k, largest},
                                         .count = 2});
    NodeId g =
        simplify_broadcast(t, simplify_ternary(t, OP_select, passes, p->gradient, zero), windows);
    NodeId result = simplify_ternary(t, OP_select, operand(t, p->choice, 0), g, p->zeros);
    for (int i = 2; i >= 0; i--) result = view_again(t, p->back[i], result);
    return result;
}

NodeId simplify_relu_of_pool(const Term *t) {
    PoolGradient p = {0};
    if (!term_is(t, 0, OP_lt) || t->type.shape.rank != 4 || !is_zero(t, t->operands[2]))
        return NODE_NONE;
    NodeId limit = term_inside(t, 0, 0), image = term_inside(t, 0, 1);
    const Node *constant = term_node(t, limit);
    if (constant->op != OP_constant || constant->dtype != DTYPE_F32) return NODE_NONE;
    bool matches = match_back(t, t->operands[1], &p) && match_choice(t, &p) && match_windows(t, &p);
    return matches && p.image == image ? build_moved(t, &p, constant->attrs.value.bits) : NODE_NONE;
}
