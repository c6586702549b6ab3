/* Errors for cells without a value: the place, the finding and help. Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_FAULTS_H
#define MLC_RUNTIME_DATA_FAULTS_H

#include "runtime/data/derive.h"

/* Reports the fault of a derived column called `name`. */
void report_fault(const SourceData *source, const char *name, const DeriveFault *fault, Span span,
                  Diagnostics *diag);
/* Reports a missing cell of a column that is used as an index or class. */
void report_missing(const SourceData *source, const SourceField *field, int32_t row, Span span,
                    Diagnostics *diag);
/* The same for a column that assigns rows to groups, splits or series: `what`. */
void report_unassigned(const SourceData *source, const char *field, int32_t row, const char *what,
                       Span span, Diagnostics *diag);

#endif
