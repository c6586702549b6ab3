/* Fits transforms of columns to the training rows: medians, means, deviations, most frequent
 * values. Missing elements (NaN, text without a category) are ignored. Sums are in double, in the
 * order of the rows. */
#include "ir/base/memory.h"
#include "runtime/data/fitting.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static int64_t fit_rows(const Fit *fit, const Dataset *dataset) {
    return fit->every_row ? dataset_all_rows(dataset, SPLIT_TRAIN)
                          : dataset_rows(dataset, SPLIT_TRAIN);
}

const int32_t *fit_split(const Fit *fit, const Dataset *dataset) {
    return fit->every_row ? dataset_all_split(dataset, SPLIT_TRAIN)
                          : dataset_split(dataset, SPLIT_TRAIN);
}

Fitting fitting_new(const Fit *fit, int64_t width, const Dataset *dataset) {
    int64_t rows = fit_rows(fit, dataset);
    size_t columns = (size_t)width;
    Fitting fitting = {.fit = fit, .width = width, .rows = rows, .dataset = dataset};
    fitting.infinite =
        memory_new(columns * sizeof *fitting.infinite, "the statistics of the columns");
    for (size_t i = 0; i < columns; i++) fitting.infinite[i] = -1;
    fitting.moments =
        memory_new(columns * sizeof *fitting.moments, "the statistics of the columns");
    if (fit->kind == FIT_MEDIAN || fit->kind == FIT_MODE)
        fitting.values = memory_new(columns * (size_t)rows * sizeof *fitting.values,
                                    "the statistics of the columns");
    return fitting;
}

void fitting_free(Fitting *fitting) {
    free(fitting->moments);
    free(fitting->values);
    free(fitting->infinite);
}

void fitting_add(Fitting *fitting, int64_t row, int64_t column, ExactNumber value) {
    Moments *moments = &fitting->moments[column];
    if (isinf(value.number) && fitting->infinite[column] < 0) fitting->infinite[column] = row;
    if (isnan(value.number)) return;
    moments_add(moments, value);
    if (fitting->values) fitting->values[column * fitting->rows + moments->count - 1] = value;
}

/* -- results -- */

/* The mode: the smallest of the most frequent numbers. */
static ExactNumber mode_of(const ExactNumber *sorted, int64_t count) {
    int64_t begin = 0, most = 0;
    ExactNumber mode = sorted[0];
    for (int64_t i = 1; i <= count; i++) {
        if (i < count && !exact_compare(sorted[i], sorted[begin])) continue;
        if (i - begin > most) most = i - begin, mode = sorted[begin];
        begin = i;
    }
    return mode;
}

static ExactNumber fitted_value(const Fitting *fitting, int64_t column) {
    int64_t count = fitting->moments[column].count;
    if (!fitting->values) return moments_exact_mean(&fitting->moments[column]);
    ExactNumber *values = fitting->values + column * fitting->rows;
    exact_sort(values, count);
    if (fitting->fit->kind != FIT_MEDIAN) return mode_of(values, count);
    /* the median is the middle number, or the mean of the two in the middle */
    ExactNumber low = values[(count - 1) / 2], high = values[count / 2];
    return exact_plus(low, exact_minus(high, low) / 2);
}

/* The population deviation, as in scikit-learn; 1 if all numbers are equal. */
static double deviation(const Fitting *fitting, int64_t column) {
    double spread = moments_deviation(&fitting->moments[column]);
    return spread > 0 ? spread : 1;
}

static bool check_column(const Fitting *fitting, int64_t column, double value, double spread,
                         Diagnostics *diag) {
    if (fitting->moments[column].count && isfinite(value) && isfinite(spread)) return true;
    char place[PLACE_TEXT];
    int64_t infinite = fitting->infinite[column];
    if (infinite >= 0)
        diag_error(diag, STATUS_DATA, fitting->fit->span,
                   "column %" PRId64 " of the input of '%s' is not finite in %s", column,
                   fitting->fit->name,
                   dataset_place_text(fitting->dataset, NULL,
                                      fit_split(fitting->fit, fitting->dataset)[infinite], place));
    else if (fitting->moments[column].count)
        diag_error(diag, STATUS_DATA, fitting->fit->span,
                   "column %" PRId64 " of the input of '%s' has no finite statistics", column,
                   fitting->fit->name);
    else
        diag_error(diag, STATUS_DATA, fitting->fit->span,
                   "column %" PRId64 " of the input of '%s' is missing in all training rows",
                   column, fitting->fit->name);
    diag_help(diag, "columns are counted from 0; `mlc data FILE.mdl` shows what is in them");
    return false;
}

/* f64 has no room for a fitted number beyond 2^53, or for the mean of whole numbers that are so
 * close to each other that f32 shows the rest. Other numbers have no rest. */
bool fitting_finish(const Fitting *fitting, ExactNumber *values, double *spreads,
                    Diagnostics *diag) {
    bool standardize = fitting->fit->kind == FIT_STANDARDIZE, good = true;
    for (int64_t i = 0; i < fitting->width && good; i++) {
        bool any = fitting->moments[i].count > 0;
        values[i] = any ? fitted_value(fitting, i) : exact_of_real(0);
        spreads[i] = any ? deviation(fitting, i) : 0;
        bool close = standardize && !fitting->moments[i].has_fractions &&
                     fabs(values[i].rest) > spreads[i] * 0x1p-26;
        if (!close && !(fabs(values[i].number) >= 0x1p53)) values[i].rest = 0;
        good = check_column(fitting, i, values[i].number, standardize ? spreads[i] : 0, diag);
    }
    return good;
}

/* -- of columns of the source -- */

enum { ROWS_AT_ONCE = 1024 };

static void add_column(Fitting *fitting) {
    const int32_t *rows = fit_split(fitting->fit, fitting->dataset);
    for (int64_t first = 0; first < fitting->rows; first += ROWS_AT_ONCE) {
        int64_t count = fitting->rows - first < ROWS_AT_ONCE ? fitting->rows - first : ROWS_AT_ONCE;
        ExactNumber *numbers =
            dataset_numbers(fitting->dataset, fitting->fit->column, rows + first, count);
        for (int64_t i = 0; numbers && i < count * fitting->width; i++)
            fitting_add(fitting, first + i / fitting->width, i % fitting->width, numbers[i]);
        free(numbers);
    }
}

static bool learn_column(Dataset *dataset, const Fit *fit, Diagnostics *diag) {
    int64_t width = shape_elements(fit->row);
    ExactNumber *values =
        memory_new((size_t)width * sizeof *values, "the statistics of the columns");
    double *spreads = memory_new((size_t)width * sizeof *spreads, "the statistics of the columns");
    Fitting fitting = fitting_new(fit, width, dataset);
    bool good = dataset_derive(dataset, fit->column, fit->span, diag);
    if (good) add_column(&fitting);
    good = good && fitting_finish(&fitting, values, spreads, diag);
    FittedColumn fitted = {fit->name, fit->row, values,
                           fit->kind == FIT_STANDARDIZE ? spreads : NULL};
    if (good) dataset_set_fitted(dataset, &fitted, 1);
    fitting_free(&fitting);
    free(values);
    free(spreads);
    return good;
}

bool dataset_fit(Dataset *dataset, const Fit *fits, uint32_t count, Diagnostics *diag) {
    bool good = true;
    for (uint32_t i = 0; i < count && good; i++)
        good = !fits[i].column || learn_column(dataset, &fits[i], diag);
    return good;
}
