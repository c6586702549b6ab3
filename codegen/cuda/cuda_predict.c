/* Predicts the time of a step on a GPU, by the numbers of work that its threads divide.
 *
 * All threads walk through the kernels of a stage, and wait for each other after it. So a step takes
 * the sum over its kernels, and a barrier for each stage. A kernel takes
 *
 *     turns * cycles of a unit          units of work one after the other, as the blocks divide them
 *     or bytes / bandwidth              if that is more
 *
 * A processor has one block of 256 threads, so few warps hide each other's latency: an operation of a
 * chain takes its full latency. The latencies are those that are published for GPUs since 2018. */
#include "codegen/cuda/cuda.h"
#include "codegen/cuda/ptx.h"
#include "ir/base/integers.h"
#include "ir/plan/kernel_work.h"

static const double BARRIER_SECONDS = 1e-6;
enum {
    CHAIN_CYCLES = 4,    /* an operation that waits for the one before */
    LOAD_CYCLES = 300,   /* from the second-level cache */
    LOADS_AT_ONCE = 4,   /* of a loop that LLVM has unrolled */
    SHUFFLE_CYCLES = 100 /* the sixteen partial sums of a row become one */
};

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

/* The cycles of a thread, or of a block, for one unit that has so many operations. */
static double unit_cycles(const Plan *plan, const Kernel *kernel, const CudaWork *work,
                          double operations, int adders) {
    switch (work->division) {
    case CUDA_TILES:
        return (double)work->depth * cuda_step_cycles(&work->tile, adders) + CUDA_TILE_CYCLES;
    case CUDA_ROWS:
        return LOAD_CYCLES + operations / LANES * CHAIN_CYCLES +
               count_reductions(plan, kernel) * (double)SHUFFLE_CYCLES;
    case CUDA_ELEMENTS: break;
    }
    if (work->depth) return LOAD_CYCLES + (double)work->depth * CUDA_SINGLE_CYCLES;
    /* 36 sums side by side hide the latency; two warps share what adds */
    if (kernel->kind == KERNEL_WINOGRAD) return LOAD_CYCLES + operations * 128 / adders;
    double loads = kernel->kind == KERNEL_MAP ? 0 : (double)LOAD_CYCLES / LOADS_AT_ONCE;
    return LOAD_CYCLES + operations * (CHAIN_CYCLES + loads);
}

/* in_cache: the second-level cache holds what the step reads and writes. */
static double kernel_seconds(const Plan *plan, const Kernel *kernel, const CudaWork *work,
                             const CodegenGpu *gpu, bool in_cache) {
    static const int64_t threads[] = {
        [CUDA_ELEMENTS] = 1, [CUDA_ROWS] = LANES, [CUDA_TILES] = DEVICE_BLOCK};
    KernelWork all = kernel_work(plan, kernel);
    int64_t together = (int64_t)gpu->processors * DEVICE_BLOCK / threads[work->division];
    double turns = (double)divide_up(work->units, together),
           cycles = turns * unit_cycles(plan, kernel, work, all.operations / (double)work->units,
                                        gpu->adders),
           rate = in_cache ? CUDA_CACHE_BYTES * gpu->processors * gpu->clock : gpu->memory_rate;
    double computing = cycles / gpu->clock, moving = all.bytes / rate;
    return computing > moving ? computing : moving;
}

static double step_bytes(const Plan *plan) {
    size_t bytes = plan->slab_bytes + plan->thread_slab_bytes;
    for (uint32_t i = 0; i < plan->state_count; i++) {
        const Symbol *symbol = &plan->graph->symbols[plan->states[i].symbol];
        bytes += layout_bytes(plan->states[i].layout, symbol->dtype, symbol->shape);
    }
    return (double)bytes;
}

static CodegenPrediction predict(const Plan *plan, const CudaWork *work, uint32_t stages,
                                 const CodegenGpu *gpu) {
    CodegenPrediction sum = {.stages = stages, .barriers = stages * BARRIER_SECONDS};
    bool in_cache = step_bytes(plan) <= gpu->cache;
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        const Kernel *kernel = &plan->kernels[k];
        double seconds = kernel_seconds(plan, kernel, &work[k], gpu, in_cache);
        bool product = kernel->kind == KERNEL_MATMUL || kernel->kind == KERNEL_WINOGRAD;
        *(product ? &sum.products : &sum.others) += seconds;
    }
    return sum;
}

bool codegen_predict(const Plan *plan, const CodegenOptions *options, const CodegenGpu *to,
                     uint32_t count, CodegenPrediction *predictions, Diagnostics *diag) {
    PtxModule ptx;
    Arena *arena = arena_new();
    CudaWork *work = ARENA_ARRAY(arena, CudaWork, plan->kernel_count);
    bool good = ptx_emit(&ptx, plan, options, work, diag);
    if (good) {
        uint32_t stages = cuda_stages(plan, arena).count;
        for (uint32_t i = 0; i < count; i++) predictions[i] = predict(plan, work, stages, &to[i]);
    }
    ptx_close(&ptx);
    arena_free(arena);
    return good;
}

double codegen_predicted_step(const CodegenPrediction *prediction) {
    return prediction->products + prediction->others + prediction->barriers;
}
