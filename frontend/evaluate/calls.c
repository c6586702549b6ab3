/* Reads arguments of functions written in C: axes, shapes and lists of whole numbers. Reports
 * errors about them. */
#include "frontend/evaluate/evaluate.h"

#include <inttypes.h>

Value call_fail(const Call *call, uint32_t arg, const char *format, ...) {
    const Formal *formal = call->callee->formals->first;
    for (uint32_t i = 0; i < arg; i++) formal = formal->next;
    va_list args;
    va_start(args, format);
    const char *text = arena_vformat(call->evaluator->arena, format, args);
    va_end(args);
    evaluator_error(call->evaluator, call->spans[arg], "'%s' of '%s' %s", formal->name.text,
                    call->callee->name, text);
    return value_error();
}

const char *call_arg_text(const Call *call, uint32_t arg) {
    return value_text(call->evaluator->arena, call->evaluator->graph, call->args[arg]);
}

bool call_axis(const Call *call, uint32_t arg, int rank, int *axis) {
    Value value = call->args[arg];
    bool inside = value.kind == VALUE_INT && value.integer >= -rank && value.integer < rank;
    if (inside)
        *axis = (int)(value.integer < 0 ? value.integer + rank : value.integer);
    else if (rank == 0)
        call_fail(call, arg, "is %s, but a scalar has no axes", call_arg_text(call, arg));
    else
        call_fail(call, arg, "must be between %d and %d, not %s", -rank, rank - 1,
                  call_arg_text(call, arg));
    return inside;
}

bool call_ints(const Call *call, uint32_t arg, int64_t *ints, uint32_t limit, uint32_t *count) {
    Value value = call->args[arg];
    const Value *items = value.kind == VALUE_LIST ? value.list.items : &value;
    *count = value.kind == VALUE_LIST ? value.list.count : 1;
    if (*count > limit) {
        call_fail(call, arg, "has %u items; at most %u are allowed", *count, limit);
        return false;
    }
    for (uint32_t i = 0; i < *count; i++) {
        if (items[i].kind != VALUE_INT) {
            call_fail(call, arg, "must hold whole numbers, not %s",
                      value_text(call->evaluator->arena, call->evaluator->graph, items[i]));
            return false;
        }
        ints[i] = items[i].integer;
    }
    return true;
}

bool call_axes(const Call *call, uint32_t arg, int rank, uint32_t *axes) {
    int64_t list[SHAPE_MAX_RANK];
    uint32_t count;
    *axes = (1u << rank) - 1;
    if (call->args[arg].kind == VALUE_NONE) return true;
    if (!call_ints(call, arg, list, SHAPE_MAX_RANK, &count)) return false;
    *axes = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (list[i] < -rank || list[i] >= rank) {
            call_fail(call, arg, "must be between %d and %d, not %" PRId64, -rank, rank - 1,
                      list[i]);
            return false;
        }
        *axes |= 1u << (list[i] < 0 ? list[i] + rank : list[i]);
    }
    return true;
}

bool call_sizes(const Call *call, uint32_t arg, Shape *shape) {
    uint32_t rank;
    *shape = (Shape){0};
    if (!call_ints(call, arg, shape->dim, SHAPE_MAX_RANK, &rank)) return false;
    shape->rank = (int32_t)rank;
    int64_t room = SHAPE_MAX_ELEMENTS;
    for (uint32_t i = 0; i < rank; i++) {
        if (shape->dim[i] < 1) {
            call_fail(call, arg, "must hold sizes of at least 1, not %" PRId64, shape->dim[i]);
            /* A weight has no rows. */
            if (shape->dim[i] == -1 && arg > 0)
                diag_help(call->evaluator->diag, "N is the number of rows: [N, 8]");
            return false;
        }
        room /= shape->dim[i];
    }
    if (room == 0) call_fail(call, arg, "gives a tensor of more than 2^31 elements, the maximum");
    return room > 0;
}
