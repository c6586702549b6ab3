/* Measures the rates of the machine. */
#include "cli/results/measure.h"

#include "ir/base/clock.h"
#include "ir/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- memory -- */

enum { ROUNDS = 5, PASS_BYTES = 32 << 20, LARGEST = MEASURE_MIN << 2 * (MEASURE_LEVELS - 1) };

typedef struct {
    Streams streams;
    float *memory; /* LARGEST bytes per thread */
    size_t bytes;  /* the working set of a thread */
    bool writing, alone;
} Streaming;

/* Reads or writes the working set of a thread again and again, PASS_BYTES in all. */
static void stream_working_set(void *context, int thread) {
    const Streaming *s = context;
    float *memory = s->memory + (size_t)thread * (LARGEST / sizeof(float));
    if (s->alone && thread) return;
    for (size_t passed = 0; passed < PASS_BYTES; passed += s->bytes)
        (s->writing ? s->streams.add : s->streams.read)(memory,
                                                        (int64_t)(s->bytes / sizeof(float)));
}

/* The best rate of several rounds. Written bytes count like read ones. */
static double stream_rate(Streaming *s, Threads *threads) {
    double best = 0, passes = s->writing ? 2 : 1, streaming = s->alone ? 1 : threads_count(threads);
    size_t passed = (PASS_BYTES + s->bytes - 1) / s->bytes * s->bytes;
    for (int i = 0; i < ROUNDS; i++) {
        double start = seconds_now();
        threads_run(threads, stream_working_set, s);
        double rate = (double)passed * passes * streaming / (seconds_now() - start);
        if (rate > best) best = rate;
    }
    return best;
}

/* The faster of reading and writing, and reading alone; a smaller working set is never slower than a
 * larger one. */
static void measure_levels(Streaming *s, Threads *threads, MemoryRates *rates) {
    for (int level = MEASURE_LEVELS - 1; level >= 0; level--) {
        bool is_last = level + 1 == MEASURE_LEVELS;
        s->bytes = (size_t)MEASURE_MIN << 2 * level;
        s->writing = false;
        double reading = fmax(stream_rate(s, threads), is_last ? 0 : rates->reading[level + 1]);
        s->writing = true;
        double any = fmax(stream_rate(s, threads), is_last ? 0 : rates->any[level + 1]);
        rates->reading[level] = reading;
        rates->any[level] = fmax(any, reading);
    }
}

static bool measure_memory(Machine *machine, Threads *threads, const CodegenOptions *options,
                           Diagnostics *diag) {
    size_t bytes = (size_t)threads_count(threads) * LARGEST;
    Streaming s = {.memory = memory_new(bytes, "the measurement of the machine")};
    bool good = streams_open(&s.streams, options, diag);
    if (good) {
        measure_levels(&s, threads, &machine->together);
        s.alone = true;
        measure_levels(&s, threads, &machine->alone);
    }
    streams_close(&s.streams);
    free(s.memory);
    return good;
}

bool machine_measure(Machine *machine, Threads *threads, const CodegenOptions *options,
                     Diagnostics *diag) {
    int count =
        threads_count(threads) < threads_online() ? threads_count(threads) : threads_online();
    PeakRates one;
    if (!codegen_measure_peak(options, &one, diag)) return false;
    machine->peak = (PeakRates){one.operations * count, one.divisions * count, one.roots * count};
    return measure_memory(machine, threads, options, diag);
}

/* -- the bound -- */

/* The rate of so many threads. Threads that share a cache or memory may be slower together. */
static double rate_of(double alone, double together, uint32_t threads) {
    double apart = alone * threads;
    return apart > together && together > alone ? together : apart;
}

double work_bound(KernelWork work, const Machine *machine, uint32_t threads, uint32_t all) {
    uint32_t used = threads < all ? threads : all;
    /* The smallest level whose working set holds the bytes of a thread. */
    double bytes = work.bytes / used, used_part = (double)used / all;
    int level = 0;
    while (level + 1 < MEASURE_LEVELS && bytes > (double)((size_t)MEASURE_MIN << 2 * level))
        level++;
    const MemoryRates *alone = &machine->alone, *together = &machine->together;
    double any = rate_of(alone->any[level], together->any[level], used),
           reading = rate_of(alone->reading[level], together->reading[level], used);
    double moving = fmax(work.bytes / any, (work.bytes - work.stored) / reading);
    double computing = work.operations / machine->peak.operations,
           dividing = work.divisions / machine->peak.divisions + work.roots / machine->peak.roots;
    return fmax(fmax(computing, dividing) / used_part, moving);
}
