/* What transforms of the data learn of the training rows. */
#ifndef MLC_RUNTIME_TRAIN_FIT_H
#define MLC_RUNTIME_TRAIN_FIT_H

#include "runtime/program/states.h"
#include "runtime/threads/threads.h"
#include "runtime/data/dataset.h"

/* Fits the transforms that have no column to the training rows, each after those before it, and writes what they learn into their states,
 * which states_initialize leaves alone. `program` computes GRAPH_FIT (frontend). Reports columns without a number (STATUS_DATA). */
bool fits_run(const Program *program, const Dataset *dataset, States *states, Threads *threads, const Fit *fits, uint32_t count,
              Diagnostics *diag);

#endif
