/* Facts about ops and dtypes, from the table. */
#include "ir/ops/ops.h"

#include <string.h>

typedef struct {
    const char *name, *doc, *gradient, *expand;
    OpClass class;
    AttrsKind attrs;
    ZeroRule zero;
    int arity;
    uint32_t steps;
    bool in_place;
} OpFacts;

enum { MOVES = false, IN_PLACE = true };

static const OpFacts op_facts[OP_COUNT] = {
#define OP(name, arity, class, attrs, rule, gradient, expand, place, steps, zero, doc)             \
    [OP_##name] = {#name,         doc,         #gradient, #expand, CLASS_##class,                  \
                   ATTRS_##attrs, ZERO_##zero, arity,     steps,   place},
#include "ir/ops/ops.def"
};

const char *op_name(Op op) { return op_facts[op].name; }
const char *op_doc(Op op) { return op_facts[op].doc; }
OpClass op_class(Op op) { return op_facts[op].class; }
AttrsKind op_attrs(Op op) { return op_facts[op].attrs; }
int op_arity(Op op) { return op_facts[op].arity; }
bool op_stays_in_place(Op op) { return op_facts[op].in_place; }
uint32_t op_steps(Op op) { return op_facts[op].steps; }
ZeroRule op_zero(Op op) { return op_facts[op].zero; }

size_t attrs_bytes(AttrsKind kind) {
    static const Attrs a;
    static const size_t bytes[ATTRS_KINDS] = {
        [ATTRS_SYMBOL] = sizeof a.symbol, [ATTRS_VALUE] = sizeof a.value,
        [ATTRS_AXIS] = sizeof a.axis,     [ATTRS_PERM] = sizeof a.perm,
        [ATTRS_RANGE] = sizeof a.range,   [ATTRS_PAD] = sizeof a.pad,
        [ATTRS_WINDOW] = sizeof a.window, [ATTRS_CONV] = sizeof a.conv,
        [ATTRS_RANDOM] = sizeof a.random, [ATTRS_MATMUL] = sizeof a.matmul};
    return bytes[kind];
}

/* A gradient has no expansion of its own: the gradients pass rewrites it. */
bool op_is_primitive(Op op) { return op != OP_grad && !strcmp(op_facts[op].expand, "none"); }

bool op_is_differentiable(Op op) { return strcmp(op_facts[op].gradient, "none") != 0; }

static bool name_is(const char *name, const char *text, size_t length) {
    return strlen(name) == length && !memcmp(name, text, length);
}

bool op_from_name(const char *name, size_t length, Op *op) {
    for (int i = 0; i < OP_COUNT; i++)
        if (name_is(op_facts[i].name, name, length)) return *op = (Op)i, true;
    return false;
}

static const struct {
    const char *name;
    size_t bytes;
} dtype_facts[DTYPE_COUNT] = {[DTYPE_F32] = {"f32", 4},
                              [DTYPE_I32] = {"i32", 4},
                              [DTYPE_U8] = {"u8", 1},
                              [DTYPE_I8] = {"i8", 1},
                              [DTYPE_BOOL] = {"bool", 1}};

const char *dtype_name(DType dtype) { return dtype_facts[dtype].name; }
size_t dtype_bytes(DType dtype) { return dtype_facts[dtype].bytes; }

double dtype_element(DType dtype, const void *data, int64_t at) {
    if (dtype == DTYPE_F32) return (double)((const float *)data)[at];
    if (dtype == DTYPE_I8) return ((const int8_t *)data)[at];
    return dtype == DTYPE_I32 ? ((const int32_t *)data)[at] : ((const uint8_t *)data)[at];
}

bool dtype_from_name(const char *name, size_t length, DType *dtype) {
    for (int i = 0; i < DTYPE_COUNT; i++)
        if (name_is(dtype_facts[i].name, name, length)) return *dtype = (DType)i, true;
    return false;
}
