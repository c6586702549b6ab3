/* A data set in memory: its rows, its splits and what is known of its columns. */
#ifndef MLC_RUNTIME_DATA_DATASET_H
#define MLC_RUNTIME_DATA_DATASET_H

#include "ir/data/source.h"

typedef struct Dataset Dataset;
typedef enum { SPLIT_TRAIN, SPLIT_VALID, SPLIT_TEST, SPLIT_COUNT } Split;
const char *split_name(Split split); /* "train" */

/* answers from headers, or from what is known of a named set; context unused */
SchemaFunction dataset_schema;
/* Reads the data into memory as stored. NULL after reporting errors (STATUS_DATA): missing files
 * (says where it looked and how to get them: `mlc data get NAME`), truncated, over-long,
 * mislabelled or inconsistent files. */
Dataset *dataset_open(const DataSource *source, const SplitRequest *request, Diagnostics *diag);
/* Rows that no reader has read, all of them in SPLIT_TRAIN: fields (copied) and their elements
 * (malloc'ed; taken over). series: the field that tells series of rows apart, or NULL. like: as
 * that of a DataSource, or NULL. */
Dataset *dataset_new(const SourceField *fields, uint32_t count, void *const *data, int64_t rows,
                     const char *series, const SourceSchema *like);
/* Gives a field the digits of the array of that name: the element i of its rows is begin + i * step
 * of the array. */
void dataset_copy_exact(Dataset *to, uint32_t field, const Dataset *from, const char *name,
                        int64_t begin, int64_t step);
Dataset *dataset_share(Dataset *dataset); /* is freed as often as it is shared, and once more */
void dataset_free(Dataset *dataset);
/* The rows that each split will have once the data are read; false if the schema does not know, or
 * the split is not possible. */
bool dataset_expect_rows(const SourceSchema *schema, const SplitRequest *request,
                         int64_t rows[SPLIT_COUNT]);
/* Leaves only the rows of each split around which the rows are there that a model looks at, in the
 * same split, file and series; every stride-th of a series. Reports a split that had rows and has
 * none then. series: the rows around others are asked for, even if these are not looked at in every
 * row. */
bool dataset_drop_incomplete(Dataset *dataset, const SourceRows *rows, bool series,
                             Diagnostics *diag);
/* All rows of a split, with or without others around them. */
int64_t dataset_all_rows(const Dataset *dataset, Split split);
const int32_t *dataset_all_split(const Dataset *dataset, Split split);
int64_t dataset_rows(const Dataset *dataset, Split split);
/* The row numbers of a split: they index dataset_field. Between the training rows and test rows of
 * their own there may be numbers without rows, where the files are mapped. */
const int32_t *dataset_split(const Dataset *dataset, Split split);
/* Where a row was read from. */
typedef struct {
    const char *file; /* NULL: from none */
    /* in its file, from 0 and without the line of names; -1: the file is the row, a picture */
    int64_t row;
    int64_t line; /* of a table: where the row begins, from 1; else 0 */
} RowPlace;
RowPlace dataset_row_place(const Dataset *dataset, int32_t row);
/* The same in words: "line 38 of 'iris.csv'", "row 5 of 'x.npy'", "'cats/1.png'". field: whose
 * element is meant, or NULL. */
enum { PLACE_TEXT = 320 };
const char *dataset_place_text(const Dataset *dataset, const char *field, int32_t row,
                               char text[PLACE_TEXT]);
/* The same without the file, where all rows come from one: "line 38". */
const char *dataset_place_brief(const Dataset *dataset, int32_t row, char text[PLACE_TEXT]);
/* Row 0 of a field, or of columns side by side (source_columns_name), all splits in one array;
 * NULL: none. */
const void *dataset_field(const Dataset *dataset, const char *name);
/* The same with its dtype and row; NULL: none. */
const SourceField *dataset_find(const Dataset *dataset, const char *name, const void **data);
/* Whether an input that dataset_find has found has no number in a row: a cell is missing that it is
 * computed of, or it looks at a row that is not there. */
