/* Evaluation: loss and metrics over the rows of a split.
 *
 *     for each batch in order: sum += output * (rows of the batch)      in double
 *                              sum += output                            if it is a count (i32)
 *     mean = sum / rows of the split; metrics = finish(means and counts)
 *
 * The order of the additions is fixed, so the result does not depend on threads and processes. */
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
    Runner *const *runners = evaluator->runners.by_size;
    Statistic *statistic = &evaluator->statistics[evaluator->count++];
    *statistic = (Statistic){.input = input};
    for (ShareSize i = 0; i < SHARE_SIZES; i++) {
        if (!runners[i]) continue;
        const Node *output = runner_place(runners[i], name, &statistic->offsets[i]);
        statistic->is_count = output->dtype == DTYPE_I32;
        statistic->elements = shape_elements(output->shape);
    }
    evaluator->elements += statistic->elements;
    if (!statistic->is_count) evaluator->numbers += statistic->elements;
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
                    const SplitPrograms *programs, States *states, Threads *threads,
                    const Metrics *metrics, Diagnostics *diag) {
    assert(metrics->count <= RUNTIME_MAX_METRICS);
    *evaluator = (SplitEvaluator){.rows = dataset_split(dataset, split), .metrics = *metrics};
    if (!runners_open(&evaluator->runners, programs, dataset, split, states, threads, diag))
        return false;
    if (evaluator->runners.batches == 0) return true;
    add_statistics(evaluator);
    evaluator->sums = memory_new((size_t)evaluator->elements * sizeof *evaluator->sums,
                                 "the sums of an evaluation");
    evaluator->values = memory_array((size_t)evaluator->numbers, sizeof *evaluator->values,
                                     "the sums of an evaluation");
    double *sums = evaluator->sums;
    for (uint32_t i = 0; i < evaluator->count; sums += evaluator->statistics[i++].elements)
        evaluator->statistics[i].sums = sums;
    if (metrics->finish) evaluator->finish = interp_new(metrics->finish, INTERP_F64);
    return true;
}

void evaluator_close(SplitEvaluator *evaluator) {
    runners_close(&evaluator->runners);
    if (evaluator->finish) interp_free(evaluator->finish);
    free(evaluator->statistics);
    free(evaluator->sums);
    free(evaluator->values);
}

/* -- adding up -- */

/* Adds the counts of a batch, and copies its numbers. */
static void take_batch(SplitEvaluator *evaluator, int64_t batch, const void *outputs,
                       float *values) {
    ShareSize program = cut_share_size(&evaluator->runners.cut, batch);
    for (uint32_t i = 0; i < evaluator->count; i++) {
        const Statistic *statistic = &evaluator->statistics[i];
        const char *from = (const char *)outputs + statistic->offsets[program];
        const int32_t *counts = (const int32_t *)(const void *)from;
        if (statistic->is_count) {
            for (int64_t j = 0; j < statistic->elements; j++) statistic->sums[j] += counts[j];
        } else {
            memcpy(values, from, (size_t)statistic->elements * sizeof *values);
            values += statistic->elements;
        }
    }
}

static void add_numbers(SplitEvaluator *evaluator, int64_t batch, const float *values) {
    double rows = (double)cut_batch_rows(&evaluator->runners.cut, batch);
    if (!isfinite(*values) && evaluator->nonfinite < 0) evaluator->nonfinite = batch; /* the loss */
    for (uint32_t i = 0; i < evaluator->count; i++) {
        const Statistic *statistic = &evaluator->statistics[i];
        for (int64_t j = 0; !statistic->is_count && j < statistic->elements; j++)
            statistic->sums[j] += rows * (double)*values++;
    }
}

static bool add_batch(void *context, int64_t batch, const void *outputs) {
    SplitEvaluator *evaluator = context;
    float *values = evaluator->values + (evaluator->peers ? batch * evaluator->numbers : 0);
    take_batch(evaluator, batch, outputs, values);
    if (!evaluator->peers) add_numbers(evaluator, batch, values);
    return true;
}

/* -- several processes: each evaluates consecutive batches -- */

void evaluator_spread(SplitEvaluator *evaluator, Peers *peers) {
    if (!peers || !evaluator->runners.batches) return;
    evaluator->peers = peers;
    free(evaluator->values);
    evaluator->values =
        memory_array((size_t)evaluator->runners.batches, (size_t)evaluator->numbers * sizeof(float),
                     "the numbers of an evaluation");
}

static int64_t first_batch(const SplitEvaluator *evaluator, int rank) {
    return evaluator->runners.batches * rank / peers_size(evaluator->peers);
}

/* Message: the sums of all statistics, in which those of counts are set; then the numbers of the
 * batches of that process. */
