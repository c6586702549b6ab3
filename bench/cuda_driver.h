/* NVIDIA's driver, opened when it is needed. Nothing of the CUDA toolkit takes part. */
#ifndef MLC_BENCH_CUDA_DRIVER_H
#define MLC_BENCH_CUDA_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What cuDeviceGetAttribute is asked for. */
enum { CUDA_PROCESSORS = 16, CUDA_MAJOR = 75, CUDA_MINOR = 76, CUDA_COOPERATIVE = 95 };

typedef struct {
    void *library;
    char name[128]; /* of the first GPU */
    int device, driver, major, minor, processors;
#define CUDA(name, parameters) int(*name) parameters;
#include "bench/cuda_driver.def"
} Cuda;

/* Opens the driver and its first GPU. The environment variable MLC_CUDA_LIBRARY names another
 * library than libcuda.so.1. false after printing what is missing. */
bool cuda_open(Cuda *cuda);
void cuda_close(Cuda *cuda);
/* Ends the process with status 1 if a call has returned an error. */
void cuda_expect(const Cuda *cuda, int error, const char *call);
#define CUDA_CALL(cuda, function, ...) cuda_expect((cuda), (cuda)->function(__VA_ARGS__), #function)

#endif
