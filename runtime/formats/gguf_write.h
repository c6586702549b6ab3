/* Writes GGUF files, which ggml and programs built on it read: a header, texts about the file, for
 * every tensor its name, shape and place, then the data. Private to runtime/. See
 * https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */
#ifndef MLC_RUNTIME_FORMATS_GGUF_WRITE_H
#define MLC_RUNTIME_FORMATS_GGUF_WRITE_H

#include "runtime/formats/named_array.h"

typedef struct {
    const char *key, *value;
} GgufText;

/* The path never holds a partial file. STATUS_FILE errors: it cannot be written, or a tensor has
 * what the format cannot hold: more than four axes, a name of more than 63 bytes, another type. */
bool gguf_write(const char *path, const GgufText *texts, uint32_t text_count,
                const NamedArray *tensors, uint32_t count, Diagnostics *diag);

#endif
