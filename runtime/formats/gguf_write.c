/* Writes GGUF files: see gguf_write.h. All numbers are little-endian, and texts have their length
 * before them. */
#include "runtime/formats/gguf_write.h"
#include "ir/base/files.h"
#include "ir/base/integers.h"
#include "ir/base/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 3, ALIGNMENT = 32, MAX_AXES = 4, MAX_NAME = 63, TEXT_VALUE = 8 };

static void put(FILE *out, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) fputc((int)(value >> (8 * i) & 0xff), out);
}

static void put_text(FILE *out, const char *text) {
    put(out, strlen(text), 8);
    fputs(text, out);
}

/* The number of a type in the format; -1: it has none. */
static int type_of(DType dtype) {
    enum { F32 = 0, I8 = 24, I32 = 26 };
    return dtype == DTYPE_F32 ? F32 : dtype == DTYPE_I8 ? I8 : dtype == DTYPE_I32 ? I32 : -1;
}

static bool check_tensor(const char *path, const NamedArray *tensor, Diagnostics *diag) {
    const char *what = tensor->shape.rank > MAX_AXES     ? "has more than four axes"
                       : strlen(tensor->name) > MAX_NAME ? "has a name of more than 63 bytes"
                       : type_of(tensor->dtype) < 0      ? "is of a type without a number"
                                                         : NULL;
    if (!what) return true;
    diag_error(diag, STATUS_FILE, (Span){0}, "'%s': tensor '%s' %s, which GGUF cannot hold", path,
               tensor->name, what);
    diag_help(diag, "weights.safetensors and weights.npz hold every tensor");
    return false;
}

static size_t bytes_of(const NamedArray *tensor) {
    return (size_t)shape_elements(tensor->shape) * dtype_bytes(tensor->dtype);
}

static uint64_t aligned(uint64_t bytes) { return (uint64_t)round_up((int64_t)bytes, ALIGNMENT); }

/* Axes are listed from the innermost one on. A scalar has one axis of size 1. */
static void put_tensor(FILE *out, const NamedArray *tensor, uint64_t offset) {
    int rank = tensor->shape.rank;
    put_text(out, tensor->name);
    put(out, rank ? (uint64_t)rank : 1, 4);
    if (!rank) put(out, 1, 8);
    for (int i = rank - 1; i >= 0; i--) put(out, (uint64_t)tensor->shape.dim[i], 8);
    put(out, (uint64_t)type_of(tensor->dtype), 4);
    put(out, offset, 8);
}

static void put_header(FILE *out, const GgufText *texts, uint32_t text_count,
                       const NamedArray *tensors, uint32_t count) {
    fputs("GGUF", out);
    put(out, VERSION, 4);
    put(out, count, 8);
    put(out, text_count, 8);
    for (uint32_t i = 0; i < text_count; i++) {
        put_text(out, texts[i].key);
        put(out, TEXT_VALUE, 4);
        put_text(out, texts[i].value);
    }
    uint64_t offset = 0;
    for (uint32_t i = 0; i < count; i++) {
        put_tensor(out, &tensors[i], offset);
        offset += aligned(bytes_of(&tensors[i]));
    }
}

bool gguf_write(const char *path, const GgufText *texts, uint32_t text_count,
                const NamedArray *tensors, uint32_t count, Diagnostics *diag) {
    static const char zeros[ALIGNMENT];
    for (uint32_t i = 0; i < count; i++)
        if (!check_tensor(path, &tensors[i], diag)) return false;
    MemoryStream header;
    memory_stream_begin(&header);
    put_header(header.out, texts, text_count, tensors, count);
    char *text = memory_stream_end(&header);
    FilePart *parts = memory_array(2 * (size_t)count + 2, sizeof *parts, "a file");
    parts[0] = (FilePart){text, header.length};
    parts[1] = (FilePart){zeros, aligned(header.length) - header.length};
    for (uint32_t i = 0; i < count; i++) {
        size_t bytes = bytes_of(&tensors[i]);
        parts[2 * i + 2] = (FilePart){tensors[i].data, bytes};
        parts[2 * i + 3] = (FilePart){zeros, aligned(bytes) - bytes};
    }
    bool good = file_replace(path, parts, 2 * count + 2);
    if (!good)
        diag_error(diag, STATUS_FILE, (Span){0}, "cannot write '%s': %s", path, file_reason(errno));
    free(parts);
    free(text);
    return good;
}
