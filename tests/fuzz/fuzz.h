/* One fuzzer for every reader: a file READER_fuzz.c with a function that libFuzzer calls (`make
 * fuzz`), and that driver.c calls in the tests of every build. Whatever the bytes are, reading them
 * must end in something valid or in errors. */
#ifndef MLC_TESTS_FUZZ_H
#define MLC_TESTS_FUZZ_H

#include "ir/ir.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Words that mean something to the reader, with NULL at the end. driver.c inserts them into
 * texts. */
extern const char *const fuzz_words[];

/* Ends the process if the condition is false, also in builds without assert. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A copy in memory of exactly this size, so that the sanitizer sees reads beyond its end. The
 * caller frees it. */
char *fuzz_copy(const uint8_t *data, size_t size);
/* Makes a file with these bytes in memory and returns its descriptor, which the caller closes.
 * `path` is its path. */
int fuzz_file(const uint8_t *data, size_t size, char path[64]);
/* Reads the bytes as a data set, reader(ARGUMENT = FILE...) where every argument names them, and
 * inspects all of it. */
void fuzz_dataset(const uint8_t *data, size_t size, const char *reader,
                  const char *const *arguments, uint32_t count);
/* Checks that there are errors of this status, and that they can be printed: messages show parts of
 * the input. */
void fuzz_rejected(const Diagnostics *diag, Status status);

#endif
