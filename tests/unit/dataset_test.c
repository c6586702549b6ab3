/* Data sets: finding their files, checking files against each other, splits, and messages about
 * missing files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/data/dataset.h"
#include "runtime/data/sources.h"
#include "runtime/formats/hash.h"
#include "runtime/formats/map.h"
#include "temporary.h"
#include "tests/support/texts.h"

enum { TRAIN = 40, TEST = 12, PIXELS = 28 * 28 };

static const char *const roles[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                    "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
static uint8_t contents[4][16 + TRAIN * PIXELS];
static size_t lengths[4];

static uint8_t pixel(int split, int64_t row, int i) { return (uint8_t)(split * 91 + row * 7 + i); }
static uint8_t label(int split, int64_t row) { return (uint8_t)((row + split) % 10); }

/* A data set of four files like MNIST's, two of them packed. */
static void make_set(void) {
    static uint8_t data[TRAIN * PIXELS];
    for (int role = 0; role < 4; role++) {
        int rows = role < 2 ? TRAIN : TEST, images = role % 2 == 0;
        for (int i = 0; i < rows * PIXELS; i++) data[i] = pixel(role / 2, i / PIXELS, i % PIXELS);
        for (int i = 0; i < rows && !images; i++) data[i] = label(role / 2, i);
        lengths[role] = idx_bytes(contents[role], images ? 3 : 1, (int[]){rows, 28, 28}, data);
    }
}

static const char *in_set(int role) {
    static char name[64];
    snprintf(name, sizeof name, "mnist/%s", roles[role]);
    return name;
}

static int set_up(void **state) {
    if (temporary_set_up(state)) return -1;
    mkdir(temporary_path("mnist"), 0777);
    setenv("MLC_DATA", temporary_folder, 1);
    make_set();
    for (int role = 0; role < 4; role++) {
        char packed[80];
        snprintf(packed, sizeof packed, "%s.gz", in_set(role));
        if (role < 2)
            temporary_write_packed(packed, contents[role], lengths[role]);
        else
            temporary_write(in_set(role), contents[role], lengths[role]);
    }
    return 0;
}

/* Held-out random rows: counts, or fractions. */
static SplitRequest drawn(bool valid_is_count, bool test_is_count, double valid, double test,
                          uint64_t seed) {
    return (SplitRequest){.valid = {.is_count = valid_is_count, .amount = valid},
                          .test = {.is_count = test_is_count, .amount = test},
                          .seed = seed};
}

static Dataset *open_with(DataSource source, SplitRequest request, Diagnostics *diag) {
    source.folder = temporary_folder;
    return dataset_open(&source, &request, diag);
}

/* If no file is packed, the files are mapped instead of copied, and the test rows begin at a
 * page. */
static void test_maps_files(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    static const char *const names[] = {"images", "labels", "test_images", "test_labels"};
    SourceArg args[4];
    for (int role = 0; role < 4; role++) {
        temporary_write(names[role], contents[role], lengths[role]);
        args[role] =
            (SourceArg){.name = names[role], .kind = SOURCE_ARG_STRING, .text = names[role]};
    }
    DataSource source = {.reader = "idx", .args = args, .arg_count = 4};
    Dataset *mapped = open_with(source, (SplitRequest){0}, diag),
            *read = open_with((DataSource){.reader = "mnist"}, (SplitRequest){0}, diag);
    assert_non_null(mapped);
    const uint8_t *images = dataset_field(mapped, "image"),
                  *labels = dataset_field(mapped, "label");
    for (int i = 0; i < TEST; i++) {
        int32_t row = dataset_split(mapped, SPLIT_TEST)[i];
        assert_int_equal(row, sysconf(_SC_PAGESIZE) + i);
        assert_int_equal(dataset_row_place(mapped, row).row, i);
        assert_non_null(strstr(dataset_row_place(mapped, row).file, "test_images"));
        assert_int_equal(labels[row], label(1, i));
        assert_int_equal(images[(size_t)row * PIXELS + 5], pixel(1, i, 5));
    }
    for (int i = 0; i < TRAIN; i++)
        assert_int_equal(images[(size_t)i * PIXELS + 5], pixel(0, i, 5));
    assert_string_equal(data_file_at(labels), temporary_path("labels"));
    assert_string_equal(data_file_at(labels + dataset_split(mapped, SPLIT_TEST)[3]),
                        temporary_path("test_labels"));
    assert_string_equal(dataset_digest(mapped), dataset_digest(read));
    dataset_free(mapped);
    dataset_free(read);
    assert_null(data_file_at(labels));
    diag_free(diag);
}

