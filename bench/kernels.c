/* How fast is each kernel of a training step? Compiles the step of models/mnist.mdl kernel by kernel and as a whole and prints,
 * on one thread, the best time of many calls and the rate of its multiply-adds.
 *
 *   cmake --build --preset release --target bench_kernels && build/release/bench_kernels [LEVEL [CPU]] */
#include "codegen/codegen.h"
#include "passes/passes.h"
#include "tests/support/mlp_graph.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REPETITIONS = 300, SAMPLES = 64 };

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

/* Everything f32 is filled with small positive numbers: no value is ever denormal, NaN or infinite. */
static void *numbers(size_t bytes) {
    float *memory = zeros(bytes);
    for (size_t i = 0; i < bytes / sizeof *memory; i++) memory[i] = 0.001f * (float)(i % 97 + 1);
    return memory;
}

static StepArgs args_for(const Program *program) {
    static int32_t rows[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) rows[i] = i;
    const Graph *graph = program->graph;
    void **states = zeros(program->state_count * sizeof *states + 1);
    void **inputs = zeros(graph->symbol_count * sizeof *inputs + 1);
    for (uint32_t i = 0; i < program->state_count; i++) {
        const Symbol *symbol = &graph->symbols[program->states[i].symbol];
        states[i] = numbers(layout_bytes(program->states[i].layout, symbol->dtype, symbol->shape));
    }
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        inputs[i] = zeros((size_t)shape_elements(graph->symbols[i].shape) * dtype_bytes(graph->symbols[i].dtype));
    return (StepArgs){.slab = numbers(program->slab_bytes),
                      .states = states,
                      .inputs = (const void *const *)inputs,
                      .rows = rows,
                      .outputs = zeros(program->output_bytes)};
}

static void free_args(const Program *program, StepArgs *args) {
    for (uint32_t i = 0; i < program->state_count; i++) free(args->states[i]);
    for (uint32_t i = 0; i < program->graph->symbol_count; i++) free((void *)(uintptr_t)args->inputs[i]);
    free((void *)(uintptr_t)args->states);
    free((void *)(uintptr_t)args->inputs);
    free(args->slab);
    free(args->outputs);
}

static double best_seconds(const Program *program) {
    StepArgs args = args_for(program);
    double best = 1;
    for (int i = 0; i < REPETITIONS; i++) { /* the best: others use the machine too */
        double start = seconds_of_thread();
        program_run(program, &args, 0, 1);
        double seconds = seconds_of_thread() - start;
        if (seconds < best) best = seconds;
    }
    free_args(program, &args);
    return best;
}

static double flops(const Plan *plan, const Kernel *kernel) {
    if (kernel->kind != KERNEL_MATMUL && kernel->kind != KERNEL_GEMM) return 0;
    const Node *root = graph_node(plan->graph, kernel->root), *a = graph_operand(plan->graph, root, 0);
    int64_t k = a->shape.dim[a->shape.rank - (root->attrs.transpose_a ? 2 : 1)];
    return 2 * (double)shape_elements(root->shape) * (double)k;
}

static Plan *plan_new(int level, Graph **graph, Diagnostics *diag) {
    Compilation compilation;
    PassOptions options = {.level = level, .threads = 1};
    if (!passes_run(&compilation, mlp_graph_mnist(diag), &options, (PassId)(PASS_COUNT - 1))) abort();
    *graph = compilation.graph;
    return compilation.plan;
}

/* Kernels [first, first + count) of the step, timed; returns how many there are in all. */
static uint32_t measure(uint32_t first, uint32_t count, const CodegenOptions *options, Diagnostics *diag) {
    static const char *const kinds[KERNEL_KINDS] = {"map", "reduce", "matmul", "gemm"};
    Graph *graph;
    Plan *plan = plan_new(options->level, &graph, diag);
    uint32_t all = plan->kernel_count;
    if (!count) count = all;
    double work = 0;
    for (uint32_t i = first; i < first + count; i++) work += flops(plan, &plan->kernels[i]);
    const Kernel kernel = plan->kernels[first];
    plan->kernels += first;
    plan->kernel_count = count;
    double start = seconds_of_thread();
    Program *program = codegen_compile(plan, graph, options, diag);
    double compile = seconds_of_thread() - start;
    if (!program) {
        diag_print(diag, stderr);
        abort();
    }
    double seconds = best_seconds(program);
    printf("%-4u %-7s", first, count == 1 ? kinds[kernel.kind] : "step");
    for (int i = 0; count == 1 && i < kernel.space.rank; i++) printf("%s%lld", i ? "x" : "", (long long)kernel.space.dim[i]);
    printf("%s\t%8.1f us\t%6.1f GFLOP/s\tcompiled in %.1f ms\n", kernel.swapped && count == 1 ? " swapped" : "", 1e6 * seconds,
           1e-9 * work / seconds, 1e3 * compile);
    program_free(program);
    return all;
}

int main(int argc, char **argv) {
    Diagnostics *diag = diag_new();
    CodegenOptions options = {.level = argc > 1 ? atoi(argv[1]) : 2, .cpu = argc > 2 ? argv[2] : NULL};
    uint32_t count = measure(0, 0, &options, diag);
    for (uint32_t i = 0; i < count; i++) measure(i, 1, &options, diag);
    diag_free(diag);
    return 0;
}
