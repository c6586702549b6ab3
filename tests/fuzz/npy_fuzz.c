/* Fuzzes arrays of NumPy. The elements of an accepted file lie inside it. */
#include "runtime/formats/npy.h"
#include "tests/fuzz/fuzz.h"

const char *const fuzz_words[] = {
    "'descr': ", "'<f4'",          "'|u1'", "'>i8'", "'<f2'",     "True",
    "False",     "(3,)",           "()",    ", ",    "'shape': ", "99999999999999999999",
    "-1",        "[('a', '<f4')]", "{",     "}",     NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const arguments[] = {"x", "test_x"};
    char *copy = fuzz_copy(data, size);
    NpyArray array;
    Problem problem = {0};
    if (npy_read(copy, size, true, &array, &problem)) {
        REQUIRE(array.bytes <= size);
        char *elements = malloc((size_t)shape_elements(array.shape) * dtype_bytes(array.dtype));
        bool wide;
        REQUIRE(elements);
        npy_convert(&array, elements);
        REQUIRE(npy_is_wide(&array, &wide, &problem) || *problem.finding);
        free(elements);
    } else {
        REQUIRE(*problem.finding);
    }
    free(copy);
    fuzz_dataset(data, size, "npy", arguments, 2);
    return 0;
}
