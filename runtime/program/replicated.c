/* The threads' own parts of a step. */
#include "runtime/program/replicated.h"
#include "runtime/threads/waiter.h"
#include "ir/base/memory.h"

#include <stdlib.h>

typedef struct {
    _Alignas(CACHE_LINE) void *memory;
    uint64_t step; /* whose values lie there; 0: none */
} Place;

struct Own {
    const Program *program;
    int threads;
    Place *places; /* [threads] */
};

Own *own_new(const Program *program, int threads) {
    if (!program->thread_slab_bytes) return NULL;
    Own *own = memory_new(sizeof *own, "what a thread keeps to itself");
    *own = (Own){program, threads, memory_new((size_t)threads * sizeof *own->places, "what a thread keeps to itself")};
    for (int i = 0; i < threads; i++)
        own->places[i] = (Place){memory_new(program->thread_slab_bytes, "what a thread keeps to itself"), 0};
    return own;
}

void own_free(Own *own) {
    if (!own) return;
    for (int i = 0; i < own->threads; i++) free(own->places[i].memory);
    free(own->places);
    free(own);
}

static void run_own(const Program *program, const StepArgs *args, int thread, OwnRun *run, void *context) {
    for (uint32_t k = 0; k < program->kernel_count; k++)
        if (program->kernels[k].replicated) run(context, args, thread, &(Piece){k, 0, program->kernels[k].units});
}

void own_piece(Own *own, uint64_t step, const StepArgs *args, int thread, const Piece *piece, OwnRun *run, void *context) {
    StepArgs with_own = *args;
    Place *place = own ? &own->places[thread] : NULL;
    if (place) with_own.thread_slab = place->memory;
    if (place && own->program->kernels[piece->kernel].reads_replicated && place->step != step) {
        place->step = step;
        run_own(own->program, &with_own, thread, run, context);
    }
    run(context, &with_own, thread, piece);
}
