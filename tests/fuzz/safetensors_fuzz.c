/* Fuzzes checkpoints. Every tensor of an accepted file lies inside it. */
#include "runtime/formats/safetensors.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <unistd.h>

const char *const fuzz_words[] = {"{",
                                  "}",
                                  "[",
                                  "]",
                                  "\"",
                                  "\"F32\"",
                                  "\"I32\"",
                                  "\"shape\":",
                                  "\"data_offsets\":[0,4]",
                                  ",",
                                  "0",
                                  "-1",
                                  "1e308",
                                  "4294967296",
                                  "9223372036854775807",
                                  "__metadata__",
                                  "\\u0000",
                                  "null",
                                  NULL};

/* The bytes of a tensor; 0 if mlc does not have its dtype, because nobody reads it then. */
static int64_t tensor_bytes(const SafeTensor *tensor) {
    for (int i = 0; i < DTYPE_COUNT; i++)
        if (!strcmp(safetensors_dtype((DType)i), tensor->dtype))
            return shape_elements(tensor->shape) * (int64_t)dtype_bytes((DType)i);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char path[64];
    int file = fuzz_file(data, size, path);
    Diagnostics *diag = diag_new();
    SafeFile *read = safetensors_read(path, diag);
    if (!read) fuzz_rejected(diag, STATUS_FILE);
    unsigned sum = 0;
    for (uint32_t i = 0; read && i < safetensors_count(read); i++) {
        const SafeTensor *tensor = safetensors_tensor(read, i);
        REQUIRE(safetensors_find(read, tensor->name));
        for (int64_t at = 0; at < tensor_bytes(tensor); at++)
            sum += ((const uint8_t *)tensor->data)[at];
    }
    volatile unsigned used = sum; /* so that the compiler keeps the loop that reads every byte */
    (void)used;
    if (read) safetensors_text(read, "format");
    safetensors_free(read);
    diag_free(diag);
    close(file);
    return 0;
}
