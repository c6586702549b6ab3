/* The parts of mlc profile: profile.c times kernels on the threads, profile_device.c on a GPU. */
#ifndef MLC_CLI_COMMANDS_PROFILING_H
#define MLC_CLI_COMMANDS_PROFILING_H

#include "cli/session/build.h"
#include "cli/session/random_inputs.h"
#include "cli/show/trace.h"
#include "runtime/program/run.h"

typedef struct {
    Build build;
    Arena *arena;
    Program *program;
    States *states;
    Threads *threads;
    RandomInputs random;
    Runner *runner;
    int64_t steps, step; /* step: the current one, below steps */
    Timeline timeline;
    GpuKernel *kernels; /* of a GPU, [kernel_count] */
    uint32_t marks;     /* of a step on a GPU */
} Profiling;

/* Names a kernel by its root: "matmul + 12" computes 12 more nodes. */
void profile_name(const Plan *plan, const Kernel *kernel, char *text, size_t size);
/* The lines of the model that the kernel computes, "12,8", beginning with the line of its root. */
void profile_lines(const Profiling *p, const Kernel *kernel, char *text, size_t size);
/* Writes the trace if the command line asks for it. */
Status profile_write_trace(const Profiling *p);

/* Compiles timed code for the device of the build, and takes over the compilation. NULL after
 * reporting errors. */
Program *profile_compile_for_device(Profiling *p, Compilation *compilation,
                                    const CodegenOptions *options);
/* Times the steps on the device, and reports what was found. */
Status profile_device(Profiling *p);

#endif
