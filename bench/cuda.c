/* A training step on a GPU: does it compute the bits of the CPU, and how long does it take?
 *
 *   build/release/bench_cuda MODEL.mdl [BATCH]
 *
 * Compiles the step of the model for the CPU and for the GPU, runs STEPS steps on both, on random
 * data, and compares all states and outputs. Then it prints the time of a step in long launches.
 * Status: 0 if all bits are equal, 1 if not or after an error of the driver, 2 without a GPU that
 * can run the code. */
#include "bench/cuda_driver.h"
#include "codegen/cuda/ptx.h"
#include "ir/base/clock.h"
#include "passes/passes.h"
#include "runtime/program/states.h"
#include "tests/support/models.h"
#include "tests/support/random_graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 5, SEED = 7 };

typedef struct {
    Program *program; /* for the CPU; the GPU runs the same plan */
    LLVMMemoryBufferRef text;
    void **inputs; /* [symbol_count] */
    int32_t *rows[STEPS];
    int64_t batch;
} Step;

/* -- the step -- */

static LLVMMemoryBufferRef ptx_of(const Plan *plan, Diagnostics *diag) {
    PtxModule ptx;
    LLVMMemoryBufferRef text = NULL;
    if (ptx_open(&ptx, plan, &(CodegenOptions){.level = 2, .ptx = true}, diag))
        text = ptx_text(&ptx, diag);
    ptx_close(&ptx);
    return text;
}

static bool compile_step(Step *step, const Model *model, uint32_t batch, Diagnostics *diag) {
    Compilation compilation;
    if (!passes_run(&compilation, model_graph(model, GRAPH_TRAIN, batch, diag),
                    &(PassOptions){.level = 2, .threads = 1}, PASS_COUNT - 1))
        return false;
    step->text = ptx_of(compilation.plan, diag);
    step->program =
        codegen_compile(compilation.plan, compilation.graph, &(CodegenOptions){.level = 2}, diag);
    return step->text && step->program;
}

static void make_data(Step *step) {
    const Graph *graph = step->program->graph;
    step->inputs = calloc(graph->symbol_count + 1, sizeof *step->inputs);
    step->batch = random_batch(graph);
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind != SYMBOL_STATE)
            step->inputs[i] = random_input(&graph->symbols[i], SEED);
    for (uint32_t s = 0; s < STEPS; s++) step->rows[s] = random_rows(SEED, s, step->batch);
}

static size_t input_bytes(const Symbol *symbol) {
    int64_t elements = shape_elements(symbol->shape);
    if (symbol->kind == SYMBOL_BATCH) elements = elements / symbol->shape.dim[0] * RANDOM_DATA_ROWS;
    return (size_t)elements * dtype_bytes(symbol->dtype);
}

/* -- on the CPU -- */

static void *aligned(size_t bytes) {
    void *memory = aligned_alloc(64, (bytes + 127) / 64 * 64);
    return memory ? memset(memory, 0, bytes) : NULL;
}

static void run_on_cpu(const Step *step, void *const *states, char *outputs) {
    const Program *program = step->program;
    void *slab = aligned(program->slab_bytes), *thread_slab = aligned(program->thread_slab_bytes);
    for (int s = 0; s < STEPS; s++)
        program_run(program,
                    &(StepArgs){slab, states, (const void *const *)step->inputs, step->rows[s],
                                outputs + (size_t)s * program->output_bytes, thread_slab});
    free(slab);
    free(thread_slab);
}

/* -- on the GPU -- */

/* Everything that the kernel uses, as addresses of the GPU's memory. */
typedef struct {
    uint64_t slab, thread_slab, states, inputs, rows, outputs, args, counter;
    uint64_t *state, *input; /* [state_count], [symbol_count]; 0: none */
    void *module, *function;
    unsigned blocks;
    uint32_t arrived;
    double compile_seconds;
} OnGpu;

/* StepArgs with addresses of the GPU's memory, in the same order. */
typedef struct {
    uint64_t slab, states, inputs, rows, outputs, thread_slab;
} GpuArgs;
_Static_assert(sizeof(GpuArgs) == sizeof(StepArgs), "all fields are addresses");

static uint64_t upload(const Cuda *cuda, const void *from, size_t bytes) {
    uint64_t address = 0;
    CUDA_CALL(cuda, cuMemAlloc_v2, &address, bytes + 1);
    if (from) CUDA_CALL(cuda, cuMemcpyHtoD_v2, address, from, bytes);
    return address;
}

