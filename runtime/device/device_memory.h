/* An open device and its memory. Internal to runtime/device. */
#ifndef MLC_RUNTIME_DEVICE_DEVICE_MEMORY_H
#define MLC_RUNTIME_DEVICE_DEVICE_MEMORY_H

#include "runtime/device/cuda_driver.h"
#include "runtime/device/device.h"

#include <stdatomic.h>

/* A copy of the host's memory, which all runs share that read it. */
typedef struct DeviceCopy DeviceCopy;
struct DeviceCopy {
    DeviceCopy *next;
    const void *host;
    size_t bytes;
    uint64_t address;
    uint64_t version; /* of the host's memory when both were equal; 0: never */
    uint32_t users;
};

/* Memory that grows to the most that a run needs. One run uses it at a time. */
typedef struct {
    uint64_t address;
    size_t bytes;
} DeviceBlock;

struct Device {
    CudaDriver driver;
    int handle; /* the driver's number of the GPU */
    void *context;
    DeviceFacts facts;
    atomic_bool failed; /* programs are made on several threads */
    DeviceCopy *copies;
    DeviceBlock slab, chunk;
    size_t kept, taken; /* bytes that states and values need, and what they have of it */
};

/* Reports an error of the driver in the call `name`; the device is failed. true: there is none. */
bool device_expect(Device *device, int error, const char *name, Diagnostics *diag);
#define DEVICE_CALL(device, diag, function, ...)                                                   \
    device_expect((device), (device)->driver.function(__VA_ARGS__), #function, (diag))

/* What the driver wants of each thread that calls it. */
bool device_use(Device *device, Diagnostics *diag);

/* A copy of `bytes` bytes at `host`, with one more user; not filled if it is new. NULL: the device
 * has failed. */
DeviceCopy *device_copy(Device *device, const void *host, size_t bytes, Diagnostics *diag);
void device_copy_release(Device *device, DeviceCopy *copy); /* NULL is allowed */
/* Whether data of that size fit beside what is kept free. */
bool device_has_room(Device *device, size_t bytes, Diagnostics *diag);
/* Makes a block hold `bytes` bytes; its contents are lost if it grows. */
bool device_grow(Device *device, DeviceBlock *block, size_t bytes, Diagnostics *diag);

#endif
