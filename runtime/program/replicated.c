/* Replicated kernels: the memory of each thread, and when it is filled. */
#include "runtime/program/replicated.h"
#include "runtime/threads/waiter.h"
#include "ir/base/memory.h"

#include <stdlib.h>

typedef struct {
    _Alignas(CACHE_LINE) void *memory;
    uint64_t step; /* the step whose values the memory holds; 0: none */
} Replica;

struct Replicas {
    const Program *program;
    int threads;
    Replica *items; /* [threads] */
};

Replicas *replicas_new(const Program *program, int threads) {
    if (!program->thread_slab_bytes) return NULL;
    Replicas *replicas = memory_new(sizeof *replicas, "the replicated values of a thread");
    *replicas = (Replicas){
        program, threads,
        memory_new((size_t)threads * sizeof(Replica), "the replicated values of a thread")};
    for (int i = 0; i < threads; i++)
        replicas->items[i] = (Replica){
            memory_new(program->thread_slab_bytes, "the replicated values of a thread"), 0};
    return replicas;
}

void replicas_free(Replicas *replicas) {
    if (!replicas) return;
    for (int i = 0; i < replicas->threads; i++) free(replicas->items[i].memory);
    free(replicas->items);
    free(replicas);
}

void replicas_run(Replicas *replicas, uint64_t step, const StepArgs *args, int thread,
                  const Piece *piece, ReplicaRun *run, void *context) {
    StepArgs with_memory = *args;
    if (replicas) {
        const Program *program = replicas->program;
        Replica *replica = &replicas->items[thread];
        bool compute = program->kernels[piece->kernel].reads_replicated && replica->step != step;
        with_memory.thread_slab = replica->memory;
        if (compute) replica->step = step;
        for (uint32_t k = 0; compute && k < program->kernel_count; k++)
            if (program->kernels[k].replicated)
                run(context, &with_memory, thread, &(Piece){k, 0, program->kernels[k].units});
    }
    run(context, &with_memory, thread, piece);
}
