/* The reference interpreter, which defines the value of every graph. In f32 it runs primitives
 * only, and every bit of its results is the contract. In f64 it also runs functions and composites,
 * for gradient checks and error bounds: values of dtype f32 are doubles, and functions are those of
 * libm. Graphs must not have grad nodes. */
#ifndef MLC_IR_INTERP_INTERP_H
#define MLC_IR_INTERP_INTERP_H

#include "ir/eval/eval.h"
#include "ir/graph/graph.h"

typedef struct Interp Interp;

/* Reserves memory for all values of the graph, which must outlive it. */
Interp *interp_new(const Graph *graph, Precision precision);
void interp_free(Interp *interp);
/* The memory of a node's value, in row-major order: write inputs and states before, read outputs
 * after interp_run. In f64, values of dtype f32 are double; the other dtypes are as in f32. */
void *interp_value(Interp *interp, NodeId node);
size_t interp_value_bytes(const Interp *interp, NodeId node);
/* Computes every live node in order. Updates are not applied: interp_update copies them into the
 * states. */
void interp_run(Interp *interp);
void interp_update(Interp *interp);
/* The first node with a NaN or infinity that reaches the output of this name, or an update;
 * NODE_NONE if all of these are finite. Constants do not count, as an infinity in the model is
 * intended. */
NodeId interp_first_nonfinite(Interp *interp, const char *output);

#endif
