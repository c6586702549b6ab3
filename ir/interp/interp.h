/* The reference interpreter: what a graph means, spelt out. In f32 it runs primitives only and
 * every bit it produces is the contract; in f64 (values of dtype f32 held as double, the platform's
 * libm for functions) it also runs functions and composites, for gradient checks and error bounds.
 * grad nodes must have been rewritten in both. */
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
/* The first of the nodes through which a NaN or infinity reached the output of this name, or an
 * update; NODE_NONE if all of these are finite. Constants do not count: an infinity in the model is
 * meant. */
NodeId interp_first_nonfinite(Interp *interp, const char *output);

#endif
