/* Evaluation: loss and metrics over the rows of a split.
 *
 *     for each batch in order: sum += output * (rows of the batch)      in double
 *                              sum += output                            if it is a count (i32)
 *     mean = sum / rows of the split; metrics = finish(means and counts)
 *
 * The order of the additions is fixed, so the result does not depend on the threads. */
#include "runtime/train/evaluate.h"
#include "ir/base/clock.h"
#include "runtime/train/nonfinite.h"
#include "ir/base/memory.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- the statistics -- */

static void add_statistic(SplitEvaluator *evaluator, const char *name, NodeId input) {
    Runner *const *runners = evaluator->pair.runners;
    Statistic *statistic = &evaluator->statistics[evaluator->count++];
    *statistic = (Statistic){.input = input};
    for (ShareSize i = 0; i < SHARE_SIZES; i++) {
        if (!runners[i]) continue;
        const Node *output = runner_place(runners[i], name, &statistic->offsets[i]);
        statistic->is_count = output->dtype == DTYPE_I32;
        statistic->elements = shape_elements(output->shape);
    }
    evaluator->elements += statistic->elements;
}

/* Lists the loss and the inputs of the graph `finish`; without this graph, the loss and the
 * metrics. */
static void add_statistics(SplitEvaluator *evaluator) {
    const Metrics *metrics = &evaluator->metrics;
    const Graph *finish = metrics->finish;
    evaluator->statistics = memory_new((1 + (finish ? finish->symbol_count : metrics->count)) *
                                           sizeof *evaluator->statistics,
                                       "the sums of an evaluation");
    add_statistic(evaluator, "loss", NODE_NONE);
    for (uint32_t i = 0; finish && i < finish->symbol_count; i++)
        if (finish->symbols[i].node)
            add_statistic(evaluator, finish->symbols[i].name, finish->symbols[i].node);
    for (uint32_t i = 0; !finish && i < metrics->count; i++)
        add_statistic(evaluator, metrics->names[i], NODE_NONE);
}

bool evaluator_open(SplitEvaluator *evaluator, const Dataset *dataset, Split split,
                    const ProgramPair *programs, States *states, Threads *threads,
                    const Metrics *metrics, Diagnostics *diag) {
    assert(metrics->count <= RUNTIME_MAX_METRICS);
    *evaluator = (SplitEvaluator){.rows = dataset_split(dataset, split), .metrics = *metrics};
    if (!pair_open(&evaluator->pair, programs, dataset, split, states, threads, diag)) return false;
    if (evaluator->pair.batches == 0) return true;
    add_statistics(evaluator);
    evaluator->sums = memory_new((size_t)evaluator->elements * sizeof *evaluator->sums,
                                 "the sums of an evaluation");
    double *sums = evaluator->sums;
    for (uint32_t i = 0; i < evaluator->count; sums += evaluator->statistics[i++].elements)
        evaluator->statistics[i].sums = sums;
    if (metrics->finish) evaluator->finish = interp_new(metrics->finish, INTERP_F64);
    return true;
}

void evaluator_close(SplitEvaluator *evaluator) {
    pair_close(&evaluator->pair);
    if (evaluator->finish) interp_free(evaluator->finish);
    free(evaluator->statistics);
    free(evaluator->sums);
}

/* -- adding up -- */

static bool add_batch(void *context, int64_t batch, const void *outputs) {
    SplitEvaluator *evaluator = context;
    const Cut *cut = &evaluator->pair.cut;
    ShareSize program = cut_share_size(cut, batch);
    double rows = (double)cut_batch_rows(cut, batch);
    for (uint32_t i = 0; i < evaluator->count; i++) {
        const Statistic *statistic = &evaluator->statistics[i];
        if (statistic->is_count) {
            size_t offset = statistic->offsets[program];
            const int32_t *counts = (const int32_t *)((const char *)outputs + offset);
            for (int64_t j = 0; j < statistic->elements; j++) statistic->sums[j] += counts[j];
        } else {
            size_t offset = statistic->offsets[program];
            for (int64_t j = 0; j < statistic->elements; j++)
                statistic->sums[j] +=
                    rows * (double)run_scalar(outputs, offset + (size_t)j * sizeof(float));
        }
    }
    bool finite = isfinite(run_scalar(outputs, evaluator->statistics[0].offsets[program])) != 0;
    if (!finite && evaluator->nonfinite < 0) evaluator->nonfinite = batch;
    return true;
}

