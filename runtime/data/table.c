/* Converts the records of CSV texts to columns. The texts are read twice, because the kind of a
 * column is only known at the end. */
#include "runtime/data/table.h"
#include "runtime/data/categories.h"
#include "ir/base/display.h"
#include "ir/base/memory.h"
#include "runtime/formats/numbers.h"
#include "ir/base/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CELL_SHOWN = 40 };

typedef struct {
    TableText *texts;
    uint32_t text_count, at; /* at: the text that is being read */
    const CsvFormat *format;
    const SourceSchema *like; /* or NULL */
    Arena *arena;
    CsvCell *cells;
    Table *table;
    /* [text][cell of a record]: a row with this cell missing is dropped */
    bool **drops;
    int32_t **columns_of; /* [text][cell of a record]: the column, or -1 */
    /* [column]: further texts that mark missing cells; NULL: none */
    const ColumnMissing **missing;
    Names **categories; /* [column]: the categories of a text column */
    /* [column]: the distinct cells of a text column whose categories a schema gives */
    Names **cell_texts;
    Names *series;  /* the distinct cells of format->series; NULL: no such column */
    uint32_t width; /* cells of a record */
    Problem *problem;
} TableReading;

static bool begin(TableReading *reading, CsvScan *scan) {
    const TableText *text = &reading->texts[reading->at];
    if (!csv_begin(scan, text->text, text->length, reading->format->delimiter, reading->cells,
                   reading->problem))
        return false;
    if (!text->skip || csv_skip(scan, text->skip)) return true;
    problem_set(reading->problem, "nothing follows its first %u line%s, which are to be left out",
                text->skip, text->skip == 1 ? "" : "s");
    return false;
}

static bool failed(const TableReading *reading) { return *reading->problem->finding != '\0'; }

static bool is_one_of(const CsvCell *cell, const char *const *texts, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (strlen(texts[i]) == cell->length && !memcmp(texts[i], cell->text, cell->length))
            return true;
    return false;
}

/* column: its index, or -1. */
static bool is_missing(const TableReading *reading, int64_t column, const CsvCell *cell) {
    const CsvFormat *format = reading->format;
    const ColumnMissing *own = column < 0 ? NULL : reading->missing[column];
    return cell->length == 0 || is_one_of(cell, format->missing, format->missing_count) ||
           (own && is_one_of(cell, own->texts, own->count));
}

static int64_t number_of(const TableReading *reading, const TableColumn *column) {
    return column - reading->table->columns;
}

/* The cell as a number with a decimal point; rewritten in `plain` if it has other separators. */
static CsvCell plain_cell(const CsvCell *cell, NumberSigns signs, char plain[NUMBER_LONGEST + 1]) {
    if (signs.decimal == '.' && !signs.thousands) return *cell;
    size_t length = number_plain(cell->text, cell->length, signs, plain);
    return (CsvCell){.text = plain, .length = length};
}

static NumberForm cell_form(const TableReading *reading, const CsvCell *cell) {
    char text[NUMBER_LONGEST + 1];
    CsvCell plain = plain_cell(cell, reading->format->signs, text);
    return number_form(plain.text, plain.length);
}

/* How a text could be read as a number, with the decimal sign that was given; "" if there is no
 * way. */
static const char *signs_hint(const TableReading *reading, const CsvCell *cell) {
    static const NumberSigns ways[] = {{'.', ','}, {',', 0}, {',', '.'}, {'.', ' '}, {',', ' '}};
    NumberSigns now = reading->format->signs;
    char text[NUMBER_LONGEST + 1];
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        NumberSigns way = ways[i];
        if (now.decimal == ',' && way.decimal != ',') continue;
        CsvCell plain = plain_cell(cell, way, text);
        if (number_form(plain.text, plain.length) == NUMBER_NONE) continue;
        bool both = way.decimal != now.decimal && way.thousands;
        return arena_format(
            reading->arena, "; %s%s%s make%s a number of it",
            way.decimal != now.decimal ? "decimal = \",\"" : "", both ? " and " : "",
            way.thousands ? arena_format(reading->arena, "thousands = \"%c\"", way.thousands) : "",
            both ? "" : "s");
    }
    return "";
}

