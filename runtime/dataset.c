/* A data set in memory: its files read on all cores, checked against each other, its rows dealt out to the splits. Elements
 * stay as they are stored; compiled programs convert them while they gather a batch. */
#include "runtime/blake3.h"
#include "ir/clock.h"
#include "runtime/runtime.h"
#include "runtime/sources.h"
#include "runtime/idx.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct Dataset {
    Arena *arena;
    SourceFiles files;
    SourceSchema schema;
    Shape shapes[FILE_COUNT]; /* as in the files; rank 0: no such file */
    uint8_t *fields[2];       /* images, labels: training rows, then test rows; labels may be NULL */
    int32_t *splits[SPLIT_COUNT];
    int64_t split_rows[SPLIT_COUNT];
    double seconds;
    char digest[HASH_HEX]; /* empty until somebody asks */
};

/* One file on its way into memory. */
typedef struct {
    IdxFile idx;
    uint8_t *to;
    bool good;
    Problem problem;
    pthread_t thread;
    bool started;
} Load;

static void report_file(const SourceFiles *files, int role, const Problem *problem, Diagnostics *diag) {
    diag_error(diag, STATUS_DATA, files->spans[role], "%s", problem->finding);
    if (files->named)
        diag_help(diag, "`mlc data get %s` gets the right files", files->named->name);
    else
        diag_help(diag, "make or download the file again");
}

static bool open_files(const SourceFiles *files, Load *loads, Diagnostics *diag) {
    bool good = true;
    for (int role = 0; role < FILE_COUNT; role++) {
        if (!files->paths[role]) continue;
        if (idx_open(&loads[role].idx, files->paths[role], &loads[role].problem)) continue;
        report_file(files, role, &loads[role].problem, diag);
        good = false;
    }
    return good;
}

static void close_files(Load *loads) {
    for (int role = 0; role < FILE_COUNT; role++)
        if (loads[role].idx.path) idx_close(&loads[role].idx);
}

/* -- what the headers say -- */

static bool header_problem(const SourceFiles *files, int role, Diagnostics *diag, const Problem *problem) {
    report_file(files, role, problem, diag);
    return false;
}

static bool check_images(const SourceFiles *files, int role, Shape shape, Diagnostics *diag) {
    Problem problem;
    bool square = shape.rank == 3 && shape.dim[1] == NAMED_SIDE && shape.dim[2] == NAMED_SIDE;
    if (files->named ? square : shape.rank >= 2) return true;
    if (files->named)
        problem_set(&problem, "'%s' does not hold images of 28 x 28, as '%s' has", files->paths[role], files->named->name);
    else
        problem_set(&problem, "'%s' has one dimension, expected rows of at least one more; are these the labels?",
                    files->paths[role]);
    return header_problem(files, role, diag, &problem);
}

static bool check_labels(const SourceFiles *files, int role, Shape labels, Shape images, Diagnostics *diag) {
    Problem problem;
    if (labels.rank == 1 && labels.dim[0] == images.dim[0]) return true;
    if (labels.rank != 1)
        problem_set(&problem, "'%s' has %d dimensions, expected one label a row", files->paths[role], labels.rank);
    else
        problem_set(&problem, "'%s' holds %lld labels, but '%s' holds %lld images", files->paths[role],
                    (long long)labels.dim[0], files->paths[role - 1], (long long)images.dim[0]);
    return header_problem(files, role, diag, &problem);
}

static bool check_same_rows(const SourceFiles *files, Shape train, Shape test, Diagnostics *diag) {
    Problem problem;
    bool too_many = train.dim[0] + test.dim[0] > INT32_MAX; /* rows are numbered in 32 bits */
    train.dim[0] = test.dim[0];
    if (shape_equal(train, test) && !too_many) return true;
    if (too_many)
        problem_set(&problem, "'%s' makes it more than %d rows in all", files->paths[FILE_TEST_IMAGES], INT32_MAX);
    else
        problem_set(&problem, "the images in '%s' have another size than those in '%s'", files->paths[FILE_TEST_IMAGES],
                    files->paths[FILE_TRAIN_IMAGES]);
    return header_problem(files, FILE_TEST_IMAGES, diag, &problem);
}

static bool check_headers(const SourceFiles *files, const Load *loads, Diagnostics *diag) {
    for (int role = FILE_TRAIN_IMAGES; role < FILE_COUNT; role += 2) {
        if (!files->paths[role]) continue;
        Shape images = loads[role].idx.shape;
        if (!check_images(files, role, images, diag)) return false;
        if (files->paths[role + 1] && !check_labels(files, role + 1, loads[role + 1].idx.shape, images, diag)) return false;
    }
    if (!files->paths[FILE_TEST_IMAGES]) return true;
    return check_same_rows(files, loads[FILE_TRAIN_IMAGES].idx.shape, loads[FILE_TEST_IMAGES].idx.shape, diag);
}

