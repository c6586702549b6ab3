/* Counter-based random numbers: Philox 4x32 with 10 rounds (Salmon et al., "Parallel random
 * numbers: as easy as 1, 2, 3", SC'11). A random number is a pure function of (seed, stream,
 * substream, index): there is no generator state to save, so resuming is exact. */
#ifndef MLC_IR_OPS_RANDOM_H
#define MLC_IR_OPS_RANDOM_H

#include "ir/ops/node.h"

void philox_4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* One stream for each purpose: the same seed never gives two of them the same numbers. */
typedef enum {
    STREAM_INIT = 1,
    STREAM_SHUFFLE = 2,
    STREAM_SPLIT = 3,
    STREAM_INPUT = 4,
    STREAM_DROPOUT = 5,
    STREAM_AUGMENT = 6,
    STREAM_SWEEP = 7
} Stream;

/* 32 random bits: number `index` of a substream `sub` of the stream. The substream is, for
 * instance, an epoch or the hash of a state's name. */
uint32_t random_bits(uint64_t seed, Stream stream, uint32_t sub, uint64_t index);
/* Uniform on [0, 1): bits >> 8, times 2^-24. */
float random_unit(uint64_t seed, Stream stream, uint32_t sub, uint64_t index);
/* A permutation of 0..count-1 (Fisher-Yates: index i of the stream decides exchange i, by
 * multiply-shift without rejection, whose bias is below count / 2^32). */
void random_permutation(uint64_t seed, Stream stream, uint32_t sub, uint32_t count, int32_t *order);
/* Fills a state with its initial value, row-major. Element i takes index i of the substream of the
 * state's name. A normal value is the inverse distribution function at (bits + 1/2) * 2^-32,
 * correct to f32 rounding. States that are not f32 can be constant or fitted only. */
void state_initialize(const Symbol *symbol, uint64_t seed, void *data);
/* hash32 (ir/base/hash.h) of a name: the substream of a state. */
uint32_t hash_name(const char *name);

#endif
