/* The tables and the picture of a sweep, made from the results so far. They do not depend on the
 * number of workers, nor on when and where a trial was trained. */
#ifndef MLC_CLI_SWEEP_TABLE_H
#define MLC_CLI_SWEEP_TABLE_H

#include "cli/sweep/results.h"

#include <stdio.h>

/* Writes a CSV file with one line for each trial: its values, its last result and all metrics of
 * its last epoch. false after reporting an error. */
bool sweep_write_csv(Results *results, const char *path, Diagnostics *diag);
/* Prints one line for each setting, best first, at most `most` of them, with the mean and the
 * deviation of its score over seeds and folds. */
void sweep_print_best(Results *results, uint32_t most, FILE *out);
/* Draws the settings that have a score into a PNG file (sweep_picture.c). false after reporting an
 * error. */
bool sweep_draw(Results *results, const char *path, Diagnostics *diag);
/* Prints one line for each fold of the first setting, with the metrics of its last epoch; then
 * their mean and standard deviation. */
void sweep_print_folds(Results *results, FILE *out);
/* Prints how many trials have results, have failed, are left, and are claimed by workers. */
void sweep_print_status(Results *results, FILE *out);
/* Whether every trial that takes part has its result, and a study knows all scores. */
bool sweep_complete(Results *results);

#endif
