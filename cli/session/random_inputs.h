/* Inputs random from a seed, and the hash of what came out: what `mlc run` compares backends
 * with. */
#ifndef MLC_CLI_SESSION_RANDOM_INPUTS_H
#define MLC_CLI_SESSION_RANDOM_INPUTS_H

#include "cli/session/options.h"
#include "ir/ir.h"

typedef struct {
    /* [symbol count]: a data set of `row_count` rows for a BATCH symbol, the tensor for a VALUE */
    const void **inputs;
    int32_t *rows; /* [batch]: the batch of the step at hand */
    int64_t batch, row_count;
    uint64_t seed;
    RunClock clock; /* what the scalars of a training graph hold */
} RandomInputs;

/* f32 is uniform on [-1, 1), u8 0..255, but 0..9 (a class) where a row is a scalar; i32 is 0..9. */
void random_inputs_make(RandomInputs *random, const Graph *graph, const Options *options,
                        Arena *arena);
/* Counts `step` on and draws the rows of its batch. */
void random_inputs_step(RandomInputs *random, int64_t step);
/* The value of a symbol in this step: the rows of the batch one after the other. */
const void *random_inputs_gather(const RandomInputs *random, const Symbol *symbol,
                                 const void *input, Arena *arena);

/* hash64 (ir/base/hash.h) of values in row-major order; every NaN counts as 0x7fc00000. */
uint64_t bits_hash(uint64_t hash, DType dtype, const void *data, int64_t count);

#endif
