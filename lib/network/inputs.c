/* Inputs and outputs: what they are, and how the caller's rows become a data set. */
#include "engine/session/answers.h"
#include "engine/session/field_uses.h"
#include "ir/base/memory.h"
#include "ir/data/derived.h"
#include "lib/network/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const SourceSchema *schema_of(const mlc_network *network) {
    return &network->session.build.info->schema;
}

/* -- descriptions -- */

static void set_shape(mlc_tensor *tensor, Shape shape) {
    tensor->rank = shape.rank;
    memcpy(tensor->shape, shape.dim, (size_t)shape.rank * sizeof *shape.dim);
    tensor->elements = shape_elements(shape);
}

static void describe_input(mlc_network *network, const SourceField *field, const FieldUse *use) {
    static const mlc_type types[] = {
        [PASS_U8] = MLC_U8, [PASS_I32] = MLC_I32, [PASS_F32] = MLC_F32, [PASS_F64] = MLC_F64};
    int i = network->input_count++;
    mlc_tensor *input = &network->inputs[i];
    input->name = field->name;
    input->type = types[field_passed(field, use)];
    input->classes = field->categories;
    input->class_count = field->category_count ? (int)field->category_count : field->classes;
    input->for_training = !use->by_network;
    set_shape(input, field->row);
    network->fields[i] = field;
    network->network_input_count += use->by_network;
}

/* What the interface does not take: windows of a series, which are no single rows, and dates that
 * are text. */
static bool check_inputs(const mlc_network *network, const Graph *graph, Diagnostics *diag) {
    const SourceSchema *schema = schema_of(network);
    Arena *arena = network->session.arena;
    SourceRows window = {0, 0, 1};
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (!symbol_is_input(symbol)) continue;
        uint32_t count;
        Span span = graph_node(graph, symbol->node)->span;
        source_rows_add(&window, arena, schema, symbol->name);
        if (window.from || window.to) {
            diag_error(diag, STATUS_MODEL, span,
                       "the model reads windows of a series; the interface takes single rows");
            diag_help(diag, "'mlc predict' takes files with series");
            return false;
        }
        const uint32_t *fields = source_reads(schema, symbol->name, arena, &count);
        const Derived *derived = derived_find(arena, schema, symbol->name);
        for (uint32_t k = 0; k < count; k++) {
            if (!derived || !derived_reads_dates(derived, fields[k])) continue;
            diag_error(diag, STATUS_MODEL, span,
                       "the model reads dates from the text of '%s'; the interface takes numbers",
                       schema->fields[fields[k]].name);
            diag_help(diag, "let the data have the parts of the date as columns");
            return false;
        }
    }
    return true;
}

static const char *const *class_names(mlc_network *network, const ModelOutput *output, int count) {
    char number[NUMBER_TEXT];
    const char **names = ARENA_ARRAY(network->session.arena, const char *, count);
    for (int i = 0; i < count; i++) {
        const char *name = class_name(schema_of(network), output->label, i, number);
        names[i] = arena_copy_string(network->session.arena, name, strlen(name));
    }
    return names;
}

static bool describe_output(mlc_network *network, const Graph *graph, const ModelOutput *output,
                            Diagnostics *diag) {
    const Node *node = graph_node(graph, graph_output_node(graph, output->name));
    mlc_tensor *tensor = &network->outputs[network->output_count++];
    if (node->dtype != DTYPE_F32) {
        diag_error(diag, STATUS_MODEL, node->span, "the model's output '%s' is not f32",
                   output->name);
        return false;
    }
    tensor->name = output->name;
    tensor->type = MLC_F32;
    set_shape(tensor, shape_of(node->shape.rank - 1, &node->shape.dim[1]));
    tensor->class_count = output->is_binary ? 2 : output->classes ? (int)tensor->elements : 0;
    if (tensor->class_count) tensor->classes = class_names(network, output, tensor->class_count);
    return true;
}

