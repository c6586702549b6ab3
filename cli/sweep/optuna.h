/* Runs Optuna's program `optuna`, so that a search of Optuna's can choose the values of a sweep. */
#ifndef MLC_CLI_SWEEP_OPTUNA_H
#define MLC_CLI_SWEEP_OPTUNA_H

#include "ir/base/diag.h"

/* Runs `optuna` in a folder with the arguments after its name, NULL behind the last one, and waits.
 * Meanwhile it touches `claim` (claims.h), unless that is NULL. Returns what it has printed on its standard output, which the caller frees. NULL after reporting
 * that it cannot be run or has failed, or if trial_stop (trial.h) has ended it. */
char *optuna_run(const char *folder, const char *const *arguments, const char *claim,
                 Diagnostics *diag);

#endif
