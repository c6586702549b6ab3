/* A data set in memory: the data of a reader, rows assigned to splits, text replaced by codes of
 * the categories of the training rows. Lists of columns and derived columns are computed when they
 * are first requested. */
#include "runtime/data/categories.h"
#include "runtime/data/class_columns.h"
#include "runtime/data/faults.h"
#include "ir/base/memory.h"
#include "runtime/data/moments.h"
#include "runtime/data/reader.h"
#include "runtime/data/schema_text.h"
#include "runtime/data/sources.h"
#include "runtime/data/splits.h"
#include "ir/base/clock.h"
#include "runtime/data/dataset.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A list of columns, a derived column, or a window of rows. */
typedef struct Selection Selection;
struct Selection {
    Selection *next;
    SourceField field;
    void *data;
    /* its formula; NULL: a list of columns, or a window of rows */
    const Derived *derived;
};

struct Dataset {
    SourceData source;
    /* the schema of a trained network, whose classes are used; or NULL */
    const SourceSchema *like;
    Splits splits; /* all rows */
    /* rows with complete windows; equal to `splits` without windows */
    Splits looking;
    SeriesRuns runs; /* empty until a model reads windows */
    Selection *selections;
    double seconds;
    uint32_t shared;       /* the number of owners besides the first */
    char *schema_text;     /* malloc'ed; NULL until it is requested */
    char digest[HASH_HEX]; /* empty until it is requested */
};

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

static bool has_text(const SourceSchema *schema) {
    for (uint32_t i = 0; i < schema->field_count; i++)
        if (schema->fields[i].is_text) return true;
    return false;
}

static bool read_schema(const DataSource *source, const SplitRequest *request, SourceData *data,
                        Diagnostics *diag) {
    ReadSource *read = find_reader(source, diag);
    Splits splits;
    if (!read || !read(source, false, data, diag)) return false;
    if (!has_text(&data->schema))
        return splits_check_own(&data->schema, request, source->span, diag);
    if (!splits_deal(data, request, &splits, diag)) return false;
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
    if (!splits_deal(data, request, &dataset->splits, diag)) return false;
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
    dataset->looking = dataset->splits;
    if (good) return dataset;
    dataset_free(dataset);
    return NULL;
}

static void release_rows(SourceData *data) {
    for (uint32_t i = 0; i < data->schema.field_count; i++) free(data->data[i]);
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
    dataset->looking = dataset->splits;
    return dataset;
}

/* The exact numbers of a file, kept only for fields whose elements are rounded. */
void dataset_copy_exact(Dataset *to, uint32_t field, const Dataset *from, const char *name,
                        int64_t begin, int64_t step) {
    SourceData *source = &to->source;
    const SourceField *found = source_field(&from->source.schema, name);
    if (!found) return;
    uint32_t other = (uint32_t)(found - from->source.schema.fields);
    const Exact *exact = &from->source.exact[other];
    if (!exact->elements && found->dtype == DTYPE_F32) return;
    int64_t count = source->schema.train_rows * shape_elements(source->fields[field].row);
    int64_t *elements = ARENA_ARRAY(source->arena, int64_t, count);
    for (int64_t i = 0; i < count; i++) {
        int64_t at = begin + i * step;
        if (exact->elements) /* int64_t and double both have 8 bytes */
            elements[i] = ((const int64_t *)exact->elements)[at];
        else
            elements[i] = (int64_t)derive_stored(&from->source, other, at);
    }
    source->exact[field] =
        (Exact){.kind = exact->elements ? exact->kind : EXACT_WHOLE, .elements = elements};
}

static void free_selections(Dataset *dataset) {
    for (Selection *selection = dataset->selections; selection; selection = selection->next)
        free(selection->data);
    dataset->selections = NULL;
}

Dataset *dataset_share(Dataset *dataset) {
    dataset->shared++;
    return dataset;
}

void dataset_free(Dataset *dataset) {
    if (!dataset || dataset->shared--) return;
    free(dataset->schema_text);
    free_selections(dataset);
    runs_free(&dataset->runs);
    release(&dataset->source);
    arena_free(dataset->source.arena);
}

/* -- fields -- */

