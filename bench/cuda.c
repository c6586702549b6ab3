/* A training step on a GPU: does it compute the bits of the CPU, and how long does it take?
 *
 *   build/release/bench_cuda MODEL.mdl [BATCH]
 *
 * Compiles the step of the model for the CPU and for the GPU, runs STEPS steps on both, on random
 * data, and compares all states and outputs. Then it prints the time of a step in long launches.
 * Status: 0 if all bits are equal, 1 if not, 2 without a GPU that can run the code, 5 after an
 * error of the driver. */
#include "ir/base/clock.h"
#include "runtime/device/device.h"
#include "runtime/program/run.h"
#include "tests/support/compile_on.h"
#include "tests/support/models.h"
#include "tests/support/random_graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 5, TRIES = 5, SEED = 7 };

/* The step on the CPU or on the GPU. */
typedef struct {
    Program *program;
    States *states;
    Runner *runner;
    char *outputs; /* [STEPS][program->output_bytes] */
} BenchStep;

typedef struct {
    Device *device;
    Threads *threads;
    Diagnostics *diag;
    void **inputs; /* [symbol_count] */
    uint32_t symbol_count;
    int32_t *rows; /* of all steps */
    int64_t batch;
} Bench;

/* -- data -- */

static void make_data(Bench *bench, const Graph *graph, int64_t steps) {
    bench->batch = random_batch(graph);
    bench->symbol_count = graph->symbol_count;
    bench->inputs = calloc(graph->symbol_count + 1, sizeof *bench->inputs);
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind != SYMBOL_STATE)
            bench->inputs[i] = random_input(&graph->symbols[i], SEED);
    bench->rows = calloc((size_t)(steps * bench->batch), sizeof *bench->rows);
    for (int64_t s = 0; s < steps; s++) {
        int32_t *rows = random_rows(SEED, (uint32_t)(s % STEPS), bench->batch);
        memcpy(bench->rows + s * bench->batch, rows, (size_t)bench->batch * sizeof *rows);
        free(rows);
    }
}

static bool open_step(const Bench *bench, BenchStep *step) {
    const Graph *graph = step->program->graph;
    step->states = states_new();
    step->runner = runner_new(step->program, step->states, bench->threads, bench->diag);
    step->outputs = calloc(STEPS, step->program->output_bytes + 1);
    if (!step->runner) return false;
    states_initialize(step->states, SEED);
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const char *name = graph->symbols[i].name;
        if (graph->symbols[i].kind == SYMBOL_VALUE)
            runner_input(step->runner, name, bench->inputs[i]);
        else if (graph->symbols[i].kind == SYMBOL_BATCH)
            runner_table(step->runner, name, bench->inputs[i], RANDOM_DATA_ROWS);
    }
    return true;
}

static void close_step(BenchStep *step) {
    runner_free(step->runner);
    if (step->states) states_free(step->states);
    program_free(step->program);
    free(step->outputs);
}

static bool keep_outputs(void *context, int64_t index, const void *outputs) {
    BenchStep *step = context;
    size_t bytes = step->program->output_bytes;
    memcpy(step->outputs + (size_t)index * bytes, outputs, bytes);
    return true;
}

/* -- comparing -- */

/* Any NaN equals any other. */
static bool same_words(const char *what, const void *a, const void *b, size_t bytes) {
    for (size_t i = 0; i + sizeof(float) <= bytes; i += sizeof(float)) {
        float x, y;
        memcpy(&x, (const char *)a + i, sizeof x);
        memcpy(&y, (const char *)b + i, sizeof y);
        if (!memcmp(&x, &y, sizeof x) || (isnan(x) && isnan(y))) continue;
        printf("%s differs at byte %zu: %a on the CPU, %a on the GPU\n", what, i, (double)x,
               (double)y);
        return false;
    }
    return true;
}

static bool compare_states(const BenchStep *cpu, const BenchStep *gpu) {
    bool same = true;
    for (uint32_t i = 0; i < states_count(cpu->states); i++) {
        const Symbol *symbol = states_symbol(cpu->states, i);
        size_t bytes = (size_t)shape_elements(symbol->shape) * dtype_bytes(symbol->dtype);
        void *a = calloc(1, bytes + 1), *b = calloc(1, bytes + 1);
        states_read(cpu->states, symbol->name, a);
        states_read(gpu->states, symbol->name, b);
        same &= same_words(symbol->name, a, b, bytes);
        free(a);
        free(b);
    }
    return same;
}

