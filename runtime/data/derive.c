/* Computes derived columns, element by element. */
#include "runtime/data/derive.h"
#include "ir/base/memory.h"
#include "runtime/data/moments.h"
#include "runtime/data/numbers.h"
#include "runtime/data/splits.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const SourceData *source;
    DeriveFault *fault;
    int32_t row;
    int64_t element; /* of the row */
    /* the last parsed date: `date` is that of row `dated_row` */
    const Derived *dated;
    int32_t dated_row;
    Date date;
} ComputedCell;

/* -- elements of the source -- */

static DerivedNumber source_number(const SourceData *source, uint32_t field, int64_t at) {
    const Exact *exact = &source->exact[field];
    if (!exact->elements) {
        switch (source->fields[field].dtype) {
        case DTYPE_F32: return number_real((double)((const float *)source->data[field])[at]);
        case DTYPE_I32: return number_whole(((const int32_t *)source->data[field])[at]);
        default: return number_whole(((const uint8_t *)source->data[field])[at]);
        }
    }
    if (exact->kind == EXACT_REAL) return number_real(((const double *)exact->elements)[at]);
    int64_t whole = ((const int64_t *)exact->elements)[at];
    return whole == WHOLE_MISSING ? number_real((double)NAN) : number_whole(whole);
}

static DerivedNumber column_number(const ComputedCell *place, const Derived *derived) {
    const SourceData *source = place->source;
    if (derived->is_list) return source_number(source, derived->fields[place->element], place->row);
    uint32_t field = derived->fields[0];
    return source_number(source, field,
                         place->row * shape_elements(source->fields[field].row) + place->element);
}

/* -- dates -- */

enum { CELL_TEXT = 400, CELL_SHOWN = 60 };

/* The cell as text; NULL: missing. A date stored as a whole number, such as 20240629, may have lost
 * leading zeros: they are restored if the format has only digits. */
static const char *cell_text(const SourceData *source, uint32_t field, int32_t row,
                             const char *format, char text[CELL_TEXT]) {
    const Exact *exact = &source->exact[field];
    if (exact->kind == EXACT_TEXT) {
        int32_t cell = ((const int32_t *)exact->elements)[row];
        return cell < 0 ? NULL : exact->texts[cell];
    }
    DerivedNumber number = source_number(source, field, row);
    if (number_missing(number)) return NULL;
    if (number.is_whole)
        snprintf(text, CELL_TEXT, "%0*" PRId64, date_format_digits(format), number.whole);
    else
        snprintf(text, CELL_TEXT, "%.17g", number.real);
    return text;
}

static bool no_date(const ComputedCell *place, uint32_t field, const char *cell,
                    const char *problem) {
    place->fault->row = place->row;
    place->fault->field = place->source->fields[field].name;
    snprintf(place->fault->finding, sizeof place->fault->finding, "is '%.*s', which %s", CELL_SHOWN,
             cell, problem);
    return false;
}

/* Parses the date of a row. Its parts are requested one after the other, so the last date is
 * kept. */
static bool date_number(ComputedCell *place, const Derived *derived, DerivedNumber *result) {
    char text[CELL_TEXT], problem[DATE_PROBLEM];
    int64_t element = derived->is_list ? place->element : 0;
    uint32_t field = derived->fields[element];
    if (place->dated != derived || place->dated_row != place->row) {
        const char *cell = cell_text(place->source, field, place->row, derived->format, text);
        if (!cell) return *result = number_real((double)NAN), true;
        if (!date_read(derived->format, cell, &place->date, problem))
            return no_date(place, field, cell, problem);
        place->dated = derived;
        place->dated_row = place->row;
    }
    DatePart part = derived->parts[element];
    *result = number_whole(place->date.parts[part]);
    if (part == DATE_seconds && place->date.nanoseconds)
        *result = number_real((double)place->date.parts[part] + place->date.nanoseconds / 1e9);
    return true;
}

/* -- fitted transforms -- */

const FittedColumn *derive_fitted(const SourceData *source, const char *fit) {
    for (uint32_t i = 0; i < source->fitted_count; i++)
        if (!strcmp(source->fitted[i].name, fit)) return &source->fitted[i];
    return NULL;
}