/* A row without the leading count of rows. Files of rank 3 hold pictures: their rows get a channel in front. */
static Shape row_shape(Shape file) {
    Shape row = {0};
    if (file.rank == 3) row.dim[row.rank++] = 1;
    for (int i = 1; i < file.rank; i++) row.dim[row.rank++] = file.dim[i];
    return row;
}

static SourceSchema schema_of(const SourceFiles *files, Shape images, int64_t train_rows, int64_t test_rows) {
    SourceSchema schema = {.train_rows = train_rows, .test_rows = test_rows};
    schema.fields[schema.field_count++] = (SourceField){"image", DTYPE_U8, row_shape(images), 0};
    if (files->named || files->paths[FILE_TRAIN_LABELS])
        schema.fields[schema.field_count++] = (SourceField){"label", DTYPE_U8, {0}, files->classes};
    return schema;
}

static SourceSchema schema_from_headers(const SourceFiles *files, const Load *loads) {
    bool test = files->paths[FILE_TEST_IMAGES] != NULL;
    return schema_of(files, loads[FILE_TRAIN_IMAGES].idx.shape, loads[FILE_TRAIN_IMAGES].idx.shape.dim[0],
                     test ? loads[FILE_TEST_IMAGES].idx.shape.dim[0] : 0);
}

static bool schema_from_files(const SourceFiles *files, SourceSchema *schema, Diagnostics *diag) {
    Load loads[FILE_COUNT] = {0};
    bool good = open_files(files, loads, diag) && check_headers(files, loads, diag);
    if (good) *schema = schema_from_headers(files, loads);
    close_files(loads);
    return good;
}

/* A model on a named set can be checked without its files; their number of rows is then not known. */
bool dataset_schema(void *context, const DataSource *source, SourceSchema *schema, Diagnostics *diag) {
    (void)context;
    const NamedSet *named = source->arg_count ? NULL : named_set(source->reader);
    Arena *arena = arena_new();
    SourceFiles files;
    bool good = true;
    if (named && !source_files_named(named, source->span, arena, &files))
        *schema = schema_of(&files, shape_of(3, (int64_t[]){1, NAMED_SIDE, NAMED_SIDE}), 0, 0);
    else
        good = source_files(source, arena, &files, diag) && schema_from_files(&files, schema, diag);
    arena_free(arena);
    return good;
}

/* -- reading -- */

static void *load_file(void *argument) {
    Load *load = argument;
    load->good = idx_read(&load->idx, load->to, &load->problem);
    return NULL;
}

/* One thread a file: the large one sets the pace, the others are read beside it. */
static bool load_files(Dataset *dataset, Load *loads, Diagnostics *diag) {
    bool good = true;
    for (int role = FILE_COUNT - 1; role >= 0; role--) {
        if (!loads[role].to) continue;
        loads[role].started = role != FILE_TRAIN_IMAGES && !pthread_create(&loads[role].thread, NULL, load_file, &loads[role]);
        if (!loads[role].started) load_file(&loads[role]);
    }
    for (int role = 0; role < FILE_COUNT; role++) {
        if (loads[role].started) pthread_join(loads[role].thread, NULL);
        if (!loads[role].to || loads[role].good) continue;
        report_file(&dataset->files, role, &loads[role].problem, diag);
        good = false;
    }
    return good;
}

static bool reserve_field(Dataset *dataset, int field, Load *train, Load *test, Diagnostics *diag) {
    if (!dataset->files.paths[field]) return true;
    size_t bytes = train->idx.bytes + test->idx.bytes;
    dataset->fields[field] = aligned_alloc(64, (bytes + 63) / 64 * 64);
    if (!dataset->fields[field]) {
        diag_error(diag, STATUS_DATA, dataset->files.spans[field], "no memory for %zu bytes of data", bytes);
        return false;
    }
    train->to = dataset->fields[field];
    if (test->idx.path) test->to = train->to + train->idx.bytes;
    return true;
}

