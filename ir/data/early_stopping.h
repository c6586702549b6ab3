/* How the epochs of a training are compared, and when the training stops early. The model gives
 * these rules; the runtime follows them. */
#ifndef MLC_IR_DATA_EARLY_STOPPING_H
#define MLC_IR_DATA_EARLY_STOPPING_H

#include <stdbool.h>
#include <stdint.h>

/* The score of an epoch. */
typedef struct {
    const char *metric;    /* NULL: the loss */
    bool higher_is_better; /* else lower values are better */
} Score;

/* Stop after `patience` epochs in a row that were not better than the best one before them by more
 * than `gain`. */
typedef struct {
    Score score;
    uint32_t patience; /* 0: never */
    double gain;
} StopRule;

#endif
