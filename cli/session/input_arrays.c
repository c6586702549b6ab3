/* New rows from NumPy arrays: one .npy file, a .npy file for each field that the model reads, or an
 * .npz archive. */
#include "cli/session/input_files.h"
#include "ir/base/memory.h"
#include "ir/data/derived.h"

#include <stdlib.h>
#include <string.h>

/* The shape without axes of size 1: [28, 28] fits [1, 28, 28]. */
static Shape squeezed(Shape shape) {
    Shape result = {0};
    for (int i = 0; i < shape.rank; i++)
        if (shape.dim[i] != 1) result.dim[result.rank++] = shape.dim[i];
    return result;
}

/* The number of rows of shape `row` in an array; 0 if the shape does not fit. */
static int64_t rows_of(const SourceField *array, int64_t first, Shape row) {
    Shape whole = {.rank = array->row.rank + 1, .dim = {first}};
    memcpy(&whole.dim[1], array->row.dim, (size_t)array->row.rank * sizeof *whole.dim);
    if (shape_equal(squeezed(array->row), squeezed(row))) return first;
    return shape_equal(squeezed(whole), squeezed(row)) ? 1 : 0;
}

/* The elements of the array, converted to the type of the field. NULL after reporting an element
 * that does not fit. */
static void *take_elements(const InputFiles *input, const SourceField *field, DType dtype,
                           const void *data, int64_t rows, const char *what) {
    int64_t count = rows * shape_elements(field->row);
    void *elements = memory_array((size_t)count, dtype_bytes(field->dtype), "the rows of an array");
    for (int64_t i = 0; i < count; i++) {
        if (input_put_element(elements, field->dtype, i, dtype_element(dtype, data, i))) continue;
        diag_error(input_diag(input), STATUS_DATA, (Span){0},
                   "element %lld of %s is %.9g, but the network reads %s", (long long)i, what,
                   dtype_element(dtype, data, i),
                   field->dtype == DTYPE_U8 ? "bytes" : "whole numbers");
        free(elements);
        return NULL;
    }
    return elements;
}

static bool wrong_shape(const InputFiles *input, const SourceField *field, const SourceField *array,
                        int64_t first, const char *what) {
    char found[SHAPE_TEXT], wanted[SHAPE_TEXT];
    Shape whole = {.rank = array->row.rank + 1, .dim = {first}};
    memcpy(&whole.dim[1], array->row.dim, (size_t)array->row.rank * sizeof *whole.dim);
    diag_error(
        input_diag(input), STATUS_DATA, (Span){0}, "%s is %s, but the network reads rows of %s",
        what, shape_text(array->dtype, whole, found), shape_text(field->dtype, field->row, wanted));
    diag_help(input_diag(input), "the first axis must be the rows");
    return false;
}

/* A field that the network reads as it is may be computed with as well: then all its digits are
 * needed. */
static void add_wanted(SourceField *wanted, uint32_t *count, SourceField field) {
    for (uint32_t i = 0; i < *count; i++) {
        if (strcmp(wanted[i].name, field.name)) continue;
        wanted[i].is_wide |= field.is_wide;
        return;
    }
    wanted[(*count)++] = field;
}

/* The list of columns that a derived column is computed from; NULL if there is none. */
static const Derived *columns_in(const Derived *derived) {
    if (derived->kind == DERIVED_COLUMNS) return derived->is_list ? derived : NULL;
    const Derived *columns = NULL;
    for (int i = 0; i < derived_arity(derived->kind) && !columns; i++)
        columns = columns_in(derived->args[i]);
    return columns;
}

/* The arrays that the files must hold: fields of the source, or several columns side by side.
 * standardize(x), classes(label) and windows of rows are computed from their fields, so the fields
 * are wanted instead. */
static SourceField *wanted_arrays(const InputFiles *input, uint32_t *count) {
    const SourceSchema *schema = &input->session->build.info->schema;
    Arena *arena = input->session->arena;
    SourceField *wanted = ARENA_ARRAY(arena, SourceField, input->read_count + schema->field_count);
    const char *series = input_series(input);
    *count = 0;
    for (uint32_t i = 0; i < input->read_count; i++) {
        SourceRows rows;
        const Symbol *symbol = &input->reads[i];
        bool around = source_rows_of(symbol->name, &rows) != symbol->name;
        const Derived *derived = derived_find(arena, schema, source_rows_of(symbol->name, &rows));
        uint32_t reads;
        const uint32_t *fields = source_reads(schema, symbol->name, arena, &reads);
        const Derived *columns = derived ? columns_in(derived) : NULL;
        bool computed = derived && (around || derived->kind != DERIVED_COLUMNS);
        if (columns) fields = columns->fields, reads = columns->count;
        for (uint32_t k = 0; computed && k < reads; k++)
            add_wanted(wanted, count, schema->fields[fields[k]]);
        if (!computed)
            add_wanted(wanted, count,
                       (SourceField){
                           .name = symbol->name, .dtype = symbol->dtype, .row = input_row(symbol)});
    }
    if (series && source_field(schema, series))
        add_wanted(wanted, count, *source_field(schema, series));
    return wanted;
}

