/* Arrays of NumPy: every kind of element, what cannot be read, and sources of one file and of
 * four. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/formats/npy.h"
#include "runtime/data/dataset.h"
#include "runtime/formats/map.h"
#include "temporary.h"

#include <math.h>
#include <zlib.h>

static uint8_t file[4096];

/* An NPY file of version 1 whose elements begin at a multiple of 64. */
static size_t npy_file(const char *descr, const char *shape, const char *order, const void *data,
                       size_t bytes) {
    char header[128];
    int length =
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }",
                 descr, order, shape);
    memset(file, ' ', 128);
    memcpy(file, "\x93NUMPY\1\0\x76\0", 10);
    memcpy(file + 10, header, (size_t)length);
    file[127] = '\n';
    memcpy(file + 128, data, bytes);
    return 128 + bytes;
}

static void expect_elements(const char *descr, const void *data, size_t bytes, DType dtype,
                            const double *values) {
    NpyArray array;
    Problem problem = {0};
    float reals[3];
    int32_t whole[3];
    uint8_t small[3];
    void *to = dtype == DTYPE_F32   ? (void *)reals
               : dtype == DTYPE_I32 ? (void *)whole
                                    : (void *)small;
    if (!npy_read(file, npy_file(descr, "(3,)", "False", data, bytes), true, &array, &problem))
        fail_msg("%s: %s", descr, problem.finding);
    npy_convert(&array, to);
    assert_int_equal(array.dtype, dtype);
    for (int i = 0; i < 3; i++) {
        double found = dtype == DTYPE_F32   ? (double)reals[i]
                       : dtype == DTYPE_I32 ? whole[i]
                                            : small[i];
        if (found != values[i] && !(isnan(found) && isnan(values[i])))
            fail_msg("%s[%d] is %g", descr, i, found);
    }
}

static void test_elements(void **state) {
    (void)state;
    expect_elements("<f4", (float[]){1.5f, -2, 3}, 12, DTYPE_F32, (double[]){1.5, -2, 3});
    expect_elements("<f8", (double[]){1.5, -2, 0.1}, 24, DTYPE_F32,
                    (double[]){1.5, -2, (double)0.1f});
    expect_elements("<f2", (uint16_t[]){0x3e00, 0xc000, 0x0001}, 6, DTYPE_F32,
                    (double[]){1.5, -2, 0x1p-24});
    expect_elements("<f2", (uint16_t[]){0x7c00, 0xfc00, 0x7e00}, 6, DTYPE_F32,
                    (double[]){INFINITY, -INFINITY, NAN});
    expect_elements("|i1", (int8_t[]){1, -2, 127}, 3, DTYPE_I32, (double[]){1, -2, 127});
    expect_elements("<i2", (int16_t[]){1, -2, 3000}, 6, DTYPE_I32, (double[]){1, -2, 3000});
    expect_elements("<i4", (int32_t[]){1, -2, INT32_MAX}, 12, DTYPE_I32,
                    (double[]){1, -2, INT32_MAX});
    expect_elements("<i8", (int64_t[]){1, -2, INT32_MIN}, 24, DTYPE_I32,
                    (double[]){1, -2, INT32_MIN});
    expect_elements("|u1", (uint8_t[]){1, 2, 255}, 3, DTYPE_U8, (double[]){1, 2, 255});
    expect_elements("<u2", (uint16_t[]){1, 2, 65535}, 6, DTYPE_I32, (double[]){1, 2, 65535});
    expect_elements("<u4", (uint32_t[]){1, 2, INT32_MAX}, 12, DTYPE_I32,
                    (double[]){1, 2, INT32_MAX});
    expect_elements("<u8", (uint64_t[]){1, 2, 3}, 24, DTYPE_I32, (double[]){1, 2, 3});
    expect_elements("|b1", (uint8_t[]){1, 0, 1}, 3, DTYPE_U8, (double[]){1, 0, 1});
}

