/* Running a program over consecutive batches on all threads. Private to runtime/. */
#ifndef MLC_RUNTIME_PROGRAM_RUN_H
#define MLC_RUNTIME_PROGRAM_RUN_H

#include "runtime/runtime.h"

/* What the RunClock of each batch follows from. */
typedef struct {
    RunClock start;     /* at the first batch of the epoch, or of the split that is evaluated */
    int64_t batches;    /* of the epoch */
    int64_t accumulate; /* how many batches make a step; 0: nothing is counted, all batches see the same clock but for `draw` */
} RunTimes;
RunClock run_clock(const RunTimes *times, int64_t batch);

/* Called after each step, with its index in the loop and its outputs, on any of the threads but never on two at once: what one
 * call leaves, the next one finds. False ends the loop. */
typedef bool RunAfter(void *context, int64_t index, const void *outputs);

/* Runs up to `count` batches over rows, rows + batch, ...; returns how many were run. Nothing is allocated meanwhile. `first`: the number of the first one in the epoch. */
int64_t runner_loop(Runner *runner, const int32_t *rows, int64_t count, const RunTimes *times, int64_t first, RunAfter *after,
                    void *context);

const Program *runner_program(const Runner *runner);
/* The node of an output, for its type, and where its value lies in the outputs. */
const Node *runner_place(const Runner *runner, const char *name, size_t *offset);
float run_scalar(const void *outputs, size_t offset);

#endif
