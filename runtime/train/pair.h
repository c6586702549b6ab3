/* The programs of a split: one for whole batches, one for the smaller last one. */
#ifndef MLC_RUNTIME_TRAIN_PAIR_H
#define MLC_RUNTIME_TRAIN_PAIR_H

#include "runtime/program/run.h"

typedef struct {
    const Program *full, *last; /* batch rows, and the smaller last batch; last NULL if the rows divide evenly */
    uint32_t batch;
} ProgramPair;

typedef struct {
    Runner *full, *last; /* NULL: not needed */
    int64_t batch, rows, steps;
} Pair;

/* Nothing has to be closed after a failure. No rows: an empty pair, without steps. */
bool pair_open(Pair *pair, const ProgramPair *programs, const Dataset *dataset, Split split, States *states, Threads *threads,
               Diagnostics *diag);
void pair_close(Pair *pair);

/* The runner of a step, and its rows. */
Runner *pair_runner(const Pair *pair, int64_t step);
int64_t pair_step_rows(const Pair *pair, int64_t step);
/* Runs the steps from `step` to before `end`, or until `after` (see run.h; here the index counts from the pair's first step) asks for the end;
 * returns the step to go on with. `order` holds the rows of all steps. */
int64_t pair_loop(const Pair *pair, const int32_t *order, int64_t step, int64_t end, const RunTimes *times, RunAfter *after,
                  void *context);

#endif
