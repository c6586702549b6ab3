/* Finds equal rows. Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_DUPLICATES_H
#define MLC_RUNTIME_DATA_DUPLICATES_H

#include "runtime/data/dataset.h"

typedef struct {
    /* rows that are equal to an earlier one of their split */
    int64_t repeated[SPLIT_COUNT];
    /* held-out rows that are equal to a training row */
    int64_t trained[SPLIT_COUNT];
    /* the first such row, and the one it is equal to */
    int32_t repeated_pair[SPLIT_COUNT][2], trained_pair[SPLIT_COUNT][2];
} Duplicates;
/* Compares all fields of the source, byte by byte. */
void duplicates_find(const Dataset *dataset, Duplicates *duplicates);

#endif
