/* Expands one function and runs it on many arguments. */
#ifndef MLC_TESTS_SUPPORT_FUNCTION_MACHINE_H
#define MLC_TESTS_SUPPORT_FUNCTION_MACHINE_H

#include "ir/ir.h"

enum { CHUNK = 1 << 14, SAMPLES = 1 << 20 };

/* A graph of one function of one or two inputs, expanded. */
typedef struct {
    Diagnostics *diag;
    Graph *graph;
    Interp *interp;
    NodeId in[2], out;
} FunctionMachine;

/* `exponent` is the second operand as a constant, or NULL. */
FunctionMachine machine_open_of(Op op, DType dtype, const float *exponent);
FunctionMachine machine_open(Op op, const float *exponent); /* of f32 */
void machine_close(FunctionMachine *machine);
float *machine_values(FunctionMachine *machine, NodeId id);
float machine_at(FunctionMachine *machine, float a, float b);
/* |y - exact| in units of the last place of an f32 of exact's size. Infinity if only one of them is
 * NaN, or the sign of zero is wrong. An infinity counts as 2^128. */
double error_in_ulp(float y, double exact);

#endif
