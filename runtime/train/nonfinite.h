/* Finds the operation that made the first non-finite number. */
#ifndef MLC_RUNTIME_TRAIN_NONFINITE_H
#define MLC_RUNTIME_TRAIN_NONFINITE_H

#include "runtime/program/run.h"

/* A batch that makes an output, or the update of a state, NaN or infinite. */
typedef struct {
    const Runner *runner;
    const States *states; /* as they were before the batch */
    const Dataset *dataset;
    const int32_t *rows; /* of the batch */
    RunClock clock;
    const char *output;
    const char *finding; /* "the loss is not finite at step 2 of epoch 1" */
    const char *when;    /* the end of the sentence, such as ", at step 1 of epoch 1", or NULL */
} NonfiniteBatch;

/* Runs the batch in the interpreter and reports what it finds (STATUS_NONFINITE): the first
 * operation whose NaN or infinity reaches the output or the update of a state. */
void nonfinite_report(const NonfiniteBatch *batch, Diagnostics *diag);

#endif
