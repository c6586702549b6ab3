/* Reads the records of a CSV text (RFC 4180). Lines end with LF, CRLF or CR. A cell in quotes may
 * contain delimiters, line ends, and quotes that are written twice. Spaces around a cell are
 * removed; empty lines are skipped. */
#include "runtime/formats/csv.h"

#include <string.h>

static bool starts_with(const CsvScan *scan, const char *bytes, size_t count) {
    return scan->length >= count && !memcmp(scan->text, bytes, count);
}

bool csv_begin(CsvScan *scan, const char *text, size_t length, char delimiter, CsvCell *cells,
               Problem *problem) {
    *scan = (CsvScan){
        .text = text, .length = length, .line = 1, .delimiter = delimiter, .cells = cells};
    *problem = (Problem){0};
    if (starts_with(scan, "\xef\xbb\xbf", 3)) scan->at = 3;
    if (starts_with(scan, "\xff\xfe", 2) || starts_with(scan, "\xfe\xff", 2)) {
        problem_set(problem, "it is UTF-16 text, but must be UTF-8");
        problem_help(problem, "`iconv -f UTF-16 -t UTF-8` converts it");
        return false;
    }
    if (!memchr(text, '\0', length)) return true;
    problem_set(problem, "it has a byte 0, so it is not text");
    problem_help(problem, "csv() reads text, one row a line; npy() reads arrays of NumPy");
    return false;
}

/* -- moving through the text -- */

static bool at_end(const CsvScan *scan) { return scan->at >= scan->length; }
static bool at_line_end(const CsvScan *scan) {
    return at_end(scan) || scan->text[scan->at] == '\n' || scan->text[scan->at] == '\r';
}
static bool at_delimiter(const CsvScan *scan) {
    return !at_end(scan) && scan->text[scan->at] == scan->delimiter;
}
static bool is_space(const CsvScan *scan, char c) {
    return (c == ' ' || c == '\t') && c != scan->delimiter;
}
static void skip_spaces(CsvScan *scan) {
    while (!at_end(scan) && is_space(scan, scan->text[scan->at])) scan->at++;
}

static void skip_line_end(CsvScan *scan) {
    if (at_end(scan)) return;
    bool pair = scan->text[scan->at] == '\r' && scan->at + 1 < scan->length &&
                scan->text[scan->at + 1] == '\n';
    scan->at += pair ? 2 : 1;
    scan->line++;
}

bool csv_skip(CsvScan *scan, uint32_t lines) {
    for (uint32_t i = 0; i < lines && !at_end(scan); i++) {
        while (!at_line_end(scan)) scan->at++;
        skip_line_end(scan);
    }
    return !at_end(scan);
}

/* -- cells -- */

/* Moves to the closing quote, past the doubled ones. */
static bool find_closing_quote(CsvScan *scan, CsvCell *cell) {
    for (; !at_end(scan); scan->at++) {
        char c = scan->text[scan->at];
        bool twice = c == '"' && scan->at + 1 < scan->length && scan->text[scan->at + 1] == '"';
        if (c == '"' && !twice) return true;
        cell->doubled |= twice;
        scan->at += twice;
        scan->line +=
            c == '\n' ||
            (c == '\r' && !(scan->at + 1 < scan->length && scan->text[scan->at + 1] == '\n'));
    }
    return false;
}

static bool read_quoted(CsvScan *scan, CsvCell *cell, Problem *problem) {
    uint32_t line = scan->line;
    scan->at++;
    *cell = (CsvCell){.text = scan->text + scan->at, .quoted = true};
    if (!find_closing_quote(scan, cell)) {
        problem_set(problem, "line %u: a cell begins with a quote that is never closed", line);
        problem_help(problem, "a quote inside a quoted cell is written twice: \"\"");
        return false;
    }
    cell->length = (size_t)(scan->text + scan->at - cell->text);
    scan->at++;
    skip_spaces(scan);
    if (at_delimiter(scan) || at_line_end(scan)) return true;
    problem_set(problem, "line %u: '%c' follows a closing quote, where the cell should end",
                scan->line, scan->text[scan->at]);
    problem_help(problem, "a quote inside a quoted cell is written twice: \"\"");
    return false;
}

static bool read_cell(CsvScan *scan, Problem *problem) {
    if (scan->count == CSV_MAX_CELLS) {
        problem_set(problem, "line %u: it has more than %d cells, the maximum for a row",
                    scan->line, CSV_MAX_CELLS);
        return false;
    }
    CsvCell *cell = &scan->cells[scan->count++];
    skip_spaces(scan);
    if (!at_end(scan) && scan->text[scan->at] == '"') return read_quoted(scan, cell, problem);
    *cell = (CsvCell){.text = scan->text + scan->at};
    while (!at_delimiter(scan) && !at_line_end(scan)) scan->at++;
    cell->length = (size_t)(scan->text + scan->at - cell->text);
    while (cell->length && is_space(scan, cell->text[cell->length - 1])) cell->length--;
    return true;
}

bool csv_next(CsvScan *scan, Problem *problem) {
    while (!at_end(scan)) {
        scan->count = 0;
        scan->record_line = scan->line;
        if (!read_cell(scan, problem)) return false;
        while (at_delimiter(scan)) {
            scan->at++;
            if (!read_cell(scan, problem)) return false;
        }
        skip_line_end(scan);
        if (scan->count > 1 || scan->cells[0].length || scan->cells[0].quoted) return true;
    }
    return false;
}

char *csv_text(const CsvCell *cell, Arena *arena) {
    char *text = arena_copy_string(arena, cell->text, cell->length), *to = text;
    if (!cell->doubled) return text;
    for (const char *from = text; *from; from++) {
        *to++ = *from;
        from += *from == '"';
    }
    *to = '\0';
    return text;
}