static void test_reads_a_named_set(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Dataset *dataset = open_with((DataSource){.reader = "mnist"}, (SplitRequest){0}, diag);
    assert_non_null(dataset);
    const uint8_t *images = dataset_field(dataset, "image"),
                  *labels = dataset_field(dataset, "label");
    assert_int_equal(dataset_rows(dataset, SPLIT_TRAIN), TRAIN);
    assert_int_equal(dataset_rows(dataset, SPLIT_VALID), 0);
    assert_int_equal(dataset_rows(dataset, SPLIT_TEST), TEST);
    for (int i = 0; i < TEST; i++) {
        int32_t row = dataset_split(dataset, SPLIT_TEST)[i];
        assert_int_equal(labels[row], label(1, i));
        assert_int_equal(images[(size_t)row * PIXELS + 5], pixel(1, i, 5));
    }
    assert_null(dataset_field(dataset, "price"));
    assert_string_equal(dataset_class_name(dataset, "label", 7), "7");
    assert_null(dataset_class_name(dataset, "label", 10));
    dataset_free(dataset);
    diag_free(diag);
}

/* The digest is that of the unpacked files, one after the other. */
static void test_digest(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    static uint8_t joined[sizeof contents];
    size_t length = 0;
    char hex[65];
    for (int role = 0; role < 4; role++) {
        memcpy(joined + length, contents[role], lengths[role]);
        length += lengths[role];
    }
    blake3_hex(joined, length, hex);
    Dataset *dataset = open_with((DataSource){.reader = "mnist"}, (SplitRequest){0}, diag);
    assert_string_equal(dataset_digest(dataset), hex);
    dataset_free(dataset);
    diag_free(diag);
}

