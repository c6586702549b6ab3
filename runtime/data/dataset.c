/* A data set in memory: the data of a reader, rows assigned to splits, text replaced by codes of
 * the categories of the training rows. */
#include "runtime/data/dataset_struct.h"
#include "ir/base/clock.h"
#include "runtime/data/categories.h"
#include "runtime/data/schema_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* -- readers -- */

static ReadSource *find_reader(const DataSource *source, Diagnostics *diag) {
#define SOURCE(name, signature, doc, read, ...)                                                    \
    if (!strcmp(source->reader, #name)) return read_##read;
#include "ir/data/sources.def"
    diag_error(diag, STATUS_MODEL, source->span, "unknown source '%s'", source->reader);
    return NULL;
}

static void release(SourceData *data) {
    if (data->release) data->release(data);
}

/* Text that occurs in no training row is not a category. */
static void fit_categories(SourceData *data, const Splits *splits) {
    int64_t rows = source_all_rows(&data->schema);
    for (uint32_t i = 0; i < data->schema.field_count; i++) {
        SourceField *field = &data->fields[i];
        if (!field->is_text) continue;
        field->category_count =
            categories_keep((const char **)field->categories, field->category_count, data->data[i],
                            rows, splits->rows[SPLIT_TRAIN], splits->count[SPLIT_TRAIN],
                            &field->unseen, &field->unseen_text);
        field->classes = (int32_t)field->category_count;
    }
}

static bool read_schema(const DataSource *source, const SplitRequest *request, SourceData *data,
                        Diagnostics *diag) {
    ReadSource *read = find_reader(source, diag);
    Splits splits;
    if (!read || !read(source, false, data, diag)) return false;
    bool has_text = false;
    for (uint32_t i = 0; i < data->schema.field_count; i++)
        has_text |= data->schema.fields[i].is_text;
    if (!has_text) return splits_check_own(&data->schema, request, source->span, diag);
    if (!splits_assign(data, request, &splits, diag)) return false;
    fit_categories(data, &splits);
    return true;
}

bool dataset_schema(void *context, const DataSource *source, const SplitRequest *request,
                    Arena *arena, SourceSchema *schema, Diagnostics *diag) {
    (void)context;
    if (source->like) return *schema = *source->like, true;
    SourceData data = {.arena = arena, .span = source->span};
    bool good = read_schema(source, request, &data, diag);
    *schema = data.schema;
    release(&data);
    return good;
}

/* -- opening -- */

static bool read_all(Dataset *dataset, const DataSource *source, const SplitRequest *request,
                     Diagnostics *diag) {
    SourceData *data = &dataset->source;
    ReadSource *read = find_reader(source, diag);
    if (!read || !read(source, true, data, diag)) return false;
    if (!data->test_begin) data->test_begin = data->schema.train_rows + data->schema.valid_rows;
    if (!splits_assign(data, request, &dataset->splits, diag)) return false;
    if (!source->like) fit_categories(data, &dataset->splits);
    return true;
}

Dataset *dataset_open(const DataSource *source, const SplitRequest *request, Diagnostics *diag) {
    double start = seconds_now();
    Arena *arena = arena_new();
    Dataset *dataset = ARENA_NEW(arena, Dataset);
    dataset->source =
        (SourceData){.arena = arena, .span = source->span, .series = source_series(request)};
    dataset->like = source->like;
    bool good = read_all(dataset, source, request, diag);
    dataset->seconds = seconds_now() - start;
    dataset->complete = dataset->splits;
    if (good) return dataset;
    dataset_free(dataset);
    return NULL;
}

static void release_rows(SourceData *data) {
    for (uint32_t i = 0; i < data->schema.field_count; i++) free(data->data[i]);
    for (uint32_t i = 0; data->own && i < data->schema.field_count; i++)
        free(((double **)data->own)[i]);
}

static void digest_rows(const SourceData *data, llvm_blake3_hasher *hasher) {
    for (uint32_t i = 0; i < data->schema.field_count; i++) {
        size_t elements = (size_t)(data->schema.train_rows * shape_elements(data->fields[i].row));
        llvm_blake3_hasher_update(hasher, data->data[i],
                                  elements * dtype_bytes(data->fields[i].dtype));
    }
}

Dataset *dataset_new(const SourceField *fields, uint32_t count, void *const *data, int64_t rows,
                     const char *series, const SourceSchema *like) {
    Arena *arena = arena_new();
    Dataset *dataset = ARENA_NEW(arena, Dataset);
    SourceData *source = &dataset->source;
    *source = (SourceData){
        .arena = arena, .series = series, .digest = digest_rows, .release = release_rows};
    reader_fields(source, count);
    memcpy(source->fields, fields, count * sizeof *fields);
    memcpy(source->data, data, count * sizeof *data);
    source->schema.train_rows = source->test_begin = rows;
    dataset->like = like;
    dataset->splits.count[SPLIT_TRAIN] = rows;
    dataset->splits.rows[SPLIT_TRAIN] = ARENA_ARRAY(arena, int32_t, rows);
    for (int64_t i = 0; i < rows; i++) dataset->splits.rows[SPLIT_TRAIN][i] = (int32_t)i;
    dataset->complete = dataset->splits;
    return dataset;
}

void dataset_give_exact(Dataset *dataset, uint32_t field, double *numbers) {
    SourceData *source = &dataset->source;
    if (!source->own)
        source->own = ARENA_ARRAY(source->arena, double *, source->schema.field_count);
    ((double **)source->own)[field] = numbers;
    source->exact[field] = (Exact){.kind = EXACT_REAL, .elements = numbers};
}

Dataset *dataset_share(Dataset *dataset) {
    dataset->shared++;
    return dataset;
}

void dataset_forget(Dataset *dataset) {
    free(dataset->schema_text);
    dataset->schema_text = NULL;
    dataset_drop_computed(dataset);
    runs_free(&dataset->runs);
    dataset->source.runs = NULL;
    dataset->source.fitted_count = 0;
    dataset->complete = dataset->splits;
}

size_t dataset_bytes(const Dataset *dataset) {
    const SourceSchema *schema = &dataset->source.schema;
    size_t row = 0;
    for (uint32_t i = 0; i < schema->field_count; i++)
        row += (size_t)shape_elements(schema->fields[i].row) * dtype_bytes(schema->fields[i].dtype);
    return row * (size_t)source_all_rows(schema);
}

void dataset_row_blocks(const Dataset *dataset, RowBlock blocks[ROW_BLOCKS]) {
    const SourceSchema *schema = &dataset->source.schema;
    blocks[0] = (RowBlock){0, schema->train_rows + schema->valid_rows};
    blocks[1] = (RowBlock){dataset->source.test_begin, schema->test_rows};
}

void dataset_free(Dataset *dataset) {
    if (!dataset || dataset->shared--) return;
    dataset_forget(dataset);
    release(&dataset->source);
    arena_free(dataset->source.arena);
}

/* -- fields -- */

int64_t dataset_rows(const Dataset *dataset, Split split) { return dataset->complete.count[split]; }
const int32_t *dataset_split(const Dataset *dataset, Split split) {
    return dataset->complete.rows[split];
}
int64_t dataset_all_rows(const Dataset *dataset, Split split) {
    return dataset->splits.count[split];
}
const int32_t *dataset_all_split(const Dataset *dataset, Split split) {
    return dataset->splits.rows[split];
}
const SourceSchema *dataset_fields(const Dataset *dataset) { return &dataset->source.schema; }
double dataset_seconds(const Dataset *dataset) { return dataset->seconds; }

RowPlace dataset_row_place(const Dataset *dataset, int32_t row) {
    return source_row_place(&dataset->source, row);
}

const char *dataset_place_brief(const Dataset *dataset, int32_t row, char text[PLACE_TEXT]) {
    RowPlace place = dataset_row_place(dataset, row);
    if (dataset->source.origin_count > 1) return dataset_place_text(dataset, NULL, row, text);
    snprintf(text, PLACE_TEXT, "%s %" PRId64, place.line ? "line" : "row",
             place.line ? place.line : place.row);
    return text;
}

const char *dataset_place_text(const Dataset *dataset, const char *field, int32_t row,
                               char text[PLACE_TEXT]) {
    return source_place_text(&dataset->source, field, row, text);
}

/* -- fitted transforms -- */

/* Drops columns that were computed with earlier fitted numbers, so that they are computed again. */
void dataset_set_fitted(Dataset *dataset, const FittedColumn *fitted, uint32_t count) {
    SourceData *source = &dataset->source;
    FittedColumn *all = ARENA_ARRAY(source->arena, FittedColumn, source->fitted_count + count);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < source->fitted_count; i++) {
        bool again = false;
        for (uint32_t k = 0; k < count; k++)
            again |= !strcmp(source->fitted[i].name, fitted[k].name);
        if (!again) all[kept++] = source->fitted[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        int64_t elements = shape_elements(fitted[i].row);
        all[kept] = fitted[i];
        all[kept].name = arena_copy_string(source->arena, fitted[i].name, strlen(fitted[i].name));
        size_t count_of = (size_t)elements;
        all[kept].values = ARENA_ARRAY(source->arena, ExactNumber, elements);
        memcpy(all[kept].values, fitted[i].values, count_of * sizeof *fitted[i].values);
        if (fitted[i].deviation) {
            all[kept].deviation = ARENA_ARRAY(source->arena, double, elements);
            memcpy(all[kept].deviation, fitted[i].deviation, count_of * sizeof(double));
        }
        kept++;
    }
    source->fitted = all;
    source->fitted_count = kept;
    dataset_drop_computed(dataset);
}

const FittedColumn *dataset_fitted(const Dataset *dataset, uint32_t *count) {
    *count = dataset->source.fitted_count;
    return dataset->source.fitted;
}

/* -- schema and digest -- */

const char *dataset_schema_text(const Dataset *dataset) {
    if (dataset->schema_text) return dataset->schema_text;
    SourceSchema schema = dataset->source.schema;
    DerivedFields derived = {.arena = dataset->source.arena};
    derived.items = dataset_class_columns(dataset, derived.arena, &derived.count);
    schema.derived = &derived;
    return ((Dataset *)dataset)->schema_text = schema_write(&schema);
}

/* Computed at the first request, so that the start does not wait for it. */
const char *dataset_digest(const Dataset *dataset) {
    char *digest = ((Dataset *)dataset)->digest;
    if (*digest) return digest;
    llvm_blake3_hasher hasher;
    llvm_blake3_hasher_init(&hasher);
    dataset->source.digest(&dataset->source, &hasher);
    hash_hex(&hasher, digest);
    return digest;
}
