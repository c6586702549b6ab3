/* Opens a GPU, and gives out its memory. */
#include "runtime/device/device.h"
#include "ir/base/memory.h"
#include "ir/base/number_text.h"
#include "runtime/device/device_memory.h"

#include <stdlib.h>

/* -- errors -- */

static void help_with_error(int error, const DeviceFacts *facts, Diagnostics *diag) {
    if (error == CUDA_NO_MEMORY)
        diag_help(diag, "other programs may have taken the memory of %s; nvidia-smi lists them",
                  facts->name);
    else
        diag_help(diag, "--device cpu computes the same bits");
}

bool device_expect(Device *device, int error, const char *name, Diagnostics *diag) {
    if (!error) return true;
    if (atomic_exchange(&device->failed, true)) return false;
    diag_error(diag, STATUS_FILE, (Span){0}, "GPU %d (%s) has failed: %s: %s (%d)",
               device->facts.number, device->facts.name, name,
               cuda_error_name(&device->driver, error), error);
    help_with_error(error, &device->facts, diag);
    return false;
}

bool device_failed(const Device *device) { return device && atomic_load(&device->failed); }

bool device_use(Device *device, Diagnostics *diag) {
    return DEVICE_CALL(device, diag, cuCtxSetCurrent, device->context);
}

/* -- opening -- */

static bool refuse(Diagnostics *diag, const char *help) {
    diag_help(diag, "%s", help);
    return false;
}

/* Whether the driver can compile PTX 7.0, and knows a GPU of that number. */
static bool check_driver(Device *device, Diagnostics *diag) {
    enum { MIN_DRIVER = 11000 };
    int count = 0, number = device->facts.number;
    int error = device->driver.cuInit(0);
    if (error != CUDA_NO_DEVICE &&
        (!device_expect(device, error, "cuInit", diag) ||
         !DEVICE_CALL(device, diag, cuDriverGetVersion, &device->facts.driver) ||
         !DEVICE_CALL(device, diag, cuDeviceGetCount, &count)))
        return false;
    if (count == 0) {
        diag_error(diag, STATUS_USAGE, (Span){0}, "NVIDIA's driver knows no GPU");
        return refuse(diag, "nvidia-smi lists the GPUs; --device cpu computes the same bits");
    }
    if (device->facts.driver < MIN_DRIVER) {
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "NVIDIA's driver is for CUDA %d.%d; mlc needs 11.0", device->facts.driver / 1000,
                   device->facts.driver % 1000 / 10);
        return refuse(diag, "drivers from version 450 on have it");
    }
    if (number < count) return true;
    diag_error(diag, STATUS_USAGE, (Span){0}, "there is no GPU %d: the driver knows %d", number,
               count);
    diag_help(diag, "they are numbered from 0: cuda:%d is the last one", count - 1);
    return false;
}

static bool ask(Device *device, int which, int *value, Diagnostics *diag) {
    return DEVICE_CALL(device, diag, cuDeviceGetAttribute, value, which, device->handle);
}

static bool learn_facts(Device *device, Diagnostics *diag) {
    DeviceFacts *facts = &device->facts;
    int clock = 0, memory_clock = 0, bits = 0, cache = 0;
    bool good = DEVICE_CALL(device, diag, cuDeviceGet, &device->handle, facts->number) &&
                DEVICE_CALL(device, diag, cuDeviceGetName, facts->name, sizeof facts->name,
                            device->handle) &&
                ask(device, CUDA_MAJOR, &facts->major, diag) &&
                ask(device, CUDA_MINOR, &facts->minor, diag) &&
                ask(device, CUDA_PROCESSORS, &facts->processors, diag) &&
                ask(device, CUDA_CLOCK, &clock, diag) &&
                ask(device, CUDA_MEMORY_CLOCK, &memory_clock, diag) &&
                ask(device, CUDA_MEMORY_BITS, &bits, diag) && ask(device, CUDA_CACHE, &cache, diag);
    facts->clock = clock * 1e3;
    facts->memory_rate = 2e3 * memory_clock * bits / 8;
    facts->cache = cache > 0 ? (size_t)cache : 0;
    facts->code = facts->major < 8 ? "sm_75" : "sm_80";
    return good;
}

static bool check_facts(Device *device, Diagnostics *diag) {
    enum { LEAST = 75 };
    const DeviceFacts *facts = &device->facts;
    int cooperative = 0;
    if (!ask(device, CUDA_COOPERATIVE, &cooperative, diag)) return false;
    if (10 * facts->major + facts->minor >= LEAST && cooperative) return true;
    if (cooperative)
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "GPU %d (%s) has compute capability %d.%d; mlc needs 7.5", facts->number,
                   facts->name, facts->major, facts->minor);
    else
        diag_error(diag, STATUS_USAGE, (Span){0}, "GPU %d (%s) has no cooperative launches",
                   facts->number, facts->name);
    return refuse(diag, "--device cuda:N chooses another GPU; --device cpu computes the same bits");
}

