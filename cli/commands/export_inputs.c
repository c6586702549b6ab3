/* The inputs of an exported network: the data that its symbols are computed from, and their names
 * in the file. */
#include "cli/commands/exporting.h"
#include "cli/results/journal.h"
#include "ir/data/run_clock.h"
#include "ir/ops/ops.h"

#include <ctype.h>
#include <string.h>

/* -- names -- */

/* Whether output `id` depends on a symbol. */
static bool depends(const Graph *graph, NodeId id, const char *symbol, Arena *arena) {
    bool *needed = ARENA_ARRAY(arena, bool, graph->node_count);
    needed[id] = true;
    for (; id > 0; id--) {
        const Node *node = graph_node(graph, id);
        if (!needed[id]) continue;
        if (node->op == OP_input && !strcmp(graph->symbols[node->attrs.symbol].name, symbol))
            return true;
        for (uint32_t i = 0; i < node->operand_count; i++) needed[node->operands[i]] = true;
    }
    return false;
}

/* The input of the model block that is computed from a symbol; NULL: none, or several. */
static const char *field_of(const OnnxFile *file, const Graph *fields, const char *symbol) {
    const ModelInfo *info = file->exporting->session.build.info;
    const char *found = NULL;
    uint32_t count = 0;
    for (uint32_t i = 0; i < fields->output_count; i++)
        for (uint32_t k = 0; k < info->input_count; k++) {
            const Output *field = &fields->outputs[i];
            if (strcmp(field->name, info->inputs[k]) ||
                !depends(fields, field->node, symbol, file->arena))
                continue;
            found = field->name;
            count++;
        }
    return count == 1 ? found : NULL;
}

/* A name as an identifier that no other input has. */
static const char *plain_name(const OnnxFile *file, const char *name) {
    char *plain = arena_copy_string(file->arena, name, strlen(name));
    const char *unique = plain;
    for (char *at = plain; *at; at++)
        if (!isalnum((unsigned char)*at)) *at = '_';
    for (uint32_t number = 2;; number++) {
        bool taken = false;
        for (uint32_t i = 0; i < file->wanted.input_count; i++)
            taken |= !strcmp(file->inputs[i].name, unique);
        if (!taken) return unique;
        unique = arena_format(file->arena, "%s_%u", plain, number);
    }
}

/* -- the list -- */

typedef struct {
    OnnxFile *file;
    const SourceSchema *schema;
    const Symbol *symbol;
    const char *field; /* the input of the model that is computed from the symbol; or NULL */
} InputSearch;

/* Finds the input of this key, or adds one called `name`. */
static const ExportInput *add_input(const InputSearch *search, const char *key, const char *name,
                                    OnnxType type) {
    OnnxFile *file = search->file;
    OnnxExport *wanted = &file->wanted;
    for (uint32_t i = 0; i < wanted->input_count; i++)
        if (!strcmp(file->inputs[i].key, key)) return &file->inputs[i];
    ExportInput input = {plain_name(file, name), key, search->symbol->node, type};
    ARENA_ROOM(file->arena, file->inputs, wanted->input_count, file->input_capacity);
    wanted->inputs = file->inputs;
    file->inputs[wanted->input_count] = input;
    return &file->inputs[wanted->input_count++];
}

/* Adds "INPUT.WHAT" to the metadata of the file, such as "kind.texts". */
static void describe_input(const InputSearch *search, const ExportInput *input, const char *what,
                           json_t *value) {
    export_entry(search->file, arena_format(search->file->arena, "%s.%s", input->name, what),
                 value);
}

/* Describes the texts of a column of text: the network reads their numbers. */
static void describe_texts(const InputSearch *search, const ExportInput *input,
                           const SourceField *field) {
    json_t *texts = json_array();
    for (uint32_t i = 0; field && i < field->category_count; i++)
        json_array_append_new(texts, json_text(field->categories[i]));
    if (json_array_size(texts))
        describe_input(search, input, "texts", texts);
    else
        json_decref(texts);
}

/* Adds a field of the source, or several columns side by side. */
static void add_fields(const InputSearch *search, const char *key, const uint32_t *fields,
                       uint32_t count, OnnxType type) {
    const SourceField *first = &search->schema->fields[*fields];
    if (count == 1) {
        describe_texts(search, add_input(search, key, first->name, type), first);
        return;
    }
    json_t *names = json_array();
    for (uint32_t i = 0; i < count; i++)
        json_array_append_new(names, json_text(search->schema->fields[fields[i]].name));
    const char *name = search->field ? search->field : "columns";
    describe_input(search, add_input(search, key, name, type), "columns", names);
}

