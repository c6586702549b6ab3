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
/* Words that mean something to the reader, ended by NULL: driver.c puts them into texts. */
extern const char *const fuzz_words[];

/* What must hold, also in builds without assert. */
#define REQUIRE(condition)                                                                         \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* A copy with no byte after it, so that reading one is seen. The caller frees. */
char *fuzz_copy(const uint8_t *data, size_t size);
/* A file with these bytes, in memory; its path. The descriptor is to be closed. */
int fuzz_file(const uint8_t *data, size_t size, char path[64]);
/* Reads the bytes as a data set, reader(ARGUMENT = FILE...) with all of the arguments naming them,
 * and looks at all of it. */
void fuzz_dataset(const uint8_t *data, size_t size, const char *reader,
                  const char *const *arguments, uint32_t count);
/* There are errors, of this status, and they can be printed: messages show parts of what was
 * read. */
void fuzz_rejected(const Diagnostics *diag, Status status);

#endif
