/* Operators on tensors: conversion to f32, broadcasting, and errors that show both shapes. */
#include "frontend/evaluate/evaluate.h"

#include <inttypes.h>

static const Node *node_of(const Evaluator *evaluator, NodeId id) {
    return graph_node(evaluator->graph, id);
}

/* Whether the batch has a size that occurs nowhere else in the model. Then an axis of rows is
 * recognized by its size. */
static bool rows_are_distinct(const Evaluator *evaluator) {
    return evaluator->batch == evaluator->globals->distinct_batch;
}

static bool is_of_rows(const Evaluator *evaluator, int64_t size) {
    return size % evaluator->batch == 0;
}

/* "f32[N,1]" where it is known which axes are the batch, else with the numbers of this batch */
static const char *shape_words(Evaluator *evaluator, DType dtype, Shape shape) {
    const char *text = arena_format(evaluator->arena, "%s[", dtype_name(dtype));
    for (int i = 0; i < shape.rank; i++) {
        int64_t size = shape.dim[i], rows = size / evaluator->batch;
        const char *comma = i ? "," : "";
        if (!rows_are_distinct(evaluator) || !is_of_rows(evaluator, size))
            text = arena_format(evaluator->arena, "%s%s%" PRId64, text, comma, size);
        else if (rows == 1)
            text = arena_format(evaluator->arena, "%s%sN", text, comma);
        else
            text = arena_format(evaluator->arena, "%s%s%" PRId64 "*N", text, comma, rows);
    }
    return arena_format(evaluator->arena, "%s]", text);
}

static const char *type_text(Evaluator *evaluator, NodeId id) {
    const Node *node = node_of(evaluator, id);
    return shape_words(evaluator, node->dtype, node->shape);
}

NodeId tensor_of(Evaluator *evaluator, Value value) {
    switch (value.kind) {
    case VALUE_TENSOR: return value.node;
    case VALUE_INT:
    case VALUE_FLOAT: return build_f32(evaluator->graph, value_number(value), (Shape){0});
    case VALUE_BOOL: return build_f32(evaluator->graph, value.boolean, (Shape){0});
    default: return NODE_NONE;
    }
}

NodeId tensor_f32(Evaluator *evaluator, Value value) {
    NodeId node = tensor_of(evaluator, value);
    return source_is_number(evaluator, node) ? build_convert(evaluator->graph, node, DTYPE_F32)
                                             : NODE_NONE;
}

/* Adds a note where an operand comes from, unless that is the place of the error itself. A
 * conversion has no place of its own, so its operand's place is used. */
static void note_operand(Evaluator *evaluator, Span place, const char *which, NodeId id) {
    while (node_of(evaluator, id)->op == OP_convert) id = node_of(evaluator, id)->operands[0];
    Span from = node_of(evaluator, id)->span;
    if (from.file &&
        (from.file != place.file || from.begin != place.begin || from.end != place.end))
        diag_note(evaluator->diag, from, "the %s, %s, comes from here", which,
                  type_text(evaluator, id));
}

static void note_operands(Evaluator *evaluator, Span span, NodeId a, NodeId b) {
    Span place = evaluator_place(evaluator, span);
    note_operand(evaluator, place, "left", a);
    note_operand(evaluator, place, "right", b);
}

/* "axis 1 is 10 on the left and 12 on the right", counted from the left operand's first axis where
 * ranks are equal. */
static const char *difference(Evaluator *evaluator, Shape a, Shape b) {
    for (int back = 1; back <= a.rank && back <= b.rank; back++) {
        int64_t da = a.dim[a.rank - back], db = b.dim[b.rank - back];
        if (da != db && da != 1 && db != 1)
            return arena_format(evaluator->arena,
                                "axis %d is %" PRId64 " on the left and %" PRId64 " on the right",
                                a.rank == b.rank ? a.rank - back : -back, da, db);
    }
    return "";
}

/* -- the rows of one operand and another axis of the other -- */

/* f32[N] + f32[N,1] would give f32[N,N], each row with every other one. That is almost always a
 * mistake, and so it is an error.
 *
 * Returns the axis of the longer shape that broadcasting pairs with the rows of the shorter one, if
 * that axis has no rows but another one has; else -1. A model can still pair all rows: with equal
 * ranks, [N,1] and [1,N], or if the longer shape is [N,N]. */
