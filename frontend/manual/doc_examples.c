/* Trying examples of the reference: a small model whose fields have the shapes that people meet, in which an example is
 * evaluated as if it stood there. */
#include "frontend/model/model.h"
#include "frontend/manual/doc_entries.h"
#include "frontend/syntax/syntax.h"

#include <ctype.h>
#include <string.h>

enum { ROWS = 61 }; /* no size of a field: an axis of this size is the batch */

static const char *const kinds[] = {"flat", "house", "villa"};
static const SourceField fields[] = {
    {.name = "x", .dtype = DTYPE_F32, .row = {.rank = 1, .dim = {8}}, .classes = 0},
    {.name = "target", .dtype = DTYPE_F32, .row = {.rank = 1, .dim = {8}}, .classes = 0},
    {.name = "logits", .dtype = DTYPE_F32, .row = {.rank = 1, .dim = {10}}, .classes = 0},
    {.name = "label", .dtype = DTYPE_U8, .row = {.rank = 0}, .classes = 10},
    {.name = "image", .dtype = DTYPE_F32, .row = {.rank = 3, .dim = {3, 32, 32}}, .classes = 0},
    {.name = "tokens", .dtype = DTYPE_F32, .row = {.rank = 2, .dim = {20, 16}}, .classes = 0},
    {.name = "ids", .dtype = DTYPE_I32, .row = {.rank = 1, .dim = {20}}, .classes = 1000},
    {.name = "width", .dtype = DTYPE_F32, .is_column = true}, /* these are columns of the source only */
    {.name = "height", .dtype = DTYPE_F32, .is_column = true},
    {.name = "kind",
     .dtype = DTYPE_I32,
     .classes = 3,
     .categories = kinds,
     .category_count = 3,
     .is_column = true,
     .is_text = true},
    {.name = "when", .dtype = DTYPE_I32, .is_column = true, .is_text = true},
};
enum { COLUMN_COUNT = 4, SCHEMA_COUNT = sizeof fields / sizeof *fields, FIELD_COUNT = SCHEMA_COUNT - COLUMN_COUNT };

static const char model_text[] =
    "mdl 1\n"
    "data {\n"
    "    source = mnist()\n"
    "    field x = source.x; field target = source.target; field logits = source.logits; field label = source.label\n"
    "    field image = source.image; field tokens = source.tokens; field ids = source.ids\n"
    "}\n"
    "model laboratory(x) -> y { y = dense(x, 1) }\n"
    "train { loss = mean(y); optimizer = sgd(0.1) }\n";

struct Laboratory {
    Model *model;
    Diagnostics *diag;
};

static bool give_fields(void *context, const DataSource *source, const SplitRequest *request, Arena *arena,
                        SourceSchema *schema, Diagnostics *diag) {
    (void)context, (void)source, (void)request, (void)arena, (void)diag;
    *schema = (SourceSchema){.fields = fields, .field_count = SCHEMA_COUNT};
    return true;
}

static bool give_classes(void *context, const DataSource *source, const SplitRequest *request, const char *name, Span span,
                         Arena *arena, SourceField *field, Diagnostics *diag) {
    static const int64_t numbers[] = {3, 4, 9};
    static const char *const names[] = {"3", "4", "9"};
    (void)context, (void)source, (void)request, (void)span, (void)diag;
    *field = (SourceField){.name = arena_copy_string(arena, name, strlen(name)),
                           .dtype = DTYPE_I32,
                           .classes = 3,
                           .categories = names,
                           .category_count = 3,
                           .numbers = numbers,
                           .is_text = true};
    return true;
}

Laboratory *laboratory_open(Diagnostics *diag) {
    ModelOptions options = {
        .path = "example", .text = model_text, .length = sizeof model_text - 1, .schema = give_fields, .classes = give_classes};
    Model *model = model_load(&options, diag);
    if (!model) return NULL;
    Laboratory *laboratory = ARENA_NEW(model->arena, Laboratory);
    *laboratory = (Laboratory){model, diag};
    return laboratory;
}

void laboratory_close(Laboratory *laboratory) {
    if (laboratory) model_free(laboratory->model);
}

const Library *laboratory_library(const Laboratory *laboratory) { return laboratory->model->globals.library; }

/* -- what goes in and comes out, in words -- */

