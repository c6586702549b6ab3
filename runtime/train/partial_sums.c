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
    for (int i = 0; i < PARTIAL_SUMS_MAX; i++) free(sums->items[i].values);
}

static bool are_partners(ShareBlock left, ShareBlock right) {
    return left.count == right.count && left.first + left.count == right.first &&
           left.first / left.count % 2 == 0;
}

/* -- to = from, or to = to + from, on all threads -- */

typedef struct {
    float *to;
    const SumSegment *segments;
    uint32_t segment_count;
    size_t elements;
    bool adds;
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
        if (work->adds)
            for (size_t j = 0; j < high - low; j++) to[j] += from[j];
        else
            memcpy(to, from, (high - low) * sizeof *to);
    }
}

static void add_part(void *context, int thread) {
    const SumWork *work = context;
    size_t threads = (size_t)work->threads, number = (size_t)thread;
    add_range(work, work->elements * number / threads, work->elements * (number + 1) / threads);
}

/* elements below which other threads are not woken */
enum { WAKE_ELEMENTS = 1 << 15 };

static void combine(const PartialSums *sums, float *to, const SumSegment *segments,
                    uint32_t segment_count, bool adds) {
    SumWork work = {to, segments, segment_count, sums->elements, adds, 1};
    if (sums->elements < WAKE_ELEMENTS || threads_count(sums->threads) == 1) {
        add_range(&work, 0, sums->elements);
        return;
    }
    work.threads = threads_count(sums->threads);
    threads_run(sums->threads, add_part, &work);
}

/* -- the tree -- */

/* Adds the last sum to the one before it. */
static void join_last(PartialSums *sums) {
    PartialSum *left = &sums->items[sums->count - 2], *right = &sums->items[sums->count - 1];
    combine(sums, left->values, &(SumSegment){right->values, 0, sums->elements}, 1, true);
    left->block.count += right->block.count;
    sums->count--;
}

void partial_sums_push(PartialSums *sums, ShareBlock block, const SumSegment *segments,
                       uint32_t segment_count) {
    PartialSum *last = sums->count ? &sums->items[sums->count - 1] : NULL;
    bool adds = last && are_partners(last->block, block);
    if (!adds) {
        assert(sums->count < PARTIAL_SUMS_MAX);
        last = &sums->items[sums->count++];
        if (!last->values)
            last->values =
                memory_new(sums->elements * sizeof *last->values, "the sums of gradients");
        last->block = block;
    }
    combine(sums, last->values, segments, segment_count, adds);
    if (adds) last->block.count *= 2;
    while (sums->count > 1 && are_partners(sums->items[sums->count - 2].block, last->block)) {
        join_last(sums);
        last = &sums->items[sums->count - 1];
    }
}

const float *partial_sums_finish(PartialSums *sums) {
    while (sums->count > 1) join_last(sums);
    sums->count = 0;
    return sums->items[0].values;
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
