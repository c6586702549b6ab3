/* What every thread computes of a step for itself (ProgramKernel.replicated), into memory of its own. Nobody waits for another thread's
 * copy: a thread makes its own when it comes to the first piece that reads it. Private to runtime/. */
#ifndef MLC_RUNTIME_PROGRAM_REPLICATED_H
#define MLC_RUNTIME_PROGRAM_REPLICATED_H

#include "runtime/threads/work.h"

typedef struct Own Own;

/* NULL: the program has no such kernels. */
Own *own_new(const Program *program, int threads);
void own_free(Own *own); /* NULL is allowed */

/* Does a piece, with args->thread_slab set to the thread's memory, and all own kernels before it if it needs them and the thread has not
 * done them in this step. Steps have different numbers, above 0. `own` may be NULL. */
typedef void OwnRun(void *context, const StepArgs *args, int thread, const Piece *piece);
void own_piece(Own *own, uint64_t step, const StepArgs *args, int thread, const Piece *piece, OwnRun *run, void *context);

#endif
