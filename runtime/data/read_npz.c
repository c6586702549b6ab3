/* Reads NumPy archives: npz(path) or npz([path, ...]). Every array is a field. Arrays whose names
 * begin or end with "train", "valid", "val" or "test" (x_train, x_test; train_images, val_images)
 * hold the rows of one field for these splits. */
#include "runtime/data/arrays.h"
#include "runtime/formats/map.h"
#include "ir/base/memory.h"
#include "ir/base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 4096 }; /* bytes that hold the header of an array */

typedef struct {
    Map map;
    ZipEntry entries[ZIP_MAX_ENTRIES];
    const void *contents[ZIP_MAX_ENTRIES];
    /* [array]: decompressed bytes; NULL if the mapped file is used */
    void *unpacked[ZIP_MAX_ENTRIES];
    uint32_t entry_count;
    const char *path;
    Span span;
} Archive;

typedef struct {
    Archive *archives;
    uint32_t archive_count;
    ArrayFields fields;
} NpzSource;

/* The bytes of an array: those of the mapped file if it is not compressed, else decompressed
 * ones. */
static bool find_contents(Archive *archive, uint32_t i, bool whole, size_t bytes,
                          const ArrayPart *part, Diagnostics *diag) {
    const ZipEntry *entry = &archive->entries[i];
    Problem problem = {0};
    if (!entry->deflated) {
        archive->contents[i] =
            zip_stored(archive->map.bytes, archive->map.length, entry, whole, &problem);
        return archive->contents[i] || arrays_report(part, &problem, diag);
    }
    archive->contents[i] = archive->unpacked[i] = memory_try(bytes);
    if (!archive->unpacked[i]) {
        diag_error(diag, STATUS_DATA, archive->span, "no memory for %zu bytes of data", bytes);
        return false;
    }
    return zip_unpack(archive->map.bytes, archive->map.length, entry, archive->unpacked[i], bytes,
                      &problem) ||
           arrays_report(part, &problem, diag);
}

/* Reads an array; without `whole` only its header, for the schema. Wide elements are needed even
 * then: they decide how the field is read. */
static bool read_array(Archive *archive, uint32_t i, bool whole, ArrayPart *part, Arena *arena,
                       Diagnostics *diag) {
    size_t length = archive->entries[i].bytes,
           bytes = whole || length < HEADER_MAX ? length : HEADER_MAX;
    Problem problem = {0};
    if (!find_contents(archive, i, whole, bytes, part, diag)) return false;
    if (!npy_read(archive->contents[i], bytes, whole, &part->array, &problem)) {
        part->unreadable = arrays_unreadable(arena, part, &problem);
        return true;
    }
    if (whole || !npy_may_be_wide(&part->array)) return true;
    /* wide elements decide how the field is read, so all of them are needed */
    free(archive->unpacked[i]);
    archive->unpacked[i] = NULL;
    return read_array(archive, i, true, part, arena, diag);
}

static bool open_entry(NpzSource *own, Archive *archive, uint32_t i, bool whole, Arena *arena,
                       Diagnostics *diag) {
    const char *name = archive->entries[i].name;
    if (!utf8_is_valid(name, strlen(name))) {
        diag_error(diag, STATUS_DATA, archive->span, "the name of array %u in '%s' is not UTF-8", i,
                   archive->path);
        return false;
    }
    /* an array that was stored without a name */
    if (own->archive_count > 1 && archive->entry_count == 1 && !strcmp(name, "arr_0"))
        name = arrays_file_name(arena, archive->path);
    ArrayPart *part = arrays_part(&own->fields, arena, name, archive->path, archive->span, diag);
    if (!part) return false;
    *part = (ArrayPart){
        .name = arena_format(arena, "'%.100s' in '%s'", archive->entries[i].name, archive->path),
        .file = archive->path,
        .span = archive->span};
    return read_array(archive, i, whole, part, arena, diag);
}

static bool open_archive(NpzSource *own, Archive *archive, bool whole, Arena *arena,
                         Diagnostics *diag) {
    Problem problem = {0};
    ArrayPart file = {.name = arena_format(arena, "'%s'", archive->path), .span = archive->span};
    if (!map_open(archive->path, &archive->map, &problem) ||
        !zip_list(archive->map.bytes, archive->map.length, arena, archive->entries,
                  &archive->entry_count, &problem))
        return arrays_report(&file, &problem, diag);
    for (uint32_t i = 0; i < archive->entry_count; i++)
        if (!open_entry(own, archive, i, whole, arena, diag)) return false;
    return true;
}

static void digest(const SourceData *data, llvm_blake3_hasher *hasher) {
    const NpzSource *own = data->own;
    for (uint32_t k = 0; k < own->archive_count; k++)
        for (uint32_t i = 0; i < own->archives[k].entry_count; i++)
            llvm_blake3_hasher_update(hasher, own->archives[k].contents[i],
                                      own->archives[k].entries[i].bytes);
}

static void release(SourceData *data) {
    NpzSource *own = data->own;
    arrays_free(own->fields.items, own->fields.count);
    for (uint32_t k = 0; k < own->archive_count && own->archives; k++) {
        for (uint32_t i = 0; i < own->archives[k].entry_count; i++)
            free(own->archives[k].unpacked[i]);
        map_close(&own->archives[k].map);
    }
}

bool read_npz(const DataSource *source, bool whole, SourceData *data, Diagnostics *diag) {
    NpzSource *own = data->own = ARENA_NEW(data->arena, NpzSource);
    const SourceArg *files;
    data->digest = digest;
    data->release = release;
    data->span = reader_arg(source, "path")->span;
    if (!reader_files(source, "path", &files, &own->archive_count, diag)) return false;
    own->archives = ARENA_ARRAY(data->arena, Archive, own->archive_count);
    for (uint32_t i = 0; i < own->archive_count; i++) {
        own->archives[i].span = files[i].span;
        own->archives[i].path = reader_path(source, &files[i], data->arena, diag);
        if (!own->archives[i].path ||
            !open_archive(own, &own->archives[i], whole, data->arena, diag))
            return false;
    }
    ArrayFields *fields = &own->fields;
    return arrays_leave_unreadable(fields, true, data, diag) &&
           arrays_check(fields->items, fields->count, diag) &&
           arrays_take(fields->items, fields->count, whole, data, diag);
}