/* The trimmed text of a cell; "" is a missing cell. */
static const char *text_of(const TableReading *reading, const CsvCell *cell) {
    const char *trim = reading->format->trim;
    char *text = csv_text(cell, reading->arena);
    if (!trim) return text;
    size_t length = strlen(text);
    while (length && (text[length - 1] == ' ' || strchr(trim, text[length - 1])))
        text[--length] = '\0';
    while (*text && (*text == ' ' || strchr(trim, *text))) text++;
    return text;
}

static const char *shown(const TableReading *reading, const CsvCell *cell) {
    char *text = arena_copy_string(reading->arena, cell->text, cell->length);
    bool whole = shown_columns(text, cell->length) <= CELL_SHOWN;
    if (!whole) text[shown_fitting(text, CELL_SHOWN)] = '\0';
    for (char *c = text; *c;) {
        size_t length = utf8_length(c, strlen(c));
        if (!length || (unsigned char)*c < 32) *c = '?';
        c += length ? length : 1;
    }
    return arena_format(reading->arena, "'%s%s'", text, whole ? "" : "...");
}

/* -- names -- */

static bool check_utf8(const TableReading *reading, const char *text, uint32_t line) {
    if (utf8_is_valid(text, strlen(text))) return true;
    problem_set(reading->problem, "line %u: its text is not UTF-8", line);
    problem_help(reading->problem,
                 "`iconv -f LATIN1 -t UTF-8` converts what an older program wrote");
    return false;
}

static const char *column_name(TableReading *reading, const CsvScan *scan, uint32_t i) {
    const CsvCell *cell = &scan->cells[i];
    if (!reading->format->header || !cell->length)
        return arena_format(reading->arena, "column%u", i);
    const char *name = csv_text(cell, reading->arena);
    return check_utf8(reading, name, scan->record_line) ? name : NULL;
}

static bool header_is_names(const TableReading *reading, const CsvScan *scan) {
    uint32_t numbers = 0;
    for (uint32_t i = 0; i < scan->count; i++)
        numbers += cell_form(reading, &scan->cells[i]) != NUMBER_NONE;
    if (numbers < scan->count) return true;
    problem_set(reading->problem, "line %u: it should name the columns, but holds numbers only",
                scan->record_line);
    problem_help(reading->problem, "header = false where the first line is a row like the others");
    return false;
}

/* A header with a single name that contains another delimiter was read with the wrong delimiter. */
static bool header_is_divided(const TableReading *reading, const CsvScan *scan) {
    const CsvCell *cell = &scan->cells[0];
    static const char others[] = ";\t|,";
    for (const char *other = others; *other && scan->count == 1 && !cell->quoted; other++) {
        if (*other == reading->format->delimiter || !memchr(cell->text, *other, cell->length))
            continue;
        problem_set(reading->problem, "line %u: it names one column only, %s", scan->record_line,
                    shown(reading, cell));
        problem_help(reading->problem, "delimiter = \"%s\" where this divides the cells",
                     *other == '\t' ? "\\t" : (char[]){*other, 0});
        return false;
    }
    return true;
}

static bool names_differ(const TableReading *reading, const char *const *names, uint32_t count,
                         uint32_t line) {
    Names *seen = names_new(reading->arena);
    for (uint32_t i = 0; i < count; i++) {
        if (names_add(seen, names[i]) == i) continue;
        problem_set(reading->problem, "line %u: two columns are called '%.100s'", line, names[i]);
        problem_help(reading->problem, "give each column a name of its own");
        return false;
    }
    return true;
}

/* A name that a format has and the table does not. */
static bool no_column(const TableReading *reading, const char *name, const char *argument,
                      const char *const *names, uint32_t count) {
    const char *near = diag_nearest(name, names, count);
    problem_set(reading->problem, "it has no column '%.100s', which '%s' names", name, argument);
    if (near) problem_help(reading->problem, "did you mean '%.100s'?", near);
    return false;
}

/* A table of new rows may lack columns. */
static bool find_missing(TableReading *reading, const char *const *names, uint32_t count) {
    const CsvFormat *format = reading->format;
    const Table *table = reading->table;
    reading->missing = ARENA_ARRAY(reading->arena, const ColumnMissing *, table->column_count);
    for (uint32_t k = 0; k < format->column_missing_count; k++) {
        const ColumnMissing *missing = &format->column_missing[k];
        uint32_t i = 0;
        while (i < table->column_count && strcmp(table->columns[i].name, missing->column)) i++;
        if (i == table->column_count && reading->like) continue;
        if (i == table->column_count)
            return no_column(reading, missing->column, "missing", names, count);
        if (reading->missing[i])
            return problem_set(reading->problem, "'missing' names the column '%.100s' twice",
                               missing->column),
                   false;
        reading->missing[i] = missing;
    }
    return true;
}

