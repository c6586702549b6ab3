/* Rules that move transposes below elementwise ops and views that keep the axes: f(transpose(a),
 * transpose(b)) = transpose(f(a, b)). Two inverse transposes cancel. So tensors between
 * convolutions stay in the order [N, H, W, C] in which these compute, without copies. No transpose
 * moves through a reduction, whose order of sums would change. */
#include "passes/graph/simplify.h"

#include <string.h>

static NodeId transposed(const Term *t, NodeId a, const Attrs *perm) {
    const Node *node = term_node(t, a);
    TensorType type = {node->dtype, {.rank = node->shape.rank}};
    for (int i = 0; i < type.shape.rank; i++) type.shape.dim[i] = node->shape.dim[perm->perm[i]];
    return simplify_add(&(Term){t->graph, OP_transpose, type, &a, 1, *perm});
}

/* -- elementwise -- */

/* The common permutation of all transposed operands. NULL if there is none, or if another operand
 * would cost something to transpose. */
static const Attrs *common_permutation(const Term *t) {
    const Attrs *perm = NULL;
    for (uint32_t i = 0; i < t->count; i++) {
        const Node *operand = term_operand(t, i);
        if (operand->op == OP_transpose && (!perm || !memcmp(perm, &operand->attrs, sizeof *perm)))
            perm = &operand->attrs;
        else if (operand->op != OP_constant && operand->op != OP_iota &&
                 operand->op != OP_broadcast)
            return NULL; /* the others are one value everywhere, an index, a small tensor repeated */
    }
    return perm;
}

NodeId simplify_sink_transpose(const Term *t) {
    const Attrs *found = common_permutation(t);
    if (!found) return NODE_NONE;
    Attrs perm = *found, inverse = {0};
    for (int i = 0; i < t->type.shape.rank; i++) inverse.perm[perm.perm[i]] = i;
    NodeId operands[3];
    for (uint32_t i = 0; i < t->count; i++)
        operands[i] = term_is(t, i, OP_transpose) ? term_inside(t, i, 0)
                                                  : transposed(t, t->operands[i], &inverse);
    TensorType type = {t->type.dtype, term_node(t, operands[0])->shape};
    return transposed(t, simplify_add(&(Term){t->graph, t->op, type, operands, t->count, t->attrs}),
                      &perm);
}

/* -- transposes that cost nothing -- */

NodeId simplify_transpose_constant(const Term *t) {
    const Node *node = term_operand(t, 0);
    if (node->op == OP_constant) return build_constant(t->graph, t->type, node->attrs.value.bits);
    if (node->op != OP_iota) return NODE_NONE;
    int axis = 0;
    while (t->attrs.perm[axis] != node->attrs.axis) axis++;
    return build_iota(t->graph, t->type.shape, axis);
}

/* Transposes the tensor before the broadcast, with axes of size 1 in front if it has fewer axes. */
NodeId simplify_transpose_broadcast(const Term *t) {
    if (!term_is(t, 0, OP_broadcast)) return NODE_NONE;
    NodeId small = term_inside(t, 0, 0);
    Shape shape = term_node(t, small)->shape, full = {.rank = t->type.shape.rank};
    for (int i = 0; i < full.rank; i++) {
        int from = i - (full.rank - shape.rank);
        full.dim[i] = from < 0 ? 1 : shape.dim[from];
    }
    return simplify_broadcast(t, transposed(t, simplify_reshape(t, small, full), &t->attrs),
                              t->type.shape);
}

/* -- views that keep the axes -- */

/* The numbers of a slice or pad in the order of the operand's axes. */
static Attrs reordered(const Term *t, const int64_t *perm) {
    Attrs result = {0};
    for (int i = 0; i < t->type.shape.rank; i++) {
        if (t->op == OP_slice) {
            result.range.start[perm[i]] = t->attrs.range.start[i];
            result.range.stop[perm[i]] = t->attrs.range.stop[i];
            result.range.step[perm[i]] = t->attrs.range.step[i];
        } else {
            result.pad.before[perm[i]] = t->attrs.pad.before[i];
            result.pad.after[perm[i]] = t->attrs.pad.after[i];
        }
    }
    return result;
}

/* The rule for slice and pad. */
NodeId simplify_sink_transpose_lists(const Term *t) {
    if (!term_is(t, 0, OP_transpose)) return NODE_NONE;
    Attrs perm = term_operand(t, 0)->attrs, attrs = reordered(t, perm.perm);
    NodeId inside = term_inside(t, 0, 0);
    TensorType type = {t->type.dtype, {.rank = t->type.shape.rank}};
    for (int i = 0; i < type.shape.rank; i++) type.shape.dim[perm.perm[i]] = t->type.shape.dim[i];
    return transposed(t, simplify_add(&(Term){t->graph, t->op, type, &inside, 1, attrs}), &perm);
}
