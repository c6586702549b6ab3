/* What the epochs of a training are compared by: said by a model, applied by the runtime. */
#ifndef MLC_IR_DATA_EARLY_STOPPING_H
#define MLC_IR_DATA_EARLY_STOPPING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *metric; /* NULL: the loss */
    bool more;          /* more of it is better, not less */
} Judge;

/* Stop after `patience` epochs in a row that were not better than the best one before them by more than `gain`. */
typedef struct {
    Judge judge;
    uint32_t patience; /* 0: never */
    double gain;
} StopRule;

#endif
