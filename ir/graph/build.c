/* A builder for each op. Operands of elementwise ops are broadcast as in numpy. */
#include "ir/graph/graph.h"

#include <assert.h>
#include <math.h>

static Shape operand_shape(const Graph *graph, NodeId id) { return graph_node(graph, id)->shape; }

/* Every NaN becomes the same NaN: the meaning of a graph does not depend on its sign and payload,
 * and the text form does not keep them. */
NodeId build_constant(Graph *graph, TensorType type, uint32_t bits) {
    Attrs attrs = {.value.bits = bits};
    if (type.dtype == DTYPE_F32 && isnan(attrs.value.f)) attrs.value.bits = 0x7fc00000;
    return graph_add(graph, OP_constant, NULL, 0, &attrs, &type);
}

NodeId build_f32(Graph *graph, double value, Shape shape) {
    Attrs attrs = {.value.f = (float)value};
    return build_constant(graph, (TensorType){DTYPE_F32, shape}, attrs.value.bits);
}

NodeId build_i32(Graph *graph, int32_t value, Shape shape) {
    return build_constant(graph, (TensorType){DTYPE_I32, shape}, (uint32_t)value);
}

NodeId build_iota(Graph *graph, Shape shape, int axis) {
    return graph_add(graph, OP_iota, NULL, 0, &(Attrs){.axis = axis},
                     &(TensorType){DTYPE_I32, shape});
}

NodeId build_unary(Graph *graph, Op op, NodeId a) {
    return graph_add(graph, op, &a, 1, NULL, NULL);
}

/* Brings all operands to their common shape; false after reporting that there is none. */
static bool broadcast_operands(Graph *graph, Op op, NodeId *operands, uint32_t count) {
    Shape common = {0};
    for (uint32_t i = 0; i < count; i++) {
        if (!operands[i]) return false;
        if (shape_broadcast(common, operand_shape(graph, operands[i]), &common)) continue;
        char a[SHAPE_TEXT], b[SHAPE_TEXT];
        const Node *first = graph_node(graph, operands[0]), *other = graph_node(graph, operands[i]);
        diag_error(graph->diag, STATUS_MODEL, graph->span,
                   "%s: shapes %s and %s do not go together", op_name(op),
                   shape_text(first->dtype, common, a), shape_text(other->dtype, other->shape, b));
        if (first->span.file) diag_note(graph->diag, first->span, "the first comes from here");
        if (other->span.file) diag_note(graph->diag, other->span, "the second comes from here");
        return false;
    }
    for (uint32_t i = 0; i < count; i++) operands[i] = build_broadcast(graph, operands[i], common);
    return true;
}

static NodeId build_elementwise(Graph *graph, Op op, NodeId *operands, uint32_t count) {
    return broadcast_operands(graph, op, operands, count)
               ? graph_add(graph, op, operands, count, NULL, NULL)
               : NODE_NONE;
}

NodeId build_binary(Graph *graph, Op op, NodeId a, NodeId b) {
    NodeId operands[] = {a, b};
    return build_elementwise(graph, op, operands, 2);
}

NodeId build_ternary(Graph *graph, Op op, NodeId a, NodeId b, NodeId c) {
    NodeId operands[] = {a, b, c};
    return build_elementwise(graph, op, operands, 3);
}

NodeId build_convert(Graph *graph, NodeId a, DType dtype) {
    if (!a || graph_node(graph, a)->dtype == dtype) return a;
    return graph_add(graph, OP_convert, &a, 1, NULL, &(TensorType){.dtype = dtype});
}

NodeId build_bitcast(Graph *graph, NodeId a, DType dtype) {
    return graph_add(graph, OP_bitcast, &a, 1, NULL, &(TensorType){.dtype = dtype});
}

NodeId build_reshape(Graph *graph, NodeId a, Shape shape) {
    if (!a || shape_equal(operand_shape(graph, a), shape)) return a;
    return graph_add(graph, OP_reshape, &a, 1, NULL, &(TensorType){.shape = shape});
}

NodeId build_broadcast(Graph *graph, NodeId a, Shape shape) {
    if (!a || shape_equal(operand_shape(graph, a), shape)) return a;
    return graph_add(graph, OP_broadcast, &a, 1, NULL, &(TensorType){.shape = shape});
}

NodeId build_transpose(Graph *graph, NodeId a, const int64_t *perm) {
    if (!a) return a;
    int rank = operand_shape(graph, a).rank;
    Attrs attrs = {0};
    for (int i = 0; i < rank; i++)
        attrs.perm[i] = perm ? perm[i] : i < rank - 2 ? i : 2 * rank - 3 - i;
    return graph_add(graph, OP_transpose, &a, 1, &attrs, NULL);
}

NodeId build_slice(Graph *graph, NodeId a, const int64_t *start, const int64_t *stop,
                   const int64_t *step) {
    if (!a) return a;
    Attrs attrs = {0};
    for (int i = 0; i < operand_shape(graph, a).rank; i++) {
        attrs.range.start[i] = start[i];
        attrs.range.stop[i] = stop[i];
        attrs.range.step[i] = step ? step[i] : 1;
    }
    return graph_add(graph, OP_slice, &a, 1, &attrs, NULL);
}

