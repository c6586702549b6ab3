/* A runner: a program with its memory, inputs and outputs, which runs over batches of rows on all
 * threads, or on a device. */
#ifndef MLC_RUNTIME_PROGRAM_RUN_H
#define MLC_RUNTIME_PROGRAM_RUN_H

#include "ir/data/cut.h"
#include "ir/data/run_clock.h"
#include "runtime/data/dataset.h"
#include "runtime/program/states.h"
#include "runtime/threads/threads.h"

typedef struct Runner Runner;
/* Binds the states. NULL after reporting an error. */
Runner *runner_new(const Program *program, States *states, Threads *threads, Diagnostics *diag);
void runner_free(Runner *runner);
/* data: row 0 of an input in the data set, or the tensor of a VALUE. Ignored if the program does
 * not read it. */
void runner_input(Runner *runner, const char *name, const void *data);
/* The same for an input with rows, of which there are `rows`; they do not change later. */
void runner_table(Runner *runner, const char *name, const void *data, int64_t rows);
void runner_step(Runner *runner, const int32_t *rows); /* one batch of these rows */
/* Whether the device of the program has failed, which has been reported in the diagnostics of
 * runner_new. Then nothing runs any more, outputs and states mean nothing, and states must not be
 * saved. On the CPU: false. */
bool runner_failed(const Runner *runner);
/* Runs over `count` rows in batches. A short last batch is filled with repeated rows. After each
 * batch, visit is called with its rows: rows[first] .. rows[first + count - 1]. */
typedef void RunnerVisit(void *context, const Runner *runner, int64_t first, int64_t count);
void runner_rows(Runner *runner, const int32_t *rows, int64_t count, RunnerVisit *visit,
                 void *context);
/* Binds every input of the program to the data set; false after reporting one that the data set
 * lacks. */
bool runner_data(Runner *runner, const Dataset *dataset, Diagnostics *diag);
/* The elements of an output in row-major order; NULL: no such output. */
const void *runner_output(const Runner *runner, const char *name);
/* From now on, each thread calls `watch` before and after it runs units of a kernel. NULL: no
 * longer. */
typedef void RunWatch(void *context, int thread, uint32_t kernel, bool begins);
void runner_watch(Runner *runner, RunWatch *watch, void *context);

/* What timed code for a device has noted in `steps` steps (codegen.h, GpuKernel). */
typedef void RunMarked(void *context, const uint64_t *times, int64_t steps, uint32_t blocks);
/* From now on, the device calls `marked` after each launch of the program, whose code is timed and
 * notes so many marks a step. */
void runner_mark(Runner *runner, uint32_t marks, RunMarked *marked, void *context);

/* What the RunClock of each share of an epoch is computed from. */
typedef struct {
    /* the clock of the first batch of the epoch, or of the split that is evaluated */
    RunClock start;
    Cut cut; /* of the epoch into batches and shares; if `accumulate` is 0, a share is a batch */
    /* batches that make a step; 0: every batch has the same clock except for its random numbers */
    int64_t accumulate;
} RunTimes;
RunClock run_clock(const RunTimes *times, int64_t share);

/* Called after each share with its index in the loop and its outputs. Any thread may call it, but
 * only one at a time, and each call sees what the calls before wrote. false: ends the loop. A
 * device runs many shares at once: it has then run more of them, and `after` is called for these,
 * too. */
typedef bool RunAfter(void *context, int64_t index, const void *outputs);

/* Runs up to `count` shares and returns how many it has run. The numbers of the rows of all shares
 * follow each other in `rows`; each share has as many as the program's batch. first: the number of
 * the first share in the epoch. On the CPU it allocates nothing. */
int64_t runner_loop(Runner *runner, const int32_t *rows, int64_t count, const RunTimes *times,
                    int64_t first, RunAfter *after, void *context);

const Program *runner_program(const Runner *runner);
/* The node of an output; *offset: the byte offset of its value in the outputs. */
const Node *runner_place(const Runner *runner, const char *name, size_t *offset);
/* The float at an offset in the outputs. */
float run_scalar(const void *outputs, size_t offset);

#endif
