/* NumPy arrays as the fields of a source. An array that needs no conversion is used in place. */
#include "runtime/data/arrays.h"
#include "runtime/data/splits.h"
#include "ir/base/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool arrays_report(const ArrayPart *part, const Problem *problem, Diagnostics *diag) {
    diag_error(diag, STATUS_DATA, part->span, "%s: %s", part->name, problem->finding);
    if (*problem->help) diag_help(diag, "%s", problem->help);
    return false;
}

static Shape row_of(const NpyArray *array) {
    return shape_of(array->shape.rank - 1, &array->shape.dim[1]);
}

/* -- from names of arrays to fields and splits -- */

/* The name of the field: "x" for "x_train", "images" for "val_images". */
static const char *field_and_split(Arena *arena, const char *name, Split *split) {
    const char *first = strchr(name, '_'), *last = strrchr(name, '_');
    *split = SPLIT_TRAIN;
    if (!first || !first[1] || last == name) return name;
    if (split_of_word(name, (size_t)(first - name), split)) return first + 1;
    if (split_of_word(last + 1, strlen(last + 1), split))
        return arena_copy_string(arena, name, (size_t)(last - name));
    return name;
}

static ArrayField *field_named(ArrayFields *fields, const char *name) {
    for (uint32_t i = 0; i < fields->count; i++)
        if (!strcmp(fields->items[i].name, name)) return &fields->items[i];
    if (fields->count == ARRAYS_MAX) return NULL;
    fields->items[fields->count].name = name;
    return &fields->items[fields->count++];
}

ArrayPart *arrays_part(ArrayFields *fields, Arena *arena, const char *name, const char *where,
                       Span span, Diagnostics *diag) {
    Split split;
    ArrayField *field = field_named(fields, field_and_split(arena, name, &split));
    if (!field)
        return diag_error(diag, STATUS_DATA, span, "these are more than %d arrays", ARRAYS_MAX),
               NULL;
    ArrayPart *part = &field->parts[split];
    if (!part->name) return part;
    diag_error(diag, STATUS_DATA, span, "'%.100s' in '%s' would be the same field as %s", name,
               where, part->name);
    diag_help(
        diag,
        "both are the %s rows of '%.100s'; numpy.savez(path, images = ..., labels = ...) gives arrays names",
        split_of_rows(split), field->name);
    return NULL;
}

const char *arrays_file_name(Arena *arena, const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t length = strcspn(name, ".");
    return arena_copy_string(arena, name, length ? length : strlen(name));
}

/* -- checks -- */

static bool check_alike(const ArrayPart *train, const ArrayPart *part, Diagnostics *diag) {
    char wanted[SHAPE_TEXT], found[SHAPE_TEXT];
    const NpyArray *a = &train->array, *b = &part->array;
    if (a->dtype == b->dtype && shape_equal(row_of(a), row_of(b))) return true;
    diag_error(diag, STATUS_DATA, part->span, "a row of %s is %s, but one of %s is %s", part->name,
               shape_text(b->dtype, row_of(b), found), train->name,
               shape_text(a->dtype, row_of(a), wanted));
    return false;
}

static bool none_of(const ArrayPart *there, const char *with, Split split, Split missing,
                    const char *without_name, Diagnostics *diag) {
    diag_error(diag, STATUS_DATA, there->span,
               "%s holds %s rows of '%.100s', but there are no %s rows of '%.100s'", there->name,
               split_of_rows(split), with, split_of_rows(missing), without_name);
    diag_help(diag, "arrays are the rows of one field by their names: x_train, x_val and x_test");
    return false;
}

/* Checks that a field with held-out rows has training rows, and that all fields have the same
 * splits. */
static bool check_splits(const ArrayField *first, const ArrayField *field, Diagnostics *diag) {
    for (Split split = SPLIT_VALID; split < SPLIT_COUNT; split++) {
        const ArrayPart *part = &field->parts[split], *of_first = &first->parts[split];
        if (part->name && !field->parts[SPLIT_TRAIN].name)
            return none_of(part, field->name, split, SPLIT_TRAIN, field->name, diag);
        if (part->name && !of_first->name)
            return none_of(part, field->name, split, split, first->name, diag);
        if (!part->name && of_first->name)
            return none_of(of_first, first->name, split, split, field->name, diag);
    }
    return true;
}

static bool check_field(const ArrayField *first, const ArrayField *field, Diagnostics *diag) {
    if (!check_splits(first, field, diag)) return false;
    for (Split split = 0; split < SPLIT_COUNT; split++) {
        const ArrayPart *part = &field->parts[split];
        if (!part->name) continue;
        if (!check_alike(&field->parts[SPLIT_TRAIN], part, diag)) return false;
        if (part->array.shape.dim[0] != first->parts[split].array.shape.dim[0]) {
            diag_error(diag, STATUS_DATA, part->span,
                       "%s has %" PRId64 " rows, but %s has %" PRId64, part->name,
                       part->array.shape.dim[0], first->parts[split].name,
                       first->parts[split].array.shape.dim[0]);
            return false;
        }
    }
    return true;
}

