/* Steps of a training that is thrown away: nothing is evaluated or written. */
#ifndef MLC_RUNTIME_TRAIN_TRIAL_STEPS_H
#define MLC_RUNTIME_TRAIN_TRIAL_STEPS_H

#include "runtime/train/train.h"

/* Called after each step with its clock and the mean loss over its batches; by any thread, but only
 * one at a time. false ends the training. */
typedef bool TrialVisit(void *context, const RunClock *clock, double loss);
/* Trains options->epochs epochs, or until `visit` returns false. Of the options it uses dataset,
 * states, threads, train, epochs, accumulate, seed, initialized and shuffle. false after reporting
 * errors. */
bool trial_steps(const TrainOptions *options, TrialVisit *visit, void *context, Diagnostics *diag);

#endif
