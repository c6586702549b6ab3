/* What a training logs about a step. */
#ifndef MLC_RUNTIME_TRAIN_STEP_LOG_H
#define MLC_RUNTIME_TRAIN_STEP_LOG_H

#include "ir/data/run_clock.h"

/* A step is a change of the weights. */
typedef struct {
    uint32_t epoch; /* from 1 */
    uint64_t step;  /* steps so far in the whole run */
    double loss;    /* mean over the rows since the log event before */
    double seconds; /* spent on the steps of the epoch so far, in this process */
    RunClock clock; /* of the batch that ended the step */
} StepLog;

#endif
