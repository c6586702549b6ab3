/* Runs a program for a few steps over contents drawn from a seed and keeps what it made: to compare
 * two programs. */
#ifndef MLC_TESTS_RESULTS_H
#define MLC_TESTS_RESULTS_H

#include "ir/ir.h"

typedef struct Results Results;

/* States start from their first values, inputs and rows come from tests/support/random_graph.h. */
Results *results_run(const Program *program, uint64_t seed, uint32_t steps, int threads);
void results_free(Results *results);
/* Where the second differs from the first in any output of any step or in any state (in all its
 * layouts) after the last step; NULL if all bits are equal, where all NaNs count as equal. In a
 * static buffer. A tolerance above 0 is for what is outside the contract: f32 values may then
 * differ by tolerance * max(1, |value|). */
const char *results_difference(const Results *expected, const Results *got, double tolerance);

#endif
