/* Writes NPZ archives: ZIP files with an NPY file for each array, not compressed. numpy.load reads
 * them. Private to runtime/. */
#ifndef MLC_RUNTIME_FORMATS_NPZ_WRITE_H
#define MLC_RUNTIME_FORMATS_NPZ_WRITE_H

#include "runtime/formats/named_array.h"

/* The names are those of the files without ".npy". The same arrays give the same bytes: no time is
 * written. The path never holds a partial file. STATUS_FILE errors: it cannot be written, or the
 * arrays exceed what ZIP files can hold (4 GB, 65,535 arrays). `instead` then tells the user what
 * to do. */
bool npz_write(const char *path, const NamedArray *arrays, uint32_t count, const char *instead,
               Diagnostics *diag);

#endif
