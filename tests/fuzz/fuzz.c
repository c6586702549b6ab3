/* Functions that all fuzzers use. */
#include "runtime/data/inspect.h"
#include "tests/fuzz/fuzz.h"
#include "runtime/data/schema_text.h"

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

/* Checks that the schema of an accepted table can be stored with a network, and that the table can
 * be read again by that schema. */
static void check_schema(const Dataset *dataset, DataSource source, Arena *arena) {
    SourceSchema schema;
    REQUIRE(schema_read(dataset_schema_text(dataset), arena, &schema));
    REQUIRE(schema.field_count == dataset_fields(dataset)->field_count);
    Diagnostics *diag = diag_new();
    source.like = &schema;
    Dataset *again =
        strcmp(source.reader, "csv") ? NULL : dataset_open(&source, &(SplitRequest){0}, diag);
    REQUIRE(again || strcmp(source.reader, "csv"));
    dataset_free(again);
    diag_free(diag);
}

static void check_dataset(const Dataset *dataset, const DataSource *source) {
    const SourceSchema *schema = dataset_fields(dataset);
    Arena *arena = arena_new();
    REQUIRE(schema->field_count > 0 && dataset_rows(dataset, SPLIT_TRAIN) > 0);
    DataFacts *facts = dataset_inspect(
        dataset, &(FieldUses){.label = schema->fields[schema->field_count - 1].name}, arena);
    REQUIRE(facts->field_count == schema->field_count && strlen(dataset_digest(dataset)) == 64);
    check_schema(dataset, *source, arena);
    arena_free(arena);
}

void fuzz_dataset(const uint8_t *data, size_t size, const char *reader,
                  const char *const *arguments, uint32_t count) {
    char path[64];
    int file = fuzz_file(data, size, path);
    Diagnostics *diag = diag_new();
    SourceArg args[4];
    for (uint32_t i = 0; i < count; i++)
        args[i] = (SourceArg){.name = arguments[i], .kind = SOURCE_ARG_STRING, .text = path};
    DataSource source = {.reader = reader, .folder = "", .args = args, .arg_count = count};
    Dataset *dataset =
        dataset_open(&source, &(SplitRequest){.valid = {.amount = 0.2}, .seed = size}, diag);
    if (dataset)
        check_dataset(dataset, &source);
    else
        fuzz_rejected(diag, STATUS_DATA);
    dataset_free(dataset);
    diag_free(diag);
    close(file);
}
