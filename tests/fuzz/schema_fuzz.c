/* Fuzzes the schema of the data in a checkpoint. An accepted schema, written and read again, is the
 * same. */
#include "runtime/data/schema_text.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

const char *const fuzz_words[] = {"{",          "}",      "[",        "]",
                                  ",",          ":",      "\"name\"", "\"dtype\"",
                                  "\"i32\"",    "\"u8\"", "\"row\"",  "\"column\"",
                                  "\"text\"",   "true",   "null",     "\"categories\"",
                                  "4294967296", "-1",     "1e999",    "\\u0000",
                                  "\\ud800",    NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Arena *arena = arena_new();
    char *text = arena_copy_string(arena, (const char *)data, size);
    SourceSchema schema, again;
    if (schema_read(text, arena, &schema)) {
        char *first = schema_write(&schema);
        REQUIRE(schema_read(first, arena, &again));
        char *second = schema_write(&again);
        REQUIRE(!strcmp(first, second));
        free(first);
        free(second);
    }
    arena_free(arena);
    return 0;
}
