/* The report of `mlc data FILE.mdl`: the rows of a model's data, the fields before and after the
 * data block, and suspicious findings. */
#ifndef MLC_CLI_SHOW_DATA_REPORT_H
#define MLC_CLI_SHOW_DATA_REPORT_H

#include "cli/session/build.h"
#include "runtime/data/inspect.h"

/* Numbers that a transform has fitted to the training rows. */
typedef struct {
    const char *name; /* "x.standardize.mean" */
    int64_t count;
    const double *values;
} FittedNumbers;

typedef struct {
    Session session;
    const Options *options;
    Diagnostics *diag;
    Split split; /* the split whose statistics and first rows are displayed */
    DataFacts *facts;
    bool *used; /* [facts->field_count]: the model reads that field of the source */
    /* [facts->field_count]: the date format, for a column that is only read as dates; else NULL */
    const char **dates;
    FieldFacts **fields; /* [field_count]: the fields of the data block */
    uint32_t field_count;
    void **first; /* [field_count]: the displayed rows of each field, one after the other */
    FittedNumbers *fitted;
    uint32_t fitted_count;
    const SourceField *picture; /* the field of the source with pictures, or NULL */
    int64_t displayed;          /* how many rows of the split are displayed */
} DataReport;

/* An element of a field, as the report displays it. */
typedef struct {
    const char *text;   /* NULL: a number, or missing text */
    ExactNumber number; /* NaN: missing */
} ReportElement;
/* An element of a field of the source, in row `row` of the data set. */
ReportElement report_source_element(const DataReport *report, uint32_t field, int32_t row,
                                    int64_t element);
/* An element of a field of the data block, in displayed row i. */
ReportElement report_field_element(const DataReport *report, uint32_t field, int64_t i,
                                   int64_t element);

/* Gathers facts about the fields of the source. `report` is 0 except for `options`, which names the
 * model, `diag` and `split`. false after reporting errors; then there is no report. */
bool report_source(DataReport *report);
/* Computes the fields of the data block. false after reporting errors; the fields of the source can
 * still be printed. */
bool report_fields(DataReport *report);
void report_free(DataReport *report);

#endif
