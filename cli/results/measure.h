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
    /* f32 operations per second on all threads; a fused multiply-add counts as two */
    double operations;
    /* bytes per second, read or read and written, on all threads; never more at a higher level */
    double together[MEASURE_LEVELS];
    double alone[MEASURE_LEVELS]; /* the same on one thread while the others wait */
} Machine;

/* false after reporting an error. */
bool machine_measure(Machine *machine, Threads *threads, const CodegenOptions *options,
                     Diagnostics *diag);

/* A lower bound in seconds for the work on `threads` of `all` threads: max(operations / rate, bytes
 * / rate). The data are assumed in the fastest cache that can hold them. */
double work_bound(KernelWork work, const Machine *machine, uint32_t threads, uint32_t all);

#endif
