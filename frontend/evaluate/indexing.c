/* x[i], x[from:to, ...] and x[from:to:step], where x is a tensor or a list. Indices count from 0,
 * negative ones from the end; `to` is not included. */
#include "frontend/evaluate/evaluate.h"

#include <inttypes.h>

/* A whole number known while compiling; `missing` if `expr` is NULL. */
static bool bound_value(Evaluator *evaluator, const Expr *expr, int64_t missing, int64_t *result) {
    *result = missing;
    if (!expr) return true;
    Value value = evaluate(evaluator, expr);
    if (value.kind == VALUE_INT) {
        *result = value.integer;
        return true;
    }
    if (value.kind != VALUE_ERROR)
        evaluator_error(evaluator, expr->span, "an index must be a whole number, not %s",
                        value_text(evaluator->arena, evaluator->graph, value));
    return false;
}

/* The half-open range that one index or slice selects from `size` elements. A part of a list may be
 * empty; a tensor has no empty axes. */
static bool sub_range(Evaluator *evaluator, const Sub *sub, int64_t size, bool may_be_empty,
                      int64_t *from, int64_t *to) {
    if (!bound_value(evaluator, sub->from, 0, from) || !bound_value(evaluator, sub->to, size, to))
        return false;
    int64_t first = *from, end = sub->is_slice ? *to : 0;
    if (*from < 0) *from += size;
    if (!sub->is_slice)
        *to = *from + 1;
    else if (*to < 0)
        *to += size;
    if (*from >= 0 && *from < *to + may_be_empty && *to <= size) return true;
    if (sub->is_slice)
        evaluator_error(evaluator, sub->span,
                        "%" PRId64 ":%" PRId64 " selects nothing of %" PRId64 " elements", first,
                        end, size);
    else
        evaluator_error(evaluator, sub->span, "index %" PRId64 " is outside of 0..%" PRId64, first,
                        size - 1);
    return false;
}

/* The step of a slice: 2 takes every second element. */
static bool sub_step(Evaluator *evaluator, const Sub *sub, int64_t *step) {
    if (!bound_value(evaluator, sub->step, 1, step)) return false;
    if (*step >= 1 && *step <= SHAPE_MAX_ELEMENTS) return true;
    if (evaluator_error(evaluator, sub->step->span, "a step must be at least 1, not %" PRId64,
                        *step))
        diag_help(evaluator->diag, "gather(x, ...) takes elements in any order");
    return false;
}

static Value slice_list(Evaluator *evaluator, Value list, int64_t from, int64_t to, int64_t step) {
    if (step == 1) return value_list(list.list.items + from, (uint32_t)(to - from));
    Value *items = ARENA_ARRAY(evaluator->arena, Value, to - from);
    uint32_t count = 0;
    for (int64_t i = from; i < to; i += step) items[count++] = list.list.items[i];
    return value_list(items, count);
}

static Value index_tensor(Evaluator *evaluator, const Expr *expr, Value tensor) {
    Shape shape = tensor_node(evaluator, tensor)->shape, result = {0};
    int64_t from[SHAPE_MAX_RANK] = {0}, to[SHAPE_MAX_RANK], step[SHAPE_MAX_RANK];
    if (expr->index.subs.count > (uint32_t)shape.rank) {
        evaluator_error(evaluator, expr->span, "%u indices for %s", expr->index.subs.count,
                        value_text(evaluator->arena, evaluator->graph, tensor));
        return value_error();
    }
    const Sub *sub = expr->index.subs.first;
    for (int axis = 0; axis < shape.rank; axis++) {
        to[axis] = shape.dim[axis];
        step[axis] = 1;
        if (sub && (!sub_range(evaluator, sub, shape.dim[axis], false, &from[axis], &to[axis]) ||
                    !sub_step(evaluator, sub, &step[axis])))
            return value_error();
        if (!sub || sub->is_slice)
            result.dim[result.rank++] = (to[axis] - from[axis] + step[axis] - 1) / step[axis];
        sub = sub ? sub->next : NULL;
    }
    bool whole = true;
    for (int axis = 0; axis < shape.rank; axis++)
        whole &= from[axis] == 0 && to[axis] == shape.dim[axis] && step[axis] == 1;
    evaluator_at(evaluator, expr->span);
    NodeId slice = whole ? tensor.node : build_slice(evaluator->graph, tensor.node, from, to, step);
    return evaluator_built(evaluator, expr->span, build_reshape(evaluator->graph, slice, result));
}

Value evaluate_index(Evaluator *evaluator, const Expr *expr) {
    Value object = evaluate(evaluator, expr->index.object);
    if (object.kind == VALUE_ERROR) return object;
    if (object.kind == VALUE_LIST) {
        const Sub *sub = expr->index.subs.first;
        int64_t from, to, step;
        if (expr->index.subs.count != 1) {
            evaluator_error(evaluator, expr->span, "a list takes one index");
            return value_error();
        }
        if (!sub_range(evaluator, sub, object.list.count, sub->is_slice, &from, &to) ||
            !sub_step(evaluator, sub, &step))
            return value_error();
        return sub->is_slice ? slice_list(evaluator, object, from, to, step)
                             : object.list.items[from];
    }
    if (object.kind == VALUE_TENSOR) return index_tensor(evaluator, expr, object);
    if (object.kind == VALUE_SOURCE) return source_element(evaluator, expr);
    evaluator_error(evaluator, expr->span, "%s cannot be indexed",
                    value_text(evaluator->arena, evaluator->graph, object));
    return value_error();
}
