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

/* Memory that grows to the largest size that a run needs. One run uses it at a time. */
typedef struct {
    uint64_t address;
    size_t bytes;
} DeviceBlock;

/* Memory of the host that is copied to the GPU and back. It is pinned, so that the driver copies it
 * at once, if there is enough memory that can be pinned; if not, it is usual memory. */
typedef struct {
    char *memory;
    size_t bytes;
    bool pinned;
} HostBlock;

struct Device {
    CudaDriver driver;
    int handle; /* the driver's number of the GPU */
    void *context;
    DeviceFacts facts;
    atomic_bool failed; /* programs are made on several threads */
    DeviceCopy *copies;
    DeviceBlock slab, chunk;
    size_t kept, taken; /* the bytes that states and values need, and those they have so far */
};

/* Reports an error of the driver in the call `name`; the device is failed. true: there is none. */
bool device_expect(Device *device, int error, const char *name, Diagnostics *diag);
#define DEVICE_CALL(device, diag, function, ...)                                                   \
    device_expect((device), (device)->driver.function(__VA_ARGS__), #function, (diag))

/* The driver demands this call of each thread before any other. */
bool device_use(Device *device, Diagnostics *diag);

/* The copy of `bytes` bytes at `host`; NULL: there is none. */
DeviceCopy *device_find_copy(const Device *device, const void *host, size_t bytes);
/* The same with one more user. A new one if there is none: the caller fills it. NULL: the device
 * has failed. */
DeviceCopy *device_copy(Device *device, const void *host, size_t bytes, Diagnostics *diag);
void device_copy_release(Device *device, DeviceCopy *copy); /* NULL is allowed */
/* Whether data of that size leave enough memory for states and values (device_fit). */
bool device_has_room(Device *device, size_t bytes, Diagnostics *diag);
/* Makes a block hold `bytes` bytes; its contents are lost if it grows. */
bool device_grow(Device *device, DeviceBlock *block, size_t bytes, Diagnostics *diag);
/* The same in the host's memory. */
bool device_grow_host(Device *device, HostBlock *block, size_t bytes, Diagnostics *diag);
void device_free_host(Device *device, HostBlock *block);

#endif