/* Sorts fields of the source into their order; other arrays follow. */
static void sort_wanted(const SourceSchema *schema, SourceField *wanted, uint32_t count) {
    uint32_t sorted = 0;
    for (uint32_t k = 0; k < schema->field_count; k++) {
        for (uint32_t i = sorted; i < count; i++) {
            if (strcmp(wanted[i].name, schema->fields[k].name)) continue;
            SourceField field = wanted[i];
            memmove(&wanted[sorted + 1], &wanted[sorted], (i - sorted) * sizeof *wanted);
            wanted[sorted++] = field;
            break;
        }
    }
}

/* Reads a field from the array of its name in an archive, or from the single array `only` of a
 * file. All arrays must have *rows rows; 0: not known yet. */
static bool take_array(const InputFiles *input, const Dataset *arrays, const char *only,
                       const SourceField *field, void **elements, int64_t *rows) {
    const void *data;
    const SourceField *array = dataset_find(arrays, only ? only : field->name, &data);
    const char *what = arena_format(input->session->arena, only ? "'%s'" : "'%s', array '%s',",
                                    input->files[0], field->name);
    if (!array) {
        diag_error(input_diag(input), STATUS_DATA, (Span){0},
                   "'%s' has no array '%s', which the network reads", input->files[0], field->name);
        const SourceSchema *schema = dataset_fields(arrays);
        const char **names = ARENA_ARRAY(input->session->arena, const char *, schema->field_count);
        for (uint32_t i = 0; i < schema->field_count; i++) names[i] = schema->fields[i].name;
        diag_suggest(input_diag(input), field->name, names, schema->field_count);
        return false;
    }
    int64_t first = dataset_rows(arrays, SPLIT_TRAIN) + dataset_rows(arrays, SPLIT_TEST);
    int64_t own = rows_of(array, first, field->row);
    if (!own || (*rows && own != *rows)) return wrong_shape(input, field, array, first, what);
    *rows = own;
    return (*elements = take_elements(input, field, array->dtype, data, own, what)) != NULL;
}

/* Element i of a field is element begin + i * step of the array. */
typedef struct {
    const Dataset *arrays;
    const char *name;
    int64_t begin, step;
} ArrayOrigin;

/* Columns derived from a wide field are computed in f64 with all digits, so these are kept. */
static void copy_digits(const InputFiles *input, const SourceField *fields, uint32_t field,
                        ArrayOrigin from) {
    if (fields[field].is_wide)
        dataset_copy_exact(input->session->dataset, field, from.arrays, from.name, from.begin,
                           from.step);
}

/* Makes the data set if all `count` fields have been read; frees their elements otherwise. */
static bool make_dataset(const InputFiles *input, const SourceField *fields, uint32_t count,
                         void **elements, uint32_t taken, int64_t rows) {
    while (taken < count && taken > 0) free(elements[--taken]);
    if (taken < count) return false;
    const SourceSchema *schema = &input->session->build.info->schema;
    input->session->dataset =
        dataset_new(fields, count, elements, rows, input_series(input), schema);
    return input_drop_incomplete(input);
}

/* Reads fields that are the columns of the single array of a file. */
static bool take_columns(InputFiles *input, const Dataset *arrays, const char *only,
                         const SourceField *fields, uint32_t count) {
    const void *data;
    const SourceField *array = dataset_find(arrays, only, &data);
    const SourceField all = {.dtype = DTYPE_F32, .row = {1, {count}}};
    const char *what = arena_format(input->session->arena, "'%s'", input->files[0]);
    int64_t first = dataset_rows(arrays, SPLIT_TRAIN),
            rows = array ? rows_of(array, first, all.row) : 0;
    void **elements = ARENA_ARRAY(input->session->arena, void *, count);
    uint32_t taken = 0;
    if (!rows) return array && wrong_shape(input, &all, array, first, what);
    size_t size = dtype_bytes(array->dtype);
    char *column = memory_array((size_t)rows, size, "the rows of an array");
    for (bool good = true; taken < count && good; taken += good) {
        for (int64_t i = 0; i < rows; i++)
            memcpy(column + (size_t)i * size,
                   (const char *)data + (size_t)(i * count + taken) * size, size);
        good = (elements[taken] =
                    take_elements(input, &fields[taken], array->dtype, column, rows, what)) != NULL;
    }
    free(column);
    if (!make_dataset(input, fields, count, elements, taken, rows)) return false;
    for (uint32_t i = 0; i < count; i++)
        copy_digits(input, fields, i, (ArrayOrigin){arrays, only, i, count});
    return true;
}

