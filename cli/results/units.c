/* Errors in the units of the data. GRAPH_UNITS inverts transforms of the target such as standardize
 * or log; it is interpreted in double precision. */
#include "cli/results/forward.h"
#include "cli/results/units.h"
#include "cli/results/journal.h"
#include "ir/base/display.h"
#include "runtime/program/states.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH_MAX = 1024, COLUMNS_EACH = 8 };

typedef struct {
    Session *session;
    const Forward *forward;
    const Graph *graph;
    Interp *interp;
    int64_t batch;
    bool *missing; /* [node]: it depends on a field that the data do not have */
    /* [row of the batch]: a cell is missing in a field of whole numbers */
    bool *absent;
} UnitConversion;

/* -- the inputs of the graph -- */

static Predictions *predictions_of(const UnitConversion *conversion, const char *symbol) {
    const char *name = strchr(symbol, ':') + 1;
    for (uint32_t i = 0; i < conversion->forward->output_count; i++)
        if (!strcmp(conversion->forward->outputs[i].output->name, name))
            return &conversion->forward->outputs[i];
    return NULL;
}

static void set_states(const UnitConversion *conversion) {
    for (uint32_t i = 0; i < conversion->graph->symbol_count; i++) {
        const Symbol *symbol = &conversion->graph->symbols[i];
        if (symbol->kind != SYMBOL_STATE || !symbol->node) continue;
        int64_t count = shape_elements(symbol->shape);
        float *values = ARENA_ARRAY(conversion->session->arena, float, count);
        double *to = interp_value(conversion->interp, symbol->node);
        states_read(conversion->session->states, symbol->name, values);
        for (int64_t k = 0; k < count; k++) to[k] = (double)values[k];
    }
}

static void put_element(void *to, DType dtype, int64_t at, double value) {
    if (dtype == DTYPE_F32)
        ((double *)to)[at] = value;
    else if (dtype == DTYPE_I32)
        ((int32_t *)to)[at] = (int32_t)value;
    else
        ((uint8_t *)to)[at] = (uint8_t)value;
}

/* Sets a field for `count` rows: numbers with all digits of the file, text as its codes. */
static void set_rows(const UnitConversion *conversion, const Symbol *symbol, int64_t first,
                     int64_t count) {
    const void *data;
    ExactNumber *numbers = dataset_numbers(conversion->session->dataset, symbol->name,
                                           conversion->forward->rows + first, count);
    const SourceField *field = dataset_find(conversion->session->dataset, symbol->name, &data);
    int64_t width = shape_inner(symbol->shape, 0);
    void *to = interp_value(conversion->interp, symbol->node);
    for (int64_t i = 0; field && i < count * width; i++) {
        int64_t at = conversion->forward->rows[first + i / width] * width + i % width;
        double value = numbers ? numbers[i].number : dtype_element(field->dtype, data, at);
        /* in new rows a column of whole numbers may have gaps and fractions */
        bool absent =
            symbol->dtype != DTYPE_F32 && (!(fabs(value) <= INT32_MAX) || value != trunc(value));
        conversion->absent[i / width] |= absent;
        put_element(to, symbol->dtype, i, absent ? 0 : value);
    }
    free(numbers);
}

/* Reads the values of a fitted transform, by "y.standardize.mean". */
static void set_fitted(const UnitConversion *conversion, const char *name, double *to) {
    uint32_t count;
    const FittedColumn *all = dataset_fitted(conversion->session->dataset, &count);
    size_t length = strlen(name) - strlen(strrchr(name, '.'));
    bool deviation = !strcmp(name + length, ".deviation");
    for (uint32_t i = 0; i < count; i++)
        if (strlen(all[i].name) == length && !strncmp(all[i].name, name, length))
            for (int64_t k = 0; k < shape_elements(all[i].row); k++)
                to[k] = deviation ? all[i].deviation[k] : all[i].values[k].number;
}

/* Sets an input called "number:1700000001" or "fitted:y.standardize.mean"; false: it has another
 * name. */
static bool set_number(const UnitConversion *conversion, const Symbol *symbol) {
    double *to = interp_value(conversion->interp, symbol->node);
    const char *what = strchr(symbol->name, ':') + 1;
    bool number = !strncmp(symbol->name, UNITS_NUMBER ":", strlen(UNITS_NUMBER ":")),
         fitted = !strncmp(symbol->name, UNITS_FITTED ":", strlen(UNITS_FITTED ":"));
    if (number) *to = strtod(what, NULL);
    if (fitted) set_fitted(conversion, what, to);
    return number || fitted;
}

