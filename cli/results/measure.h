/* What the machine can do, and what kernels ask of it: the numbers behind `mlc profile`. */
#ifndef MLC_CLI_RESULTS_MEASURE_H
#define MLC_CLI_RESULTS_MEASURE_H

#include "cli/session/build.h"
#include "runtime/threads/threads.h"

/* Measured now. Memory is faster the less of it is used again and again: level i is a working set
 * of MEASURE_LEAST << 2 i bytes a thread. */
enum { MEASURE_LEVELS = 6, MEASURE_LEAST = 16 << 10 };
typedef struct {
    /* f32 operations a second on all threads, a fused multiply-add counted as two */
    double operations;
    double together
        [MEASURE_LEVELS]; /* bytes a second read, or read and written, on all threads; never more at a higher level */
    double alone[MEASURE_LEVELS]; /* on one thread while the others wait */
} Machine;

/* false after reporting an error. */
bool machine_measure(Machine *machine, Threads *threads, const CodegenOptions *options,
                     Diagnostics *diag);

/* The work of one kernel in one step. */
typedef struct {
    /* 2 m n k for a product, one per element for an elementwise op or a reduction */
    double operations;
    /* values read from outside the kernel, each counted once, and values stored */
    double bytes;
} KernelWork;
KernelWork kernel_work(const Plan *plan, const Kernel *kernel);
/* The least time this work takes on `threads` of the machine's `all` threads: the larger of
 * operations and bytes over their rates. Its data may be as near as their size allows. */
double work_bound(KernelWork work, const Machine *machine, uint32_t threads, uint32_t all);

#endif
