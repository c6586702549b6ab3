/* Arrays of NumPy: npy(x, y, test_x, test_y), one array a file, mapped into memory. */
#include "runtime/arrays.h"
#include "runtime/map.h"

#include <string.h>

enum { PARTS = 4 };
static const char *const arguments[PARTS] = {"x", "y", "test_x", "test_y"};

typedef struct {
    Map maps[PARTS];
    ArrayField fields[2];
    uint32_t count;
} NpySource;

static bool open_part(const DataSource *source, int i, NpySource *own, SourceData *data, Diagnostics *diag) {
    const SourceArg *arg = reader_arg(source, arguments[i]);
    ArrayPart *part = i < 2 ? &own->fields[i].train : &own->fields[i - 2].test;
    Problem problem = {0};
    if (!arg) return true;
    const char *path = reader_path(source, arg, data->arena, diag);
    if (!path) return false;
    *part = (ArrayPart){.name = arena_format(data->arena, "'%s'", path), .span = arg->span};
    return (map_open(path, &own->maps[i], &problem) &&
            npy_read(own->maps[i].bytes, own->maps[i].length, true, &part->array, &problem)) ||
           arrays_report(part, &problem, diag);
}

/* Of both or neither. */
static bool check_parts(const DataSource *source, const NpySource *own, Diagnostics *diag) {
    const ArrayField *fields = own->fields;
    bool test_y = fields[0].test.name && fields[1].train.name;
    if ((fields[1].test.name != NULL) == test_y) return true;
    diag_error(diag, STATUS_MODEL, source->span, "npy() needs y for the training rows and for the test rows, or for neither");
    return false;
}

static void digest(const SourceData *data, llvm_blake3_hasher *hasher) {
    const NpySource *own = data->own;
    for (int i = 0; i < PARTS; i++)
        if (own->maps[i].bytes) llvm_blake3_hasher_update(hasher, own->maps[i].bytes, own->maps[i].length);
}

static void release(SourceData *data) {
    NpySource *own = data->own;
    arrays_free(own->fields, own->count);
    for (int i = 0; i < PARTS; i++) map_close(&own->maps[i]);
}

bool read_npy(const DataSource *source, bool whole, SourceData *data, Diagnostics *diag) {
    NpySource *own = data->own = ARENA_NEW(data->arena, NpySource);
    data->digest = digest;
    data->release = release;
    for (int i = 0; i < PARTS; i++)
        if (!open_part(source, i, own, data, diag)) return false;
    if (!check_parts(source, own, diag)) return false;
    data->span = own->fields[0].train.span;
    own->count = own->fields[1].train.name ? 2 : 1;
    for (uint32_t i = 0; i < own->count; i++) own->fields[i].name = arguments[i];
    return arrays_take(own->fields, own->count, whole, data, diag);
}