static bool check_classes(const Dataset *dataset, int role, const uint8_t *labels, int64_t count, Diagnostics *diag) {
    int32_t classes = dataset->files.classes;
    if (!classes || !dataset->files.paths[role]) return true;
    for (int64_t row = 0; row < count; row++) {
        if (labels[row] < classes) continue;
        diag_error(diag, STATUS_DATA, dataset->files.spans[role], "'%s' has label %d in row %lld, expected 0 to %d",
                   dataset->files.paths[role], labels[row], (long long)row, classes - 1);
        diag_help(diag, "rows are counted from 0; a wrong label means that the file is damaged or of another data set");
        return false;
    }
    return true;
}

static bool read_everything(Dataset *dataset, Load *loads, Diagnostics *diag) {
    if (!open_files(&dataset->files, loads, diag) || !check_headers(&dataset->files, loads, diag)) return false;
    dataset->schema = schema_from_headers(&dataset->files, loads);
    for (int role = 0; role < FILE_COUNT; role++) dataset->shapes[role] = loads[role].idx.shape;
    if (!reserve_field(dataset, 0, &loads[FILE_TRAIN_IMAGES], &loads[FILE_TEST_IMAGES], diag) ||
        !reserve_field(dataset, 1, &loads[FILE_TRAIN_LABELS], &loads[FILE_TEST_LABELS], diag) ||
        !load_files(dataset, loads, diag))
        return false;
    const uint8_t *labels = dataset->fields[1];
    int64_t train = dataset->schema.train_rows, test = dataset->schema.test_rows;
    return check_classes(dataset, FILE_TRAIN_LABELS, labels, train, diag) &&
           check_classes(dataset, FILE_TEST_LABELS, labels + train, test, diag);
}

/* -- splits -- */

static int64_t held_out(bool is_count, double amount, int64_t rows) {
    double wanted = is_count ? amount : amount * (double)rows + 0.5;
    return wanted < 0 ? -1 : wanted < (double)rows ? (int64_t)wanted : rows;
}

bool dataset_expect_rows(const SourceSchema *schema, const SplitRequest *request, int64_t rows[SPLIT_COUNT]) {
    int64_t valid = held_out(request->valid_is_count, request->valid, schema->train_rows);
    int64_t test = held_out(request->test_is_count, request->test, schema->train_rows);
    rows[SPLIT_TRAIN] = schema->train_rows - valid - test;
    rows[SPLIT_VALID] = valid;
    rows[SPLIT_TEST] = test + schema->test_rows;
    return rows[SPLIT_TRAIN] > 0 && valid >= 0 && test >= 0 && !(test && schema->test_rows);
}

static bool check_split(const Dataset *dataset, int64_t valid, int64_t test, Diagnostics *diag) {
    int64_t rows = dataset->schema.train_rows;
    Span span = dataset->files.spans[FILE_TRAIN_IMAGES];
    if (test && dataset->schema.test_rows) {
        diag_error(diag, STATUS_MODEL, span, "the data bring %lld test rows of their own, so 'test' cannot hold out others",
                   (long long)dataset->schema.test_rows);
        diag_help(diag, "leave out 'test'");
        return false;
    }
    if (valid >= 0 && test >= 0 && valid < rows && test < rows - valid) return true;
    diag_error(diag, STATUS_MODEL, span,
               "holding out %lld rows for 'valid' and %lld for 'test' leaves none of the %lld rows to train on",
               (long long)valid, (long long)test, (long long)rows);
    return false;
}

/* Which split each training row belongs to: the first rows of a permutation are held out. */
static uint8_t *deal_rows(uint64_t seed, int64_t rows, int64_t valid, int64_t test) {
    uint8_t *split = calloc((size_t)rows, 1);
    int32_t *order = malloc((size_t)rows * sizeof *order);
    if (!split || !order) abort();
    if (valid || test) random_permutation(seed, STREAM_SPLIT, 0, (uint32_t)rows, order);
    for (int64_t i = 0; i < valid + test; i++) split[order[i]] = i < valid ? SPLIT_VALID : SPLIT_TEST;
    free(order);
    return split;
}

/* Each split lists its rows in the order of the files. */
static void fill_splits(Dataset *dataset, const uint8_t *split_of) {
    int64_t rows = dataset->schema.train_rows, own_test = dataset->schema.test_rows;
    for (int split = 0; split < SPLIT_COUNT; split++)
        dataset->splits[split] = ARENA_ARRAY(dataset->arena, int32_t, rows + own_test);
    for (int64_t row = 0; row < rows + own_test; row++) {
        int split = row < rows ? split_of[row] : SPLIT_TEST;
        dataset->splits[split][dataset->split_rows[split]++] = (int32_t)row;
    }
}

