/* Replicated kernels (ProgramKernel.replicated): every thread computes the whole kernel into its
 * own memory, so no thread waits for the results of another. A thread runs these kernels before the
 * first piece that reads them. */
#ifndef MLC_RUNTIME_PROGRAM_REPLICATED_H
#define MLC_RUNTIME_PROGRAM_REPLICATED_H

#include "runtime/threads/work.h"

typedef struct Replicas Replicas; /* the memory of all threads for one program */

/* NULL if the program has no replicated kernels. */
Replicas *replicas_new(const Program *program, int threads);
void replicas_free(Replicas *replicas); /* NULL is allowed */

/* Calls `run` for the piece, with args->thread_slab set to the thread's memory. If the piece reads
 * replicated values that the thread has not computed in this step, `run` is called for all
 * replicated kernels before. step: a number above 0 that is different for each step. replicas: may
 * be NULL. */
typedef void ReplicaRun(void *context, const StepArgs *args, int thread, const Piece *piece);
void replicas_run(Replicas *replicas, uint64_t step, const StepArgs *args, int thread,
                  const Piece *piece, ReplicaRun *run, void *context);

#endif
