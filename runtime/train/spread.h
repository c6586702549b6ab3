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
/* All processes stop, or save, after the batch that was run last, which ends a step. */
bool spread_stops(const Spread *spread);
bool spread_saves(const Spread *spread);

/* Each process has the moments of its part only. Before rank 0 saves them, spread_collect brings
 * all of them into its states; false: a process is lost. spread_drop frees their memory again. */
bool spread_collect(Spread *spread);
void spread_drop(Spread *spread);
/* Whether the optimizer has moments. */
bool spread_has_moments(const Spread *spread);
/* Whether the moments of all processes were finite in the last spread_collect. */
bool spread_is_finite(const Spread *spread);

#endif