static size_t state_bytes(const Program *program, uint32_t i) {
    const Symbol *symbol = &program->graph->symbols[program->states[i].symbol];
    return layout_bytes(program->states[i].layout, symbol->dtype, symbol->shape);
}

/* The arguments of all steps, one after the other; steps after the first STEPS repeat their data. */
static void upload_args(const Cuda *cuda, const Step *step, OnGpu *gpu, uint32_t count) {
    GpuArgs *args = calloc(count, sizeof *args);
    for (uint32_t s = 0; s < count; s++)
        args[s] = (GpuArgs){gpu->slab,
                            gpu->states,
                            gpu->inputs,
                            gpu->rows + s % STEPS * (uint64_t)step->batch * sizeof(int32_t),
                            gpu->outputs + s % STEPS * step->program->output_bytes,
                            gpu->thread_slab};
    if (gpu->args) CUDA_CALL(cuda, cuMemFree_v2, gpu->args);
    gpu->args = upload(cuda, args, count * sizeof *args);
    free(args);
}

static void upload_data(const Cuda *cuda, const Step *step, void *const *states, OnGpu *gpu) {
    const Program *program = step->program;
    const Graph *graph = program->graph;
    size_t row_bytes = (size_t)step->batch * sizeof(int32_t);
    gpu->input = calloc(graph->symbol_count + 1, sizeof *gpu->input);
    gpu->state = calloc(program->state_count + 1, sizeof *gpu->state);
    for (uint32_t i = 0; i < program->state_count; i++)
        gpu->state[i] = upload(cuda, states[i], state_bytes(program, i));
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (step->inputs[i])
            gpu->input[i] = upload(cuda, step->inputs[i], input_bytes(&graph->symbols[i]));
    gpu->states = upload(cuda, gpu->state, program->state_count * sizeof *gpu->state);
    gpu->inputs = upload(cuda, gpu->input, graph->symbol_count * sizeof *gpu->input);
    gpu->rows = upload(cuda, NULL, STEPS * row_bytes);
    for (size_t s = 0; s < STEPS; s++)
        CUDA_CALL(cuda, cuMemcpyHtoD_v2, gpu->rows + s * row_bytes, step->rows[s], row_bytes);
    gpu->slab = upload(cuda, NULL, program->slab_bytes);
    gpu->thread_slab = upload(cuda, NULL, program->thread_slab_bytes);
    gpu->outputs = upload(cuda, NULL, STEPS * program->output_bytes);
    gpu->counter = upload(cuda, &gpu->arrived, sizeof gpu->arrived);
    upload_args(cuda, step, gpu, STEPS);
}

/* All blocks must run at the same time. */
static void load_code(const Cuda *cuda, const Step *step, OnGpu *gpu) {
    int blocks = 0;
    double start = seconds_now();
    CUDA_CALL(cuda, cuModuleLoadDataEx, &gpu->module, LLVMGetBufferStart(step->text), 0, NULL,
              NULL);
    CUDA_CALL(cuda, cuModuleGetFunction, &gpu->function, gpu->module, "step");
    gpu->compile_seconds = seconds_now() - start;
    CUDA_CALL(cuda, cuOccupancyMaxActiveBlocksPerMultiprocessor, &blocks, gpu->function, CUDA_BLOCK,
              0);
    gpu->blocks = (unsigned)(blocks > 0) * (unsigned)cuda->processors;
}

static void launch(const Cuda *cuda, OnGpu *gpu, uint64_t steps) {
    void *parameters[] = {&gpu->args, &steps, &gpu->counter, &gpu->arrived};
    CUDA_CALL(cuda, cuLaunchCooperativeKernel, gpu->function, gpu->blocks, 1, 1, CUDA_BLOCK, 1, 1,
              0, NULL, parameters);
    cuda_expect(cuda, cuda->cuCtxSynchronize(), "cuCtxSynchronize");
    CUDA_CALL(cuda, cuMemcpyDtoH_v2, &gpu->arrived, gpu->counter, sizeof gpu->arrived);
}

static void free_data(const Cuda *cuda, const Program *program, OnGpu *gpu) {
    const uint64_t all[] = {gpu->slab, gpu->thread_slab, gpu->states, gpu->inputs,
                            gpu->rows, gpu->outputs,     gpu->args,   gpu->counter};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) CUDA_CALL(cuda, cuMemFree_v2, all[i]);
    for (uint32_t i = 0; i < program->state_count; i++)
        CUDA_CALL(cuda, cuMemFree_v2, gpu->state[i]);
    for (uint32_t i = 0; i < program->graph->symbol_count; i++)
        if (gpu->input[i]) CUDA_CALL(cuda, cuMemFree_v2, gpu->input[i]);
    CUDA_CALL(cuda, cuModuleUnload, gpu->module);
    free(gpu->input);
    free(gpu->state);
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

