/* The plan pass: orders the kernels, divides them among threads, places the values in memory and
 * sets barriers. Its analyses, in order:
 *
 *   uses_collect       uses.c        what each kernel reads from memory, and whether at the index
 *                      or in the row that it computes
 *   cost_assign        cost.c        how many threads are worth waking for each kernel, and in how
 *                      many pieces
 *   replicated_assign  replicated.c  small kernels of inputs alone that every thread computes for
 *                      itself
 *   rows_assign        rows.c        chains of kernels in which each thread takes its rows of the
 *                      batch through all of them
 *   schedule_kernels   schedule.c    the order of kernels, and their phases: a barrier stands
 *                      between two phases
 *   slab_assign        slab.c        the place of every value in a slab, and of every output in the
 *                      output block
 *
 * Each uses the results of those before it. schedule_kernels may defer updates of states. That adds
 * kernels, and then the analyses before it run again. */
#include "passes/pass_list.h"
#include "passes/plan/planning.h"

#include <assert.h>

enum { LEVEL_THAT_REUSES_MEMORY = 2, ALL_THREADS = 256, SMALL_ON_GPU = 64 << 10 };

static void assign_threads(Plan *plan, const Uses *uses, const PassOptions *options, Arena *arena) {
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        cost_assign(plan, &plan->kernels[k], options->threads);
        if (options->on_gpu) plan->kernels[k].max_threads = ALL_THREADS;
    }
    if (options->on_gpu) return;
    replicated_assign(plan, uses, options->threads);
    rows_assign(plan, uses, options->threads, arena);
}

bool pass_plan(Compilation *compilation, const PassOptions *options) {
    Plan *plan = compilation->plan;
    Arena *arena = arena_new();
    uint32_t *phase = NULL;
    for (int round = 0; !phase; round++) {
        assert(round < 2 && "deferred updates are read where they are copied only");
        Uses uses = uses_collect(plan, arena);
        assign_threads(plan, &uses, options, arena);
        phase = schedule_kernels(plan, &uses, arena);
    }
    bool reuse = options->level >= LEVEL_THAT_REUSES_MEMORY;
    slab_assign(plan, phase, !reuse ? SIZE_MAX : options->on_gpu ? SMALL_ON_GPU : 0, arena);
    for (uint32_t k = 1; k < plan->kernel_count; k++)
        plan->kernels[k].barrier_before = phase[k] != phase[k - 1];
    arena_free(arena);
    return true;
}
