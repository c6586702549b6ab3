/* The columns of predictions, for tables on the terminal and for csv files, which have more
 * columns. */
#include "cli/results/predict_columns.h"
#include "runtime/data/dataset.h"

#include <math.h>
#include <string.h>

enum { FEW_CLASSES = 4, FEW_TARGETS = 3, MAX_VALUES = 10 };

typedef struct {
    const Predicting *predicting;
    bool all; /* for a csv file: all columns; every head names its output */
    AnswerColumn *items;
    uint32_t count;
} ColumnList;

/* -- the list of columns -- */

static void add(ColumnList *list, AnswerColumn column) { list->items[list->count++] = column; }

static bool names_differ(const Predicting *predicting) {
    const char *first = dataset_row_place(predicting->session.dataset, predicting->rows[0]).file;
    for (int64_t i = 1; i < predicting->count; i++)
        if (dataset_row_place(predicting->session.dataset, predicting->rows[i]).file != first)
            return true;
    return false;
}

/* Columns about the row: its place in the split, and the file and line it was read from. */
static void add_places(ColumnList *list) {
    const Predicting *predicting = list->predicting;
    RowPlace place = dataset_row_place(predicting->session.dataset, predicting->rows[0]);
    if (!predicting->files) add(list, (AnswerColumn){.kind = COLUMN_INDEX, .head = "index"});
    if (predicting->inputs.names || place.row < 0 || names_differ(predicting))
        add(list, (AnswerColumn){.kind = COLUMN_FILE, .head = "file"});
    if (!predicting->inputs.names && place.row >= 0)
        add(list, (AnswerColumn){.kind = COLUMN_ROW, .head = "row"});
    if (place.line) add(list, (AnswerColumn){.kind = COLUMN_LINE, .head = "line"});
}

/* The head of a column: "price", or "kind.price" in a csv file with several outputs. */
static const char *head(const ColumnList *list, const Predictions *output, const char *format,
                        const char *name) {
    Arena *arena = list->predicting->session.arena;
    const char *text = arena_format(arena, format, name);
    bool prefix = list->all && list->predicting->output_count > 1;
    return prefix ? arena_format(arena, "%s.%s", output->output->name, text) : text;
}

static void add_classes(ColumnList *list, const Predictions *output) {
    const Predicting *predicting = list->predicting;
    bool known = predicted_known(predicting, output) > 0;
    bool each_class = list->all || (output->width <= FEW_CLASSES && predicting->output_count == 1);
    if (known) add(list, (AnswerColumn){COLUMN_TRUE, output, 0, head(list, output, "true", "")});
    add(list, (AnswerColumn){COLUMN_PREDICTED, output, 0, head(list, output, "predicted", "")});
    add(list, (AnswerColumn){COLUMN_PROBABILITY, output, 0, head(list, output, "probability", "")});
    for (int32_t k = 0; each_class && k < output->width; k++) {
        char number[NUMBER_TEXT];
        const char *name = class_text(&predicting->session, output->output, k, number);
        add(list, (AnswerColumn){COLUMN_CLASS_PROBABILITY, output, k,
                                 head(list, output, list->all ? "p(%s)" : "%s", name)});
    }
    if (known && !list->all) add(list, (AnswerColumn){COLUMN_WRONG, output, 0, ""});
}

static void add_target(ColumnList *list, const Predictions *output) {
    const ModelTarget *target = &output->output->target;
    int64_t width = target->width;
    bool truths = output->truths && (list->all || width <= FEW_TARGETS);
    for (int64_t k = 0; k < width && (list->all || k < MAX_VALUES); k++) {
        if (truths)
            add(list, (AnswerColumn){COLUMN_TRUTH, output, k,
                                     head(list, output, "true %s", target->names[k])});
        add(list, (AnswerColumn){COLUMN_UNITS, output, k,
                                 head(list, output, "predicted %s", target->names[k])});
        if (output->deviations)
            add(list, (AnswerColumn){COLUMN_DEVIATION, output, k,
                                     head(list, output,
                                          list->all || width > 1 ? "deviation %s" : "deviation",
                                          target->names[k])});
        if (truths)
            add(list,
                (AnswerColumn){COLUMN_ERROR, output, k,
                               head(list, output, list->all || width > 1 ? "error %s" : "error",
                                    target->names[k])});
    }
}

static void add_values(ColumnList *list, const Predictions *output) {
    Arena *arena = list->predicting->session.arena;
    int64_t count = list->all || output->width <= MAX_VALUES ? output->width : MAX_VALUES;
    for (int64_t k = 0; k < count; k++)
        add(list,
            (AnswerColumn){COLUMN_VALUE, output, k,
                           output->width == 1 ? output->output->name
                                              : arena_format(arena, "%s[%lld]",
                                                             output->output->name, (long long)k)});
}