/* Adds the real numbers from which a column is computed, as f64. */
static void add_leaves(const InputSearch *search, const Derived *derived) {
    if (derived->kind == DERIVED_COLUMNS) {
        DType dtype = search->schema->fields[*derived->fields].dtype;
        bool real = derived->is_list || dtype == DTYPE_F32;
        const char *key =
            onnx_input_key(search->file->arena, search->schema, search->symbol->name, derived);
        add_fields(search, key, derived->fields, derived->count,
                   real ? ONNX_DOUBLE : onnx_type(dtype));
    }
    for (int i = 0; i < derived_arity(derived->kind); i++) add_leaves(search, derived->args[i]);
}

static void add_symbol(const InputSearch *search, ExportColumn *columns) {
    Arena *arena = search->file->arena;
    SourceRows rows;
    const char *name = source_rows_of(search->symbol->name, &rows);
    const Derived *derived = derived_find(arena, search->schema, name);
    OnnxType type = onnx_type(search->symbol->dtype);
    uint32_t count;
    const uint32_t *fields = source_reads(search->schema, search->symbol->name, arena, &count);
    if (source_field(search->schema, name) ||
        source_columns_find(search->schema, name, arena, &count)) {
        add_fields(search, search->symbol->name, fields, count, type);
    } else if (derived && onnx_can_derive(derived)) {
        add_leaves(search, derived);
        columns[search->file->wanted.column_count++] =
            (ExportColumn){search->symbol->name, derived};
    } else {
        const char *only = count == 1 ? search->schema->fields[*fields].name : "column";
        const ExportInput *input =
            add_input(search, search->symbol->name, search->field ? search->field : only, type);
        describe_input(search, input, "formula", json_text(name));
        describe_texts(search, input, source_any(search->schema, name));
    }
}

/* Adds a number that a step of the training gets. The seed is that of the run. Every batch is a
 * step, so random numbers follow from the step. */
static void add_count(const InputSearch *search, ExportValue *values) {
    const char *name = search->symbol->name;
    RunClock clock = {.update = 1};
    bool draw = !strcmp(name, INPUT_DRAW);
    bool input = draw || !strcmp(name, INPUT_EPOCH) || !strcmp(name, INPUT_STEP) ||
                 !strcmp(name, INPUT_STEPS);
    run_clock_seed(&clock, search->file->exporting->session.build.info->seed);
    const char *key = draw ? INPUT_STEP : name;
    if (input) add_input(search, key, key, ONNX_INT32);
    if (draw || !input)
        values[search->file->wanted.value_count++] =
            (ExportValue){name, draw ? key : NULL, *run_clock_field(&clock, name)};
}

static bool list_fitted(OnnxFile *file) {
    uint32_t count;
    const FittedColumn *fitted = session_fitted(&file->exporting->session, &count);
    if (!fitted) return false;
    ExportFitted *list = ARENA_ARRAY(file->arena, ExportFitted, count);
    for (uint32_t i = 0; i < count; i++) {
        int64_t elements = shape_elements(fitted[i].row);
        double *values = ARENA_ARRAY(file->arena, double, elements);
        for (int64_t k = 0; k < elements; k++) values[k] = fitted[i].values[k].number;
        list[i] = (ExportFitted){fitted[i].name, fitted[i].row, values, fitted[i].deviation};
    }
    file->wanted.fitted = list;
    file->wanted.fitted_count = count;
    return true;
}

bool export_inputs(OnnxFile *file) {
    const Build *build = &file->exporting->session.build;
    const Graph *graph = file->graph;
    const bool *live = graph_live(graph);
    ExportColumn *columns = ARENA_ARRAY(file->arena, ExportColumn, graph->symbol_count);
    Graph *fields = model_graph(build->model, GRAPH_FIELDS, build->info->batch, build->diag);
    file->wanted.schema = &build->info->schema;
    file->wanted.columns = columns;
    ExportValue *values = ARENA_ARRAY(file->arena, ExportValue, graph->symbol_count);
    file->wanted.values = values;
    for (uint32_t i = 0; fields && i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        bool counts = symbol->kind == SYMBOL_VALUE && file->exporting->options->training;
        if ((symbol->kind != SYMBOL_BATCH && !counts) || !live[symbol->node]) continue;
        InputSearch search = {file, file->wanted.schema, symbol,
                              field_of(file, fields, symbol->name)};
        if (counts)
            add_count(&search, values);
        else
            add_symbol(&search, columns);
    }
    bool good = fields != NULL;
    graph_free(fields);
    return good && list_fitted(file);
}
