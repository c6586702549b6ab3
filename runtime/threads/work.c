/* How the kernels of a program's step become stages, chunks and pieces. A stage lies between two
 * barriers of the plan. Its kernels are divided in one of four ways:
 *
 *   REPLICATED  not at all: runtime/program/replicated.h
 *   SMALL       kernels that are not worth a second thread: one chunk of all of them in order,
 *               since they may read each other's values
 *   BY_ROWS     kernels that need no barrier because each thread goes through all of them with its
 *               own rows: a chunk is some groups of rows of all these kernels, in order
 *   DIVIDED     the kernel's units are cut into a range for each thread, and each range into pieces
 *               that others may steal */
#include "ir/base/memory.h"
#include "runtime/threads/work.h"

#include <assert.h>
#include <stdlib.h>

/* a bound on the chunks of SMALL and BY_ROWS kernels that a thread owns in a stage */
enum { OTHER_CHUNKS = 64 };

typedef struct {
    const Program *program;
    uint32_t threads;
    Piece *pieces;
    uint32_t *chunks, *owned;
    uint32_t piece_count, chunk_count, owned_count;
} WorkBuilder;

typedef enum { REPLICATED, SMALL, BY_ROWS, DIVIDED } Division;

static Division division_of(const WorkBuilder *b, uint32_t k) {
    const ProgramKernel *kernel = &b->program->kernels[k];
    if (kernel->replicated) return REPLICATED;
    if (b->threads == 1 || kernel->threads == 1) return SMALL;
    return kernel->groups ? BY_ROWS : DIVIDED;
}

