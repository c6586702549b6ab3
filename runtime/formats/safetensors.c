/* The safetensors format. Lengths, names, dtypes, shapes and offsets of a file are checked before
 * they are used. */
#include "runtime/formats/safetensors.h"
#include "ir/base/files.h"
#include "ir/base/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LENGTH_BYTES = 8, MAX_HEADER = 100000000 /* as in the reference implementation */ };
#define METADATA "__metadata__"

const char *safetensors_dtype(DType dtype) {
    static const char *const names[DTYPE_COUNT] = {[DTYPE_F32] = "F32",
                                                   [DTYPE_I32] = "I32",
                                                   [DTYPE_U8] = "U8",
                                                   [DTYPE_I8] = "I8",
                                                   [DTYPE_BOOL] = "BOOL"};
    return names[dtype];
}

/* The bytes of an element of a dtype; 0: unknown dtype. */
static uint64_t element_bytes(const char *dtype) {
    static const struct {
        const char *name;
        uint64_t bytes;
    } others[] = {{SAFETENSORS_F64, 8}, {"F16", 2}, {"BF16", 2}, {"I64", 8}, {"I16", 2}};
    for (int i = 0; i < DTYPE_COUNT; i++)
        if (!strcmp(safetensors_dtype((DType)i), dtype)) return dtype_bytes((DType)i);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(others[i].name, dtype)) return others[i].bytes;
    return 0;
}

/* -- writing -- */

static json_t *shape_json(Shape shape) {
    json_t *dims = json_array();
    for (int i = 0; i < shape.rank; i++) json_array_append_new(dims, json_integer(shape.dim[i]));
    return dims;
}

static char *header_text(const SafeTensor *tensors, uint32_t count, const SafePair *pairs,
                         uint32_t pair_count) {
    json_t *header = json_object(), *metadata = json_object();
    size_t begin = 0;
    for (uint32_t i = 0; i < pair_count; i++)
        json_object_set_new(metadata, pairs[i].key, json_string(pairs[i].value));
    json_object_set_new(header, METADATA, metadata);
    for (uint32_t i = 0; i < count; i++) {
        size_t end =
            begin + (size_t)shape_elements(tensors[i].shape) * element_bytes(tensors[i].dtype);
        json_object_set_new(header, tensors[i].name,
                            json_pack("{s:s, s:o, s:[I, I]}", "dtype", tensors[i].dtype, "shape",
                                      shape_json(tensors[i].shape), "data_offsets",
                                      (json_int_t)begin, (json_int_t)end));
        begin = end;
    }
    char *text = json_dumps(header, JSON_COMPACT);
    assert(text);
    json_decref(header);
    return text;
}

bool safetensors_write(const char *path, const SafeTensor *tensors, uint32_t count,
                       const void *data, size_t bytes, const SafePair *pairs, uint32_t pair_count,
                       Diagnostics *diag) {
    char *text = header_text(tensors, count, pairs, pair_count);
    size_t length = strlen(text), padding = (LENGTH_BYTES - length % LENGTH_BYTES) % LENGTH_BYTES;
    uint8_t prefix[LENGTH_BYTES];
    for (int i = 0; i < LENGTH_BYTES; i++)
        prefix[i] = (uint8_t)((uint64_t)(length + padding) >> (8 * i));
    FilePart parts[] = {
        {prefix, sizeof prefix}, {text, length}, {"        ", padding}, {data, bytes}};
    bool good = file_replace(path, parts, sizeof parts / sizeof *parts);
    free(text);
    if (good) return true;
    diag_error(diag, STATUS_FILE, (Span){0}, "cannot write '%s': %s", path, file_reason(errno));
    diag_help(diag, "free some space, or choose a folder that can be written to");
    return false;
}

/* -- reading -- */

struct SafeFile {
    Arena *arena;
    uint8_t *bytes; /* the whole file */
    size_t length, data_begin;
    json_t *header;
    SafeTensor *tensors;
    uint32_t count;
};

