/* From a model to a graph: fields, the network, the loss and metrics, and for training the gradients and updates. */
#include "frontend/model.h"

#include <string.h>

typedef struct {
    const Model *model;
    Evaluator *evaluator;
    Graph *graph;
    GraphKind kind;
} Lowering;

static const char *text_of(const Lowering *lowering, Value value) {
    return value_text(lowering->evaluator->arena, lowering->graph, value);
}

/* -- fields: evaluated when first asked for, so that a graph has no inputs that it does not use -- */

static Value field_in_progress = {.kind = VALUE_ERROR};

static Value evaluate_field_value(Evaluator *evaluator, const Setting *setting) {
    Evaluator saved = *evaluator;
    evaluator->phase = PHASE_DATA;
    evaluator->scope = scope_new(evaluator, false);
    evaluator->frame = NULL;
    Value value = evaluate(evaluator, setting->value);
    evaluator->phase = saved.phase;
    evaluator->scope = saved.scope;
    evaluator->frame = saved.frame;
    if (value.kind == VALUE_TENSOR && tensor_node(evaluator, value)->shape.rank > 0 &&
        tensor_node(evaluator, value)->shape.dim[0] == evaluator->batch)
        return value;
    if (value.kind != VALUE_ERROR &&
        evaluator_error(evaluator, setting->value->span, "field '%s' must have a row for each row of the data, not be %s",
                        setting->name.text, value_text(evaluator->arena, evaluator->graph, value)))
        diag_help(evaluator->diag, "fields are made from those of the source, such as 'source.image'");
    return value_error();
}

Value evaluate_field(Evaluator *evaluator, const char *name) {
    const Value *known = names_find(evaluator->fields, name);
    const Setting *setting = names_find(evaluator->globals->fields, name);
    if (known == &field_in_progress) {
        evaluator_error(evaluator, setting->value->span, "field '%s' depends on itself", name);
        return value_error();
    }
    if (known || !setting) return known ? *known : value_error();
    names_put(evaluator->fields, name, &field_in_progress);
    Value *value = ARENA_NEW(evaluator->arena, Value);
    *value = evaluate_field_value(evaluator, setting);
    names_put(evaluator->fields, name, value);
    return *value;
}

/* When checking, those that nothing uses are looked at too. */
static bool lower_all_fields(const Lowering *lowering) {
    const Names *fields = lowering->model->globals.fields;
    bool good = true;
    for (uint32_t i = 0; i < names_count(fields); i++)
        good &= evaluate_field(lowering->evaluator, names_all(fields)[i]).kind != VALUE_ERROR;
    return good;
}

/* -- the network -- */

static bool no_such_field(const Lowering *lowering, const Formal *formal) {
    const Names *fields = lowering->model->globals.fields;
    if (evaluator_error(lowering->evaluator, formal->name.span, "the model's input '%s' is no field of the data block",
                        formal->name.text))
        evaluator_suggest(lowering->evaluator, formal->name.text, names_all(fields), names_count(fields));
    return false;
}

/* The model's inputs are fields by name; one with a default may be something else. */
static bool model_inputs(const Lowering *lowering, Given *given, uint32_t *count) {
    bool good = true;
    for (const Formal *formal = lowering->model->network->formals->first; formal; formal = formal->next) {
        bool is_field = names_find(lowering->model->globals.fields, formal->name.text) != NULL;
        if (!is_field && !formal->value) good = no_such_field(lowering, formal);
        if (!is_field) continue;
        Value value = evaluate_field(lowering->evaluator, formal->name.text);
        given[(*count)++] = (Given){formal->name.text, formal->name.span, value, formal->name.span};
        good &= value.kind != VALUE_ERROR;
    }
    return good;
}

static bool check_output(const Lowering *lowering, const Name *name, Value value) {
    bool rows = value.kind == VALUE_TENSOR && tensor_node(lowering->evaluator, value)->shape.rank > 0 &&
                tensor_node(lowering->evaluator, value)->shape.dim[0] == lowering->evaluator->batch;
    if (!rows && value.kind != VALUE_ERROR)
        evaluator_error(lowering->evaluator, name->span,
                        "output '%s' of the model must have a row for each row of the batch, not be %s", name->text,
                        text_of(lowering, value));
    return rows;
}

/* Evaluates the network and puts its outputs into the scope of the train block; as errors, where it has any: the train block
 * is looked at nevertheless. */
