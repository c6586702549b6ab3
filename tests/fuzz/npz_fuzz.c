/* Fuzzes archives of NumPy. No entry of an accepted archive is larger than its packed bytes can
 * be. */
#include "runtime/formats/npy.h"
#include "tests/fuzz/fuzz.h"

const char *const fuzz_words[] = {"PK\3\4",   "PK\1\2",      "PK\5\6",          "PK\6\6",
                                  ".npy",     "x_train.npy", "x_test.npy",      "\xff\xff\xff\xff",
                                  "\xff\xff", "\x08",        "{'descr': '<f4'", NULL};

enum { MAX_EXPANDED = 1040 }; /* the most bytes that deflate makes of one byte, rounded up */

static void unpack_all(const char *copy, size_t size, const ZipEntry *entries, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        Problem problem = {0};
        REQUIRE(entries[i].bytes <= size * MAX_EXPANDED);
        char *unpacked = malloc(entries[i].bytes + 1);
        REQUIRE(unpacked &&
                (zip_unpack(copy, size, &entries[i], unpacked, entries[i].bytes, &problem) ||
                 *problem.finding));
        free(unpacked);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const arguments[] = {"path"};
    char *copy = fuzz_copy(data, size);
    Arena *arena = arena_new();
    ZipEntry *entries = ARENA_ARRAY(arena, ZipEntry, ZIP_MAX_ENTRIES);
    uint32_t count = 0;
    Problem problem = {0};
    if (zip_list(copy, size, arena, entries, &count, &problem))
        unpack_all(copy, size, entries, count);
    else
        REQUIRE(*problem.finding);
    arena_free(arena);
    free(copy);
    fuzz_dataset(data, size, "npz", arguments, 1);
    return 0;
}
