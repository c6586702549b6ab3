/* Assigns the rows of a source to its splits: the state and functions of the files that do so.
 * Private to runtime/data: all others see splits.h. */
#ifndef MLC_RUNTIME_DATA_SPLIT_ASSIGNMENT_H
#define MLC_RUNTIME_DATA_SPLIT_ASSIGNMENT_H

#include "runtime/data/splits.h"

/* Every row is a training row until a request holds it out. */
typedef struct {
    const SourceData *data;
    const SplitRequest *request;
    int64_t rows;      /* training rows of the source */
    uint8_t *split_of; /* [rows] */
    int32_t *order;    /* [rows]: the permutation; NULL until it is needed */
    Diagnostics *diag;
} SplitAssignment;

static inline const HoldOut *hold_of(const SplitRequest *request, Split split) {
    return split == SPLIT_VALID ? &request->valid : &request->test;
}
/* Whether a split is requested. */
static inline bool holds(const HoldOut *hold) {
    return hold->kind == HOLD_COLUMN || hold->amount > 0;
}
/* The number of rows to hold out of `rows`. For a column or a number of groups it is only known
 * from the data. */
int64_t hold_rows(const HoldOut *hold, int64_t rows);
/* The order in which rows are held out: a permutation that depends on the seed and the number of
 * rows. */
const int32_t *assignment_order(SplitAssignment *assignment);
int64_t assignment_count(const SplitAssignment *assignment, Split split);

/* -- the column that splits or groups the rows (split_column.c) -- */

/* One number a row; for text the index of its category. */
typedef struct {
    const SourceData *data;
    const SourceField *field;
    /* whole numbers beyond f64: the sorted distinct numbers; else NULL */
    const int64_t *ranked;
    int64_t ranked_count;
    /* for text, the different cells in the order of their bytes, and the place of each there. A
     * checkpoint knows only the categories of the training rows; other rows have other cells. */
    const char *const *texts;
    const int32_t *text_places;
} SplitColumn;
/* false after reporting that the column does not exist, or has several numbers a row. */
bool split_column_find(const SplitAssignment *assignment, const HoldOut *hold, SplitColumn *column);
/* The number of a row; NaN: missing. */
double split_column_value(const SplitColumn *column, int64_t row);
/* Reports a row whose cell is missing; what: "split", "group" or "class". Returns false. */
bool split_column_missing(const SplitAssignment *assignment, const HoldOut *hold, const char *what,
                          int64_t row);

/* Rows with the same value. */
typedef struct {
    int32_t *group_of; /* [row]: the index of its value */
    int64_t *size;     /* [group]: its rows that are still in training */
    uint32_t count;
} RowGroups;
/* Groups all rows by the column of a request. false after reporting an error. */
bool groups_find(const SplitAssignment *assignment, const HoldOut *hold, RowGroups *groups);
void groups_free(RowGroups *groups);

/* The rows of a fold, when the test rows are known. false after an error. */
bool assign_folds(SplitAssignment *assignment);
/* The request by which rows are assigned to folds: that of `valid`, or else that of `test`. */
const HoldOut *fold_hold(const SplitRequest *request);
/* The rows of the requested fold if `rows` rows are assigned in turn. */
int64_t fold_rows(const SplitRequest *request, int64_t rows);
/* Checks that no fold is empty; false after reporting an error. */
bool check_folds(const SplitAssignment *assignment, Span span);
/* column(source.split): both splits by the words or numbers of one column. false after an error. */
bool assign_columns(SplitAssignment *assignment);
/* group(source.patient, 0.2): whole groups (split_groups.c). false after an error. */
bool assign_groups(SplitAssignment *assignment, Split split);
/* stratified(source.y, 0.2): the same fraction of each class (split_groups.c). false after an
 * error. */
bool assign_stratified(SplitAssignment *assignment, Split split);

#endif
