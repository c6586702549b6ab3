/* A data set in memory: its rows, its splits and the facts about its columns. */
#ifndef MLC_RUNTIME_DATA_DATASET_H
#define MLC_RUNTIME_DATA_DATASET_H

#include "ir/data/source.h"
#include "runtime/data/exact.h"

typedef struct Dataset Dataset;
typedef enum { SPLIT_TRAIN, SPLIT_VALID, SPLIT_TEST, SPLIT_COUNT } Split;
const char *split_name(Split split); /* "train" */

/* The schema of a source, from file headers or the table of named sets; context unused. */
SchemaFunction dataset_schema;
/* Reads the data into memory as stored. NULL after STATUS_DATA errors: files that are missing,
 * truncated, too long or inconsistent. The error for a missing file lists the places searched and
 * how to get it. */
Dataset *dataset_open(const DataSource *source, const SplitRequest *request, Diagnostics *diag);
/* A data set of given rows, all in SPLIT_TRAIN. The fields are copied; their malloc'ed elements
 * then belong to the data set. series: the field that separates series of rows, or NULL. like: see
 * DataSource, or NULL. */
Dataset *dataset_new(const SourceField *fields, uint32_t count, void *const *data, int64_t rows,
                     const char *series, const SourceSchema *like);
/* Gives a field the exact numbers of an array of `from`: its element i is element begin + i * step
 * of the array. */
void dataset_copy_exact(Dataset *to, uint32_t field, const Dataset *from, const char *name,
                        int64_t begin, int64_t step);
/* Gives a field of such a data set its exact numbers: [rows][elements of a row], malloc'ed; they
 * then belong to the data set. */
void dataset_give_exact(Dataset *dataset, uint32_t field, double *numbers);
Dataset *dataset_share(Dataset *dataset); /* adds an owner; each owner calls dataset_free */
void dataset_free(Dataset *dataset);
/* Forgets all that was computed for a model: the data set is as it was read. */
void dataset_forget(Dataset *dataset);
size_t dataset_bytes(const Dataset *dataset); /* the bytes of the rows of all splits */
/* The rows that each split will have when the data have been read. false if the schema does not
 * tell, or the split is impossible. */
bool dataset_expect_rows(const SourceSchema *schema, const SplitRequest *request,
                         int64_t rows[SPLIT_COUNT]);
/* Drops rows whose window is incomplete: a model reads the rows from `from` to `to` around a row,
 * in the same split, file and series. Of the rest, keeps every stride-th row of a series. Reports a
 * split that loses all rows. series: the data have series even if `rows` has no window. */
bool dataset_drop_incomplete(Dataset *dataset, const SourceRows *rows, bool series,
                             Diagnostics *diag);
/* All rows of a split, including those with incomplete windows. */
int64_t dataset_all_rows(const Dataset *dataset, Split split);
const int32_t *dataset_all_split(const Dataset *dataset, Split split);
int64_t dataset_rows(const Dataset *dataset, Split split);
/* The row numbers of a split, which index dataset_field. Where files are mapped, a gap of unused
 * numbers may precede the rows of a separate test file. */
const int32_t *dataset_split(const Dataset *dataset, Split split);
/* Row numbers first .. first + count - 1. */
typedef struct {
    int64_t first, count;
} RowBlock;
/* The row numbers of all splits, which are those that a field has in memory: ascending. */
enum { ROW_BLOCKS = 2 };
void dataset_row_blocks(const Dataset *dataset, RowBlock blocks[ROW_BLOCKS]);
/* Where a row was read from. */
typedef struct {
    const char *file; /* NULL: not from a file */
    /* the row in its file, from 0, without the line of names; -1: the file is one picture */
    int64_t row;
    int64_t line; /* the first line of the row in a table, from 1; else 0 */
} RowPlace;
RowPlace dataset_row_place(const Dataset *dataset, int32_t row);
/* The place as text: "line 38 of 'iris.csv'", "row 5 of 'x.npy'", "'cats/1.png'". field: the field
 * of the element, or NULL. */
enum { PLACE_TEXT = 320 };
const char *dataset_place_text(const Dataset *dataset, const char *field, int32_t row,
                               char text[PLACE_TEXT]);
/* The same without the file if all rows come from one: "line 38". */
const char *dataset_place_brief(const Dataset *dataset, int32_t row, char text[PLACE_TEXT]);
/* The elements of a field, or of a list of columns (source_columns_name): an array over the rows of
 * all splits. NULL: there is no such field. */