static void expect_problem(size_t length, const char *text) {
    NpyArray array;
    Problem problem = {0};
    bool wide;
    assert_false(npy_read(file, length, true, &array, &problem) &&
                 npy_is_wide(&array, &wide, &problem));
    if (!strstr(problem.finding, text))
        fail_msg("expected \"%s\" in \"%s\"", text, problem.finding);
}

/* Whether f32 and i32 cannot represent the two elements, which are then kept exactly. */
static void expect_wide(const char *descr, const void *data, bool expected) {
    NpyArray array;
    Problem problem = {0};
    bool wide;
    int64_t exact[2];
    assert_true(npy_read(file, npy_file(descr, "(2,)", "False", data, descr[2] == '4' ? 8 : 16),
                         true, &array, &problem));
    assert_true(npy_is_wide(&array, &wide, &problem));
    assert_int_equal(wide, expected);
    npy_write_exact(&array, exact);
    if (descr[2] == '8') assert_memory_equal(exact, data, 16);
    if (descr[2] == '4') assert_true(exact[1] == ((const uint32_t *)data)[1]);
}

static void test_wide(void **state) {
    (void)state;
    expect_wide("<i8", (int64_t[]){INT32_MIN, INT32_MAX}, false);
    expect_wide("<i8", (int64_t[]){0, INT64_C(1) << 31}, true);
    expect_wide("<i8", (int64_t[]){0, INT64_MIN + 1}, true);
    expect_wide("<u8", (uint64_t[]){0, INT64_MAX}, true);
    expect_wide("<u4", (uint32_t[]){0, INT32_MAX}, false);
    expect_wide("<u4", (uint32_t[]){0, UINT32_MAX}, true);
    expect_wide("<f8", (double[]){0.5, 16777216}, false);
    expect_wide("<f8", (double[]){INFINITY, -0.0}, false);
    expect_wide("<f8", (double[]){0.5, 16777217}, true);
    expect_wide("<f8", (double[]){0.5, 1e300}, true);
}

static void expect_remedy(const char *descr, const char *text) {
    NpyArray array;
    Problem problem = {0};
    assert_false(npy_read(file, npy_file(descr, "(1,)", "False", (char[16]){0}, 16), true, &array,
                          &problem));
    if (!strstr(problem.help, text)) fail_msg("expected \"%s\" in \"%s\"", text, problem.help);
}

static void test_problems(void **state) {
    (void)state;
    const int64_t large[] = {1, INT64_MIN}, whole[] = {0, 0, 0, 0};
    expect_problem(npy_file("<i8", "(2,)", "False", large, 16),
                   "element 1 is a whole number beyond 64 bits");
    expect_problem(npy_file("<u8", "(2,)", "False", large, 16),
                   "element 1 is a whole number beyond 64 bits");
    expect_problem(npy_file(">f4", "(2,)", "False", whole, 8), "'>f4', which cannot be read");
    expect_problem(npy_file("<c8", "(2,)", "False", whole, 16), "'<c8', which cannot be read");
    expect_remedy("<M8[s]", "datetime64[s]");
    expect_remedy("<m8[s]", "timedelta64[s]");
    expect_remedy("<f16", "float64");
    expect_remedy(">i8", "newbyteorder");
    expect_problem(npy_file("<U3", "(2,)", "False", whole, 24), "'<U3', which cannot be read");
    expect_problem(npy_file("<f4", "(2, 2)", "True", whole, 16), "in Fortran order");
    expect_problem(npy_file("<f4", "()", "False", whole, 4), "a single number");
    expect_problem(npy_file("<f4", "(0, 2)", "False", whole, 0), "dimension 0 is 0");
    expect_problem(npy_file("<f4", "(2147483648,)", "False", whole, 8), "too large");
    expect_problem(npy_file("<f4", "(2000000000, 2000000000, 2000000000)", "False", whole, 8),
                   "too large");
    expect_problem(npy_file("<f4", "(1,1,1,1,1,1,1)", "False", whole, 4), "more than 6 dimensions");
    expect_problem(npy_file("<f4", "(3,)", "False", whole, 8),
                   "is cut short: its header promises 12 bytes of elements, but 8 follow");
    expect_problem(npy_file("<f4", "(1,)", "False", whole, 8), "is too long");
    expect_problem(npy_file("<f4", "(1,) x", "False", whole, 4), "not that of an NPY file");
    expect_problem(npy_file("<f4", "(1,)", "Maybe", whole, 4), "not that of an NPY file");
    expect_problem(100, "ends inside its header");
    expect_problem(5, "does not begin like an NPY file");
    npy_file("<f4", "(1,)", "False", whole, 4);
    file[6] = 4;
    expect_problem(132, "version 4");
    NpyArray array;
    Problem problem = {0};
    assert_true(npy_read(file, npy_file("<f4", "(3,)", "True", whole, 12), true, &array,
                         &problem)); /* one axis has one order */
}

