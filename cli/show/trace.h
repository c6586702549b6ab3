/* The times at which each thread ran each kernel, for tables and traces. */
#ifndef MLC_CLI_SHOW_TRACE_H
#define MLC_CLI_SHOW_TRACE_H

#include "ir/ir.h"

/* The time of a thread in a kernel, in nanoseconds. Several pieces of a kernel are added up. */
typedef struct {
    uint64_t begin, busy; /* begin: that of the first piece; 0: it has no pieces */
    uint64_t piece;       /* when the last piece began */
} KernelTime;

typedef struct {
    Arena *arena;
    KernelTime *times; /* [steps][threads][kernels] */
    int64_t steps;
    uint32_t threads, kernels;
} Timeline;

void timeline_open(Timeline *timeline, Arena *arena, int64_t steps, int threads, uint32_t kernels);
/* Notes that a thread begins or ends a piece of a kernel. Threads may call it concurrently. */
void timeline_note(const Timeline *timeline, int64_t step, int thread, uint32_t kernel, bool begins,
                   uint64_t time);
/* The median over the steps of the time of a kernel on its busiest thread. */
double timeline_kernel_seconds(const Timeline *timeline, uint32_t kernel);
/* The same of several kernels together. */
double timeline_group_seconds(const Timeline *timeline, const uint32_t *kernels, uint32_t count);
/* The median time of a step, from the begin of its first kernel to that of the next step. */
double timeline_step_seconds(const Timeline *timeline);
/* Writes the last steps as JSON in the trace event format. false after a STATUS_FILE error. */
bool timeline_write_trace(const Timeline *timeline, const Plan *plan, const char *path,
                          Diagnostics *diag);

#endif