static void test_blake3_is_blake3(void **state) {
    (void)state;
    char hex[65];
    blake3_hex("", 0, hex); /* from the test vectors of its authors */
    assert_string_equal(hex, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262");
}

static DataSource idx_source(uint32_t count) {
    static SourceArg args[] = {
        {.name = "", .kind = SOURCE_ARG_STRING, .text = "mnist/train-images-idx3-ubyte"},
        {.name = "", .kind = SOURCE_ARG_STRING, .text = "mnist/train-labels-idx1-ubyte.gz"},
        {.name = "test_images",
         .kind = SOURCE_ARG_STRING,
         .text = "mnist/t10k-images-idx3-ubyte.gz"},
        {.name = "test_labels", .kind = SOURCE_ARG_STRING, .text = "mnist/t10k-labels-idx1-ubyte"},
    };
    return (DataSource){
        .reader = "idx", .folder = temporary_folder, .args = args, .arg_count = count};
}

/* Held-out rows are drawn from the seed; each row is in one split; each split is in order. */
static void test_splits(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Dataset *a = open_with(idx_source(2), drawn(true, false, 7, 0.25, 1), diag);
    Dataset *b = open_with(idx_source(2), drawn(true, false, 7, 0.25, 2), diag);
    assert_int_equal(dataset_rows(a, SPLIT_VALID), 7);
    assert_int_equal(dataset_rows(a, SPLIT_TEST), TRAIN / 4);
    int seen[TRAIN] = {0};
    for (int split = 0; split < SPLIT_COUNT; split++) {
        const int32_t *rows = dataset_split(a, (Split)split);
        for (int64_t i = 0; i < dataset_rows(a, (Split)split); i++) {
            assert_in_range(rows[i], i ? rows[i - 1] + 1 : 0, TRAIN - 1);
            seen[rows[i]]++;
        }
    }
    for (int i = 0; i < TRAIN; i++) assert_int_equal(seen[i], 1);
    assert_memory_not_equal(dataset_split(a, SPLIT_VALID), dataset_split(b, SPLIT_VALID),
                            7 * sizeof(int32_t));
    dataset_free(a);
    dataset_free(b);
    diag_free(diag);
}

static void test_schemas(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    SourceSchema schema;
    Arena *arena = arena_new();
    SplitRequest request = {0};
    DataSource source = idx_source(4), images = idx_source(1),
               fashion = {.reader = "fashion_mnist"};
    assert_true(dataset_schema(NULL, &source, &request, arena, &schema, diag));
    assert_int_equal(schema.train_rows, TRAIN);
    assert_int_equal(schema.test_rows, TEST);
    assert_int_equal(schema.field_count, 2);
    assert_string_equal(schema.fields[1].name, "label");
    assert_true(dataset_schema(NULL, &images, &request, arena, &schema, diag));
    assert_int_equal(schema.field_count, 1);
    /* the schema is the same with and without its files */
    assert_true(dataset_schema(NULL, &fashion, &request, arena, &schema, diag));
    assert_true(shape_equal(schema.fields[0].row, shape_of(3, (int64_t[]){1, 28, 28})));
    assert_int_equal(diag_errors(diag), 0);
    arena_free(arena);
    diag_free(diag);
}

/* -- errors -- */

static void expect_failure(DataSource source, SplitRequest request, Status status,
                           const char *text) {
    Diagnostics *diag = diag_new();
    assert_null(open_with(source, request, diag));
    expect_messages(diag, status, text);
    diag_free(diag);
}

static void expect_argument(SourceArg arg, Status status, const char *text) {
    SourceArg args[] = {
        {.name = "images", .kind = SOURCE_ARG_STRING, .text = "mnist/train-images-idx3-ubyte"},
        arg};
    expect_failure((DataSource){.reader = "idx", .args = args, .arg_count = 2}, (SplitRequest){0},
                   status, text);
}

static void test_wrong_arguments(void **state) {
    (void)state;
    expect_argument((SourceArg){.name = "label", .kind = SOURCE_ARG_STRING, .text = "x"},
                    STATUS_MODEL, "did you mean 'labels'?");
    expect_argument((SourceArg){.name = "labels", .kind = SOURCE_ARG_NUMBER, .number = 3},
                    STATUS_MODEL, "must be the name of a file");
    expect_argument((SourceArg){.name = "images", .kind = SOURCE_ARG_STRING, .text = "x"},
                    STATUS_MODEL, "'images' of idx() is given twice");
    expect_argument((SourceArg){.name = "classes", .kind = SOURCE_ARG_NUMBER, .number = 2.5},
                    STATUS_MODEL, "a whole number from 1 to 256");
    expect_argument((SourceArg){.name = "labels", .kind = SOURCE_ARG_STRING, .text = "nothing"},
                    STATUS_DATA, "neither 'nothing' nor");
    expect_argument(
        (SourceArg){.name = "test_labels", .kind = SOURCE_ARG_STRING, .text = in_set(3)},
        STATUS_MODEL, "or for neither");
    expect_argument((SourceArg){.name = "labels", .kind = SOURCE_ARG_STRING, .text = in_set(3)},
                    STATUS_DATA, "holds 12 labels, but");
    expect_argument((SourceArg){.name = "labels", .kind = SOURCE_ARG_STRING, .text = in_set(2)},
                    STATUS_DATA, "dimensions, but labels have one");
    expect_failure((DataSource){.reader = "idx"}, (SplitRequest){0}, STATUS_MODEL,
                   "needs the name of a file with images");
    expect_failure((DataSource){.reader = "imagenet"}, (SplitRequest){0}, STATUS_MODEL,
                   "unknown source 'imagenet'");
}

static void test_splits_that_do_not_fit(void **state) {
    (void)state;
    DataSource named = {.reader = "mnist"};
    expect_failure(named, drawn(true, true, 0, 5, 1), STATUS_MODEL,
                   "have 12 test rows in a file of their own");
    expect_failure(named, drawn(true, true, TRAIN, 0, 1), STATUS_MODEL,
                   "leaves none of the 40 rows");
    expect_failure(named, drawn(true, true, 1e300, 0, 1), STATUS_MODEL,
                   "leaves none of the 40 rows");
    expect_failure(idx_source(2), drawn(false, false, 0.5, 0.5, 1), STATUS_MODEL,
                   "leaves none of the 40 rows");
}

static void test_label_out_of_range(void **state) {
    (void)state;
    uint8_t bytes[8 + TEST];
    memcpy(bytes, contents[3], lengths[3]);
    bytes[8 + 9] = 10;
    temporary_write(in_set(3), bytes, lengths[3]);
    expect_failure((DataSource){.reader = "mnist"}, (SplitRequest){0}, STATUS_DATA,
                   "label 10 in row 9, expected 0 to 9");
    temporary_write(in_set(3), contents[3], lengths[3]);
}

static void test_damaged_file(void **state) {
    (void)state;
    temporary_write(in_set(2), contents[2], lengths[2] - 1);
    expect_failure((DataSource){.reader = "mnist"}, (SplitRequest){0}, STATUS_DATA,
                   "`mlc data get mnist` downloads the right files");
    temporary_write(in_set(2), contents[2], lengths[2]);
}

static void test_missing_files(void **state) {
    (void)state;
    char folder[256];
    setenv("MLC_DATA", temporary_path("nowhere"), 1);
    expect_failure((DataSource){.reader = "mnist"}, (SplitRequest){0}, STATUS_DATA,
                   "/nowhere/mnist'");
    expect_failure((DataSource){.reader = "mnist"}, (SplitRequest){0}, STATUS_DATA,
                   "`mlc data get mnist` downloads it");
    unsetenv("MLC_DATA");
    setenv("XDG_CACHE_HOME", "/cache", 1);
    assert_string_equal(data_folder("mnist", folder, sizeof folder), "/cache/mlc/mnist");
    setenv("MLC_DATA", temporary_folder, 1);
    remove(temporary_path(in_set(3)));
    expect_failure((DataSource){.reader = "mnist"}, (SplitRequest){0}, STATUS_DATA,
                   "no data: 't10k-labels-idx1-ubyte' is not in");
    temporary_write(in_set(3), contents[3], lengths[3]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_maps_files),
        cmocka_unit_test(test_reads_a_named_set),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_blake3_is_blake3),
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_schemas),
        cmocka_unit_test(test_wrong_arguments),
        cmocka_unit_test(test_splits_that_do_not_fit),
        cmocka_unit_test(test_label_out_of_range),
        cmocka_unit_test(test_damaged_file),
        cmocka_unit_test(test_missing_files),
    };
    return cmocka_run_group_tests(tests, set_up, temporary_tear_down);
}
