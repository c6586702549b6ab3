/* A table in memory: the columns of a CSV text. Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_TABLE_H
#define MLC_RUNTIME_DATA_TABLE_H

#include "runtime/formats/csv.h"
#include "runtime/data/exact.h"
#include "runtime/formats/numbers.h"
#include "ir/data/source.h"

/* The texts that mark a missing cell in one column. */
typedef struct {
    const char *column;
    const char *const *texts;
    uint32_t count;
} ColumnMissing;

typedef struct {
    bool header;
    const char *const *missing; /* texts that mark a missing cell; an empty cell is missing too */
    uint32_t missing_count;
    const ColumnMissing *column_missing;
    uint32_t column_missing_count;
    const char *const *drop; /* rows are dropped in which one of these columns is missing */
    uint32_t drop_count;
    bool drop_all; /* the same for all columns */
    char delimiter;
    NumberSigns signs;
    /* characters to remove at the ends of text cells, besides spaces; NULL: none */
    const char *trim;
    const char *series; /* the column that separates series of rows, or NULL */
} CsvFormat;

/* One csv text of a table: the first has the training rows, others may have held-out rows. */
typedef struct {
    const char *text;
    size_t length;
    uint32_t skip; /* lines to skip at its beginning */
    int64_t rows;  /* found by table_read */
} TableText;

/* each kind can hold the values of those before it */
typedef enum { COLUMN_WHOLE, COLUMN_NUMBER, COLUMN_TEXT } TableColumnKind;
typedef struct {
    const char *name;
    TableColumnKind kind;
    bool has_fractions;   /* it has a number with a fraction, or beyond 64 bits */
    int64_t missing;      /* missing cells */
    const char *why_text; /* "line 17 has 'abc'": the first cell that is not a number */
    const char *why_cell; /* that cell; NULL if why_text tells how to read it as a number */
    union {
        int32_t *whole;
        float *numbers; /* NaN where missing */
        int32_t *codes; /* of categories; -1 where missing */
        void *cells;
    };
    Exact exact;             /* exact numbers */
    int64_t unseen;          /* with a schema: cells with a category that it lacks */
    const char *unseen_text; /* one of these categories */
    const char **categories; /* sorted by their bytes */
    uint32_t category_count;
} TableColumn;

typedef struct {
    TableColumn *columns;
    uint32_t column_count;
    const char **others; /* with a schema: the names of columns that it lacks */
    uint32_t other_count;
    int64_t rows;
    int64_t dropped; /* rows left out by drop_missing */
    uint32_t *lines; /* [rows]: the first line of each, from 1; malloc'ed */
    /* [rows]: the series of each row by the column format->series; -1: missing. NULL: no such
     * column */
    int32_t *series;
} Table;

/* Reads texts with the same columns. The first text decides the kinds of the columns. Names and
 * categories are in the arena; cells are malloc'ed (table_free). like: NULL, or a schema for the
 * columns, matched by name. It gives the kinds and categories; columns that it lacks are left out,
 * and its columns that the text lacks have no cells. After a problem, *failed is the index of its
 * text. */
bool table_read(TableText *texts, uint32_t count, const CsvFormat *format, const SourceSchema *like,
                Arena *arena, Table *table, Problem *problem, uint32_t *failed);
void table_free(Table *table);

#endif
