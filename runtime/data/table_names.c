/* Reads the first line of each text of a table: the names of the columns, and which cell of the
 * text belongs to which column. */
#include "runtime/data/table_reading.h"

#include <string.h>

static const char *column_name(TableReading *reading, const CsvScan *scan, uint32_t i) {
    const CsvCell *cell = &scan->cells[i];
    if (!reading->format->header || !cell->length)
        return arena_format(reading->arena, "column%u", i);
    const char *name = csv_text(cell, reading->arena);
    return cell_check_utf8(reading, name, scan->record_line) ? name : NULL;
}

static bool header_is_names(const TableReading *reading, const CsvScan *scan) {
    uint32_t numbers = 0;
    for (uint32_t i = 0; i < scan->count; i++)
        numbers += cell_form(reading, &scan->cells[i]) != NUMBER_NONE;
    if (numbers < scan->count) return true;
    problem_set(reading->problem, "line %u: it should name the columns, but holds numbers only",
                scan->record_line);
    problem_help(reading->problem,
                 "write header = false if the first line is a row like the others");
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
                    cell_display(reading, cell));
        problem_help(reading->problem, "write delimiter = \"%s\" if this divides the cells",
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

/* Reports a name in the arguments of csv() that is no column of the table. */
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

/* Finds the column of each cell of the current text. */
static void match_columns(TableReading *reading, const char *const *names, uint32_t count) {
    const Table *table = reading->table;
    Names *wanted = names_new(reading->arena);
    int32_t *column_of = reading->columns_of[reading->at] =
        ARENA_ARRAY(reading->arena, int32_t, count);
    for (uint32_t i = 0; i < table->column_count; i++) names_add(wanted, table->columns[i].name);
    for (uint32_t i = 0; i < count; i++) column_of[i] = names_index(wanted, names[i]);
    if (!reading->like) return;
    reading->table->others = ARENA_ARRAY(reading->arena, const char *, count);
    for (uint32_t i = 0; i < count; i++)
        if (column_of[i] < 0) reading->table->others[reading->table->other_count++] = names[i];
}

static bool read_names(TableReading *reading) {
    CsvScan scan;
    if (!table_begin_text(reading, &scan) ||
        (!csv_next(&scan, reading->problem) && *reading->problem->finding))
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
    match_columns(reading, names, scan.count);
    if (!find_drops(reading, names, scan.count)) return false;
    return reading->at == 0 || check_same_columns(reading, names, scan.count, scan.record_line);
}

bool table_read_names(TableReading *reading) {
    reading->columns_of = ARENA_ARRAY(reading->arena, int32_t *, reading->text_count);
    reading->drops = ARENA_ARRAY(reading->arena, bool *, reading->text_count);
    for (reading->at = 0; reading->at < reading->text_count; reading->at++)
        if (!read_names(reading)) return false;
    return true;
}
