/* The number of rows of each class. */
#ifndef MLC_RUNTIME_DATA_CLASS_COUNTS_H
#define MLC_RUNTIME_DATA_CLASS_COUNTS_H

#include "runtime/data/dataset.h"

typedef struct {
    const SourceField *field;
    bool is_label;
    int64_t classes;              /* the known classes, or else the largest number + 1 */
    int64_t *counts[SPLIT_COUNT]; /* [classes] */
} ClassCounts;

/* Whether a field with one number per row is the same in all rows of a split with several rows. */
bool dataset_all_alike(const Dataset *dataset, const char *field, Split split);

/* The fields that hold classes: text, and fields with one whole number per row that is a known
 * class or the label. */
ClassCounts *class_counts(const Dataset *dataset, const char *label, const char *const *dates,
                          Arena *arena, uint32_t *count);

#endif
