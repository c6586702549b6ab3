/* Reads images and labels in IDX files: mnist() and idx(). gzip files are read on several threads,
 * plain files are mapped. Elements stay bytes; compiled programs convert them when they gather a
 * batch. */
#include "runtime/formats/idx.h"
#include "runtime/formats/map.h"
#include "ir/base/memory.h"
#include "runtime/data/reader.h"
#include "runtime/data/sources.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* The files of a source. */
typedef struct {
    SourceFiles files;
    Shape shapes[FILE_COUNT]; /* as in the files; rank 0: no such file */
    /* maps of the fields if all files are plain; else elements are malloc'ed */
    Map maps[2];
} IdxSource;

/* A file while it is read. */
typedef struct {
    IdxFile idx;
    uint8_t *to;
    bool good;
    Problem problem;
    pthread_t thread;
    bool started;
} Load;

static void report_file(const SourceFiles *files, int role, const Problem *problem,
                        Diagnostics *diag) {
    diag_error(diag, STATUS_DATA, files->spans[role], "%s", problem->finding);
    if (files->named)
        diag_help(diag, "`mlc data get %s` downloads the right files", files->named->name);
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

/* -- headers -- */

static bool header_problem(const SourceFiles *files, int role, Diagnostics *diag,
                           const Problem *problem) {
    report_file(files, role, problem, diag);
    return false;
}

/* The shape of a row. Files of rank 3 hold grey pictures, whose rows become [1, height, width]. */
static Shape row_shape(Shape file) {
    Shape row = {0};
    if (file.rank == 3) row.dim[row.rank++] = 1;
    for (int i = 1; i < file.rank; i++) row.dim[row.rank++] = file.dim[i];
    return row;
}

static Shape named_row(const NamedSet *named) {
    return shape_of(3, (int64_t[]){named->channels, named->height, named->width});
}

static bool check_images(const SourceFiles *files, int role, Shape shape, Diagnostics *diag) {
    Problem problem;
    const NamedSet *named = files->named;
    if (named ? shape_equal(row_shape(shape), named_row(named)) : shape.rank >= 2) return true;
    if (named)
        problem_set(&problem, "'%s' does not hold images of %d x %d, as '%s' has",
                    files->paths[role], named->height, named->width, named->name);
    else
        problem_set(&problem,
                    "'%s' has one dimension, but images have two or more; are these the labels?",
                    files->paths[role]);
    return header_problem(files, role, diag, &problem);
}

static bool check_labels(const SourceFiles *files, int role, Shape labels, Shape images,
                         Diagnostics *diag) {
    Problem problem;
    if (labels.rank == 1 && labels.dim[0] == images.dim[0]) return true;
    if (labels.rank != 1)
        problem_set(&problem, "'%s' has %d dimensions, but labels have one", files->paths[role],
                    labels.rank);
    else
        problem_set(&problem, "'%s' holds %lld labels, but '%s' holds %lld images",
                    files->paths[role], (long long)labels.dim[0], files->paths[role - 1],
                    (long long)images.dim[0]);
    return header_problem(files, role, diag, &problem);
}

/* Checks the images of a held-out file, and adds their number to `rows`. */
static bool check_same_rows(const SourceFiles *files, Shape train, int role, Shape held_out,
                            int64_t *rows, Diagnostics *diag) {
    Problem problem;
    bool too_many = *rows + held_out.dim[0] > INT32_MAX; /* rows are numbered in 32 bits */
    train.dim[0] = held_out.dim[0];
    *rows += held_out.dim[0];
    if (shape_equal(train, held_out) && !too_many) return true;
    if (too_many)
        problem_set(&problem, "with '%s' there are more than %d rows", files->paths[role],
                    INT32_MAX);
    else
        problem_set(&problem, "the images in '%s' have another size than those in '%s'",
                    files->paths[role], files->paths[FILE_TRAIN_IMAGES]);
    return header_problem(files, role, diag, &problem);
}

static bool check_headers(const SourceFiles *files, const Load *loads, Diagnostics *diag) {
    for (int role = FILE_TRAIN_IMAGES; role < FILE_COUNT; role += 2) {
        if (!files->paths[role]) continue;
        Shape images = loads[role].idx.shape;
        if (!check_images(files, role, images, diag)) return false;
        if (files->paths[role + 1] &&
            !check_labels(files, role + 1, loads[role + 1].idx.shape, images, diag))
            return false;
    }
    Shape train = loads[FILE_TRAIN_IMAGES].idx.shape;
    int64_t rows = train.dim[0];
    for (int role = FILE_VALID_IMAGES; role < FILE_COUNT; role += 2)
        if (files->paths[role] &&
            !check_same_rows(files, train, role, loads[role].idx.shape, &rows, diag))
            return false;
    return true;
}

/* Makes the fields: images of the shape `row`, and labels if there are any. The classes of a named
 * set have names. */
static void make_fields(SourceData *data, const SourceFiles *files, Shape row) {
    bool labels = files->named || files->paths[FILE_TRAIN_LABELS];
    reader_fields(data, labels ? 2 : 1);
    data->fields[0] = (SourceField){.name = "image", .dtype = DTYPE_U8, .row = row};
    if (labels)
        data->fields[1] =
            (SourceField){.name = "label", .dtype = DTYPE_U8, .classes = files->classes};
    if (!files->named) return;
    data->fields[1].categories = files->named->classes;
    data->fields[1].category_count = (uint32_t)files->named->class_count;
}

/* A model on a named set can be checked without the files of the set; the number of rows is then
 * unknown. */
static bool fields_without_files(const DataSource *source, SourceData *data) {
    const NamedSet *named = source->arg_count ? NULL : named_set(source->reader);
    SourceFiles files;
    if (!named || source_files_named(named, source->span, data->arena, &files)) return false;
    make_fields(data, &files, named_row(named));
    return true;
}

/* -- mapping -- */

/* Either all files are mapped or none, because mapped test rows begin at the same row number in all
 * fields. Sources with validation files are not mapped. */
static bool can_be_mapped(const IdxSource *own, const Load *loads) {
    if (own->files.paths[FILE_VALID_IMAGES]) return false;
    for (int role = 0; role < FILE_COUNT; role++)
        if (own->files.paths[role] && idx_is_packed(&loads[role].idx)) return false;
    const Shape *train = &own->shapes[FILE_TRAIN_IMAGES], *test = &own->shapes[FILE_TEST_IMAGES];
    return map_second_row(train->dim[0]) + test->dim[0] <= INT32_MAX;
}

static size_t file_bytes(const IdxSource *own, int role) {
    uint8_t header[IDX_MAX_HEADER];
    return idx_header(own->shapes[role], header) + (size_t)shape_elements(own->shapes[role]);
}

static bool map_field(SourceData *data, int field, Diagnostics *diag) {
    IdxSource *own = data->own;
    const char *const *paths = own->files.paths;
    uint8_t header[IDX_MAX_HEADER];
    Problem problem, whole = {0};
    if (!paths[field]) return true;
    size_t row = (size_t)(shape_elements(own->shapes[field]) / own->shapes[field].dim[0]);
    int test = FILE_TEST_IMAGES + field;
    bool good = paths[test]
                    ? map_open_two((const char *const[2]){paths[field], paths[test]},
                                   (const size_t[2]){file_bytes(own, field), file_bytes(own, test)},
                                   row * (size_t)data->test_begin, &own->maps[field], &problem)
                    : map_open(paths[field], &own->maps[field], &problem);
    if (good && own->maps[field].length < file_bytes(own, field))
        problem_set(&problem, "it changed while it was read"), good = false;
    if (good)
        return data->data[field] =
                   (char *)own->maps[field].bytes + idx_header(own->shapes[field], header),
               true;
    problem_set(&whole, "'%.200s': %.800s", paths[field], problem.finding);
    report_file(&own->files, field, &whole, diag);
    return false;
}

static bool map_fields(SourceData *data, Diagnostics *diag) {
    if (data->schema.test_rows) data->test_begin = map_second_row(data->schema.train_rows);
    return map_field(data, 0, diag) && map_field(data, 1, diag);
}

/* -- reading -- */

static void *load_file(void *argument) {
    Load *load = argument;
    load->good = idx_read(&load->idx, load->to, &load->problem);
    return NULL;
}

/* Reads each file on its own thread; the largest file decides the time. */
static bool load_files(const SourceFiles *files, Load *loads, Diagnostics *diag) {
    bool good = true;
    for (int role = FILE_COUNT - 1; role >= 0; role--) {
        if (!loads[role].to) continue;
        loads[role].started = role != FILE_TRAIN_IMAGES &&
                              !pthread_create(&loads[role].thread, NULL, load_file, &loads[role]);
        if (!loads[role].started) load_file(&loads[role]);
    }
    for (int role = 0; role < FILE_COUNT; role++) {
        if (loads[role].started) pthread_join(loads[role].thread, NULL);
        if (!loads[role].to || loads[role].good) continue;
        report_file(files, role, &loads[role].problem, diag);
        good = false;
    }
    return good;
}

/* Allocates the rows of all files of a field, one after the other. */
static bool reserve_field(SourceData *data, int field, Load *loads, Diagnostics *diag) {
    const IdxSource *own = data->own;
    size_t bytes = 0;
    if (!own->files.paths[field]) return true;
    for (int role = field; role < FILE_COUNT; role += 2) bytes += loads[role].idx.bytes;
    data->data[field] = memory_try(bytes);
    if (!data->data[field]) {
        diag_error(diag, STATUS_DATA, own->files.spans[field], "no memory for %zu bytes of data",
                   bytes);
        return false;
    }
    uint8_t *to = data->data[field];
    for (int role = field; role < FILE_COUNT; role += 2) {
        if (loads[role].idx.path) loads[role].to = to;
        to += loads[role].idx.bytes;
    }
    return true;
}

static bool check_classes(const SourceFiles *files, int role, const uint8_t *labels, int64_t count,
                          Diagnostics *diag) {
    int32_t classes = files->classes;
    if (!classes || !files->paths[role]) return true;
    for (int64_t row = 0; row < count; row++) {
        if (labels[row] < classes) continue;
        diag_error(diag, STATUS_DATA, files->spans[role],
                   "'%s' has label %d in row %lld, expected 0 to %d", files->paths[role],
                   labels[row], (long long)row, classes - 1);
        diag_help(
            diag,
            "rows are counted from 0; a wrong label means that the file is damaged or of another data set");
        return false;
    }
    return true;
}

/* The row number of the first row of a file. */
static int64_t first_row(const SourceData *data, int role) {
    return role < FILE_VALID_IMAGES  ? 0
           : role < FILE_TEST_IMAGES ? data->schema.train_rows
                                     : data->test_begin;
}

/* Hashes the uncompressed files with their headers, as `zcat train-images... train-labels... |
 * b3sum` does. */
static void digest_files(const SourceData *data, llvm_blake3_hasher *hasher) {
    const IdxSource *own = data->own;
    for (int role = 0; role < FILE_COUNT; role++) {
        uint8_t header[IDX_MAX_HEADER];
        if (!own->files.paths[role]) continue;
        size_t bytes = (size_t)shape_elements(own->shapes[role]),
               row = bytes / (size_t)own->shapes[role].dim[0];
        size_t begin = row * (size_t)first_row(data, role);
        llvm_blake3_hasher_update(hasher, header, idx_header(own->shapes[role], header));
        llvm_blake3_hasher_update(hasher, (const uint8_t *)data->data[role % 2] + begin, bytes);
    }
}

static void release(SourceData *data) {
    IdxSource *own = data->own;
    for (uint32_t i = 0; i < data->schema.field_count; i++) {
        if (!own->maps[i].bytes) free(data->data[i]);
        map_close(&own->maps[i]);
    }
}

static bool load_fields(SourceData *data, Load *loads, Diagnostics *diag) {
    return reserve_field(data, 0, loads, diag) && reserve_field(data, 1, loads, diag) &&
           load_files(&((IdxSource *)data->own)->files, loads, diag);
}

static void take_origins(SourceData *data) {
    const SourceFiles *files = &((IdxSource *)data->own)->files;
    uint32_t count = 0;
    for (int role = FILE_TRAIN_IMAGES; role < FILE_COUNT; role += 2)
        count += files->paths[role] != NULL;
    reader_origins(data, count);
    count = 0;
    for (int role = FILE_TRAIN_IMAGES; role < FILE_COUNT; role += 2) {
        const char **parts = ARENA_ARRAY(data->arena, const char *, data->schema.field_count);
        if (!files->paths[role]) continue;
        for (uint32_t k = 0; k < data->schema.field_count; k++)
            parts[k] = arena_format(data->arena, "'%s'", files->paths[role + (int)k]);
        data->origins[count++] = (RowOrigin){
            .begin = (int32_t)first_row(data, role), .file = files->paths[role], .parts = parts};
    }
}

static bool read_elements(SourceData *data, Load *loads, Diagnostics *diag) {
    const IdxSource *own = data->own;
    const SourceFiles *files = &own->files;
    data->test_begin = data->schema.train_rows + data->schema.valid_rows;
    if (!(can_be_mapped(own, loads) ? map_fields(data, diag) : load_fields(data, loads, diag)))
        return false;
    take_origins(data);
    if (!files->paths[FILE_TRAIN_LABELS]) return true;
    const uint8_t *labels = data->data[1];
    for (int role = FILE_TRAIN_LABELS; role < FILE_COUNT; role += 2)
        if (!check_classes(files, role, labels + first_row(data, role), own->shapes[role].dim[0],
                           diag))
            return false;
    return true;
}

static bool read_files(bool whole, SourceData *data, Load *loads, Diagnostics *diag) {
    IdxSource *own = data->own;
    if (!open_files(&own->files, loads, diag) || !check_headers(&own->files, loads, diag))
        return false;
    for (int role = 0; role < FILE_COUNT; role++) own->shapes[role] = loads[role].idx.shape;
    make_fields(data, &own->files, row_shape(own->shapes[FILE_TRAIN_IMAGES]));
    data->schema.train_rows = own->shapes[FILE_TRAIN_IMAGES].dim[0];
    data->schema.valid_rows = own->shapes[FILE_VALID_IMAGES].dim[0];
    data->schema.test_rows = own->shapes[FILE_TEST_IMAGES].dim[0];
    return !whole || read_elements(data, loads, diag);
}

bool read_idx(const DataSource *source, bool whole, SourceData *data, Diagnostics *diag) {
    if (!whole && fields_without_files(source, data)) return true;
    IdxSource *own = data->own = ARENA_NEW(data->arena, IdxSource);
    Load *loads = ARENA_ARRAY(data->arena, Load, FILE_COUNT);
    data->digest = digest_files;
    data->release = release;
    if (!source_files(source, data->arena, &own->files, diag)) return false;
    data->span = own->files.spans[FILE_TRAIN_IMAGES];
    bool good = read_files(whole, data, loads, diag);
    for (int role = 0; role < FILE_COUNT; role++)
        if (loads[role].idx.path) idx_close(&loads[role].idx);
    return good;
}
