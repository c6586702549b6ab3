/* mlc profile --device cuda: the clocks that the blocks of a GPU have noted in each step, as a table. */
#include "cli/commands/profiling.h"
#include "engine/build/device.h"
#include "ir/base/integers.h"
#include "ir/base/memory.h"
#include "ir/plan/kernel_work.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEVICE_STEPS = 2000, STEPS_AT_ONCE = 100 };

Program *profile_compile_for_device(Profiling *p, Compilation *compilation,
                                    const CodegenOptions *options) {
    const DeviceFacts *facts = device_facts(p->build.device);
    CodegenGpu gpu = build_device_gpu(facts);
    CodegenOptions timed = *options;
    timed.gpu = facts->code;
    timed.timed = true;
    p->kernels = ARENA_ARRAY(p->arena, GpuKernel, compilation->plan->kernel_count);
    if (codegen_gpu_kernels(compilation->plan, &timed, &gpu, p->kernels, &p->marks, p->build.diag))
        return build_for_device(p->build.device, compilation->plan, compilation->graph, &timed,
                                p->build.diag);
    compilation_free(compilation);
    return NULL;
}

/* -- what the blocks have noted -- */

/* The clocks of a launch. */
typedef struct {
    const uint64_t *times; /* [steps][1 + marks][blocks], as codegen.h has it */
    int64_t steps;
    uint32_t marks, blocks;
    double cycle; /* nanoseconds */
} Launch;

static uint64_t time_of(const Launch *l, int64_t step, uint32_t block) {
    return l->times[(size_t)step * (1 + l->marks) * l->blocks + block];
}

static uint64_t cycles_at(const Launch *l, int64_t step, uint32_t mark, uint32_t block) {
    return l->times[((size_t)step * (1 + l->marks) + 1 + mark) * l->blocks + block];
}

/* The nanoseconds of a cycle, measured from the first step to the last one. A single step is taken to
 * run at the GPU's highest clock. */
static double cycle_of(const Launch *l, const DeviceFacts *facts) {
    int64_t last = l->steps - 1;
    double cycles = (double)(cycles_at(l, last, 0, 0) - cycles_at(l, 0, 0, 0)),
           time = (double)(time_of(l, last, 0) - time_of(l, 0, 0));
    return time > 0 && cycles > 0 ? time / cycles : 1e9 / facts->clock;
}

/* The clocks of different processors do not agree. But all blocks begin a step when the barrier
 * before it ends, so this is the same moment for all. */
static uint64_t nanoseconds_at(const Launch *l, int64_t step, uint32_t mark, uint32_t block) {
    double before = (double)(cycles_at(l, step, 0, 0) - cycles_at(l, 0, 0, 0)),
           inside = (double)(cycles_at(l, step, mark, block) - cycles_at(l, step, 0, block));
    return time_of(l, 0, 0) + (uint64_t)((before + inside) * l->cycle);
}

static void note_launch(void *context, const uint64_t *times, int64_t steps, uint32_t blocks) {
    Profiling *p = context;
    Launch l = {.times = times, .steps = steps, .marks = p->marks, .blocks = blocks};
    l.cycle = cycle_of(&l, device_facts(p->build.device));
    for (int64_t s = 0; s < steps && p->step < p->steps; s++, p->step++)
        for (uint32_t k = 0; k < p->program->plan->kernel_count; k++)
            for (uint32_t b = 0; b < blocks; b++) {
                uint32_t mark = p->kernels[k].mark;
                timeline_note(&p->timeline, p->step, (int)b, k, true,
                              nanoseconds_at(&l, s, mark - 1, b));
                timeline_note(&p->timeline, p->step, (int)b, k, false,
                              nanoseconds_at(&l, s, mark, b));
            }
}

