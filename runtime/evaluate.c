/* Evaluation: the means of the loss and the metrics over the rows of a split. Each batch's means are weighted by its rows and
 * added in double in the order of the batches, so the result does not depend on the threads. */
#include "runtime/evaluate.h"
#include "ir/clock.h"

#include <assert.h>

bool evaluator_open(Evaluator *evaluator, const Dataset *dataset, Split split, const ProgramPair *programs, States *states,
                    Threads *threads, const char *const *metrics, uint32_t metric_count, Diagnostics *diag) {
    assert(metric_count <= RUNTIME_MAX_METRICS);
    *evaluator = (Evaluator){.rows = dataset_split(dataset, split), .metric_count = metric_count};
    if (!pair_open(&evaluator->pair, programs, dataset, split, states, threads, diag)) return false;
    const Runner *runners[2] = {evaluator->pair.full, evaluator->pair.last};
    for (uint32_t i = 0; i <= metric_count; i++)
        for (int r = 0; r < 2; r++)
            if (runners[r]) evaluator->outputs[i][r] = runner_scalar(runners[r], i ? metrics[i - 1] : "loss");
    return true;
}

void evaluator_close(Evaluator *evaluator) {
    pair_close(&evaluator->pair);
}

typedef struct {
    const Evaluator *evaluator;
    double sums[1 + RUNTIME_MAX_METRICS];
} Sums;

static bool add_batch(void *context, int64_t step, const void *outputs) {
    Sums *sums = context;
    const Pair *pair = &sums->evaluator->pair;
    int program = pair_runner(pair, step) == pair->last;
    double rows = (double)pair_step_rows(pair, step);
    for (uint32_t i = 0; i <= sums->evaluator->metric_count; i++)
        sums->sums[i] += rows * (double)run_scalar(outputs, sums->evaluator->outputs[i][program]);
    return true;
}

void evaluator_run(const Evaluator *evaluator, RunClock clock, Evaluation *result) {
    Sums sums = {.evaluator = evaluator};
    double start = seconds_now(), rows = (double)evaluator->pair.rows;
    pair_loop(&evaluator->pair, evaluator->rows, 0, evaluator->pair.steps, clock, add_batch, &sums);
    *result = (Evaluation){.loss = sums.sums[0] / rows, .rows = evaluator->pair.rows, .seconds = seconds_now() - start};
    for (uint32_t i = 0; i < evaluator->metric_count; i++) result->metrics[i] = sums.sums[i + 1] / rows;
}

bool evaluation_run(const Dataset *dataset, Split split, const ProgramPair *programs, States *states, Threads *threads,
                    const char *const *metrics, uint32_t metric_count, Evaluation *result, Diagnostics *diag) {
    Evaluator evaluator;
    if (!evaluator_open(&evaluator, dataset, split, programs, states, threads, metrics, metric_count, diag)) return false;
    evaluator_run(&evaluator, (RunClock){0}, result);
    evaluator_close(&evaluator);
    return true;
}
