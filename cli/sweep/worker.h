/* A worker takes the trials of a sweep that nobody trains, until all have results. */
#ifndef MLC_CLI_SWEEP_WORKER_H
#define MLC_CLI_SWEEP_WORKER_H

#include "cli/sweep/results.h"

/* A training of the model file `model`, whose relative paths start at `source`. It ends after epoch
 * `until`, saved as if a signal had stopped it; 0: when it is done. options->out or options->resume is its folder. */
typedef Status TrialTraining(const Options *options, const char *model, const char *source,
                             uint32_t until, Diagnostics *diag);

/* Works on a sweep; `common` has the options that all trainings share. Each trial runs in a process
 * of its own, so that no trial can harm the next one. Returns STATUS_OK when all trials have
 * results, the status of a signal, or that of an error that it has reported. */
Status worker_run(Results *results, const Options *common, TrialTraining *train, Diagnostics *diag);
/* The same with `count` processes at once. */
Status workers_run(Results *results, const Options *common, uint32_t count, TrialTraining *train,
                   Diagnostics *diag);

#endif