bool network_describe(mlc_network *network, const Graph *predict, const Graph *step,
                      Diagnostics *diag) {
    const SourceSchema *schema = schema_of(network);
    const ModelInfo *info = network->session.build.info;
    Arena *arena = network->session.arena;
    FieldUse *uses = ARENA_ARRAY(arena, FieldUse, schema->field_count);
    if (!check_inputs(network, predict, diag) || (step && !check_inputs(network, step, diag)))
        return false;
    field_uses_add(uses, schema, predict, true, arena);
    if (step) field_uses_add(uses, schema, step, false, arena);
    network->inputs = ARENA_ARRAY(arena, mlc_tensor, schema->field_count);
    network->fields = ARENA_ARRAY(arena, const SourceField *, schema->field_count);
    for (int by_network = 1; by_network >= 0; by_network--)
        for (uint32_t i = 0; i < schema->field_count; i++)
            if (uses[i].read && uses[i].by_network == by_network)
                describe_input(network, &schema->fields[i], &uses[i]);
    network->outputs = ARENA_ARRAY(arena, mlc_tensor, info->output_count);
    for (uint32_t i = 0; i < info->output_count; i++)
        if (!describe_output(network, predict, &info->outputs[i], diag)) return false;
    return true;
}

/* -- data sets of the caller's rows -- */

static size_t type_bytes(mlc_type type) {
    return type == MLC_U8 ? 1 : type == MLC_F64 ? sizeof(double) : sizeof(float);
}

/* The place of an input among the fields of the schema. */
static uint32_t place_of(const mlc_network *network, uint32_t input) {
    return (uint32_t)(network->fields[input] - schema_of(network)->fields);
}

/* All fields of the schema, as names of columns count them; what is no input has no elements. */
static Dataset *make_dataset(const mlc_network *network, const Feed *feed, void *const *elements) {
    const SourceSchema *schema = schema_of(network);
    SourceField *fields = memory_array(schema->field_count + 1, sizeof *fields, "rows");
    memcpy(fields, schema->fields, schema->field_count * sizeof *fields);
    for (uint32_t i = 0; i < feed->count; i++)
        if (network->inputs[i].type >= MLC_F32) fields[place_of(network, i)].dtype = DTYPE_F32;
    Dataset *dataset = dataset_new(fields, schema->field_count, elements, feed->rows, NULL, schema);
    free(fields);
    if (network->fitted_count) dataset_set_fitted(dataset, network->fitted, network->fitted_count);
    return dataset;
}

static void make_arrays(const mlc_network *network, const Feed *feed, void **elements) {
    for (uint32_t i = 0; i < feed->count; i++) {
        const mlc_tensor *input = &network->inputs[i];
        size_t size = input->type == MLC_U8 ? 1 : sizeof(float);
        elements[place_of(network, i)] =
            memory_new((size_t)(feed->rows * input->elements) * size, "rows");
    }
}

/* A graph that reads only fields as they are keeps one data set for all batches. */
static bool is_plain(const mlc_network *network, const Feed *feed) {
    const SourceSchema *schema = schema_of(network);
    for (uint32_t i = 0; i < feed->graph->symbol_count; i++)
        if (symbol_is_input(&feed->graph->symbols[i]) &&
            !source_field(schema, feed->graph->symbols[i].name))
            return false;
    for (uint32_t i = 0; i < feed->count; i++)
        if (network->inputs[i].type == MLC_F64) return false;
    return true;
}

/* Whether the graph reads a field, as it is or in a formula. */
static bool reads(const mlc_network *network, const Feed *feed, const char *field) {
    const SourceSchema *schema = schema_of(network);
    for (uint32_t i = 0; i < feed->graph->symbol_count; i++) {
        const Symbol *symbol = &feed->graph->symbols[i];
        uint32_t count = 0;
        if (!symbol_is_input(symbol)) continue;
        if (!strcmp(symbol->name, field)) return true;
        const uint32_t *fields = source_reads(schema, symbol->name, network->session.arena, &count);
        for (uint32_t k = 0; k < count; k++)
            if (!strcmp(schema->fields[fields[k]].name, field)) return true;
    }
    return false;
}

static void find_checks(const mlc_network *network, Feed *feed) {
    const ModelInfo *info = network->session.build.info;
    Arena *arena = network->session.arena;
    feed->checks_classes = ARENA_ARRAY(arena, bool, info->class_use_count);
    feed->checks_present = ARENA_ARRAY(arena, bool, info->present_count);
    for (uint32_t i = 0; i < info->class_use_count; i++)
        feed->checks_classes[i] = reads(network, feed, info->class_uses[i].field);
    for (uint32_t i = 0; i < info->present_count; i++) {
        const Symbol *symbol = graph_symbol(feed->graph, info->presents[i].name);
        feed->checks_present[i] = symbol && symbol_is_input(symbol);
    }
}