/* Appends to the `count` fields that predictions need the labels that the archive holds as well. */
static const SourceField *with_labels(const InputFiles *input, const Dataset *arrays,
                                      uint32_t *count) {
    const void *data;
    InputFiles labelled = *input;
    uint32_t all, needed = *count;
    if (!input_add_labels(&labelled)) return NULL;
    SourceField *fields = wanted_arrays(&labelled, &all);
    int64_t rows = dataset_rows(arrays, SPLIT_TRAIN) + dataset_rows(arrays, SPLIT_TEST);
    for (uint32_t i = needed; i < all; i++) {
        const SourceField *array = dataset_find(arrays, fields[i].name, &data);
        if (array && rows_of(array, rows, fields[i].row) == rows) fields[(*count)++] = fields[i];
    }
    return fields;
}

static bool take_arrays(InputFiles *input, const Dataset *arrays, const char *only) {
    uint32_t taken = 0, count;
    int64_t rows = 0;
    const SourceField *fields = wanted_arrays(input, &count);
    if (only && count > 1) return take_columns(input, arrays, only, fields, count);
    if (!only && input->read_count == input->network_count)
        fields = with_labels(input, arrays, &count);
    if (!fields) return false;
    void **elements = ARENA_ARRAY(input->session->arena, void *, count);
    while (taken < count &&
           take_array(input, arrays, only, &fields[taken], &elements[taken], &rows))
        taken++;
    if (!make_dataset(input, fields, count, elements, taken, rows)) return false;
    for (uint32_t i = 0; i < count; i++)
        copy_digits(input, fields, i, (ArrayOrigin){arrays, only ? only : fields[i].name, 0, 1});
    return true;
}

static bool open_arrays(InputFiles *input, const char *reader, const char *argument,
                        const char *only) {
    SourceArg arg = {.name = argument, .kind = SOURCE_ARG_STRING, .text = input->files[0]};
    Dataset *arrays = input_one_file(input)
                          ? input_open_with(input, reader, &arg, 1, NULL, input_diag(input))
                          : NULL;
    bool good = arrays && take_arrays(input, arrays, only);
    dataset_free(arrays);
    return good;
}

/* Reads one file for each wanted array, in the order of the fields of the source. */
static bool open_array_each(InputFiles *input, SourceField *fields, uint32_t count) {
    uint32_t taken = 0;
    int64_t rows = 0;
    bool good = true;
    sort_wanted(&input->session->build.info->schema, fields, count);
    void **elements = ARENA_ARRAY(input->session->arena, void *, count);
    Dataset **arrays = ARENA_ARRAY(input->session->arena, Dataset *, count);
    for (uint32_t i = 0; i < count && good; i++) {
        InputFiles one = *input;
        one.files = &input->files[i];
        SourceArg arg = {.name = "x", .kind = SOURCE_ARG_STRING, .text = one.files[0]};
        arrays[i] = input_open_with(&one, "npy", &arg, 1, NULL, input_diag(input));
        good = arrays[i] && take_array(&one, arrays[i], "x", &fields[i], &elements[taken], &rows);
        taken += good;
    }
    good = make_dataset(input, fields, count, elements, taken, rows);
    for (uint32_t i = 0; i < count; i++) {
        if (good) copy_digits(input, fields, i, (ArrayOrigin){arrays[i], "x", 0, 1});
        dataset_free(arrays[i]);
    }
    return good;
}

bool input_open_array(InputFiles *input) {
    uint32_t count;
    SourceField *wanted = wanted_arrays(input, &count);
    if (count > 1 && input->count == (int)count) return open_array_each(input, wanted, count);
    if (input->read_count == input->network_count)
        return (count == 1 || input_only(input, "an array")) && open_arrays(input, "npy", "x", "x");
    diag_error(input_diag(input), STATUS_USAGE, (Span){0}, "%u arrays are needed, not %d: '%s'%s",
               count, input->count, wanted[0].name,
               count > 1 ? " and those that the loss compares it with" : "");
    diag_help(
        input_diag(input),
        "give one file for each field of the source that the model reads, in their order, or an .npz file with all of them");
    return false;
}

bool input_open_archive(InputFiles *input) { return open_arrays(input, "npz", "path", NULL); }
