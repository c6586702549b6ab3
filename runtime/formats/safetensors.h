/* The safetensors format: 8 bytes with the length of a JSON header (little-endian), the header (for
 * every tensor its dtype, shape and place among the data; text pairs under "__metadata__"), the
 * data. Private to runtime/. See https://github.com/huggingface/safetensors#format */
#ifndef MLC_RUNTIME_FORMATS_SAFETENSORS_H
#define MLC_RUNTIME_FORMATS_SAFETENSORS_H

#include "ir/graph/graph.h"

typedef struct {
    const char *key, *value;
} SafePair;

typedef struct {
    const char *name, *dtype; /* the format's name: "F32" */
    Shape shape;
    const void *data;
} SafeTensor;
#define SAFETENSORS_F64 "F64"

/* Writes tensors whose elements follow each other in `data`. A temporary file is written, synced
 * and renamed, so that the path never holds a partial file. */
bool safetensors_write(const char *path, const SafeTensor *tensors, uint32_t count,
                       const void *data, size_t bytes, const SafePair *pairs, uint32_t pair_count,
                       Diagnostics *diag);

/* A file that has been read and checked. */
typedef struct SafeFile SafeFile;
SafeFile *safetensors_read(const char *path, Diagnostics *diag);
void safetensors_free(SafeFile *file);
uint32_t safetensors_count(const SafeFile *file);
const SafeTensor *safetensors_tensor(const SafeFile *file, uint32_t index);
const SafeTensor *safetensors_find(const SafeFile *file, const char *name); /* NULL: none */
/* The tensor of that name in an array of tensors; NULL: none. */
const SafeTensor *safetensors_among(const SafeTensor *tensors, uint32_t count, const char *name);
/* A text of the metadata; NULL: none. */
const char *safetensors_text(const SafeFile *file, const char *key);
const char *safetensors_dtype(DType dtype);
/* Whether dtype and shape are those of the symbol. */
bool safetensors_fits(const SafeTensor *tensor, const Symbol *symbol);
enum { SAFETENSOR_TEXT = 2 * SHAPE_TEXT };
const char *safetensors_tensor_text(const SafeTensor *tensor,
                                    char buffer[SAFETENSOR_TEXT]); /* "F32[64,784]" */

#endif
