/* Work that a team of threads divides among itself.
 *
 * Work is a sequence of stages; a stage begins when the one before is finished. A stage consists of
 * chunks, which any thread may do in any order. A chunk is a list of pieces, which one thread does
 * in order. In every stage each thread owns some chunks, the same ones each time the work is done,
 * so that the data stays in its core's caches. A thread that has none left steals chunks of others,
 * from the end.
 *
 * Invariants, whatever the system does to the threads:
 *  - A chunk is done once. The chunks that a thread has left are described by a single 64-bit word:
 *    the number of the stage, front and back. Taking a chunk is a compare-and-swap of this word.
 *    Numbers of stages have 40 bits and are never used again. So a thread that was off its core for
 *    any time finds that its stage is over, and cannot take a chunk of another stage by mistake.
 *  - A stage is finished when all its chunks are, not when all threads have arrived. A thread that
 *    is off its core delays the others only if it holds a chunk. To make that rare, threads offer
 *    their core to other processes between chunks.
 *  - The thread that finishes the last chunk opens the next stage, alone. It does stages of one
 *    chunk itself, without announcing them. While it announces a stage, the stage cannot end,
 *    although all its chunks may be done.
 *  - Fields of the team and of the work that are not atomic are read only by a thread that holds a
 *    chunk of the current stage, or by the one that opens the next stage. No thread changes them
 *    meanwhile. All writes of a stage are visible in the next one. */
#ifndef MLC_RUNTIME_THREADS_WORK_H
#define MLC_RUNTIME_THREADS_WORK_H

#include "ir/interp/program.h"
#include "runtime/threads/threads.h"

/* Units first .. last - 1 of a kernel. */
typedef struct {
    uint32_t kernel;
    int64_t first, last;
} Piece;

typedef struct {
    const Piece *pieces;
    const uint32_t *chunks; /* chunk i has pieces chunks[i] .. chunks[i + 1] - 1 */
    /* Thread t of `threads` owns chunks owned[s * threads + t] .. owned[s * threads + t + 1] - 1 of
     * stage s, WORK_MAX_OWNED at most. */
    const uint32_t *owned;
    uint32_t stages;  /* at least one */
    bool no_stealing; /* every thread does exactly the chunks that it owns */
    void (*run)(void *context, int thread, const Piece *piece);
    /* Called after the last stage by one thread: true repeats the work from the first stage. NULL:
     * the work is done once. */
    bool (*again)(void *context);
    void *context;
} Work;
enum { WORK_MAX_OWNED = 2048 };

/* Does the work on all threads and returns at its end. The work must have been made for this number
 * of threads. */
void threads_work(Threads *threads, const Work *work);

/* The stages, chunks and pieces of a program's step; the caller sets run, again and context. */
Work work_of_program(const Program *program, int threads);
void work_free(Work *work);

#endif