static void make_columns(TableReading *reading, const char *const *names) {
    Table *table = reading->table;
    const SourceSchema *like = reading->like;
    table->column_count = like ? like->field_count : reading->width;
    table->columns = ARENA_ARRAY(reading->arena, TableColumn, table->column_count);
    reading->categories = ARENA_ARRAY(reading->arena, Names *, table->column_count);
    reading->cell_texts = ARENA_ARRAY(reading->arena, Names *, table->column_count);
    for (uint32_t i = 0; i < table->column_count; i++)
        table->columns[i].name = like ? like->fields[i].name : names[i];
}

static bool other_columns(const TableReading *reading, uint32_t line, bool has, const char *name) {
    problem_set(reading->problem, "line %u: it has %s '%.100s', %s", line,
                has ? "a column" : "no column", name,
                has ? "which the training rows do not have" : "which the training rows have");
    problem_help(reading->problem,
                 reading->format->header
                     ? "every file begins with the names of the same columns, in any order"
                     : "every file has the same columns in the same order");
    return false;
}

/* Matches the columns of a further text with those of the first. */
static bool check_same_columns(const TableReading *reading, const char *const *names,
                               uint32_t count, uint32_t line) {
    const int32_t *column_of = reading->columns_of[reading->at];
    bool *found = ARENA_ARRAY(reading->arena, bool, reading->table->column_count);
    for (uint32_t i = 0; i < count; i++) {
        if (column_of[i] < 0) return other_columns(reading, line, true, names[i]);
        found[column_of[i]] = true;
    }
    for (uint32_t i = 0; i < reading->table->column_count; i++)
        if (!found[i]) return other_columns(reading, line, false, reading->table->columns[i].name);
    return true;
}

/* Finds the cells whose absence drops a row. */
static bool find_drops(TableReading *reading, const char *const *names, uint32_t count) {
    const CsvFormat *format = reading->format;
    bool *drops = reading->drops[reading->at] = ARENA_ARRAY(reading->arena, bool, count);
    for (uint32_t i = 0; i < count; i++) drops[i] = format->drop_all;
    for (uint32_t k = 0; k < format->drop_count; k++) {
        uint32_t i = 0;
        while (i < count && strcmp(names[i], format->drop[k])) i++;
        if (i < count) {
            drops[i] = true;
            continue;
        }
        return no_column(reading, format->drop[k], "drop_missing", names, count);
    }
    return true;
}

static bool read_names(TableReading *reading) {
    CsvScan scan;
    if (!begin(reading, &scan) || (!csv_next(&scan, reading->problem) && failed(reading)))
        return false;
    if (scan.count == 0) return problem_set(reading->problem, "it is empty"), false;
    if (reading->format->header &&
        (!header_is_names(reading, &scan) || !header_is_divided(reading, &scan)))
        return false;
    const char **names = ARENA_ARRAY(reading->arena, const char *, scan.count);
    for (uint32_t i = 0; i < scan.count; i++)
        if (!(names[i] = column_name(reading, &scan, i))) return false;
    if (!names_differ(reading, names, scan.count, scan.record_line)) return false;
    if (reading->at == 0) {
        reading->width = scan.count;
        make_columns(reading, names);
        if (!find_missing(reading, names, scan.count)) return false;
    }
    uint32_t count = scan.count;
    Table *table = reading->table;
    Names *wanted = names_new(reading->arena);
    int32_t *column_of = reading->columns_of[reading->at] =
        ARENA_ARRAY(reading->arena, int32_t, count);
    for (uint32_t i = 0; i < table->column_count; i++) names_add(wanted, table->columns[i].name);
    for (uint32_t i = 0; i < count; i++) column_of[i] = names_index(wanted, names[i]);
    if (!find_drops(reading, names, scan.count)) return false;
    return reading->at == 0 || check_same_columns(reading, names, scan.count, scan.record_line);
}

static bool read_all_names(TableReading *reading) {
    reading->columns_of = ARENA_ARRAY(reading->arena, int32_t *, reading->text_count);
    reading->drops = ARENA_ARRAY(reading->arena, bool *, reading->text_count);
    for (reading->at = 0; reading->at < reading->text_count; reading->at++)
        if (!read_names(reading)) return false;
    return true;
}

