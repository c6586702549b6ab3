/* Random graphs as ONNX files, and the results that they must give. */
#ifndef MLC_TESTS_RANDOM_ONNX_H
#define MLC_TESTS_RANDOM_ONNX_H

#include "ir/ir.h"
#include "onnx/export.h"

/* A random graph after the gradients pass, with random numbers expanded, without the updates of
 * its states. The caller frees it. */
Graph *random_onnx_graph(uint64_t seed, Diagnostics *diag);
/* Exports the graph: all its inputs become inputs, and states have their first values. false: it
 * has an operation that ONNX lacks. */
bool random_onnx_export(Graph *graph, uint64_t seed, Arena *arena, Exported *exported);
/* The contents of an input or a state, in the arena. */
void *random_onnx_values(const Symbol *symbol, uint64_t seed, Arena *arena);
/* Fills the inputs and states of an interpreter of the graph with the contents of the seed. If
 * `f64`, f32 values are doubles. */
void random_onnx_fill(Interp *interp, const Graph *graph, uint64_t seed, Precision precision);

#endif
