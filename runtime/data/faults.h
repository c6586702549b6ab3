/* Cells that have no value where one is needed: errors with the place and the remedies. Private to
 * runtime/. */
#ifndef MLC_RUNTIME_DATA_FAULTS_H
#define MLC_RUNTIME_DATA_FAULTS_H

#include "runtime/data/derive.h"

/* The fault of a column called `name`. */
void report_fault(const SourceData *source, const char *name, const DeriveFault *fault, Span span,
                  Diagnostics *diag);
/* A cell that is missing where it decides a class. */
void report_missing(const SourceData *source, const SourceField *field, int32_t row, Span span,
                    Diagnostics *diag);

#endif
