/* The columns that classes(...) makes, and what is told of numbers and texts that are no class.
 * Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_CLASS_COLUMNS_H
#define MLC_RUNTIME_DATA_CLASS_COLUMNS_H

#include "runtime/data/derive.h"
#include "runtime/data/splits.h"

/* The codes of all rows, malloc'ed, and their field, which has no name yet. The classes are those
 * of the training rows, or of `like` if it is not NULL: the field that a network was trained on.
 * NULL where a number is no class, or the names are of another count: that is reported if there is
 * a `diag`. */
int32_t *class_column_make(const SourceData *source, const Splits *splits, const SourceField *like,
                           const Derived *derived, SourceField *field, Span span,
                           Diagnostics *diag);

/* Reports element `at` of a field, counted over all rows, for which there is no column: it has to
 * be below `classes`. */
void report_no_class(const SourceData *source, const Splits *splits, const SourceField *field,
                     const void *data, int64_t at, int64_t classes, Span span, Diagnostics *diag);

#endif