static bool lower_network(const Lowering *lowering) {
    Evaluator *evaluator = lowering->evaluator;
    const Callable *network = lowering->model->network;
    Given *given = ARENA_ARRAY(evaluator->arena, Given, network->formals->count);
    uint32_t count = 0, i = 0;
    bool good = model_inputs(lowering, given, &count);
    evaluator->phase = PHASE_MODEL;
    Value value = good ? evaluate_invoke(evaluator, network, given, count, network->span) : value_error();
    for (const NameNode *out = network->definition->outs.first; out; out = out->next, i++) {
        Value output = value.kind == VALUE_LIST ? value.list.items[i] : value;
        if (!check_output(lowering, &out->name, output)) output = value_error();
        good &= output.kind != VALUE_ERROR;
        scope_put(evaluator, out->name.text, output);
    }
    return good;
}

/* -- loss and metrics -- */

static Value scalar_of(const Lowering *lowering, const Expr *expr, const char *what) {
    Evaluator *evaluator = lowering->evaluator;
    Value value = evaluate(evaluator, expr);
    if (value.kind == VALUE_ERROR) return value;
    bool scalar = value.kind == VALUE_TENSOR && tensor_node(evaluator, value)->shape.rank == 0;
    if (!scalar) {
        if (evaluator_error(evaluator, expr->span, "%s must be one number made from tensors, not %s", what,
                            text_of(lowering, value)) &&
            value.kind == VALUE_TENSOR)
            diag_help(evaluator->diag, "mean(...) makes one number of it");
        return value_error();
    }
    return value_tensor(tensor_f32(evaluator, value));
}

static bool lower_metrics(const Lowering *lowering) {
    const ModelInfo *info = &lowering->model->info;
    bool good = true;
    uint32_t i = 0;
    const Setting *setting = item_setting(lowering->model->train, "metrics");
    if (!setting) return true;
    const Expr *first = setting->value->kind == EXPR_LIST ? setting->value->elements.first : setting->value;
    for (const Expr *expr = first; expr && i < info->metric_count; expr = expr->next, i++) {
        Value value = scalar_of(lowering, expr, "a metric");
        good &= value.kind != VALUE_ERROR;
        if (value.kind != VALUE_ERROR) graph_output(lowering->graph, info->metrics[i], value.node);
    }
    return good;
}

static NodeId lower_loss(const Lowering *lowering) {
    Value value = scalar_of(lowering, item_setting(lowering->model->train, "loss")->value, "the loss");
    if (value.kind == VALUE_ERROR) return NODE_NONE;
    graph_output(lowering->graph, "loss", value.node);
    return value.node;
}

/* -- all of it -- */

static void output_results(const Lowering *lowering) {
    for (const NameNode *out = lowering->model->network->definition->outs.first; out; out = out->next) {
        const Value *value = names_find(lowering->evaluator->scope->values, out->name.text);
        graph_output(lowering->graph, out->name.text, value->node);
    }
}

static bool lower_parts(const Lowering *lowering) {
    bool fields = !lowering->evaluator->log || lower_all_fields(lowering);
    bool network = lower_network(lowering);
    if (lowering->kind == GRAPH_PREDICT && network) output_results(lowering);
    if (lowering->kind == GRAPH_PREDICT) return network;
    lowering->evaluator->phase = PHASE_TRAIN;
    NodeId loss = lower_loss(lowering);
    bool metrics = lower_metrics(lowering);
    if (lowering->kind == GRAPH_EVAL && network && loss && metrics) output_results(lowering);
    bool updates = lowering->kind != GRAPH_TRAIN || lower_updates(lowering->model, lowering->evaluator, loss);
    return fields && network && loss && metrics && updates;
}

Graph *lower(const Model *model, GraphKind kind, uint32_t batch, LayerLog *log, Diagnostics *diag) {
    Arena *scratch = log ? NULL : arena_new();
    Graph *graph = graph_new(model->info.name, diag);
    Evaluator *evaluator = model_evaluator(model, log ? model->arena : scratch, graph, batch, diag);
    evaluator->log = log;
    evaluator->training = kind == GRAPH_TRAIN;
    size_t errors = diag_errors(diag);
    Lowering lowering = {model, evaluator, graph, kind};
    bool good = lower_parts(&lowering) && diag_errors(diag) == errors;
    arena_free(scratch);
    if (good) return log ? graph : graph_in_order(graph, NULL, 0); /* the log names nodes */
    graph_free(graph);
    return NULL;
}
