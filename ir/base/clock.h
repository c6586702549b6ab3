/* A monotonic clock, for measuring durations. */
#ifndef MLC_IR_BASE_CLOCK_H
#define MLC_IR_BASE_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t nanoseconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline double seconds_now(void) { return 1e-9 * (double)nanoseconds_now(); }

#endif
