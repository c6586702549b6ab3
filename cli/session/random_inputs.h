/* Random inputs from a seed, and the hash of outputs: `mlc run` compares backends with them. */
#ifndef MLC_CLI_SESSION_RANDOM_INPUTS_H
#define MLC_CLI_SESSION_RANDOM_INPUTS_H

#include "cli/session/options.h"
#include "ir/ir.h"

typedef struct {
    /* [symbol count]: a data set of `row_count` rows for a BATCH symbol, the tensor for a VALUE */
    const void **inputs;
    int32_t *rows; /* [batch]: the rows of the current step */
    int64_t batch, row_count;
    int64_t replicas; /* each step is a share of a batch */
    uint64_t seed;
    RunClock clock; /* the scalar inputs of a training graph, such as the step */
} RandomInputs;

/* f32 is uniform on [-1, 1), i32 is 0..9, u8 is 0..255. If a row is a single u8, it is a class
 * 0..9. */
void random_inputs_make(RandomInputs *random, const Graph *graph, int64_t replicas,
                        const Options *options, Arena *arena);
/* Sets the clock to `step`, which is a share of a batch, and chooses its random rows. */
void random_inputs_step(RandomInputs *random, int64_t step);
/* The value of a symbol in the current step: the rows of the batch one after the other. */
const void *random_inputs_gather(const RandomInputs *random, const Symbol *symbol,
                                 const void *input, Arena *arena);

/* hash64 (ir/base/hash.h) of values in row-major order; every NaN counts as 0x7fc00000. */
uint64_t bits_hash(uint64_t hash, DType dtype, const void *data, int64_t count);

#endif
