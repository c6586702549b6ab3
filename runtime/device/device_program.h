/* The code of a program on a device. Internal to runtime/device. */
#ifndef MLC_RUNTIME_DEVICE_DEVICE_PROGRAM_H
#define MLC_RUNTIME_DEVICE_DEVICE_PROGRAM_H

#include "runtime/device/device.h"

typedef struct {
    Device *device;
    Plan *plan;
    Graph *graph;
    size_t *output_offsets;
    void *module, *function; /* handles of the driver */
    unsigned blocks;         /* of the grid; they all run at the same time */
} DeviceCode;

const DeviceCode *device_code(const Program *program);

#endif
