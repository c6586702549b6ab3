/* Reads the file of a model, and the files beside it that hold weights. */
#include "ir/base/files.h"
#include "ir/base/memory.h"
#include "onnx/in/reading.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool read_part(int file, uint64_t offset, void *bytes, size_t length) {
    for (size_t got = 0; got < length;) {
        ssize_t n = pread(file, (char *)bytes + got, length - got, (off_t)(offset + got));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        got += (size_t)n;
    }
    return true;
}

/* The bytes of a file, to be freed; NULL with errno set. */
void *reading_file(const char *path, size_t *length) {
    uint64_t size;
    int file = file_open(path, &size);
    if (file < 0) return NULL;
    void *bytes = size < SIZE_MAX ? memory_try_grow(NULL, (size_t)size + 1) : NULL;
    if (!bytes) errno = ENOMEM;
    bool good = bytes && (errno = EIO, read_part(file, 0, bytes, (size_t)size));
    close(file);
    *length = (size_t)size;
    if (good) return bytes;
    free(bytes);
    return NULL;
}

/* Whether the named file is in the folder of the model: the name must not lead outside by "..", a
 * root or a link. */
static bool stays_beside(const char *location) {
    if (!*location || *location == '/') return false;
    for (const char *part = location; part; part = strchr(part, '/') ? strchr(part, '/') + 1 : NULL)
        if (!strncmp(part, "..", 2) && (!part[2] || part[2] == '/')) return false;
    return true;
}

static bool resolves_beside(const char *folder, const char *path) {
    char base[PATH_MAX], target[PATH_MAX];
    if (!realpath(folder, base) || !realpath(path, target))
        return true; /* opening the file reports the error */
    size_t length = strlen(base);
    return !strncmp(base, target, length) && (target[length] == '/' || !strcmp(base, "/"));
}

/* Reads the bytes of a tensor from another file. `wanted` is their number according to the
 * shape. */
const uint8_t *reading_external(Reading *reading, const External *external, size_t wanted) {
    const char *model = reading->model->path, *slash = strrchr(model, '/');
    const char *folder =
        slash ? arena_copy_string(reading->arena, model, (size_t)(slash - model) + 1) : "./";
    const char *path = arena_format(reading->arena, "%s%s", folder, external->location);
    if (!stays_beside(external->location) || !resolves_beside(folder, path))
        return reading_fail(reading,
                            "its weights would be in '%.100s', which is outside of its folder",
                            external->location),
               NULL;
    uint64_t there = 0;
    int file = file_open(path, &there);
    if (file < 0) {
        diag_error(reading->diag, STATUS_FILE, (Span){0},
                   "cannot read '%s', which holds weights of '%s': %s", path, model,
                   file_reason(errno));
        diag_help(reading->diag, "the exporter wrote two files; keep them in the same folder");
        reading->failed = true;
        return NULL;
    }
    bool fits = external->offset <= there && wanted <= there - external->offset &&
                (!external->has_length || external->length == wanted);
    uint8_t *bytes = fits ? arena_alloc(reading->arena, wanted + 1) : NULL;
    bool good = bytes && read_part(file, external->offset, bytes, wanted);
    close(file);
    if (!good)
        reading_fail(reading, "a tensor of %zu bytes does not lie in '%.100s'", wanted,
                     external->location);
    return good ? bytes : NULL;
}
