/* A table in memory: the columns of a CSV text. Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_TABLE_H
#define MLC_RUNTIME_DATA_TABLE_H

#include "runtime/formats/csv.h"
#include "runtime/data/exact.h"
#include "runtime/formats/numbers.h"
#include "ir/data/source.h"

/* What stands in a missing cell of one column. */
typedef struct {
    const char *column;
    const char *const *texts;
    uint32_t count;
} ColumnMissing;

typedef struct {
    bool header;
    const char *const *missing; /* what stands in a cell that is missing, besides nothing */
    uint32_t missing_count;
    const ColumnMissing *column_missing;
    uint32_t column_missing_count;
    const char *const *drop; /* columns: a row in which one of them is missing is left out */
    uint32_t drop_count;
    bool drop_all; /* of whatever column */
    char delimiter;
    NumberSigns signs;
    /* characters that do not count at the ends of cells of text, as spaces; NULL: none */
    const char *trim;
    const char *series; /* the column that tells series of rows apart, or NULL */
} CsvFormat;

/* A text of a table: the training rows are the first, held-out rows may be in others. */
typedef struct {
    const char *text;
    size_t length;
    uint32_t skip; /* lines left out at its beginning */
    int64_t rows;  /* found by table_read */
} TableText;

/* each can hold what those before it hold */
typedef enum { COLUMN_WHOLE, COLUMN_NUMBER, COLUMN_TEXT } TableColumnKind;
typedef struct {
    const char *name;
    TableColumnKind kind;
    bool has_fractions;   /* a number is not whole, or beyond 64 bits */
    int64_t missing;      /* how many cells are */
    const char *why_text; /* "line 17 has 'abc'": the first cell that is no number */
    const char *why_cell; /* this cell; NULL where why_text tells how it becomes one */
    union {
        int32_t *whole;
        float *numbers; /* NaN where missing */
        int32_t *codes; /* of categories; -1 where missing */
        void *cells;
    };
    Exact exact;             /* of numbers */
    int64_t unseen;          /* where a schema is followed: cells whose category it does not have */
    const char *unseen_text; /* and such a category */
    const char **categories; /* sorted by their bytes */
    uint32_t category_count;
} TableColumn;

typedef struct {
    TableColumn *columns;
    uint32_t column_count;
    int64_t rows;
    int64_t dropped; /* rows that are left out */
    uint32_t *lines; /* [rows]: where each begins, from 1; malloc'ed */
    int32_t *
        series; /* [rows]: which series each belongs to, by the cells of format->series; -1: a missing one; NULL: nobody asks */
} Table;

/* Reads texts with the same columns, one after the other: names and categories live in the arena,
 * cells are malloc'ed (table_free). What kind a column is, the first text says. After a problem,
 * *failed is the number of the text that has it. `like`, or NULL: a schema that the columns must
 * follow, found by their names: text and its categories are as there, and columns that it does not
 * have are left out; a column that the text does not have has no cells. */
bool table_read(TableText *texts, uint32_t count, const CsvFormat *format, const SourceSchema *like,
                Arena *arena, Table *table, Problem *problem, uint32_t *failed);
void table_free(Table *table);

#endif
