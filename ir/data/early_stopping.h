/* How the epochs of a training are compared, and when it stops early. A model says so; the runtime
 * does it. */
#ifndef MLC_IR_DATA_EARLY_STOPPING_H
#define MLC_IR_DATA_EARLY_STOPPING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *metric; /* NULL: the loss */
    bool more;          /* the higher, the better */
} Judge;

/* Stop after `patience` epochs in a row that were not better than the best one before them by more
 * than `gain`. */
typedef struct {
    Judge judge;
    uint32_t patience; /* 0: never */
    double gain;
} StopRule;

#endif
