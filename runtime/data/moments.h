/* Mean and spread of values that come one after the other. */
#ifndef MLC_RUNTIME_DATA_MOMENTS_H
#define MLC_RUNTIME_DATA_MOMENTS_H

#include "ir/ops/node.h"

typedef struct {
    int64_t count;
    double mean, square;      /* square: the sum of squared distances from the mean */
    double first, from_first; /* the first value, and how far the mean is from it */
} Moments;

/* Welford's way: one reading, without the loss of accuracy that a sum of squares has. All values
 * are taken as distances from the first one, so that large numbers close to each other, such as
 * times since 1970, keep their digits. */
static inline void moments_add(Moments *moments, double value) {
    if (!moments->count) moments->first = value;
    double from_first = value - moments->first, distance = from_first - moments->from_first;
    moments->from_first += distance / (double)++moments->count;
    moments->square += distance * (from_first - moments->from_first);
    moments->mean = moments->first + moments->from_first;
}

/* The deviation of the values themselves, divided by their number. */
double moments_deviation(const Moments *moments);

/* Puts numbers, none of which is NaN, into ascending order. */
void numbers_sort(double *numbers, int64_t count);

/* An element as a number; NaN where it is missing: text has no category then. */
double element_value(DType dtype, bool is_text, const void *data, int64_t at);

#endif
