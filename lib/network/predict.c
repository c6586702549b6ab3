/* Predictions. */
#include "engine/session/answers.h"
#include "ir/base/memory.h"
#include "lib/network/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int mlc_input_count(const mlc_network *network) { return network ? network->input_count : 0; }
int mlc_output_count(const mlc_network *network) { return network ? network->output_count : 0; }

const mlc_tensor *mlc_input(const mlc_network *network, int index) {
    return index >= 0 && index < mlc_input_count(network) ? &network->inputs[index] : NULL;
}

const mlc_tensor *mlc_output(const mlc_network *network, int index) {
    return index >= 0 && index < mlc_output_count(network) ? &network->outputs[index] : NULL;
}

/* -- predict -- */

typedef struct {
    int64_t rows;
    const void *const *inputs;
    float *const *outputs;
    int64_t nonfinite; /* the first row with a NaN or an infinity; -1: there is none so far */
} Prediction;

static bool row_is_finite(const float *values, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (!isfinite(values[i])) return false;
    return true;
}

/* Copies the outputs of a batch to their rows. */
static void take_outputs(const mlc_network *network, Prediction *prediction, int64_t first,
                         int64_t rows) {
    int64_t finite = rows; /* the rows before the first one that is not finite in some output */
    for (int i = 0; i < network->output_count; i++) {
        const mlc_tensor *output = &network->outputs[i];
        const float *from = runner_output(network->predict, output->name);
        float *to = prediction->outputs[i];
        if (to)
            memcpy(to + first * output->elements, from,
                   (size_t)(rows * output->elements) * sizeof *from);
        for (int64_t row = 0; row < finite; row++)
            if (!row_is_finite(from + row * output->elements, output->elements)) finite = row;
    }
    if (finite < rows && prediction->nonfinite < 0) prediction->nonfinite = first + finite;
}

static bool predict_batch(mlc_network *network, Prediction *prediction, int64_t first,
                          Diagnostics *diag) {
    const Feed *feed = &network->predict_feed;
    int64_t rows = prediction->rows - first < feed->rows ? prediction->rows - first : feed->rows;
    Dataset *dataset =
        feed_begin(network, feed, first, rows, prediction->inputs, &network->predict, 1, diag);
    if (!dataset) return false;
    runner_step(network->predict, dataset_split(dataset, SPLIT_TRAIN));
    take_outputs(network, prediction, first, rows);
    feed_end(feed, dataset);
    return true;
}

static bool predict(mlc_network *network, void *arguments, Diagnostics *diag) {
    Prediction *prediction = arguments;
    if (prediction->rows < 0 || !prediction->outputs) {
        diag_error(diag, STATUS_USAGE, (Span){0},
                   prediction->outputs ? "the number of rows is negative" : "outputs is NULL");
        return false;
    }
    for (int64_t first = 0; first < prediction->rows; first += network->predict_feed.rows)
        if (!predict_batch(network, prediction, first, diag)) return false;
    if (prediction->nonfinite >= 0)
        diag_error(diag, STATUS_NONFINITE, (Span){0},
                   "the outputs of rows are not finite; the first is row %lld",
                   (long long)prediction->nonfinite);
    return true;
}

mlc_status mlc_predict(mlc_network *network, int64_t rows, const void *const *inputs,
                       float *const *outputs) {
    Prediction prediction = {.rows = rows, .inputs = inputs, .outputs = outputs, .nonfinite = -1};
    return network_call(network, BOUNDARY_READS, predict, &prediction);
}

/* -- classify -- */

typedef struct {
    int output;
    int64_t rows;
    const float *values;
    int32_t *classes;
    float *probabilities;
} Classification;

static bool classify(mlc_network *network, void *arguments, Diagnostics *diag) {
    const Classification *asked = arguments;
    const mlc_tensor *tensor = mlc_output(network, asked->output);
    bool good =
        tensor && tensor->class_count && asked->rows >= 0 && asked->values && asked->classes;
    if (!good) {
        diag_error(diag, STATUS_USAGE, (Span){0},
                   !tensor               ? "there is no output %d"
                   : tensor->class_count ? "an argument is NULL or negative (output %d)"
                                         : "output %d has no classes",
                   asked->output);
        return false;
    }
    const ModelOutput *output = &network->session.build.info->outputs[asked->output];
    size_t count = (size_t)asked->rows * (size_t)tensor->class_count;
    float *own = asked->probabilities ? NULL : memory_array(count, sizeof *own, "probabilities");
    answers_find(output, asked->values, asked->rows, tensor->elements, asked->classes,
                 own ? own : asked->probabilities);
    free(own);
    return true;
}

mlc_status mlc_classify(mlc_network *network, int output, int64_t rows, const float *values,
                        int32_t *classes, float *probabilities) {
    Classification asked = {output, rows, values, classes, probabilities};
    return network_call(network, BOUNDARY_READS, classify, &asked);
}
