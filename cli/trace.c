/* Times of kernels: medians, and the trace that Perfetto shows. */
#include "cli/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_TRACED = 20 };

void timeline_open(Timeline *timeline, Arena *arena, int64_t steps, int threads, uint32_t kernels) {
    *timeline = (Timeline){.arena = arena, .steps = steps, .threads = (uint32_t)threads, .kernels = kernels};
    timeline->times = ARENA_ARRAY(arena, uint64_t, (size_t)steps * timeline->threads * kernels * 2);
}

uint64_t *timeline_times(const Timeline *timeline, int64_t step, int thread) {
    return timeline->times + ((size_t)step * timeline->threads + (size_t)thread) * timeline->kernels * 2;
}

/* A thread that has no share of a kernel notes two times a moment apart: the others decide. */
static uint64_t kernel_nanoseconds(const Timeline *timeline, int64_t step, uint32_t kernel) {
    uint64_t longest = 0;
    for (uint32_t thread = 0; thread < timeline->threads; thread++) {
        const uint64_t *times = timeline_times(timeline, step, (int)thread) + (size_t)kernel * 2;
        if (times[1] - times[0] > longest) longest = times[1] - times[0];
    }
    return longest;
}

static int compare(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double median_seconds(uint64_t *values, size_t count) {
    qsort(values, count, sizeof *values, compare);
    return (double)values[count / 2] * 1e-9;
}

double timeline_kernel_seconds(const Timeline *timeline, uint32_t kernel) {
    uint64_t *values = ARENA_ARRAY(timeline->arena, uint64_t, timeline->steps);
    for (int64_t step = 0; step < timeline->steps; step++) values[step] = kernel_nanoseconds(timeline, step, kernel);
    return median_seconds(values, (size_t)timeline->steps);
}

static uint64_t step_begin(const Timeline *timeline, int64_t step) { return timeline_times(timeline, step, 0)[0]; }

double timeline_step_seconds(const Timeline *timeline) {
    uint64_t *values = ARENA_ARRAY(timeline->arena, uint64_t, timeline->steps);
    if (timeline->steps < 2) { /* no next step: up to the end of the last kernel */
        const uint64_t *times = timeline_times(timeline, 0, 0);
        return (double)(times[2 * timeline->kernels - 1] - times[0]) * 1e-9;
    }
    for (int64_t step = 0; step + 1 < timeline->steps; step++) values[step] = step_begin(timeline, step + 1) - step_begin(timeline, step);
    return median_seconds(values, (size_t)timeline->steps - 1);
}

/* -- the trace event format: complete events ("X") with times in microseconds -- */

static void write_events(const Timeline *timeline, const Plan *plan, FILE *out) {
    static const char *const kinds[KERNEL_KINDS] = {"map", "reduce", "matmul", "gemm"};
    int64_t first = timeline->steps > STEPS_TRACED ? timeline->steps - STEPS_TRACED : 0;
    uint64_t start = step_begin(timeline, first);
    const char *separator = "";
    for (int64_t step = first; step < timeline->steps; step++)
        for (uint32_t thread = 0; thread < timeline->threads; thread++)
            for (uint32_t kernel = 0; kernel < timeline->kernels; kernel++) {
                const uint64_t *times = timeline_times(timeline, step, (int)thread) + (size_t)kernel * 2;
                if (thread >= plan->kernels[kernel].max_threads) continue;
                fprintf(out, "%s\n{\"name\":\"k%u %s\",\"ph\":\"X\",\"pid\":0,\"tid\":%u,\"ts\":%.3f,\"dur\":%.3f,\"args\":{\"step\":%" PRId64 "}}",
                        separator, kernel, kinds[plan->kernels[kernel].kind], thread, (double)(int64_t)(times[0] - start) * 1e-3,
                        (double)(times[1] - times[0]) * 1e-3, step);
                separator = ",";
            }
}

bool timeline_write_trace(const Timeline *timeline, const Plan *plan, const char *path, Diagnostics *diag) {
    FILE *out = fopen(path, "w");
    if (out) {
        fputs("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[", out);
        write_events(timeline, plan, out);
        fputs("\n]}\n", out);
    }
    bool good = out && !ferror(out);
    if (out && fclose(out) != 0) good = false;
    if (!good) diag_error(diag, STATUS_FILE, (Span){0}, "%s: cannot be written: %s", path, strerror(errno));
    return good;
}
