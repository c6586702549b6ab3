/* The text of values for messages, and their equality. */
#include "frontend/evaluate/value.h"
#include "frontend/evaluate/callable.h"

#include <inttypes.h>
#include <string.h>

const char *value_kind_text(ValueKind kind) {
    static const char *const texts[] = {
        [VALUE_ERROR] = "an error",     [VALUE_NONE] = "none",
        [VALUE_INT] = "a whole number", [VALUE_FLOAT] = "a number",
        [VALUE_BOOL] = "true or false", [VALUE_STRING] = "a string",
        [VALUE_LIST] = "a list",        [VALUE_RANGE] = "a range",
        [VALUE_TENSOR] = "a tensor",    [VALUE_FUNCTION] = "a function",
        [VALUE_BOUND] = "a call",       [VALUE_SOURCE] = "the data source",
    };
    return texts[kind];
}

/* "the optimizer" */
static const char *kind_text(FunctionKind kind) {
    static const char *const texts[] = {
        [KIND_FUNCTION] = "the function",   [KIND_LAYER] = "the layer",
        [KIND_OPTIMIZER] = "the optimizer", [KIND_INITIALIZER] = "the initializer",
        [KIND_SOURCE] = "the source",       [KIND_RULE] = "the rule",
        [KIND_SPLIT] = "the split",
    };
    return texts[kind];
}

const char *value_text(Arena *arena, const Graph *graph, Value value) {
    char number[NUMBER_TEXT], type[SHAPE_TEXT];
    switch (value.kind) {
    case VALUE_INT: return arena_format(arena, "%" PRId64, value.integer);
    case VALUE_FLOAT: return arena_format(arena, "%s", number_text(value.real, number));
    case VALUE_BOOL: return value.boolean ? "true" : "false";
    case VALUE_STRING: return arena_format(arena, "\"%.60s\"", value.text);
    case VALUE_LIST: return arena_format(arena, "a list of %u", value.list.count);
    case VALUE_RANGE:
        return arena_format(arena, "the range %" PRId64 "..%" PRId64, value.range.from,
                            value.range.to);
    case VALUE_TENSOR:
        shape_text(graph_node(graph, value.node)->dtype, graph_node(graph, value.node)->shape,
                   type);
        return arena_format(arena, "%s", type);
    case VALUE_FUNCTION: return arena_format(arena, "the function '%s'", value.function->name);
    case VALUE_BOUND:
        return arena_format(arena, "%s '%s'", kind_text(value.bound->callee->builtin->kind),
                            value.bound->callee->name);
    default: return value_kind_text(value.kind);
    }
}

static bool lists_equal(Value a, Value b) {
    if (a.list.count != b.list.count) return false;
    for (uint32_t i = 0; i < a.list.count; i++) {
        if (a.list.items[i].kind == VALUE_LIST || !value_equal(a.list.items[i], b.list.items[i]))
            return false;
    }
    return true;
}

bool value_equal(Value a, Value b) {
    if (value_is_number(a) && value_is_number(b))
        return a.kind == b.kind && a.kind == VALUE_INT ? a.integer == b.integer
                                                       : value_number(a) == value_number(b);
    if (a.kind != b.kind) return false;
    switch (a.kind) {
    case VALUE_NONE: return true;
    case VALUE_BOOL: return a.boolean == b.boolean;
    case VALUE_STRING: return !strcmp(a.text, b.text);
    case VALUE_LIST: return lists_equal(a, b);
    case VALUE_RANGE: return a.range.from == b.range.from && a.range.to == b.range.to;
    case VALUE_FUNCTION: return a.function == b.function;
    default: return false;
    }
}
