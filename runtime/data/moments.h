/* Mean and deviation of a stream of values. */
#ifndef MLC_RUNTIME_DATA_MOMENTS_H
#define MLC_RUNTIME_DATA_MOMENTS_H

#include "ir/ops/node.h"

typedef struct {
    int64_t count;
    double mean, square;      /* square: the sum of squared distances from the mean */
    double first, from_first; /* the first value, and the mean minus it */
} Moments;

/* Welford's method: one pass, without the rounding errors of a sum of squares. It works on
 * differences from the first value, so that large numbers close to each other, such as times since
 * 1970, keep their digits. */
static inline void moments_add(Moments *moments, double value) {
    if (!moments->count) moments->first = value;
    double from_first = value - moments->first, distance = from_first - moments->from_first;
    moments->from_first += distance / (double)++moments->count;
    moments->square += distance * (from_first - moments->from_first);
    moments->mean = moments->first + moments->from_first;
}

/* The standard deviation of the population: sqrt(square / count). */
double moments_deviation(const Moments *moments);

/* Sorts numbers in ascending order; none may be NaN. */
void numbers_sort(double *numbers, int64_t count);

/* An element as a number; NaN if it is missing, or text without a category. */
double element_value(DType dtype, bool is_text, const void *data, int64_t at);

#endif
