/* Tables of text: csv(path, header = true, missing = ["?", "NA"], delimiter = ";"). Every column is a field. */
#include "runtime/reader.h"
#include "runtime/table.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    Table table;
    llvm_blake3_hasher hasher; /* of the text */
} CsvSource;

/* -- arguments -- */

static bool take_delimiter(const DataSource *source, CsvFormat *format, Diagnostics *diag) {
    const SourceArg *arg = reader_arg(source, "delimiter");
    format->delimiter = arg ? arg->text[0] : ',';
    bool one = !arg || (strlen(arg->text) == 1 && !strchr("\"\r\n", arg->text[0]));
    if (!one)
        diag_error(diag, STATUS_MODEL, arg->span, "'delimiter' must be one character, and no quote or line end, not \"%.20s\"",
                   arg->text);
    return one;
}

static bool take_format(const DataSource *source, Arena *arena, CsvFormat *format, Diagnostics *diag) {
    const SourceArg *header = reader_arg(source, "header");
    format->header = !header || header->number != 0;
    return reader_texts(source, "missing", arena, &format->missing, &format->missing_count, diag) &&
           take_delimiter(source, format, diag);
}

/* -- reading -- */

static DType column_dtype(const Column *column) { return column->kind == COLUMN_NUMBER ? DTYPE_F32 : DTYPE_I32; }

static void take_columns(SourceData *data, const char *path) {
    Table *table = &((CsvSource *)data->own)->table;
    reader_fields(data, table->column_count);
    data->schema.train_rows = table->rows;
    reader_origins(data, 1);
    data->origins[0] = (RowOrigin){.file = path, .lines = table->lines};
    for (uint32_t i = 0; i < table->column_count; i++) {
        const Column *column = &table->columns[i];
        data->data[i] = column->cells;
        data->fields[i] = (SourceField){.name = column->name,
                                        .dtype = column_dtype(column),
                                        .categories = column->categories,
                                        .category_count = column->category_count,
                                        .is_column = true,
                                        .is_text = column->kind == COLUMN_TEXT,
                                        .unseen = column->unseen,
                                        .unseen_text = column->unseen_text,
                                        .why_text = column->why_text};
    }
}

static bool report(const char *path, Problem *problem, Span span, Diagnostics *diag) {
    Problem whole = *problem;
    snprintf(whole.finding, sizeof whole.finding, "'%.200s': %.800s", path, problem->finding);
    reader_report(&whole, span, diag);
    return false;
}

static bool read_file(const char *path, const CsvFormat *format, const SourceSchema *like, SourceData *data, Span span,
                      Diagnostics *diag) {
    CsvSource *own = data->own;
    Problem problem;
    size_t length;
    char *text = reader_contents(path, &length, &problem);
    if (!text) return reader_report(&problem, span, diag), false;
    bool good = table_read(text, length, format, like, data->arena, &own->table, &problem);
    llvm_blake3_hasher_init(&own->hasher);
    llvm_blake3_hasher_update(&own->hasher, text, length);
    free(text);
    return good ? take_columns(data, path), true : report(path, &problem, span, diag);
}

static void digest(const SourceData *data, llvm_blake3_hasher *hasher) { *hasher = ((const CsvSource *)data->own)->hasher; }

static void release(SourceData *data) { table_free(&((CsvSource *)data->own)->table); }

bool read_csv(const DataSource *source, bool whole, SourceData *data, Diagnostics *diag) {
    (void)whole; /* what kind a column is, is known only at the end of the file */
    const SourceArg *arg = reader_arg(source, "path");
    CsvFormat format;
    data->own = ARENA_NEW(data->arena, CsvSource);
    data->digest = digest;
    data->release = release;
    data->span = arg->span;
    if (!take_format(source, data->arena, &format, diag)) return false;
    const char *path = reader_path(source, arg, data->arena, diag);
    return path && read_file(path, &format, source->like, data, arg->span, diag);
}
