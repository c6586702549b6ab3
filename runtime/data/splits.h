/* Which rows belong to which split. Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_SPLITS_H
#define MLC_RUNTIME_DATA_SPLITS_H

#include "runtime/data/reader.h"

typedef struct {
    int32_t *rows[SPLIT_COUNT]; /* in the order of the files */
    int64_t count[SPLIT_COUNT];
} Splits;

/* A row with the number by which rows are told apart. */
typedef struct {
    double value;
    int32_t row;
} ValuedRow;
int valued_row_compare(const void *a, const void *b); /* by value, then by row: for qsort */

/* The runs of a data set: rows that follow each other in one split, one file and one series. */
typedef struct SeriesRuns {
    /* [rows] (without the gap before test rows): the rows, those of a series one after the other */
    int32_t *order;
    int32_t *place; /* [rows, with the gap]: where each row is in it; -1: it is no row */
    int32_t *run;   /* [rows]: of each place, the one at which its run begins */
    int64_t count;
} SeriesRuns;
/* Reports a series that cannot be told. */
bool runs_find(const SourceData *data, const Splits *splits, SeriesRuns *runs, Diagnostics *diag);
void runs_free(SeriesRuns *runs);
/* The row `distance` rows behind another one of its run; -1: the run does not go so far. */
static inline int32_t runs_row(const SeriesRuns *runs, int32_t row, int64_t distance) {
    int64_t place = runs->place[row], other = place + distance;
    if (other < 0 || other >= runs->count || runs->run[other] != runs->run[place]) return -1;
    return runs->order[other];
}

/* What its rows are called: "training", "validation", "test". */
const char *split_of_rows(Split split);
/* The split that a word means, in any case: "train", "val"... False: it is another word. */
bool split_of_word(const char *word, size_t length, Split *split);
/* Reports rows that are to be held out for a split for which the source brings rows of its own. */
bool splits_check_own(const SourceSchema *schema, const SplitRequest *request, Span span,
                      Diagnostics *diag);
/* Deals the rows of a source out, whose elements are there. Reports a split that is not
 * possible. */
bool splits_deal(const SourceData *data, const SplitRequest *request, Splits *splits,
                 Diagnostics *diag);

#endif
