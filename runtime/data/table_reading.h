/* The state of reading a table of CSV texts, for the files that read one. Private to runtime/data:
 * all others see table.h. */
#ifndef MLC_RUNTIME_DATA_TABLE_READING_H
#define MLC_RUNTIME_DATA_TABLE_READING_H

#include "runtime/data/categories.h"
#include "runtime/data/table.h"

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

/* Starts the current text, after its skipped lines. */
bool table_begin_text(TableReading *reading, CsvScan *scan);
/* Reads the names of the columns of all texts (table_names.c): makes the columns of the table and
 * fills `columns_of`, `missing` and `drops`. false after a problem. */
bool table_read_names(TableReading *reading);

/* -- cells (table_cells.c) -- */

/* Whether a cell is missing; column: its index, or -1. */
bool cell_is_missing(const TableReading *reading, int64_t column, const CsvCell *cell);
/* A number as it is usually written, with a decimal point; `plain` holds the text if the format has
 * other signs. */
CsvCell cell_plain(const CsvCell *cell, NumberSigns signs, char plain[NUMBER_LONGEST + 1]);
NumberForm cell_form(const TableReading *reading, const CsvCell *cell);
/* For an error: the settings that make a number of the cell, such as `; decimal = "," makes a
 * number of it`; "": there are none. */
const char *cell_signs_help(const TableReading *reading, const CsvCell *cell);
/* The trimmed text; "" is a missing cell. */
const char *cell_text(const TableReading *reading, const CsvCell *cell);
/* The text for an error: in quotes, shortened, without control characters. */
const char *cell_display(const TableReading *reading, const CsvCell *cell);
/* false after a problem: the text of a line is not UTF-8. */
bool cell_check_utf8(const TableReading *reading, const char *text, uint32_t line);

#endif
