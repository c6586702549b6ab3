/* Looking at data, for `mlc data FILE.mdl`: statistics, classes and findings. */
#ifndef MLC_RUNTIME_DATA_INSPECT_H
#define MLC_RUNTIME_DATA_INSPECT_H

#include "runtime/data/class_counts.h"
#include "runtime/data/findings.h"

typedef struct {
    FieldFacts **fields; /* of the source, [field_count] */
    uint32_t field_count;
    ClassCounts *classes; /* of the fields that hold classes */
    uint32_t class_count;
    Findings findings;
} DataFacts;
/* label: the source's field that holds the classes to be fitted, or NULL. dates: of each field the
 * format by which it is read as dates, or NULL; NULL: none is. */
DataFacts *dataset_inspect(const Dataset *dataset, const char *label, const char *const *dates,
                           Arena *arena);

#endif
