#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "passes/pass_list.h"
#include "tests/support/function_machine.h"

#include <math.h>

static Graph *function_graph(Op op, DType dtype, const float *exponent, Diagnostics *diag) {
    Shape shape = shape_of(1, (int64_t[]){CHUNK});
    Graph *graph = graph_new("function", diag);
    NodeId operands[2] = {graph_input(graph, SYMBOL_VALUE, "a", dtype, shape)};
    if (op_arity(op) == 2)
        operands[1] = exponent ? build_f32(graph, (double)*exponent, shape)
                               : graph_input(graph, SYMBOL_VALUE, "b", dtype, shape);
    graph_output(graph, "out", graph_add(graph, op, operands, (uint32_t)op_arity(op), NULL, NULL));
    return graph;
}

/* `exponent` is the second operand as a constant, or NULL. */
FunctionMachine machine_open_of(Op op, DType dtype, const float *exponent) {
    FunctionMachine machine = {.diag = diag_new()};
    Graph *graph = function_graph(op, dtype, exponent, machine.diag);
    machine.graph = pass_functions(graph, &(PassOptions){0});
    graph_free(graph);
    machine.interp = interp_new(machine.graph, INTERP_F32);
    const Symbol *a = graph_symbol(machine.graph, "a"), *b = graph_symbol(machine.graph, "b");
    machine.in[0] = a->node;
    machine.in[1] = b ? b->node : NODE_NONE;
    machine.out = machine.graph->outputs[0].node;
    return machine;
}

FunctionMachine machine_open(Op op, const float *exponent) {
    return machine_open_of(op, DTYPE_F32, exponent);
}

void machine_close(FunctionMachine *machine) {
    interp_free(machine->interp);
    graph_free(machine->graph);
    diag_free(machine->diag);
}

float *machine_values(FunctionMachine *machine, NodeId id) {
    return interp_value(machine->interp, id);
}

float machine_at(FunctionMachine *machine, float a, float b) {
    machine_values(machine, machine->in[0])[0] = a;
    if (machine->in[1]) machine_values(machine, machine->in[1])[0] = b;
    interp_run(machine->interp);
    return machine_values(machine, machine->out)[0];
}

/* |y - exact| in units of the last place of an f32 of exact's size; infinity where one of them is
 * NaN or the sign of zero is wrong. An infinity counts as 2^128. */
double error_in_ulp(float y, double exact) {
    if (isnan(exact)) return isnan(y) ? 0 : (double)INFINITY;
    if (isnan(y) || (y == 0 && exact == 0 && !signbit(y) != !signbit(exact)))
        return (double)INFINITY;
    if (isinf(exact) || (double)y == exact) return (double)y == exact ? 0 : (double)INFINITY;
    int exponent;
    frexp(exact, &exponent);
    if (exponent > 128) return isinf(y) ? 0 : (double)INFINITY;
    double value = isinf(y) ? copysign(0x1p128, (double)y) : (double)y;
    return fabs(value - exact) / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}
