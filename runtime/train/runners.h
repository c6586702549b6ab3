/* The programs of a split, one for each size of its batches, or of the shares into which batches
 * are cut. */
#ifndef MLC_RUNTIME_TRAIN_RUNNERS_H
#define MLC_RUNTIME_TRAIN_RUNNERS_H

#include "runtime/program/run.h"

typedef struct {
    const Program *full; /* for full batches, or shares of them; NULL: the split has fewer rows */
    const Program *last; /* for the last batch, or its larger shares; NULL: `full` fits */
    uint32_t batch;
    const Program *smaller; /* for the smaller shares of the last batch; NULL: the others fit */
    uint32_t replicas;      /* shares of a batch; 0: it is not cut */
} SplitPrograms;

typedef struct {
    Runner *by_size[SHARE_SIZES]; /* NULL: not needed */
    Cut cut;
    int64_t batches;
} SplitRunners;

/* After a failure there is nothing to close. A split without rows gives runners without batches. */
bool runners_open(SplitRunners *runners, const SplitPrograms *programs, const Dataset *dataset,
                  Split split, States *states, Threads *threads, Diagnostics *diag);
/* runners_open for `rows` rows whose batches are given one by one: no data are bound. */
bool runners_open_unbound(SplitRunners *runners, const SplitPrograms *programs, int64_t rows,
                          States *states, Threads *threads, Diagnostics *diag);
void runners_close(SplitRunners *runners);
/* Whether runner_failed holds for any of them. */
bool runners_failed(const SplitRunners *runners);

/* The runner of a share. */
Runner *runners_of_share(const SplitRunners *runners, int64_t share);
/* Runs the shares `share` .. `end` - 1, or until `after` returns false; returns the next one.
 * order: the rows of all batches, one after the other. after: see run.h; its index is the share. */
int64_t runners_loop(const SplitRunners *runners, const int32_t *order, int64_t share, int64_t end,
                     const RunTimes *times, RunAfter *after, void *context);

#endif
