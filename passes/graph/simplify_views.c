/* Exact rules for views, and for views of reductions and matrix products. */
#include "passes/graph/simplify.h"

#include <string.h>

static Shape operand_shape(const Term *t) { return term_operand(t, 0)->shape; }

/* The operand of the view that is operand 0. */
static NodeId origin(const Term *t) { return term_inside(t, 0, 0); }

/* The same view with other operands and attributes. */
static NodeId view_of(const Term *t, NodeId a, const Attrs *attrs) {
    return simplify_add(&(Term){t->graph, t->op, t->type, &a, 1, *attrs});
}

/* -- reshape -- */

/* A reshape, slice or pad that keeps the shape keeps the value. */
NodeId simplify_same_shape(const Term *t) {
    return shape_equal(operand_shape(t), t->type.shape) ? t->operands[0] : NODE_NONE;
}

/* A reshape of a reshape is one reshape. One element repeated fits every shape. */
NodeId simplify_reshapes(const Term *t) {
    if (term_is(t, 0, OP_reshape)) return simplify_reshape(t, origin(t), t->type.shape);
    if (!term_is(t, 0, OP_broadcast) || shape_elements(term_node(t, origin(t))->shape) != 1)
        return NODE_NONE;
    return simplify_broadcast(t, simplify_reshape(t, origin(t), (Shape){0}), t->type.shape);
}

/* -- broadcast -- */

static Shape without_leading_ones(Shape shape) {
    Shape rest = {0};
    for (int i = 0; i < shape.rank; i++)
        if (rest.rank || shape.dim[i] != 1) rest.dim[rest.rank++] = shape.dim[i];
    return rest;
}

/* A broadcast that repeats nothing is a reshape at most. One of a broadcast is one broadcast. One
 * of a reshape that only adds or drops axes of size 1 in front does that by itself. */
NodeId simplify_broadcasts(const Term *t) {
    Shape from = operand_shape(t), to = t->type.shape;
    if (shape_elements(from) == shape_elements(to)) return simplify_reshape(t, t->operands[0], to);
    if (term_is(t, 0, OP_broadcast)) return simplify_broadcast(t, origin(t), to);
    if (!term_is(t, 0, OP_reshape)) return NODE_NONE;
    Shape before = term_node(t, origin(t))->shape;
    bool only_front = shape_equal(without_leading_ones(before), without_leading_ones(from));
    return only_front && before.rank <= to.rank ? simplify_broadcast(t, origin(t), to) : NODE_NONE;
}

/* -- transpose -- */

/* The order of the axes stays, except for axes of size 1: the transpose is a reshape at most. */
NodeId simplify_transpose_nothing(const Term *t) {
    int64_t last = -1;
    for (int i = 0; i < t->type.shape.rank; i++) {
        if (t->type.shape.dim[i] == 1) continue;
        if (t->attrs.perm[i] < last) return NODE_NONE;
        last = t->attrs.perm[i];
    }
    return simplify_reshape(t, t->operands[0], t->type.shape);
}

NodeId simplify_transpose_twice(const Term *t) {
    if (!term_is(t, 0, OP_transpose)) return NODE_NONE;
    Attrs both = {0};
    for (int i = 0; i < t->type.shape.rank; i++)
        both.perm[i] = term_operand(t, 0)->attrs.perm[t->attrs.perm[i]];
    return view_of(t, origin(t), &both);
}

/* -- slice, pad, concat -- */

NodeId simplify_slice_twice(const Term *t) {
    if (!term_is(t, 0, OP_slice)) return NODE_NONE;
    const Attrs *inner = &term_operand(t, 0)->attrs;
    Attrs both = {0};
    for (int i = 0; i < t->type.shape.rank; i++) {
        both.range.start[i] =
            inner->range.start[i] + t->attrs.range.start[i] * inner->range.step[i];
        both.range.step[i] = inner->range.step[i] * t->attrs.range.step[i];
        both.range.stop[i] =
            both.range.start[i] + (t->type.shape.dim[i] - 1) * both.range.step[i] + 1;
    }
    return view_of(t, origin(t), &both);
}

/* A slice that lies in one part of a concat is a slice of that part. */
NodeId simplify_slice_of_concat(const Term *t) {
    if (!term_is(t, 0, OP_concat)) return NODE_NONE;
    int axis = term_operand(t, 0)->attrs.axis;
    Attrs within = t->attrs;
    for (uint32_t i = 0; i < term_operand(t, 0)->operand_count && within.range.start[axis] >= 0;
         i++) {
        NodeId part = term_inside(t, 0, i);
        int64_t size = term_node(t, part)->shape.dim[axis];
        if (within.range.stop[axis] <= size) return view_of(t, part, &within);
        within.range.start[axis] -= size;
        within.range.stop[axis] -= size;
    }
    return NODE_NONE;
}