/* -- all rows, twice -- */

typedef bool SeeCell(TableReading *reading, TableColumn *column, int64_t row, const CsvCell *cell,
                     uint32_t line);

static bool check_width(const TableReading *reading, const CsvScan *scan) {
    if (scan->count == reading->width) return true;
    problem_set(reading->problem, "line %u: it has %u cells, but the first line has %u",
                scan->record_line, scan->count, reading->width);
    char delimiter = reading->format->delimiter;
    const CsvCell *last = &scan->cells[scan->count - 1];
    if (scan->count == reading->width + 1 && last->length == 0 && !last->quoted)
        problem_help(reading->problem,
                     "the line ends in a '%c': take it away, or end the first line in one too",
                     delimiter);
    else
        problem_help(
            reading->problem,
            "cells that hold a '%c' must stand in quotes; delimiter = \"...\" where another divides them",
            delimiter);
    return false;
}

static bool is_dropped(const TableReading *reading, const CsvScan *scan) {
    for (uint32_t i = 0; i < scan->count; i++) {
        const CsvCell *cell = &scan->cells[i];
        if (!reading->drops[reading->at][i]) continue;
        if (is_missing(reading, reading->columns_of[reading->at][i], cell) ||
            number_is_nan(cell->text, cell->length))
            return true;
    }
    return false;
}

static bool see_row(TableReading *reading, const CsvScan *scan, int64_t row, SeeCell *see) {
    if (reading->table->lines) reading->table->lines[row] = scan->record_line;
    for (uint32_t i = 0; i < scan->count; i++) {
        int32_t column = reading->columns_of[reading->at][i];
        if (column >= 0 && !see(reading, &reading->table->columns[column], row, &scan->cells[i],
                                scan->record_line))
            return false;
    }
    return true;
}

static bool see_text(TableReading *reading, SeeCell *see, int64_t *rows) {
    CsvScan scan;
    int64_t first = *rows;
    if (!begin(reading, &scan)) return false;
    if (reading->format->header) csv_next(&scan, reading->problem);
    for (; csv_next(&scan, reading->problem); ++*rows) {
        if (!check_width(reading, &scan)) return false;
        if (is_dropped(reading, &scan)) {
            reading->table->dropped++;
            --*rows;
            continue;
        }
        if (*rows == INT32_MAX)
            return problem_set(reading->problem, "it has more than %d rows", INT32_MAX), false;
        if (!see_row(reading, &scan, *rows, see)) return false;
    }
    reading->texts[reading->at].rows = *rows - first;
    if (*rows == first && !failed(reading))
        problem_set(reading->problem,
                    reading->table->dropped
                        ? "it has no rows but those that 'drop_missing' leaves out%s"
                        : "it has no rows%s",
                    reading->format->header ? " below the names of its columns" : "");
    return !failed(reading);
}

static bool see_all(TableReading *reading, SeeCell *see, int64_t *rows) {
    *rows = reading->table->dropped = 0;
    for (reading->at = 0; reading->at < reading->text_count; reading->at++)
        if (!see_text(reading, see, rows)) return false;
    return true;
}

/* First pass: finds the kinds of the columns. */
static bool see_kind(TableReading *reading, TableColumn *column, int64_t row, const CsvCell *cell,
                     uint32_t line) {
    (void)row;
    if (is_missing(reading, number_of(reading, column), cell)) return column->missing++, true;
    if (column->kind == COLUMN_TEXT) return true;
    NumberForm form = cell_form(reading, cell);
    if (form == NUMBER_NAN) column->missing++;
    if (form == NUMBER_REAL || form == NUMBER_LONG) column->kind = COLUMN_NUMBER;
    column->has_fractions |= form == NUMBER_REAL;
    if (form != NUMBER_NONE) return true;
    column->kind = COLUMN_TEXT;
    const char *hint = signs_hint(reading, cell);
    column->why_text =
        arena_format(reading->arena, "line %u has %s%s", line, shown(reading, cell), hint);
    if (!*hint) column->why_cell = csv_text(cell, reading->arena);
    return true;
}

/* First pass with given kinds, from a schema or the first text: a column of whole numbers may
 * become one of fractions, but a number column must hold numbers. */
