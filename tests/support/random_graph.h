/* Random valid graphs, and random contents for their inputs: material for tests that compare two
 * ways of computing the same. Everything is a pure function of the seed. */
#ifndef MLC_TESTS_RANDOM_GRAPH_H
#define MLC_TESTS_RANDOM_GRAPH_H

#include "ir/ir.h"

/* A small random graph: inputs, states with updates, outputs of all dtypes, a scalar "loss",
 * gradients by states and by other values, sometimes gradients of gradients. Over many seeds every
 * op occurs. */
Graph *random_graph(uint64_t seed, Diagnostics *diag);

/* Rows of the data set that a batch input reads from: enough for the largest batch. The rows of a
 * batch are below this. */
enum { RANDOM_DATA_ROWS = 67 }; /* more than a batch has */
/* Contents for an input: VALUE: the tensor; BATCH: RANDOM_DATA_ROWS rows. malloc'ed. */
void *random_input(const Symbol *symbol, uint64_t seed);
/* The rows that make up the batch of a step. malloc'ed; `count` of them. */
int32_t *random_rows(uint64_t seed, uint32_t step, int64_t count);
/* Size of dimension 0 of the graph's batch inputs, or 1 without one. */
int64_t random_batch(const Graph *graph);

#endif
