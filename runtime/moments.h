/* Mean and spread of values that come one after the other. Private to runtime/. */
#ifndef MLC_RUNTIME_MOMENTS_H
#define MLC_RUNTIME_MOMENTS_H

#include "runtime/runtime.h"

/* Welford's way: one reading, without the loss of accuracy that a sum of squares has. */
static inline void moments_add(Moments *moments, double value) {
    double distance = value - moments->mean;
    moments->mean += distance / (double)++moments->count;
    moments->square += distance * (value - moments->mean);
}

/* The deviation of the values themselves, divided by their number. */
double moments_deviation(const Moments *moments);

/* An element as a number; NaN where it is missing: text has no category then. */
double element_value(DType dtype, bool is_text, const void *data, int64_t at);

#endif
