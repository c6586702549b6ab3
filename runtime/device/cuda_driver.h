/* NVIDIA's driver, opened when it is needed. Nothing of the CUDA toolkit takes part. Internal to
 * runtime/device. */
#ifndef MLC_RUNTIME_DEVICE_CUDA_DRIVER_H
#define MLC_RUNTIME_DEVICE_CUDA_DRIVER_H

#include "ir/base/diag.h"

/* Attributes for cuDeviceGetAttribute. */
enum {
    CUDA_CLOCK = 13, /* kHz */
    CUDA_PROCESSORS = 16,
    CUDA_MEMORY_CLOCK = 36, /* kHz; two transfers a cycle */
    CUDA_MEMORY_BITS = 37,  /* of a transfer */
    CUDA_CACHE = 38,
    CUDA_MAJOR = 75,
    CUDA_MINOR = 76,
    CUDA_COOPERATIVE = 95
};
/* Errors whose messages give a help of their own. */
enum { CUDA_NO_MEMORY = 2, CUDA_NO_DEVICE = 100 };
/* Options of cuModuleLoadDataEx: where it writes a text that explains an error, and the room. */
enum { CUDA_ERROR_TEXT = 5, CUDA_ERROR_TEXT_BYTES = 6 };

typedef struct {
    void *library;
#define CUDA(name, parameters) int(*name) parameters;
#include "runtime/device/cuda_driver.def"
} CudaDriver;

/* The environment variable MLC_CUDA_LIBRARY names another library than libcuda.so.1. false after a
 * STATUS_USAGE error: there is no driver, or it is too old. */
bool cuda_driver_open(CudaDriver *driver, Diagnostics *diag);
void cuda_driver_close(CudaDriver *driver);
/* "CUDA_ERROR_OUT_OF_MEMORY", or "unknown error". */
const char *cuda_error_name(const CudaDriver *driver, int error);

#endif
