/* The elements of derived columns (ir/data/derived.h). Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_DERIVE_H
#define MLC_RUNTIME_DATA_DERIVE_H

#include "ir/data/derived.h"
#include "runtime/data/dataset.h"
#include "runtime/data/reader.h"

/* Of one row the element that has no value, and why. */
typedef struct {
    int32_t row;
    const char *field; /* of the source: whose cell is at fault; NULL: the number itself is */
    char finding[320]; /* "is beyond 64 bits"; "": the cell is missing */
} DeriveFault;

/* All elements of all rows, malloc'ed, as derived_dtype says; of CLASSES the numbers that are to
 * become classes, int64_t, WHOLE_MISSING where they are missing. NULL after setting the fault. The
 * fields it reads must be there. */
void *derive_elements(const SourceData *source, const Derived *derived, DeriveFault *fault);
/* What a transform has fitted; NULL: nothing yet. */
const FittedColumn *derive_fitted(const SourceData *source, const char *fit);
/* An element of a field as the file has it, in f64; NaN: missing, or text. */
double derive_stored(const SourceData *source, uint32_t field, int64_t at);
/* Likewise; of text the number of the category, NaN where it has none. */
double derive_value(const SourceData *source, uint32_t field, int64_t at);
/* An element of a row in f64, and whether it is a whole number, with all digits; NaN: it has no
 * value. */
bool derive_number(const SourceData *source, const Derived *derived, int32_t row, int64_t element,
                   int64_t *whole, double *number);
/* The first element of a row of which numbers lose digits as f32; false: none does. As
 * dataset_rounded has it (rounded.c). */
bool derive_rounded(const SourceData *source, const Derived *derived, bool close_only,
                    Rounded *found);
/* All elements of a row in f64, NaN where they have no value. */
void derive_row(const SourceData *source, const Derived *derived, int32_t row, double *to);
/* Whether int() of columns cuts a fraction off in a row; *value: the number. */
bool derive_fraction(const SourceData *source, const Derived *derived, int32_t row, double *value);
/* Whether its series goes as far from a row as the column looks. */
bool derive_has_rows(const SourceData *source, const Derived *derived, int32_t row);
/* Whether a cell that the column reads has no number in *row, which becomes the row of the cell. */
const SourceField *derive_missing(const SourceData *source, const Derived *derived, int32_t *row);

#endif
