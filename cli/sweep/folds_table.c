/* The table of the folds of one setting. */
#include "cli/results/run_columns.h"
#include "cli/results/run_record.h"
#include "cli/sweep/table.h"
#include "cli/text/table.h"
#include "cli/text/terminal.h"

#include <math.h>

enum { METRICS = 64 };

static uint32_t metrics_of(Results *results, const char *names[METRICS]) {
    uint32_t count = 0;
    const char *key;
    json_t *value, *last = json_object_get(results_get(results, 0, 0), "last");
    json_object_foreach(last, key, value) {
        if (run_is_metric(key, value) && count < METRICS) names[count++] = key;
    }
    return count;
}

static const char *number_cell(double value, Arena *arena) {
    char text[NUMBER_TEXT];
    return arena_format(arena, "%s", text_number(text, value));
}

/* Fills the column of the metric `name`: a cell for each fold, then the mean, then the deviation.
 * cells: the first of them; the next one is `columns` cells further. */
static void fill_column(Results *results, const char *name, const char **cells, uint32_t columns,
                        Arena *arena) {
    uint32_t folds = results->plan->folds;
    double *values = ARENA_ARRAY(arena, double, folds), sum = 0, squares = 0;
    for (uint32_t f = 0; f < folds; f++) {
        values[f] = run_record_number(json_object_get(results_get(results, f, 0), "last"), name);
        sum += values[f];
        cells[f * columns] = number_cell(values[f], arena);
    }
    for (uint32_t f = 0; f < folds; f++)
        squares += (values[f] - sum / folds) * (values[f] - sum / folds);
    cells[folds * columns] = number_cell(sum / folds, arena);
    cells[(folds + 1) * columns] = number_cell(sqrt(squares / (folds - 1)), arena);
}

void sweep_print_folds(Results *results, FILE *out) {
    enum { FIRST = 2 }; /* columns before those of the metrics */
    const char *names[METRICS];
    uint32_t folds = results->plan->folds, count = metrics_of(results, names),
             columns = FIRST + count;
    Arena *arena = arena_new();
    const char **heads = (const char **)ARENA_ARRAY(arena, char *, columns),
               **cells = (const char **)ARENA_ARRAY(arena, char *, columns *(folds + 2));
    bool *right = ARENA_ARRAY(arena, bool, columns);
    heads[0] = "fold";
    heads[1] = "epochs";
    for (uint32_t c = 0; c < columns; c++) right[c] = c > 0;
    for (uint32_t f = 0; f < folds; f++) {
        const json_t *line = results_get(results, f, 0);
        cells[f * columns] = arena_format(arena, "%u", f + 1);
        cells[f * columns + 1] = arena_format(
            arena, "%lld", (long long)json_integer_value(json_object_get(line, "epoch")));
    }
    cells[folds * columns] = "mean";
    cells[(folds + 1) * columns] = "deviation";
    cells[folds * columns + 1] = cells[(folds + 1) * columns + 1] = "";
    for (uint32_t m = 0; m < count; m++) {
        heads[FIRST + m] = names[m];
        fill_column(results, names[m], &cells[FIRST + m], columns, arena);
    }
    table_print(&(TextTable){heads, right, cells, columns, folds + 2}, out);
    arena_free(arena);
}
