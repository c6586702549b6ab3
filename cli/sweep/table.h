/* The table of a sweep, made of the results that are there. It is the same for any number of
 * workers: nothing in it depends on time or place. */
#ifndef MLC_CLI_SWEEP_TABLE_H
#define MLC_CLI_SWEEP_TABLE_H

#include "cli/sweep/results.h"

#include <stdio.h>

/* Writes a file with one line a trial: its values, its last result and all metrics of its last
 * epoch. false after reporting an error. */
bool sweep_write_csv(Results *results, const char *path, Diagnostics *diag);
/* One line a setting, best first, at most `most` of them: mean and deviation over the seeds. */
void sweep_print_best(Results *results, uint32_t most, FILE *out);
/* Draws the settings with a score. false after reporting an error (sweep_picture.c). */
bool sweep_draw(Results *results, const char *path, Diagnostics *diag);
/* One line a fold of the first setting, with the metrics of its last epoch; then their mean and
 * standard deviation. */
void sweep_print_folds(Results *results, FILE *out);
/* How many trials have results, are being trained, and are left; and how many have failed. */
void sweep_print_status(Results *results, FILE *out);
/* Whether every trial that takes part has its result. */
bool sweep_complete(Results *results);

#endif