/* The runners of a plain feed stay bound to its data set; the caller binds them. */
void feed_open(mlc_network *network, Feed *feed, const Graph *graph, int count) {
    feed->count = (uint32_t)count;
    feed->graph = graph;
    feed->elements = ARENA_ARRAY(network->session.arena, void *, schema_of(network)->field_count);
    find_checks(network, feed);
    if (!is_plain(network, feed)) return;
    make_arrays(network, feed, feed->elements);
    feed->dataset = make_dataset(network, feed, feed->elements);
}

/* -- the rows of a batch -- */

/* The first element of a whole number that is not from `least` to below `end`; -1: none. */
static int64_t outside(const mlc_tensor *input, const void *values, int64_t count, int64_t least,
                       int64_t end, int32_t *found) {
    for (int64_t i = 0; i < count; i++) {
        *found =
            input->type == MLC_U8 ? ((const uint8_t *)values)[i] : ((const int32_t *)values)[i];
        if (*found < least || *found >= end) return i;
    }
    return -1;
}

/* Text is a category, or -1 for none; other numbers of classes are those of the data. */
static bool check_numbers(const mlc_tensor *input, bool is_text, int64_t first, int64_t rows,
                          const void *values, Diagnostics *diag) {
    int32_t number;
    if (!input->class_count || input->type > MLC_I32) return true;
    int64_t at = outside(input, values, rows * input->elements, is_text ? -1 : 0,
                         input->class_count, &number);
    if (at < 0) return true;
    diag_error(diag, STATUS_DATA, (Span){0}, "row %lld: input '%s' is %d, but there are %d classes",
               (long long)(first + at / input->elements), input->name, number, input->class_count);
    diag_help(diag, is_text ? "classes are counted from 0; -1 is a text that is none of them"
                            : "classes are counted from 0");
    return false;
}

/* Copies the rows of an input; the rest of the batch repeats the first row. digits: [rows of the
 * batch], for the f64; NULL: there is none. */
static void copy_rows(const mlc_tensor *input, const char *from, int64_t rows, int64_t batch,
                      char *to, double *digits) {
    for (int64_t row = 0; row < batch; row++) {
        size_t width = (size_t)input->elements, size = width * type_bytes(input->type);
        const char *values = from + (size_t)(row < rows ? row : 0) * size;
        if (input->type != MLC_F64) {
            memcpy(to + (size_t)row * size, values, size);
            continue;
        }
        double *exact = digits + (size_t)row * width;
        memcpy(exact, values, size);
        for (size_t i = 0; i < width; i++)
            ((float *)(void *)to)[(size_t)row * width + i] = (float)exact[i];
    }
}

static bool take_input(const mlc_network *network, const Feed *feed, uint32_t index, int64_t first,
                       int64_t rows, const void *const *inputs, void *to, double *digits,
                       Diagnostics *diag) {
    const mlc_tensor *input = &network->inputs[index];
    const SourceField *field = network->fields[index];
    size_t size = (size_t)input->elements * type_bytes(input->type);
    const char *from = inputs ? inputs[index] : NULL;
    if (!from) {
        diag_error(diag, STATUS_USAGE, (Span){0}, "input '%s' is NULL", input->name);
        return false;
    }
    copy_rows(input, from + (size_t)first * size, rows, feed->rows, to, digits);
    return check_numbers(input, field->is_text, first, rows, to, diag);
}

/* Checks the data set of a feed that is not plain. Classes must be those of the model, and no
 * number that it needs may be missing. */
static bool check_computed(const mlc_network *network, const Feed *feed, const Dataset *dataset,
                           Diagnostics *diag) {
    const ModelInfo *info = network->session.build.info;
    for (uint32_t i = 0; i < info->present_count; i++)
        if (feed->checks_present[i] &&
            !dataset_check_present(dataset, info->presents[i].name, (Span){0}, diag))
            return false;
    for (uint32_t i = 0; i < info->class_use_count; i++)
        if (feed->checks_classes[i] &&
            !dataset_check_classes(dataset, info->class_uses[i].field, info->class_uses[i].columns,
                                   NULL, diag))
            return false;
    return true;
}

/* The first element of an input that is not below the number of columns that the model has for it;
 * -1: none. columns: for each element of a row; 0: any number will do. */
static int64_t find_misfit(const mlc_tensor *input, const void *values, int64_t rows,
                           const int64_t *columns) {
    for (int64_t i = 0; i < rows * input->elements; i++) {
        int64_t limit = columns[i % input->elements];
        double number = input->type == MLC_U8    ? ((const uint8_t *)values)[i]
                        : input->type == MLC_I32 ? ((const int32_t *)values)[i]
                                                 : (double)((const float *)values)[i];
        if (limit && !(number >= 0 && number < (double)limit)) return i;
    }
    return -1;
}

