/* How fast is each kernel of a training step? Compiles the step of a classifier kernel by kernel
 * and as a whole, and runs it many times on one thread. For each it prints the time of the faster
 * calls, the rate of multiply-adds and their fraction of the machine's peak.
 *
 *   cmake --build --preset release --target bench_kernels
 *   build/release/bench_kernels [--batch 64] [--widths 784,512,256,128,10] [--zeros 80] [--cpu
 *   NAME] [--level 2] [--matmul | --kernel N]
 *
 * --zeros: percent of the data's bytes that are 0, as in MNIST's images. --matmul: only the
 * products; --kernel: one kernel. */
#include "codegen/codegen.h"
#include "passes/passes.h"
#include "tests/support/mlp_graph.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_LAYERS = 16, BURST = 20, MAX_SAMPLES = 10000 };
#define SECONDS_EACH 0.15

typedef struct {
    CodegenOptions codegen;
    int64_t widths[MAX_LAYERS + 1];
    MlpShape shape;
    int zeros;
    bool products_only;
    int only; /* kernel; -1: all */
    double peak;
} BenchOptions;

static double seconds_of_thread(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void *zeros(size_t bytes) {
    size_t rounded = (bytes + 127) / 64 * 64;
    void *memory = aligned_alloc(64, rounded);
    if (!memory) abort();
    return memset(memory, 0, rounded);
}

/* Everything f32 is filled with small positive numbers: no value is ever denormal, NaN or
 * infinite. */
static void *numbers(size_t bytes) {
    float *memory = zeros(bytes);
    for (size_t i = 0; i < bytes / sizeof *memory; i++) memory[i] = 0.001f * (float)(i % 97 + 1);
    return memory;
}

/* Bytes of which some are 0, here and there. */
static void *bytes_of_data(size_t count, int percent_zero) {
    unsigned char *memory = zeros(count);
    uint32_t state = 1;
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525 + 1013904223;
        memory[i] = (int)((state >> 16) % 100) < percent_zero
                        ? 0
                        : (unsigned char)(1 + (state >> 24) % 255);
    }
    return memory;
}

static int32_t *rows_of_batch(int64_t batch) {
    int32_t *rows = zeros((size_t)batch * sizeof *rows);
    for (int32_t i = 0; i < batch; i++) rows[i] = i;
    return rows;
}

static StepArgs args_for(const Program *program, const BenchOptions *options) {
    const Graph *graph = program->graph;
    void **states = zeros(program->state_count * sizeof *states + 1);
    void **inputs = zeros(graph->symbol_count * sizeof *inputs + 1);
    for (uint32_t i = 0; i < program->state_count; i++) {
        const Symbol *symbol = &graph->symbols[program->states[i].symbol];
        states[i] = numbers(layout_bytes(program->states[i].layout, symbol->dtype, symbol->shape));
    }
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        size_t elements = (size_t)shape_elements(symbol->shape);
        bool is_data = symbol->dtype == DTYPE_U8 && symbol->shape.rank > 1;
        inputs[i] = is_data ? bytes_of_data(elements, options->zeros)
                            : zeros(elements * dtype_bytes(symbol->dtype));
    }
    return (StepArgs){.slab = numbers(program->slab_bytes),
                      .states = states,
                      .inputs = (const void *const *)inputs,
                      .rows = rows_of_batch(options->shape.batch),
                      .outputs = zeros(program->output_bytes),
                      .thread_slab = zeros(program->thread_slab_bytes)};
}

static void free_args(const Program *program, StepArgs *args) {
    for (uint32_t i = 0; i < program->state_count; i++) free(args->states[i]);
    for (uint32_t i = 0; i < program->graph->symbol_count; i++)
        free((void *)(uintptr_t)args->inputs[i]);
    free((void *)(uintptr_t)args->states);
    free((void *)(uintptr_t)args->inputs);
    free((void *)(uintptr_t)args->rows);
    free(args->slab);
    free(args->outputs);
    free(args->thread_slab);
}

