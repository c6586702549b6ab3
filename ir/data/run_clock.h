/* The i32 scalars that a training graph gets in every step: VALUE inputs with these names. */
#ifndef MLC_IR_DATA_RUN_CLOCK_H
#define MLC_IR_DATA_RUN_CLOCK_H

#include <stdint.h>

typedef struct {
    int32_t epoch;       /* from 0 */
    int32_t step, steps; /* updates of the weights so far, and in the whole run */
    int32_t draw;        /* batches so far; each gets other random numbers */
    int32_t row;         /* of the batch, with which this share of it begins */
    /* 1: after this share of a batch the weights change; 0: its gradients are only added up */
    int32_t update;
    int32_t seed_low, seed_high; /* the words of the seed */
} RunClock;

#define INPUT_EPOCH "epoch"
#define INPUT_STEP "step"
#define INPUT_STEPS "steps"
#define INPUT_DRAW "random.draw"
#define INPUT_ROW "random.row"
#define INPUT_UPDATE "accumulate.update"
#define INPUT_SEED_LOW "random.seed_low"
#define INPUT_SEED_HIGH "random.seed_high"

/* The field for the input of that name, or NULL. */
int32_t *run_clock_field(RunClock *clock, const char *name);
void run_clock_seed(RunClock *clock, uint64_t seed);

#endif
