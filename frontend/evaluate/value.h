/* Values of the evaluator. Numbers, lists and so on are known while compiling; a tensor is a node
 * of the graph that is being built. */
#ifndef MLC_FRONTEND_EVALUATE_VALUE_H
#define MLC_FRONTEND_EVALUATE_VALUE_H

#include "frontend/syntax/ast.h"
#include "ir/graph/graph.h"

typedef enum {
    /* its error has been reported; values computed from it become errors without a message */
    VALUE_ERROR,
    VALUE_NONE,
    VALUE_INT,
    VALUE_FLOAT,
    VALUE_BOOL,
    VALUE_STRING,
    VALUE_LIST,
    VALUE_RANGE, /* both ends included */
    VALUE_TENSOR,
    VALUE_FUNCTION,
    /* a call of an optimizer, initializer, source, split or rule, kept with its arguments */
    VALUE_BOUND,
    VALUE_SOURCE /* the data source itself: its fields are tensors */
} ValueKind;

typedef struct Value Value;
struct Callable;
struct Bound;

struct Value {
    ValueKind kind;
    union {
        int64_t integer;
        double real;
        bool boolean;
        const char *text;
        struct {
            const Value *items;
            uint32_t count;
        } list;
        struct {
            int64_t from, to;
        } range;
        NodeId node;
        const struct Callable *function;
        const struct Bound *bound;
    };
};

enum { LIST_MAX_ITEMS = 100000 };

static inline Value value_error(void) { return (Value){.kind = VALUE_ERROR}; }
static inline Value value_none(void) { return (Value){.kind = VALUE_NONE}; }
static inline Value value_int(int64_t integer) {
    return (Value){.kind = VALUE_INT, .integer = integer};
}
static inline Value value_float(double real) { return (Value){.kind = VALUE_FLOAT, .real = real}; }
static inline Value value_bool(bool boolean) {
    return (Value){.kind = VALUE_BOOL, .boolean = boolean};
}
static inline Value value_string(const char *text) {
    return (Value){.kind = VALUE_STRING, .text = text};
}
static inline Value value_tensor(NodeId node) {
    return node ? (Value){.kind = VALUE_TENSOR, .node = node} : value_error();
}
static inline Value value_list(const Value *items, uint32_t count) {
    return (Value){.kind = VALUE_LIST, .list = {items, count}};
}

static inline bool value_is_number(Value value) {
    return value.kind == VALUE_INT || value.kind == VALUE_FLOAT;
}
static inline double value_number(Value value) {
    return value.kind == VALUE_INT ? (double)value.integer : value.real;
}

/* "a whole number", "a list": the kind in words. */
const char *value_kind_text(ValueKind kind);
/* "3", "\"relu\"", "f32[64,10]", "a list of 3": for messages. */
const char *value_text(Arena *arena, const Graph *graph, Value value);
/* Numbers are compared by value, lists item by item; lists of lists are never equal. */
bool value_equal(Value a, Value b);

#endif
