/* A program with its memory on a GPU, and the block of memory that a launch needs. Internal to
 * runtime/device. */
#ifndef MLC_RUNTIME_DEVICE_DEVICE_LAUNCH_H
#define MLC_RUNTIME_DEVICE_DEVICE_LAUNCH_H

#include "runtime/device/device_memory.h"
#include "runtime/device/device_program.h"

typedef struct {
    uint32_t symbol;
    const void *host;
    size_t row_bytes; /* of a VALUE: the bytes of the whole tensor */
    /* of all rows of the data set; NULL: each launch has a copy of the rows that it reads */
    DeviceCopy *copy;
} DeviceInput;

typedef struct {
    uint32_t symbol;
    size_t offset; /* in a RunClock */
} ClockInput;

/* Byte offsets in the block of a launch. */
typedef struct {
    size_t arrivals, states, args, inputs, clocks, rows, values, data, outputs, times, end;
} ChunkParts;

struct DeviceRun {
    const Program *program;
    Device *device;
    Diagnostics *diag;
    void *const *states;
    const uint64_t *const *versions;
    DeviceCopy **copies; /* [state_count] */
    DeviceInput *data, *values;
    ClockInput *clocks;
    uint32_t data_count, value_count, clock_count;
    int64_t batch;
    bool copies_rows; /* data do not fit: the rows of each launch are copied */
    size_t times;     /* clocks that timed code notes in a step; 0: it is not timed */
    double seconds;   /* of a step of the last launch; 0: not known */
    HostBlock chunk;  /* the block of a launch in the host's memory */
    ChunkParts parts; /* of the last launch */
};

/* Where the block of a launch of some steps has its parts. */
ChunkParts launch_parts(const DeviceRun *run, size_t steps);
/* Makes room for the block of some steps in both memories, and fills the host's. rows: of all
 * batches; clocks: [steps]. false: the device has failed. */
bool launch_fill(DeviceRun *run, const int32_t *rows, const RunClock *clocks, size_t steps);

#endif
