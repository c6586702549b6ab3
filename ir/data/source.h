/* What a model says about its data, and what the data answer: the only types that the front end and the runtime share. */
#ifndef MLC_IR_DATA_SOURCE_H
#define MLC_IR_DATA_SOURCE_H

#include "ir/graph/graph.h"

/* An argument of the reader call in `source = ...`, evaluated. */
typedef enum { SOURCE_ARG_STRING, SOURCE_ARG_NUMBER, SOURCE_ARG_BOOL, SOURCE_ARG_LIST } SourceArgKind;
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
    const char *folder; /* of the .mdl file: relative paths start here */
    const SourceArg *args;
    uint32_t arg_count;
    Span span;
    const struct SourceSchema
        *like; /* the schema of the data that a network was trained on: text has its categories; or NULL */
} DataSource;

/* Which rows are held out of the training rows for a split: drawn ones; the last ones of the file; those that a column calls so; all
 * rows of some groups; as many of each class as its share of the rows. */
typedef enum { HOLD_RANDOM, HOLD_LAST, HOLD_COLUMN, HOLD_GROUP, HOLD_STRATIFIED } HoldKind;
typedef struct {
    HoldKind kind;
    bool is_count;
    double amount;     /* a count of rows (GROUP: of groups), or a share of the rows; 0: none; COLUMN: not used */
    const char *field; /* COLUMN, GROUP, STRATIFIED: the column looked at */
    Span span;
} HoldOut;
/* A source that brings rows of its own for a split allows no others. */
typedef struct {
    HoldOut valid, test;
    uint64_t seed;
    const char *
        series; /* the field whose values tell series of rows apart; NULL: that of a HOLD_GROUP, or all rows of a file are one */
} SplitRequest;

/* The field whose values tell series of rows apart; NULL: the rows of a file are one series. */
const char *source_series(const SplitRequest *request);

/* A field of the source: `source.image` is u8[N, 1, 28, 28] and has row shape [1, 28, 28]. Columns of a table have one number
 * a row: f32, where a missing cell is NaN; i32 where all cells are whole numbers; or text, as i32: a cell is the number of its
 * category, or -1 where it is missing or no category of the training rows. */
typedef struct {
    const char *name; /* categories and name: live as long as the schema */
    DType dtype;
    Shape row;
    int32_t classes; /* its whole numbers are classes from 0 to below this; 0: not known before the data are read */
    const char *const *categories; /* of text, sorted; of class numbers, their names; else NULL */
    uint32_t category_count;
    const int64_t *numbers; /* of classes(...), which is text to those who use it: the number of each category; else NULL */
    bool is_column, is_text;
    bool
        is_wide; /* of an array that is read as f32: it has more digits, and what is computed of it when it is read begins with them */
    int64_t unseen;          /* of text: how many rows have a category that no training row has */
    const char *unseen_text; /* and such a category */
    const char *why_text;    /* of text: "line 17 has 'abc'", the first cell that is no number */
} SourceField;
/* Columns that a model computes of others (ir/data/derived.h), as they become known. */
typedef struct {
    Arena *arena;
    const SourceField **items;
    uint32_t count, capacity;
} DerivedFields;

typedef struct SourceSchema {
    const SourceField *fields;
    uint32_t field_count;
    DerivedFields *derived;        /* or NULL */
    int64_t train_rows;            /* 0 if not known without reading the data */
    int64_t dropped_rows;          /* left out because a cell is missing */
    int64_t valid_rows, test_rows; /* that the source brings for these splits */
} SourceSchema;

/* Answers what fields a source has. Named sets are known without their files; others are looked at. The schema's memory is the
 * arena's. Reports errors (STATUS_DATA) and returns false. The front end is given one by its caller. */
typedef bool SchemaFunction(void *context, const DataSource *source, const SplitRequest *request, Arena *arena,
                            SourceSchema *schema, Diagnostics *diag);

/* Answers which classes a column has that is made by classes(...), called by its name (ir/data/derived.h): a field like one of text, in the
 * arena. Reports errors at `span` and returns false. */
typedef bool ClassesFunction(void *context, const DataSource *source, const SplitRequest *request, const char *name, Span span,
                             Arena *arena, SourceField *field, Diagnostics *diag);

const SourceField *source_field(const SourceSchema *schema, const char *name); /* NULL: none of that name */
/* A field or a derived column. */
const SourceField *source_any(const SourceSchema *schema, const char *name);
void source_add_derived(SourceSchema *schema, const SourceField *field); /* the field is kept as it is */

/* Copies in the arena, with all names and categories. */
SourceField source_field_copy(const SourceField *field, Arena *arena);
SourceSchema source_schema_copy(const SourceSchema *schema, Arena *arena);

/* Several columns side by side are one input, called by their places among the fields: "columns:0-7,9". */
const char *source_columns_name(Arena *arena, const uint32_t *fields, uint32_t count);
/* The fields that such a name stands for, in the arena; NULL if it is none, or the schema does not have them. */
const uint32_t *source_columns_find(const SourceSchema *schema, const char *name, Arena *arena, uint32_t *count);

/* The rows around a row of a series are one input: "rows:-23:0:1:NAME" holds, along a first axis of its own, the elements of NAME in the
 * row 23 before it, and so on to the row itself. The third number is the stride: every which row of a series is trained on. */
const char *source_rows_name(Arena *arena, int64_t from, int64_t to, int64_t stride, const char *name);
typedef struct {
    int64_t from, to, stride;
} SourceRows;
/* NAME, and what rows of it such an input holds; the name itself, and the row alone, of any other input. */
const char *source_rows_of(const char *name, SourceRows *rows);

/* What a transform of `data` learns from the training rows before the first step: of every column of its input, "NAME.value", or
 * "NAME.mean" and "NAME.deviation". Of numbers of the source, and what is derived of them (ir/data/derived.h), it learns in f64 from the digits of
 * the files: the data set keeps that. Else its input is the output NAME of GRAPH_FIT, and what it learns are states of that graph. */
typedef enum { FIT_MEDIAN, FIT_MEAN, FIT_MODE, FIT_STANDARDIZE } FitKind;
typedef struct {
    const char *name;
    FitKind kind;
    const char *column; /* the input of the model that it learns from; NULL: an output of GRAPH_FIT */
    Shape row;          /* of `column` */
    bool every_row;     /* from all training rows, also those around which not all rows are there that the model looks at */
    Span span;
} Fit;

#endif
