/* What `mlc data FILE.mdl` tells: the rows of a model's data, its fields before and after the data block, what is suspicious. */
#ifndef MLC_CLI_DATA_REPORT_H
#define MLC_CLI_DATA_REPORT_H

#include "cli/session.h"

/* What a transform has learnt from the training rows. */
typedef struct {
    const char *name; /* "x.standardize.mean" */
    DType dtype;
    int64_t count;
    const void *values;
} Learnt;

typedef struct {
    Session session;
    const Options *options;
    Diagnostics *diag;
    Split split; /* whose statistics and first rows are shown */
    DataFacts *facts;
    bool *used;          /* [facts->field_count]: the model reads that field of the source */
    FieldFacts **fields; /* of the data block, [field_count] */
    uint32_t field_count;
    void **first; /* [field_count]: of each of them the rows shown, one after the other */
    Learnt *learnt;
    uint32_t learnt_count;
    const SourceField *picture; /* the source's field of pictures, or NULL */
    int64_t shown;              /* how many rows of the split */
} DataReport;

/* An element of a row as a number; NaN where it is missing. */
double report_element(const SourceField *field, const void *rows, int64_t row, int64_t element);

void report_print(const DataReport *report);      /* cli/data_print.c */
void report_print_json(const DataReport *report); /* cli/data_json.c */
/* mlc data FILE.mdl */
Status report_data(const Options *given, Diagnostics *diag);

#endif
