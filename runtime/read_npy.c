/* Arrays of NumPy: npy(x, y, test_x, test_y), one array a file, mapped into memory. */
#include "runtime/arrays.h"
#include "runtime/map.h"

#include <string.h>

enum { PARTS = 4 };
static const char *const arguments[PARTS] = {"x", "y", "test_x", "test_y"};

typedef struct {
    const char *paths[PARTS];
    Map maps[PARTS], pairs[2]; /* pairs: training and test rows as one array */
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
    own->paths[i] = path;
    *part = (ArrayPart){.name = arena_format(data->arena, "'%s'", path), .file = path, .span = arg->span};
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

/* -- training and test rows as one array, without a copy -- */

static size_t begin_of(const NpySource *own, int i) {
    const NpyArray *array = i < 2 ? &own->fields[i].train.array : &own->fields[i - 2].test.array;
    return (size_t)((const char *)array->data - (const char *)own->maps[i].bytes);
}

static bool can_be_placed(const NpySource *own, uint32_t i) {
    const ArrayField *field = &own->fields[i];
    size_t begin = begin_of(own, (int)i);
    return field->test.name && npy_is_native(&field->train.array) && field->train.array.element == field->test.array.element &&
           begin == begin_of(own, (int)i + 2) && begin % dtype_bytes(field->train.array.dtype) == 0;
}

static bool place_field(NpySource *own, uint32_t i, int64_t test_begin, Diagnostics *diag) {
    ArrayField *field = &own->fields[i];
    Problem problem = {0};
    const char *const paths[2] = {own->paths[i], own->paths[i + 2]};
    const size_t lengths[2] = {own->maps[i].length, own->maps[i + 2].length};
    size_t row = field->train.array.bytes / (size_t)field->train.array.shape.dim[0];
    if (!map_open_two(paths, lengths, row * (size_t)test_begin, &own->pairs[i], &problem))
        return arrays_report(&field->train, &problem, diag);
    field->placed = (const char *)own->pairs[i].bytes + begin_of(own, (int)i);
    return true;
}

/* All fields have their test rows at the same place, so those of others have a gap too; x is the large one. */
static bool place_fields(NpySource *own, SourceData *data, Diagnostics *diag) {
    if (!can_be_placed(own, 0)) return true;
    int64_t test_begin = map_second_row(own->fields[0].train.array.shape.dim[0]);
    if (test_begin + own->fields[0].test.array.shape.dim[0] > INT32_MAX) return true;
    data->test_begin = test_begin;
    for (uint32_t i = 0; i < own->count; i++)
        if (can_be_placed(own, i) && !place_field(own, i, test_begin, diag)) return false;
    return true;
}

/* -- the source -- */

static void digest(const SourceData *data, llvm_blake3_hasher *hasher) {
    const NpySource *own = data->own;
    for (int i = 0; i < PARTS; i++)
        if (own->maps[i].bytes) llvm_blake3_hasher_update(hasher, own->maps[i].bytes, own->maps[i].length);
}

static void release(SourceData *data) {
    NpySource *own = data->own;
    arrays_free(own->fields, own->count);
    for (int i = 0; i < PARTS; i++) map_close(&own->maps[i]);
    for (int i = 0; i < 2; i++) map_close(&own->pairs[i]);
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
    return arrays_check(own->fields, own->count, diag) && (!whole || place_fields(own, data, diag)) &&
           arrays_take(own->fields, own->count, whole, data, diag);
}
