/* Assigns rows to splits. Private to runtime/. */
#ifndef MLC_RUNTIME_DATA_SPLITS_H
#define MLC_RUNTIME_DATA_SPLITS_H

#include "runtime/data/reader.h"

typedef struct {
    int32_t *rows[SPLIT_COUNT]; /* in the order of the files */
    int64_t count[SPLIT_COUNT];
} Splits;

/* The runs of a data set: consecutive rows of one split, one file and one series. */
typedef struct SeriesRuns {
    /* [count]: all rows, those of a series one after the other */
    int32_t *order;
    int32_t *place; /* [row number]: its index in order; -1 in the gap before test rows */
    int32_t *run;   /* [index in order]: the index at which its run begins */
    int64_t count;
} SeriesRuns;
/* false after reporting an error, such as a row without a series. */
bool runs_find(const SourceData *data, const Splits *splits, SeriesRuns *runs, Diagnostics *diag);
void runs_free(SeriesRuns *runs);
/* The row `distance` rows after another one of its run (negative: before); -1: not in the run. */
static inline int32_t runs_row(const SeriesRuns *runs, int32_t row, int64_t distance) {
    int64_t place = runs->place[row], other = place + distance;
    if (other < 0 || other >= runs->count || runs->run[other] != runs->run[place]) return -1;
    return runs->order[other];
}

/* The adjective for its rows: "training", "validation", "test". */
const char *split_of_rows(Split split);
/* The split for a word in any case: "train", "val"... False: another word. */
bool split_of_word(const char *word, size_t length, Split *split);
/* false after reporting that rows are held out for a split that has its own file. */
bool splits_check_own(const SourceSchema *schema, const SplitRequest *request, Span span,
                      Diagnostics *diag);
/* Assigns the rows of a source, which has been read, to splits. false after reporting an impossible
 * split. */
bool splits_assign(const SourceData *data, const SplitRequest *request, Splits *splits,
                   Diagnostics *diag);

#endif