bool dataset_lacks(const Dataset *dataset, const char *name, int32_t row);
/* Numbers of a column that lose digits as f32: whole ones that it has no room for, or else ones
 * that are so close to each other that several become one. */
typedef struct {
    const SourceField *field; /* the column of the source; NULL: a computed one */
    int64_t element;          /* of a row */
    double min, max;
    int64_t rows;  /* with a whole number that f32 does not hold; 0: the numbers are too close */
    int64_t whole; /* the first of these, in `row` */
    int32_t row;
    double numbers; /* of f32 from the least to the largest one */
} Rounded;
/* Whether an input of a model has such numbers. close_only: whole ones may be rounded as long as
 * they are not too close. */
bool dataset_rounded(const Dataset *dataset, const char *name, bool close_only, Rounded *found);
/* What transforms have fitted of columns (Fit.column), in f64. */
typedef struct {
    const char *name;           /* of the Fit */
    Shape row;                  /* of the column */
    double *values, *deviation; /* values: means, where there is a deviation */
} FittedColumn;
/* Lets the transforms learn that have a column, each after those before it. Reports columns without
 * a number (STATUS_DATA). */
bool dataset_fit(Dataset *dataset, const Fit *fits, uint32_t count, Diagnostics *diag);
/* Takes over what has been fitted of other data; copied. */
void dataset_set_fitted(Dataset *dataset, const FittedColumn *fitted, uint32_t count);
const FittedColumn *dataset_fitted(const Dataset *dataset, uint32_t *count);
/* The numbers that an input of the model holds in some rows, in f64 and with the digits of the
 * files; NaN where one is missing. [count][elements of a row], malloc'ed; NULL: the data set does
 * not have it, or it is text. */
double *dataset_numbers(const Dataset *dataset, const char *name, const int32_t *rows,
                        int64_t count);
/* An element of a row of a field of the source, by the field's number, likewise; of text the number
 * of the category, NaN: it has none. */
double dataset_number(const Dataset *dataset, uint32_t field, int32_t row, int64_t element);
/* What makes rows of a field equal: their elements, with the digits of the files; returns their
 * bytes. */
size_t dataset_row_bytes(const Dataset *dataset, uint32_t field, int32_t row, const void **bytes);
/* The cell of a column of text, as the file has it, also where it is no category; NULL: it is
 * missing. */
const char *dataset_text(const Dataset *dataset, uint32_t field, int32_t row);
/* Makes sure of a derived column (ir/data/derived.h): false after reporting, at `span`, an element
 * that has no value. True where the columns that it reads are not there, too: then dataset_find
 * says NULL. */
bool dataset_derive(const Dataset *dataset, const char *name, Span span, Diagnostics *diag);
/* Whether no number is missing that an input is made of, in any row of a split; else a STATUS_DATA
 * error at `span`. */
bool dataset_check_present(const Dataset *dataset, const char *name, Span span, Diagnostics *diag);
const SourceSchema *dataset_fields(const Dataset *dataset);
/* The columns that classes(...) makes, as far as they have been asked for, the first one first; the
 * array is the arena's. */
const SourceField **dataset_class_columns(const Dataset *dataset, Arena *arena, uint32_t *count);
/* Whether every whole number of a field is a class from 0 to below classes[i], for each element i
 * of a row (0: any number will do); else a STATUS_DATA error at spans[i] (NULL: nowhere). */
bool dataset_check_classes(const Dataset *dataset, const char *field, const int64_t *classes,
                           const Span *spans, Diagnostics *diag);
const char *dataset_class_name(const Dataset *dataset, const char *field,
                               int32_t label); /* "Ankle boot", or NULL */
/* for checkpoints: fields and categories, as JSON */
const char *dataset_schema_text(const Dataset *dataset);
/* BLAKE3 of the files' contents, 64 hex digits */
const char *dataset_digest(const Dataset *dataset);
double dataset_seconds(const Dataset *dataset); /* spent reading */

#endif
