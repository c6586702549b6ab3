/* How the threads share a program's step. A stage is what lies between two joins of the plan. Small kernels of a stage, which
 * are not worth a second thread, are one chunk: they may need each other's values, and it does them in order. So are some rows of all
 * kernels that go in step by rows. Of a kernel that is shared otherwise, every thread owns one range of units, cut into pieces for
 * others to take. */
#include "ir/base/memory.h"
#include "runtime/threads/work.h"

#include <assert.h>
#include <stdlib.h>

enum { OTHER_CHUNKS = 64 }; /* of a thread in a stage, at most: those of small kernels and by rows */

typedef struct {
    const Program *program;
    uint32_t threads;
    Piece *pieces;
    uint32_t *chunks, *owned;
    uint32_t piece_count, chunk_count, owned_count;
} Sharing;

static uint32_t least(uint32_t a, uint32_t b) { return a < b ? a : b; }

/* At most: a kernel by rows may come in as many pieces as another one. */
static uint32_t count_pieces(const Program *program, uint32_t threads) {
    uint32_t count = 0, sharing = 0, pieces = 0, by_rows = 0;
    for (uint32_t k = 0; k < program->kernel_count; k++) {
        const ProgramKernel *kernel = &program->kernels[k];
        count += least(kernel->threads, threads) * kernel->pieces;
        if (!kernel->groups) continue;
        by_rows++;
        if (least(kernel->threads, threads) > sharing) sharing = least(kernel->threads, threads);
        if (kernel->pieces > pieces) pieces = kernel->pieces;
    }
    return count + by_rows * sharing * pieces;
}

static void add_piece(Sharing *s, uint32_t kernel, int64_t first, int64_t last) {
    if (first < last) s->pieces[s->piece_count++] = (Piece){kernel, first, last};
}

static void end_chunk(Sharing *s) {
    if (s->piece_count > s->chunks[s->chunk_count]) s->chunks[++s->chunk_count] = s->piece_count;
}

typedef enum { OWN, SMALL, BY_ROWS, SHARED } Share;

static Share share(const Sharing *s, uint32_t k) {
    const ProgramKernel *kernel = &s->program->kernels[k];
    if (kernel->replicated) return OWN;
    if (s->threads == 1 || kernel->threads == 1) return SMALL;
    return kernel->groups ? BY_ROWS : SHARED;
}

/* One chunk. */
static void add_small(Sharing *s, uint32_t begin, uint32_t end) {
    for (uint32_t k = begin; k < end; k++)
        if (share(s, k) == SMALL) add_piece(s, k, 0, s->program->kernels[k].units);
    end_chunk(s);
}

/* Groups [first, last) of all kernels by rows: a chunk. */
static void add_groups(Sharing *s, uint32_t begin, uint32_t end, int64_t first, int64_t last) {
    for (uint32_t k = begin; k < end; k++) {
        int64_t units = share(s, k) == BY_ROWS ? s->program->kernels[k].units / s->program->kernels[k].groups : 0;
        add_piece(s, k, units * first, units * last);
    }
    end_chunk(s);
}

/* They have as many groups each; those of several chains may be worth different numbers of threads and pieces. */
static ProgramKernel rows_together(const Sharing *s, uint32_t begin, uint32_t end) {
    ProgramKernel all = {0};
    for (uint32_t k = begin; k < end; k++) {
        const ProgramKernel *kernel = &s->program->kernels[k];
        if (share(s, k) != BY_ROWS) continue;
        assert(kernel->units % kernel->groups == 0 && (!all.groups || all.groups == kernel->groups));
        all.groups = kernel->groups;
        if (kernel->threads > all.threads) all.threads = kernel->threads;
        if (kernel->pieces > all.pieces) all.pieces = kernel->pieces;
    }
    assert(all.pieces < OTHER_CHUNKS - 2);
    return all;
}

