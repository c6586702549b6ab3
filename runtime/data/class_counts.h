/* How many rows each class has. */
#ifndef MLC_RUNTIME_DATA_CLASS_COUNTS_H
#define MLC_RUNTIME_DATA_CLASS_COUNTS_H

#include "runtime/data/dataset.h"

typedef struct {
    const SourceField *field;
    bool is_label;
    int64_t classes;              /* those known, or else up to the largest that occurs */
    int64_t *counts[SPLIT_COUNT]; /* [classes] */
} ClassCounts;

/* Whether a field of one number a row is the same in all rows of a split, of which there are
 * several. */
bool dataset_all_alike(const Dataset *dataset, const char *field, Split split);

/* The fields that hold classes: text, and one whole number a row that is known to be a class, or is
 * the label. */
ClassCounts *class_counts(const Dataset *dataset, const char *label, const char *const *dates,
                          Arena *arena, uint32_t *count);

#endif
