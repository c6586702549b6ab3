/* Work that threads share. Private to runtime/.
 *
 * Work is a sequence of stages; a stage begins when the one before is finished. It consists of chunks, in any order and on any
 * thread; a chunk is a list of pieces, which one thread does in order. Every thread has chunks of its own in a stage, the same
 * ones each time, so that what they touch stays in its core's caches; a thread that has none left takes others', from the end.
 *
 * What the team keeps to, whatever the threads do to each other and the system to them:
 *  - A chunk is done once. Who takes one moves an end of its owner's share, a single 64-bit word that also holds the number
 *    of the stage, with a compare-and-swap. Numbers are never used again (40 bits): a thread that was away for any time
 *    finds that its number is over, and cannot take anything of another stage by mistake.
 *  - A stage is finished when as many chunks are as it has, not when all threads have said so: a thread that is off its core
 *    holds up nobody unless it holds a chunk, and for that case threads offer their core to others while they hold none.
 *  - Whoever finishes the last chunk opens the next stage, alone: it may change what the others read. It does stages of a single
 *    chunk itself, without telling anybody. While it tells the others of a stage, this cannot end, though all of it may be done.
 *  - What is not atomic in the team and in the work is read only by a thread that holds a chunk of the present stage, or that
 *    opens the next one: while that is so, nobody changes it. All that was written in a stage is seen in the next. */
#ifndef MLC_RUNTIME_THREADS_WORK_H
#define MLC_RUNTIME_THREADS_WORK_H

#include "ir/interp/program.h"
#include "runtime/threads/threads.h"

/* A range of what there is to do: some units of a kernel. */
typedef struct {
    uint32_t kernel;
    int64_t first, last;
} Piece;

typedef struct {
    const Piece *pieces;
    const uint32_t *chunks; /* chunk i has pieces chunks[i] .. chunks[i + 1] - 1 */
    /* Thread t of `threads` owns chunks owned[s * threads + t] .. owned[s * threads + t + 1] - 1 of stage s: WORK_MOST_OWNED at most. */
    const uint32_t *owned;
    uint32_t stages;  /* at least one */
    bool no_stealing; /* every thread does its own chunks */
    void (*run)(void *context, int thread, const Piece *piece);
    /* After the last stage, on any thread, but alone: true begins with the first stage again. NULL: no. */
    bool (*again)(void *context);
    void *context;
} Work;
enum { WORK_MOST_OWNED = 2048 };

/* Returns when all is done. `work` was made for as many threads as there are. */
void threads_work(Threads *threads, const Work *work);

/* The work of a program's step (runtime/threads/share.c): pieces, chunks and stages; what is done with them is left to the caller. */
Work work_of_program(const Program *program, int threads);
void work_free(Work *work);

#endif
