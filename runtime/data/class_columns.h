/* The columns of classes(...), and the errors for numbers and text that are not a class. Private to
 * runtime/. */
#ifndef MLC_RUNTIME_DATA_CLASS_COLUMNS_H
#define MLC_RUNTIME_DATA_CLASS_COLUMNS_H

#include "runtime/data/derive.h"
#include "runtime/data/splits.h"

/* The codes of all rows, malloc'ed, and their field, still without a name. The classes are those of
 * the training rows, or those of `like`, the field of a trained network. NULL if a number is not a
 * class or the count of names differs; reported if diag is not NULL. */
int32_t *class_column_make(const SourceData *source, const Splits *splits, const SourceField *like,
                           const Derived *derived, SourceField *field, Span span,
                           Diagnostics *diag);

/* Reports element `at` of a field, counted over all rows, which is not below `classes`. */
void report_no_class(const SourceData *source, const Splits *splits, const SourceField *field,
                     const void *data, int64_t at, int64_t classes, Span span, Diagnostics *diag);

#endif