NodeId build_pad(Graph *graph, NodeId a, const int64_t *before, const int64_t *after) {
    if (!a) return a;
    Attrs attrs = {0};
    for (int i = 0; i < operand_shape(graph, a).rank; i++) {
        attrs.pad.before[i] = before[i];
        attrs.pad.after[i] = after[i];
    }
    return graph_add(graph, OP_pad, &a, 1, &attrs, NULL);
}

NodeId build_concat(Graph *graph, const NodeId *parts, uint32_t count, int axis) {
    return graph_add(graph, OP_concat, parts, count, &(Attrs){.axis = axis}, NULL);
}

NodeId build_gather(Graph *graph, NodeId a, NodeId index, int axis) {
    if (!a || !index) return NODE_NONE;
    Shape shape = operand_shape(graph, a), given = operand_shape(graph, index);
    bool broadcasts = given.rank == shape.rank && axis >= 0 && axis < shape.rank;
    if (broadcasts) shape.dim[axis] = given.dim[axis];
    NodeId operands[] = {a, broadcasts ? build_broadcast(graph, index, shape) : index};
    return graph_add(graph, OP_gather, operands, 2, &(Attrs){.axis = axis}, NULL);
}

NodeId build_scatter_add(Graph *graph, NodeId a, NodeId index, int axis, int64_t size) {
    if (!a || !index) return NODE_NONE;
    Shape shape = operand_shape(graph, a);
    if (axis >= 0 && axis < shape.rank) shape.dim[axis] = size;
    NodeId operands[] = {a, index};
    return graph_add(graph, OP_scatter_add, operands, 2, &(Attrs){.axis = axis},
                     &(TensorType){DTYPE_F32, shape});
}

NodeId build_random(Graph *graph, const NodeId low_high_draw_row[4], const RandomNumbers *numbers,
                    Shape shape) {
    return graph_add(graph, OP_random, low_high_draw_row, 4, &(Attrs){.random = *numbers},
                     &(TensorType){DTYPE_I32, shape});
}

NodeId build_reduce(Graph *graph, Op op, NodeId a, int axis, bool keep) {
    NodeId reduced = graph_add(graph, op, &a, 1, &(Attrs){.axis = axis}, NULL);
    if (!keep || !reduced) return reduced;
    Shape kept = operand_shape(graph, a);
    kept.dim[axis] = 1;
    return build_reshape(graph, reduced, kept);
}

/* Merges each run of neighbouring axes that are all reduced, or all kept, into one axis; `axes`
 * becomes their set. */
static Shape merge_axes(Shape shape, uint32_t *axes) {
    Shape merged = {0};
    uint32_t set = 0;
    for (int i = 0; i < shape.rank; i++) {
        bool reduced = *axes >> i & 1, like_before = i > 0 && reduced == (*axes >> (i - 1) & 1);
        if (!like_before) merged.dim[merged.rank++] = 1;
        merged.dim[merged.rank - 1] *= shape.dim[i];
        set |= (uint32_t)reduced << (merged.rank - 1);
    }
    *axes = set;
    return merged;
}

NodeId build_reduce_axes(Graph *graph, Op op, NodeId a, uint32_t axes) {
    if (!a || !axes) return a;
    Shape shape = operand_shape(graph, a), result = {0};
    for (int i = 0; i < shape.rank; i++)
        if (!(axes >> i & 1)) result.dim[result.rank++] = shape.dim[i];
    Shape merged;
    if (result.rank == 0 && shape.rank > 1) {
        /* a sum over everything keeps the first axis apart, so that threads can share its rows */
        merged = shape_of(2, (int64_t[]){shape.dim[0], shape_inner(shape, 0)});
        axes = 3;
    } else
        merged = merge_axes(shape, &axes);
    a = build_reshape(graph, a, merged);
    for (int axis = merged.rank - 1; axis >= 0; axis--)
        if (axes >> axis & 1) a = build_reduce(graph, op, a, axis, false);
    return build_reshape(graph, a, result);
}

NodeId build_matmul(Graph *graph, NodeId a, NodeId b, bool transpose_a, bool transpose_b) {
    NodeId operands[] = {a, b};
    return graph_add(graph, OP_matmul, operands, 2, &(Attrs){.matmul = {transpose_a, transpose_b}},
                     NULL);
}

NodeId build_axiswise(Graph *graph, Op op, NodeId a, int axis) {
    assert(op == OP_softmax || op == OP_log_softmax || op == OP_cumsum);
    return graph_add(graph, op, &a, 1, &(Attrs){.axis = axis}, NULL);
}

NodeId build_reverse(Graph *graph, NodeId a, int axis) {
    return graph_add(graph, OP_reverse, &a, 1, &(Attrs){.axis = axis}, NULL);
}

NodeId build_grad(Graph *graph, NodeId scalar, NodeId by) {
    NodeId operands[] = {scalar, by};
    return graph_add(graph, OP_grad, operands, 2, NULL, NULL);
}
