/* The elements of derived columns (ir/data/derived.h). Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_DERIVE_H
#define MLC_RUNTIME_DATA_DERIVE_H

#include "ir/data/derived.h"
#include "runtime/data/dataset.h"
#include "runtime/data/numbers.h"
#include "runtime/data/reader.h"

/* An element without a value: its row and the reason. */
typedef struct {
    int32_t row;
    /* the field of the source with the wrong cell; NULL: the computed number is wrong */
    const char *field;
    char finding[FINDING_TEXT]; /* "is beyond 64 bits"; "": the cell is missing */
} DeriveFault;

/* All elements of all rows in the type derived_dtype, malloc'ed. For CLASSES: the int64_t numbers
 * that become classes, WHOLE_MISSING where missing. NULL after setting the fault. The fields that
 * it reads must exist. */
void *derive_elements(const SourceData *source, const Derived *derived, DeriveFault *fault);
/* The numbers of a fitted transform; NULL: not fitted yet. */
const FittedColumn *derive_fitted(const SourceData *source, const char *fit);
/* An element of a field with all digits of the file; NaN: missing, or text. */
ExactNumber derive_stored(const SourceData *source, uint32_t field, int64_t at);
/* The same, but for text the number of its category, NaN without one. */
ExactNumber derive_value(const SourceData *source, uint32_t field, int64_t at);
/* Computes an element; NaN without a value. Returns whether it is a whole number. */
bool derive_number(const SourceData *source, const Derived *derived, int32_t row, int64_t element,
                   ExactNumber *number);
/* Finds the first element of a row whose numbers lose digits as f32 (rounded.c; see
 * dataset_rounded). false: none. */
bool derive_rounded(const SourceData *source, const Derived *derived, bool close_only,
                    Rounded *found);
/* All elements of a row; NaN without a value. */
void derive_row(const SourceData *source, const Derived *derived, int32_t row, ExactNumber *to);
/* Whether int() drops a fraction in a row; *value: the number before. */
bool derive_fraction(const SourceData *source, const Derived *derived, int32_t row, double *value);
/* Whether the series has all rows of the column's window around a row. */
bool derive_has_rows(const SourceData *source, const Derived *derived, int32_t row);
/* The field with a missing cell that the column reads for *row; *row becomes the row of that cell.
 * NULL: none is missing. */
const SourceField *derive_missing(const SourceData *source, const Derived *derived, int32_t *row);

#endif
