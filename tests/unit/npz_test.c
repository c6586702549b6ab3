/* The reader of archives finds the same arrays that npz_write has written. */
#include "ir/base/memory.h"
#include "ir/ops/shapes.h"
#include "runtime/formats/npy.h"
#include "runtime/formats/npz_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const float values[6] = {1.5f, -0.0f, 3, 4, 5, 6};
static const int32_t numbers[3] = {7, -8, 9};
static const uint8_t truths[2] = {1, 0};
static const double exact[2] = {0.1, -1e300};

static char *read_whole(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = memory_array(1 << 16, 1, "a test");
    *length = fread(bytes, 1, 1 << 16, file);
    fclose(file);
    return bytes;
}

static void expect_array(const char *bytes, size_t length, const ZipEntry *entry,
                         const NamedArray *wrote) {
    Problem problem = {{0}, {0}};
    NpyArray array;
    assert_string_equal(entry->name, wrote->name);
    const void *stored = zip_stored(bytes, length, entry, true, &problem);
    assert_non_null(stored);
    assert_true(npy_read(stored, entry->bytes, true, &array, &problem));
    assert_true(shape_equal(array.shape, wrote->shape));
    assert_memory_equal(array.data, wrote->data, array.bytes);
    size_t element = wrote->f64 ? sizeof(double) : dtype_bytes(wrote->dtype);
    assert_int_equal(array.bytes, (size_t)shape_elements(wrote->shape) * element);
    assert_int_equal(((const char *)array.data - (const char *)stored) % 64, 0);
}

static void test_archive(void **state) {
    (void)state;
    const NamedArray arrays[] = {
        {"dense1.weight", DTYPE_F32, {.rank = 2, .dim = {2, 3}}, values, false},
        {"count", DTYPE_I32, {.rank = 1, .dim = {3}}, numbers, false},
        {"on", DTYPE_BOOL, {.rank = 1, .dim = {2}}, truths, false},
        {"scale", DTYPE_F32, {.rank = 1, .dim = {1}}, values, false},
        {"price", DTYPE_F32, {.rank = 1, .dim = {2}}, exact, true}};
    enum { COUNT = sizeof arrays / sizeof *arrays };
    Diagnostics *diag = diag_new();
    Arena *arena = arena_new();
    char path[] = "/tmp/npz_test.XXXXXX";
    assert_true(mkstemp(path) >= 0);
    assert_true(npz_write(path, arrays, COUNT, "", diag));
    size_t length;
    char *bytes = read_whole(path, &length);
    ZipEntry entries[ZIP_MAX_ENTRIES];
    uint32_t count;
    Problem problem = {{0}, {0}};
    assert_true(zip_list(bytes, length, arena, entries, &count, &problem));
    assert_int_equal(count, COUNT);
    for (uint32_t i = 0; i < COUNT; i++) expect_array(bytes, length, &entries[i], &arrays[i]);
    free(bytes);
    remove(path);
    arena_free(arena);
    diag_free(diag);
}

static void test_cannot_write(void **state) {
    (void)state;
    const NamedArray array = {"a", DTYPE_F32, {.rank = 1, .dim = {6}}, values, false};
    Diagnostics *diag = diag_new();
    assert_false(npz_write("/nowhere/w.npz", &array, 1, "", diag));
    assert_int_equal(diag_status(diag), STATUS_FILE);
    const NamedArray huge = {"a",
                             DTYPE_F32,
                             {.rank = 2, .dim = {1 << 20, 1 << 11}},
                             values,
                             false}; /* 8 GB, which are never read */
    assert_false(npz_write("/tmp/never.npz", &huge, 1, "", diag));
    assert_int_equal(diag_errors(diag), 2);
    diag_free(diag);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_archive),
                                       cmocka_unit_test(test_cannot_write)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