/* -- arrays that cannot be fields -- */

static int64_t rows_of(const ArrayField *field, Split split) {
    return field->parts[split].name ? field->parts[split].array.shape.dim[0] : 0;
}

const SourceUnreadable *arrays_unreadable(Arena *arena, const ArrayPart *part,
                                          const Problem *problem) {
    SourceUnreadable *unreadable = ARENA_NEW(arena, SourceUnreadable);
    unreadable->finding = arena_format(arena, "%s: %s", part->name, problem->finding);
    unreadable->help = *problem->help ? arena_format(arena, "%s", problem->help) : NULL;
    return unreadable;
}

static const ArrayPart *unreadable_part(const ArrayField *field) {
    for (Split split = 0; split < SPLIT_COUNT; split++)
        if (field->parts[split].unreadable) return &field->parts[split];
    return NULL;
}

/* The readable field with the most training rows; NULL without one. */
static const ArrayField *longest_field(const ArrayFields *fields) {
    const ArrayField *longest = NULL;
    for (uint32_t i = 0; i < fields->count; i++) {
        const ArrayField *field = &fields->items[i];
        if (unreadable_part(field)) continue;
        if (!longest || rows_of(field, SPLIT_TRAIN) > rows_of(longest, SPLIT_TRAIN))
            longest = field;
    }
    return longest;
}

typedef struct {
    Arena *arena;
    SourceUnreadable *unreadable;
} FindingCopy;

static void take_line(void *context, const DiagLine *line) {
    const FindingCopy *to = context;
    const char **text = line->kind == DIAG_HELP ? &to->unreadable->help : &to->unreadable->finding;
    *text = arena_format(to->arena, "%s", line->message);
}

/* Describes how the rows of a field differ from the reference; false if they do not. */
static bool has_other_rows(const ArrayField *reference, ArrayField field, Arena *arena,
                           SourceUnreadable *why) {
    ArrayField first = *reference;
    Diagnostics *diag = diag_new();
    for (Split split = 0; split < SPLIT_COUNT; split++) /* the error has another place */
        field.parts[split].span = first.parts[split].span = (Span){0};
    bool same = check_field(&first, &field, diag);
    diag_visit(diag, take_line, &(FindingCopy){arena, why});
    diag_free(diag);
    return !same;
}

static bool report_none(const ArrayFields *fields, Diagnostics *diag) {
    const ArrayPart *part = fields->count ? unreadable_part(fields->items) : NULL;
    if (!part) return false;
    diag_error(diag, STATUS_DATA, part->span, "%s", part->unreadable->finding);
    if (part->unreadable->help) diag_help(diag, "%s", part->unreadable->help);
    return false;
}

/* An array with a number beyond 64 bits is unreadable. */
static void see_numbers(ArrayPart *part, Arena *arena) {
    Problem problem = {0};
    if (part->name && !part->unreadable && !npy_is_wide(&part->array, &part->wide, &problem))
        part->unreadable = arrays_unreadable(arena, part, &problem);
}

bool arrays_leave_unreadable(ArrayFields *fields, bool other_rows, SourceData *data,
                             Diagnostics *diag) {
    for (uint32_t i = 0; i < fields->count; i++)
        for (Split split = 0; split < SPLIT_COUNT; split++)
            see_numbers(&fields->items[i].parts[split], data->arena);
    const ArrayField *longest = longest_field(fields);
    if (!longest) return report_none(fields, diag);
    const ArrayField reference = *longest; /* a copy: the list is compacted below */
    SourceUnreadable *list = ARENA_ARRAY(data->arena, SourceUnreadable, fields->count);
    uint32_t kept = 0, left = 0;
    for (uint32_t i = 0; i < fields->count; i++) {
        const ArrayField *field = &fields->items[i];
        const ArrayPart *part = unreadable_part(field);
        if (part)
            list[left] = *part->unreadable;
        else if (!other_rows || !has_other_rows(&reference, *field, data->arena, &list[left])) {
            fields->items[kept++] = *field;
            continue;
        }
        list[left++].name = field->name;
    }
    fields->count = kept;
    data->schema.unreadable = list;
    data->schema.unreadable_count = left;
    return true;
}

