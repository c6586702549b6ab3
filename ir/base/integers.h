/* Whole numbers: the smaller, the larger, between two bounds, and divided or rounded upwards. */
#ifndef MLC_IR_BASE_INTEGERS_H
#define MLC_IR_BASE_INTEGERS_H

#include <stdint.h>

static inline int64_t min_i64(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t max_i64(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t clamp_i64(int64_t n, int64_t low, int64_t high) {
    return n < low ? low : n > high ? high : n;
}
/* The quotient of n >= 0 by unit > 0, rounded upwards: divide_up(7, 4) is 2. */
static inline int64_t divide_up(int64_t n, int64_t unit) { return (n + unit - 1) / unit; }
/* The next multiple of unit: round_up(7, 4) is 8. */
static inline int64_t round_up(int64_t n, int64_t unit) { return divide_up(n, unit) * unit; }

#endif
