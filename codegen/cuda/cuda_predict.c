/* Predicts the time of a step on a GPU: the sum over its stages.
 *
 *     stage = max(cycles of the block that has the most units of work, one after the other,
 *                 bytes of all kernels / bandwidth)
 *             + a barrier
 *
 * A processor has one block of 256 threads, so few warps hide each other's latency: an operation of a
 * chain takes its full latency. The latencies are those that are published for GPUs since 2018. */
#include "codegen/cuda/cuda_step.h"
#include "codegen/cuda/ptx.h"
#include "codegen/kernels/kernels.h"
#include "ir/base/integers.h"
#include "ir/base/memory.h"
#include "ir/plan/kernel_work.h"

#include <stdlib.h>

static const double BARRIER_SECONDS = 1e-6;
static const double SHUFFLE_CYCLES = 100; /* the sixteen partial sums of a row become one */

#define GPU(name, processors, adders, clock, rate, cache)                                          \
    {name, processors, adders, (clock)*1e9, (rate)*1e9, (cache)*1e6},
static const CodegenGpu gpus[] = {
#include "codegen/cuda/gpus.def"
};

const CodegenGpu *codegen_gpus(uint32_t *count) {
    *count = sizeof gpus / sizeof *gpus;
    return gpus;
}

static uint32_t count_reductions(const Plan *plan, const Kernel *kernel) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < kernel->node_count; i++)
        count += op_class(graph_node(plan->graph, kernel->nodes[i])->op) == CLASS_REDUCE;
    return count;
}

/* The cycles of a thread, or of a block, for one unit. */
static double unit_cycles(const Plan *plan, const Kernel *kernel, const CudaWork *work,
                          const KernelWork *all, int adders) {
    double operations = all->operations / (double)work->units;
    switch (work->division) {
    case CUDA_TILES: return cuda_unit_cycles(work, adders);
    case CUDA_ROWS:
        return CUDA_LOAD_CYCLES + operations / (double)LANES * CUDA_CHAIN_CYCLES +
               count_reductions(plan, kernel) * SHUFFLE_CYCLES;
    case CUDA_ELEMENTS: break;
    }
    if (work->depth) return CUDA_LOAD_CYCLES + (double)work->depth * CUDA_SINGLE_CYCLES + work->end;
    /* 36 sums side by side hide the latency; two warps share what adds */
    if (kernel->kind == KERNEL_WINOGRAD) return CUDA_LOAD_CYCLES + operations * 128 / adders;
    if (kernel->kind == KERNEL_MAP) return cuda_element_cycles(all, work->units, 0);
    return CUDA_LOAD_CYCLES +
           operations * (CUDA_CHAIN_CYCLES + CUDA_LOAD_CYCLES / (double)GPU_LOADS);
}

static double step_bytes(const Plan *plan) {
    return (double)(plan->slab_bytes + plan->thread_slab_bytes +
                    stored_state_bytes(plan->graph, plan->states, plan->state_count));
}

CudaStep cuda_step(const Plan *plan, const CudaWork *work, Arena *arena) {
    KernelWork *kernels = ARENA_ARRAY(arena, KernelWork, plan->kernel_count);
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        kernels[k] = kernel_work(plan, &plan->kernels[k]);
    return (CudaStep){plan, work, kernels, cuda_stages(plan, work, arena)};
}

/* Adds the seconds of a kernel to the blocks that compute it. */
static void add_kernel(const CudaStep *step, uint32_t number, const CodegenGpu *gpu, double *busy) {
    const Kernel *kernel = &step->plan->kernels[number];
    const CudaWork *work = &step->work[number];
    double seconds =
        unit_cycles(step->plan, kernel, work, &step->kernels[number], gpu->adders) / gpu->clock;
    int64_t blocks = cuda_work_blocks(work), all = gpu->processors,
            first = step->stages.block[number];
    for (int64_t b = 0; b < all; b++) {
        busy[b] += step->stages.waits[number] * CUDA_BARRIER_CYCLES / gpu->clock;
        int64_t place = (b - first % all + all) % all;
        if (place < blocks) busy[b] += seconds * (double)divide_up(blocks - place, all);
    }
}

/* The kernels of a stage: the block that takes the longest, or what all their bytes take. rate: bytes
 * a second. */