static uint32_t min_u32(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* An upper bound on the number of pieces. A kernel by rows may have as many pieces as any other one
 * of its stage. */
static uint32_t max_pieces(const Program *program, uint32_t threads) {
    uint32_t count = 0, most_threads = 0, most_pieces = 0, by_rows = 0;
    for (uint32_t k = 0; k < program->kernel_count; k++) {
        const ProgramKernel *kernel = &program->kernels[k];
        uint32_t used = min_u32(kernel->threads, threads);
        count += used * kernel->pieces;
        if (!kernel->groups) continue;
        by_rows++;
        if (used > most_threads) most_threads = used;
        if (kernel->pieces > most_pieces) most_pieces = kernel->pieces;
    }
    return count + by_rows * most_threads * most_pieces;
}

static void add_piece(WorkBuilder *b, uint32_t kernel, int64_t first, int64_t last) {
    if (first < last) b->pieces[b->piece_count++] = (Piece){kernel, first, last};
}

static void end_chunk(WorkBuilder *b) {
    if (b->piece_count > b->chunks[b->chunk_count]) b->chunks[++b->chunk_count] = b->piece_count;
}

/* The kernels by rows of a stage have equally many groups of rows. They use the most threads and
 * pieces that any of them is worth.
 *     for each chunk of the thread: for each kernel: the units of the chunk's groups */
static void add_rows(WorkBuilder *b, uint32_t begin, uint32_t end, uint32_t thread) {
    ProgramKernel all = {0};
    for (uint32_t k = begin; k < end; k++) {
        const ProgramKernel *kernel = &b->program->kernels[k];
        if (division_of(b, k) != BY_ROWS) continue;
        assert(kernel->units % kernel->groups == 0 &&
               (!all.groups || all.groups == kernel->groups));
        all.groups = kernel->groups;
        if (kernel->threads > all.threads) all.threads = kernel->threads;
        if (kernel->pieces > all.pieces) all.pieces = kernel->pieces;
    }
    assert(all.pieces < OTHER_CHUNKS - 2);
    int64_t used = min_u32(all.threads, b->threads), chunks = used * all.pieces;
    if (thread >= used) return;
    for (int64_t i = (int64_t)thread * all.pieces; i < ((int64_t)thread + 1) * all.pieces; i++) {
        int64_t first = all.groups * i / chunks, last = all.groups * (i + 1) / chunks;
        for (uint32_t k = begin; k < end; k++) {
            if (division_of(b, k) != BY_ROWS) continue;
            int64_t units = b->program->kernels[k].units / all.groups;
            add_piece(b, k, units * first, units * last);
        }
        end_chunk(b);
    }
}

/* Where piece i of a range begins: each piece is half of what is left. Others steal from the end,
 * where pieces are short, so that few pieces suffice and yet all threads end at about the same
 * time. */
static int64_t piece_begin(int64_t first, int64_t last, uint32_t i, uint32_t pieces) {
    return i == pieces ? last : last - ((last - first) >> min_u32(i, 62));
}

/* The thread's range of every divided kernel. Every piece is a chunk of its own unless there are
 * too many. */
static void add_divided(WorkBuilder *b, uint32_t begin, uint32_t end, uint32_t thread) {
    uint32_t pieces = 0;
    for (uint32_t k = begin; k < end; k++)
        if (division_of(b, k) == DIVIDED) pieces += b->program->kernels[k].pieces;
    uint32_t in_chunk = pieces / (WORK_MAX_OWNED - OTHER_CHUNKS) + 1;
    for (uint32_t k = begin; k < end; k++) {
        const ProgramKernel *kernel = &b->program->kernels[k];
        uint32_t used = min_u32(kernel->threads, b->threads);
        if (division_of(b, k) != DIVIDED || thread >= used) continue;
        int64_t first = kernel->units * thread / used, last = kernel->units * (thread + 1) / used;
        for (uint32_t i = 0; i < kernel->pieces; i++) {
            add_piece(b, k, piece_begin(first, last, i, kernel->pieces),
                      piece_begin(first, last, i + 1, kernel->pieces));
            if (b->piece_count - b->chunks[b->chunk_count] >= in_chunk) end_chunk(b);
        }
    }
    end_chunk(b);
}

/* The chunks of a stage: first that of the small kernels, which thread 0 owns, then those of each
 * thread. */
static void add_stage(WorkBuilder *b, uint32_t begin, uint32_t end) {
    for (uint32_t k = begin; k < end; k++)
        if (division_of(b, k) == SMALL) add_piece(b, k, 0, b->program->kernels[k].units);
    end_chunk(b);
    for (uint32_t thread = 0; thread < b->threads; thread++) {
        add_rows(b, begin, end, thread);
        add_divided(b, begin, end, thread);
        b->owned[++b->owned_count] = b->chunk_count;
    }
}

/* The first kernel after the stage: the next one with a barrier before it. A single thread needs no
 * barriers. */
static uint32_t stage_end(const WorkBuilder *b, uint32_t begin) {
    uint32_t end = begin + 1;
    while (end < b->program->kernel_count &&
           (b->threads == 1 || !b->program->kernels[end].barrier_before))
        end++;
    return end;
}

Work work_of_program(const Program *program, int threads) {
    uint32_t most = max_pieces(program, (uint32_t)threads), kernels = program->kernel_count,
             stages = 0;
    WorkBuilder b = {.program = program, .threads = (uint32_t)threads};
    b.pieces = memory_new(((size_t)most + 1) * sizeof *b.pieces, "the pieces of the work");
    b.chunks = memory_new(((size_t)most + 2) * sizeof *b.chunks, "the pieces of the work");
    b.owned = memory_new(((size_t)kernels * b.threads + b.threads + 1) * sizeof *b.owned,
                         "the pieces of the work");
    for (uint32_t begin = 0; begin < kernels || stages == 0; begin = stage_end(&b, begin), stages++)
        add_stage(&b, begin, kernels ? stage_end(&b, begin) : 0);
    assert(b.piece_count <= most);
    return (Work){.pieces = b.pieces, .chunks = b.chunks, .owned = b.owned, .stages = stages};
}

void work_free(Work *work) {
    free((void *)(uintptr_t)work->pieces);
    free((void *)(uintptr_t)work->chunks);
    if (work->owned != work->chunks) free((void *)(uintptr_t)work->owned);
    *work = (Work){0};
}
