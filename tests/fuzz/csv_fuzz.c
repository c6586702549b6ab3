/* Fuzzes tables of text. Each column of an accepted table has a kind, and each cell of text has a
 * category, whatever the format. */
#include "runtime/data/table.h"
#include "tests/fuzz/fuzz.h"

const char *const fuzz_words[] = {",", "\"",       "\"\"",         "\r\n",   "\n", "\r",
                                  ";", "nan",      "inf",          "-1e999", ".5", "2147483648",
                                  "a", "\xc3\xa9", "\xef\xbb\xbf", "\t",     NULL};

static void check_column(const TableColumn *column, int64_t rows) {
    REQUIRE(column->name && column->cells);
    for (int64_t i = 0; i < rows && column->kind == COLUMN_TEXT; i++)
        REQUIRE(column->codes[i] >= -1 && column->codes[i] < (int64_t)column->category_count);
}

static void read_as(const uint8_t *data, size_t size, CsvFormat format) {
    char *text = fuzz_copy(data, size);
    Arena *arena = arena_new();
    Problem problem = {0};
    Table table;
    uint32_t failed;
    TableText texts[] = {{.text = text, .length = size},
                         {.text = text, .length = size, .skip = (uint32_t)(size % 3)}};
    if (table_read(texts, 1 + size % 2, &format, NULL, arena, &table, &problem, &failed)) {
        REQUIRE(table.rows > 0 && table.column_count > 0);
        for (uint32_t i = 0; i < table.column_count; i++)
            check_column(&table.columns[i], table.rows);
        table_free(&table);
    } else {
        REQUIRE(*problem.finding && failed <= size % 2);
    }
    arena_free(arena);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const arguments[] = {"path"};
    read_as(data, size, (CsvFormat){.header = true, .delimiter = ',', .signs = {'.', 0}});
    read_as(data, size,
            (CsvFormat){.missing = (const char *[]){"a", "bc"},
                        .missing_count = 2,
                        .delimiter = ';',
                        .signs = {',', '.'}});
    fuzz_dataset(data, size, "csv", arguments, 1);
    return 0;
}
