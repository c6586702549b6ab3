/* Internal to ir/: what every op computes, on arrays in row-major order. The interpreter and
 * constant folding share it. */
#ifndef MLC_IR_EVAL_EVAL_H
#define MLC_IR_EVAL_EVAL_H

#include "ir/ops/node.h"
#include "ir/ops/ops.h"
#include "ir/ops/shapes.h"

typedef enum { INTERP_F32, INTERP_F64 } Precision;

typedef struct {
    Precision precision;         /* F64: elements of dtype f32 are double in memory */
    const Node *node;            /* type and attributes of the result */
    const Node *const *operands; /* their types; [node->operand_count] */
    const void *const *in;       /* their elements */
    void *out;                   /* room for the result's elements */
} EvalArgs;

typedef void EvalFunction(const EvalArgs *args);

/* eval_<name> of every row of ops.def; NULL for inputs and states, whose values are given. In F32
 * only primitives may be evaluated. */
extern EvalFunction *const eval_table[OP_COUNT];

/* The bytes of one element in memory. */
static inline size_t eval_element_bytes(Precision precision, DType dtype) {
    return precision == INTERP_F64 && dtype == DTYPE_F32 ? sizeof(double) : dtype_bytes(dtype);
}
/* A tensor seen as [outer, n, inner], with the axis in the middle: what a loop along an axis needs
 * to know. */
typedef struct {
    int64_t outer, n, inner;
} AxisExtent;
static inline AxisExtent axis_extent(Shape shape, int axis) {
    return (AxisExtent){shape_outer(shape, axis), shape.dim[axis], shape_inner(shape, axis)};
}

/* The number of elements of the result. */
static inline int64_t eval_elements(const EvalArgs *args) {
    return shape_elements(args->node->shape);
}

EvalFunction eval_constant, eval_iota;
#define OP_LEAF(name, attrs, rule, doc)
#define OP(name, arity, class, attrs, rule, gradient, expand, place, steps, zero, doc)             \
    EvalFunction eval_##name;
#include "ir/ops/ops.def"

/* a modulo b with the sign of b; NaN for b = 0. */
double eval_floor_remainder(double a, double b);
/* The same for whole numbers; 0 for b = 0. */
int64_t eval_whole_remainder(int64_t a, int64_t b);

#endif
