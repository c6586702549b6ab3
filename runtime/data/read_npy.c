/* Reads NumPy arrays, one in each file, which is mapped into memory: npy(x, y, test_x, test_y,
 * valid_x, valid_y) or npy([path, ...]). In a list, a field is named after its file; x_train.npy,
 * x_val.npy and x_test.npy hold the rows of one field, x. */
#include "runtime/data/arrays.h"
#include "runtime/data/splits.h"
#include "runtime/formats/map.h"

#include <string.h>

typedef struct {
    const char *path;
    Map map;
} ArrayFile;

typedef struct {
    ArrayFile *files;
    uint32_t file_count;
    Map *pairs; /* [fields.count]: training and test rows as one array */
    ArrayFields fields;
} NpySource;

static bool open_file(const SourceArg *arg, ArrayFile *file, ArrayPart *part, Arena *arena,
                      Diagnostics *diag) {
    Problem problem = {0};
    *part = (ArrayPart){
        .name = arena_format(arena, "'%s'", file->path), .file = file->path, .span = arg->span};
    return (map_open(file->path, &file->map, &problem) &&
            npy_read(file->map.bytes, file->map.length, true, &part->array, &problem)) ||
           arrays_report(part, &problem, diag);
}

/* -- a list of files -- */

static bool open_list(const DataSource *source, NpySource *own, SourceData *data,
                      Diagnostics *diag) {
    const SourceArg *args;
    if (!reader_files(source, "x", &args, &own->file_count, diag)) return false;
    own->files = ARENA_ARRAY(data->arena, ArrayFile, own->file_count);
    for (uint32_t i = 0; i < own->file_count; i++) {
        ArrayFile *file = &own->files[i];
        file->path = reader_path(source, &args[i], data->arena, diag);
        if (!file->path) return false;
        ArrayPart *part =
            arrays_part(&own->fields, data->arena, arrays_file_name(data->arena, file->path),
                        file->path, args[i].span, diag);
        if (!part || !open_file(&args[i], file, part, data->arena, diag)) return false;
    }
    return true;
}

/* -- x and y -- */

static const struct {
    const char *argument;
    uint32_t field;
    Split split;
} arguments[] = {{"x", 0, SPLIT_TRAIN},       {"y", 1, SPLIT_TRAIN},
                 {"valid_x", 0, SPLIT_VALID}, {"valid_y", 1, SPLIT_VALID},
                 {"test_x", 0, SPLIT_TEST},   {"test_y", 1, SPLIT_TEST}};
enum { ARGUMENTS = sizeof arguments / sizeof *arguments };

/* Checks that x and y have the same held-out rows. */
static bool check_parts(const DataSource *source, const NpySource *own, Diagnostics *diag) {
    const ArrayField *fields = own->fields.items;
    for (Split split = SPLIT_VALID; split < SPLIT_COUNT; split++) {
        bool wanted = fields[0].parts[split].name && fields[1].parts[SPLIT_TRAIN].name;
        if ((fields[1].parts[split].name != NULL) == wanted) continue;
        diag_error(diag, STATUS_MODEL, source->span,
                   "npy() needs y for the training rows and for the %s rows, or for neither",
                   split_of_rows(split));
        return false;
    }
    return true;
}

static bool open_arguments(const DataSource *source, NpySource *own, SourceData *data,
                           Diagnostics *diag) {
    own->files = ARENA_ARRAY(data->arena, ArrayFile, ARGUMENTS);
    for (int i = 0; i < ARGUMENTS; i++) {
        const SourceArg *arg = reader_arg(source, arguments[i].argument);
        if (!arg) continue;
        ArrayFile *file = &own->files[own->file_count++];
        file->path = reader_path(source, arg, data->arena, diag);
        if (!file->path) return false;
        ArrayPart *part = &own->fields.items[arguments[i].field].parts[arguments[i].split];
        if (!open_file(arg, file, part, data->arena, diag)) return false;
    }
    own->fields.count = own->fields.items[1].parts[SPLIT_TRAIN].name ? 2 : 1;
    own->fields.items[0].name = "x";
    own->fields.items[1].name = "y";
    return check_parts(source, own, diag);
}

/* -- training and test rows as one array, without a copy -- */

