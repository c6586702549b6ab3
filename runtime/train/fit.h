/* Fitting transforms of the data, such as standardize, to the training rows. */
#ifndef MLC_RUNTIME_TRAIN_FIT_H
#define MLC_RUNTIME_TRAIN_FIT_H

#include "runtime/program/states.h"
#include "runtime/threads/threads.h"
#include "runtime/data/dataset.h"

/* Fits the transforms that have no column, one after the other, to the training rows, and writes
 * what they learn into their states (INIT_FITTED: states_initialize does not set them). program: it
 * computes the inputs of the transforms. Reports columns without a number (STATUS_DATA). */
bool fits_run(const Program *program, const Dataset *dataset, States *states, Threads *threads,
              const Fit *fits, uint32_t count, Diagnostics *diag);

#endif
