/* What the commands that train many times share. */
#ifndef MLC_CLI_COMMANDS_SWEEPING_H
#define MLC_CLI_COMMANDS_SWEEPING_H

#include "cli/sweep/results.h"

/* Works on a sweep, with as many workers and threads as the options say. */
Status sweep_work(const SweepPlan *plan, const Options *options, Results *results,
                  Diagnostics *diag);
/* Adds the last of `folds` folds, if there are folds. If any fold has no rows, it has none. */
void sweep_set_folds(OptionList *sets, int64_t folds, Arena *arena);
/* mlc train --folds (train_folds.c). */
Status train_folds(const Options *given, Diagnostics *diag);

#endif
