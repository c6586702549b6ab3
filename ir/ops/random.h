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
/* The largest value of a uniform state: the f32 below the upper end, which is not part of the
 * interval. */
float uniform_largest(Init init);

/* The inverse of the normal distribution function, in double, by the rational approximations of
 * Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics
 * 37 (1988): relative error about 1e-16, for exp(-25) < p < 1 - exp(-25). With q = p - 1/2,
 *     |q| <= MIDDLE:  q * middle(SQUARE - q * q)
 *     otherwise:      sign(q) * tail(sqrt(-ln(min(p, 1 - p))) - ROOT)
 * Code for other machines computes it too (codegen/ship/ship_fresh.c), with the same operations. */
enum { NORMAL_TERMS = 8 };
typedef struct {
    double above[NORMAL_TERMS], below[NORMAL_TERMS]; /* coefficients, from that of x^0 on */
} NormalRatio;
extern const NormalRatio normal_middle, normal_tail;
#define NORMAL_MIDDLE 0.425
#define NORMAL_SQUARE 0.180625
#define NORMAL_ROOT 1.6
#define NORMAL_SQRT_HALF 0x3FE6A09E667F3BCDu /* the bits of sqrt(1/2) */
#define NORMAL_LN_2 0.69314718055994530942

/* hash32 (ir/base/hash.h) of a name: the substream of a state. */
uint32_t hash_name(const char *name);

#endif
