/* The plan pass: an order for the kernels, a place for every value, barriers where values cross threads. */
#include "passes/pass_list.h"
#include "passes/plan/planning.h"

enum { LEVEL_THAT_REUSES_MEMORY = 2 };

static void set_barriers(Plan *plan, const uint32_t *phase) {
    for (uint32_t k = 1; k < plan->kernel_count; k++) plan->kernels[k].barrier_before = phase[k] != phase[k - 1];
}

bool pass_plan(Compilation *compilation, const PassOptions *options) {
    Arena *arena = arena_new();
    uint32_t *phase = schedule_kernels(compilation->plan, options->threads, arena);
    memory_place(compilation->plan, phase, options->level >= LEVEL_THAT_REUSES_MEMORY, arena);
    set_barriers(compilation->plan, phase);
    arena_free(arena);
    return true;
}
