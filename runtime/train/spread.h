/* A training on several processes: each computes some shares of every batch. The gradients are
 * added in the order of docs/numerics.md, so the number of processes changes no bit. */
#ifndef MLC_RUNTIME_TRAIN_SPREAD_H
#define MLC_RUNTIME_TRAIN_SPREAD_H

#include "runtime/train/spread_plan.h"
#include "runtime/train/trainer.h"

/* The trainer has its runners. NULL after reporting an error. */
Spread *spread_new(const Trainer *trainer);
void spread_free(Spread *spread);
/* After the states have been loaded: takes over the sums in the middle of a step. */
void spread_restart(Spread *spread);
/* As trainer_loop. A loss of processes also ends the loop: see peers_lost. */
bool spread_loop(Spread *spread, int64_t batch, int64_t end, TrainerVisit *visit, void *context);
/* Calls visit(context, values) for the gradients of each share of the batch, in order, and changes
 * no state; false: a process is lost. values: in the order of the names of the weights. */
typedef void SpreadGradients(void *context, const float *const *values);
bool spread_gradients(Spread *spread, int64_t batch, SpreadGradients *visit, void *context);
/* What this process has sent for batches so far. */
SpreadTraffic spread_sent(const Spread *spread);
/* All processes stop after the batch that was run last, which ends a step. */
bool spread_stops(const Spread *spread);

#endif
