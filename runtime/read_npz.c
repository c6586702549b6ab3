/* Archives of NumPy: npz(path), every array a field. Where names begin or end with "train" and "test" (x_train, x_test; train_images,
 * test_images), they are the training and the test rows of one field. */
#include "runtime/arrays.h"
#include "runtime/map.h"
#include "runtime/memory.h"
#include "ir/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_MOST = 4096 }; /* as much of an array as its shape needs */

typedef struct {
    Map map;
    ZipEntry entries[ZIP_MAX_ENTRIES];
    const void *contents[ZIP_MAX_ENTRIES];
    void *unpacked[ZIP_MAX_ENTRIES]; /* what is not used where it lies in the archive */
    ArrayField fields[ZIP_MAX_ENTRIES];
    uint32_t entry_count, count;
    const char *path;
    Span span;
} NpzSource;

/* "x" of "x_train", "images" of "train_images"; NULL if the name does not have the word at either end. */
static const char *without(Arena *arena, const char *name, const char *word) {
    size_t length = strlen(name), part = strlen(word);
    if (length < part + 2) return NULL;
    if (!strncmp(name, word, part) && name[part] == '_') return name + part + 1;
    if (strcmp(name + length - part, word) || name[length - part - 1] != '_') return NULL;
    return arena_copy_string(arena, name, length - part - 1);
}

static ArrayField *field_named(NpzSource *own, const char *name) {
    for (uint32_t i = 0; i < own->count; i++)
        if (!strcmp(own->fields[i].name, name)) return &own->fields[i];
    own->fields[own->count].name = name;
    return &own->fields[own->count++];
}

/* Where an array belongs. */
static ArrayPart *part_of(NpzSource *own, Arena *arena, const char *name) {
    const char *train = without(arena, name, "train"), *test = without(arena, name, "test");
    ArrayField *field = field_named(own, train ? train : test ? test : name);
    return test && !train ? &field->test : &field->train;
}

/* Arrays that are not packed stay in the file, which is mapped; of others memory for `bytes` bytes is filled. */
static bool find_contents(NpzSource *own, uint32_t i, bool whole, size_t bytes, const ArrayPart *part, Diagnostics *diag) {
    const ZipEntry *entry = &own->entries[i];
    Problem problem = {0};
    if (!entry->deflated) {
        own->contents[i] = zip_stored(own->map.bytes, own->map.length, entry, whole, &problem);
        return own->contents[i] || arrays_report(part, &problem, diag);
    }
    own->contents[i] = own->unpacked[i] = memory_try(bytes);
    if (!own->unpacked[i]) {
        diag_error(diag, STATUS_DATA, own->span, "no memory for %zu bytes of data", bytes);
        return false;
    }
    return zip_unpack(own->map.bytes, own->map.length, entry, own->unpacked[i], bytes, &problem) ||
           arrays_report(part, &problem, diag);
}

static bool read_array(NpzSource *own, uint32_t i, bool whole, ArrayPart *part, Diagnostics *diag) {
    size_t length = own->entries[i].bytes, bytes = whole || length < HEADER_MOST ? length : HEADER_MOST;
    Problem problem = {0};
    return find_contents(own, i, whole, bytes, part, diag) &&
           (npy_read(own->contents[i], bytes, whole, &part->array, &problem) || arrays_report(part, &problem, diag));
}

static bool open_entry(NpzSource *own, uint32_t i, bool whole, SourceData *data, Diagnostics *diag) {
    const char *name = own->entries[i].name;
    if (!utf8_is_valid(name, strlen(name))) {
        diag_error(diag, STATUS_DATA, own->span, "the name of array %u in '%s' is not UTF-8", i, own->path);
        return false;
    }
    ArrayPart *part = part_of(own, data->arena, name);
    if (part->name) {
        diag_error(diag, STATUS_DATA, own->span, "'%.100s' in '%s' would be the same field as another array", name, own->path);
        return false;
    }
    *part = (ArrayPart){
        .name = arena_format(data->arena, "'%.100s' in '%s'", name, own->path), .file = own->path, .span = own->span};
    return read_array(own, i, whole, part, diag);
}

/* Test rows belong to training rows, and either all fields have some or none. */
static bool check_tests(const NpzSource *own, Diagnostics *diag) {
    for (uint32_t i = 0; i < own->count; i++) {
        const ArrayField *field = &own->fields[i];
        if (field->train.name && !field->test.name == !own->fields[0].test.name) continue;
        diag_error(diag, STATUS_DATA, own->span, "'%s' has %s rows of '%s' but no %s rows", own->path,
                   field->train.name ? "training" : "test", field->name, field->train.name ? "test" : "training");
        diag_help(diag, "arrays are the training and the test rows of one field by their names: x_train and x_test");
        return false;
    }
    return true;
}

static bool open_archive(NpzSource *own, bool whole, SourceData *data, Diagnostics *diag) {
    Problem problem = {0};
    ArrayPart file = {.name = arena_format(data->arena, "'%s'", own->path), .span = own->span};
    if (!map_open(own->path, &own->map, &problem) ||
        !zip_list(own->map.bytes, own->map.length, data->arena, own->entries, &own->entry_count, &problem))
        return arrays_report(&file, &problem, diag);
    for (uint32_t i = 0; i < own->entry_count; i++)
        if (!open_entry(own, i, whole, data, diag)) return false;
    return check_tests(own, diag) && arrays_check(own->fields, own->count, diag) &&
           arrays_take(own->fields, own->count, whole, data, diag);
}

static void digest(const SourceData *data, llvm_blake3_hasher *hasher) {
    const NpzSource *own = data->own;
    for (uint32_t i = 0; i < own->entry_count; i++) llvm_blake3_hasher_update(hasher, own->contents[i], own->entries[i].bytes);
}

static void release(SourceData *data) {
    NpzSource *own = data->own;
    arrays_free(own->fields, own->count);
    for (uint32_t i = 0; i < own->entry_count; i++) free(own->unpacked[i]);
    map_close(&own->map);
}

bool read_npz(const DataSource *source, bool whole, SourceData *data, Diagnostics *diag) {
    NpzSource *own = data->own = ARENA_NEW(data->arena, NpzSource);
    const SourceArg *arg = reader_arg(source, "path");
    data->digest = digest;
    data->release = release;
    data->span = own->span = arg->span;
    own->path = reader_path(source, arg, data->arena, diag);
    return own->path && open_archive(own, whole, data, diag);
}
