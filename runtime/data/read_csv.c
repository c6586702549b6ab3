/* Reads tables of text, such as csv(path, missing = ["?", "NA"], delimiter = ";", test =
 * "test.csv"). Every column is a field. */
#include "runtime/data/reader.h"
#include "runtime/data/table.h"

#include <stdlib.h>
#include <string.h>

/* The files of the table, in the order of their rows. */
enum { FILE_TRAIN, FILE_VALID, FILE_TEST, FILES };
static const struct {
    const char *path, *skip;
} arguments[FILES] = {{"path", "skip"}, {"valid", "valid_skip"}, {"test", "test_skip"}};

typedef struct {
    Table table;
    uint32_t count; /* the number of given files */
    const char *paths[FILES];
    Span spans[FILES];
    TableText texts[FILES];
    int64_t rows[FILES];       /* of each file; 0 if it is not given */
    llvm_blake3_hasher hasher; /* hashes the contents of the files */
} CsvSource;

/* -- arguments -- */

/* Reads an optional argument that is one of several characters. */
static bool take_sign(const DataSource *source, const char *name, const char *allowed,
                      const char *words, char *sign, Diagnostics *diag) {
    const SourceArg *arg = reader_arg(source, name);
    if (!arg) return true;
    *sign = arg->text[0];
    if (*sign && !arg->text[1] && strchr(allowed, *sign)) return true;
    diag_error(diag, STATUS_MODEL, arg->span, "'%s' of csv() must be %s, not \"%.20s\"", name,
               words, arg->text);
    return false;
}

static bool take_signs(const DataSource *source, CsvFormat *format, Diagnostics *diag) {
    format->signs = (NumberSigns){'.', '\0'};
    if (!take_sign(source, "decimal", ".,", "\".\" or \",\"", &format->signs.decimal, diag) ||
        !take_sign(source, "thousands", ",. '", "one of \",\", \".\", \" \" and \"'\"",
                   &format->signs.thousands, diag))
        return false;
    if (format->signs.thousands != format->signs.decimal) return true;
    diag_error(diag, STATUS_MODEL, reader_arg(source, "thousands")->span,
               "'thousands' and 'decimal' of csv() must be two different characters");
    diag_help(diag, "1.234,5 has decimal = \",\" and thousands = \".\"");
    return false;
}

/* Takes a list such as ["price", "-200", "none"]: a column and its marks. */
static bool take_column_missing(const SourceArg *arg, Arena *arena, ColumnMissing *missing) {
    const char **texts = ARENA_ARRAY(arena, const char *, arg->item_count);
    for (uint32_t i = 0; i < arg->item_count; i++) {
        if (arg->items[i].kind != SOURCE_ARG_STRING) return false;
        texts[i] = arg->items[i].text;
    }
    if (arg->item_count < 2) return false;
    *missing = (ColumnMissing){texts[0], texts + 1, arg->item_count - 1};
    return true;
}

/* Takes `missing`: "?", ["NA", "?"], or ["NA", ["price", "-200"]]. */
static bool take_missing(const DataSource *source, Arena *arena, CsvFormat *format,
                         Diagnostics *diag) {
    const SourceArg *arg = reader_arg(source, "missing");
    bool list = arg && arg->kind == SOURCE_ARG_LIST;
    uint32_t count = list ? arg->item_count : arg != NULL;
    const SourceArg *items = list ? arg->items : arg;
    const char **texts = ARENA_ARRAY(arena, const char *, count);
    ColumnMissing *columns = ARENA_ARRAY(arena, ColumnMissing, count);
    format->missing = texts;
    format->column_missing = columns;
    for (uint32_t i = 0; i < count; i++) {
        bool column = items[i].kind == SOURCE_ARG_LIST;
        if (column
                ? !take_column_missing(&items[i], arena, &columns[format->column_missing_count++])
                : items[i].kind != SOURCE_ARG_STRING) {
            diag_error(diag, STATUS_MODEL, arg->span,
                       "'missing' of csv() must be a string or a list of strings");
            diag_help(
                diag,
                "the marks of a single column are a list that begins with its name: [\"NA\", [\"price\", \"-200\"]]");
            return false;
        }
        if (!column) texts[format->missing_count++] = items[i].text;
    }
    return true;
}

static bool take_trim(const DataSource *source, CsvFormat *format, Diagnostics *diag) {
    const SourceArg *arg = reader_arg(source, "trim");
    if (!arg) return true;
    format->trim = arg->text;
    for (const char *c = arg->text; *c; c++) {
        if (*c >= ' ' && *c <= '~') continue;
        diag_error(diag, STATUS_MODEL, arg->span,
                   "'trim' of csv() must be ASCII characters, such as \".*\"");
        return false;
    }
    return true;
}

static bool take_format(const DataSource *source, Arena *arena, CsvFormat *format,
                        Diagnostics *diag) {
    const SourceArg *header = reader_arg(source, "header");
    format->header = !header || header->number != 0;
    const SourceArg *drop = reader_arg(source, "drop_missing");
    format->drop_all = drop && drop->kind == SOURCE_ARG_BOOL && drop->number != 0;
    if (drop && drop->kind != SOURCE_ARG_BOOL &&
        !reader_texts(source, "drop_missing", arena, &format->drop, &format->drop_count, diag))
        return false;
    if (!take_signs(source, format, diag) || !take_trim(source, format, diag)) return false;
    if (!take_missing(source, arena, format, diag)) return false;
    const SourceArg *arg = reader_arg(source, "delimiter");
    format->delimiter = arg ? arg->text[0] : ',';
    bool one = !arg || (strlen(arg->text) == 1 && !strchr("\"\r\n", arg->text[0]));
    if (!one)
        diag_error(
            diag, STATUS_MODEL, arg->span,
            "'delimiter' must be one character other than a quote or a line end, not \"%.20s\"",
            arg->text);
    return one;
}