static bool compute(ComputedCell *place, const Derived *derived, DerivedNumber *result);

/* The row that ahead(..., 1) reads; -1: there is none. */
static int32_t row_ahead(const ComputedCell *place, const Derived *derived) {
    const SeriesRuns *runs = place->source->runs;
    return runs ? runs_row(runs, place->row, derived->whole) : -1;
}

static bool unknown(const ComputedCell *place, const char *fit) {
    place->fault->row = place->row;
    place->fault->field = NULL;
    snprintf(place->fault->finding, sizeof place->fault->finding,
             "needs the fitted values of '%.100s'", fit);
    return false;
}

static bool standardized(ComputedCell *place, const Derived *derived, DerivedNumber *result) {
    const FittedColumn *fitted = derive_fitted(place->source, derived->args[1]->fit);
    DerivedNumber x;
    if (!fitted) return unknown(place, derived->args[1]->fit);
    if (!compute(place, derived->args[0], &x)) return false;
    int64_t column = place->element;
    double distance = exact_minus(number_exact(x), fitted->values[column]);
    *result = number_real(distance / fitted->deviation[column]);
    return true;
}

/* In a column of whole numbers, a fitted number beyond 2^53 is rounded to a whole number. */
static DerivedNumber fitted_number(const ComputedCell *place, const Derived *column,
                                   ExactNumber fitted) {
    int64_t whole;
    if (fabs(fitted.number) >= 0x1p53 && column->kind == DERIVED_COLUMNS) {
        uint32_t field = column->fields[column->is_list ? place->element : 0];
        const Exact *exact = &place->source->exact[field];
        if (exact->elements && exact->kind == EXACT_WHOLE && exact_whole(fitted, &whole))
            return number_whole(whole);
    }
    return number_real(fitted.number);
}

static bool imputed(ComputedCell *place, const Derived *derived, DerivedNumber *result) {
    const Derived *by = derived->args[1];
    const FittedColumn *fitted =
        by->kind == DERIVED_FITTED ? derive_fitted(place->source, by->fit) : NULL;
    if (by->kind == DERIVED_FITTED && !fitted) return unknown(place, by->fit);
    if (!compute(place, derived->args[0], result)) return false;
    if (!number_missing(*result)) return true;
    if (!fitted) return compute(place, by, result);
    return *result = fitted_number(place, derived->args[0], fitted->values[place->element]), true;
}

/* The value in another row of the same series; NaN beyond its ends. */
static bool number_ahead(ComputedCell *place, const Derived *derived, DerivedNumber *result) {
    int32_t row = place->row, other = row_ahead(place, derived);
    if (other < 0) return *result = number_real((double)NAN), true;
    place->row = other;
    bool good = compute(place, derived->args[0], result);
    place->row = row;
    return good;
}

/* floor(a / b) for whole numbers, which may be too large for f64. */
static bool floor_of_quotient(ComputedCell *place, const Derived *quotient, bool *known,
                              DerivedNumber *result) {
    DerivedNumber a, b;
    *known = false;
    if (!compute(place, quotient->args[0], &a) || !compute(place, quotient->args[1], &b))
        return false;
    if (!a.is_whole || !b.is_whole || b.whole == 0 || (a.whole == INT64_MIN && b.whole == -1))
        return true;
    *known = true;
    *result =
        number_whole(a.whole / b.whole - (a.whole % b.whole && (a.whole < 0) != (b.whole < 0)));
    return true;
}

