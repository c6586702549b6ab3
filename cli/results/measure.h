/* The measured rates of the machine, and bounds of kernels by them, for `mlc profile`. */
#ifndef MLC_CLI_RESULTS_MEASURE_H
#define MLC_CLI_RESULTS_MEASURE_H

#include "cli/session/build.h"
#include "ir/plan/kernel_work.h"
#include "runtime/threads/threads.h"

/* Rates of the machine. Small working sets stay in a cache, which is faster than memory: level i is
 * a working set of MEASURE_MIN << 2 i bytes per thread. */
enum { MEASURE_LEVELS = 6, MEASURE_MIN = 16 << 10 };
typedef struct {
    /* bytes per second, read or read and written; never more at a higher level */
    double any[MEASURE_LEVELS];
    double reading[MEASURE_LEVELS]; /* the same while nothing is written */
} MemoryRates;
typedef struct {
    PeakRates peak;       /* of all threads */
    MemoryRates together; /* of all threads */
    MemoryRates alone;    /* of one thread while the others wait */
} Machine;

/* false after reporting an error. */
bool machine_measure(Machine *machine, Threads *threads, const CodegenOptions *options,
                     Diagnostics *diag);

/* A lower bound in seconds for the work on `threads` of `all` threads. It is the most of four times:
 *     operations / rate
 *     divisions / rate + square roots / rate
 *     bytes / rate
 *     bytes that are read / rate of reading
 * Divisions and roots are added, as one unit of a core computes both. The data are assumed in the fastest cache that can hold them. */
double work_bound(KernelWork work, const Machine *machine, uint32_t threads, uint32_t all);

#endif
