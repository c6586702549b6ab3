/* When each thread ran which kernel, and what can be said of it. */
#ifndef MLC_CLI_SHOW_TRACE_H
#define MLC_CLI_SHOW_TRACE_H

#include "ir/ir.h"

/* Of a thread, in nanoseconds. What it does of a kernel in several pieces counts as one that begins
 * with the first. */
typedef struct KernelTime {
    uint64_t begin, busy; /* begin 0: it did nothing of it */
    uint64_t piece;       /* when the last piece began */
} KernelTime;

typedef struct {
    Arena *arena;
    struct KernelTime *times; /* [steps][threads][kernels] */
    int64_t steps;
    uint32_t threads, kernels;
} Timeline;

void timeline_open(Timeline *timeline, Arena *arena, int64_t steps, int threads, uint32_t kernels);
/* A thread begins or ends a piece of a kernel. Threads may note at the same time. */
void timeline_note(const Timeline *timeline, int64_t step, int thread, uint32_t kernel, bool begins,
                   uint64_t time);
/* The median over the steps of a kernel's time: that of the thread which was busy longest. */
double timeline_kernel_seconds(const Timeline *timeline, uint32_t kernel);
/* The median of a step's time, from the begin of its first kernel to that of the next step's. */
double timeline_step_seconds(const Timeline *timeline);
/* The last steps as JSON in the trace event format. false after reporting a STATUS_FILE error. */
bool timeline_write_trace(const Timeline *timeline, const Plan *plan, const char *path,
                          Diagnostics *diag);

#endif
