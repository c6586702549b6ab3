/* Random inputs from a seed, and the hash of outputs. */
#include "cli/session/random_inputs.h"
#include "ir/base/hash.h"

#include <math.h>
#include <string.h>

/* the data set has several batches, so that steps see different rows */
enum { BATCHES = 4, CLASSES = 10 };

static const void *random_tensor(const RandomInputs *random, const Symbol *symbol, int64_t count,
                                 Arena *arena) {
    void *data = arena_alloc(arena, (size_t)count * dtype_bytes(symbol->dtype));
    uint32_t sub = hash_name(symbol->name);
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits = random_bits(random->seed, STREAM_INPUT, sub, (uint64_t)i);
        switch (symbol->dtype) {
        case DTYPE_F32:
            ((float *)data)[i] = 2 * random_unit(random->seed, STREAM_INPUT, sub, (uint64_t)i) - 1;
            break;
        case DTYPE_I32: ((int32_t *)data)[i] = (int32_t)(bits % CLASSES); break;
        case DTYPE_U8:
            ((uint8_t *)data)[i] = (uint8_t)(symbol->shape.rank <= 1 ? bits % CLASSES : bits);
            break;
        case DTYPE_I8: ((uint8_t *)data)[i] = (uint8_t)bits; break;
        default: ((uint8_t *)data)[i] = bits & 1; break;
        }
    }
    return data;
}

static const void *random_symbol(RandomInputs *random, const Symbol *symbol, Arena *arena) {
    int64_t count = shape_elements(symbol->shape);
    /* Scalars such as the step number come from the clock; they are not random. */
    bool scalar = symbol->dtype == DTYPE_I32 && symbol->shape.rank == 0;
    const void *counted = scalar ? run_clock_field(&random->clock, symbol->name) : NULL;
    if (symbol->kind == SYMBOL_BATCH)
        return random_tensor(random, symbol, count / symbol->shape.dim[0] * random->row_count,
                             arena);
    return counted ? counted : random_tensor(random, symbol, count, arena);
}

void random_inputs_make(RandomInputs *random, const Graph *graph, int64_t replicas,
                        const Options *options, Arena *arena) {
    *random = (RandomInputs){.seed = (uint64_t)options->seed,
                             .clock.steps = (int32_t)options->steps,
                             .batch = 1,
                             .replicas = replicas};
    run_clock_seed(&random->clock, random->seed);
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind == SYMBOL_BATCH) random->batch = graph->symbols[i].shape.dim[0];
    random->row_count = BATCHES * random->batch;
    random->rows = ARENA_ARRAY(arena, int32_t, random->batch);
    random->inputs = (const void **)ARENA_ARRAY(arena, void *, graph->symbol_count);
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind != SYMBOL_STATE)
            random->inputs[i] = random_symbol(random, &graph->symbols[i], arena);
}

void random_inputs_step(RandomInputs *random, int64_t step) {
    int64_t batch = step / random->replicas, share = step % random->replicas;
    random->clock.step = random->clock.draw = (int32_t)batch;
    random->clock.row = (int32_t)(share * random->batch);
    /* gradients accumulate over two batches, or the shares of one */
    random->clock.update =
        share + 1 == random->replicas && (random->replicas > 1 || (batch & 1) == 1);
    for (int64_t i = 0; i < random->batch; i++)
        random->rows[i] =
            (int32_t)(random_bits(random->seed, STREAM_SHUFFLE, (uint32_t)step, (uint64_t)i) %
                      (uint64_t)random->row_count);
}

const void *random_inputs_gather(const RandomInputs *random, const Symbol *symbol,
                                 const void *input, Arena *arena) {
    if (symbol->kind != SYMBOL_BATCH) return input;
    size_t row =
        (size_t)(shape_elements(symbol->shape) / symbol->shape.dim[0]) * dtype_bytes(symbol->dtype);
    char *gathered = arena_alloc(arena, row * (size_t)random->batch);
    for (int64_t i = 0; i < random->batch; i++)
        memcpy(gathered + (size_t)i * row, (const char *)input + (size_t)random->rows[i] * row,
               row);
    return gathered;
}

uint64_t bits_hash(uint64_t hash, DType dtype, const void *data, int64_t count) {
    if (dtype != DTYPE_F32) return hash64(hash, data, (size_t)count * dtype_bytes(dtype));
    for (int64_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, (const float *)data + i, sizeof bits);
        if (isnan(((const float *)data)[i])) bits = 0x7fc00000;
        hash = hash64(hash, &bits, sizeof bits);
    }
    return hash;
}
