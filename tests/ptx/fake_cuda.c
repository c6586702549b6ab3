/* A library in place of NVIDIA's driver, for tests of runtime/device. The processors of its GPU are
 * the interpreter of PTX. Memory of the GPU is memory of the process, full of noise at first. Where
 * memory was filled is known for whole allocations only.
 *
 * Environment variables:
 *   FAKE_CUDA_FAILS       NAME or NAME:N: call N (1: the first one) of this function fails
 *   FAKE_CUDA_COUNT       the number of GPUs (1)
 *   FAKE_CUDA_MAJOR       their compute capability (8)
 *   FAKE_CUDA_MINOR       the same, behind the point (0)
 *   FAKE_CUDA_CLOCK       kHz (1590000)
 *   FAKE_CUDA_DRIVER      the CUDA version of the driver (12040)
 *   FAKE_CUDA_MEMORY      the bytes of memory (1 GiB)
 *   FAKE_CUDA_HOST_MEMORY the bytes of the process that can be pinned (1 GiB)
 *   FAKE_CUDA_REPORT      1: the last line of stderr counts the copies of pinned memory, and others
 *   FAKE_CUDA_PROCESSORS  the number of processors (2), of which each runs a block
 *   FAKE_CUDA_QUICK       1: of accesses to memory, only place and alignment are checked
 *   FAKE_CUDA_LAUNCH_MS   how long a launch takes at least (0) */
#include "tests/ptx/ptx.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    MAX_ALLOCATIONS = 4096,
    MAX_PINNED = 64,
    NOISE = 0xcd,
    INVALID = 1,
    OUT_OF_MEMORY = 2,
    LAUNCH_FAILED = 719
};

static struct {
    PtxRange ranges[MAX_ALLOCATIONS];
    uint32_t count;
    size_t bytes; /* of all ranges */
    int calls;    /* of the function that fails */
    uint64_t clock;
    PtxRange pinned[MAX_PINNED];
    size_t pinned_bytes;
    int copies, pinned_copies;
} gpu = {.clock = 1000};
static _Thread_local void *current; /* the context of the thread */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define CUDA(name, parameters) __attribute__((visibility("default"))) int name parameters;
#include "runtime/device/cuda_driver.def"

static long setting(const char *name, long standard) {
    const char *text = getenv(name);
    return text ? atol(text) : standard;
}

static bool fails(const char *function) {
    const char *which = getenv("FAKE_CUDA_FAILS");
    size_t length = strlen(function);
    if (!which || strncmp(which, function, length)) return false;
    if (which[length] != ':') return !which[length];
    pthread_mutex_lock(&lock);
    bool now = ++gpu.calls == atoi(which + length + 1);
    pthread_mutex_unlock(&lock);
    return now;
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
    *version = (int)setting("FAKE_CUDA_DRIVER", 12040);
    return 0;
}

int cuDeviceGetCount(int *count) {
    MAY_FAIL();
    *count = (int)setting("FAKE_CUDA_COUNT", 1);
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
    enum { CLOCK = 13, COUNT = 16, MEMORY_CLOCK = 36, BITS = 37, CACHE = 38 };
    enum { MAJOR = 75, MINOR = 76, COOPERATIVE = 95 };
    (void)device;
    MAY_FAIL();
    *value = attribute == COUNT          ? (int)setting("FAKE_CUDA_PROCESSORS", 2)
             : attribute == MAJOR        ? (int)setting("FAKE_CUDA_MAJOR", 8)
             : attribute == MINOR        ? (int)setting("FAKE_CUDA_MINOR", 0)
             : attribute == CLOCK        ? (int)setting("FAKE_CUDA_CLOCK", 1590000)
             : attribute == MEMORY_CLOCK ? 5001000
             : attribute == BITS         ? 256
             : attribute == CACHE        ? 4 << 20
             : attribute == COOPERATIVE  ? 1
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
    if (setting("FAKE_CUDA_REPORT", 0))
        fprintf(stderr, "fake GPU: %d copies of pinned memory, %d of other memory\n",
                gpu.pinned_copies, gpu.copies - gpu.pinned_copies);
    if (gpu.count || gpu.pinned_bytes)
        fprintf(stderr, "fake GPU: %u allocations and %zu pinned bytes were not freed\n", gpu.count,
                gpu.pinned_bytes);
    return gpu.count || gpu.pinned_bytes ? INVALID : 0;
}

int cuCtxSetCurrent(void *context) {
    MAY_FAIL();
    current = context;
    return context == &gpu ? 0 : INVALID;
}

int cuCtxSynchronize(void) {
    MAY_FAIL();
    return 0;
}

