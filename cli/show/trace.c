/* Times of kernels: medians, and a trace for Perfetto. */
#include "cli/show/trace.h"
#include "engine/files/files.h"
#include "ir/base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_TRACED = 20 };

void timeline_open(Timeline *timeline, Arena *arena, int64_t steps, int threads, uint32_t kernels) {
    *timeline = (Timeline){
        .arena = arena, .steps = steps, .threads = (uint32_t)threads, .kernels = kernels};
    timeline->times = ARENA_ARRAY(arena, KernelTime, (size_t)steps * timeline->threads * kernels);
}

static KernelTime *kernel_time(const Timeline *timeline, int64_t step, uint32_t thread,
                               uint32_t kernel) {
    return &timeline
                ->times[((size_t)step * timeline->threads + thread) * timeline->kernels + kernel];
}

void timeline_note(const Timeline *timeline, int64_t step, int thread, uint32_t kernel, bool begins,
                   uint64_t time) {
    KernelTime *noted = kernel_time(timeline, step, (uint32_t)thread, kernel);
    if (begins) {
        noted->piece = time;
        if (!noted->begin) noted->begin = time;
    } else {
        noted->busy += time - noted->piece;
    }
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double median_seconds(uint64_t *values, size_t count) {
    qsort(values, count, sizeof *values, compare);
    return (double)values[count / 2] * 1e-9;
}

double timeline_group_seconds(const Timeline *timeline, const uint32_t *kernels, uint32_t count) {
    uint64_t *values = ARENA_ARRAY(timeline->arena, uint64_t, timeline->steps);
    for (int64_t step = 0; step < timeline->steps; step++) {
        uint64_t longest = 0;
        for (uint32_t thread = 0; thread < timeline->threads; thread++) {
            uint64_t busy = 0;
            for (uint32_t i = 0; i < count; i++)
                busy += kernel_time(timeline, step, thread, kernels[i])->busy;
            if (busy > longest) longest = busy;
        }
        values[step] = longest;
    }
    return median_seconds(values, (size_t)timeline->steps);
}

double timeline_kernel_seconds(const Timeline *timeline, uint32_t kernel) {
    return timeline_group_seconds(timeline, &kernel, 1);
}

/* The time at which the first thread began the step. */
static uint64_t step_begin(const Timeline *timeline, int64_t step) {
    uint64_t first = UINT64_MAX;
    const KernelTime *times = kernel_time(timeline, step, 0, 0);
    for (size_t i = 0; i < (size_t)timeline->threads * timeline->kernels; i++)
        if (times[i].begin && times[i].begin < first) first = times[i].begin;
    return first;
}

double timeline_step_seconds(const Timeline *timeline) {
    uint64_t *values = ARENA_ARRAY(timeline->arena, uint64_t, timeline->steps);
    if (timeline->steps < 2) { /* a single step has no next one: it ends with its last kernel */
        uint64_t last = 0;
        const KernelTime *times = kernel_time(timeline, 0, 0, 0);
        for (size_t i = 0; i < (size_t)timeline->threads * timeline->kernels; i++)
            if (times[i].begin + times[i].busy > last) last = times[i].begin + times[i].busy;
        return (double)(last - step_begin(timeline, 0)) * 1e-9;
    }
    for (int64_t step = 0; step + 1 < timeline->steps; step++)
        values[step] = step_begin(timeline, step + 1) - step_begin(timeline, step);
    return median_seconds(values, (size_t)timeline->steps - 1);
}

/* -- the trace event format: complete events ("X") with times in microseconds -- */

static void write_events(const Timeline *timeline, const Plan *plan, FILE *out) {
    int64_t first = timeline->steps > STEPS_TRACED ? timeline->steps - STEPS_TRACED : 0;
    uint64_t start = step_begin(timeline, first);
    const char *separator = "";
    for (int64_t step = first; step < timeline->steps; step++)
        for (uint32_t thread = 0; thread < timeline->threads; thread++)
            for (uint32_t kernel = 0; kernel < timeline->kernels; kernel++) {
                const KernelTime *time = kernel_time(timeline, step, thread, kernel);
                if (!time->begin) continue;
                fprintf(
                    out,
                    "%s\n{\"name\":\"k%u %s\",\"ph\":\"X\",\"pid\":0,\"tid\":%u,\"ts\":%.3f,\"dur\":%.3f,\"args\":{\"step\":%" PRId64
                    "}}",
                    separator, kernel, kernel_names[plan->kernels[kernel].kind], thread,
                    (double)(int64_t)(time->begin - start) * 1e-3, (double)time->busy * 1e-3, step);
                separator = ",";
            }
}

bool timeline_write_trace(const Timeline *timeline, const Plan *plan, const char *path,
                          Diagnostics *diag) {
    MemoryStream stream;
    memory_stream_begin(&stream);
    fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", stream.out);
    write_events(timeline, plan, stream.out);
    fputs("\n]}\n", stream.out);
    return file_write_stream(path, &stream, diag);
}
