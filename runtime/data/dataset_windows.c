/* Drops the rows of a data set whose windows are incomplete. */
#include "runtime/data/dataset_struct.h"

#include <inttypes.h>
#include <stdio.h>

/* Keeps the rows of a split that have complete windows, and of these every stride-th of a run. */
static void choose_complete(Dataset *dataset, const SourceRows *rows, Split split) {
    const SeriesRuns *runs = &dataset->runs;
    int32_t *chosen = ARENA_ARRAY(dataset->source.arena, int32_t, dataset->splits.count[split]);
    int64_t count = 0;
    for (int64_t i = 0; i < dataset->splits.count[split]; i++) {
        int32_t row = dataset->splits.rows[split][i];
        if (runs_row(runs, row, rows->from) < 0 || runs_row(runs, row, rows->to) < 0) continue;
        int64_t before = runs->place[row] - runs->run[runs->place[row]]; /* rows in its run */
        if (rows->stride > 1 && (before + rows->from) % rows->stride) continue;
        chosen[count++] = row;
    }
    dataset->complete.rows[split] = chosen;
    dataset->complete.count[split] = count;
}

/* Reports a split in which every window is incomplete. A data set whose rows are all training rows
 * has no splits, such as new rows to predict. */
static bool no_window(const Dataset *dataset, const SourceRows *rows, Split split,
                      Diagnostics *diag) {
    const SourceData *source = &dataset->source;
    if (dataset->splits.count[SPLIT_TRAIN] == source_all_rows(&dataset->source.schema)) {
        char file[PLACE_TEXT] = "the data";
        if (source->origin_count) snprintf(file, sizeof file, "'%.200s'", source->origins->file);
        diag_error(diag, STATUS_DATA, source->span,
                   "%s has no row with a complete window: the model reads each row with %" PRId64
                   " before and %" PRId64 " after it",
                   file, -rows->from, rows->to);
        return false;
    }
    diag_error(diag, STATUS_DATA, source->span,
               "no %s row has a complete window: the model reads each row with %" PRId64
               " before and %" PRId64 " after it, in the same split and series",
               split_of_rows(split), -rows->from, rows->to);
    diag_help(diag,
              "the split has %" PRId64 " rows; a window needs %" PRId64
              " that follow each other: last(%" PRId64
              ") holds out such rows, random rows seldom are",
              dataset->splits.count[split], rows->to - rows->from + 1, rows->to - rows->from + 1);
    return false;
}

bool dataset_drop_incomplete(Dataset *dataset, const SourceRows *rows, bool series,
                             Diagnostics *diag) {
    dataset->complete = dataset->splits;
    if (!series && !window_has_others(rows)) return true;
    dataset_drop_computed(dataset);
    runs_free(&dataset->runs);
    dataset->source.runs = &dataset->runs;
    if (!runs_find(&dataset->source, &dataset->splits, &dataset->runs, diag)) return false;
    for (Split split = 0; split < SPLIT_COUNT; split++) {
        choose_complete(dataset, rows, split);
        if (dataset->splits.count[split] && !dataset->complete.count[split])
            return no_window(dataset, rows, split, diag);
    }
    return true;
}
