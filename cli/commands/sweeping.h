/* Functions that several commands use to train many times. */
#ifndef MLC_CLI_COMMANDS_SWEEPING_H
#define MLC_CLI_COMMANDS_SWEEPING_H

#include "cli/sweep/results.h"

/* Works on a sweep, with as many workers and threads as the options say. */
Status sweep_work(const SweepPlan *plan, const Options *options, Results *results,
                  Diagnostics *diag);
/* Adds the setting of the last of `folds` folds, if there are folds. If this fold has rows, all
 * folds have. */
void sweep_set_folds(OptionList *sets, int64_t folds, Arena *arena);
/* mlc train --folds (train_folds.c). */
Status train_folds(const Options *given, Diagnostics *diag);

#endif