static bool see_fits(TableReading *reading, TableColumn *column, int64_t row, const CsvCell *cell,
                     uint32_t line) {
    if (column->kind != COLUMN_TEXT && !is_missing(reading, number_of(reading, column), cell) &&
        cell_form(reading, cell) == NUMBER_NONE) {
        problem_set(reading->problem,
                    "line %u: column '%.100s' has %s, but it holds numbers in the %s", line,
                    column->name, shown(reading, cell),
                    reading->like ? "data that the network was trained on" : "training rows");
        problem_help(
            reading->problem,
            "an empty cell is a missing number; csv(..., missing = ...) in the model lists other "
            "marks of one");
        return false;
    }
    return see_kind(reading, column, row, cell, line);
}

static bool see_first_kind(TableReading *reading, TableColumn *column, int64_t row,
                           const CsvCell *cell, uint32_t line) {
    return (reading->at ? see_fits : see_kind)(reading, column, row, cell, line);
}

static void see_series(TableReading *reading, const TableColumn *column, int64_t row,
                       const CsvCell *cell) {
    if (!reading->series || strcmp(column->name, reading->format->series)) return;
    const char *text = text_of(reading, cell);
    reading->table->series[row] = is_missing(reading, number_of(reading, column), cell) || !*text
                                      ? -1
                                      : (int32_t)names_add(reading->series, text);
}

static void take_number(const TableReading *reading, TableColumn *column, int64_t row,
                        const CsvCell *written, bool missing) {
    char text[NUMBER_LONGEST + 1];
    CsvCell cell = plain_cell(written, reading->format->signs, text);
    bool none = missing || number_is_nan(cell.text, cell.length);
    if (column->exact.kind == EXACT_WHOLE) {
        int64_t whole = none ? WHOLE_MISSING : number_whole(cell.text, cell.length);
        /* -0 must keep its sign */
        column->numbers[row] = none ? NAN : *cell.text == '-' ? -(float)-whole : (float)whole;
        ((int64_t *)column->exact.elements)[row] = whole;
    } else {
        double real = none ? (double)NAN : number_real(cell.text, cell.length);
        column->numbers[row] = none ? NAN : number_value(cell.text, cell.length, real);
        ((double *)column->exact.elements)[row] = real;
    }
}

static bool take_text(TableReading *reading, TableColumn *column, int64_t row, const CsvCell *cell,
                      uint32_t line) {
    int64_t i = number_of(reading, column);
    const char *text = text_of(reading, cell);
    int32_t *exact = column->exact.elements;
    if (!*text) {
        column->codes[row] = exact[row] = -1;
        return true;
    }
    if (reading->like) {
        column->codes[row] = names_index(reading->categories[i], text);
        exact[row] = (int32_t)names_add(reading->cell_texts[i], text);
    } else {
        column->codes[row] = (int32_t)names_add(reading->categories[i], text);
    }
    if (column->codes[row] < 0 && !column->unseen++) column->unseen_text = text;
    return check_utf8(reading, text, line);
}

/* Second pass: stores the cells. */
static bool see_value(TableReading *reading, TableColumn *column, int64_t row, const CsvCell *cell,
                      uint32_t line) {
    see_series(reading, column, row, cell);
    bool missing = is_missing(reading, number_of(reading, column), cell);
    if (column->kind == COLUMN_NUMBER) {
        take_number(reading, column, row, cell, missing);
    } else if (column->kind == COLUMN_WHOLE) {
        char text[NUMBER_LONGEST + 1];
        CsvCell plain = plain_cell(cell, reading->format->signs, text);
        column->whole[row] = (int32_t)number_whole(plain.text, plain.length);
    } else if (missing) {
        column->codes[row] = ((int32_t *)column->exact.elements)[row] = -1;
    } else {
        return take_text(reading, column, row, cell, line);
    }
    return true;
}

/* -- reading a table -- */

/* Kinds and categories as in the schema. */
static void follow(TableReading *reading) {
    for (uint32_t i = 0; i < reading->table->column_count; i++) {
        TableColumn *column = &reading->table->columns[i];
        const SourceField *field = &reading->like->fields[i];
        column->kind = field->is_text              ? COLUMN_TEXT
                       : field->dtype == DTYPE_I32 ? COLUMN_WHOLE
                                                   : COLUMN_NUMBER;
        reading->categories[i] = names_new(reading->arena);
        reading->cell_texts[i] = names_new(reading->arena);
        column->categories = (const char **)field->categories;
        column->category_count = field->category_count;
        for (uint32_t k = 0; k < field->category_count; k++)
            names_add(reading->categories[i], field->categories[k]);
    }
}

