/* The columns of a data set by their names. Lists of columns, derived columns and windows of rows
 * are computed when they are first requested, and kept. */
#include "ir/base/memory.h"
#include "runtime/data/class_columns.h"
#include "runtime/data/dataset_struct.h"
#include "runtime/data/faults.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool dataset_has_fields(const Dataset *dataset, const uint32_t *fields, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (!dataset->source.data[fields[i]]) return false;
    return true;
}

void dataset_drop_computed(Dataset *dataset) {
    for (ComputedColumn *column = dataset->computed; column; column = column->next)
        free(column->data);
    dataset->computed = NULL;
}

static ComputedColumn *add_column(Dataset *dataset, const char *name, SourceField field,
                                  void *data) {
    SourceData *source = &dataset->source;
    ComputedColumn *column = ARENA_NEW(source->arena, ComputedColumn);
    *column = (ComputedColumn){.next = dataset->computed, .field = field, .data = data};
    column->field.name = arena_copy_string(source->arena, name, strlen(name));
    dataset->computed = column;
    return column;
}

static const ComputedColumn *computed_column(const Dataset *dataset, const char *name) {
    for (const ComputedColumn *column = dataset->computed; column; column = column->next)
        if (!strcmp(column->field.name, name)) return column;
    return NULL;
}

/* -- lists of columns, and windows of rows -- */

/* Writes column `k` of `width`: numbers as f32, text as codes. */
static void fill_column(const SourceField *field, const void *from, int64_t rows, uint32_t k,
                        uint32_t width, void *to) {
    const float *numbers = from;
    const int32_t *whole = from;
    for (int64_t row = 0; row < rows; row++) {
        int64_t at = row * width + k;
        if (field->is_text)
            ((int32_t *)to)[at] = whole[row];
        else
            ((float *)to)[at] = field->dtype == DTYPE_I32 ? (float)whole[row] : numbers[row];
    }
}

/* The value of a missing element: NaN, or -1, which is not a class. */
static void fill_missing(const SourceField *field, void *to, int64_t elements) {
    for (int64_t i = 0; i < elements; i++) {
        if (field->dtype == DTYPE_F32) ((float *)to)[i] = NAN;
        if (field->dtype == DTYPE_I32) ((int32_t *)to)[i] = -1;
        if (field->dtype == DTYPE_U8) ((uint8_t *)to)[i] = 0;
    }
}

/* Gathers the window of each row from its run; elements beyond the ends are missing. */
static void fill_window(const Dataset *dataset, const SourceField *field, const char *from,
                        SourceRows rows, char *to) {
    const SeriesRuns *runs = &dataset->runs;
    int64_t elements = shape_elements(field->row), length = rows.to - rows.from + 1;
    size_t bytes = (size_t)elements * dtype_bytes(field->dtype);
    for (int64_t i = 0; i < runs->count; i++) {
        int32_t row = runs->order[i];
        for (int64_t k = 0; k < length; k++) {
            char *place = to + (size_t)(row * length + k) * bytes;
            int32_t other = runs_row(runs, row, rows.from + k);
            if (other < 0)
                fill_missing(field, place, elements);
            else
                memcpy(place, from + (size_t)other * bytes, bytes);
        }
    }
}

static const ComputedColumn *make_window(Dataset *dataset, const char *name, const char *inner,
                                         SourceRows rows) {
    const void *data;
    const SourceField *found = dataset_find(dataset, inner, &data);
    if (!found || !dataset->runs.count || found->row.rank + 1 >= SHAPE_MAX_RANK) return NULL;
    SourceField field = *found;
    int64_t length = rows.to - rows.from + 1;
    field.row.rank++;
    field.row.dim[0] = length;
    memcpy(&field.row.dim[1], found->row.dim, (size_t)found->row.rank * sizeof *field.row.dim);
    size_t numbered = (size_t)source_numbered_rows(&dataset->source);
    char *all = memory_new(numbered * (size_t)shape_elements(field.row) * dtype_bytes(field.dtype),
                           "the columns of the data");
    fill_window(dataset, found, data, rows, all);
    return add_column(dataset, name, field, all);
}

static const ComputedColumn *make_list(Dataset *dataset, const char *name) {
    uint32_t count;
    SourceData *source = &dataset->source;
    const uint32_t *fields = source_columns_find(&source->schema, name, source->arena, &count);
    if (!fields || !dataset_has_fields(dataset, fields, count)) return NULL;
    bool text = source->fields[fields[0]].is_text;
    SourceField field = {
        .dtype = text ? DTYPE_I32 : DTYPE_F32, .row = {1, {count}}, .is_text = text};
    int64_t rows = source_all_rows(&source->schema);
    void *all = memory_new((size_t)rows * count * sizeof(float), "the columns of the data");
    for (uint32_t i = 0; i < count; i++)
        fill_column(&source->fields[fields[i]], source->data[fields[i]], rows, i, count, all);
    return add_column(dataset, name, field, all);
}

/* -- derived columns -- */

static bool is_fitted(const SourceData *source, const Derived *derived) {
    bool known = derived->kind != DERIVED_FITTED || derive_fitted(source, derived->fit);
    for (int i = 0; i < derived_arity(derived->kind) && known; i++)
        known = is_fitted(source, derived->args[i]);
    return known;
}

/* The computed column. NULL if a column that it reads is absent, or after a fault, which is
 * reported if diag is not NULL. */
