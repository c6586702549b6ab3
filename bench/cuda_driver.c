#include "bench/cuda_driver.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void cuda_expect(const Cuda *cuda, int error, const char *call) {
    const char *name = NULL;
    if (!error) return;
    if (cuda->cuGetErrorName(error, &name) || !name) name = "unknown error";
    fprintf(stderr, "bench_cuda: %s: %s (%d)\n", call, name, error);
    exit(1);
}

/* Finds a function of the library; the pointer to it is at `function`. */
static bool find_function(void *library, const char *name, void *function) {
    void *found = dlsym(library, name);
    if (!found) fprintf(stderr, "bench_cuda: the driver has no %s; it may be too old\n", name);
    memcpy(function, &found, sizeof found);
    return found;
}

static bool open_library(Cuda *cuda) {
    const char *other = getenv("MLC_CUDA_LIBRARY"), *name = other ? other : "libcuda.so.1";
    bool good = true;
    cuda->library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!cuda->library) {
        fprintf(stderr, "bench_cuda: no NVIDIA driver: %s\n", dlerror());
        return false;
    }
#define CUDA(name, parameters) good = good && find_function(cuda->library, #name, &cuda->name);
#include "bench/cuda_driver.def"
    return good;
}

static int attribute(const Cuda *cuda, int which) {
    int value = 0;
    CUDA_CALL(cuda, cuDeviceGetAttribute, &value, which, cuda->device);
    return value;
}

/* PTX 7.0 needs the driver of CUDA 11.0. The code is for compute capability 8.0. */
static bool can_run(const Cuda *cuda) {
    enum { LEAST_DRIVER = 11000, LEAST_MAJOR = 8 };
    if (cuda->driver < LEAST_DRIVER)
        fprintf(stderr, "bench_cuda: the driver is for CUDA %d.%d; 11.0 is needed\n",
                cuda->driver / 1000, cuda->driver % 1000 / 10);
    if (cuda->major < LEAST_MAJOR)
        fprintf(stderr, "bench_cuda: %s has compute capability %d.%d; 8.0 is needed\n", cuda->name,
                cuda->major, cuda->minor);
    bool cooperative = attribute(cuda, CUDA_COOPERATIVE);
    if (!cooperative) fprintf(stderr, "bench_cuda: %s has no cooperative launches\n", cuda->name);
    return cuda->driver >= LEAST_DRIVER && cuda->major >= LEAST_MAJOR && cooperative;
}

bool cuda_open(Cuda *cuda) {
    void *context;
    int count = 0;
    *cuda = (Cuda){0};
    if (!open_library(cuda)) return false;
    CUDA_CALL(cuda, cuInit, 0);
    CUDA_CALL(cuda, cuDriverGetVersion, &cuda->driver);
    CUDA_CALL(cuda, cuDeviceGetCount, &count);
    if (count == 0) {
        fprintf(stderr, "bench_cuda: the driver knows no GPU\n");
        return false;
    }
    CUDA_CALL(cuda, cuDeviceGet, &cuda->device, 0);
    CUDA_CALL(cuda, cuDeviceGetName, cuda->name, sizeof cuda->name, cuda->device);
    cuda->major = attribute(cuda, CUDA_MAJOR);
    cuda->minor = attribute(cuda, CUDA_MINOR);
    cuda->processors = attribute(cuda, CUDA_PROCESSORS);
    if (!can_run(cuda)) return false;
    CUDA_CALL(cuda, cuDevicePrimaryCtxRetain, &context, cuda->device);
    CUDA_CALL(cuda, cuCtxSetCurrent, context);
    return true;
}

void cuda_close(Cuda *cuda) {
    CUDA_CALL(cuda, cuDevicePrimaryCtxRelease_v2, cuda->device);
    dlclose(cuda->library);
}