static int crossed_axis(const Evaluator *evaluator, Shape a, Shape b) {
    Shape shorter = a.rank < b.rank ? a : b, longer = a.rank < b.rank ? b : a;
    int paired = longer.rank - shorter.rank;
    bool has_rows = false;
    if (!rows_are_distinct(evaluator) || paired == 0 || shorter.rank == 0 ||
        !is_of_rows(evaluator, shorter.dim[0]))
        return -1;
    for (int i = 0; i < longer.rank; i++) has_rows |= is_of_rows(evaluator, longer.dim[i]);
    return has_rows && !is_of_rows(evaluator, longer.dim[paired]) ? paired : -1;
}

bool tensors_help_column(Evaluator *evaluator, NodeId a, NodeId b) {
    Shape left = node_of(evaluator, a)->shape, right = node_of(evaluator, b)->shape;
    bool left_shorter = left.rank < right.rank;
    Shape shorter = left_shorter ? left : right, longer = left_shorter ? right : left;
    const char *short_side = left_shorter ? "left" : "right",
               *long_side = left_shorter ? "right" : "left";
    if (shorter.rank != 1 || longer.rank != 2 || shorter.dim[0] != longer.dim[0]) return false;
    if (longer.dim[1] == 1)
        diag_help(
            evaluator->diag,
            "x[:, 0] makes the %s side %s, or unsqueeze(x, 1) makes the %s side %s; columns(source, \"NAME\") of a table has that shape",
            long_side, shape_words(evaluator, DTYPE_F32, shorter), short_side,
            shape_words(evaluator, DTYPE_F32, longer));
    else
        diag_help(evaluator->diag,
                  "unsqueeze(x, 1) makes the %s side one number for each row, for all columns",
                  short_side);
    return true;
}

/* "cannot add f32[N,1] and f32[N]: the rows on the right meet axis 1 on the left, which would give
 * f32[N,N]" */
static bool report_crossed(Evaluator *evaluator, Span span, const char *verb, NodeId a, NodeId b,
                           int axis) {
    Shape left = node_of(evaluator, a)->shape, right = node_of(evaluator, b)->shape, both;
    bool left_shorter = left.rank < right.rank;
    const char *short_side = left_shorter ? "left" : "right",
               *long_side = left_shorter ? "right" : "left";
    *evaluator->globals->rows_crossed = true;
    const char *result = shape_broadcast(left, right, &both)
                             ? arena_format(evaluator->arena, ", which would give %s",
                                            shape_words(evaluator, DTYPE_F32, both))
                             : "";
    if (!evaluator_error(evaluator, span,
                         "cannot %s %s and %s: the rows on the %s meet axis %d on the %s%s", verb,
                         type_text(evaluator, a), type_text(evaluator, b), short_side, axis,
                         long_side, result))
        return false;
    note_operands(evaluator, span, a, b);
    if (!tensors_help_column(evaluator, a, b))
        diag_help(evaluator->diag, "unsqueeze(x, 1) of the %s adds an axis after its rows",
                  short_side);
    if (*result)
        diag_help(evaluator->diag,
                  "if you mean all pairs of rows, write unsqueeze(x, 1) and unsqueeze(y, 0)");
    return false;
}

bool tensors_broadcast(Evaluator *evaluator, Span span, const char *verb, NodeId a, NodeId b) {
    Shape left = node_of(evaluator, a)->shape, right = node_of(evaluator, b)->shape, both;
    int axis = crossed_axis(evaluator, left, right);
    if (axis >= 0) return report_crossed(evaluator, span, verb, a, b, axis);
    if (shape_broadcast(left, right, &both)) return true;
    if (!evaluator_error(evaluator, span, "cannot %s %s and %s: %s", verb, type_text(evaluator, a),
                         type_text(evaluator, b), difference(evaluator, left, right)))
        return false;
    note_operands(evaluator, span, a, b);
    tensors_help_column(evaluator, a, b);
    return false;
}

