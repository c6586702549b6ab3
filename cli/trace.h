/* When each thread ran which kernel, and what can be said of it. */
#ifndef MLC_CLI_TRACE_H
#define MLC_CLI_TRACE_H

#include "ir/ir.h"

typedef struct {
    Arena *arena;
    uint64_t *times; /* [steps][threads][kernels][2]: begin and end in nanoseconds */
    int64_t steps;
    uint32_t threads, kernels;
} Timeline;

void timeline_open(Timeline *timeline, Arena *arena, int64_t steps, int threads, uint32_t kernels);
/* Where a thread notes its times of a step: StepArgs.times. */
uint64_t *timeline_times(const Timeline *timeline, int64_t step, int thread);
/* The median over the steps of a kernel's time: from its first thread's begin to its last thread's end. */
double timeline_kernel_seconds(const Timeline *timeline, uint32_t kernel);
/* The median of a step's time, from the begin of its first kernel to that of the next step's. */
double timeline_step_seconds(const Timeline *timeline);
/* The last steps as JSON in the trace event format. false after reporting a STATUS_FILE error. */
bool timeline_write_trace(const Timeline *timeline, const Plan *plan, const char *path, Diagnostics *diag);

#endif