static bool compute(ComputedCell *place, const Derived *derived, DerivedNumber *result) {
    DerivedNumber args[2] = {{0}};
    bool known = false;
    switch (derived->kind) {
    case DERIVED_COLUMNS: return *result = column_number(place, derived), true;
    case DERIVED_DATE: return date_number(place, derived, result);
    case DERIVED_IMPUTE: return imputed(place, derived, result);
    case DERIVED_STANDARDIZE: return standardized(place, derived, result);
    case DERIVED_AHEAD: return number_ahead(place, derived, result);
    case DERIVED_WHOLE: return *result = number_whole(derived->whole), true;
    case DERIVED_REAL: return *result = number_real(derived->real), true;
    default: break;
    }
    if (derived->kind == DERIVED_FLOOR && derived->args[0]->kind == DERIVED_DIV &&
        (!floor_of_quotient(place, derived->args[0], &known, result) || known))
        return known;
    for (int i = 0; i < derived_arity(derived->kind); i++)
        if (!compute(place, derived->args[i], &args[i])) return false;
    place->fault->row = place->row;
    place->fault->field = NULL;
    char *finding = place->fault->finding;
    return derived_arity(derived->kind) == 1
               ? number_single(derived->kind, args[0], result, finding)
               : number_double(derived->kind, args[0], args[1], result, finding);
}

/* -- all rows of a column -- */

static bool fault(const ComputedCell *place, const char *finding, double number) {
    place->fault->row = place->row;
    place->fault->field = NULL;
    snprintf(place->fault->finding, sizeof place->fault->finding, finding, number);
    return false;
}

/* A class is a whole number. */
static bool put_class(const ComputedCell *place, DerivedNumber number, int64_t *to) {
    *to = number.is_whole ? number.whole : WHOLE_MISSING;
    if (number.is_whole || number_missing(number)) return true;
    if (number.real != trunc(number.real))
        return fault(place, "has %.9g: classes are whole numbers", number.real);
    if (fabs(number.real) >= 0x1p63)
        return fault(place, "has %.9g, which is beyond the whole numbers of 64 bits", number.real);
    *to = (int64_t)number.real;
    return true;
}

/* The first column with a missing cell that is not imputed; *row becomes the row of that cell. */
static const SourceField *missing_field(ComputedCell *place, const Derived *derived, int32_t *row) {
    const SourceField *found = NULL;
    char text[CELL_TEXT];
    int32_t here = place->row,
            other = derived->kind == DERIVED_AHEAD ? row_ahead(place, derived) : here;
    uint32_t field = derived->count ? derived->fields[derived->is_list ? place->element : 0] : 0;
    *row = here;
    if ((derived->kind == DERIVED_COLUMNS && number_missing(column_number(place, derived))) ||
        (derived->kind == DERIVED_DATE &&
         !cell_text(place->source, field, here, derived->format, text)))
        return &place->source->fields[field];
    if (derived->kind == DERIVED_IMPUTE || other < 0) return NULL;
    place->row = other;
    for (int i = 0; i < derived_arity(derived->kind) && !found; i++)
        found = missing_field(place, derived->args[i], row);
    place->row = here;
    return found;
}

/* If a cell is missing, that is the fault, whatever the computed number is. */
static bool find_fault(ComputedCell *place, const Derived *derived) {
    int32_t row;
    const SourceField *field = place->fault->field ? NULL : missing_field(place, derived, &row);
    if (field) *place->fault = (DeriveFault){.row = row, .field = field->name};
    return false;
}

static bool has_rows(const SourceData *source, SourceRows looks, int32_t row) {
    if (!looks.from && !looks.to) return true;
    return source->runs && runs_row(source->runs, row, looks.from) >= 0 &&
           runs_row(source->runs, row, looks.to) >= 0;
}

static void put_number(DerivedNumber number, DType dtype, void *to, int64_t at) {
    if (dtype == DTYPE_F32)
        ((float *)to)[at] = number.is_whole ? (float)number.whole : (float)number.real;
    else if (dtype == DTYPE_I32)
        ((int32_t *)to)[at] = (int32_t)number.whole;
    else
        ((uint8_t *)to)[at] = (uint8_t)number.whole;
}

