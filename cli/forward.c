/* Running a trained network forward over rows. */
#include "cli/forward.h"

#include <math.h>
#include <string.h>

/* -- classes -- */

int32_t prediction_class(const Predictions *predictions, int64_t row) {
    const float *values = predictions->values + row * predictions->width;
    int32_t best = 0;
    for (int32_t i = 1; i < predictions->width; i++)
        if (values[i] > values[best]) best = i;
    return best;
}

float prediction_value(const Predictions *predictions, int64_t row, int64_t column) {
    return predictions->values[row * predictions->width + column];
}

int32_t true_class(const Session *session, const ModelOutput *output, int32_t row) {
    const void *labels = NULL;
    const SourceField *field = output->label ? dataset_find(session->dataset, output->label, &labels) : NULL;
    if (field && field->dtype == DTYPE_U8) return ((const uint8_t *)labels)[row];
    return field && field->dtype == DTYPE_I32 ? ((const int32_t *)labels)[row] : -1;
}

const char *class_text(const Session *session, const ModelOutput *output, int32_t class, char number[NUMBER_TEXT]) {
    return class_name(&session->build.info->schema, output->label, class, number);
}

static bool is_distribution(const float *values, int64_t width) {
    double sum = 0;
    for (int64_t i = 0; i < width; i++) {
        if (!(values[i] >= 0)) return false;
        sum += values[i];
    }
    return fabs(sum - 1) < 1e-3;
}

/* Logits become probabilities; a model that ends in softmax has them already. */
static void make_probabilities(float *values, int64_t width) {
    double largest = -INFINITY, sum = 0;
    if (is_distribution(values, width)) return;
    for (int64_t i = 0; i < width; i++) largest = fmax(largest, values[i]);
    for (int64_t i = 0; i < width; i++) sum += exp(values[i] - largest);
    for (int64_t i = 0; i < width; i++) values[i] = (float)(exp(values[i] - largest) / sum);
}

/* -- running -- */

static const int32_t no_steps[] = {0}; /* schedules see the first step */

static bool bind_inputs(Runner *runner, const Session *session, const Graph *graph) {
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind == SYMBOL_VALUE) runner_input(runner, graph->symbols[i].name, no_steps);
    return runner_data(runner, session->dataset, session->build.diag);
}

static const Node *output_node(const Graph *graph, const char *name) {
    for (uint32_t i = 0; i < graph->output_count; i++)
        if (strcmp(graph->outputs[i].name, name) == 0) return graph_node(graph, graph->outputs[i].node);
    return NULL;
}

/* Runs `count` rows, a multiple of `batch`, and copies the output after `done` rows into its place. */
static bool run_batches(Session *session, const Program *program, uint32_t batch, const int32_t *rows, int64_t count,
                        float *values, const Predictions *shape) {
    Runner *runner = runner_new(program, session->states, session->threads, session->build.diag);
    bool good = runner && bind_inputs(runner, session, program->graph);
    for (int64_t done = 0; done < count && good; done += batch) {
        runner_step(runner, rows + done);
        memcpy(values + done * shape->width, runner_output(runner, shape->output->name),
               (size_t)(batch * shape->width) * sizeof(float));
    }
    runner_free(runner);
    return good;
}

static bool prepare(Session *session, const Program *program, uint32_t output, int64_t count, Predictions *predictions) {
    const ModelOutput *which = &session->build.info->outputs[output];
    const Node *node = output_node(program->graph, which->name);
    *predictions = (Predictions){.output = which, .rows = count};
    if (!node || node->dtype != DTYPE_F32) {
        diag_error(session->build.diag, STATUS_MODEL, (Span){0}, "the model's output '%s' is not f32", which->name);
        return false;
    }
    predictions->width = shape_elements(node->shape) / node->shape.dim[0];
    predictions->values = ARENA_ARRAY(session->arena, float, count * predictions->width);
    return true;
}

bool forward_run(Session *session, GraphKind kind, uint32_t output, uint32_t batch, const int32_t *rows, int64_t count,
                 Predictions *predictions) {
    ProgramPair pair = programs_pair(&session->programs, kind, count, batch);
    int64_t whole = count / batch * batch;
    if (!prepare(session, pair.full ? pair.full : pair.last, output, count, predictions)) return false;
    if (pair.full && !run_batches(session, pair.full, batch, rows, whole, predictions->values, predictions)) return false;
    if (pair.last && !run_batches(session, pair.last, (uint32_t)(count - whole), rows + whole, count - whole,
                                  predictions->values + whole * predictions->width, predictions))
        return false;
    for (int64_t i = 0; predictions->output->classes && i < count; i++)
        make_probabilities(predictions->values + i * predictions->width, predictions->width);
    return true;
}