static const char *type_text(Arena *arena, DType dtype, Shape shape) {
    char text[SHAPE_TEXT];
    shape_text(dtype, shape, text);
    if (shape.rank == 0 || shape.dim[0] != ROWS) return arena_copy_string(arena, text, strlen(text));
    size_t prefix = strcspn(text, "[") + 1;
    return arena_format(arena, "%.*sN%s", (int)prefix, text, text + prefix + strcspn(text + prefix, ",]"));
}

static const char *field_text(Arena *arena, const SourceField *field) {
    Shape shape = {.rank = field->row.rank + 1, .dim = {ROWS}};
    memcpy(shape.dim + 1, field->row.dim, (size_t)field->row.rank * sizeof *shape.dim);
    return arena_format(arena, "%s %s", field->name, type_text(arena, field->dtype, shape));
}

static const char *joined(Arena *arena, const char *list, const char *item) {
    return *list ? arena_format(arena, "%s, %s", list, item) : item;
}

const char *laboratory_inputs(Arena *arena) {
    const char *list = "";
    for (int i = 0; i < FIELD_COUNT; i++) list = joined(arena, list, field_text(arena, &fields[i]));
    return list;
}

static bool uses(const char *example, const char *name) {
    size_t length = strlen(name);
    for (const char *at = example; (at = strstr(at, name)); at++) {
        bool begins = at == example || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
        if (begins && !isalnum((unsigned char)at[length]) && at[length] != '_') return true;
    }
    return false;
}

static const char *result_text(Arena *arena, const Graph *graph, Value value) {
    if (value.kind == VALUE_TENSOR)
        return type_text(arena, graph_node(graph, value.node)->dtype, graph_node(graph, value.node)->shape);
    if (value.kind == VALUE_BOUND) return "";
    if (value.kind != VALUE_LIST) return value_text(arena, graph, value);
    const char *list = "";
    for (uint32_t i = 0; i < value.list.count; i++) list = joined(arena, list, result_text(arena, graph, value.list.items[i]));
    return arena_format(arena, "[%s]", list);
}

static void describe(Arena *arena, const Graph *graph, const char *example, Value value, Trial *trial) {
    *trial = (Trial){.inputs = "", .result = result_text(arena, graph, value)};
    for (int i = 0; i < FIELD_COUNT; i++)
        if (uses(example, fields[i].name)) trial->inputs = joined(arena, trial->inputs, field_text(arena, &fields[i]));
    for (NodeId id = 1; id < graph->node_count; id++) trial->ops[graph_node(graph, id)->op] = true;
}

/* -- trying -- */

/* The fields under their names, as a model's inputs are. */
static void give_inputs(Evaluator *evaluator, const char *example) {
    for (int i = 0; i < FIELD_COUNT; i++)
        if (uses(example, fields[i].name)) scope_put(evaluator, fields[i].name, evaluate_field(evaluator, fields[i].name));
}

static Phase phase_of(const char *section) {
    if (!strcmp(section, "Schedules")) return PHASE_TRAIN;
    if (!strcmp(section, "Splits")) return PHASE_SPLIT;
    return strcmp(section, "Tables") && strcmp(section, "Series") ? PHASE_MODEL : PHASE_DATA;
}

bool laboratory_try(const Laboratory *laboratory, Arena *arena, const Entry *entry, Trial *trial) {
    const char *example = entry->example;
    uint32_t file = diag_add_text(laboratory->diag, entry->callee->name, example, strlen(example));
    Graph *graph = graph_new("example", laboratory->diag);
    Evaluator *evaluator = model_evaluator(laboratory->model, arena, graph, ROWS, laboratory->diag);
    const Expr *expr = syntax_read_expression(&(SyntaxInput){arena, laboratory->diag, file, 0, example, strlen(example), NULL});
    evaluator->training = true;
    evaluator->assigned_to = "y";
    evaluator->metric = "y";
    give_inputs(evaluator, example);
    evaluator->phase = phase_of(entry->section);
    evaluator->field = "y";
    Value value = expr ? evaluate(evaluator, expr) : value_error();
    if (value.kind != VALUE_ERROR) describe(arena, graph, example, value, trial);
    graph_free(graph);
    return value.kind != VALUE_ERROR;
}
