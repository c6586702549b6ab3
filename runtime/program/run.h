/* Running a program over consecutive batches on all threads. */
#ifndef MLC_RUNTIME_PROGRAM_RUN_H
#define MLC_RUNTIME_PROGRAM_RUN_H

#include "ir/data/run_clock.h"
#include "runtime/data/dataset.h"
#include "runtime/program/states.h"
#include "runtime/threads/threads.h"

typedef struct Runner Runner; /* a program with its slab, outputs and input bindings */
Runner *runner_new(const Program *program, States *states, Threads *threads, Diagnostics *diag);
void runner_free(Runner *runner);
void runner_input(Runner *runner, const char *name, const void *data); /* by symbol name; ignored if the program has none */
void runner_step(Runner *runner, const int32_t *rows);
/* Runs over `count` rows in batches, the last of which is filled up with its own first rows; calls see after each one, with the
 * place of its first row among them and the number of its rows. */
typedef void RunnerSee(void *context, const Runner *runner, int64_t first, int64_t count);
void runner_rows(Runner *runner, const int32_t *rows, int64_t count, RunnerSee *see, void *context);
/* Binds every input that the data set has; false after reporting one that it has not. */
bool runner_data(Runner *runner, const Dataset *dataset, Diagnostics *diag);
const void *runner_output(const Runner *runner, const char *name); /* plain; NULL: none */
/* Called by a thread before it runs some units of a kernel, and after. NULL: nobody watches. */
typedef void RunWatch(void *context, int thread, uint32_t kernel, bool begins);
void runner_watch(Runner *runner, RunWatch *watch, void *context);

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