static void set_batch(const UnitConversion *conversion, int64_t first, int64_t count) {
    memset(conversion->absent, 0, (size_t)conversion->batch * sizeof *conversion->absent);
    for (uint32_t i = 0; i < conversion->graph->symbol_count; i++) {
        const Symbol *symbol = &conversion->graph->symbols[i];
        if (!symbol->node) continue;
        if (symbol->kind == SYMBOL_BATCH) set_rows(conversion, symbol, first, count);
        if (symbol->kind == SYMBOL_VALUE && !set_number(conversion, symbol)) {
            const Predictions *predictions = predictions_of(conversion, symbol->name);
            double *to = interp_value(conversion->interp, symbol->node);
            for (int64_t j = 0; predictions && j < count * predictions->width; j++)
                to[j] = (double)predictions->values[first * predictions->width + j];
        }
    }
}

/* -- the outputs of the graph -- */

static bool *find_missing(const UnitConversion *conversion) {
    const Graph *graph = conversion->graph;
    const void *data;
    bool *missing = ARENA_ARRAY(conversion->session->arena, bool, graph->node_count);
    for (NodeId id = 1; id < graph->node_count; id++) {
        const Node *node = graph_node(graph, id);
        const Symbol *symbol = node->op == OP_input ? &graph->symbols[node->attrs.symbol] : NULL;
        missing[id] = symbol && symbol->kind == SYMBOL_BATCH &&
                      !dataset_find(conversion->session->dataset, symbol->name, &data);
        for (uint32_t i = 0; i < node->operand_count; i++)
            missing[id] |= missing[node->operands[i]];
    }
    return missing;
}

static void take_output(const UnitConversion *conversion, const Output *output, int64_t first,
                        int64_t count) {
    Predictions *predictions = predictions_of(conversion, output->name);
    if (!predictions || conversion->missing[output->node]) return;
    size_t what = strcspn(output->name, ":");
    double **place = &predictions->truths;
    if (strncmp(output->name, UNITS_TRUTH, what) != 0) place = &predictions->targets;
    if (!strncmp(output->name, UNITS_PREDICTION, what)) place = &predictions->units;
    int64_t width = predictions->width;
    const double *from = interp_value(conversion->interp, output->node);
    if (!*place) *place = ARENA_ARRAY(conversion->session->arena, double, predictions->rows *width);
    for (int64_t i = 0; i < count * width; i++) {
        bool absent = place != &predictions->units && conversion->absent[i / width];
        (*place)[first * width + i] = absent ? NAN : from[i];
    }
}

static void run_batches(UnitConversion *conversion) {
    set_states(conversion);
    for (int64_t first = 0; first < conversion->forward->count; first += conversion->batch) {
        int64_t left = conversion->forward->count - first,
                count = left < conversion->batch ? left : conversion->batch;
        set_batch(conversion, first, count);
        interp_run(conversion->interp);
        for (uint32_t i = 0; i < conversion->graph->output_count; i++)
            take_output(conversion, &conversion->graph->outputs[i], first, count);
    }
}

bool units_keep(Session *session) {
    const ModelInfo *info = session->build.info;
    bool converted = false;
    for (uint32_t i = 0; i < info->output_count; i++)
        converted |= info->outputs[i].target.converted;
    Graph *graph =
        converted ? model_graph(session->build.model, GRAPH_UNITS, 1, session->build.diag) : NULL;
    if (graph) states_keep(session->states, graph);
    graph_free(graph);
    return graph || !converted;
}

bool units_run(Session *session, const Forward *forward) {
    bool any_target = false;
    for (uint32_t i = 0; i < forward->output_count; i++)
        any_target |= forward->outputs[i].output->target.width > 0;
    if (!any_target || !forward->count) return true;
    UnitConversion conversion = {.session = session, .forward = forward};
    conversion.batch = forward->count < BATCH_MAX ? forward->count : BATCH_MAX;
    Graph *graph = model_graph(session->build.model, GRAPH_UNITS, (uint32_t)conversion.batch,
                               session->build.diag);
    if (!graph) return false;
    conversion.graph = graph;
    conversion.interp = interp_new(graph, INTERP_F64);
    conversion.missing = find_missing(&conversion);
    conversion.absent = ARENA_ARRAY(session->arena, bool, conversion.batch);
    run_batches(&conversion);
    interp_free(conversion.interp);
    graph_free(graph);
    return true;
}

/* -- error measures -- */

/* The errors of values first, first + step, ... with a known truth: rmse = sqrt(mean((p - t)^2)),
 * mae = mean(|p - t|), r2 = 1 - sum((p - t)^2) / sum((t - mean(t))^2). */