Value tensor_binary(Evaluator *evaluator, Span span, Op op, const char *verb, NodeId a, NodeId b) {
    if (!a || !b || !tensors_broadcast(evaluator, span, verb, a, b)) return value_error();
    evaluator_at(evaluator, span);
    return evaluator_built(evaluator, span, build_binary(evaluator->graph, op, a, b));
}

/* -- comparison: whole numbers as i32, everything else as f32 -- */

static bool is_whole(const Evaluator *evaluator, Value value) {
    if (value.kind == VALUE_INT) return value.integer >= INT32_MIN && value.integer <= INT32_MAX;
    return value.kind == VALUE_BOOL ||
           (value.kind == VALUE_TENSOR && tensor_node(evaluator, value)->dtype != DTYPE_F32);
}

static NodeId comparable(Evaluator *evaluator, Value value, bool whole) {
    if (!whole) return tensor_f32(evaluator, value);
    if (value.kind == VALUE_TENSOR) return build_convert(evaluator->graph, value.node, DTYPE_I32);
    return build_i32(evaluator->graph,
                     value.kind == VALUE_INT ? (int32_t)value.integer : value.boolean, (Shape){0});
}

Value tensor_compare(Evaluator *evaluator, Span span, Operator op, Value a, Value b) {
    static const Op ops[OPERATOR_COUNT] = {
        [OPERATOR_LT] = OP_lt, [OPERATOR_LE] = OP_le, [OPERATOR_GT] = OP_lt,
        [OPERATOR_GE] = OP_le, [OPERATOR_EQ] = OP_eq, [OPERATOR_NE] = OP_ne};
    static const DerivedKind kinds[OPERATOR_COUNT] = {
        [OPERATOR_LT] = DERIVED_LT, [OPERATOR_LE] = DERIVED_LE, [OPERATOR_GT] = DERIVED_GT,
        [OPERATOR_GE] = DERIVED_GE, [OPERATOR_EQ] = DERIVED_EQ, [OPERATOR_NE] = DERIVED_NE};
    evaluator_at(evaluator, span);
    bool whole = is_whole(evaluator, a) && is_whole(evaluator, b),
         exchanged = op == OPERATOR_GT || op == OPERATOR_GE;
    Value column = derive_double(evaluator, kinds[op], a, b, span);
    if (column.kind != VALUE_NONE) return column;
    NodeId left = comparable(evaluator, a, whole), right = comparable(evaluator, b, whole);
    if (!left || !right) {
        evaluator_error(evaluator, span, "cannot compare %s and %s",
                        value_text(evaluator->arena, evaluator->graph, a),
                        value_text(evaluator->arena, evaluator->graph, b));
        return value_error();
    }
    if (!tensors_broadcast(evaluator, span, "compare", left, right)) return value_error();
    return tensor_binary(evaluator, span, ops[op], "compare", exchanged ? right : left,
                         exchanged ? left : right);
}

/* -- powers -- */

static NodeId multiply(Evaluator *evaluator, NodeId a, NodeId b) {
    return build_binary(evaluator->graph, OP_mul, a, b);
}

/* x ** 2 as x * x, x ** 0.5 as a root: PyTorch does the same, and it is cheaper and more exact than
 * a general power. x ** -2 stays a power: computed as a product of quotients, its gradient -2 / x^3
 * would leave the range of f32. */
static NodeId simple_power(Evaluator *evaluator, NodeId x, double exponent) {
    Graph *graph = evaluator->graph;
    NodeId one = build_f32(graph, 1, (Shape){0});
    if (exponent == -1) return build_binary(graph, OP_div, one, x);
    if (exponent == -0.5) return build_binary(graph, OP_div, one, build_unary(graph, OP_sqrt, x));
    if (exponent == 0) return build_broadcast(graph, one, node_of(evaluator, x)->shape);
    if (exponent == 0.5) return build_unary(graph, OP_sqrt, x);
    if (exponent == 1) return x;
    if (exponent == 2) return multiply(evaluator, x, x);
    if (exponent == 3) return multiply(evaluator, multiply(evaluator, x, x), x);
    return NODE_NONE;
}

