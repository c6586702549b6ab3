/* IDX files (the format of MNIST): two zero bytes, a type code, the rank, one big-endian 32-bit
 * size per dimension, then the elements; plain or gzip. Private to runtime/. Only bytes (type 0x08)
 * are read. */
#ifndef MLC_RUNTIME_FORMATS_IDX_H
#define MLC_RUNTIME_FORMATS_IDX_H

#include "ir/graph/graph.h"
#include "runtime/formats/file_problem.h"

enum { IDX_MAX_HEADER = 4 + 4 * SHAPE_MAX_RANK };
typedef struct {
    const char *path; /* not owned */
    Shape shape;      /* rows first */
    size_t bytes;     /* of the elements */
    struct Unpacker *unpacker;
} IdxFile;

/* Opens a file and checks its header. After a failure there is nothing to close. */
bool idx_open(IdxFile *file, const char *path, Problem *problem);
/* Reads all elements, exactly file->bytes, and checks that the file ends there. */
bool idx_read(IdxFile *file, void *data, Problem *problem);
void idx_close(IdxFile *file);
bool idx_is_packed(const IdxFile *file);

/* The header of an IDX file of bytes; returns its length. */
size_t idx_header(Shape shape, uint8_t header[IDX_MAX_HEADER]);

#endif