static UnitErrors measure(const Predictions *predictions, int64_t first, int64_t step) {
    UnitErrors errors = {0};
    double sum = 0, squares = 0, absolute = 0, spread = 0;
    int64_t end = predictions->rows * predictions->width;
    for (int64_t i = first; i < end; i += step) {
        double truth = predictions->truths[i], error = predictions->units[i] - truth;
        if (isnan(truth)) continue;
        errors.count++;
        sum += truth;
        squares += error * error;
        absolute += fabs(error);
    }
    double count = (double)errors.count, mean = sum / count;
    for (int64_t i = first; i < end; i += step)
        if (!isnan(predictions->truths[i]))
            spread += (predictions->truths[i] - mean) * (predictions->truths[i] - mean);
    errors.rmse = errors.count ? sqrt(squares / count) : NAN;
    errors.mae = errors.count ? absolute / count : NAN;
    errors.r2 = spread > 0 ? 1 - squares / spread : NAN;
    return errors;
}

/* -- the errors of all outputs -- */

static void add_errors(UnitErrors *list, uint32_t *count, UnitErrors errors,
                       const Predictions *predictions, const char *name) {
    errors.output = predictions->output->name;
    errors.name = name;
    if (errors.count) list[(*count)++] = errors;
}

UnitErrors *units_errors(Arena *arena, const Predictions *outputs, uint32_t output_count,
                         uint32_t *count) {
    UnitErrors *list = ARENA_ARRAY(arena, UnitErrors, output_count * COLUMNS_EACH);
    *count = 0;
    for (uint32_t i = 0; i < output_count; i++)
        if (outputs[i].truths) {
            /* A wide target has one entry for all columns. */
            const Predictions *predictions = &outputs[i];
            const ModelTarget *target = &predictions->output->target;
            bool each = target->width <= COLUMNS_EACH;
            for (int64_t k = 0; k < target->width && each; k++)
                add_errors(list, count, measure(predictions, k, target->width), predictions,
                           target->names[k]);
            if (!each)
                add_errors(list, count, measure(predictions, 0, 1), predictions,
                           arena_format(arena, "%s... %s", target->names[0],
                                        target->names[target->width - 1]));
        }
    return list;
}

UnitErrors *units_measure(Session *session, Split split, uint32_t batch, uint32_t *count) {
    const ModelInfo *info = session->build.info;
    Forward forward = {batch, dataset_split(session->dataset, split),
                       dataset_rows(session->dataset, split),
                       ARENA_ARRAY(session->arena, Predictions, info->output_count), 0};
    for (uint32_t i = 0; i < info->output_count; i++)
        if (info->outputs[i].target.width)
            forward.outputs[forward.output_count++].output = &info->outputs[i];
    *count = 0;
    if (!forward.output_count || !forward.count) return ARENA_ARRAY(session->arena, UnitErrors, 0);
    if (!forward_run(session, GRAPH_EVAL, &forward) || !units_run(session, &forward)) return NULL;
    return units_errors(session->arena, forward.outputs, forward.output_count, count);
}

/* -- output -- */

/* "price", or "guess.price" if there are several outputs. */
const char *units_name(Arena *arena, const UnitErrors *list, uint32_t count, uint32_t i) {
    bool several = false;
    for (uint32_t k = 0; k < count; k++) several |= strcmp(list[k].output, list[i].output) != 0;
    return several ? arena_format(arena, "%s.%s", list[i].output, list[i].name) : list[i].name;
}

void units_print(Arena *arena, const UnitErrors *list, uint32_t count) {
    char rmse[NUMBER_TEXT], mae[NUMBER_TEXT], r2[NUMBER_TEXT];
    int width = 0;
    for (uint32_t i = 0; i < count; i++) {
        const char *name = units_name(arena, list, count, i);
        int columns = (int)display_columns(name, display_fitting(name, CLASS_WIDTH));
        if (columns > width) width = columns;
    }
    for (uint32_t i = 0; i < count; i++) {
        fputs("  ", stdout);
        terminal_cell(stdout, units_name(arena, list, count, i), -width, CLASS_WIDTH);
        printf("  rmse %-11s  mae %-11s  r2 %s\n", text_value(rmse, list[i].rmse, VALUE_DIGITS),
               text_value(mae, list[i].mae, VALUE_DIGITS), text_number(r2, list[i].r2));
    }
}

json_t *units_json(const UnitErrors *list, uint32_t count) {
    json_t *lines = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(
            lines,
            json_pack("{s:s, s:s, s:I, s:o, s:o, s:o, s:o}", "output", list[i].output, "column",
                      list[i].name, "count", (json_int_t)list[i].count, "rmse",
                      json_number(list[i].rmse), "mae", json_number(list[i].mae), "mse",
                      json_number(list[i].rmse * list[i].rmse), "r2", json_number(list[i].r2)));
    return lines;
}
