/* The state of reading an ONNX file, for the files that read its messages. Private to onnx/in: all
 * others see model.h. */
#ifndef MLC_ONNX_IN_READING_H
#define MLC_ONNX_IN_READING_H

#include "onnx/in/model.h"
#include "onnx/wire/reader.h"

typedef struct {
    OnnxModel *model;
    Arena *arena;
    Diagnostics *diag;
    bool failed;
} Reading;

/* Reports that the file is damaged, once; returns false. */
bool reading_fail(Reading *reading, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Whether the fields of a message were valid; called after they have been read. */
bool reading_check(Reading *reading, const WireReader *at, const char *what);
/* The text of a field. A number in its place is reported as damage. */
const char *reading_text(WireReader *at, const WireField *field, Arena *arena);

/* The tensor of a message; NULL after reporting an error. */
OnnxTensor *reading_tensor(Reading *reading, WireReader at);
float reading_f32(uint64_t bits); /* the number with these bits */

/* -- files (read_file.c) -- */

/* The place of a tensor's bytes in another file. */
typedef struct {
    const char *location;
    uint64_t offset, length;
    bool has_length;
} External;
/* The bytes of a file, to be freed; NULL with errno set. */
void *reading_file(const char *path, size_t *length);
/* Reads the bytes that a tensor has in another file; `wanted`: their number by its shape. NULL
 * after reporting an error. */
const uint8_t *reading_external(Reading *reading, const External *external, size_t wanted);

#endif
