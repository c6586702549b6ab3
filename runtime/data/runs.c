/* Series: finds the runs of consecutive rows from which windows are made. */
#include "ir/base/memory.h"
#include "runtime/data/faults.h"
#include "runtime/data/splits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const SourceField *find_series(const SourceData *data, Diagnostics *diag) {
    const SourceField *field = source_field(&data->schema, data->series);
    if (field && shape_elements(field->row) == 1 && data->data[field - data->schema.fields])
        return field;
    diag_error(diag, field ? STATUS_DATA : STATUS_MODEL, data->span,
               field ? "the series are separated by '%.100s', which must have one value a row"
                     : "the series are separated by '%.100s', which the source does not have",
               data->series);
    return NULL;
}

/* A row, and the number that identifies its series. */
typedef struct {
    ExactNumber series;
    int32_t row;
} Member;

static int by_series(const void *a, const void *b) {
    const Member *x = a, *y = b;
    int order = exact_compare(x->series, y->series);
    return order ? order : (x->row > y->row) - (x->row < y->row);
}

/* The number that identifies the series of a row; NaN: missing. */
static ExactNumber series_value(const SourceData *data, const SourceField *field, int32_t row) {
    if (data->series_of)
        return exact_of_real(data->series_of[row] < 0 ? (double)NAN : data->series_of[row]);
    return derive_value(data, (uint32_t)(field - data->schema.fields), row);
}

/* Sorts the rows by series, each series in the order of the file. */
static bool sort_by_series(const SourceData *data, SeriesRuns *runs, ExactNumber *values,
                           Diagnostics *diag) {
    const SourceField *field = find_series(data, diag);
    if (!field) return false;
    Member *members =
        memory_new((size_t)runs->count * sizeof *members, "the windows of the series");
    bool good = true;
    for (int64_t i = 0; i < runs->count && good; i++) {
        int32_t row = runs->order[i];
        members[i] = (Member){series_value(data, field, row), row};
        good = !isnan(members[i].series.number);
        if (!good) report_unassigned(data, data->series, row, "series", data->span, diag);
    }
    if (good) qsort(members, (size_t)runs->count, sizeof *members, by_series);
    for (int64_t i = 0; i < runs->count && good; i++)
        runs->order[i] = members[i].row, values[i] = members[i].series;
    free(members);
    return good;
}

/* Separate valid and test files begin a new run. */
static int file_of(const SourceData *data, int32_t row) {
    return row < data->schema.train_rows                             ? 0
           : row < data->schema.train_rows + data->schema.valid_rows ? 1
                                                                     : 2;
}

static void number_runs(const SourceData *data, const Splits *splits, const ExactNumber *values,
                        SeriesRuns *runs) {
    uint8_t *split_of = memory_new((size_t)source_numbered_rows(data), "the windows of the series");
    for (Split split = 0; split < SPLIT_COUNT; split++)
        for (int64_t i = 0; i < splits->count[split]; i++)
            split_of[splits->rows[split][i]] = (uint8_t)split;
    for (int64_t i = 0; i < runs->count; i++) {
        int32_t row = runs->order[i], before = i ? runs->order[i - 1] : -1;
        bool same = i && split_of[row] == split_of[before] &&
                    file_of(data, row) == file_of(data, before) &&
                    !exact_compare(values[i], values[i - 1]);
        runs->run[i] = same ? runs->run[i - 1] : (int32_t)i;
        runs->place[row] = (int32_t)i;
    }
    free(split_of);
}

bool runs_find(const SourceData *data, const Splits *splits, SeriesRuns *runs, Diagnostics *diag) {
    int64_t numbered = source_numbered_rows(data),
            gap = data->test_begin - data->schema.train_rows - data->schema.valid_rows;
    *runs = (SeriesRuns){.count = numbered - gap};
    runs->order =
        memory_new((size_t)runs->count * sizeof *runs->order, "the windows of the series");
    runs->run = memory_new((size_t)runs->count * sizeof *runs->run, "the windows of the series");
    runs->place = memory_new((size_t)numbered * sizeof *runs->place, "the windows of the series");
    ExactNumber *values =
        memory_new((size_t)runs->count * sizeof *values, "the windows of the series");
    for (int64_t row = 0; row < numbered; row++) runs->place[row] = -1;
    for (int64_t i = 0; i < runs->count; i++)
        runs->order[i] = (int32_t)(i < data->test_begin - gap ? i : i + gap);
    bool good = !data->series || sort_by_series(data, runs, values, diag);
    if (good) number_runs(data, splits, values, runs);
    free(values);
    if (!good) runs_free(runs);
    return good;
}

void runs_free(SeriesRuns *runs) {
    free(runs->order);
    free(runs->place);
    free(runs->run);
    *runs = (SeriesRuns){0};
}