/* -- from sums to metrics -- */

static NodeId metric_node(const Metrics *metrics, uint32_t metric) {
    const Graph *finish = metrics->finish;
    for (uint32_t i = 0; i < finish->output_count; i++)
        if (!strcmp(finish->outputs[i].name, metrics->names[metric]))
            return finish->outputs[i].node;
    assert(0 && "the graph makes all metrics");
    return NODE_NONE;
}

/* Computes the metrics from the means and counts by the graph `finish`. */
static void finish_metrics(SplitEvaluator *evaluator, Evaluation *result) {
    for (uint32_t i = 0; i < evaluator->count; i++) {
        const Statistic *statistic = &evaluator->statistics[i];
        if (statistic->input)
            memcpy(interp_value(evaluator->finish, statistic->input), statistic->sums,
                   (size_t)statistic->elements * sizeof(double));
    }
    interp_run(evaluator->finish);
    for (uint32_t i = 0; i < evaluator->metrics.count; i++) {
        NodeId node = metric_node(&evaluator->metrics, i);
        const double *value = interp_value(evaluator->finish, node);
        bool is_number = graph_node(evaluator->metrics.finish, node)->shape.rank == 0;
        result->metrics[i] = is_number ? *value : NAN;
        result->counts[i] = is_number ? NULL : value;
    }
}

void evaluator_run(SplitEvaluator *evaluator, RunClock clock, Evaluation *result) {
    double start = seconds_now();
    evaluator->nonfinite = -1;
    memset(evaluator->sums, 0, (size_t)evaluator->elements * sizeof *evaluator->sums);
    pair_loop(&evaluator->pair, evaluator->rows, 0, evaluator->pair.batches,
              &(RunTimes){.start = clock}, add_batch, evaluator);
    double rows = (double)evaluator->pair.cut.rows;
    for (uint32_t i = 0; i < evaluator->count; i++) {
        const Statistic *statistic = &evaluator->statistics[i];
        for (int64_t j = 0; !statistic->is_count && j < statistic->elements; j++)
            statistic->sums[j] /= rows;
    }
    *result = (Evaluation){.loss = evaluator->sums[0], .rows = evaluator->pair.cut.rows};
    for (uint32_t i = 0; !evaluator->finish && i < evaluator->metrics.count; i++)
        result->metrics[i] = evaluator->sums[i + 1];
    if (evaluator->finish) finish_metrics(evaluator, result);
    result->seconds = seconds_now() - start;
}

bool evaluator_check(const SplitEvaluator *evaluator, const Dataset *dataset, const States *states,
                     RunClock clock, const char *finding, Diagnostics *diag) {
    int64_t batch = evaluator->nonfinite;
    if (batch < 0) return true;
    nonfinite_report(&(NonfiniteBatch){.runner = pair_runner(&evaluator->pair, batch),
                                       .states = states,
                                       .dataset = dataset,
                                       .rows = evaluator->rows + batch * evaluator->pair.cut.batch,
                                       .clock = run_clock(&(RunTimes){.start = clock}, batch),
                                       .output = "loss",
                                       .finding = finding},
                     diag);
    return false;
}

bool evaluation_run(const Dataset *dataset, Split split, const ProgramPair *programs,
                    States *states, Threads *threads, const Metrics *metrics, Arena *arena,
                    Evaluation *result, Diagnostics *diag) {
    SplitEvaluator evaluator;
    bool opened =
        evaluator_open(&evaluator, dataset, split, programs, states, threads, metrics, diag);
    if (!opened) return false;
    evaluator_run(&evaluator, (RunClock){0}, result);
    char finding[64];
    snprintf(finding, sizeof finding, "the loss on the %s rows is not finite", split_name(split));
    evaluator_check(&evaluator, dataset, states, (RunClock){0}, finding, diag);
    /* Matrices are copied to the arena, because the evaluator is closed. */
    for (uint32_t i = 0; i < evaluator.metrics.count; i++) {
        if (!result->counts[i]) continue;
        size_t bytes = interp_value_bytes(evaluator.finish, metric_node(&evaluator.metrics, i));
        result->counts[i] = memcpy(arena_alloc(arena, bytes), result->counts[i], bytes);
    }
    evaluator_close(&evaluator);
    return true;
}
