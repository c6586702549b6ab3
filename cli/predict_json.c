/* What a network makes of rows, as JSON: a line for each of them. */
#include "cli/predict.h"
#include "cli/journal.h"

/* JSON is UTF-8; names of files need not be. */
static json_t *json_text(const char *text) {
    json_t *string = json_string(text);
    return string ? string : json_string("?");
}

static json_t *values_json(const Predictions *predictions, int64_t i) {
    json_t *values = json_array();
    for (int64_t k = 0; k < predictions->width; k++)
        json_array_append_new(values, json_number((double)prediction_value(predictions, i, k)));
    return values;
}

static void put_classes(json_t *object, const Predicting *predicting, const Predictions *output, int64_t i) {
    char number[NUMBER_TEXT];
    int32_t class = prediction_class(output, i), truth = predicted_truth(predicting, output, i);
    if (truth >= 0) json_object_set_new(object, "true", json_integer(truth));
    json_object_set_new(object, "predicted", json_integer(class));
    json_object_set_new(object, "class", json_text(class_text(&predicting->session, output->output, class, number)));
    json_object_set_new(object, "probability", json_number((double)prediction_value(output, i, class)));
    json_object_set_new(object, "probabilities", values_json(output, i));
}

static json_t *output_json(const Predicting *predicting, const Predictions *output, int64_t i) {
    if (!output->output->classes) return values_json(output, i);
    json_t *object = json_object();
    put_classes(object, predicting, output, i);
    return object;
}

static void put_row_name(json_t *line, const Predicting *predicting, int64_t i) {
    if (predicting->inputs.names)
        json_object_set_new(line, "image", json_text(predicting->inputs.names[i]));
    else
        json_object_set_new(line, "index", json_integer(predicting->first + i));
}

/* The classes, or the numbers, of a network with one output are those of the row. Several outputs have an object of their own, and so
 * has one that is called as the row's name is. */
static json_t *row_json(const Predicting *predicting, int64_t i) {
    json_t *line = json_object();
    const Predictions *main = predicting->main;
    put_row_name(line, predicting, i);
    bool alone = predicting->output_count == 1 && (main->output->classes || !json_object_get(line, main->output->name));
    if (alone && main->output->classes) {
        put_classes(line, predicting, main, i);
        return line;
    }
    json_t *outputs = alone ? line : json_object();
    for (uint32_t k = 0; k < predicting->output_count; k++)
        json_object_set_new(outputs, predicting->outputs[k].output->name, output_json(predicting, &predicting->outputs[k], i));
    if (!alone) json_object_set_new(line, "outputs", outputs);
    return line;
}

void predicted_print_json(const Predicting *predicting) {
    for (int64_t i = 0; i < predicting->count; i++) json_print_line(row_json(predicting, i), stdout);
}