void safetensors_free(SafeFile *file) {
    if (!file) return;
    json_decref(file->header);
    free(file->bytes);
    arena_free(file->arena);
}

static bool fail(Diagnostics *diag, const char *path, const char *finding) {
    diag_error(diag, STATUS_FILE, (Span){0}, "'%s' is not a sound safetensors file: %s", path,
               finding);
    return false;
}

static bool read_bytes(SafeFile *file, int fd) {
    size_t got = 0;
    while (got < file->length) {
        ssize_t n = read(fd, file->bytes + got, file->length - got);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        if (n == 0) break;
        got += (size_t)n;
    }
    file->length = got; /* the file may have been truncated meanwhile */
    return true;
}

static bool read_file(SafeFile *file, const char *path, Diagnostics *diag) {
    uint64_t length;
    int fd = file_open(path, &length);
    bool good = fd >= 0;
    if (good) {
        file->length = (size_t)length;
        file->bytes = memory_try_grow(NULL, file->length + 1);
        if (!file->bytes) errno = ENOMEM;
        good = file->bytes && read_bytes(file, fd);
    }
    if (!good)
        diag_error(diag, STATUS_FILE, (Span){0}, "cannot read '%s': %s", path, file_reason(errno));
    if (fd >= 0) close(fd);
    return good;
}

static bool read_header(SafeFile *file, const char *path, Diagnostics *diag) {
    json_error_t error;
    uint64_t length = 0;
    if (file->length < LENGTH_BYTES)
        return fail(diag, path, "it is shorter than the length of its header");
    for (int i = 0; i < LENGTH_BYTES; i++) length |= (uint64_t)file->bytes[i] << (8 * i);
    if (length > file->length - LENGTH_BYTES || length > MAX_HEADER)
        return fail(diag, path, "its header does not fit into it");
    file->data_begin = LENGTH_BYTES + (size_t)length;
    file->header = json_loadb((const char *)file->bytes + LENGTH_BYTES, (size_t)length,
                              JSON_REJECT_DUPLICATES, &error);
    if (!file->header)
        return fail(diag, path,
                    arena_format(file->arena, "its header is not JSON (%s)", error.text));
    if (!json_is_object(file->header)) return fail(diag, path, "its header is not a JSON object");
    return true;
}

/* A whole number from 0 to `limit`. */
static bool take_number(const json_t *value, uint64_t limit, uint64_t *number) {
    if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
    *number = (uint64_t)json_integer_value(value);
    return *number <= limit;
}

static bool take_shape(const json_t *dims, Shape *shape, uint64_t *elements) {
    if (!json_is_array(dims) || json_array_size(dims) > SHAPE_MAX_RANK) return false;
    *shape = (Shape){.rank = (int32_t)json_array_size(dims)};
    *elements = 1;
    for (int i = 0; i < shape->rank; i++) {
        uint64_t size;
        if (!take_number(json_array_get(dims, (size_t)i), SHAPE_MAX_ELEMENTS, &size)) return false;
        shape->dim[i] = (int64_t)size;
        if (__builtin_mul_overflow(*elements, size, elements)) return false;
    }
    return true;
}

/* A tensor and the offsets of its data. */
typedef struct {
    SafeTensor tensor;
    uint64_t begin, end;
} Placed;

static const char *take_tensor(const SafeFile *file, const char *name, const json_t *value,
                               Placed *placed) {
    const json_t *offsets = json_object_get(value, "data_offsets"),
                 *dtype = json_object_get(value, "dtype");
    uint64_t elements, bytes, data = file->length - file->data_begin;
    if (!json_is_object(value) || json_object_size(value) != 3)
        return "is not described by dtype, shape and data_offsets";
    if (!json_is_string(dtype)) return "has no dtype";
    if (!take_shape(json_object_get(value, "shape"), &placed->tensor.shape, &elements))
        return "has no valid shape";
    if (!json_is_array(offsets) || json_array_size(offsets) != 2 ||
        !take_number(json_array_get(offsets, 1), data, &placed->end) ||
        !take_number(json_array_get(offsets, 0), placed->end, &placed->begin))
        return "does not lie within the file";
    placed->tensor.name = name;
    placed->tensor.dtype = json_string_value(dtype);
    placed->tensor.data = file->bytes + file->data_begin + placed->begin;
    uint64_t size = element_bytes(placed->tensor.dtype);
    if (size &&
        (__builtin_mul_overflow(elements, size, &bytes) || bytes != placed->end - placed->begin))
        return "has another length than its dtype and shape give";
    return NULL;
}