Value tensor_power(Evaluator *evaluator, Span span, Value base, Value exponent) {
    evaluator_at(evaluator, span);
    NodeId x = tensor_f32(evaluator, base);
    NodeId simple =
        value_is_number(exponent) ? simple_power(evaluator, x, value_number(exponent)) : NODE_NONE;
    if (simple) return evaluator_built(evaluator, span, simple);
    return tensor_binary(evaluator, span, OP_pow, operator_verb(OPERATOR_POW), x,
                         tensor_f32(evaluator, exponent));
}

/* The result has the sign of b, as in Python and PyTorch. Whole numbers stay whole. */
Value tensor_remainder(Evaluator *evaluator, Span span, Value a, Value b) {
    evaluator_at(evaluator, span);
    bool whole = is_whole(evaluator, a) && is_whole(evaluator, b);
    NodeId x = comparable(evaluator, a, whole), y = comparable(evaluator, b, whole);
    if (!tensors_broadcast(evaluator, span, operator_verb(OPERATOR_MOD), x, y))
        return value_error();
    return tensor_binary(evaluator, span, OP_remainder, "divide", x, y);
}

/* -- matrix product -- */

static Value matmul_error(Evaluator *evaluator, Span span, NodeId a, NodeId b, const char *why) {
    if (evaluator_error(evaluator, span, "cannot multiply %s @ %s: %s", type_text(evaluator, a),
                        type_text(evaluator, b), why))
        note_operands(evaluator, span, a, b);
    return value_error();
}

/* Broadcasts the leading axes of both to common sizes; false if they do not fit. */
static bool match_batches(Evaluator *evaluator, NodeId *a, NodeId *b) {
    Shape left = node_of(evaluator, *a)->shape, right = node_of(evaluator, *b)->shape, lead;
    Shape left_lead = left, right_lead = right;
    left_lead.rank -= 2;
    right_lead.rank -= 2;
    bool crossed = crossed_axis(evaluator, left_lead, right_lead) >= 0;
    if (crossed) *evaluator->globals->rows_crossed = true;
    if (crossed || !shape_broadcast(left_lead, right_lead, &lead)) return false;
    Shape to = lead;
    to.rank += 2;
    for (int i = 0; i < 2; i++) {
        Shape from = i ? right : left;
        to.dim[lead.rank] = from.dim[from.rank - 2];
        to.dim[lead.rank + 1] = from.dim[from.rank - 1];
        NodeId *operand = i ? b : a;
        *operand = build_broadcast(evaluator->graph, *operand, to);
    }
    return true;
}

/* x @ w with a matrix w: all leading axes of x are rows of one product. */
static NodeId matmul_rows(Evaluator *evaluator, NodeId x, NodeId w) {
    Graph *graph = evaluator->graph;
    Shape shape = node_of(evaluator, x)->shape, right = node_of(evaluator, w)->shape;
    int64_t k = shape.dim[shape.rank - 1];
    Shape flat = {.rank = 2, .dim = {shape_elements(shape) / k, k}};
    NodeId product = build_matmul(graph, build_reshape(graph, x, flat), w, false, false);
    shape.dim[shape.rank - 1] = right.dim[1];
    return build_reshape(graph, product, shape);
}

Value tensor_matmul(Evaluator *evaluator, Span span, NodeId a, NodeId b) {
    Shape left = node_of(evaluator, a)->shape, right = node_of(evaluator, b)->shape;
    if (left.rank < 2 || right.rank < 2)
        return matmul_error(evaluator, span, a, b, "both sides need at least two axes");
    int64_t k = left.dim[left.rank - 1], other = right.dim[right.rank - 2];
    if (k != other)
        return matmul_error(evaluator, span, a, b,
                            arena_format(evaluator->arena,
                                         "a row on the left has %" PRId64
                                         " numbers, a column on the right %" PRId64,
                                         k, other));
    evaluator_at(evaluator, span);
    if (right.rank == 2) return evaluator_built(evaluator, span, matmul_rows(evaluator, a, b));
    if (!match_batches(evaluator, &a, &b))
        return matmul_error(evaluator, span, a, b, "the leading axes do not fit together");
    return evaluator_built(evaluator, span, build_matmul(evaluator->graph, a, b, false, false));
}