static bool open_device(Device *device, Diagnostics *diag) {
    size_t available = 0;
    return cuda_driver_open(&device->driver, diag) && check_driver(device, diag) &&
           learn_facts(device, diag) && check_facts(device, diag) &&
           DEVICE_CALL(device, diag, cuDevicePrimaryCtxRetain, &device->context, device->handle) &&
           device_use(device, diag) &&
           DEVICE_CALL(device, diag, cuMemGetInfo_v2, &available, &device->facts.memory);
}

Device *device_open(int number, Diagnostics *diag) {
    Device *device = MEMORY_NEW(Device, "a device");
    device->facts = (DeviceFacts){.number = number, .name = "unknown"};
    if (open_device(device, diag)) return device;
    device_close(device);
    return NULL;
}

void device_close(Device *device) {
    if (!device) return;
    if (device->slab.address) device->driver.cuMemFree_v2(device->slab.address);
    if (device->chunk.address) device->driver.cuMemFree_v2(device->chunk.address);
    if (device->context) device->driver.cuDevicePrimaryCtxRelease_v2(device->handle);
    cuda_driver_close(&device->driver);
    free(device);
}

const DeviceFacts *device_facts(const Device *device) { return &device->facts; }

/* -- memory -- */

bool device_fit(Device *device, size_t states, size_t values, Diagnostics *diag) {
    size_t available = 0, all = states + values;
    char texts[4][NUMBER_TEXT];
    if (!device_use(device, diag) ||
        !DEVICE_CALL(device, diag, cuMemGetInfo_v2, &available, &device->facts.memory))
        return false;
    device->kept = all;
    if (all <= available + device->taken) return true;
    diag_error(
        diag, STATUS_FILE, (Span){0},
        "this needs %s of memory on GPU %d (%s), but only %s are free (weights and optimizer state %s, activations %s)",
        text_bytes(texts[0], (int64_t)all), device->facts.number, device->facts.name,
        text_bytes(texts[1], (int64_t)available), text_bytes(texts[2], (int64_t)states),
        text_bytes(texts[3], (int64_t)values));
    diag_help(
        diag,
        "a smaller 'batch' or network needs less; nvidia-smi lists what other programs have taken");
    return false;
}

bool device_has_room(Device *device, size_t bytes, Diagnostics *diag) {
    size_t available = 0;
    if (!DEVICE_CALL(device, diag, cuMemGetInfo_v2, &available, &device->facts.memory))
        return false;
    size_t kept = device->kept > device->taken ? device->kept - device->taken : 0;
    return available >= kept && bytes <= available - kept;
}

bool device_grow(Device *device, DeviceBlock *block, size_t bytes, Diagnostics *diag) {
    if (bytes <= block->bytes) return true;
    if (block->address && !DEVICE_CALL(device, diag, cuMemFree_v2, block->address)) return false;
    device->taken -= block->bytes;
    *block = (DeviceBlock){0};
    if (!DEVICE_CALL(device, diag, cuMemAlloc_v2, &block->address, bytes)) {
        block->address = 0;
        return false;
    }
    block->bytes = bytes;
    device->taken += bytes;
    return true;
}

void device_free_host(Device *device, HostBlock *block) {
    if (block->pinned)
        device->driver.cuMemFreeHost(block->memory);
    else
        free(block->memory);
    *block = (HostBlock){0};
}

bool device_grow_host(Device *device, HostBlock *block, size_t bytes, Diagnostics *diag) {
    void *pinned = NULL;
    if (bytes <= block->bytes) return true;
    device_free_host(device, block);
    int error = device->driver.cuMemHostAlloc(&pinned, bytes, 0);
    if (error != CUDA_NO_MEMORY && !device_expect(device, error, "cuMemHostAlloc", diag))
        return false;
    *block = (HostBlock){.memory = error ? memory_new(bytes, "a launch on the GPU") : pinned,
                         .bytes = bytes,
                         .pinned = !error};
    return true;
}

DeviceCopy *device_find_copy(const Device *device, const void *host, size_t bytes) {
    DeviceCopy *copy = device->copies;
    while (copy && (copy->host != host || copy->bytes != bytes)) copy = copy->next;
    return copy;
}

DeviceCopy *device_copy(Device *device, const void *host, size_t bytes, Diagnostics *diag) {
    DeviceCopy *copy = device_find_copy(device, host, bytes);
    if (!copy) {
        uint64_t address = 0;
        if (!DEVICE_CALL(device, diag, cuMemAlloc_v2, &address, bytes + !bytes)) return NULL;
        copy = MEMORY_NEW(DeviceCopy, "a device");
        *copy = (DeviceCopy){device->copies, host, bytes, address, 0, 0};
        device->copies = copy;
    }
    copy->users++;
    return copy;
}

void device_copy_release(Device *device, DeviceCopy *copy) {
    if (!copy || --copy->users) return;
    DeviceCopy **at = &device->copies;
    while (*at != copy) at = &(*at)->next;
    *at = copy->next;
    device->driver.cuMemFree_v2(copy->address);
    free(copy);
}