static bool find_kinds(TableReading *reading) {
    Table *table = reading->table;
    if (reading->like) follow(reading);
    if (!see_all(reading, reading->like ? see_fits : see_first_kind, &table->rows)) return false;
    for (uint32_t i = 0; i < table->column_count; i++) {
        TableColumn *column = &table->columns[i];
        if (column->kind == COLUMN_WHOLE && column->missing) column->kind = COLUMN_NUMBER;
        if (column->kind == COLUMN_TEXT && !reading->like)
            reading->categories[i] = names_new(reading->arena);
    }
    return true;
}

static bool make_room(TableReading *reading) {
    Table *table = reading->table;
    table->lines = memory_new((size_t)table->rows * sizeof *table->lines, "the rows of a table");
    if (reading->format->series) {
        table->series =
            memory_new((size_t)table->rows * sizeof *table->series, "the rows of a table");
        for (int64_t row = 0; row < table->rows; row++) table->series[row] = -1;
        reading->series = names_new(reading->arena);
    }
    for (uint32_t i = 0; i < reading->width; i++) {
        if (reading->columns_of[0][i] < 0) continue;
        TableColumn *column = &table->columns[reading->columns_of[0][i]];
        bool exact = column->kind != COLUMN_WHOLE, text = column->kind == COLUMN_TEXT;
        column->cells = memory_try_grow(NULL, (size_t)table->rows * sizeof(float));
        column->exact.kind = text ? EXACT_TEXT : column->has_fractions ? EXACT_REAL : EXACT_WHOLE;
        if (exact)
            column->exact.elements = memory_try_grow(
                NULL, (size_t)table->rows * (text ? sizeof(int32_t) : sizeof(double)));
        if (column->cells && (!exact || column->exact.elements)) continue;
        reading->at = 0;
        problem_set(reading->problem, "no memory for its %lld rows", (long long)table->rows);
        return false;
    }
    return true;
}

/* Categories without a training row are removed later; the texts of the cells stay. */
static void sort_categories(TableReading *reading) {
    for (uint32_t i = 0; i < reading->table->column_count; i++) {
        TableColumn *column = &reading->table->columns[i];
        if (column->kind != COLUMN_TEXT || !column->cells) continue;
        if (reading->like) {
            column->exact.texts = names_all(reading->cell_texts[i]);
            continue;
        }
        column->category_count = names_count(reading->categories[i]);
        column->categories = categories_sort(reading->categories[i], column->codes,
                                             reading->table->rows, reading->arena);
        const char **texts = ARENA_ARRAY(reading->arena, const char *, column->category_count);
        memcpy(texts, column->categories, column->category_count * sizeof *texts);
        memcpy(column->exact.elements, column->codes,
               (size_t)reading->table->rows * sizeof *column->codes);
        column->exact.texts = texts;
    }
}

bool table_read(TableText *texts, uint32_t count, const CsvFormat *format, const SourceSchema *like,
                Arena *arena, Table *table, Problem *problem, uint32_t *failed) {
    TableReading reading = {.texts = texts,
                            .text_count = count,
                            .format = format,
                            .like = like,
                            .arena = arena,
                            .table = table,
                            .problem = problem};
    int64_t rows;
    size_t length = 0;
    for (uint32_t i = 0; i < count; i++)
        length = texts[i].length > length ? texts[i].length : length;
    *table = (Table){0};
    *problem = (Problem){0};
    *failed = 0;
    /* a text has at most as many cells as bytes, plus one */
    size_t most = length < CSV_MAX_CELLS ? length + 1 : CSV_MAX_CELLS;
    reading.cells = memory_array(most, sizeof *reading.cells, "the cells of a line");
    bool good = read_all_names(&reading) && find_kinds(&reading) && make_room(&reading) &&
                see_all(&reading, see_value, &rows);
    if (good) sort_categories(&reading);
    if (!good) *failed = reading.at;
    free(reading.cells);
    if (!good) table_free(table);
    return good;
}

void table_free(Table *table) {
    for (uint32_t i = 0; i < table->column_count; i++) {
        free(table->columns[i].cells);
        free(table->columns[i].exact.elements);
    }
    free(table->lines);
    free(table->series);
    *table = (Table){0};
}
