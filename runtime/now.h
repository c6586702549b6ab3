/* The time in seconds, for measuring. Private to runtime/. */
#ifndef MLC_RUNTIME_NOW_H
#define MLC_RUNTIME_NOW_H

#include <time.h>

static inline double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

#endif
