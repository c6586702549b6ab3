/* A GPU, on which programs run. The results have the bits that a CPU computes (docs/gpu.md).
 *
 * The host's memory stays the home of all states: a run copies those that have changed to the GPU
 * before its first step, and those that the program updates back after its last one. Fields of a
 * data set are copied once, if there is room for them, or else row by row.
 *
 * The driver of a GPU that has once failed cannot be used again in this process. The first error is
 * reported in the diagnostics of the run, and nothing runs from then on. */
#ifndef MLC_RUNTIME_DEVICE_DEVICE_H
#define MLC_RUNTIME_DEVICE_DEVICE_H

#include "ir/data/run_clock.h"
#include "ir/interp/program.h"
#include "runtime/data/dataset.h"

typedef struct Device Device;

/* Opens GPU number `number`, from 0. NULL after a STATUS_USAGE error: there is no driver, no such
 * GPU, or it cannot run the code of mlc; or after a STATUS_FILE error of the driver. */
Device *device_open(int number, Diagnostics *diag);
/* The caller has freed all programs and runs on the device before. NULL is allowed. Errors are
 * ignored: nothing is lost by them. */
void device_close(Device *device);
bool device_failed(const Device *device); /* NULL: false */

typedef struct {
    char name[128]; /* "NVIDIA H100 80GB HBM3" */
    int number, major, minor;
    int driver;         /* the CUDA version of the driver: 1000 * major + 10 * minor */
    int processors;     /* streaming multiprocessors */
    size_t memory;      /* bytes */
    double clock;       /* cycles a second, at most */
    double memory_rate; /* bytes a second */
    size_t cache;       /* bytes of the second-level cache */
    const char *code;   /* what it runs: "sm_75" or "sm_80", as codegen.h has it */
} DeviceFacts;
const DeviceFacts *device_facts(const Device *device);

/* Checks that the states and values of all programs, both in bytes, fit into the free memory of the
 * GPU. Data then leave that much memory free. false after a STATUS_FILE error. */
bool device_fit(Device *device, size_t states, size_t values, Diagnostics *diag);

/* A program of the code that codegen_ptx has made of the plan; takes over plan and graph. It is
 * compiled by the driver. May be called by several threads at once. NULL after reporting an error
 * (STATUS_FILE). */
Program *device_program(Device *device, const char *ptx, Plan *plan, Graph *graph,
                        Diagnostics *diag);

/* -- a program with its memory on the GPU -- */

typedef struct DeviceRun DeviceRun;
/* diag: for errors of all later calls. states: the host's memory of the program's states. versions:
 * a number for each state, which changes whenever this memory changes. Both live longer than the
 * run. */
DeviceRun *device_run_new(const Program *program, void *const *states,
                          const uint64_t *const *versions, Diagnostics *diag);
void device_run_free(DeviceRun *run); /* NULL is allowed */
/* Row 0 of an input of the data set, which does not change during the run. blocks: the rows that
 * are in memory, [ROW_BLOCKS]; NULL: not known, so that the rows of each batch are copied. */
void device_run_data(DeviceRun *run, uint32_t symbol, const void *data, const RowBlock *blocks);
/* A VALUE: a tensor, which may change between two loops, or a field of the clock. */
void device_run_value(DeviceRun *run, uint32_t symbol, const void *data);
void device_run_clock(DeviceRun *run, uint32_t symbol, size_t offset);

/* A training loop calls device_run_begin, then device_run_steps as often as it needs, then
 * device_run_end. false: the device has failed. */
bool device_run_begin(DeviceRun *run);
/* How many of the `left` steps should run next: as many as the GPU does in a fraction of a
 * second. */
int64_t device_run_count(const DeviceRun *run, int64_t left);
/* Runs `count` steps. rows: of all batches, one after the other; clocks: [count]. false: the device
 * has failed. */
bool device_run_steps(DeviceRun *run, const int32_t *rows, const RunClock *clocks, int64_t count);
/* The outputs of step 0, 1, ... of the last call of device_run_steps, valid until the next one. */
const void *device_run_outputs(const DeviceRun *run, int64_t step);
/* Timed code (CodegenOptions) notes that many marks a step. To be called before the steps run. */
void device_run_time(DeviceRun *run, uint32_t marks);
/* What the code has noted in the last call of device_run_steps, [steps][1 + marks][*blocks]
 * (codegen.h, GpuKernel), valid until the next one. */
const uint64_t *device_run_times(const DeviceRun *run, uint32_t *blocks);
/* Copies the states that the program updates to the host's memory; the caller then gives this
 * memory new versions, and device_run_published notes them. false: the device has failed. */
bool device_run_end(DeviceRun *run);
void device_run_published(DeviceRun *run);

#endif
