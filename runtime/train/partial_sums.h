/* The binary tree that adds the gradients of the shares of a step (docs/numerics.md): partial sums
 * of consecutive shares that wait for their partners. */
#ifndef MLC_RUNTIME_TRAIN_PARTIAL_SUMS_H
#define MLC_RUNTIME_TRAIN_PARTIAL_SUMS_H

#include "runtime/threads/threads.h"

#include <stddef.h>
#include <stdint.h>

/* The shares first .. first + count - 1 of a step. count is a power of two that divides first. */
typedef struct {
    int64_t first, count;
} ShareBlock;

typedef struct {
    ShareBlock block;
    const float *values; /* in `memory`, or borrowed */
    float *memory;       /* NULL: not needed so far */
} PartialSum;

enum { PARTIAL_SUMS_MAX = 64 };
/* Sums of blocks that lie one after the other. No two of them are partners. */
typedef struct {
    Threads *threads;
    size_t elements;
    PartialSum items[PARTIAL_SUMS_MAX]; /* those from `count` on keep their memory */
    int count;
} PartialSums;

/* Some elements of a sum, from memory of their own. */
typedef struct {
    const float *from;
    size_t at, count;
} SumSegment;

PartialSums partial_sums_new(size_t elements, Threads *threads);
void partial_sums_free(PartialSums *sums);
/* Appends the sum of the next block, and adds partners. */
void partial_sums_push(PartialSums *sums, ShareBlock block, const SumSegment *segments,
                       uint32_t segment_count);
/* Appends a block whose sum is one vector of all elements. It is not copied, so it must stay until
 * it is added to another one or partial_sums_keep is called. */
void partial_sums_borrow(PartialSums *sums, ShareBlock block, const float *values);
/* Copies what is borrowed. */
void partial_sums_keep(PartialSums *sums);
/* Adds up what is left at the end of a step, where the last ones have no partners, into `to`, and
 * empties the sums. */
void partial_sums_finish(PartialSums *sums, float *to);

/* The blocks that are left of the shares first .. end - 1 alone; returns how many. */
int partial_sums_blocks(int64_t first, int64_t end, ShareBlock blocks[PARTIAL_SUMS_MAX]);

#endif
