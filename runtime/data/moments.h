/* Mean and deviation of a stream of values. */
#ifndef MLC_RUNTIME_DATA_MOMENTS_H
#define MLC_RUNTIME_DATA_MOMENTS_H

#include "ir/ops/node.h"
#include "runtime/data/exact.h"

#include <math.h>

typedef struct {
    int64_t count;
    bool has_fractions;  /* a value is not whole */
    double mean, square; /* square: the sum of squared distances from the mean */
    ExactNumber first;
    double from_first; /* the mean minus the first value */
} Moments;

/* Welford's method: one pass, without the rounding errors of a sum of squares. It works on
 * differences from the first value, so that large numbers close to each other, such as times since
 * 1970, keep their digits. */
static inline void moments_add(Moments *moments, ExactNumber value) {
    if (!moments->count) moments->first = value;
    moments->has_fractions |= value.number != floor(value.number);
    double from_first = exact_minus(value, moments->first),
           distance = from_first - moments->from_first;
    moments->from_first += distance / (double)++moments->count;
    moments->square += distance * (from_first - moments->from_first);
    moments->mean = moments->first.number + moments->from_first;
}

/* The mean as the sum of two f64 numbers. */
ExactNumber moments_exact_mean(const Moments *moments);

/* The standard deviation of the population: sqrt(square / count). */
double moments_deviation(const Moments *moments);

/* An element as a number; NaN if it is missing, or text without a category. */
double element_value(DType dtype, bool is_text, const void *data, int64_t at);

#endif
