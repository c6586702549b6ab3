/* A worker trains the trials of a sweep that no other worker trains, until all have results. */
#ifndef MLC_CLI_SWEEP_WORKER_H
#define MLC_CLI_SWEEP_WORKER_H

#include "cli/sweep/results.h"
#include "cli/sweep/trial.h"

/* Runs `count` workers, each in its own process. common: the options that all trainings share.
 * Returns STATUS_OK when all trials have results, the status of a signal, or that of an error that
 * has been reported. */
Status workers_run(Results *results, const Options *common, uint32_t count,
                   const TrialTraining *training, Diagnostics *diag);

#endif
