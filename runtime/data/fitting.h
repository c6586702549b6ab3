/* Fits a transform of the data to columns of numbers. Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_FITTING_H
#define MLC_RUNTIME_DATA_FITTING_H

#include "runtime/data/dataset.h"
#include "runtime/data/moments.h"

/* The state of a fit. */
typedef struct {
    const Fit *fit;
    int64_t width;       /* columns */
    Moments *moments;    /* [width]: over the elements that are not missing */
    ExactNumber *values; /* [width][rows]: for medians and modes, which sort them; else NULL */
    int64_t rows;
    const Dataset *dataset;
    int64_t *infinite; /* [width]: the first training row whose element is infinite; -1: none */
} Fitting;

/* The rows to which a transform is fitted, in the order in which fitting_add gets them. */
const int32_t *fit_split(const Fit *fit, const Dataset *dataset);

Fitting fitting_new(const Fit *fit, int64_t width, const Dataset *dataset);
void fitting_free(Fitting *fitting);
/* Adds an element of a training row; NaN: missing. */
void fitting_add(Fitting *fitting, int64_t row, int64_t column, ExactNumber value);
/* Writes the result for each column: values, or means and deviations. False after reporting a
 * column without a number. */
bool fitting_finish(const Fitting *fitting, ExactNumber *values, double *spreads,
                    Diagnostics *diag);

#endif
