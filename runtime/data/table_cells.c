/* The cells of a table: what is missing, what is a number, and how an error shows a cell. */
#include "ir/base/display.h"
#include "ir/base/utf8.h"
#include "runtime/data/table_reading.h"

#include <string.h>

static bool is_one_of(const CsvCell *cell, const char *const *texts, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        if (strlen(texts[i]) == cell->length && !memcmp(texts[i], cell->text, cell->length))
            return true;
    return false;
}

/* column: its index, or -1. */
bool cell_is_missing(const TableReading *reading, int64_t column, const CsvCell *cell) {
    const CsvFormat *format = reading->format;
    const ColumnMissing *own = column < 0 ? NULL : reading->missing[column];
    return cell->length == 0 || is_one_of(cell, format->missing, format->missing_count) ||
           (own && is_one_of(cell, own->texts, own->count));
}

/* The cell as a number with a decimal point; rewritten in `plain` if it has other separators. */
CsvCell cell_plain(const CsvCell *cell, NumberSigns signs, char plain[NUMBER_LONGEST + 1]) {
    if (signs.decimal == '.' && !signs.thousands) return *cell;
    size_t length = number_plain(cell->text, cell->length, signs, plain);
    return (CsvCell){.text = plain, .length = length};
}

NumberForm cell_form(const TableReading *reading, const CsvCell *cell) {
    char text[NUMBER_LONGEST + 1];
    CsvCell plain = cell_plain(cell, reading->format->signs, text);
    return number_form(plain.text, plain.length);
}

/* How a text could be read as a number, with the decimal sign that was given; "" if there is no
 * way. */
const char *cell_signs_help(const TableReading *reading, const CsvCell *cell) {
    static const NumberSigns ways[] = {{'.', ','}, {',', 0}, {',', '.'}, {'.', ' '}, {',', ' '}};
    NumberSigns now = reading->format->signs;
    char text[NUMBER_LONGEST + 1];
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        NumberSigns way = ways[i];
        if (now.decimal == ',' && way.decimal != ',') continue;
        CsvCell plain = cell_plain(cell, way, text);
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
const char *cell_text(const TableReading *reading, const CsvCell *cell) {
    const char *trim = reading->format->trim;
    char *text = csv_text(cell, reading->arena);
    if (!trim) return text;
    size_t length = strlen(text);
    while (length && (text[length - 1] == ' ' || strchr(trim, text[length - 1])))
        text[--length] = '\0';
    while (*text && (*text == ' ' || strchr(trim, *text))) text++;
    return text;
}

enum { CELL_SHOWN = 40 };

const char *cell_display(const TableReading *reading, const CsvCell *cell) {
    char *text = arena_copy_string(reading->arena, cell->text, cell->length);
    bool whole = display_columns(text, cell->length) <= CELL_SHOWN;
    if (!whole) text[display_fitting(text, CELL_SHOWN)] = '\0';
    for (char *c = text; *c;) {
        size_t length = utf8_length(c, strlen(c));
        if (!length || (unsigned char)*c < 32) *c = '?';
        c += length ? length : 1;
    }
    return arena_format(reading->arena, "'%s%s'", text, whole ? "" : "...");
}

bool cell_check_utf8(const TableReading *reading, const char *text, uint32_t line) {
    if (utf8_is_valid(text, strlen(text))) return true;
    problem_set(reading->problem, "line %u: its text is not UTF-8", line);
    problem_help(reading->problem, "`iconv -f LATIN1 -t UTF-8` converts files of older programs");
    return false;
}
