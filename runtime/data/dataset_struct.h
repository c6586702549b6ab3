/* The struct behind a Dataset, for the files that work on it. Private to runtime/data: all others
 * see dataset.h. */
#ifndef MLC_RUNTIME_DATA_DATASET_STRUCT_H
#define MLC_RUNTIME_DATA_DATASET_STRUCT_H

#include "runtime/data/derive.h"
#include "runtime/data/splits.h"

/* A column that is computed when it is first requested: a list of columns, a derived column, or a
 * window of rows. */
typedef struct ComputedColumn ComputedColumn;
struct ComputedColumn {
    ComputedColumn *next;
    SourceField field;
    void *data; /* malloc'ed */
    /* its formula; NULL: a list of columns, or a window of rows */
    const Derived *derived;
};

struct Dataset {
    SourceData source;
    /* the schema of a trained network, whose classes are used; or NULL */
    const SourceSchema *like;
    Splits splits; /* all rows */
    /* rows with complete windows; equal to `splits` without windows */
    Splits complete;
    SeriesRuns runs; /* empty until a model reads windows */
    ComputedColumn *computed;
    double seconds;
    uint32_t shared;       /* the number of owners besides the first */
    char *schema_text;     /* malloc'ed; NULL until it is requested */
    char digest[HASH_HEX]; /* empty until it is requested */
};

/* Whether the data have all of these fields. */
bool dataset_has_fields(const Dataset *dataset, const uint32_t *fields, uint32_t count);
/* Forgets the computed columns, so that they are computed again. */
void dataset_drop_computed(Dataset *dataset);
/* Whether a window has rows besides the row itself. */
static inline bool window_has_others(const SourceRows *rows) {
    return rows->from || rows->to || rows->stride > 1;
}

#endif
