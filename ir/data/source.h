/* The data of a model: its reader call, its splits, and the schema that the reader finds. The
 * frontend and the runtime share these types. */
#ifndef MLC_IR_DATA_SOURCE_H
#define MLC_IR_DATA_SOURCE_H

#include "ir/graph/graph.h"

/* The value of an argument of the reader call in `source = ...`. */
typedef enum {
    SOURCE_ARG_STRING,
    SOURCE_ARG_NUMBER,
    SOURCE_ARG_BOOL,
    SOURCE_ARG_LIST
} SourceArgKind;
typedef struct SourceArg SourceArg;
struct SourceArg {
    const char *name; /* "" for a positional argument, and for an item of a list */
    SourceArgKind kind;
    const char *text; /* STRING */
    double number;    /* NUMBER, BOOL (0 or 1) */
    Span span;
    const SourceArg *items; /* LIST: strings, numbers, truth values, and lists of these */
    uint32_t item_count;
};

/* source = reader(args): mnist(), csv("houses.csv", header = true)... */
typedef struct {
    const char *reader;
    const char *folder; /* the folder of the .mdl file: relative paths start in it */
    const SourceArg *args;
    uint32_t arg_count;
    Span span;
    /* the schema of the data that a network was trained on: text has its categories; or NULL */
    const struct SourceSchema *like;
} DataSource;

/* Which training rows are held out for a split: random ones; the last ones of the file; those that
 * a column marks; all rows of some groups; or the same fraction of each class. */
typedef enum { HOLD_RANDOM, HOLD_LAST, HOLD_COLUMN, HOLD_GROUP, HOLD_STRATIFIED } HoldKind;
typedef struct {
    HoldKind kind;
    bool is_count;
    /* a number of rows (GROUP: of groups), or a fraction of them; 0: none; COLUMN: not used */
    double amount;
    const char *field; /* COLUMN, GROUP, STRATIFIED: the column that decides */
    Span span;
} HoldOut;
/* The splits that a model declares. If the source has its own rows for a split, no others can be
 * held out for it. */
typedef struct {
    HoldOut valid, test;
    /* Instead of those of `valid`, the rows of this fold (1 to folds) are held out for validation;
     * folds 0: no folds. runtime/data/split_folds.c says which rows a fold has. */
    uint32_t folds, fold;
    Span folds_span;
    uint64_t seed;
    /* the field whose values separate series of rows; NULL: that of a HOLD_GROUP, or else the rows
     * of a file are one series */
    const char *series;
} SplitRequest;

/* The field whose values separate series of rows; NULL if the rows of a file are one series. */
const char *source_series(const SplitRequest *request);

/* A field of the source. For instance, `source.image` is u8[N, 1, 28, 28] and has row shape [1, 28,
 * 28]. A column of a table has one number a row: f32, where a missing cell is NaN; i32 if all cells
 * are whole numbers; or text, as i32. A cell of text is the number of its category; -1 if it is
 * missing or is no category of the training rows. */
typedef struct {
    const char *name; /* categories and name: live as long as the schema */
    DType dtype;
    Shape row;
    /* its numbers are classes, from 0 to below this; 0: not known before the data are read */
    int32_t classes;
    const char *const *categories; /* of text, sorted; or the names of class numbers; else NULL */
    uint32_t category_count;
    /* of classes(...), which is used like text: the number of each category; else NULL */
    const int64_t *numbers;
    bool is_column, is_text;
    /* of an array with more digits than f32: derived columns are computed from all digits */
    bool is_wide;
    int64_t unseen;          /* of text: the number of rows whose category no training row has */
    const char *unseen_text; /* one such category */
    const char *why_text;    /* of text: the first cell that is no number, "line 17 has 'abc'" */
    const char *why_cell;    /* this cell, if it may be a date; or NULL */
} SourceField;
/* The derived columns of a model (ir/data/derived.h), added as they become known. */
typedef struct {
    Arena *arena;
    const SourceField **items;
    uint32_t count, capacity;
} DerivedFields;