int cuModuleLoadDataEx(void **module, const void *image, unsigned count, int *options,
                       void **values) {
    char error[PTX_ERROR] = "no context";
    PtxCode *code = NULL;
    if (count == 2 && options[0] == 5)
        snprintf(values[0], (uintptr_t)values[1], "ptxas: this is the log\nof two lines\n");
    MAY_FAIL();
    if (current) code = ptx_read(image, error);
    if (!code) fprintf(stderr, "fake GPU: %s\n", error);
    *module = code;
    return code ? 0 : INVALID;
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

static size_t all_memory(void) { return (size_t)setting("FAKE_CUDA_MEMORY", 1L << 30); }

int cuMemGetInfo_v2(size_t *available, size_t *total) {
    MAY_FAIL();
    *total = all_memory();
    *available = *total - gpu.bytes;
    return current ? 0 : INVALID;
}

int cuMemAlloc_v2(uint64_t *address, size_t bytes) {
    MAY_FAIL();
    bool room = gpu.count < MAX_ALLOCATIONS && bytes <= all_memory() - gpu.bytes;
    void *memory = room && current ? aligned_alloc(256, (bytes + 255) / 256 * 256) : NULL;
    if (!memory) return OUT_OF_MEMORY;
    gpu.bytes += bytes;
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
    gpu.bytes -= range->bytes;
    *range = gpu.ranges[--gpu.count];
    return 0;
}

static PtxRange *find_pinned(const void *memory) {
    PtxRange *range = gpu.pinned;
    while (range < gpu.pinned + MAX_PINNED && range->first != memory) range++;
    return range == gpu.pinned + MAX_PINNED ? NULL : range;
}

int cuMemHostAlloc(void **memory, size_t bytes, unsigned flags) {
    MAY_FAIL();
    PtxRange *range = find_pinned(NULL);
    size_t most = (size_t)setting("FAKE_CUDA_HOST_MEMORY", 1L << 30);
    if (!current || flags || !range) return INVALID;
    if (bytes > most - gpu.pinned_bytes) return OUT_OF_MEMORY;
    *memory = malloc(bytes);
    *range = (PtxRange){.first = *memory, .bytes = bytes};
    gpu.pinned_bytes += bytes;
    return 0;
}

int cuMemFreeHost(void *memory) {
    PtxRange *range = find_pinned(memory);
    MAY_FAIL();
    if (!memory || !range) return INVALID;
    gpu.pinned_bytes -= range->bytes;
    *range = (PtxRange){0};
    free(memory);
    return 0;
}

static void count_copy(const void *host) {
    gpu.copies++;
    for (int i = 0; i < MAX_PINNED; i++) {
        uint64_t first = (uintptr_t)gpu.pinned[i].first, at = (uintptr_t)host;
        gpu.pinned_copies += first && at >= first && at < first + gpu.pinned[i].bytes;
    }
}

int cuMemcpyHtoD_v2(uint64_t to, const void *from, size_t bytes) {
    MAY_FAIL();
    if (bytes && !is_inside(to, bytes)) return INVALID;
    count_copy(from);
    memcpy((void *)(uintptr_t)to, from, bytes);
    if (bytes) allocation(to)->filled = true;
    return 0;
}

int cuMemcpyDtoH_v2(void *to, uint64_t from, size_t bytes) {
    MAY_FAIL();
    if (bytes && !is_inside(from, bytes)) return INVALID;
    count_copy(to);
    memcpy(to, (const void *)(uintptr_t)from, bytes);
    return 0;
}

int cuLaunchCooperativeKernel(void *function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                              unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared,
                              void *stream, void **parameters) {
    char error[PTX_ERROR];
    uint64_t args[PTX_ARGUMENTS] = {0};
    (void)stream;
    MAY_FAIL();
    if ((int)grid_x > setting("FAKE_CUDA_PROCESSORS", 2) ||
        grid_y * grid_z * block_y * block_z != 1 || block_x != 256 || shared)
        return INVALID;
    for (int i = 0; i < ptx_parameters(function); i++)
        memcpy(&args[i], parameters[i], i == 3 ? 4 : 8);
    PtxLaunch launch = {.blocks = grid_x,
                        .seed = 1,
                        .ranges = gpu.ranges,
                        .range_count = gpu.count,
                        .quick = setting("FAKE_CUDA_QUICK", 0) != 0,
                        .clock = &gpu.clock};
    long wait = setting("FAKE_CUDA_LAUNCH_MS", 0);
    nanosleep(&(struct timespec){wait / 1000, wait % 1000 * 1000000}, NULL);
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