static Dataset *open_arrays(const SourceArg *args, uint32_t count, Diagnostics *diag) {
    DataSource source = {
        .reader = "npy", .folder = temporary_folder, .args = args, .arg_count = count};
    return dataset_open(&source, &(SplitRequest){0}, diag);
}

/* An array that needs no conversion is mapped from its file. With test rows, all arrays have their
 * test rows at the same row number, both mapped and copied ones. */
static void test_sources(void **state) {
    (void)state;
    const float x[] = {1, 2, 3, 4, 5, 6}, more[] = {7, 8};
    const int64_t y[] = {0, 1, 2}, y_more[] = {1};
    Diagnostics *diag = diag_new();
    temporary_write("x.npy", file, npy_file("<f4", "(3, 2)", "False", x, sizeof x));
    temporary_write("y.npy", file, npy_file("<i8", "(3,)", "False", y, sizeof y));
    temporary_write("tx.npy", file, npy_file("<f4", "(1, 2)", "False", more, sizeof more));
    temporary_write("ty.npy", file, npy_file("<i8", "(1,)", "False", y_more, sizeof y_more));
    const SourceArg args[] = {{.name = "x", .kind = SOURCE_ARG_STRING, .text = "x.npy"},
                              {.name = "y", .kind = SOURCE_ARG_STRING, .text = "y.npy"},
                              {.name = "test_x", .kind = SOURCE_ARG_STRING, .text = "tx.npy"},
                              {.name = "test_y", .kind = SOURCE_ARG_STRING, .text = "ty.npy"}};
    Dataset *dataset = open_arrays(args, 2, diag);
    assert_non_null(dataset);
    assert_memory_equal(dataset_field(dataset, "x"), x, sizeof x);
    assert_int_equal(((const int32_t *)dataset_field(dataset, "y"))[2], 2);
    dataset_free(dataset);
    dataset = open_arrays(args, 4, diag);
    assert_non_null(dataset);
    assert_int_equal(dataset_rows(dataset, SPLIT_TEST), 1);
    int32_t test = dataset_split(dataset, SPLIT_TEST)[0];
    assert_int_equal(test, sysconf(_SC_PAGESIZE));
    char text[PLACE_TEXT], expected[PLACE_TEXT];
    assert_int_equal(dataset_row_place(dataset, test).row, 0);
    assert_string_equal(dataset_row_place(dataset, test).file, temporary_path("tx.npy"));
    snprintf(expected, sizeof expected, "row 0 of '%s'", temporary_path("ty.npy"));
    assert_string_equal(dataset_place_text(dataset, "y", test, text), expected);
    assert_memory_equal((const float *)dataset_field(dataset, "x") + 2 * test, more, sizeof more);
    assert_string_equal(data_file_at((const float *)dataset_field(dataset, "x") + 2 * test),
                        temporary_path("tx.npy"));
    assert_int_equal(((const int32_t *)dataset_field(dataset, "y"))[test], 1);
    assert_memory_equal(dataset_field(dataset, "x"), x, sizeof x);
    dataset_free(dataset);
    assert_null(open_arrays(args, 3, diag));
    assert_int_equal(diag_status(diag), STATUS_MODEL);
    diag_free(diag);
}