AnswerColumn *predicted_columns(const Predicting *predicting, bool all, bool classes,
                                uint32_t *count) {
    uint32_t capacity = 8;
    for (uint32_t k = 0; k < predicting->output_count; k++)
        capacity += 4 + 5 * (uint32_t)predicting->outputs[k].width;
    ColumnList list = {predicting, all,
                       ARENA_ARRAY(predicting->session.arena, AnswerColumn, capacity), 0};
    add_places(&list);
    for (uint32_t k = 0; k < predicting->output_count; k++) {
        const Predictions *output = &predicting->outputs[k];
        if (output->output->classes && classes) add_classes(&list, output);
        if (output->output->classes) continue;
        if (output->units) add_target(&list, output);
        /* the numbers of runs may have other scales, so that their mean says nothing */
        bool raw = all && output->output->target.converted && !output->averaged;
        if (!output->units || raw) add_values(&list, output);
        if (!all && output->width > MAX_VALUES)
            add(&list, (AnswerColumn){COLUMN_MORE, output, 0, ""});
    }
    *count = list.count;
    return list.items;
}

/* -- the cells -- */

bool column_is_name(const AnswerColumn *column) {
    return column->kind == COLUMN_FILE || column->kind == COLUMN_TRUE ||
           column->kind == COLUMN_PREDICTED || column->kind == COLUMN_WRONG ||
           column->kind == COLUMN_MORE;
}

static const char *class_cell(const Predicting *predicting, const Predictions *output,
                              int32_t class, char buffer[NUMBER_TEXT]) {
    return class < 0 ? "?" : class_text(&predicting->session, output->output, class, buffer);
}

double column_number(const Predicting *predicting, const AnswerColumn *column, int64_t i) {
    const Predictions *output = column->output;
    int64_t at = output ? i * output->width + column->element : 0;
    RowPlace place = dataset_row_place(predicting->session.dataset, predicting->rows[i]);
    switch (column->kind) {
    case COLUMN_INDEX: return (double)(predicting->first + i);
    case COLUMN_ROW: return (double)place.row;
    case COLUMN_LINE: return (double)place.line;
    case COLUMN_PROBABILITY: return prediction_probability(output, i, prediction_class(output, i));
    case COLUMN_CLASS_PROBABILITY:
        return prediction_probability(output, i, (int32_t)column->element);
    case COLUMN_TRUTH: return output->truths[at];
    case COLUMN_UNITS: return output->units[at];
    case COLUMN_DEVIATION: return output->deviations[at];
    case COLUMN_ERROR: return output->units[at] - output->truths[at];
    case COLUMN_VALUE: return (double)output->values[at];
    default: return NAN;
    }
}

const char *column_name(const Predicting *predicting, const AnswerColumn *column, int64_t i,
                        char buffer[NUMBER_TEXT]) {
    switch (column->kind) {
    case COLUMN_FILE:
        return predicting->inputs.names
                   ? predicting->inputs.names[i]
                   : dataset_row_place(predicting->session.dataset, predicting->rows[i]).file;
    case COLUMN_TRUE:
        return class_cell(predicting, column->output,
                          predicted_truth(predicting, column->output, i), buffer);
    case COLUMN_PREDICTED:
        return class_cell(predicting, column->output, prediction_class(column->output, i), buffer);
    case COLUMN_WRONG: return predicted_wrongly(predicting, column->output, i) ? "wrong" : "";
    default: return "...";
    }
}

const char *column_text(const Predicting *predicting, const AnswerColumn *column, int64_t i,
                        char buffer[NUMBER_TEXT]) {
    if (column_is_name(column)) return column_name(predicting, column, i, buffer);
    double number = column_number(predicting, column, i);
    if (column->kind == COLUMN_INDEX || column->kind == COLUMN_ROW || column->kind == COLUMN_LINE) {
        snprintf(buffer, NUMBER_TEXT, "%lld", (long long)(int64_t)number);
        return buffer;
    }
    if (column->kind == COLUMN_PROBABILITY || column->kind == COLUMN_CLASS_PROBABILITY)
        return text_percent(buffer, number, 2);
    /* an unknown truth */
    if (isnan(number) && column->kind != COLUMN_UNITS && column->kind != COLUMN_VALUE) return "?";
    if (column->kind == COLUMN_VALUE) return text_value(buffer, number, VALUE_DIGITS);
    return text_exact(buffer, number, VALUE_DIGITS); /* in the units of the data */
}