static int compare_seconds(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* A tenth of the calls take less: others use the machine too, and clocks of virtual machines jump
 * now and then. */
static double good_seconds(const Program *program, const BenchOptions *options) {
    static double samples[MAX_SAMPLES];
    StepArgs args = args_for(program, options);
    int count = 0;
    for (double spent = 0; count < MAX_SAMPLES && (count < BURST || spent < SECONDS_EACH);
         spent += samples[count++]) {
        double start = seconds_of_thread();
        program_run(program, &args);
        samples[count] = seconds_of_thread() - start;
    }
    free_args(program, &args);
    qsort(samples, (size_t)count, sizeof *samples, compare_seconds);
    return samples[count / 10];
}

static double flops(const Plan *plan, const Kernel *kernel) {
    if (kernel->kind != KERNEL_MATMUL && kernel->kind != KERNEL_GEMM) return 0;
    const Node *root = graph_node(plan->graph, kernel->root),
               *a = graph_operand(plan->graph, root, 0);
    int64_t k = a->shape.dim[a->shape.rank - (root->attrs.matmul.transpose_a ? 2 : 1)];
    return 2 * (double)shape_elements(root->shape) * (double)k;
}

static Plan *plan_new(const BenchOptions *options, Graph **graph, Diagnostics *diag) {
    Compilation compilation;
    PassOptions passes = {.level = options->codegen.level, .threads = 1};
    if (!passes_run(&compilation, mlp_graph(&options->shape, diag), &passes,
                    (PassId)(PASS_COUNT - 1)))
        abort();
    *graph = compilation.graph;
    return compilation.plan;
}

static void print_line(const BenchOptions *options, const Plan *plan, uint32_t first,
                       uint32_t count, double work, double seconds, double compile) {
    const Kernel *kernel = &plan->kernels[0];
    printf("%-4u %-7s", first, count == 1 ? kernel_names[kernel->kind] : "step");
    for (int i = 0; count == 1 && i < kernel->space.rank; i++)
        printf("%s%lld", i ? "x" : "", (long long)kernel->space.dim[i]);
    printf("%s\t%8.1f us\t%6.1f GFLOP/s %3.0f %%\tcompiled in %.1f ms\n",
           kernel->product.swapped && count == 1 ? " swapped" : "", 1e6 * seconds,
           1e-9 * work / seconds, 100 * work / seconds / options->peak, 1e3 * compile);
}

/* Kernels [first, first + count) of the step, timed; returns how many there are in all. */
static uint32_t measure(uint32_t first, uint32_t count, const BenchOptions *options,
                        Diagnostics *diag) {
    Graph *graph;
    Plan *plan = plan_new(options, &graph, diag);
    uint32_t all = plan->kernel_count;
    if (!count) count = all;
    double work = 0;
    for (uint32_t i = first; i < first + count; i++) work += flops(plan, &plan->kernels[i]);
    plan->kernels += first;
    plan->kernel_count = count;
    if (options->products_only && work == 0) {
        plan_free(plan);
        graph_free(graph);
        return all;
    }
    double start = seconds_of_thread();
    Program *program = codegen_compile(plan, graph, &options->codegen, diag);
    double compile = seconds_of_thread() - start;
    if (!program) {
        diag_print(diag, stderr);
        abort();
    }
    print_line(options, program->plan, first, count, work, good_seconds(program, options), compile);
    program_free(program);
    return all;
}

static int read_widths(BenchOptions *options, char *text) {
    int count = 0;
    for (char *word = strtok(text, ","); word && count <= MAX_LAYERS; word = strtok(NULL, ","))
        options->widths[count++] = atoll(word);
    return count - 1;
}

static void read_options(BenchOptions *options, int argc, char **argv) {
    static const struct option known[] = {{"batch", 1, NULL, 'b'},  {"widths", 1, NULL, 'w'},
                                          {"zeros", 1, NULL, 'z'},  {"cpu", 1, NULL, 'c'},
                                          {"level", 1, NULL, 'l'},  {"matmul", 0, NULL, 'm'},
                                          {"kernel", 1, NULL, 'k'}, {NULL, 0, NULL, 0}};
    for (int which; (which = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (which == 'b') options->shape.batch = atoll(optarg);
        if (which == 'w') options->shape.layers = read_widths(options, optarg);
        if (which == 'z') options->zeros = atoi(optarg);
        if (which == 'c') options->codegen.cpu = optarg;
        if (which == 'l') options->codegen.level = atoi(optarg);
        if (which == 'k') options->only = atoi(optarg);
        if (which == 'm') options->products_only = true;
        if (which == '?') exit(2);
    }
}

int main(int argc, char **argv) {
    Diagnostics *diag = diag_new();
    BenchOptions options = {.codegen = {.level = 2},
                            .shape = {.batch = 64, .layers = 4, .train = true},
                            .zeros = 80,
                            .only = -1,
                            .widths = {784, 512, 256, 128, 10}};
    options.shape.widths = options.widths;
    read_options(&options, argc, argv);
    PeakRates rates = {0};
    if (codegen_measure_peak(&options.codegen, &rates, diag)) options.peak = rates.operations;
    printf("peak of one thread: %.1f GFLOP/s\n", 1e-9 * options.peak);
    uint32_t count = options.only < 0 ? measure(0, 0, &options, diag) : (uint32_t)options.only + 1;
    for (uint32_t i = options.only < 0 ? 0 : (uint32_t)options.only; i < count; i++)
        measure(i, 1, &options, diag);
    diag_free(diag);
    return 0;
}