/* -- reading -- */

static void take_origins(SourceData *data) {
    const CsvSource *own = data->own;
    int32_t begin = 0;
    reader_origins(data, own->count);
    for (uint32_t i = 0; i < own->count; i++) {
        data->schema.dropped_rows = own->table.dropped;
        data->origins[i] =
            (RowOrigin){.begin = begin, .file = own->paths[i], .lines = own->table.lines + begin};
        begin += (int32_t)own->texts[i].rows;
    }
}

static void take_columns(SourceData *data) {
    const CsvSource *own = data->own;
    const Table *table = &own->table;
    reader_fields(data, table->column_count);
    data->schema.train_rows = own->rows[FILE_TRAIN];
    data->schema.valid_rows = own->rows[FILE_VALID];
    data->schema.test_rows = own->rows[FILE_TEST];
    data->schema.others = table->others;
    data->schema.other_count = table->other_count;
    data->series_of = table->series;
    take_origins(data);
    for (uint32_t i = 0; i < table->column_count; i++) {
        const TableColumn *column = &table->columns[i];
        data->data[i] = column->cells;
        data->exact[i] = column->exact;
        data->fields[i] =
            (SourceField){.name = column->name,
                          .dtype = column->kind == COLUMN_NUMBER ? DTYPE_F32 : DTYPE_I32,
                          .categories = column->categories,
                          .category_count = column->category_count,
                          .is_column = true,
                          .is_text = column->kind == COLUMN_TEXT,
                          .unseen = column->unseen,
                          .unseen_text = column->unseen_text,
                          .why_text = column->why_text,
                          .why_cell = column->why_cell};
    }
}

static bool take_skip(const DataSource *source, int file, TableText *text, Diagnostics *diag) {
    const SourceArg *arg = reader_arg(source, arguments[file].skip);
    if (!arg) arg = reader_arg(source, "skip");
    bool good =
        !arg || (arg->kind == SOURCE_ARG_NUMBER && arg->number >= 0 && arg->number <= INT32_MAX);
    if (!good)
        diag_error(diag, STATUS_MODEL, arg->span, "'%s' must be a number of lines, 0 or more",
                   arguments[file].skip);
    if (good && arg) text->skip = (uint32_t)arg->number;
    return good;
}

static bool open_file(const DataSource *source, int file, SourceData *data, Diagnostics *diag) {
    CsvSource *own = data->own;
    const SourceArg *arg = reader_arg(source, arguments[file].path);
    TableText *text = &own->texts[own->count];
    Problem problem;
    if (!arg || !take_skip(source, file, text, diag)) return !arg;
    const char *path = reader_path(source, arg, data->arena, diag);
    if (!path) return false;
    text->text = reader_contents(path, &text->length, &problem);
    if (!text->text) return reader_report(&problem, arg->span, diag), false;
    llvm_blake3_hasher_update(&own->hasher, text->text, text->length);
    own->spans[own->count] = arg->span;
    own->paths[own->count++] = path;
    return true;
}

static bool read_files(const DataSource *source, const CsvFormat *format, SourceData *data,
                       Diagnostics *diag) {
    CsvSource *own = data->own;
    Problem problem;
    uint32_t failed;
    if (!table_read(own->texts, own->count, format, source->like, data->arena, &own->table,
                    &problem, &failed)) {
        const char *path = own->paths[failed];
        Span span = own->spans[failed];
        Problem whole = problem;
        snprintf(whole.finding, sizeof whole.finding, "'%.200s': %.800s", path, problem.finding);
        reader_report(&whole, span, diag);
        return false;
    }
    uint32_t at = 0;
    for (int file = 0; file < FILES && at < own->count; file++)
        if (reader_arg(source, arguments[file].path)) own->rows[file] = own->texts[at++].rows;
    take_columns(data);
    return true;
}

static void digest(const SourceData *data, llvm_blake3_hasher *hasher) {
    *hasher = ((const CsvSource *)data->own)->hasher;
}

static void release(SourceData *data) { table_free(&((CsvSource *)data->own)->table); }

bool read_csv(const DataSource *source, bool whole, SourceData *data, Diagnostics *diag) {
    (void)whole; /* the kind of a column is only known at the end of the file */
    const SourceArg *arg = reader_arg(source, "path");
    CsvFormat format = {.series = data->series};
    CsvSource *own = data->own = ARENA_NEW(data->arena, CsvSource);
    data->digest = digest;
    data->release = release;
    data->span = arg->span;
    llvm_blake3_hasher_init(&own->hasher);
    bool good = take_format(source, data->arena, &format, diag);
    for (int file = 0; file < FILES && good; file++) good = open_file(source, file, data, diag);
    good = good && read_files(source, &format, data, diag);
    for (uint32_t i = 0; i < FILES; i++) free((char *)own->texts[i].text);
    return good;
}
