/* How many rows each class has. Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_CLASS_COUNTS_H
#define MLC_RUNTIME_DATA_CLASS_COUNTS_H

#include "runtime/runtime.h"

/* The fields that hold classes: text, and one whole number a row that is known to be a class, or is the label. */
ClassCounts *class_counts(const Dataset *dataset, const char *label, const char *const *dates, Arena *arena, uint32_t *count);

#endif
