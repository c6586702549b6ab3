/* The table of evaluators, and the evaluators of constant and iota. */
#include "ir/eval/eval.h"

EvalFunction *const eval_table[OP_COUNT] = {
    [OP_constant] = eval_constant,
    [OP_iota] = eval_iota,
#define OP_LEAF(name, attrs, rule, doc)
#define OP(name, arity, class, attrs, rule, gradient, expand, place, steps, zero, doc)             \
    [OP_##name] = eval_##name,
#include "ir/ops/ops.def"
};

#define FILL(Type, value)                                                                          \
    do {                                                                                           \
        Type *out = args->out;                                                                     \
        for (int64_t i = 0, n = eval_elements(args); i < n; i++) out[i] = (value);                 \
    } while (0)

void eval_constant(const EvalArgs *args) {
    const Attrs *attrs = &args->node->attrs;
    switch (args->node->dtype) {
    case DTYPE_F32:
        if (args->precision == INTERP_F64)
            FILL(double, (double)attrs->value.f);
        else
            FILL(float, attrs->value.f);
        break;
    case DTYPE_I32: FILL(int32_t, attrs->value.i); break;
    default: FILL(uint8_t, (uint8_t)attrs->value.bits); break;
    }
}

void eval_iota(const EvalArgs *args) {
    Shape shape = args->node->shape;
    int64_t size = shape.dim[args->node->attrs.axis],
            inner = shape_inner(shape, args->node->attrs.axis);
    FILL(int32_t, (int32_t)(i / inner % size));
}
