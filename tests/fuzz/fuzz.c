/* What the fuzzers share. */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

char *fuzz_copy(const uint8_t *data, size_t size) {
    char *copy = malloc(size + !size);
    REQUIRE(copy);
    if (size) memcpy(copy, data, size);
    return copy;
}

int fuzz_file(const uint8_t *data, size_t size, char path[64]) {
    int file = memfd_create("fuzz", 0);
    REQUIRE(file >= 0 && write(file, data, size) == (ssize_t)size);
    snprintf(path, 64, "/proc/self/fd/%d", file);
    return file;
}

void fuzz_rejected(const Diagnostics *diag, Status status) {
    static FILE *nowhere;
    if (!nowhere) nowhere = fopen("/dev/null", "w");
    REQUIRE(nowhere && diag_errors(diag) > 0 && diag_status(diag) == status);
    diag_print(diag, nowhere);
}
