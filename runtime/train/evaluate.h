/* Loss and metrics over the rows of a split. */
#ifndef MLC_RUNTIME_TRAIN_EVALUATE_H
#define MLC_RUNTIME_TRAIN_EVALUATE_H

#include "ir/interp/interp.h"
#include "runtime/train/pair.h"

enum { RUNTIME_MAX_METRICS = 16 };
/* The metrics, by name, are outputs of the graph `finish`, computed in double. Its VALUE inputs are the means, over the rows of the
 * split, of the outputs of the programs that have their names; of i32 outputs, which are counts, the sums over the batches. finish
 * NULL: the metrics are such means themselves. */
typedef struct {
    const char *const *names;
    uint32_t count;
    const Graph *finish;
} Metrics;

typedef struct {
    double loss, metrics[RUNTIME_MAX_METRICS]; /* over all rows */
    const double *counts[RUNTIME_MAX_METRICS]; /* of a metric that is a matrix, its elements (then its number is NaN), or NULL;
                                                * the events of the training keep it for the call only */
    int64_t rows;
    double seconds;
} Evaluation;

/* counts go into the arena. A loss that is not finite is reported (STATUS_NONFINITE), and true returned. */
bool evaluation_run(const Dataset *dataset, Split split, const ProgramPair *pair, States *states, Threads *threads,
                    const Metrics *metrics, Arena *arena, Evaluation *result, Diagnostics *diag);

/* An output whose mean over the rows is wanted, or, where it holds whole numbers, its sum over the batches. */
typedef struct {
    bool is_count;
    int64_t elements;
    size_t offsets[2]; /* in the outputs of the full and of the last program */
    NodeId input;      /* of the graph that makes the metrics */
    double *sums;      /* [elements] */
} Statistic;

typedef struct {
    Pair pair;
    const int32_t *rows;
    Metrics metrics;
    Statistic *statistics; /* the loss is the first */
    uint32_t count;
    double *sums; /* of all of them */
    int64_t elements;
    Interp *finish;    /* NULL: the statistics are the metrics */
    int64_t nonfinite; /* the first batch whose loss was not finite; -1: none */
} Evaluator;

/* Nothing has to be closed after a failure. */
bool evaluator_open(Evaluator *evaluator, const Dataset *dataset, Split split, const ProgramPair *programs, States *states,
                    Threads *threads, const Metrics *metrics, Diagnostics *diag);
void evaluator_close(Evaluator *evaluator);
void evaluator_run(Evaluator *evaluator, RunClock clock, Evaluation *result);
/* After evaluator_run with this clock: whether the loss is finite; else reports `finding` and the operation where it began
 * (STATUS_NONFINITE). Metrics may be without a value, such as r2 where all targets are equal. */
bool evaluator_check(const Evaluator *evaluator, const Dataset *dataset, const States *states, RunClock clock,
                     const char *finding, Diagnostics *diag);

#endif