/* An array of the source that cannot be a field, and why. It is an error where a model reads it. */
typedef struct {
    const char *name, *finding, *help; /* help: NULL if there is none */
} SourceUnreadable;

typedef struct SourceSchema {
    const SourceField *fields;
    uint32_t field_count;
    const SourceUnreadable *unreadable;
    uint32_t unreadable_count;
    /* of a table that is read like that of a trained network: its columns that this one lacks */
    const char *const *others;
    uint32_t other_count;
    DerivedFields *derived;        /* or NULL */
    int64_t train_rows;            /* 0 if not known without reading the data */
    int64_t dropped_rows;          /* rows left out because a cell is missing */
    int64_t valid_rows, test_rows; /* rows that the source has for these splits */
} SourceSchema;

/* Answers which fields a source has. Named data sets are known without their files; other files are
 * inspected. The schema lives in the arena. Reports errors (STATUS_DATA) and returns false. The
 * caller of the frontend gives it this function. */
typedef bool SchemaFunction(void *context, const DataSource *source, const SplitRequest *request,
                            Arena *arena, SourceSchema *schema, Diagnostics *diag);

/* Answers which classes a column classes(...) has, given its name (ir/data/derived.h): a field like
 * one of text, in the arena. Reports errors at `span` and returns false. */
typedef bool ClassesFunction(void *context, const DataSource *source, const SplitRequest *request,
                             const char *name, Span span, Arena *arena, SourceField *field,
                             Diagnostics *diag);

/* NULL: none of that name */
const SourceField *source_field(const SourceSchema *schema, const char *name);
/* A field or a derived column. */
const SourceField *source_any(const SourceSchema *schema, const char *name);
/* the field is not copied */
void source_add_derived(SourceSchema *schema, const SourceField *field);

/* Copies in the arena, with all names and categories. */
SourceField source_field_copy(const SourceField *field, Arena *arena);
SourceSchema source_schema_copy(const SourceSchema *schema, Arena *arena);

/* The name of an input that is several columns side by side. It lists their places among the
 * fields: "columns:0-7,9". */
const char *source_columns_name(Arena *arena, const uint32_t *fields, uint32_t count);
/* The fields in such a name, in the arena; NULL if it is another name, or the schema does not have
 * the fields. */
const uint32_t *source_columns_find(const SourceSchema *schema, const char *name, Arena *arena,
                                    uint32_t *count);

/* The name of an input that holds rows around a row of a series. "rows:-23:0:1:NAME" has a first
 * axis of 24 rows: NAME in the row 23 before, and so on to the row itself. The third number is the
 * stride: of a series, every so many rows are trained on. */
const char *source_rows_name(Arena *arena, int64_t from, int64_t to, int64_t stride,
                             const char *name);
typedef struct {
    int64_t from, to, stride;
} SourceRows;
/* NAME and the rows of such an input. For any other input the name itself, and only the row. */
const char *source_rows_of(const char *name, SourceRows *rows);

/* A transform of the data that is fitted before the first step. For every column of its input it
 * gives "NAME.value", or "NAME.mean" and "NAME.deviation". An input that is a number of the source
 * or a derived column is fitted in f64 to the digits of the files, and the data set keeps the
 * result. Any other input is the output NAME of GRAPH_FIT, and the results are states of that
 * graph. */
typedef enum { FIT_MEDIAN, FIT_MEAN, FIT_MODE, FIT_STANDARDIZE } FitKind;
typedef struct {
    const char *name;
    FitKind kind;
    /* the input of the model that it is fitted to; NULL: an output of GRAPH_FIT */
    const char *column;
    Shape row; /* of `column` */
    /* to all training rows, also those around which a row is missing that the model reads */
    bool every_row;
    Span span;
} Fit;

#endif
