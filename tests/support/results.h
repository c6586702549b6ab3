/* Runs a program for a few steps on contents that depend on a seed, and keeps its results, so that
 * two programs can be compared. */
#ifndef MLC_TESTS_RESULTS_H
#define MLC_TESTS_RESULTS_H

#include "ir/ir.h"

typedef struct RunResults RunResults;

/* States start from their first values; inputs and rows come from tests/support/random_graph.h. */
RunResults *results_run(const Program *program, uint64_t seed, uint32_t steps, int threads);
void results_free(RunResults *results);
/* Says where the second program differs from the first: in an output of a step, or in a state after
 * the last step, in any of its layouts. NULL: all bits are equal, where any NaN equals any other.
 * The text is in a static buffer. A tolerance above 0 is for code outside the contract: f32 values
 * may then differ by tolerance * max(1, |value|). */
const char *results_difference(const RunResults *expected, const RunResults *got, double tolerance);

#endif
