/* Evaluation that is used again and again. Private to runtime/. */
#ifndef MLC_RUNTIME_EVALUATE_H
#define MLC_RUNTIME_EVALUATE_H

#include "runtime/pair.h"

typedef struct {
    Pair pair;
    const int32_t *rows;
    size_t outputs[1 + RUNTIME_MAX_METRICS][2]; /* offsets of the loss and the metrics, in the full and the last program */
    uint32_t metric_count;
} Evaluator;

/* Nothing has to be closed after a failure. */
bool evaluator_open(Evaluator *evaluator, const Dataset *dataset, Split split, const ProgramPair *programs, States *states,
                    Threads *threads, const char *const *metrics, uint32_t metric_count, Diagnostics *diag);
void evaluator_close(Evaluator *evaluator);
void evaluator_run(const Evaluator *evaluator, RunClock clock, Evaluation *result);

#endif