/* Runs the steps, of which each reads the same rows. false: the device has failed. */
static bool run_steps(Profiling *p) {
    size_t batch = (size_t)p->random.batch;
    int32_t *rows = memory_array(batch * STEPS_AT_ONCE, sizeof *rows, "a profile");
    for (size_t s = 0; s < STEPS_AT_ONCE; s++)
        memcpy(rows + s * batch, p->random.rows, batch * sizeof *rows);
    runner_mark(p->runner, p->marks, note_launch, p);
    while (p->step < p->steps && !runner_failed(p->runner))
        runner_loop(p->runner, rows, min_i64(STEPS_AT_ONCE, p->steps - p->step), &(RunTimes){0}, 0,
                    NULL, NULL);
    free(rows);
    return !runner_failed(p->runner);
}

/* -- the table -- */

static void print_device(const Profiling *p, const DeviceFacts *facts) {
    CodegenGpu gpu = build_device_gpu(facts);
    printf("%s, batch %u, GPU %d (%s), median of %lld steps\n", p->program->graph->name,
           p->build.info->batch, facts->number, facts->name, (long long)p->steps);
    printf("by its data: %d processors, %.1f GFLOP/s, %.0f GB/s of memory\n\n", gpu.processors,
           2e-9 * gpu.processors * gpu.adders * gpu.clock, gpu.memory_rate * 1e-9);
}

static void print_kernel(const Profiling *p, uint32_t number, double step) {
    const Kernel *kernel = &p->program->plan->kernels[number];
    const GpuKernel *on_gpu = &p->kernels[number];
    KernelWork work = kernel_work(p->program->plan, kernel);
    char name[64], lines[64], space[SHAPE_TEXT];
    double seconds = timeline_kernel_seconds(&p->timeline, number);
    profile_name(p->program->plan, kernel, name, sizeof name);
    profile_lines(p, kernel, lines, sizeof lines);
    printf("k%-3u %-22s %-18s %5u %6lld %9.1f %6.1f %8.1f %7.1f %9.1f %10.0f %12.1f  %s\n", number,
           name, shape_text(DTYPE_F32, kernel->space, space) + 3, on_gpu->stage + 1,
           (long long)on_gpu->blocks, seconds * 1e6, 100 * seconds / step,
           work.operations / seconds * 1e-9, work.bytes / seconds * 1e-9, on_gpu->bound * 1e6,
           100 * on_gpu->bound / seconds, on_gpu->predicted * 1e6, lines);
}

/* Prints the kernels of a stage; returns the seconds of the block that needs most for them. */
static double print_stage(const Profiling *p, uint32_t stage, double step) {
    uint32_t all = p->program->plan->kernel_count, count = 0;
    uint32_t *kernels = memory_array(all, sizeof *kernels, "a profile");
    for (uint32_t k = 0; k < all; k++)
        if (p->kernels[k].stage == stage) kernels[count++] = k;
    for (uint32_t i = 0; i < count; i++) print_kernel(p, kernels[i], step);
    double seconds = timeline_group_seconds(&p->timeline, kernels, count);
    free(kernels);
    return seconds;
}

static void print_table(const Profiling *p) {
    double step = timeline_step_seconds(&p->timeline), busy = 0;
    uint32_t stages = p->marks - 1 - p->program->plan->kernel_count;
    print_device(p, device_facts(p->build.device));
    printf("%-4s %-22s %-18s %5s %6s %9s %6s %8s %7s %9s %10s %12s  %s\n", "", "kernel", "space",
           "stage", "blocks", "us", "%", "GFLOP/s", "GB/s", "bound us", "% of bound",
           "predicted us", "model line");
    for (uint32_t s = 0; s < stages; s++) busy += print_stage(p, s, step);
    printf("\nstep: %.1f us, of which %.1f us at %u barriers\n", step * 1e6, (step - busy) * 1e6,
           stages);
}

Status profile_device(Profiling *p) {
    p->steps = min_i64(p->steps, MAX_DEVICE_STEPS);
    timeline_open(&p->timeline, p->arena, p->steps, device_facts(p->build.device)->processors,
                  p->program->plan->kernel_count);
    if (!run_steps(p)) return diag_outcome(p->build.diag, false);
    print_table(p);
    return profile_write_trace(p);
}
