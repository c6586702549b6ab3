/* Helpers of the readers: arguments, files and the errors about them. */
#include "runtime/data/reader.h"
#include "ir/base/memory.h"
#include "runtime/data/sources.h"
#include "runtime/formats/unpack.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 1 << 16 };

void reader_fields(SourceData *data, uint32_t count) {
    data->fields = ARENA_ARRAY(data->arena, SourceField, count);
    data->data = ARENA_ARRAY(data->arena, void *, count);
    data->exact = ARENA_ARRAY(data->arena, Exact, count);
    data->schema.fields = data->fields;
    data->schema.field_count = count;
}

void reader_origins(SourceData *data, uint32_t count) {
    data->origins = ARENA_ARRAY(data->arena, RowOrigin, count);
    data->origin_count = count;
}

const SourceArg *reader_arg(const DataSource *source, const char *name) {
    for (uint32_t i = 0; i < source->arg_count; i++)
        if (!strcmp(source->args[i].name, name)) return &source->args[i];
    return NULL;
}

bool reader_texts(const DataSource *source, const char *name, Arena *arena,
                  const char *const **texts, uint32_t *count, Diagnostics *diag) {
    const SourceArg *arg = reader_arg(source, name);
    bool list = arg && arg->kind == SOURCE_ARG_LIST;
    const SourceArg *items = list ? arg->items : arg;
    const char **all = ARENA_ARRAY(arena, const char *, list ? arg->item_count : 1);
    *texts = all;
    *count = list ? arg->item_count : arg != NULL;
    for (uint32_t i = 0; i < *count; i++) {
        all[i] = items[i].text;
        if (items[i].kind == SOURCE_ARG_STRING) continue;
        diag_error(diag, STATUS_MODEL, arg->span,
                   "'%s' of %s() must be a string or a list of strings", name, source->reader);
        return false;
    }
    return true;
}

bool reader_files(const DataSource *source, const char *name, const SourceArg **files,
                  uint32_t *count, Diagnostics *diag) {
    const SourceArg *arg = reader_arg(source, name);
    bool list = arg->kind == SOURCE_ARG_LIST, good = !list || arg->item_count;
    *files = list ? arg->items : arg;
    *count = list ? arg->item_count : 1;
    for (uint32_t i = 0; i < *count; i++) good &= (*files)[i].kind == SOURCE_ARG_STRING;
    if (!good)
        diag_error(diag, STATUS_MODEL, arg->span,
                   "'%s' of %s() must be the name of a file, or a list of such names", name,
                   source->reader);
    return good;
}

const char *reader_path(const DataSource *source, const SourceArg *arg, Arena *arena,
                        Diagnostics *diag) {
    const char *path = source_find_file(arena, source->folder, arg->text);
    if (!path) source_report_missing(source, arg, diag);
    return path;
}

static void report_too_long(const Unpacker *unpacker, uint64_t most, Problem *problem) {
    bool packed = unpack_is_packed(unpacker);
    problem_set(problem, "it is longer than %llu MiB, the maximum for %s",
                (unsigned long long)(most >> 20),
                packed ? "a packed file of its size" : "standard input");
    problem_help(problem, packed ? "if the file is right, unpack it first: gunzip"
                                 : "write the data to a file first");
}

static char *read_all(Unpacker *unpacker, size_t *length, Problem *problem) {
    size_t room = unpack_knows_length(unpacker) ? (size_t)unpack_longest(unpacker) + 1 : FIRST_ROOM;
    uint64_t most = unpack_reasonable(unpacker);
    char *bytes = memory_try_grow(NULL, room);
    int64_t got = 1;
    *length = 0;
    while (bytes && got > 0 && *length <= most) {
        if (*length + 1 == room) {
            char *more = memory_try_grow(bytes, room *= 2);
            if (!more) free(bytes);
            bytes = more;
        }
        got = bytes ? unpack_read(unpacker, bytes + *length, room - 1 - *length, problem) : 0;
        if (got > 0) *length += (size_t)got;
    }
    if (!bytes) problem_set(problem, "no memory for the contents of the file");
    if (bytes && *length > most) {
        report_too_long(unpacker, most, problem);
        got = -1;
    }
    if (bytes && got == 0) return bytes[*length] = '\0', bytes;
    free(bytes);
    return NULL;
}

char *reader_contents(const char *path, size_t *length, Problem *problem) {
    Unpacker *unpacker = unpack_open(path, problem);
    char *bytes = unpacker ? read_all(unpacker, length, problem) : NULL;
    unpack_close(unpacker);
    return bytes;
}

void reader_report(const Problem *problem, Span span, Diagnostics *diag) {
    diag_error(diag, STATUS_DATA, span, "%s", problem->finding);
    if (*problem->help) diag_help(diag, "%s", problem->help);
}