static bool compare_outputs(const BenchStep *cpu, const BenchStep *gpu) {
    const Graph *graph = cpu->program->graph;
    bool same = true;
    for (uint32_t i = 0; i < STEPS * graph->output_count; i++) {
        const Output *output = &graph->outputs[i / STEPS];
        const Node *node = graph_node(graph, output->node);
        const BenchStep *of[] = {cpu, gpu};
        const char *values[2];
        for (int k = 0; k < 2; k++)
            values[k] = of[k]->outputs + i % STEPS * of[k]->program->output_bytes +
                        of[k]->program->output_offsets[i / STEPS];
        same &= same_words(output->name, values[0], values[1],
                           (size_t)shape_elements(node->shape) * dtype_bytes(node->dtype));
    }
    return same;
}

/* -- running -- */

/* The shortest time of a step, in loops of about `seconds`. */
static double measure(const Bench *bench, BenchStep *gpu, int64_t most) {
    const double seconds = 0.2;
    double best = INFINITY;
    int64_t count = STEPS;
    for (int i = 0; i <= TRIES && !runner_failed(gpu->runner); i++) {
        double start = seconds_now();
        runner_loop(gpu->runner, bench->rows, count, &(RunTimes){0}, 0, NULL, NULL);
        double each = (seconds_now() - start) / (double)count;
        if (i) best = fmin(best, each);
        count = (int64_t)fmin((double)most, fmax(STEPS, seconds / each));
    }
    return best;
}

static bool run(const Bench *bench, BenchStep *cpu, BenchStep *gpu, int64_t most) {
    BenchStep *const steps[] = {cpu, gpu};
    for (int i = 0; i < 2; i++) {
        if (!open_step(bench, steps[i])) return false;
        runner_loop(steps[i]->runner, bench->rows, STEPS, &(RunTimes){0}, 0, keep_outputs,
                    steps[i]);
    }
    if (runner_failed(gpu->runner)) return false;
    bool same_outputs = compare_outputs(cpu, gpu), same = compare_states(cpu, gpu) && same_outputs;
    const DeviceFacts *facts = device_facts(bench->device);
    printf(
        "%s, compute capability %d.%d, driver %d: %d processors, compiled by the driver in %.0f ms\n",
        facts->name, facts->major, facts->minor, facts->driver, facts->processors,
        1e3 * gpu->program->compile_seconds);
    printf("%d steps: %s\n", STEPS, same ? "all bits are those of the CPU" : "bits differ");
    double seconds = measure(bench, gpu, most);
    if (runner_failed(gpu->runner)) return false;
    printf("%.1f us a step\n", 1e6 * seconds);
    return same;
}

static bool bench_model(Bench *bench, const Model *model, uint32_t batch) {
    enum { MAX_STEPS = 20000 };
    BenchStep cpu = {0}, gpu = {0};
    Graph *graphs[] = {model_graph(model, GRAPH_TRAIN, batch, bench->diag),
                       model_graph(model, GRAPH_TRAIN, batch, bench->diag)};
    if (graphs[0]) cpu.program = compile_on(NULL, graphs[0], 1);
    if (graphs[1]) gpu.program = compile_on(bench->device, graphs[1], 1);
    bool good = cpu.program && gpu.program;
    if (good) make_data(bench, cpu.program->graph, MAX_STEPS);
    good = good && run(bench, &cpu, &gpu, MAX_STEPS);
    close_step(&cpu);
    close_step(&gpu);
    for (uint32_t i = 0; i < bench->symbol_count; i++) free(bench->inputs[i]);
    free(bench->inputs);
    free(bench->rows);
    return good;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: bench_cuda MODEL.mdl [BATCH]\n");
        return STATUS_USAGE;
    }
    Bench bench = {.diag = diag_new(), .threads = threads_new(1)};
    uint32_t batch = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 64;
    Model *model = model_in_file(argv[1], bench.diag);
    bench.device = model ? device_open(0, bench.diag) : NULL;
    bool good = bench.device && bench_model(&bench, model, batch);
    Status status = diag_status(bench.diag);
    diag_print(bench.diag, stderr);
    device_close(bench.device);
    model_free(model);
    threads_free(bench.threads);
    diag_free(bench.diag);
    return status ? (int)status : good ? 0 : 1;
}
