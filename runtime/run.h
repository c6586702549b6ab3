/* Running a program over consecutive batches on all threads. Private to runtime/. */
#ifndef MLC_RUNTIME_RUN_H
#define MLC_RUNTIME_RUN_H

#include "runtime/runtime.h"

/* What VALUE inputs of a training graph hold: "epoch", "step", "steps". */
typedef struct {
    int32_t epoch, step, steps;
} RunClock;
int32_t *run_clock_field(RunClock *clock, const char *name); /* NULL: there is none of that name */

/* Called on thread 0 after each step, with its index in the loop and its outputs. False asks for the end: since the other
 * threads may have begun the next step, the loop ends after that one, at the same step on all threads. */
typedef bool RunAfter(void *context, int64_t index, const void *outputs);

/* Runs up to `count` steps over rows, rows + batch, ...; returns how many were run. The threads do not leave between steps, and
 * nothing is allocated. clock.step is that of the first step. */
int64_t runner_loop(Runner *runner, const int32_t *rows, int64_t count, RunClock clock, RunAfter *after, void *context);

/* Binds every input that the data set has; false after reporting one that it has not. */
bool runner_data(Runner *runner, const Dataset *dataset, Diagnostics *diag);
const Program *runner_program(const Runner *runner);
/* Where an f32 scalar lies in the outputs. */
size_t runner_scalar(const Runner *runner, const char *name);
float run_scalar(const void *outputs, size_t offset);

#endif