/* A slice of a pad is a pad of a slice, unless the slice has padding only. */
NodeId simplify_slice_of_pad(const Term *t) {
    if (!term_is(t, 0, OP_pad)) return NODE_NONE;
    const int64_t *before = term_operand(t, 0)->attrs.pad.before;
    Shape inside = term_node(t, origin(t))->shape;
    Attrs slice = {0}, rest = {0};
    for (int i = 0; i < inside.rank; i++) {
        int64_t start = t->attrs.range.start[i] - before[i],
                stop = t->attrs.range.stop[i] - before[i];
        if (t->attrs.range.step[i] != 1 || start >= inside.dim[i] || stop <= 0) return NODE_NONE;
        slice.range.start[i] = start > 0 ? start : 0;
        slice.range.stop[i] = stop < inside.dim[i] ? stop : inside.dim[i];
        slice.range.step[i] = 1;
        rest.pad.before[i] = slice.range.start[i] - start;
        rest.pad.after[i] = stop - slice.range.stop[i];
        inside.dim[i] = slice.range.stop[i] - slice.range.start[i];
    }
    NodeId a = origin(t),
           part = simplify_add(&(Term){t->graph, OP_slice, {t->type.dtype, inside}, &a, 1, slice});
    return simplify_add(&(Term){t->graph, OP_pad, t->type, &part, 1, rest});
}

/* Windows of one element are a slice of the image. */
NodeId simplify_windows_single(const Term *t) {
    if (t->attrs.window.kernel[0] != 1 || t->attrs.window.kernel[1] != 1) return NODE_NONE;
    Shape shape = operand_shape(t), taken = shape;
    Attrs slice = {0};
    for (int i = 0; i < 4; i++) {
        bool moves = i == 1 || i == 2;
        slice.range.step[i] = moves ? t->attrs.window.stride[i - 1] : 1;
        if (moves) taken.dim[i] = t->type.shape.dim[i];
        slice.range.stop[i] = (taken.dim[i] - 1) * slice.range.step[i] + 1;
    }
    NodeId a = t->operands[0],
           part = simplify_add(&(Term){t->graph, OP_slice, {t->type.dtype, taken}, &a, 1, slice});
    return simplify_reshape(t, part, t->type.shape);
}

NodeId simplify_pad_twice(const Term *t) {
    if (!term_is(t, 0, OP_pad)) return NODE_NONE;
    const Attrs *inner = &term_operand(t, 0)->attrs;
    Attrs both = {0};
    for (int i = 0; i < t->type.shape.rank; i++) {
        both.pad.before[i] = t->attrs.pad.before[i] + inner->pad.before[i];
        both.pad.after[i] = t->attrs.pad.after[i] + inner->pad.after[i];
    }
    return view_of(t, origin(t), &both);
}

NodeId simplify_concat_one(const Term *t) { return t->count == 1 ? t->operands[0] : NODE_NONE; }

/* -- reductions and products -- */

/* A reduction along an axis of size 1 is the element. A sum adds +0 to it, which turns -0 into
 * +0. */
NodeId simplify_reduce_one(const Term *t) {
    if (operand_shape(t).dim[t->attrs.axis] != 1) return NODE_NONE;
    NodeId only = simplify_reshape(t, t->operands[0], t->type.shape);
    return t->op == OP_sum ? simplify_binary(t, OP_add, only, term_real(t, 0)) : only;
}

/* Merges all leading axes into one; there is none if their size is 1. */
static Shape merge_leading(Shape shape) {
    int64_t leading = shape_elements(shape) / shape.dim[shape.rank - 2] / shape.dim[shape.rank - 1];
    Shape merged = {.rank = 2, .dim = {shape.dim[shape.rank - 2], shape.dim[shape.rank - 1]}};
    if (leading > 1) merged = (Shape){.rank = 3, .dim = {leading, merged.dim[0], merged.dim[1]}};
    return merged;
}

NodeId simplify_matmul_leading(const Term *t) {
    Shape merged = merge_leading(t->type.shape);
    if (merged.rank == t->type.shape.rank) return NODE_NONE;
    NodeId operands[2];
    for (int i = 0; i < 2; i++)
        operands[i] =
            simplify_reshape(t, t->operands[i], merge_leading(term_node(t, t->operands[i])->shape));
    NodeId product =
        simplify_add(&(Term){t->graph, OP_matmul, {t->type.dtype, merged}, operands, 2, t->attrs});
    return simplify_reshape(t, product, t->type.shape);
}

static bool exchanges_last_two(const Node *node) {
    if (node->op != OP_transpose || node->shape.rank < 2) return false;
    int rank = node->shape.rank;
    for (int i = 0; i < rank - 2; i++)
        if (node->attrs.perm[i] != i) return false;
    return node->attrs.perm[rank - 1] == rank - 2;
}

/* A product reads a transposed operand by a flag instead of a copy. */
NodeId simplify_matmul_flags(const Term *t) {
    NodeId operands[2] = {t->operands[0], t->operands[1]};
    Attrs attrs = t->attrs;
    for (uint32_t i = 0; i < 2; i++) {
        if (!exchanges_last_two(term_operand(t, i))) continue;
        operands[i] = term_inside(t, i, 0);
        bool *flag = i ? &attrs.matmul.transpose_b : &attrs.matmul.transpose_a;
        *flag = !*flag;
    }
    if (!memcmp(operands, t->operands, sizeof operands)) return NODE_NONE;
    return simplify_add(&(Term){t->graph, OP_matmul, t->type, operands, 2, attrs});
}
