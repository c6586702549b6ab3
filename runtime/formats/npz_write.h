/* Writing NPZ archives: a ZIP file with one NPY file for each array, not packed. numpy.load reads
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

/* The same arrays give the same bytes: no time is written. The file is complete under its name, or
 * not there. STATUS_FILE errors: also more than 4 GB, or 65,535 arrays, for which ZIP files have no
 * room. */
bool npz_write(const char *path, const NpzArray *arrays, uint32_t count, Diagnostics *diag);

#endif
