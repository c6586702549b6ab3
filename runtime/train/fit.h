/* Fits transforms that a graph computes, such as standardize(log(source.price)), to the training
 * rows. */
#ifndef MLC_RUNTIME_TRAIN_FIT_H
#define MLC_RUNTIME_TRAIN_FIT_H

#include "runtime/program/states.h"
#include "runtime/threads/threads.h"
#include "runtime/data/dataset.h"

/* Fits the transforms without a column in order, and writes the fitted numbers into their states
 * (INIT_FITTED: states_initialize does not set them). program: computes the inputs of the
 * transforms. false after a STATUS_DATA error, such as a column without a number. */
bool fits_run(const Program *program, const Dataset *dataset, States *states, Threads *threads,
              const Fit *fits, uint32_t count, Diagnostics *diag);

#endif