static bool compare(const Cuda *cuda, const Step *step, const OnGpu *gpu, void *const *states,
                    const char *outputs) {
    const Program *program = step->program;
    bool same = true;
    for (uint32_t i = 0; i < program->state_count; i++) {
        void *got = aligned(state_bytes(program, i));
        CUDA_CALL(cuda, cuMemcpyDtoH_v2, got, gpu->state[i], state_bytes(program, i));
        const char *name = program->graph->symbols[program->states[i].symbol].name;
        same &= same_words(name, states[i], got, state_bytes(program, i));
        free(got);
    }
    char *got = aligned(STEPS * program->output_bytes);
    CUDA_CALL(cuda, cuMemcpyDtoH_v2, got, gpu->outputs, STEPS * program->output_bytes);
    for (uint32_t i = 0; i < STEPS * program->graph->output_count; i++) {
        const Output *output = &program->graph->outputs[i / STEPS];
        const Node *node = graph_node(program->graph, output->node);
        size_t at = i % STEPS * program->output_bytes + program->output_offsets[i / STEPS];
        same &= same_words(output->name, outputs + at, got + at,
                           (size_t)shape_elements(node->shape) * dtype_bytes(node->dtype));
    }
    free(got);
    return same;
}

/* The shortest time of a step, in launches of at most 50 ms. */
static double measure(const Cuda *cuda, const Step *step, OnGpu *gpu) {
    enum { TRIES = 5, MOST = 5000 };
    double best = INFINITY, start = seconds_now();
    launch(cuda, gpu, STEPS);
    double estimate = (seconds_now() - start) / (int)STEPS;
    uint32_t count = (uint32_t)fmin(MOST, fmax(STEPS, 0.05 / estimate));
    upload_args(cuda, step, gpu, count);
    for (int i = 0; i < TRIES; i++) {
        start = seconds_now();
        launch(cuda, gpu, count);
        best = fmin(best, (seconds_now() - start) / count);
    }
    return best;
}

static bool run(const Cuda *cuda, const Step *step, Diagnostics *diag) {
    const Program *program = step->program;
    States *states = states_new();
    if (!states_bind(states, program, diag)) return false;
    states_initialize(states, SEED);
    void *const *memory = states_pointers(states, program);
    OnGpu gpu = {0};
    char *outputs = aligned(STEPS * program->output_bytes);
    load_code(cuda, step, &gpu);
    upload_data(cuda, step, memory, &gpu);
    run_on_cpu(step, memory, outputs);
    launch(cuda, &gpu, STEPS);
    bool same = compare(cuda, step, &gpu, memory, outputs);
    printf(
        "%s, compute capability %d.%d, driver %d: %u blocks, compiled by the driver in %.0f ms\n",
        cuda->name, cuda->major, cuda->minor, cuda->driver, gpu.blocks, 1e3 * gpu.compile_seconds);
    printf("%d steps: %s\n", STEPS, same ? "all bits are those of the CPU" : "bits differ");
    printf("%.1f us a step\n", 1e6 * measure(cuda, step, &gpu));
    free_data(cuda, program, &gpu);
    free(outputs);
    states_free(states);
    return same;
}

static void step_free(Step *step) {
    for (uint32_t i = 0; step->inputs && i < step->program->graph->symbol_count; i++)
        free(step->inputs[i]);
    for (int s = 0; s < STEPS; s++) free(step->rows[s]);
    free(step->inputs);
    if (step->text) LLVMDisposeMemoryBuffer(step->text);
    program_free(step->program);
}

int main(int argc, char **argv) {
    Cuda cuda;
    Step step = {0};
    if (argc < 2) {
        fprintf(stderr, "usage: bench_cuda MODEL.mdl [BATCH]\n");
        return 2;
    }
    if (!cuda_open(&cuda)) return 2;
    Diagnostics *diag = diag_new();
    Model *model = model_in_file(argv[1], diag);
    uint32_t batch = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 64;
    bool good = model && compile_step(&step, model, batch, diag);
    if (good) make_data(&step);
    good = good && run(&cuda, &step, diag);
    diag_print(diag, stderr);
    step_free(&step);
    model_free(model);
    diag_free(diag);
    cuda_close(&cuda);
    return good ? 0 : 1;
}
