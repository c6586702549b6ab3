/* Evaluates the examples of the manual in a small model that has a field for each common shape: x,
 * logits, label, image, tokens... */
#include "frontend/manual/doc_entries.h"
#include "frontend/model/loading.h"
#include "frontend/syntax/syntax.h"

#include <ctype.h>
#include <string.h>

/* No field has an axis of this size, so an axis of this size is the batch and is shown as N. */
enum { ROWS = 61 };

static const char *const kinds[] = {"flat", "house", "villa"};
static const SourceField fields[] = {
    {.name = "x", .dtype = DTYPE_F32, .row = {.rank = 1, .dim = {8}}, .classes = 0},
    {.name = "target", .dtype = DTYPE_F32, .row = {.rank = 1, .dim = {8}}, .classes = 0},
    {.name = "logits", .dtype = DTYPE_F32, .row = {.rank = 1, .dim = {10}}, .classes = 0},
    {.name = "label", .dtype = DTYPE_U8, .row = {.rank = 0}, .classes = 10},
    {.name = "image", .dtype = DTYPE_F32, .row = {.rank = 3, .dim = {3, 32, 32}}, .classes = 0},
    {.name = "tokens", .dtype = DTYPE_F32, .row = {.rank = 2, .dim = {20, 16}}, .classes = 0},
    {.name = "ids", .dtype = DTYPE_I32, .row = {.rank = 1, .dim = {20}}, .classes = 1000},
    /* the rest are columns of the source, not fields of the model */
    {.name = "width", .dtype = DTYPE_F32, .is_column = true},
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
enum {
    COLUMN_COUNT = 4,
    SCHEMA_COUNT = sizeof fields / sizeof *fields,
    FIELD_COUNT = SCHEMA_COUNT - COLUMN_COUNT
};

static const char model_text[] =
    "mdl 1\n"
    "data {\n"
    "    source = mnist()\n"
    "    field x = source.x; field target = source.target; field logits = source.logits; field label = source.label\n"
    "    field image = source.image; field tokens = source.tokens; field ids = source.ids\n"
    "}\n"
    "model examples(x) -> y { y = dense(x, 1) }\n"
    "train { loss = mean(y); optimizer = sgd(0.1) }\n";

struct DocExamples {
    Model *model;
    Diagnostics *diag;
};

static bool give_fields(void *context, const DataSource *source, const SplitRequest *request,
                        Arena *arena, SourceSchema *schema, Diagnostics *diag) {
    (void)context, (void)source, (void)request, (void)arena, (void)diag;
    *schema = (SourceSchema){.fields = fields, .field_count = SCHEMA_COUNT};
    return true;
}

static bool give_classes(void *context, const DataSource *source, const SplitRequest *request,
                         const char *name, Span span, Arena *arena, SourceField *field,
                         Diagnostics *diag) {
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

DocExamples *doc_examples_open(Diagnostics *diag) {
    ModelOptions options = {.path = "example",
                            .text = model_text,
                            .length = sizeof model_text - 1,
                            .schema = give_fields,
                            .classes = give_classes};
    Model *model = model_load(&options, diag);
    if (!model) return NULL;
    DocExamples *examples = ARENA_NEW(model->arena, DocExamples);
    *examples = (DocExamples){model, diag};
    return examples;
}

void doc_examples_close(DocExamples *examples) {
    if (examples) model_free(examples->model);
}

const Library *doc_examples_library(const DocExamples *examples) {
    return examples->model->globals.library;
}

/* -- types in words -- */

/* "f32[N,8]": the type of a tensor, with N in place of the number of rows. */
static const char *type_text(Arena *arena, DType dtype, Shape shape) {
    char text[SHAPE_TEXT];
    shape_text(dtype, shape, text);
    if (shape.rank == 0 || shape.dim[0] != ROWS)
        return arena_copy_string(arena, text, strlen(text));
    size_t prefix = strcspn(text, "[") + 1;
    return arena_format(arena, "%.*sN%s", (int)prefix, text,
                        text + prefix + strcspn(text + prefix, ",]"));
}

static const char *joined(Arena *arena, const char *list, const char *item) {
    return *list ? arena_format(arena, "%s, %s", list, item) : item;
}

/* Whether a name stands in an example as a word. */
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
        return type_text(arena, graph_node(graph, value.node)->dtype,
                         graph_node(graph, value.node)->shape);
    if (value.kind == VALUE_BOUND) return "";
    if (value.kind != VALUE_LIST) return value_text(arena, graph, value);
    const char *list = "";
    for (uint32_t i = 0; i < value.list.count; i++)
        list = joined(arena, list, result_text(arena, graph, value.list.items[i]));
    return arena_format(arena, "[%s]", list);
}

/* -- evaluating -- */

static Phase phase_of(const char *section) {
    if (!strcmp(section, "Schedules")) return PHASE_TRAIN;
    if (!strcmp(section, "Splits")) return PHASE_SPLIT;
    return strcmp(section, "Tables") && strcmp(section, "Series") ? PHASE_MODEL : PHASE_DATA;
}

/* The fields of the example are in scope under their names, as a model's inputs are. */
static Value evaluate_text(const DocExamples *examples, Evaluator *evaluator, const DocEntry *entry,
                           DocExample *example) {
    const char *text = entry->example;
    uint32_t file = diag_add_text(examples->diag, entry->callee->name, text, strlen(text));
    const Expr *expr = syntax_read_expression(
        &(SyntaxInput){evaluator->arena, examples->diag, file, 0, text, strlen(text), NULL});
    for (int i = 0; i < FIELD_COUNT; i++) {
        if (!uses(text, fields[i].name)) continue;
        scope_put(evaluator, fields[i].name, evaluate_field(evaluator, fields[i].name));
        Shape shape = {.rank = fields[i].row.rank + 1, .dim = {ROWS}};
        memcpy(shape.dim + 1, fields[i].row.dim, (size_t)fields[i].row.rank * sizeof *shape.dim);
        example->inputs = joined(evaluator->arena, example->inputs,
                                 arena_format(evaluator->arena, "%s %s", fields[i].name,
                                              type_text(evaluator->arena, fields[i].dtype, shape)));
    }
    evaluator->phase = phase_of(entry->section);
    evaluator->field = "y";
    return expr ? evaluate(evaluator, expr) : value_error();
}

bool doc_example_evaluate(const DocExamples *examples, Arena *arena, const DocEntry *entry,
                          DocExample *example) {
    Graph *graph = graph_new("example", examples->diag);
    Evaluator *evaluator = model_evaluator(examples->model, arena, graph, ROWS, examples->diag);
    evaluator->training = true;
    evaluator->assigned_to = "y";
    evaluator->metric = "y";
    *example = (DocExample){.inputs = "", .result = ""};
    Value value = evaluate_text(examples, evaluator, entry, example);
    if (value.kind != VALUE_ERROR) example->result = result_text(arena, graph, value);
    for (NodeId id = 1; id < graph->node_count; id++)
        example->ops[graph_node(graph, id)->op] = true;
    graph_free(graph);
    return value.kind != VALUE_ERROR;
}
