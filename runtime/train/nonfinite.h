/* Finding the operation that made a number that is not finite. Private to runtime/. */
#ifndef MLC_RUNTIME_TRAIN_NONFINITE_H
#define MLC_RUNTIME_TRAIN_NONFINITE_H

#include "runtime/program/run.h"

/* A batch whose output is not finite, or whose updates of states are not. */
typedef struct {
    const Runner *runner;
    const States *states; /* as they were before the batch */
    const Dataset *dataset;
    const int32_t *rows; /* of the batch */
    RunClock clock;
    const char *output;
    const char *finding; /* "the loss is not finite at step 2 of epoch 1" */
    const char *when;    /* ends the sentence; NULL: nothing does */
} Blame;

/* Runs the batch in the interpreter and reports the finding (STATUS_NONFINITE) with the first operation through which a NaN or
 * infinity came into the output, or into the update of a state. */
void blame_report(const Blame *blame, Diagnostics *diag);

#endif