static bool split_rows(Dataset *dataset, const SplitRequest *request, Diagnostics *diag) {
    int64_t rows = dataset->schema.train_rows;
    int64_t valid = held_out(request->valid_is_count, request->valid, rows);
    int64_t test = held_out(request->test_is_count, request->test, rows);
    if (!check_split(dataset, valid, test, diag)) return false;
    uint8_t *split_of = deal_rows(request->seed, rows, valid, test);
    fill_splits(dataset, split_of);
    free(split_of);
    return true;
}

Dataset *dataset_open(const DataSource *source, const SplitRequest *request, Diagnostics *diag) {
    double start = seconds_now();
    Arena *arena = arena_new();
    Dataset *dataset = ARENA_NEW(arena, Dataset);
    Load *loads = ARENA_ARRAY(arena, Load, FILE_COUNT);
    dataset->arena = arena;
    bool good = source_files(source, arena, &dataset->files, diag) && read_everything(dataset, loads, diag) &&
                split_rows(dataset, request, diag);
    close_files(loads);
    dataset->seconds = seconds_now() - start;
    if (good) return dataset;
    dataset_free(dataset);
    return NULL;
}

void dataset_free(Dataset *dataset) {
    if (!dataset) return;
    free(dataset->fields[0]);
    free(dataset->fields[1]);
    arena_free(dataset->arena);
}

int64_t dataset_rows(const Dataset *dataset, Split split) {
    return dataset->split_rows[split];
}
const int32_t *dataset_split(const Dataset *dataset, Split split) {
    return dataset->splits[split];
}
const SourceSchema *dataset_fields(const Dataset *dataset) {
    return &dataset->schema;
}
double dataset_seconds(const Dataset *dataset) {
    return dataset->seconds;
}

const void *dataset_field(const Dataset *dataset, const char *name) {
    for (uint32_t i = 0; i < dataset->schema.field_count; i++)
        if (!strcmp(dataset->schema.fields[i].name, name)) return dataset->fields[i];
    return NULL;
}

/* A field's whole numbers, whatever they are stored as. */
static int64_t whole_number(const void *data, DType dtype, int64_t at) {
    return dtype == DTYPE_U8 ? ((const uint8_t *)data)[at] : ((const int32_t *)data)[at];
}

static const SourceField *find_field(const SourceSchema *schema, const char *name) {
    const SourceField *field = schema->fields;
    while (strcmp(field->name, name)) field++;
    return field;
}

bool dataset_check_classes(const Dataset *dataset, const char *name, int64_t classes, Span span, Diagnostics *diag) {
    const SourceField *field = find_field(&dataset->schema, name);
    const void *data = dataset_field(dataset, name);
    int64_t rows = dataset->schema.train_rows + dataset->schema.test_rows, each = shape_elements(field->row);
    for (int64_t at = 0; at < rows * each; at++) {
        int64_t label = whole_number(data, field->dtype, at);
        if (label >= 0 && label < classes) continue;
        diag_error(diag, STATUS_DATA, span, "'%s' has class %lld in row %lld of the data, but there are columns for 0 to %lld only",
                   name, (long long)label, (long long)(at / each), (long long)classes - 1);
        diag_help(diag, "every class needs a column of its own; classes and rows are counted from 0");
        return false;
    }
    return true;
}

const char *dataset_class_name(const Dataset *dataset, int32_t label) {
    const NamedSet *named = dataset->files.named;
    return named && label >= 0 && label < NAMED_CLASSES ? named->classes[label] : NULL;
}

/* The unpacked files one after the other, headers included: `zcat train-images... train-labels... ... | b3sum`. */
static void digest_files(const Dataset *dataset, char digest[HASH_HEX]) {
    const uint8_t *next[2] = {dataset->fields[0], dataset->fields[1]};
    llvm_blake3_hasher hasher;
    llvm_blake3_hasher_init(&hasher);
    for (int role = 0; role < FILE_COUNT; role++) {
        uint8_t header[IDX_MAX_HEADER];
        if (!dataset->files.paths[role]) continue;
        llvm_blake3_hasher_update(&hasher, header, idx_header(dataset->shapes[role], header));
        size_t bytes = (size_t)shape_elements(dataset->shapes[role]);
        llvm_blake3_hasher_update(&hasher, next[role % 2], bytes);
        next[role % 2] += bytes;
    }
    hash_hex(&hasher, digest);
}

/* Computed when first asked for, so that the start does not wait for it. */
const char *dataset_digest(const Dataset *dataset) {
    char *digest = ((Dataset *)dataset)->digest;
    if (!*digest) digest_files(dataset, digest);
    return digest;
}