static double stage_seconds(const CudaStep *step, uint32_t stage, const CodegenGpu *gpu,
                            double rate) {
    double *busy = memory_array((size_t)gpu->processors, sizeof *busy, "a prediction"), bytes = 0;
    for (uint32_t i = step->stages.begin[stage]; i < step->stages.begin[stage + 1]; i++) {
        uint32_t number = step->stages.kernels[i];
        add_kernel(step, number, gpu, busy);
        bytes += step->kernels[number].bytes;
    }
    double most = bytes / rate;
    for (int b = 0; b < gpu->processors; b++) most = busy[b] > most ? busy[b] : most;
    free(busy);
    return most;
}

/* Bytes a second. */
static double bytes_rate(const CudaStep *step, const CodegenGpu *gpu) {
    return step_bytes(step->plan) <= gpu->cache ? CUDA_CACHE_BYTES * gpu->processors * gpu->clock
                                                : gpu->memory_rate;
}

CodegenPrediction cuda_step_predict(const CudaStep *step, const CodegenGpu *gpu) {
    uint32_t stages = step->stages.count;
    CodegenPrediction sum = {.stages = stages, .barriers = stages * BARRIER_SECONDS};
    double rate = bytes_rate(step, gpu);
    for (uint32_t s = 0; s < stages; s++) sum.kernels += stage_seconds(step, s, gpu, rate);
    return sum;
}

/* Compiles the plan as far as predictions need it, and describes its step. arena: owns what the step
 * points to. */
static bool open_step(CudaStep *step, const Plan *plan, const CodegenOptions *options, Arena *arena,
                      Diagnostics *diag) {
    PtxModule ptx;
    CudaWork *work = ARENA_ARRAY(arena, CudaWork, plan->kernel_count);
    bool good = ptx_emit(&ptx, plan, options, work, diag);
    if (good) *step = cuda_step(plan, work, arena);
    ptx_close(&ptx);
    return good;
}

bool codegen_predict(const Plan *plan, const CodegenOptions *options, const CodegenGpu *to,
                     uint32_t count, CodegenPrediction *predictions, Diagnostics *diag) {
    CudaStep step;
    Arena *arena = arena_new();
    bool good = open_step(&step, plan, options, arena, diag);
    for (uint32_t i = 0; good && i < count; i++) predictions[i] = cuda_step_predict(&step, &to[i]);
    arena_free(arena);
    return good;
}

static GpuKernel describe_kernel(const CudaStep *step, uint32_t number, const CodegenGpu *gpu) {
    const KernelWork *work = &step->kernels[number];
    GpuKernel kernel = {.blocks = cuda_work_blocks(&step->work[number])};
    int64_t used = min_i64(kernel.blocks, gpu->processors);
    double computing = work->operations / ((double)used * 2 * gpu->adders * gpu->clock),
           moving = work->bytes / bytes_rate(step, gpu);
    double *busy = memory_array((size_t)gpu->processors, sizeof *busy, "a prediction");
    add_kernel(step, number, gpu, busy);
    for (int b = 0; b < gpu->processors; b++)
        if (busy[b] > kernel.predicted) kernel.predicted = busy[b];
    kernel.bound = computing > moving ? computing : moving;
    free(busy);
    return kernel;
}

bool codegen_gpu_kernels(const Plan *plan, const CodegenOptions *options, const CodegenGpu *gpu,
                         GpuKernel *kernels, uint32_t *marks, Diagnostics *diag) {
    CudaStep step;
    Arena *arena = arena_new();
    bool good = open_step(&step, plan, options, arena, diag);
    uint32_t mark = 1;
    for (uint32_t s = 0; good && s < step.stages.count; s++, mark++) /* a mark for the barrier */
        for (uint32_t i = step.stages.begin[s]; i < step.stages.begin[s + 1]; i++) {
            GpuKernel *kernel = &kernels[step.stages.kernels[i]];
            *kernel = describe_kernel(&step, step.stages.kernels[i], gpu);
            kernel->stage = s;
            kernel->mark = mark++;
        }
    *marks = mark;
    arena_free(arena);
    return good;
}

double codegen_predicted_step(const CodegenPrediction *prediction) {
    return prediction->kernels + prediction->barriers;
}
