/* What the machine can do, and what kernels ask of it: the numbers behind `mlc profile`. */
#ifndef MLC_CLI_MEASURE_H
#define MLC_CLI_MEASURE_H

#include "cli/build.h"
#include "runtime/runtime.h"

/* Measured now, on all threads together. */
typedef struct {
    double operations; /* f32 operations a second, a fused multiply-add counted as two */
    double bytes;      /* bytes a second read from a working set of MEASURE_BYTES a thread */
} Machine;
enum { MEASURE_BYTES = 4 << 20 };

/* false after reporting an error. */
bool machine_measure(Machine *machine, Threads *threads, const CodegenOptions *options, Diagnostics *diag);

/* The work of one kernel in one step. */
typedef struct {
    double operations; /* 2 m n k for a product, one per element for an elementwise op or a reduction */
    double bytes;      /* values read from outside the kernel, each counted once, and values stored */
} Work;
Work kernel_work(const Plan *plan, const Kernel *kernel);
/* The least time this work takes on `threads` of the machine's `all` threads: the larger of operations and bytes over their rates. */
double work_bound(Work work, const Machine *machine, uint32_t threads, uint32_t all);

#endif