/* The place of the first element in the file. */
static size_t begin_of(const ArrayFile *file, const ArrayPart *part) {
    return (uintptr_t)part->array.data - (uintptr_t)file->map.bytes;
}

static const ArrayFile *file_of(const NpySource *own, const ArrayPart *part) {
    for (uint32_t i = 0; i < own->file_count; i++)
        if (begin_of(&own->files[i], part) < own->files[i].map.length) return &own->files[i];
    return NULL;
}

static bool can_be_placed(const NpySource *own, const ArrayField *field) {
    const ArrayPart *train = &field->parts[SPLIT_TRAIN], *test = &field->parts[SPLIT_TEST];
    if (!test->name || field->parts[SPLIT_VALID].name || !npy_is_native(&train->array) ||
        train->array.element != test->array.element)
        return false;
    size_t begin = begin_of(file_of(own, train), train);
    return begin == begin_of(file_of(own, test), test) &&
           begin % dtype_bytes(train->array.dtype) == 0;
}

static bool place_field(NpySource *own, uint32_t i, int64_t test_begin, Diagnostics *diag) {
    ArrayField *field = &own->fields.items[i];
    const ArrayPart *train = &field->parts[SPLIT_TRAIN];
    const ArrayFile *first = file_of(own, train), *second = file_of(own, &field->parts[SPLIT_TEST]);
    Problem problem = {0};
    const char *const paths[2] = {first->path, second->path};
    const size_t lengths[2] = {first->map.length, second->map.length};
    size_t row = train->array.bytes / (size_t)train->array.shape.dim[0];
    if (!map_open_two(paths, lengths, row * (size_t)test_begin, &own->pairs[i], &problem))
        return arrays_report(train, &problem, diag);
    field->placed = (const char *)own->pairs[i].bytes + begin_of(first, train);
    return true;
}

/* Maps the test rows to memory after the training rows, if the files of the first field allow it,
 * which is the largest. Test rows have the same row numbers in all fields, so the other fields get
 * the same gap before them. */
static bool place_fields(NpySource *own, SourceData *data, Diagnostics *diag) {
    const ArrayField *first = own->fields.items;
    if (!can_be_placed(own, first)) return true;
    int64_t test_begin = map_second_row(first->parts[SPLIT_TRAIN].array.shape.dim[0]);
    if (test_begin + first->parts[SPLIT_TEST].array.shape.dim[0] > INT32_MAX) return true;
    data->test_begin = test_begin;
    own->pairs = ARENA_ARRAY(data->arena, Map, own->fields.count);
    for (uint32_t i = 0; i < own->fields.count; i++)
        if (can_be_placed(own, &own->fields.items[i]) && !place_field(own, i, test_begin, diag))
            return false;
    return true;
}

/* -- the source -- */

static void digest(const SourceData *data, llvm_blake3_hasher *hasher) {
    const NpySource *own = data->own;
    for (uint32_t i = 0; i < own->file_count; i++)
        llvm_blake3_hasher_update(hasher, own->files[i].map.bytes, own->files[i].map.length);
}

static void release(SourceData *data) {
    NpySource *own = data->own;
    arrays_free(own->fields.items, own->fields.count);
    for (uint32_t i = 0; i < own->file_count && own->files; i++) map_close(&own->files[i].map);
    for (uint32_t i = 0; own->pairs && i < own->fields.count; i++) map_close(&own->pairs[i]);
}

bool read_npy(const DataSource *source, bool whole, SourceData *data, Diagnostics *diag) {
    NpySource *own = data->own = ARENA_NEW(data->arena, NpySource);
    const SourceArg *x = reader_arg(source, "x");
    data->digest = digest;
    data->release = release;
    data->span = x->span;
    if (!reader_files(source, "x", &(const SourceArg *){NULL}, &(uint32_t){0}, diag)) return false;
    if (!(x->kind == SOURCE_ARG_LIST ? open_list : open_arguments)(source, own, data, diag))
        return false;
    ArrayField *fields = own->fields.items;
    return arrays_leave_unreadable(&own->fields, false, data, diag) &&
           arrays_check(fields, own->fields.count, diag) &&
           (!whole || place_fields(own, data, diag)) &&
           arrays_take(fields, own->fields.count, whole, data, diag);
}
