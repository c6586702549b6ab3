/* Fuzzes IDX files, packed or not. A file with an accepted header either has as many elements as
 * the header says, or gives an error. */
#include "runtime/formats/idx.h"
#include "tests/fuzz/fuzz.h"

#include <unistd.h>

const char *const fuzz_words[] = {"\x1f\x8b\x08",     "\x08\x01",         "\x08\x03",
                                  "\xff\xff\xff\xff", "\x7f\xff\xff\xff", NULL};

enum { MAX_BYTES = 1 << 16 }; /* more bytes take time and find nothing else */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const arguments[] = {"images", "test_images"};
    char path[64];
    int file = fuzz_file(data, size, path);
    bool small = true;
    Problem problem = {0};
    IdxFile idx = {0};
    if (idx_open(&idx, path, &problem)) {
        small = idx.bytes <= MAX_BYTES;
        uint8_t *elements = small ? malloc(idx.bytes) : NULL;
        REQUIRE((int64_t)idx.bytes == shape_elements(idx.shape));
        if (elements && !idx_read(&idx, elements, &problem)) REQUIRE(*problem.finding);
        free(elements);
        idx_close(&idx);
    } else {
        REQUIRE(*problem.finding);
    }
    close(file);
    if (small) fuzz_dataset(data, size, "idx", arguments, 2);
    return 0;
}