bool arrays_check(ArrayField *fields, uint32_t count, Diagnostics *diag) {
    for (uint32_t i = 0; i < count; i++)
        if (!check_field(fields, &fields[i], diag)) return false;
    for (uint32_t i = 0; i < count; i++) {
        /* all parts of a field get the same type */
        for (Split split = 0; split < SPLIT_COUNT; split++)
            fields[i].is_wide |= fields[i].parts[split].wide;
        for (Split split = 0; split < SPLIT_COUNT && fields[i].is_wide; split++)
            fields[i].parts[split].array.dtype = DTYPE_F32;
    }
    if (rows_of(fields, SPLIT_TRAIN) + rows_of(fields, SPLIT_VALID) + rows_of(fields, SPLIT_TEST) <=
        INT32_MAX)
        return true;
    diag_error(diag, STATUS_DATA, fields->parts[SPLIT_TRAIN].span,
               "these are more than %d rows in all", INT32_MAX);
    return false;
}

/* -- elements -- */

/* The first row number of a split. */
static int64_t begin_of(const SourceData *data, Split split) {
    return split == SPLIT_TRAIN   ? 0
           : split == SPLIT_VALID ? data->schema.train_rows
                                  : data->test_begin;
}

typedef void WriteElements(const NpyArray *array, void *to);

/* The elements of all parts, `row` bytes a row; malloc'ed. NULL after reporting that there is no
 * memory. */
static void *bring_together(const ArrayField *field, size_t row, WriteElements *write_elements,
                            const SourceData *data, Diagnostics *diag) {
    size_t all = row * (size_t)source_numbered_rows(data);
    char *together = memory_try(all);
    if (!together)
        diag_error(diag, STATUS_DATA, field->parts[SPLIT_TRAIN].span,
                   "no memory for %zu bytes of data", all);
    for (Split split = 0; split < SPLIT_COUNT && together; split++)
        if (field->parts[split].name)
            write_elements(&field->parts[split].array,
                           together + row * (size_t)begin_of(data, split));
    return together;
}

static bool take_elements(ArrayField *field, const SourceData *data, void **to, Diagnostics *diag) {
    const NpyArray *train = &field->parts[SPLIT_TRAIN].array;
    const void *lies = field->placed;
    if (npy_is_native(train) && ((uintptr_t)train->data % dtype_bytes(train->dtype) == 0) &&
        !field->parts[SPLIT_VALID].name && !field->parts[SPLIT_TEST].name)
        lies = train->data;
    if (!lies && !(field->owned = bring_together(
                       field, (size_t)shape_elements(row_of(train)) * dtype_bytes(train->dtype),
                       npy_convert, data, diag)))
        return false;
    *to = lies ? (void *)lies : field->owned;
    return true;
}

static bool take_exact(ArrayField *field, const SourceData *data, Exact *to, Diagnostics *diag) {
    const NpyArray *train = &field->parts[SPLIT_TRAIN].array;
    size_t row = (size_t)shape_elements(row_of(train)) * sizeof(double);
    to->kind = npy_is_whole(train) ? EXACT_WHOLE : EXACT_REAL;
    to->elements = field->exact = bring_together(field, row, npy_write_exact, data, diag);
    return to->elements != NULL;
}

/* -- the fields -- */

static RowOrigin origin_of(const ArrayField *fields, uint32_t count, Split split,
                           const SourceData *data) {
    const char **parts = ARENA_ARRAY(data->arena, const char *, count);
    for (uint32_t i = 0; i < count; i++) parts[i] = fields[i].parts[split].name;
    return (RowOrigin){
        .begin = (int32_t)begin_of(data, split), .file = fields->parts[split].file, .parts = parts};
}

bool arrays_take(ArrayField *fields, uint32_t count, bool whole, SourceData *data,
                 Diagnostics *diag) {
    reader_fields(data, count);
    data->schema.train_rows = rows_of(fields, SPLIT_TRAIN);
    data->schema.valid_rows = rows_of(fields, SPLIT_VALID);
    data->schema.test_rows = rows_of(fields, SPLIT_TEST);
    if (!data->test_begin) data->test_begin = data->schema.train_rows + data->schema.valid_rows;
    uint32_t origins = 0;
    reader_origins(data, SPLIT_COUNT);
    for (Split split = 0; split < SPLIT_COUNT; split++)
        if (fields->parts[split].name)
            data->origins[origins++] = origin_of(fields, count, split, data);
    data->origin_count = origins;
    for (uint32_t i = 0; i < count; i++) {
        const NpyArray *array = &fields[i].parts[SPLIT_TRAIN].array;
        data->fields[i] = (SourceField){.name = fields[i].name,
                                        .dtype = array->dtype,
                                        .row = row_of(array),
                                        .is_wide = fields[i].is_wide};
        if (whole && fields[i].is_wide && !take_exact(&fields[i], data, &data->exact[i], diag))
            return false;
        if (whole && !take_elements(&fields[i], data, &data->data[i], diag)) return false;
    }
    return true;
}

void arrays_free(ArrayField *fields, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        free(fields[i].owned);
        free(fields[i].exact);
    }
}
