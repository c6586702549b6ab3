/* Finds the fields of a source by name, and writes and reads the names of inputs that are several
 * columns side by side. */
#include "ir/data/source.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "columns:"

const SourceField *source_field(const SourceSchema *schema, const char *name) {
    for (uint32_t i = 0; i < schema->field_count; i++)
        if (!strcmp(schema->fields[i].name, name)) return &schema->fields[i];
    return NULL;
}

const char *source_series(const SplitRequest *request) {
    if (request->series) return request->series;
    return request->test.kind == HOLD_GROUP    ? request->test.field
           : request->valid.kind == HOLD_GROUP ? request->valid.field
                                               : NULL;
}

const SourceField *source_any(const SourceSchema *schema, const char *name) {
    const SourceField *field = source_field(schema, name);
    for (uint32_t i = 0; !field && schema->derived && i < schema->derived->count; i++)
        if (!strcmp(schema->derived->items[i]->name, name)) field = schema->derived->items[i];
    return field;
}

void source_add_derived(SourceSchema *schema, const SourceField *field) {
    DerivedFields *derived = schema->derived;
    ARENA_ROOM(derived->arena, derived->items, derived->count, derived->capacity);
    derived->items[derived->count++] = field;
}

static const char *copy_text(const char *text, Arena *arena) {
    return text ? arena_copy_string(arena, text, strlen(text)) : NULL;
}

SourceField source_field_copy(const SourceField *field, Arena *arena) {
    SourceField copy = *field;
    const char **categories = ARENA_ARRAY(arena, const char *, field->category_count);
    int64_t *numbers = ARENA_ARRAY(arena, int64_t, field->category_count);
    for (uint32_t i = 0; i < field->category_count; i++) {
        categories[i] = copy_text(field->categories[i], arena);
        if (field->numbers) numbers[i] = field->numbers[i];
    }
    copy.name = copy_text(field->name, arena);
    copy.categories = field->categories ? categories : NULL;
    copy.numbers = field->numbers ? numbers : NULL;
    copy.unseen_text = copy_text(field->unseen_text, arena);
    copy.why_text = copy_text(field->why_text, arena);
    copy.why_cell = copy_text(field->why_cell, arena);
    return copy;
}

SourceSchema source_schema_copy(const SourceSchema *schema, Arena *arena) {
    SourceField *fields = ARENA_ARRAY(arena, SourceField, schema->field_count);
    SourceSchema copy = *schema;
    copy.fields = fields;
    for (uint32_t i = 0; i < schema->field_count; i++)
        fields[i] = source_field_copy(&schema->fields[i], arena);
    SourceUnreadable *unreadable = ARENA_ARRAY(arena, SourceUnreadable, schema->unreadable_count);
    copy.unreadable = unreadable;
    for (uint32_t i = 0; i < schema->unreadable_count; i++) {
        const SourceUnreadable *from = &schema->unreadable[i];
        unreadable[i].name = arena_format(arena, "%s", from->name);
        unreadable[i].finding = arena_format(arena, "%s", from->finding);
        unreadable[i].help = from->help ? arena_format(arena, "%s", from->help) : NULL;
    }
    return copy;
}

#define ROWS_PREFIX "rows:"

const char *source_rows_name(Arena *arena, int64_t from, int64_t to, int64_t stride,
                             const char *name) {
    return arena_format(arena, ROWS_PREFIX "%" PRId64 ":%" PRId64 ":%" PRId64 ":%s", from, to,
                        stride, name);
}

const char *source_rows_of(const char *name, SourceRows *rows) {
    SourceRows found;
    int length = 0;
    *rows = (SourceRows){0, 0, 1};
    int numbers = sscanf(name, ROWS_PREFIX "%" SCNd64 ":%" SCNd64 ":%" SCNd64 ":%n", &found.from,
                         &found.to, &found.stride, &length);
    if (numbers < 3 || !length) return name;
    *rows = found;
    return name + length;
}

const char *source_columns_name(Arena *arena, const uint32_t *fields, uint32_t count) {
    enum { PIECE = 24 };
    char *name = arena_alloc(arena, sizeof PREFIX + (size_t)count * PIECE);
    size_t at = (size_t)sprintf(name, PREFIX);
    for (uint32_t i = 0; i < count;) {
        /* The number of fields from `first` on that follow each other in the schema. */
        uint32_t end = i + 1;
        while (end < count && fields[end] == fields[end - 1] + 1) end++;
        uint32_t length = end - i;
        at += (size_t)sprintf(name + at, "%s%" PRIu32, i ? "," : "", fields[i]);
        if (length > 1) at += (size_t)sprintf(name + at, "-%" PRIu32, fields[i + length - 1]);
        i += length;
    }
    return name;
}

/* Reads a number below `limit` at *text and moves *text to its end. */
static bool read_index(const char **text, uint32_t limit, uint32_t *index) {
    char *end;
    if (**text < '0' || **text > '9') return false;
    unsigned long value = strtoul(*text, &end, 10);
    *text = end;
    *index = (uint32_t)value;
    return value < limit;
}

/* Reads a piece of a name, "3" or "0-7". Its columns go to `fields`, which may be NULL. */
static bool read_piece(const char **text, uint32_t limit, uint32_t *fields, uint32_t *count) {
    uint32_t first, last;
    if (!read_index(text, limit, &first)) return false;
    last = first;
    if (**text == '-' && (++*text, !read_index(text, limit, &last))) return false;
    for (uint32_t field = first; field <= last; field++, ++*count)
        if (fields) fields[*count] = field;
    return last >= first;
}

static bool read_pieces(const char *text, uint32_t limit, uint32_t *fields, uint32_t *count) {
    *count = 0;
    while (read_piece(&text, limit, fields, count) && *count < INT32_MAX / 2) {
        if (!*text) return true;
        if (*text++ != ',') return false;
    }
    return false;
}

const uint32_t *source_columns_find(const SourceSchema *schema, const char *name, Arena *arena,
                                    uint32_t *count) {
    size_t prefix = sizeof PREFIX - 1;
    if (strncmp(name, PREFIX, prefix) ||
        !read_pieces(name + prefix, schema->field_count, NULL, count))
        return NULL;
    uint32_t *fields = ARENA_ARRAY(arena, uint32_t, *count);
    read_pieces(name + prefix, schema->field_count, fields, count);
    return fields;
}
