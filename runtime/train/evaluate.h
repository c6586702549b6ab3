/* Loss and metrics over the rows of a split. */
#ifndef MLC_RUNTIME_TRAIN_EVALUATE_H
#define MLC_RUNTIME_TRAIN_EVALUATE_H

#include "ir/interp/interp.h"
#include "runtime/peers/peers.h"
#include "runtime/train/runners.h"

enum { RUNTIME_MAX_METRICS = 16 };
/* Metrics are computed in two stages. For each batch, programs compute outputs such as the squared
 * error. Over the split, they are averaged; outputs of type i32 are counts and are added. The graph
 * `finish` has VALUE inputs of the same names and computes the metrics from them in double: rmse is
 * the square root of such a mean. finish NULL: the metrics are the means themselves. */
typedef struct {
    const char *const *names;
    uint32_t count;
    const Graph *finish;
} Metrics;

typedef struct {
    double loss, metrics[RUNTIME_MAX_METRICS]; /* over all rows */
    /* The elements of a metric that is a matrix (then metrics[i] is NaN), or NULL. In
     * TrainEvents.epoch they are valid only during the call. */
    const double *counts[RUNTIME_MAX_METRICS];
    int64_t rows;
    double seconds;
} Evaluation;

/* Evaluates a split once. Matrices go into the arena. A loss that is not finite is reported
 * (STATUS_NONFINITE), and true is returned. false after other errors. */
bool evaluation_run(const Dataset *dataset, Split split, const SplitPrograms *programs,
                    States *states, Threads *threads, const Metrics *metrics, Arena *arena,
                    Evaluation *result, Diagnostics *diag);

/* -- an evaluator that evaluates a split repeatedly -- */

/* An output of the programs, and its mean over the rows, or, if it is an i32, its sum over the
 * batches. */
typedef struct {
    bool is_count;
    int64_t elements;
    size_t offsets[SHARE_SIZES]; /* in the outputs of the programs */
    NodeId input;                /* of the graph `finish`; NODE_NONE: not an input of it */
    double *sums;                /* [elements] */
} Statistic;

typedef struct {
    SplitRunners runners;
    const int32_t *rows;
    Metrics metrics;
    Statistic *statistics; /* the loss is the first */
    uint32_t count;
    double *sums; /* [elements]: of all statistics */
    int64_t elements;
    int64_t numbers;   /* elements that are no counts */
    float *values;     /* [numbers]: of a batch; with `peers`, [batches][numbers] */
    Peers *peers;      /* the processes that share the batches; NULL: only this one */
    Interp *finish;    /* NULL: the statistics are the metrics */
    int64_t nonfinite; /* the first batch whose loss was not finite; -1: none */
} SplitEvaluator;

/* After a failure nothing has to be closed. */
bool evaluator_open(SplitEvaluator *evaluator, const Dataset *dataset, Split split,
                    const SplitPrograms *programs, States *states, Threads *threads,
                    const Metrics *metrics, Diagnostics *diag);
void evaluator_close(SplitEvaluator *evaluator);
/* Divides the batches among processes, all of which then get the same result. Every run is an
 * exchange; if a process is lost, the result means nothing. peers: may be NULL. */
void evaluator_spread(SplitEvaluator *evaluator, Peers *peers);
void evaluator_run(SplitEvaluator *evaluator, RunClock clock, Evaluation *result);
/* Checks the loss after evaluator_run with the same clock. false after reporting `finding` and the
 * operation that made the first non-finite number (STATUS_NONFINITE). Metrics may be NaN, such as
 * r2 if all targets are equal. */
bool evaluator_check(const SplitEvaluator *evaluator, const Dataset *dataset, const States *states,
                     RunClock clock, const char *finding, Diagnostics *diag);

#endif
