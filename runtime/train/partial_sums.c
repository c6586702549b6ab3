/* Partial sums of a binary tree. A block of n shares and the next one are partners if n divides the
 * number of the first block an even number of times: pairs (2i, 2i + 1) on every level. */
#include "runtime/train/partial_sums.h"
#include "ir/base/memory.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

PartialSums partial_sums_new(size_t elements, Threads *threads) {
    return (PartialSums){.threads = threads, .elements = elements};
}

void partial_sums_free(PartialSums *sums) {
    for (int i = 0; i < PARTIAL_SUMS_MAX; i++) free(sums->items[i].memory);
}

static bool are_partners(ShareBlock left, ShareBlock right) {
    return left.count == right.count && left.first + left.count == right.first &&
           left.first / left.count % 2 == 0;
}

/* -- to = from, or to = left + from, on all threads -- */

typedef struct {
    float *to;
    const float *left; /* NULL: nothing is added */
    const SumSegment *segments;
    uint32_t segment_count;
    size_t elements;
    int threads;
} SumWork;

static void add_range(const SumWork *work, size_t first, size_t end) {
    for (uint32_t i = 0; i < work->segment_count; i++) {
        const SumSegment *segment = &work->segments[i];
        size_t low = segment->at > first ? segment->at : first,
               high = segment->at + segment->count < end ? segment->at + segment->count : end;
        if (low >= high) continue;
        float *restrict to = work->to + low;
        const float *restrict from = segment->from + (low - segment->at);
        if (!work->left) {
            memcpy(to, from, (high - low) * sizeof *to);
        } else if (work->left == work->to) {
            for (size_t j = 0; j < high - low; j++) to[j] += from[j];
        } else {
            const float *restrict left = work->left + low;
            for (size_t j = 0; j < high - low; j++) to[j] = left[j] + from[j];
        }
    }
}

static void add_part(void *context, int thread) {
    const SumWork *work = context;
    size_t threads = (size_t)work->threads, number = (size_t)thread;
    add_range(work, work->elements * number / threads, work->elements * (number + 1) / threads);
}

/* elements below which other threads are not woken */
enum { WAKE_ELEMENTS = 1 << 15 };

static void combine(const PartialSums *sums, float *to, const float *left,
                    const SumSegment *segments, uint32_t segment_count) {
    SumWork work = {to, left, segments, segment_count, sums->elements, 1};
    if (sums->elements < WAKE_ELEMENTS || threads_count(sums->threads) == 1) {
        add_range(&work, 0, sums->elements);
        return;
    }
    work.threads = threads_count(sums->threads);
    threads_run(sums->threads, add_part, &work);
}

/* -- the tree -- */

/* Memory of a sum, for its own values. */
static float *memory_of(const PartialSums *sums, PartialSum *sum) {
    if (!sum->memory)
        sum->memory = memory_new(sums->elements * sizeof *sum->memory, "the sums of gradients");
    return sum->memory;
}

/* Adds values to the last sum, into `to`. */
static void add_to_last(PartialSums *sums, float *to, const SumSegment *segments,
                        uint32_t segment_count) {
    PartialSum *last = &sums->items[sums->count - 1];
    combine(sums, to, last->values, segments, segment_count);
    last->values = to;
}

/* Removes the last sum and adds it to the one before it. to: where the result goes; NULL: into its
 * own memory. */
static void join_last(PartialSums *sums, float *to) {
    PartialSum *right = &sums->items[--sums->count], *left = &sums->items[sums->count - 1];
    add_to_last(sums, to ? to : memory_of(sums, left),
                &(SumSegment){right->values, 0, sums->elements}, 1);
    left->block.count += right->block.count;
}

static void join_partners(PartialSums *sums) {
    while (sums->count > 1 &&
           are_partners(sums->items[sums->count - 2].block, sums->items[sums->count - 1].block))
        join_last(sums, NULL);
}

static PartialSum *append(PartialSums *sums, ShareBlock block) {
    assert(sums->count < PARTIAL_SUMS_MAX);
    PartialSum *sum = &sums->items[sums->count++];
    sum->block = block;
    return sum;
}

void partial_sums_push(PartialSums *sums, ShareBlock block, const SumSegment *segments,
                       uint32_t segment_count) {
    PartialSum *last = sums->count ? &sums->items[sums->count - 1] : NULL;
    if (last && are_partners(last->block, block)) {
        add_to_last(sums, memory_of(sums, last), segments, segment_count);
        last->block.count *= 2;
    } else {
        last = append(sums, block);
        last->values = memory_of(sums, last);
        combine(sums, last->memory, NULL, segments, segment_count);
    }
    join_partners(sums);
}

void partial_sums_borrow(PartialSums *sums, ShareBlock block, const float *values) {
    append(sums, block)->values = values;
    join_partners(sums);
}

void partial_sums_keep(PartialSums *sums) {
    for (int i = 0; i < sums->count; i++) {
        PartialSum *sum = &sums->items[i];
        if (sum->values == sum->memory) continue;
        combine(sums, memory_of(sums, sum), NULL, &(SumSegment){sum->values, 0, sums->elements}, 1);
        sum->values = sum->memory;
    }
}

void partial_sums_finish(PartialSums *sums, float *to) {
    while (sums->count > 2) join_last(sums, NULL);
    if (sums->count == 2)
        join_last(sums, to);
    else
        combine(sums, to, NULL, &(SumSegment){sums->items[0].values, 0, sums->elements}, 1);
    sums->count = 0;
}

int partial_sums_blocks(int64_t first, int64_t end, ShareBlock blocks[PARTIAL_SUMS_MAX]) {
    int count = 0;
    while (first < end) {
        int64_t size = 1;
        while (first % (2 * size) == 0 && first + 2 * size <= end) size *= 2;
        blocks[count++] = (ShareBlock){first, size};
        first += size;
    }
    return count;
}
