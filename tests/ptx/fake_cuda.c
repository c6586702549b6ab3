/* A library in place of NVIDIA's driver, for the tests of bench/cuda.c. Its GPU has two processors
 * and is the interpreter of PTX. Memory of the GPU is memory of the process, full of noise at first.
 * Where memory was filled is known for whole allocations only.
 *
 * The environment variable FAKE_CUDA_FAILS names a function whose call fails. FAKE_CUDA_MAJOR is
 * the compute capability. */
#include "tests/ptx/ptx.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PROCESSORS = 2,
    MOST_ALLOCATIONS = 4096,
    NOISE = 0xcd,
    OUT_OF_MEMORY = 2,
    INVALID = 1,
    LAUNCH_FAILED = 719
};

static struct {
    PtxRange ranges[MOST_ALLOCATIONS];
    uint32_t count;
    PtxCode *code;
    int current; /* a context */
} gpu;

#define CUDA(name, parameters) __attribute__((visibility("default"))) int name parameters;
#include "bench/cuda_driver.def"

static bool fails(const char *function) {
    const char *which = getenv("FAKE_CUDA_FAILS");
    return which && !strcmp(which, function);
}
#define MAY_FAIL()                                                                                 \
    if (fails(__func__)) return INVALID

int cuInit(unsigned flags) {
    (void)flags;
    MAY_FAIL();
    return 0;
}

int cuDriverGetVersion(int *version) {
    MAY_FAIL();
    *version = 12040;
    return 0;
}

int cuDeviceGetCount(int *count) {
    MAY_FAIL();
    *count = getenv("FAKE_CUDA_NO_GPU") ? 0 : 1;
    return 0;
}

int cuDeviceGet(int *device, int number) {
    MAY_FAIL();
    *device = number;
    return 0;
}

int cuDeviceGetName(char *name, int size, int device) {
    (void)device;
    MAY_FAIL();
    snprintf(name, (size_t)size, "an interpreter");
    return 0;
}

int cuDeviceGetAttribute(int *value, int attribute, int device) {
    enum { COUNT = 16, MAJOR = 75, COOPERATIVE = 95 };
    const char *major = getenv("FAKE_CUDA_MAJOR");
    (void)device;
    MAY_FAIL();
    *value = attribute == COUNT         ? PROCESSORS
             : attribute == MAJOR       ? (major ? atoi(major) : 8)
             : attribute == COOPERATIVE ? 1
                                        : 0;
    return 0;
}

int cuDevicePrimaryCtxRetain(void **context, int device) {
    (void)device;
    MAY_FAIL();
    *context = &gpu;
    return 0;
}

int cuDevicePrimaryCtxRelease_v2(int device) {
    (void)device;
    MAY_FAIL();
    if (gpu.count) fprintf(stderr, "fake GPU: %u allocations were not freed\n", gpu.count);
    return gpu.count ? INVALID : 0;
}

int cuCtxSetCurrent(void *context) {
    MAY_FAIL();
    gpu.current = context == &gpu;
    return gpu.current ? 0 : INVALID;
}

int cuCtxSynchronize(void) {
    MAY_FAIL();
    return 0;
}

int cuModuleLoadDataEx(void **module, const void *image, unsigned count, int *options,
                       void **values) {
    char error[PTX_ERROR];
    (void)count, (void)options, (void)values;
    MAY_FAIL();
    gpu.code = gpu.current ? ptx_read(image, error) : NULL;
    if (!gpu.code) fprintf(stderr, "fake GPU: %s\n", error);
    *module = gpu.code;
    return gpu.code ? 0 : INVALID;
}

int cuModuleGetFunction(void **function, void *module, const char *name) {
    MAY_FAIL();
    *function = module;
    return strcmp(name, "step") ? INVALID : 0;
}

int cuModuleUnload(void *module) {
    MAY_FAIL();
    ptx_code_free(module);
    return 0;
}

int cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, void *function, int threads,
                                                size_t shared) {
    (void)function, (void)threads, (void)shared;
    MAY_FAIL();
    *blocks = 1;
    return 0;
}

static PtxRange *allocation(uint64_t address) {
    for (uint32_t i = 0; i < gpu.count; i++) {
        uint64_t first = (uintptr_t)gpu.ranges[i].first;
        if (address >= first && address < first + gpu.ranges[i].bytes) return &gpu.ranges[i];
    }
    return NULL;
}

static bool is_inside(uint64_t address, size_t bytes) {
    const PtxRange *range = allocation(address);
    return range && address + bytes <= (uintptr_t)range->first + range->bytes;
}

int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
    MAY_FAIL();
    void *memory =
        gpu.count < MOST_ALLOCATIONS ? aligned_alloc(256, (bytes + 255) / 256 * 256) : NULL;
    if (!memory) return OUT_OF_MEMORY;
    memset(memory, NOISE, bytes);
    gpu.ranges[gpu.count++] = (PtxRange){memory, bytes, true, false};
    *address = (uintptr_t)memory;
    return 0;
}

int cuMemFree_v2(uint64_t address) {
    PtxRange *range = allocation(address);
    MAY_FAIL();
    if (!range || (uintptr_t)range->first != address) return INVALID;
    free(range->first);
    *range = gpu.ranges[--gpu.count];
    return 0;
}

int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) {
    MAY_FAIL();
    if (bytes && !is_inside(to, bytes)) return INVALID;
    memcpy((void *)(uintptr_t)to, from, bytes);
    if (bytes) allocation(to)->filled = true;
    return 0;
}

int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes) {
    MAY_FAIL();
    if (bytes && !is_inside(from, bytes)) return INVALID;
    memcpy(to, (const void *)(uintptr_t)from, bytes);
    return 0;
}

int cuLaunchCooperativeKernel(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                              unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared,
                              void *stream, void **parameters) {
    char error[PTX_ERROR];
    uint64_t args[4] = {0};
    (void)stream;
    MAY_FAIL();
    if (grid_x > PROCESSORS || grid_y * grid_z * block_y * block_z != 1 || block_x != 256 || shared)
        return INVALID;
    for (int i = 0; i < 4; i++) memcpy(&args[i], parameters[i], i < 3 ? 8 : 4);
    PtxLaunch launch = {grid_x, 1, gpu.ranges, gpu.count};
    if (ptx_run(function, &launch, args, error)) return 0;
    fprintf(stderr, "fake GPU: %s\n", error);
    return LAUNCH_FAILED;
}

int cuGetErrorName(int error, const char **name) {
    *name = error == OUT_OF_MEMORY   ? "CUDA_ERROR_OUT_OF_MEMORY"
            : error == LAUNCH_FAILED ? "CUDA_ERROR_LAUNCH_FAILED"
                                     : "CUDA_ERROR_INVALID_VALUE";
    return 0;
}
