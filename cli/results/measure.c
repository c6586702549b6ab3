/* Measures the rates of the machine. */
#include "cli/results/measure.h"

#include "ir/base/clock.h"
#include "ir/base/memory.h"

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

/* The faster of reading and writing; a smaller working set is never slower than a larger one. */
static void measure_levels(Streaming *s, Threads *threads, double rates[MEASURE_LEVELS]) {
    for (int level = MEASURE_LEVELS - 1; level >= 0; level--) {
        s->bytes = (size_t)MEASURE_MIN << 2 * level;
        rates[level] = level + 1 < MEASURE_LEVELS ? rates[level + 1] : 0;
        for (int writing = 0; writing < 2; writing++) {
            s->writing = writing;
            double rate = stream_rate(s, threads);
            if (rate > rates[level]) rates[level] = rate;
        }
    }
}

static bool measure_memory(Machine *machine, Threads *threads, const CodegenOptions *options,
                           Diagnostics *diag) {
    size_t bytes = (size_t)threads_count(threads) * LARGEST;
    Streaming s = {.memory = memory_new(bytes, "the measurement of the machine")};
    bool good = streams_open(&s.streams, options, diag);
    if (good) {
        measure_levels(&s, threads, machine->together);
        s.alone = true;
        measure_levels(&s, threads, machine->alone);
    }
    streams_close(&s.streams);
    free(s.memory);
    return good;
}

bool machine_measure(Machine *machine, Threads *threads, const CodegenOptions *options,
                     Diagnostics *diag) {
    int count =
        threads_count(threads) < threads_online() ? threads_count(threads) : threads_online();
    machine->operations = codegen_measure_peak(options, diag) * count;
    return machine->operations > 0 && measure_memory(machine, threads, options, diag);
}

/* -- the bound -- */

double work_bound(KernelWork work, const Machine *machine, uint32_t threads, uint32_t all) {
    uint32_t used = threads < all ? threads : all;
    /* The smallest level whose working set holds the bytes of a thread. */
    double bytes = work.bytes / used;
    int level = 0;
    while (level + 1 < MEASURE_LEVELS && bytes > (double)((size_t)MEASURE_MIN << 2 * level))
        level++;
    double rate = machine->alone[level] * used;
    if (rate > machine->together[level] && machine->together[level] > machine->alone[level])
        rate = machine->together[level];
    double computing = work.operations / (machine->operations * used / all),
           moving = work.bytes / rate;
    return computing > moving ? computing : moving;
}
