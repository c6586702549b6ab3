/* The gradient noise scale, from the gradients of the shares of a batch (`replicas`). */
#ifndef MLC_RUNTIME_TRAIN_NOISE_H
#define MLC_RUNTIME_TRAIN_NOISE_H

#include "runtime/train/trainer.h"

/* For an open trainer. NULL: batches are not cut into shares, or there is no full batch. */
Noise *noise_new(const Trainer *trainer);
void noise_free(Noise *noise);
/* The next batch of the epoch, from `batch` on, before which the noise is measured; the number of
 * batches: none. */
int64_t noise_next(const Trainer *trainer, int64_t batch);
/* Runs the batch and throws its results away. Changes noise_trace and noise_square of the position
 * and no state. false: a process is lost. */
bool noise_measure(Trainer *trainer, int64_t batch);

#endif
