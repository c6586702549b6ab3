/* Internal to ir/: what every op computes, on arrays in row-major order. The interpreter and constant folding share it. */
#ifndef MLC_IR_EVAL_H
#define MLC_IR_EVAL_H

#include "ir/interp.h"

typedef struct {
    Precision precision;         /* F64: elements of dtype f32 are double in memory */
    const Node *node;            /* type and attributes of the result */
    const Node *const *operands; /* their types; [node->operand_count] */
    const void *const *in;       /* their elements */
    void *out;                   /* room for the result's elements */
} EvalArgs;

typedef void EvalFunction(const EvalArgs *args);

/* eval_<name> of every row of ops.def; NULL for inputs and states, which hold what they are given. In F32 only primitives may
 * be evaluated. */
extern EvalFunction *const eval_table[OP_COUNT];

#endif
