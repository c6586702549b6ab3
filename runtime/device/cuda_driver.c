#include "runtime/device/cuda_driver.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* Finds a function of the library; the pointer to it is at `function`. */
static bool find_function(void *library, const char *name, void *function, Diagnostics *diag) {
    void *found = dlsym(library, name);
    if (!found) {
        diag_error(diag, STATUS_USAGE, (Span){0}, "NVIDIA's driver is too old: it has no %s", name);
        diag_help(diag, "mlc needs a driver for CUDA 11.0, which is version 450, or later");
    }
    memcpy(function, &found, sizeof found);
    return found;
}

bool cuda_driver_open(CudaDriver *driver, Diagnostics *diag) {
    const char *other = getenv("MLC_CUDA_LIBRARY"), *name = other ? other : "libcuda.so.1";
    bool good = true;
    *driver = (CudaDriver){.library = dlopen(name, RTLD_NOW | RTLD_LOCAL)};
    if (!driver->library) {
        diag_error(diag, STATUS_USAGE, (Span){0}, "there is no NVIDIA driver: %s", dlerror());
        diag_help(diag, "install it, or leave --device out: the CPU computes the same bits");
        return false;
    }
#define CUDA(name, parameters)                                                                     \
    good = good && find_function(driver->library, #name, &driver->name, diag);
#include "runtime/device/cuda_driver.def"
    if (!good) cuda_driver_close(driver);
    return good;
}

void cuda_driver_close(CudaDriver *driver) {
    if (driver->library) dlclose(driver->library);
    driver->library = NULL;
}

const char *cuda_error_name(const CudaDriver *driver, int error) {
    const char *name = NULL;
    return driver->cuGetErrorName(error, &name) || !name ? "unknown error" : name;
}
