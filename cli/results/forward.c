/* Runs a trained network over rows. */
#include "cli/results/forward.h"
#include "engine/session/answers.h"
#include "runtime/train/runners.h"

#include <math.h>
#include <string.h>

/* -- classes -- */

int32_t prediction_class(const Predictions *predictions, int64_t row) {
    return predictions->predicted[row];
}

float prediction_value(const Predictions *predictions, int64_t row, int64_t column) {
    return predictions->values[row * predictions->width + column];
}

double prediction_probability(const Predictions *predictions, int64_t row, int32_t class) {
    double probability = prediction_value(predictions, row, class);
    for (int32_t i = 0; i < predictions->width; i++)
        if (probability == 1 && i != class && prediction_value(predictions, row, i) > 0)
            return nextafter(1, 0);
    return probability;
}

int32_t true_class(const Session *session, const ModelOutput *output, int32_t row) {
    const void *labels = NULL;
    const SourceField *field =
        output->label ? dataset_find(session->dataset, output->label, &labels) : NULL;
    if (field && dataset_lacks(session->dataset, output->label, row)) return -1;
    if (field && (field->dtype == DTYPE_U8 || field->dtype == DTYPE_BOOL))
        return ((const uint8_t *)labels)[row];
    if (field && field->dtype == DTYPE_I32) return ((const int32_t *)labels)[row];
    /* in new rows a column of whole numbers may have gaps and fractions */
    float truth = field && field->dtype == DTYPE_F32 ? ((const float *)labels)[row] : -1;
    bool is_class =
        truth >= 0 && truth < (output->is_binary ? 2 : 0x1p31F) && truth == floorf(truth);
    return is_class ? (int32_t)truth : -1;
}

const char *class_text(const Session *session, const ModelOutput *output, int32_t class,
                       char number[NUMBER_TEXT]) {
    return class_name(&session->build.info->schema, output->label, class, number);
}

/* The probabilities of an output with two classes take the place of its single number. */
static void find_classes(Session *session, Predictions *output) {
    const float *numbers = output->values;
    int64_t width = output->width;
    output->predicted = ARENA_ARRAY(session->arena, int32_t, output->rows);
    if (output->output->is_binary) {
        output->width = 2;
        output->values = ARENA_ARRAY(session->arena, float, 2 * output->rows);
    }
    output->logits = answers_find(output->output, numbers, output->rows, width, output->predicted,
                                  output->values);
}

/* -- running -- */

static const int32_t no_steps[] = {0}; /* the value of step inputs */

bool forward_bind(Runner *runner, const Session *session, const Graph *graph) {
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind == SYMBOL_VALUE)
            runner_input(runner, graph->symbols[i].name, no_steps);
    return runner_data(runner, session->dataset, session->build.diag);
}

/* Runs the rows from `first` to below `end`, a multiple of `batch`. */
static bool run_batches(Session *session, const Program *program, uint32_t batch, int64_t first,
                        int64_t end, const Forward *forward) {
    if (!program) return true;
    Runner *runner = runner_new(program, session->states, session->threads, session->build.diag);
    bool good = runner && forward_bind(runner, session, program->graph);
    for (int64_t done = first; done < end && good; done += batch) {
        runner_step(runner, forward->rows + done);
        good = !runner_failed(runner);
        /* Copies the outputs of the batch to their rows. */
        for (uint32_t i = 0; i < forward->output_count; i++) {
            const Predictions *output = &forward->outputs[i];
            memcpy(output->values + done * output->width,
                   runner_output(runner, output->output->name),
                   (size_t)(batch * output->width) * sizeof(float));
        }
    }
    runner_free(runner);
    return good;
}

static bool open_output(Session *session, const Program *program, int64_t count,
                        Predictions *predictions) {
    const ModelOutput *which = predictions->output;
    NodeId id = graph_output_node(program->graph, which->name);
    const Node *node = graph_node(program->graph, id);
    if (!id || node->dtype != DTYPE_F32) {
        diag_error(session->build.diag, STATUS_MODEL, (Span){0},
                   "the model's output '%s' is not f32", which->name);
        return false;
    }
    predictions->rows = count;
    predictions->shape = node->shape;
    predictions->shape.dim[0] = count;
    predictions->width = shape_elements(node->shape) / node->shape.dim[0];
    predictions->values = ARENA_ARRAY(session->arena, float, count * predictions->width);
    return true;
}

bool forward_run(Session *session, GraphKind kind, const Forward *forward) {
    int64_t count = forward->count, whole = count / forward->batch * forward->batch;
    SplitPrograms programs =
        programs_of_split(&session->programs, kind, &(Cut){count, forward->batch, 1});
    for (uint32_t i = 0; i < forward->output_count; i++)
        if (!open_output(session, programs.full ? programs.full : programs.last, count,
                         &forward->outputs[i]))
            return false;
    if (!run_batches(session, programs.full, forward->batch, 0, whole, forward) ||
        !run_batches(session, programs.last, (uint32_t)(count - whole), whole, count, forward))
        return false;
    for (uint32_t i = 0; i < forward->output_count; i++) {
        Predictions *output = &forward->outputs[i];
        if (output->output->is_binary || output->output->classes) find_classes(session, output);
    }
    return true;
}
