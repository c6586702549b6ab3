/* Improves how the kernels of a step are divided and when they run, by the predicted time of the step
 * on a large GPU. Each change is tried, and kept if the step becomes shorter:
 *
 *     a product computes whole rows in each block, so that it can be part of a chain;
 *     a product has other tiles, so that those of a stage fill the GPU together;
 *     a kernel that none waits for runs in a later stage, beside others.
 *
 * No bit depends on it. */
#include "codegen/cuda/cuda_step.h"
#include "codegen/cuda/ptx.h"

/* A trial takes a time that grows with the square of the number of kernels. */
enum { MAX_TRIAL_PAIRS = 4000000 };
/* A chain saves a barrier of all blocks, about 2000 cycles: so whole rows must not take much longer. */
static const double MAX_ROWS_CYCLES = 4000;
/* Tiles of shorter products are not tried. */
static const double MIN_TRIED_CYCLES = 8000;

typedef struct {
    CudaStep step;
    CudaWork *work;
    const CodegenGpu *gpu;
    double seconds; /* of the step as it is */
    int64_t pairs;  /* of kernels, in all trials */
} Trials;

static double step_seconds(const CudaStep *step, const CodegenGpu *gpu) {
    CodegenPrediction prediction = cuda_step_predict(step, gpu);
    return codegen_predicted_step(&prediction);
}

static const CodegenGpu *largest_gpu(void) {
    uint32_t count;
    const CodegenGpu *gpus = codegen_gpus(&count);
    return &gpus[count - 1];
}

/* Predicts the step with another division of a kernel, and keeps it if that is shorter. */
static bool try_work(Trials *t, uint32_t kernel, const CudaWork *work) {
    Arena *arena = arena_new();
    CudaWork before = t->work[kernel];
    int64_t kernels = t->step.plan->kernel_count;
    t->pairs += kernels * kernels;
    t->work[kernel] = *work;
    CudaStep step = t->step;
    step.stages = cuda_stages(step.plan, t->work, arena);
    double seconds = step_seconds(&step, t->gpu);
    bool better = seconds < t->seconds;
    if (better)
        t->seconds = seconds;
    else
        t->work[kernel] = before;
    arena_free(arena);
    return better;
}

static bool has_time(const Trials *t) { return t->pairs < MAX_TRIAL_PAIRS; }

/* Rows of sums, which LANES threads share, come in so many to a block: so do the whole rows of a
 * product that is to be in a chain with them. */
static CudaWork with_whole_rows(const CudaWork *work, int adders) {
    enum { HEIGHT = DEVICE_BLOCK / LANES };
    CudaWork best = {0};
    double least = 1e300;
    for (uint32_t i = 0; i < cuda_tile_count(); i++) {
        CudaWork other = *work;
        other.division = CUDA_TILES;
        other.tile = cuda_tile(i);
        other.tile.whole_rows = true;
        other.units = cuda_product_units(&other);
        double cycles = cuda_unit_cycles(&other, adders);
        if (cuda_tile_height(&other.tile) != HEIGHT || cycles >= least) continue;
        least = cycles;
        best = other;
    }
    return best;
}

/* Later kernels first: then a chain grows at its begin. */
static void try_whole_rows(Trials *t) {
    for (uint32_t k = t->step.plan->kernel_count; k-- > 0 && has_time(t);) {
        const Kernel *kernel = &t->step.plan->kernels[k];
        const CudaWork *work = &t->work[k];
        if (!work->depth || kernel->space.rank != 2 || kernel->product.swapped) continue;
        CudaWork other = with_whole_rows(work, t->gpu->adders);
        if (cuda_unit_cycles(&other, t->gpu->adders) < MAX_ROWS_CYCLES) try_work(t, k, &other);
    }
}

static void try_tiles(Trials *t) {
    for (uint32_t k = 0; k < t->step.plan->kernel_count; k++) {
        if (t->work[k].division != CUDA_TILES || t->work[k].tile.whole_rows ||
            cuda_unit_cycles(&t->work[k], t->gpu->adders) < MIN_TRIED_CYCLES)
            continue;
        for (uint32_t i = 0; i < cuda_tile_count() && has_time(t); i++) {
            CudaWork other = t->work[k];
            other.tile = cuda_tile(i);
            other.units = cuda_product_units(&other);
            try_work(t, k, &other);
        }
    }
}

/* Kernels that none waits for, in each later stage, the last one first. */
static void try_later_stages(Trials *t) {
    Arena *arena = arena_new();
    CudaStages stages = cuda_stages(t->step.plan, t->work, arena);
    for (uint32_t k = t->step.plan->kernel_count; k-- > 0;) {
        if (!stages.last[k]) continue;
        for (uint32_t s = stages.count; s-- > stages.stage[k] + 1 && has_time(t);) {
            CudaWork other = t->work[k];
            other.first_stage = s;
            if (try_work(t, k, &other)) break;
        }
    }
    arena_free(arena);
}

void cuda_divide(const Plan *plan, CudaWork *work) {
    Arena *arena = arena_new();
    Trials t = {.work = work, .gpu = largest_gpu(), .step = cuda_step(plan, work, arena)};
    t.seconds = step_seconds(&t.step, t.gpu);
    try_whole_rows(&t);
    try_later_stages(&t);
    try_tiles(&t);
    arena_free(arena);
}