static size_t message_bytes(const SplitEvaluator *evaluator, int rank) {
    int64_t batches = first_batch(evaluator, rank + 1) - first_batch(evaluator, rank);
    return (size_t)evaluator->elements * sizeof(double) +
           (size_t)(batches * evaluator->numbers) * sizeof(float);
}

static float *numbers_of(const SplitEvaluator *evaluator, int rank) {
    return evaluator->values + first_batch(evaluator, rank) * evaluator->numbers;
}

static void fill_message(const SplitEvaluator *evaluator, int to) {
    int own = peers_rank(evaluator->peers);
    size_t bytes = message_bytes(evaluator, own),
           sums = (size_t)evaluator->elements * sizeof(double);
    char *message = peers_out(evaluator->peers, to, bytes);
    memcpy(message, evaluator->sums, sums);
    memcpy(message + sums, numbers_of(evaluator, own), bytes - sums);
}

/* Sums of counts are whole numbers, whose order does not matter. */
static void take_message(SplitEvaluator *evaluator, int from, const char *message) {
    const double *sums = (const double *)(const void *)message;
    size_t bytes = (size_t)evaluator->elements * sizeof(double);
    for (int64_t i = 0; i < evaluator->elements; i++) evaluator->sums[i] += sums[i];
    memcpy(numbers_of(evaluator, from), message + bytes, message_bytes(evaluator, from) - bytes);
}

static void run_spread(SplitEvaluator *evaluator, RunClock clock) {
    Peers *peers = evaluator->peers;
    const char *messages[PEERS_MAX];
    int own = peers_rank(peers);
    double begin = seconds_now();
    runners_loop(&evaluator->runners, evaluator->rows, first_batch(evaluator, own),
                 first_batch(evaluator, own + 1), &(RunTimes){.start = clock}, add_batch,
                 evaluator);
    for (int rank = 0; rank < peers_size(peers); rank++) {
        if (rank == own) continue;
        fill_message(evaluator, rank);
        messages[rank] = peers_in(peers, rank, message_bytes(evaluator, rank));
    }
    if (!peers_exchange(peers, seconds_now() - begin, " in the evaluation")) return;
    for (int rank = 0; rank < peers_size(peers); rank++)
        if (rank != own) take_message(evaluator, rank, messages[rank]);
    for (int64_t batch = 0; batch < evaluator->runners.batches; batch++)
        add_numbers(evaluator, batch, evaluator->values + batch * evaluator->numbers);
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
    if (evaluator->peers)
        run_spread(evaluator, clock);
    else
        runners_loop(&evaluator->runners, evaluator->rows, 0, evaluator->runners.batches,
                     &(RunTimes){.start = clock}, add_batch, evaluator);
    double rows = (double)evaluator->runners.cut.rows;
    for (uint32_t i = 0; i < evaluator->count; i++) {
        const Statistic *statistic = &evaluator->statistics[i];
        for (int64_t j = 0; !statistic->is_count && j < statistic->elements; j++)
            statistic->sums[j] /= rows;
    }
    *result = (Evaluation){.loss = evaluator->sums[0], .rows = evaluator->runners.cut.rows};
    for (uint32_t i = 0; !evaluator->finish && i < evaluator->metrics.count; i++)
        result->metrics[i] = evaluator->sums[i + 1];
    if (evaluator->finish) finish_metrics(evaluator, result);
    result->seconds = seconds_now() - start;
}

bool evaluator_check(const SplitEvaluator *evaluator, const Dataset *dataset, const States *states,
                     RunClock clock, const char *finding, Diagnostics *diag) {
    int64_t batch = evaluator->nonfinite;
    if (batch < 0) return true;
    nonfinite_report(
        &(NonfiniteBatch){.runner = runners_of_share(&evaluator->runners, batch),
                          .states = states,
                          .dataset = dataset,
                          .rows = evaluator->rows + batch * evaluator->runners.cut.batch,
                          .clock = run_clock(&(RunTimes){.start = clock}, batch),
                          .output = "loss",
                          .finding = finding},
        diag);
    return false;
}

bool evaluation_run(const Dataset *dataset, Split split, const SplitPrograms *programs,
                    States *states, Threads *threads, const Metrics *metrics, Arena *arena,
                    Evaluation *result, Diagnostics *diag) {
    SplitEvaluator evaluator;
    bool opened =
        evaluator_open(&evaluator, dataset, split, programs, states, threads, metrics, diag);
    if (!opened) return false;
    evaluator_run(&evaluator, (RunClock){0}, result);
    if (runners_failed(&evaluator.runners)) {
        evaluator_close(&evaluator);
        return false;
    }
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
