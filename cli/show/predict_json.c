/* Predictions as JSON, one line per row. */
#include "cli/show/predict_show.h"
#include "cli/results/journal.h"
#include "runtime/data/dataset.h"

#include <string.h>

static json_t *values_json(const Predictions *predictions, int64_t i) {
    json_t *values = json_array();
    for (int64_t k = 0; k < predictions->width; k++)
        json_array_append_new(values, json_number((double)prediction_value(predictions, i, k)));
    return values;
}

static void put_classes(json_t *object, const Predicting *predicting, const Predictions *output,
                        int64_t i) {
    char number[NUMBER_TEXT];
    int32_t class = prediction_class(output, i), truth = predicted_truth(predicting, output, i);
    if (truth >= 0) json_object_set_new(object, "true", json_integer(truth));
    json_object_set_new(object, "predicted", json_integer(class));
    json_object_set_new(object, "class",
                        json_text(class_text(&predicting->session, output->output, class, number)));
    json_object_set_new(object, "probability",
                        json_number((double)prediction_value(output, i, class)));
    json_object_set_new(object, "probabilities", values_json(output, i));
}

/* Numbers in f64, with all digits of the file; minus[] is subtracted if it is not NULL. */
static json_t *numbers_json(const double *values, const double *minus, int64_t width, int64_t i) {
    json_t *numbers = json_array();
    for (int64_t k = i * width; k < (i + 1) * width; k++)
        json_array_append_new(numbers, json_exact(values[k] - (minus ? minus[k] : 0)));
    return numbers;
}

/* Adds predictions, truths and errors in the units of the data. */
static void put_target(json_t *object, const Predictions *output, int64_t i) {
    const ModelTarget *target = &output->output->target;
    json_t *names = json_array();
    for (int64_t k = 0; k < target->width; k++)
        json_array_append_new(names, json_text(target->names[k]));
    json_object_set_new(object, "columns", names);
    json_object_set_new(object, "predicted", numbers_json(output->units, NULL, target->width, i));
    if (output->deviations)
        json_object_set_new(object, "deviation",
                            numbers_json(output->deviations, NULL, target->width, i));
    if (!output->truths) return;
    json_object_set_new(object, "true", numbers_json(output->truths, NULL, target->width, i));
    json_object_set_new(object, "error",
                        numbers_json(output->units, output->truths, target->width, i));
    if (output->averaged) return; /* the runs may have other scales */
    json_object_set_new(object, "target", numbers_json(output->targets, NULL, target->width, i));
}

static json_t *output_json(const Predicting *predicting, const Predictions *output, int64_t i) {
    if (!output->output->classes && !output->units) return values_json(output, i);
    json_t *object = json_object();
    if (output->output->classes) {
        put_classes(object, predicting, output, i);
    } else {
        if (!output->averaged) json_object_set_new(object, "output", values_json(output, i));
        put_target(object, output, i);
    }
    return object;
}

static void put_row_name(json_t *line, const Predicting *predicting, int64_t i) {
    json_object_set_new(line, "index", json_integer(predicting->first + i));
    if (predicting->inputs.names) {
        json_object_set_new(line, "file", json_text(predicting->inputs.names[i]));
        return;
    }
    RowPlace place = dataset_row_place(predicting->session.dataset, predicting->rows[i]);
    if (place.file) json_object_set_new(line, "file", json_text(place.file));
    if (place.row >= 0) json_object_set_new(line, "row", json_integer(place.row));
    if (place.line) json_object_set_new(line, "line", json_integer(place.line));
}

/* Whether the name of the only output is another key of the line. */
static bool is_key(const json_t *line, const Predictions *output) {
    static const char *const keys[] = {"columns", "predicted", "deviation",
                                       "true",    "error",     "target"};
    bool taken = json_object_get(line, output->output->name) != NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys && output->units; i++)
        taken |= !strcmp(keys[i], output->output->name);
    return taken;
}

/* A single output is stored in the line itself, unless its name is a key there. Several outputs
 * have one object each, in "outputs". */
static json_t *row_json(const Predicting *predicting, int64_t i) {
    json_t *line = json_object();
    const Predictions *main = predicting->main;
    put_row_name(line, predicting, i);
    bool alone = predicting->output_count == 1 && (main->output->classes || !is_key(line, main));
    if (alone && main->output->classes) put_classes(line, predicting, main, i);
    if (alone && !main->output->classes && !(main->averaged && main->units))
        json_object_set_new(line, main->output->name, values_json(main, i));
    if (alone && main->units) put_target(line, main, i);
    if (alone) return line;
    json_t *outputs = json_object();
    for (uint32_t k = 0; k < predicting->output_count; k++)
        json_object_set_new(outputs, predicting->outputs[k].output->name,
                            output_json(predicting, &predicting->outputs[k], i));
    json_object_set_new(line, "outputs", outputs);
    return line;
}

void predicted_print_json(const Predicting *predicting) {
    for (int64_t i = 0; i < predicting->count; i++)
        json_print_line(row_json(predicting, i), predicting->out);
}