/* A missing whole number becomes -1, which is not a class. */
static bool derive_rows(ComputedCell *place, const Derived *derived, int64_t first, int64_t count,
                        void *to) {
    DType dtype = derived_dtype(derived);
    bool classes = derived->kind == DERIVED_CLASSES;
    int64_t each = shape_elements(derived_row(&place->source->schema, derived));
    SourceRows looks = derived_looks(derived);
    for (int64_t row = first; row < first + count; row++) {
        bool there = has_rows(place->source, looks, (int32_t)row);
        place->row = (int32_t)row;
        for (place->element = 0; place->element < each; place->element++) {
            DerivedNumber number =
                dtype == DTYPE_F32 ? number_real((double)NAN) : number_whole(-(dtype == DTYPE_I32));
            int64_t at = row * each + place->element;
            bool good = !there || compute(place, classes ? derived->args[0] : derived, &number);
            if (good && classes) good = put_class(place, number, (int64_t *)to + at);
            if (!good) return find_fault(place, derived);
            if (!classes) put_number(number, dtype, to, at);
        }
    }
    return true;
}

void *derive_elements(const SourceData *source, const Derived *derived, DeriveFault *at_fault) {
    const SourceSchema *schema = &source->schema;
    ComputedCell place = {.source = source, .fault = at_fault};
    int64_t first = schema->train_rows + schema->valid_rows,
            begin = schema->test_rows ? source->test_begin : first;
    int64_t rows = begin + schema->test_rows;
    int64_t each = shape_elements(derived_row(schema, derived));
    size_t bytes =
        derived->kind == DERIVED_CLASSES ? sizeof(int64_t) : dtype_bytes(derived_dtype(derived));
    void *elements = memory_new((size_t)(rows * each) * bytes, "the columns of the data");
    for (int64_t i = first * each; derived->kind == DERIVED_CLASSES && i < begin * each; i++)
        ((int64_t *)elements)[i] = WHOLE_MISSING;
    if (derive_rows(&place, derived, 0, first, elements) &&
        derive_rows(&place, derived, begin, schema->test_rows, elements))
        return elements;
    free(elements);
    return NULL;
}

ExactNumber derive_stored(const SourceData *source, uint32_t field, int64_t at) {
    return source->exact[field].kind == EXACT_TEXT ? exact_of_real((double)NAN)
                                                   : number_exact(source_number(source, field, at));
}

ExactNumber derive_value(const SourceData *source, uint32_t field, int64_t at) {
    if (source->fields[field].is_text)
        return exact_of_real(element_value(DTYPE_I32, true, source->data[field], at));
    return derive_stored(source, field, at);
}

bool derive_number(const SourceData *source, const Derived *derived, int32_t row, int64_t element,
                   ExactNumber *number) {
    DeriveFault unheard;
    ComputedCell place = {.source = source, .fault = &unheard, .row = row, .element = element};
    DerivedNumber result;
    if (!compute(&place, derived, &result)) result = number_real((double)NAN);
    *number = number_exact(result);
    return result.is_whole;
}

void derive_row(const SourceData *source, const Derived *derived, int32_t row, ExactNumber *to) {
    DeriveFault unheard;
    ComputedCell place = {.source = source, .fault = &unheard, .row = row};
    int64_t each = shape_elements(derived_row(&source->schema, derived));
    for (; place.element < each; place.element++) {
        DerivedNumber number;
        to[place.element] =
            compute(&place, derived, &number) ? number_exact(number) : exact_of_real((double)NAN);
    }
}

bool derive_has_rows(const SourceData *source, const Derived *derived, int32_t row) {
    return has_rows(source, derived_looks(derived), row);
}

const SourceField *derive_missing(const SourceData *source, const Derived *derived, int32_t *row) {
    ComputedCell place = {.source = source, .row = *row};
    int64_t each = shape_elements(derived_row(&source->schema, derived));
    const SourceField *found = NULL;
    for (; place.element < each && !found; place.element++)
        found = missing_field(&place, derived, row);
    return found;
}

bool derive_fraction(const SourceData *source, const Derived *derived, int32_t row, double *value) {
    ComputedCell place = {.source = source, .row = row};
    bool columns = derived->kind == DERIVED_INT && derived->args[0]->kind == DERIVED_COLUMNS,
         cut = false;
    int64_t each = columns ? shape_elements(derived_row(&source->schema, derived)) : 0;
    for (; place.element < each && !cut; place.element++) {
        DerivedNumber number = column_number(&place, derived->args[0]);
        *value = number.real;
        cut = !number.is_whole && number.real != trunc(number.real);
    }
    return cut;
}