static int compare_places(const void *a, const void *b) {
    const Placed *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return x->end < y->end ? -1 : x->end > y->end;
}

/* The format requires that tensors cover the data without gaps or overlaps. */
static const char *check_cover(const SafeFile *file, Placed *placed, uint32_t count) {
    uint64_t at = 0;
    qsort(placed, count, sizeof *placed, compare_places);
    for (uint32_t i = 0; i < count; i++) {
        if (placed[i].begin != at)
            return placed[i].begin < at ? "two of its tensors overlap"
                                        : "there is a gap between its tensors";
        at = placed[i].end;
    }
    return at == file->length - file->data_begin ? NULL : "it continues after its last tensor";
}

static bool check_metadata(const json_t *metadata) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)metadata, key, value) if (!json_is_string(value)) return false;
    return !metadata || json_is_object(metadata);
}

static bool read_tensors(SafeFile *file, const char *path, Diagnostics *diag) {
    Placed *placed = ARENA_ARRAY(file->arena, Placed, json_object_size(file->header));
    const char *name;
    json_t *value;
    if (!check_metadata(json_object_get(file->header, METADATA)))
        return fail(diag, path, "its metadata are not texts");
    json_object_foreach(file->header, name, value) {
        if (!strcmp(name, METADATA)) continue;
        const char *problem = take_tensor(file, name, value, &placed[file->count++]);
        if (problem)
            return fail(diag, path,
                        arena_format(file->arena, "its tensor '%.100s' %s", name, problem));
    }
    const char *problem = check_cover(file, placed, file->count);
    if (problem) return fail(diag, path, problem);
    file->tensors = ARENA_ARRAY(file->arena, SafeTensor, file->count);
    for (uint32_t i = 0; i < file->count; i++) file->tensors[i] = placed[i].tensor;
    return true;
}

SafeFile *safetensors_read(const char *path, Diagnostics *diag) {
    Arena *arena = arena_new();
    SafeFile *file = ARENA_NEW(arena, SafeFile);
    file->arena = arena;
    if (read_file(file, path, diag) && read_header(file, path, diag) &&
        read_tensors(file, path, diag))
        return file;
    safetensors_free(file);
    return NULL;
}

uint32_t safetensors_count(const SafeFile *file) { return file->count; }
const SafeTensor *safetensors_tensor(const SafeFile *file, uint32_t index) {
    return &file->tensors[index];
}

const SafeTensor *safetensors_among(const SafeTensor *tensors, uint32_t count, const char *name) {
    for (uint32_t i = 0; i < count; i++)
        if (!strcmp(tensors[i].name, name)) return &tensors[i];
    return NULL;
}

const SafeTensor *safetensors_find(const SafeFile *file, const char *name) {
    return safetensors_among(file->tensors, file->count, name);
}

const char *safetensors_text(const SafeFile *file, const char *key) {
    return json_string_value(json_object_get(json_object_get(file->header, METADATA), key));
}

bool safetensors_fits(const SafeTensor *tensor, const Symbol *symbol) {
    return !strcmp(tensor->dtype, safetensors_dtype(symbol->dtype)) &&
           shape_equal(tensor->shape, symbol->shape);
}

const char *safetensors_tensor_text(const SafeTensor *tensor, char buffer[SAFETENSOR_TEXT]) {
    char shape[SHAPE_TEXT];
    const char *dims = strchr(shape_text(DTYPE_F32, tensor->shape, shape), '[');
    snprintf(buffer, SAFETENSOR_TEXT, "%.16s%s", tensor->dtype, dims ? dims : "");
    return buffer;
}
