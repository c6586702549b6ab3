/* The programs of a split: one for full batches, one for a smaller last batch. */
#ifndef MLC_RUNTIME_TRAIN_PAIR_H
#define MLC_RUNTIME_TRAIN_PAIR_H

#include "runtime/program/run.h"

typedef struct {
    const Program *full; /* for `batch` rows; NULL: the split has fewer rows */
    const Program *last; /* for the rows of the last batch; NULL: all batches are full */
    uint32_t batch;
} ProgramPair;

typedef struct {
    Runner *full, *last; /* NULL: not needed */
    int64_t batch, rows, steps;
} RunnerPair;

/* After a failure there is nothing to close. A split without rows gives a pair without steps. */
bool pair_open(RunnerPair *pair, const ProgramPair *programs, const Dataset *dataset, Split split,
               States *states, Threads *threads, Diagnostics *diag);
void pair_close(RunnerPair *pair);

/* The runner of a step, and its rows. */
Runner *pair_runner(const RunnerPair *pair, int64_t step);
int64_t pair_step_rows(const RunnerPair *pair, int64_t step);
/* Runs steps `step` .. `end` - 1, or until `after` returns false; returns the next step. order: the
 * rows of all steps, one after the other. after: see run.h; its index is the step. */
int64_t pair_loop(const RunnerPair *pair, const int32_t *order, int64_t step, int64_t end,
                  const RunTimes *times, RunAfter *after, void *context);

#endif