/* The directory of the archive lists more arrays than are allowed. */
static void test_crowded_archive(void **state) {
    (void)state;
    const char end[22] = "PK\5\6\0\0\0\0\1\1\1\1";
    Diagnostics *diag = diag_new();
    const SourceArg arg = {.name = "path", .kind = SOURCE_ARG_STRING, .text = "crowded.npz"};
    DataSource source = {.reader = "npz", .folder = temporary_folder, .args = &arg, .arg_count = 1};
    temporary_write("crowded.npz", end, sizeof end);
    assert_null(dataset_open(&source, &(SplitRequest){0}, diag));
    assert_int_equal(diag_status(diag), STATUS_DATA);
    diag_free(diag);
}

static void put(uint8_t *at, int bytes, size_t value) {
    for (int i = 0; i < bytes; i++) at[i] = (uint8_t)(value >> 8 * i);
}

/* An archive of one unpacked array. `extra` bytes lie between its name and its contents. */
static void write_archive(const char *name, const void *contents, size_t length, size_t extra) {
    static uint8_t archive[2048];
    memset(archive, 0, sizeof archive);
    const size_t begin = 30 + 5 + extra, list = begin + length,
                 crc = crc32(0, contents, (uInt)length);
    uint8_t *line = archive + list, *end = line + 46 + 5;
    put(archive, 4, 0x04034b50), put(archive + 26, 2, 5), put(archive + 28, 2, extra);
    memcpy(archive + 30, "x.npy", 5);
    memcpy(archive + begin, contents, length);
    put(line, 4, 0x02014b50), put(line + 16, 4, crc), put(line + 20, 4, length),
        put(line + 24, 4, length), put(line + 28, 2, 5);
    memcpy(line + 46, "x.npy", 5);
    put(end, 4, 0x06054b50), put(end + 8, 2, 1), put(end + 10, 2, 1), put(end + 12, 4, 51),
        put(end + 16, 4, list);
    temporary_write(name, archive, list + 51 + 22);
}

/* Tries four places of an array in an archive, and counts those where it can be mapped. */
static int count_mapped(const char *element, const void *values, size_t bytes) {
    int mapped = 0;
    Diagnostics *diag = diag_new();
    const SourceArg arg = {.name = "path", .kind = SOURCE_ARG_STRING, .text = "stored.npz"};
    DataSource source = {.reader = "npz", .folder = temporary_folder, .args = &arg, .arg_count = 1};
    for (size_t extra = 0; extra < 4; extra++) {
        write_archive("stored.npz", file, npy_file(element, "(3, 4)", "False", values, bytes),
                      extra);
        Dataset *dataset = dataset_open(&source, &(SplitRequest){0}, diag);
        assert_non_null(dataset);
        assert_memory_equal(dataset_field(dataset, "x"), values, bytes);
        mapped += data_file_at(dataset_field(dataset, "x")) != NULL;
        dataset_free(dataset);
    }
    diag_free(diag);
    return mapped;
}

/* An unpacked array is mapped if its place in the file is aligned for its elements. */
static void test_stored_archive(void **state) {
    (void)state;
    const float x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    assert_int_equal(count_mapped("|u1", "abcdefghijkl", 12), 4);
    assert_int_equal(count_mapped("<f4", x, sizeof x), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elements),        cmocka_unit_test(test_wide),
        cmocka_unit_test(test_problems),        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_crowded_archive), cmocka_unit_test(test_stored_archive)};
    return cmocka_run_group_tests(tests, temporary_set_up, temporary_tear_down);
}
