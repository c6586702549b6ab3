/* Inspects data for `mlc data FILE.mdl`: statistics, classes and findings. */
#ifndef MLC_RUNTIME_DATA_INSPECT_H
#define MLC_RUNTIME_DATA_INSPECT_H

#include "runtime/data/class_counts.h"
#include "runtime/data/findings.h"

typedef struct {
    FieldFacts **fields; /* [field_count]: the fields of the source */
    uint32_t field_count;
    ClassCounts *classes; /* [class_count]: the fields that hold classes */
    uint32_t class_count;
    Findings findings;
} DataFacts;
/* What a model does with the fields of the source. */
typedef struct {
    const char *label; /* the field with the classes to predict, or NULL */
    /* [field]: the date format of a column that is read as dates, or NULL; dates may be NULL */
    const char *const *dates;
    const bool *used; /* [field]: the model reads it; NULL: it reads all */
} FieldUses;
DataFacts *dataset_inspect(const Dataset *dataset, const FieldUses *uses, Arena *arena);

#endif