int64_t dataset_rows(const Dataset *dataset, Split split) { return dataset->looking.count[split]; }
const int32_t *dataset_split(const Dataset *dataset, Split split) {
    return dataset->looking.rows[split];
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

/* The number of rows of a table, whose row numbers have no gap. */
static int64_t all_rows(const Dataset *dataset) { return source_all_rows(&dataset->source.schema); }

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

static bool columns_there(const Dataset *dataset, const uint32_t *fields, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (!dataset->source.data[fields[i]]) return false;
    return true;
}

static Selection *add_selection(Dataset *dataset, const char *name, SourceField field, void *data) {
    SourceData *source = &dataset->source;
    Selection *selection = ARENA_NEW(source->arena, Selection);
    *selection = (Selection){.next = dataset->selections, .field = field, .data = data};
    selection->field.name = arena_copy_string(source->arena, name, strlen(name));
    dataset->selections = selection;
    return selection;
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
static void fill_rows(const Dataset *dataset, const SourceField *field, const char *from,
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

static const Selection *make_rows(Dataset *dataset, const char *name, const char *inner,
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
    fill_rows(dataset, found, data, rows, all);
    return add_selection(dataset, name, field, all);
}

static const Selection *make_selection(Dataset *dataset, const char *name) {
    SourceRows rows;
    const char *inner = source_rows_of(name, &rows);
    if (inner != name) return make_rows(dataset, name, inner, rows);
    uint32_t count;
    SourceData *source = &dataset->source;
    const uint32_t *fields = source_columns_find(&source->schema, name, source->arena, &count);
    if (!fields || !columns_there(dataset, fields, count)) return NULL;
    bool text = source->fields[fields[0]].is_text;
    SourceField field = {
        .dtype = text ? DTYPE_I32 : DTYPE_F32, .row = {1, {count}}, .is_text = text};
    void *all =
        memory_new((size_t)all_rows(dataset) * count * sizeof(float), "the columns of the data");
    for (uint32_t i = 0; i < count; i++)
        fill_column(&source->fields[fields[i]], source->data[fields[i]], all_rows(dataset), i,
                    count, all);
    return add_selection(dataset, name, field, all);
}

static const Selection *known_selection(const Dataset *dataset, const char *name) {
    for (const Selection *selection = dataset->selections; selection; selection = selection->next)
        if (!strcmp(selection->field.name, name)) return selection;
    return NULL;
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
static const Selection *make_derived(Dataset *dataset, const char *name, Span span,
                                     Diagnostics *diag) {
    SourceData *source = &dataset->source;
    const SourceSchema *schema = &source->schema;
    DeriveFault fault = {0};
    const Derived *derived = derived_find(source->arena, schema, name);
    uint32_t *reads = ARENA_ARRAY(source->arena, uint32_t, schema->field_count);
    if (!derived || !columns_there(dataset, reads, derived_reads(schema, derived, reads)) ||
        !is_fitted(source, derived))
        return NULL;
    if (derived->kind == DERIVED_CLASSES) {
        SourceField classes;
        const SourceField *like = dataset->like ? source_any(dataset->like, name) : NULL;
        int32_t *codes =
            class_column_make(source, &dataset->splits, like, derived, &classes, span, diag);
        return codes ? add_selection(dataset, name, classes, codes) : NULL;
    }
    void *elements = derive_elements(source, derived, &fault);
    if (!elements && diag) report_fault(source, name, &fault, span, diag);
    if (!elements) return NULL;
    SourceField field = {
        .dtype = derived_dtype(derived), .row = derived_row(schema, derived), .is_column = true};
    Selection *selection = add_selection(dataset, name, field, elements);
    selection->derived = derived;
    return selection;
}

/* Bytes and whole numbers have no value for that; text without a category is looked at with the
 * classes. */
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
    if (!columns_there(dataset, reads, count) || !may_be_missing(source, reads, count)) return true;
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

static bool is_derived(const Dataset *dataset, const char *name) {
    return !source_field(&dataset->source.schema, name) && !known_selection(dataset, name);
}

bool dataset_derive(const Dataset *dataset, const char *name, Span span, Diagnostics *diag) {
    size_t errors = diag_errors(diag);
    SourceRows rows;
    name = source_rows_of(name, &rows);
    if (is_derived(dataset, name) && !make_selection((Dataset *)dataset, name))
        make_derived((Dataset *)dataset, name, span, diag);
    return diag_errors(diag) == errors;
}

static const Selection *find_selection(const Dataset *dataset, const char *name) {
    const Selection *selection = known_selection(dataset, name);
    if (!selection) selection = make_selection((Dataset *)dataset, name);
    return selection ? selection : make_derived((Dataset *)dataset, name, (Span){0}, NULL);
}

const SourceField *dataset_find(const Dataset *dataset, const char *name, const void **data) {
    const SourceData *source = &dataset->source;
    const SourceField *field = source_field(&source->schema, name);
    const Selection *selection = field ? NULL : find_selection(dataset, name);
    *data = field       ? source->data[field - source->schema.fields]
            : selection ? selection->data
                        : NULL;
    return *data ? field ? field : &selection->field : NULL;
}

bool dataset_lacks(const Dataset *dataset, const char *name, int32_t row) {
    SourceRows rows;
    const char *inner = source_rows_of(name, &rows);
    const Selection *selection = known_selection(dataset, inner);
    if (rows.from == rows.to && rows.to)
        row = dataset->runs.count ? runs_row(&dataset->runs, row, rows.to) : -1;
    if (row < 0 || !selection || !selection->derived) return row < 0;
    return !derive_has_rows(&dataset->source, selection->derived, row) ||
           derive_missing(&dataset->source, selection->derived, &row) != NULL;
}

const void *dataset_field(const Dataset *dataset, const char *name) {
    const void *data;
    return dataset_find(dataset, name, &data) ? data : NULL;
}

/* -- windows of rows -- */

static bool looks_at_others(const SourceRows *rows) {
    return rows->from || rows->to || rows->stride > 1;
}

/* -- fitted transforms -- */

static double *copied_numbers(Arena *arena, const double *numbers, int64_t count) {
    double *copy = ARENA_ARRAY(arena, double, count);
    if (numbers) memcpy(copy, numbers, (size_t)count * sizeof *copy);
    return numbers ? copy : NULL;
}

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
        all[kept].values = copied_numbers(source->arena, fitted[i].values, elements);
        all[kept++].deviation = copied_numbers(source->arena, fitted[i].deviation, elements);
    }
    source->fitted = all;
    source->fitted_count = kept;
    free_selections(dataset);
}

const FittedColumn *dataset_fitted(const Dataset *dataset, uint32_t *count) {
    *count = dataset->source.fitted_count;
    return dataset->source.fitted;
}

/* -- exact numbers -- */

bool dataset_rounded(const Dataset *dataset, const char *name, bool close_only, Rounded *found) {
    SourceRows rows;
    const SourceData *source = &dataset->source;
    const Derived *derived =
        derived_find(source->arena, &source->schema, source_rows_of(name, &rows));
    uint32_t *reads = ARENA_ARRAY(source->arena, uint32_t, source->schema.field_count);
    bool there =
        derived && columns_there(dataset, reads, derived_reads(&source->schema, derived, reads));
    return there && derived->kind != DERIVED_CLASSES &&
           derive_rounded(source, derived, close_only, found);
}

double dataset_number(const Dataset *dataset, uint32_t field, int32_t row, int64_t element) {
    const SourceData *source = &dataset->source;
    return derive_value(source, field, row * shape_elements(source->fields[field].row) + element);
}

size_t dataset_row_bytes(const Dataset *dataset, uint32_t field, int32_t row, const void **bytes) {
    const SourceData *source = &dataset->source;
    int64_t elements = shape_elements(source->fields[field].row);
    const Exact *exact = &source->exact[field];
    bool wide = exact->elements && exact->kind != EXACT_TEXT,
         text = exact->elements && exact->kind == EXACT_TEXT;
    size_t size = wide ? sizeof(double) : dtype_bytes(source->fields[field].dtype),
           length = size * (size_t)elements;
    *bytes =
        (const char *)(wide || text ? exact->elements : source->data[field]) + length * (size_t)row;
    return length;
}

const char *dataset_text(const Dataset *dataset, uint32_t field, int32_t row) {
    const SourceData *source = &dataset->source;
    const Exact *exact = &source->exact[field];
    if (exact->kind == EXACT_TEXT && exact->elements) {
        int32_t cell = ((const int32_t *)exact->elements)[row];
        return cell < 0 ? NULL : exact->texts[cell];
    }
    int32_t code = ((const int32_t *)source->data[field])[row];
    return code < 0 ? NULL : source->fields[field].categories[code];
}

double *dataset_numbers(const Dataset *dataset, const char *name, const int32_t *rows,
                        int64_t count) {
    const SourceData *source = &dataset->source;
    SourceRows around;
    name = source_rows_of(name, &around);
    const Derived *derived = derived_find(source->arena, &source->schema, name);
    uint32_t *reads = ARENA_ARRAY(source->arena, uint32_t, source->schema.field_count);
    bool there =
        derived && columns_there(dataset, reads, derived_reads(&source->schema, derived, reads));
    if (!there || derived->kind == DERIVED_CLASSES) return NULL;
    int64_t each = shape_elements(derived_row(&source->schema, derived)),
            length = around.to - around.from + 1;
    double *numbers =
               memory_new((size_t)(count * length * each) * sizeof *numbers, "numbers of the data"),
           *to = numbers;
    for (int64_t i = 0; i < count * length; i++, to += each) {
        int32_t row = rows[i / length];
        if (looks_at_others(&around)) row = runs_row(&dataset->runs, row, around.from + i % length);
        for (int64_t k = 0; k < each && row < 0; k++) to[k] = (double)NAN;
        if (row >= 0) derive_row(source, derived, row, to);
    }
    return numbers;
}

/* -- rows with complete windows -- */

/* The number of rows before a row in its run. */
static int64_t place_in_run(const SeriesRuns *runs, int32_t row) {
    return runs->place[row] - runs->run[runs->place[row]];
}

static void choose_looking(Dataset *dataset, const SourceRows *rows, Split split) {
    const SeriesRuns *runs = &dataset->runs;
    int32_t *chosen = ARENA_ARRAY(dataset->source.arena, int32_t, dataset->splits.count[split]);
    int64_t count = 0;
    for (int64_t i = 0; i < dataset->splits.count[split]; i++) {
        int32_t row = dataset->splits.rows[split][i];
        if (runs_row(runs, row, rows->from) < 0 || runs_row(runs, row, rows->to) < 0) continue;
        if (rows->stride > 1 && (place_in_run(runs, row) + rows->from) % rows->stride) continue;
        chosen[count++] = row;
    }
    dataset->looking.rows[split] = chosen;
    dataset->looking.count[split] = count;
}

/* Reports a data set without splits, such as new rows, in which every window is incomplete. */
static bool no_window(const Dataset *dataset, const SourceRows *rows, Split split,
                      Diagnostics *diag) {
    const SourceData *source = &dataset->source;
    if (dataset->splits.count[SPLIT_TRAIN] == all_rows(dataset)) {
        char file[PLACE_TEXT] = "the data";
        if (source->origin_count) snprintf(file, sizeof file, "'%.200s'", source->origins->file);
        diag_error(diag, STATUS_DATA, source->span,
                   "%s has no row with %" PRId64 " rows before it and %" PRId64
                   " after it, which the model looks at",
                   file, -rows->from, rows->to);
        return false;
    }
    diag_error(diag, STATUS_DATA, dataset->source.span,
               "no %s row has the rows around it that the model looks at: %" PRId64
               " before it and %" PRId64 " after it, in the same split and series",
               split_of_rows(split), -rows->from, rows->to);
    diag_help(diag,
              "the split has %" PRId64 " rows, and needs %" PRId64
              " that follow each other: last(%" PRId64
              ") holds out such rows, drawn ones seldom are",
              dataset->splits.count[split], rows->to - rows->from + 1, rows->to - rows->from + 1);
    return false;
}

bool dataset_drop_incomplete(Dataset *dataset, const SourceRows *rows, bool series,
                             Diagnostics *diag) {
    dataset->looking = dataset->splits;
    if (!series && !looks_at_others(rows)) return true;
    free_selections(dataset);
    runs_free(&dataset->runs);
    dataset->source.runs = &dataset->runs;
    if (!runs_find(&dataset->source, &dataset->splits, &dataset->runs, diag)) return false;
    for (Split split = 0; split < SPLIT_COUNT; split++) {
        choose_looking(dataset, rows, split);
        if (dataset->splits.count[split] && !dataset->looking.count[split])
            return no_window(dataset, rows, split, diag);
    }
    return true;
}

/* The first element of a row that is not a class; -1: none. */
static int64_t find_no_class(const SourceField *field, const void *data, int32_t row,
                             const int64_t *classes) {
    int64_t each = shape_elements(field->row);
    for (int64_t i = 0; i < each; i++) {
        double label = classes[i] ? element_value(field->dtype, false, data, row * each + i) : 0;
        if (classes[i] && !(label >= 0 && label < (double)classes[i])) return row * each + i;
    }
    return -1;
}

/* A class must be a whole number already before int(). */
static bool check_fractions(const Dataset *dataset, const char *name, Span span,
                            Diagnostics *diag) {
    const SourceData *source = &dataset->source;
    const Derived *derived = derived_find(source->arena, &source->schema, name);
    char place[PLACE_TEXT];
    double value;
    for (Split split = 0; split < SPLIT_COUNT && derived; split++) {
        for (int64_t i = 0; i < dataset_rows(dataset, split); i++) {
            int32_t row = dataset_split(dataset, split)[i];
            if (!derive_fraction(source, derived, row, &value)) continue;
            diag_error(diag, STATUS_DATA, span, "'%s' cuts %g down to a class in %s", name, value,
                       dataset_place_text(dataset, NULL, row, place));
            diag_help(diag,
                      "classes are whole numbers; int(floor(...)) rounds down where that is meant");
            return false;
        }
    }
    return true;
}

/* Checks the rows in the order of the files. */
bool dataset_check_classes(const Dataset *dataset, const char *name, const int64_t *classes,
                           const Span *spans, Diagnostics *diag) {
    const void *data;
    Span place = spans ? spans[0] : (Span){0};
    if (!dataset_derive(dataset, name, place, diag)) return false;
    const SourceField *field = dataset_find(dataset, name, &data);
    if (field && !check_fractions(dataset, name, place, diag)) return false;
    int64_t first = -1;
    int32_t first_row = INT32_MAX;
    const Derived *derived = derived_find(dataset->source.arena, &dataset->source.schema, name);
    /* rows with incomplete windows have no value */
    bool around = derived && derived_crosses_rows(derived);
    const Splits *splits = around ? &dataset->looking : &dataset->splits;
    for (Split split = 0; split < SPLIT_COUNT && field; split++) {
        for (int64_t i = 0; i < splits->count[split]; i++) {
            int32_t row = splits->rows[split][i];
            int64_t at = row < first_row ? find_no_class(field, data, row, classes) : -1;
            if (at >= 0) first = at, first_row = row;
        }
    }
    if (first < 0) return true;
    int64_t element = first % shape_elements(field->row);
    report_no_class(&dataset->source, &dataset->splits, field, data, first, classes[element],
                    spans ? spans[element] : (Span){0}, diag);
    return false;
}

const char *dataset_class_name(const Dataset *dataset, const char *field_name, int32_t label) {
    SourceRows rows;
    const void *data;
    const SourceField *field =
        field_name ? dataset_find(dataset, source_rows_of(field_name, &rows), &data) : NULL;
    bool known = field && label >= 0 && (uint32_t)label < field->category_count;
    return known ? field->categories[label] : NULL;
}

static bool is_class_column(const Selection *selection) {
    SourceRows rows;
    const char *name = selection->field.name;
    return selection->field.numbers && source_rows_of(name, &rows) == name;
}

const SourceField **dataset_class_columns(const Dataset *dataset, Arena *arena, uint32_t *count) {
    *count = 0;
    for (const Selection *selection = dataset->selections; selection; selection = selection->next)
        *count += is_class_column(selection);
    const SourceField **columns = ARENA_ARRAY(arena, const SourceField *, *count);
    uint32_t at = *count;
    for (const Selection *selection = dataset->selections; selection; selection = selection->next)
        if (is_class_column(selection)) columns[--at] = &selection->field;
    return columns;
}

static char *write_schema(const Dataset *dataset) {
    SourceSchema schema = dataset->source.schema;
    DerivedFields derived = {.arena = dataset->source.arena};
    derived.items = dataset_class_columns(dataset, derived.arena, &derived.count);
    schema.derived = &derived;
    return schema_write(&schema);
}

const char *dataset_schema_text(const Dataset *dataset) {
    if (!dataset->schema_text) ((Dataset *)dataset)->schema_text = write_schema(dataset);
    return dataset->schema_text;
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