const void *dataset_field(const Dataset *dataset, const char *name);
/* The field and its elements; NULL: there is no such field. */
const SourceField *dataset_find(const Dataset *dataset, const char *name, const void **data);
/* Whether an input has no value in a row: a cell that it is computed from is missing, or a row of
 * its window. dataset_find must have found the input. */
bool dataset_lacks(const Dataset *dataset, const char *name, int32_t row);
/* Numbers of a column that lose digits as f32: large whole numbers, or numbers so close to each
 * other that several become equal. */
typedef struct {
    const SourceField *field; /* the column of the source; NULL: a computed one */
    int64_t element;          /* index within a row */
    ExactNumber min, max;
    int64_t rows;  /* rows with a whole number that f32 rounds; 0: the numbers are too close */
    int64_t whole; /* the first of them, in `row` */
    int32_t row;
    double numbers; /* f32 numbers from min to max */
} Rounded;
/* Whether an input of a model has such numbers. close_only: rounded whole numbers are accepted. */
bool dataset_rounded(const Dataset *dataset, const char *name, bool close_only, Rounded *found);
/* The fitted numbers of a transform of a column (Fit.column). */
typedef struct {
    const char *name; /* of the Fit */
    Shape row;        /* of the column */
    ExactNumber *values;
    double *deviation; /* NULL, or values are means */
} FittedColumn;
/* Fits the transforms of columns to the training rows, in order. false after a STATUS_DATA error,
 * such as a column without a number. */
bool dataset_fit(Dataset *dataset, const Fit *fits, uint32_t count, Diagnostics *diag);
/* Sets numbers that were fitted to other data; they are copied. */
void dataset_set_fitted(Dataset *dataset, const FittedColumn *fitted, uint32_t count);
const FittedColumn *dataset_fitted(const Dataset *dataset, uint32_t *count);
/* The numbers of an input in some rows, with all digits of the files, NaN where missing.
 * [count][elements of a row], malloc'ed. NULL: the data set does not have the input, or it is
 * text. */
ExactNumber *dataset_numbers(const Dataset *dataset, const char *name, const int32_t *rows,
                             int64_t count);
/* An element of a field of the source, given by its index. Text gives the number of its category,
 * or NaN without one. */
ExactNumber dataset_number(const Dataset *dataset, uint32_t field, int32_t row, int64_t element);
/* The exact elements of a field in a row, as bytes for comparing rows; returns their number. */
size_t dataset_row_bytes(const Dataset *dataset, uint32_t field, int32_t row, const void **bytes);
/* The cell of a text column as in the file, even if it is not a category; NULL: missing. */
const char *dataset_text(const Dataset *dataset, uint32_t field, int32_t row);
/* Computes a derived column (ir/data/derived.h). false after reporting, at `span`, an element
 * without a value. True also if the columns that it reads are absent: dataset_find then gives
 * NULL. */
bool dataset_derive(const Dataset *dataset, const char *name, Span span, Diagnostics *diag);
/* Checks that an input has a value in all rows of the splits. false after a STATUS_DATA error at
 * `span`. */
bool dataset_check_present(const Dataset *dataset, const char *name, Span span, Diagnostics *diag);
/* Adds a field of numbers that were computed elsewhere, under a new name. values: [count][row], of
 * the rows of the data set `rows`; the numbers of all other rows are NaN. */
void dataset_add_numbers(Dataset *dataset, const char *name, Shape row, const int32_t *rows,
                         int64_t count, const float *values);
const SourceSchema *dataset_fields(const Dataset *dataset);
/* The columns of classes(...) that have been computed so far, in that order; the array is in the
 * arena. */
const SourceField **dataset_class_columns(const Dataset *dataset, Arena *arena, uint32_t *count);
/* Checks that element i of every row is a class from 0 to classes[i] - 1; classes[i] = 0 allows any
 * number. false after a STATUS_DATA error at spans[i] (NULL: without a place). */
bool dataset_check_classes(const Dataset *dataset, const char *field, const int64_t *classes,
                           const Span *spans, Diagnostics *diag);
const char *dataset_class_name(const Dataset *dataset, const char *field,
                               int32_t label); /* "Ankle boot", or NULL */
/* fields and categories as JSON, for checkpoints */
const char *dataset_schema_text(const Dataset *dataset);
/* BLAKE3 of the files' contents, 64 hex digits */
const char *dataset_digest(const Dataset *dataset);
double dataset_seconds(const Dataset *dataset); /* the time spent on reading the data */

#endif
