/* Arrays of NumPy as the fields of a source. One that needs no conversion stays where it is. */
#include "runtime/arrays.h"
#include "runtime/memory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

bool arrays_report(const ArrayPart *part, const Problem *problem, Diagnostics *diag) {
    diag_error(diag, STATUS_DATA, part->span, "%s: %s", part->name, problem->finding);
    if (*problem->remedy) diag_help(diag, "%s", problem->remedy);
    return false;
}

static Shape row_of(const NpyArray *array) {
    Shape row = {.rank = array->shape.rank - 1};
    memcpy(row.dim, &array->shape.dim[1], (size_t)row.rank * sizeof *row.dim);
    return row;
}

static size_t row_bytes(const NpyArray *array) { return (size_t)shape_elements(row_of(array)) * dtype_bytes(array->dtype); }

/* -- checks -- */

static bool check_rows(const ArrayPart *part, const ArrayPart *first, Diagnostics *diag) {
    if (part->array.shape.dim[0] == first->array.shape.dim[0]) return true;
    diag_error(diag, STATUS_DATA, part->span, "%s has %" PRId64 " rows, but %s has %" PRId64, part->name,
               part->array.shape.dim[0], first->name, first->array.shape.dim[0]);
    return false;
}

static bool check_alike(const ArrayField *field, Diagnostics *diag) {
    char train[SHAPE_TEXT], test[SHAPE_TEXT];
    const NpyArray *a = &field->train.array, *b = &field->test.array;
    if (!field->test.name || (a->dtype == b->dtype && shape_equal(row_of(a), row_of(b)))) return true;
    diag_error(diag, STATUS_DATA, field->test.span, "a row of %s is %s, but one of %s is %s", field->test.name,
               shape_text(b->dtype, row_of(b), test), field->train.name, shape_text(a->dtype, row_of(a), train));
    return false;
}

bool arrays_check(const ArrayField *fields, uint32_t count, Diagnostics *diag) {
    for (uint32_t i = 0; i < count; i++) {
        if (!check_alike(&fields[i], diag) || !check_rows(&fields[i].train, &fields[0].train, diag)) return false;
        if (fields[i].test.name && !check_rows(&fields[i].test, &fields[0].test, diag)) return false;
    }
    int64_t rows = fields[0].train.array.shape.dim[0], more = fields[0].test.name ? fields[0].test.array.shape.dim[0] : 0;
    if (rows + more <= INT32_MAX) return true;
    diag_error(diag, STATUS_DATA, fields[0].train.span, "these are more than %d rows in all", INT32_MAX);
    return false;
}

/* -- elements -- */

static bool is_aligned(const NpyArray *array) { return (uintptr_t)array->data % dtype_bytes(array->dtype) == 0; }

static bool convert(const ArrayPart *part, void *to, Diagnostics *diag) {
    Problem problem = {0};
    return npy_convert(&part->array, to, &problem) || arrays_report(part, &problem, diag);
}

static bool bring_together(ArrayField *field, int64_t test_begin, Diagnostics *diag) {
    const NpyArray *train = &field->train.array, *test = &field->test.array;
    size_t row = row_bytes(train), first = row * (size_t)(field->test.name ? test_begin : train->shape.dim[0]);
    size_t more = field->test.name ? row * (size_t)test->shape.dim[0] : 0;
    field->owned = memory_try(first + more);
    if (!field->owned) {
        diag_error(diag, STATUS_DATA, field->train.span, "no memory for %zu bytes of data", first + more);
        return false;
    }
    return convert(&field->train, field->owned, diag) &&
           (!field->test.name || convert(&field->test, (char *)field->owned + first, diag));
}

static bool take_elements(ArrayField *field, int64_t test_begin, void **to, Diagnostics *diag) {
    const void *lies = field->placed;
    if (npy_is_native(&field->train.array) && is_aligned(&field->train.array) && !field->test.name)
        lies = field->train.array.data;
    if (!lies && !bring_together(field, test_begin, diag)) return false;
    *to = lies ? (void *)lies : field->owned;
    return true;
}

/* Of all training rows, or of all test rows. */
static RowOrigin origin_of(const ArrayField *fields, uint32_t count, bool test, int64_t begin, Arena *arena) {
    const char **parts = ARENA_ARRAY(arena, const char *, count);
    for (uint32_t i = 0; i < count; i++) parts[i] = (test ? &fields[i].test : &fields[i].train)->name;
    return (RowOrigin){.begin = (int32_t)begin, .file = (test ? &fields->test : &fields->train)->file, .parts = parts};
}

static void take_origins(const ArrayField *fields, uint32_t count, SourceData *data) {
    bool test = fields[0].test.name != NULL;
    reader_origins(data, test ? 2 : 1);
    data->origins[0] = origin_of(fields, count, false, 0, data->arena);
    if (test) data->origins[1] = origin_of(fields, count, true, data->test_begin, data->arena);
}

bool arrays_take(ArrayField *fields, uint32_t count, bool whole, SourceData *data, Diagnostics *diag) {
    reader_fields(data, count);
    data->schema.train_rows = fields[0].train.array.shape.dim[0];
    if (!data->test_begin) data->test_begin = data->schema.train_rows;
    data->schema.test_rows = fields[0].test.name ? fields[0].test.array.shape.dim[0] : 0;
    take_origins(fields, count, data);
    for (uint32_t i = 0; i < count; i++) {
        const NpyArray *array = &fields[i].train.array;
        data->fields[i] = (SourceField){.name = fields[i].name, .dtype = array->dtype, .row = row_of(array)};
        if (whole && !take_elements(&fields[i], data->test_begin, &data->data[i], diag)) return false;
    }
    return true;
}

void arrays_free(ArrayField *fields, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) free(fields[i].owned);
}