static const void *elements_of(const mlc_network *network, const Feed *feed, const char *name,
                               const mlc_tensor **input) {
    for (uint32_t i = 0; i < feed->count; i++) {
        *input = &network->inputs[i];
        if (!strcmp((*input)->name, name)) return feed->elements[place_of(network, i)];
    }
    return NULL;
}

/* Checks the elements of a plain feed; allocates nothing. */
static bool check_plain(const mlc_network *network, const Feed *feed, int64_t first, int64_t rows,
                        Diagnostics *diag) {
    const ModelInfo *info = network->session.build.info;
    const mlc_tensor *input;
    for (uint32_t i = 0; i < info->class_use_count; i++) {
        const ClassUse *use = &info->class_uses[i];
        const void *values = elements_of(network, feed, use->field, &input);
        int64_t at =
            values && feed->checks_classes[i] ? find_misfit(input, values, rows, use->columns) : -1;
        if (at < 0) continue;
        diag_error(diag, STATUS_DATA, (Span){0},
                   "row %lld: the model has no column for this number of '%s'",
                   (long long)(first + at / input->elements), input->name);
        return false;
    }
    for (uint32_t i = 0; i < info->present_count; i++) {
        const float *values = elements_of(network, feed, info->presents[i].name, &input);
        bool checked = values && feed->checks_present[i] && input->type == MLC_F32;
        for (int64_t k = 0; checked && k < rows * input->elements; k++) {
            if (!isnan(values[k])) continue;
            diag_error(diag, STATUS_DATA, (Span){0}, "row %lld: input '%s' is missing",
                       (long long)(first + k / input->elements), input->name);
            return false;
        }
    }
    return true;
}

static bool bind(const Dataset *dataset, Runner *const *runners, uint32_t count,
                 Diagnostics *diag) {
    for (uint32_t i = 0; i < count; i++)
        if (runners[i] && !runner_data(runners[i], dataset, diag)) return false;
    return true;
}

static Dataset *take_computed(const mlc_network *network, const Feed *feed, int64_t first,
                              int64_t rows, const void *const *inputs, Diagnostics *diag) {
    uint32_t fields = schema_of(network)->field_count;
    void **elements = memory_array(fields + 1, sizeof *elements, "rows");
    make_arrays(network, feed, elements);
    Dataset *dataset = make_dataset(network, feed, elements);
    bool good = true;
    for (uint32_t i = 0; i < feed->count && good; i++) {
        const mlc_tensor *input = &network->inputs[i];
        uint32_t place = place_of(network, i);
        double *digits = NULL;
        if (input->type == MLC_F64) {
            digits = memory_array((size_t)(feed->rows * input->elements), sizeof *digits, "rows");
            dataset_give_exact(dataset, place, digits);
        }
        good = take_input(network, feed, i, first, rows, inputs, elements[place], digits, diag);
    }
    free(elements);
    if (good) return dataset;
    dataset_free(dataset);
    return NULL;
}

static Dataset *take_plain(const mlc_network *network, const Feed *feed, int64_t first,
                           int64_t rows, const void *const *inputs, Diagnostics *diag) {
    for (uint32_t i = 0; i < feed->count; i++)
        if (!take_input(network, feed, i, first, rows, inputs, feed->elements[place_of(network, i)],
                        NULL, diag))
            return NULL;
    return check_plain(network, feed, first, rows, diag) ? feed->dataset : NULL;
}

Dataset *feed_begin(mlc_network *network, const Feed *feed, int64_t first, int64_t rows,
                    const void *const *inputs, Runner *const *runners, uint32_t runner_count,
                    Diagnostics *diag) {
    if (feed->dataset) return take_plain(network, feed, first, rows, inputs, diag);
    Dataset *dataset = take_computed(network, feed, first, rows, inputs, diag);
    if (dataset && check_computed(network, feed, dataset, diag) &&
        bind(dataset, runners, runner_count, diag))
        return dataset;
    if (dataset && first)
        diag_note(diag, (Span){0}, "rows are counted from row %lld on", (long long)first);
    dataset_free(dataset);
    return NULL;
}

bool feed_bind(const Feed *feed, Runner *const *runners, uint32_t count, Diagnostics *diag) {
    return !feed->dataset || bind(feed->dataset, runners, count, diag);
}

void feed_end(const Feed *feed, Dataset *dataset) {
    if (dataset != feed->dataset) dataset_free(dataset);
}
