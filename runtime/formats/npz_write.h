/* Writes NPZ archives: ZIP files with an NPY file for each array, not compressed. numpy.load reads
 * them. Private to runtime/. */
#ifndef MLC_RUNTIME_FORMATS_NPZ_WRITE_H
#define MLC_RUNTIME_FORMATS_NPZ_WRITE_H

#include "ir/graph/graph.h"

typedef struct {
    const char *name; /* without ".npy" */
    DType dtype;
    Shape shape;
    const void *data; /* row-major */
} NpzArray;

/* The same arrays give the same bytes: no time is written. The path never holds a partial file.
 * STATUS_FILE errors: it cannot be written, or the arrays exceed what ZIP files can hold (4 GB,
 * 65,535 arrays). */
bool npz_write(const char *path, const NpzArray *arrays, uint32_t count, Diagnostics *diag);

#endif
