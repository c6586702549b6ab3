/* The columns of a table of runs: what each run says under a name such as "test_accuracy". */
#ifndef MLC_CLI_RESULTS_RUN_COLUMNS_H
#define MLC_CLI_RESULTS_RUN_COLUMNS_H

#include "cli/results/run_record.h"
#include "ir/base/arena.h"

enum { RUN_FIXED_COLUMNS = 9 };

/* The names of all columns: first the RUN_FIXED_COLUMNS that every run has, then the keys of the
 * runs' last epochs, then those of their best epochs, with "best_" before each. */
const char **run_columns(const RunRecord *runs, uint32_t run_count, Arena *arena, uint32_t *count);
/* A value, or NULL if the run has none. The caller owns it. */
json_t *run_column(const RunRecord *run, const char *name);
/* Whether a value of an epoch line is a loss or metric that is a number. */
bool run_is_metric(const char *key, const json_t *value);
/* Writes a value as a cell of a csv file; nothing if there is none. */
void run_put_csv(const json_t *value, FILE *out);
/* Sorts by a column; a '-' before its name sorts downwards. Runs without a value come last, runs
 * with equal values stay in their order. */
void run_sort(RunRecord *runs, uint32_t count, const char *column);

#endif
