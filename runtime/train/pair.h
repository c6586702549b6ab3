/* The programs of a split, one for each size of its batches, or of the shares into which batches
 * are cut. */
#ifndef MLC_RUNTIME_TRAIN_PAIR_H
#define MLC_RUNTIME_TRAIN_PAIR_H

#include "runtime/program/run.h"

typedef struct {
    const Program *full; /* for full batches, or shares of them; NULL: the split has fewer rows */
    const Program *last; /* for the last batch, or its larger shares; NULL: `full` fits */
    uint32_t batch;
    const Program *smaller; /* for the smaller shares of the last batch; NULL: the others fit */
    uint32_t replicas;      /* shares of a batch; 0: it is not cut */
} ProgramPair;

typedef struct {
    Runner *runners[SHARE_SIZES]; /* NULL: not needed */
    Cut cut;
    int64_t batches;
} RunnerPair;

/* After a failure there is nothing to close. A split without rows gives a pair without batches. */
bool pair_open(RunnerPair *pair, const ProgramPair *programs, const Dataset *dataset, Split split,
               States *states, Threads *threads, Diagnostics *diag);
/* The same for `rows` rows whose batches are given one by one: no data are bound. */
bool pair_open_unbound(RunnerPair *pair, const ProgramPair *programs, int64_t rows, States *states,
                       Threads *threads, Diagnostics *diag);
void pair_close(RunnerPair *pair);

/* The runner of a share. */
Runner *pair_runner(const RunnerPair *pair, int64_t share);
/* Runs the shares `share` .. `end` - 1, or until `after` returns false; returns the next one.
 * order: the rows of all batches, one after the other. after: see run.h; its index is the share. */
int64_t pair_loop(const RunnerPair *pair, const int32_t *order, int64_t share, int64_t end,
                  const RunTimes *times, RunAfter *after, void *context);

#endif