static const ComputedColumn *make_derived(Dataset *dataset, const char *name, Span span,
                                          Diagnostics *diag) {
    SourceData *source = &dataset->source;
    const SourceSchema *schema = &source->schema;
    DeriveFault fault = {0};
    const Derived *derived = derived_find(source->arena, schema, name);
    uint32_t *reads = ARENA_ARRAY(source->arena, uint32_t, schema->field_count);
    if (!derived || !dataset_has_fields(dataset, reads, derived_reads(schema, derived, reads)) ||
        !is_fitted(source, derived))
        return NULL;
    if (derived->kind == DERIVED_CLASSES) {
        SourceField classes;
        const SourceField *like = dataset->like ? source_any(dataset->like, name) : NULL;
        int32_t *codes =
            class_column_make(source, &dataset->splits, like, derived, &classes, span, diag);
        return codes ? add_column(dataset, name, classes, codes) : NULL;
    }
    void *elements = derive_elements(source, derived, &fault);
    if (!elements && diag) report_fault(source, name, &fault, span, diag);
    if (!elements) return NULL;
    SourceField field = {
        .dtype = derived_dtype(derived), .row = derived_row(schema, derived), .is_column = true};
    ComputedColumn *column = add_column(dataset, name, field, elements);
    column->derived = derived;
    return column;
}

/* -- by name -- */

/* Reports errors of a derived column if diag is not NULL. */
static const ComputedColumn *make_column(Dataset *dataset, const char *name, Span span,
                                         Diagnostics *diag) {
    SourceRows rows;
    const char *inner = source_rows_of(name, &rows);
    const ComputedColumn *column =
        inner == name ? make_list(dataset, name) : make_window(dataset, name, inner, rows);
    return column ? column : make_derived(dataset, name, span, diag);
}

bool dataset_derive(const Dataset *dataset, const char *name, Span span, Diagnostics *diag) {
    size_t errors = diag_errors(diag);
    SourceRows rows;
    name = source_rows_of(name, &rows);
    if (!source_field(&dataset->source.schema, name) && !computed_column(dataset, name))
        make_column((Dataset *)dataset, name, span, diag);
    return diag_errors(diag) == errors;
}

const SourceField *dataset_find(const Dataset *dataset, const char *name, const void **data) {
    const SourceData *source = &dataset->source;
    const SourceField *field = source_field(&source->schema, name);
    if (field) {
        *data = source->data[field - source->schema.fields];
        return *data ? field : NULL;
    }
    const ComputedColumn *column = computed_column(dataset, name);
    if (!column) column = make_column((Dataset *)dataset, name, (Span){0}, NULL);
    *data = column ? column->data : NULL;
    return column ? &column->field : NULL;
}

void dataset_add_numbers(Dataset *dataset, const char *name, Shape row, const int32_t *rows,
                         int64_t count, const float *values) {
    size_t width = (size_t)shape_elements(row),
           numbered = (size_t)source_numbered_rows(&dataset->source);
    float *all = memory_new(numbered * width * sizeof *all, "the columns of the data");
    for (size_t i = 0; i < numbered * width; i++) all[i] = NAN;
    for (int64_t i = 0; i < count; i++)
        memcpy(all + (size_t)rows[i] * width, values + (size_t)i * width, width * sizeof *all);
    add_column(dataset, name, (SourceField){.dtype = DTYPE_F32, .row = row}, all);
}

const void *dataset_field(const Dataset *dataset, const char *name) {
    const void *data;
    return dataset_find(dataset, name, &data) ? data : NULL;
}

/* -- missing cells -- */

bool dataset_lacks(const Dataset *dataset, const char *name, int32_t row) {
    SourceRows rows;
    const char *inner = source_rows_of(name, &rows);
    const ComputedColumn *column = computed_column(dataset, inner);
    if (rows.from == rows.to && rows.to)
        row = dataset->runs.count ? runs_row(&dataset->runs, row, rows.to) : -1;
    if (row < 0 || !column || !column->derived) return row < 0;
    return !derive_has_rows(&dataset->source, column->derived, row) ||
           derive_missing(&dataset->source, column->derived, &row) != NULL;
}

/* Bytes and whole numbers have no value that means missing. Text without a category is found by
 * dataset_check_classes. */
static bool may_be_missing(const SourceData *source, const uint32_t *fields, uint32_t count) {
    bool may = false;
    for (uint32_t i = 0; i < count; i++)
        may |= source->fields[fields[i]].dtype == DTYPE_F32 || source->exact[fields[i]].elements;
    return may;
}

bool dataset_check_present(const Dataset *dataset, const char *name, Span span, Diagnostics *diag) {
    const SourceData *source = &dataset->source;
    const Derived *derived = derived_find(source->arena, &source->schema, name);
    uint32_t *reads = ARENA_ARRAY(source->arena, uint32_t, source->schema.field_count);
    uint32_t count = derived ? derived_reads(&source->schema, derived, reads) : 0;
    if (!dataset_has_fields(dataset, reads, count) || !may_be_missing(source, reads, count))
        return true;
    const SourceField *missing = NULL;
    int32_t first = INT32_MAX;
    for (Split split = 0; split < SPLIT_COUNT; split++) {
        for (int64_t i = 0; i < dataset_rows(dataset, split); i++) {
            int32_t row = dataset_split(dataset, split)[i];
            const SourceField *field = row < first ? derive_missing(source, derived, &row) : NULL;
            if (field) missing = field, first = row;
        }
    }
    if (missing) report_missing(source, missing, first, span, diag);
    return !missing;
}
