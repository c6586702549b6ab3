/* What `mlc data FILE.mdl` tells: the rows of a model's data, its fields before and after the data
 * block, what is suspicious. */
#ifndef MLC_CLI_SHOW_DATA_REPORT_H
#define MLC_CLI_SHOW_DATA_REPORT_H

#include "cli/session/session.h"
#include "runtime/data/inspect.h"

/* What a transform has fitted from the training rows. */
typedef struct {
    const char *name; /* "x.standardize.mean" */
    int64_t count;
    const double *values;
} FittedNumbers;

typedef struct {
    Session session;
    const Options *options;
    Diagnostics *diag;
    Split split; /* whose statistics and first rows are shown */
    DataFacts *facts;
    bool *used; /* [facts->field_count]: the model reads that field of the source */
    const char **
        dates; /* [facts->field_count]: the format by which the model reads a column as dates, and as nothing else; or NULL */
    FieldFacts **fields; /* of the data block, [field_count] */
    uint32_t field_count;
    void **first; /* [field_count]: of each of them the rows shown, one after the other */
    FittedNumbers *fitted;
    uint32_t fitted_count;
    const SourceField *picture; /* the source's field of pictures, or NULL */
    int64_t shown;              /* how many rows of the split */
} DataReport;

/* An element of a field as the report shows it: of the source, or of what the data block makes of
 * that in the rows shown. */
typedef struct {
    const char *text; /* of text; NULL: it is a number, or missing */
    double number;    /* NaN: missing */
} ReportElement;
/* field: of the source, in a row of the data... */
ReportElement report_source_element(const DataReport *report, uint32_t field, int32_t row,
                                    int64_t element);
/* ... or of the data block, in one of the rows shown. */
ReportElement report_field_element(const DataReport *report, uint32_t field, int64_t shown,
                                   int64_t element);

/* `report` is all 0 but for `options`, which names the model, `diag` and `split`. The source's
 * fields; false after reporting errors, then there is nothing to tell. */
bool report_source(DataReport *report);
/* What the data block makes of them. Without it, after reporting errors, the source's fields can
 * still be told. */
bool report_fields(DataReport *report);
void report_free(DataReport *report);

#endif