/* A thread's chunks. */
static void add_rows(Sharing *s, uint32_t begin, uint32_t end, uint32_t thread) {
    ProgramKernel all = rows_together(s, begin, end);
    int64_t sharing = least(all.threads, s->threads), chunks = sharing * all.pieces;
    if (thread >= sharing) return;
    for (int64_t i = (int64_t)thread * all.pieces; i < ((int64_t)thread + 1) * all.pieces; i++)
        add_groups(s, begin, end, all.groups * i / chunks, all.groups * (i + 1) / chunks);
}

/* Where piece i begins: each is half of what is left, so that those which others take, from the end, are short: few pieces, and yet
 * all threads end at about the same time. */
static int64_t cut_at(int64_t first, int64_t last, uint32_t i, uint32_t pieces) {
    return i == pieces ? last : last - ((last - first) >> least(i, 62));
}

static void add_range(Sharing *s, uint32_t k, uint32_t thread, uint32_t together) {
    const ProgramKernel *kernel = &s->program->kernels[k];
    uint32_t sharing = least(kernel->threads, s->threads);
    if (thread >= sharing) return;
    int64_t first = kernel->units * thread / sharing, last = kernel->units * (thread + 1) / sharing;
    for (uint32_t i = 0; i < kernel->pieces; i++) {
        add_piece(s, k, cut_at(first, last, i, kernel->pieces), cut_at(first, last, i + 1, kernel->pieces));
        if (s->piece_count - s->chunks[s->chunk_count] >= together) end_chunk(s);
    }
}

/* Pieces are chunks of their own unless there are too many of them. */
static void add_shared(Sharing *s, uint32_t begin, uint32_t end, uint32_t thread) {
    uint32_t pieces = 0;
    for (uint32_t k = begin; k < end; k++)
        if (share(s, k) == SHARED) pieces += s->program->kernels[k].pieces;
    uint32_t together = pieces / (WORK_MOST_OWNED - OTHER_CHUNKS) + 1;
    for (uint32_t k = begin; k < end; k++)
        if (share(s, k) == SHARED) add_range(s, k, thread, together);
    end_chunk(s);
}

static void add_stage(Sharing *s, uint32_t begin, uint32_t end) {
    add_small(s, begin, end);
    for (uint32_t thread = 0; thread < s->threads; thread++) {
        add_rows(s, begin, end, thread);
        add_shared(s, begin, end, thread);
        s->owned[++s->owned_count] = s->chunk_count;
    }
}

/* A single thread needs no joins. */
static uint32_t stage_end(const Sharing *s, uint32_t begin) {
    uint32_t end = begin + 1;
    while (end < s->program->kernel_count && (s->threads == 1 || !s->program->kernels[end].barrier_before)) end++;
    return end;
}

Work work_of_program(const Program *program, int threads) {
    uint32_t most = count_pieces(program, (uint32_t)threads), kernels = program->kernel_count, stages = 0;
    Sharing s = {.program = program, .threads = (uint32_t)threads};
    s.pieces = memory_new(((size_t)most + 1) * sizeof *s.pieces, "the pieces of the work");
    s.chunks = memory_new(((size_t)most + 2) * sizeof *s.chunks, "the pieces of the work");
    s.owned = memory_new(((size_t)kernels * s.threads + s.threads + 1) * sizeof *s.owned, "the pieces of the work");
    for (uint32_t begin = 0; begin < kernels || stages == 0; begin = stage_end(&s, begin), stages++)
        add_stage(&s, begin, kernels ? stage_end(&s, begin) : 0);
    assert(s.piece_count <= most);
    return (Work){.pieces = s.pieces, .chunks = s.chunks, .owned = s.owned, .stages = stages};
}

void work_free(Work *work) {
    free((void *)(uintptr_t)work->pieces);
    free((void *)(uintptr_t)work->chunks);
    if (work->owned != work->chunks) free((void *)(uintptr_t)work->owned);
    *work = (Work){0};
}
