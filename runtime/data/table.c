/* Converts the records of CSV texts to columns. The texts are read twice, because the kind of a
 * column is only known at the end. */
#include "ir/base/memory.h"
#include "runtime/data/table_reading.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool table_begin_text(TableReading *reading, CsvScan *scan) {
    const TableText *text = &reading->texts[reading->at];
    if (!csv_begin(scan, text->text, text->length, reading->format->delimiter, reading->cells,
                   reading->problem))
        return false;
    if (!text->skip || csv_skip(scan, text->skip)) return true;
    problem_set(reading->problem, "nothing follows its first %u line%s, which 'skip' leaves out",
                text->skip, text->skip == 1 ? "" : "s");
    return false;
}

static bool failed(const TableReading *reading) { return *reading->problem->finding != '\0'; }

static int64_t column_index(const TableReading *reading, const TableColumn *column) {
    return column - reading->table->columns;
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
                     "the line ends with a '%c': remove it, or end the first line with one too",
                     delimiter);
    else
        problem_help(
            reading->problem,
            "cells with a '%c' in them must be in quotes; delimiter = \"...\" names another delimiter",
            delimiter);
    return false;
}

static bool is_dropped(const TableReading *reading, const CsvScan *scan) {
    for (uint32_t i = 0; i < scan->count; i++) {
        const CsvCell *cell = &scan->cells[i];
        if (!reading->drops[reading->at][i]) continue;
        if (cell_is_missing(reading, reading->columns_of[reading->at][i], cell) ||
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
    if (!table_begin_text(reading, &scan)) return false;
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
                    reading->table->dropped ? "'drop_missing' leaves out all its rows%s"
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
    if (cell_is_missing(reading, column_index(reading, column), cell))
        return column->missing++, true;
    if (column->kind == COLUMN_TEXT) return true;
    NumberForm form = cell_form(reading, cell);
    if (form == NUMBER_NAN) column->missing++;
    if (form == NUMBER_REAL || form == NUMBER_LONG) column->kind = COLUMN_NUMBER;
    column->has_fractions |= form == NUMBER_REAL;
    if (form != NUMBER_NONE) return true;
    column->kind = COLUMN_TEXT;
    const char *hint = cell_signs_help(reading, cell);
    column->why_text =
        arena_format(reading->arena, "line %u has %s%s", line, cell_display(reading, cell), hint);
    if (!*hint) column->why_cell = csv_text(cell, reading->arena);
    return true;
}

/* First pass with given kinds, from a schema or the first text: a column of whole numbers may
 * become one of fractions, but a number column must hold numbers. */
static bool see_fits(TableReading *reading, TableColumn *column, int64_t row, const CsvCell *cell,
                     uint32_t line) {
    if (column->kind != COLUMN_TEXT &&
        !cell_is_missing(reading, column_index(reading, column), cell) &&
        cell_form(reading, cell) == NUMBER_NONE) {
        problem_set(reading->problem,
                    "line %u: column '%.100s' has %s, but it holds numbers in the %s", line,
                    column->name, cell_display(reading, cell),
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
    const char *text = cell_text(reading, cell);
    reading->table->series[row] =
        cell_is_missing(reading, column_index(reading, column), cell) || !*text
            ? -1
            : (int32_t)names_add(reading->series, text);
}

static void take_number(const TableReading *reading, TableColumn *column, int64_t row,
                        const CsvCell *written, bool missing) {
    char text[NUMBER_LONGEST + 1];
    CsvCell cell = cell_plain(written, reading->format->signs, text);
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
    int64_t i = column_index(reading, column);
    const char *text = cell_text(reading, cell);
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
    return cell_check_utf8(reading, text, line);
}

/* Second pass: stores the cells. */
static bool see_value(TableReading *reading, TableColumn *column, int64_t row, const CsvCell *cell,
                      uint32_t line) {
    see_series(reading, column, row, cell);
    bool missing = cell_is_missing(reading, column_index(reading, column), cell);
    if (column->kind == COLUMN_NUMBER) {
        take_number(reading, column, row, cell, missing);
    } else if (column->kind == COLUMN_WHOLE) {
        char text[NUMBER_LONGEST + 1];
        CsvCell plain = cell_plain(cell, reading->format->signs, text);
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
    bool good = table_read_names(&reading) && find_kinds(&reading) && make_room(&reading) &&
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
