/* Builds the graphs of a model: evaluates its fields, network, loss and metrics. Those of a
 * training also get gradients and updates. */
#include "frontend/model/loading.h"

#include <string.h>

typedef struct {
    const Model *model;
    Evaluator *evaluator;
    Graph *graph;
    GraphKind kind;
    /* gets the targets of GRAPH_UNITS and the choices of GRAPH_CHOICES; may be NULL */
    ModelInfo *info;
} Lowering;

static const char *text_of(const Lowering *lowering, Value value) {
    return value_text(lowering->evaluator->arena, lowering->graph, value);
}

/* -- fields -- */

/* Evaluates all fields, also unused ones, so that their errors are found. */
static bool lower_all_fields(const Lowering *lowering) {
    const Names *fields = lowering->model->globals.fields;
    bool good = true;
    for (uint32_t i = 0; i < names_count(fields); i++)
        good &= evaluate_field(lowering->evaluator, names_all(fields)[i]).kind != VALUE_ERROR;
    return good;
}

/* -- the network -- */

enum { FIELDS_LISTED = 20 };

static void suggest_field(const Lowering *lowering, const char *name, const Names *fields) {
    Diagnostics *diag = lowering->evaluator->diag;
    if (diag_suggest(diag, name, names_all(fields), names_count(fields))) return;
    if (!names_count(fields))
        diag_help(diag, "the data block has no fields; write 'field %s = source.%s'", name, name);
    else
        diag_help(diag, "its fields are %s",
                  names_quoted(lowering->evaluator->arena, names_all(fields), names_count(fields),
                               FIELDS_LISTED));
}

/* The inputs of the model are the fields of their names. An input with a default need not be a
 * field. */
static bool model_inputs(const Lowering *lowering, Given *given, uint32_t *count) {
    bool good = true;
    for (const Formal *formal = lowering->model->network->formals->first; formal;
         formal = formal->next) {
        bool is_field = names_find(lowering->model->globals.fields, formal->name.text) != NULL;
        if (!is_field && !formal->value) {
            const Names *fields = lowering->model->globals.fields;
            if (evaluator_error(lowering->evaluator, formal->name.span,
                                "the model's input '%s' is not a field of the data block",
                                formal->name.text))
                suggest_field(lowering, formal->name.text, fields);
            good = false;
        }
        if (!is_field) continue;
        Value value = evaluate_field(lowering->evaluator, formal->name.text);
        given[(*count)++] = (Given){formal->name.text, formal->name.span, value, formal->name.span};
        good &= value.kind != VALUE_ERROR;
    }
    return good;
}

static bool check_output(const Lowering *lowering, const Name *name, Value value) {
    bool rows = value.kind == VALUE_TENSOR &&
                tensor_node(lowering->evaluator, value)->shape.rank > 0 &&
                tensor_node(lowering->evaluator, value)->shape.dim[0] == lowering->evaluator->batch;
    if (!rows && value.kind != VALUE_ERROR)
        evaluator_error(
            lowering->evaluator, name->span,
            "output '%s' of the model must have a row for each row of the batch, not be %s",
            name->text, text_of(lowering, value));
    return rows;
}

/* The input that takes the place of an output of the network. */
static Value given_output(const Lowering *lowering, const char *name, Value output) {
    const Node *node = tensor_node(lowering->evaluator, output);
    return value_tensor(
        graph_input(lowering->graph, SYMBOL_BATCH,
                    arena_format(lowering->evaluator->arena, GIVEN_OUTPUT ":%s", name), node->dtype,
                    node->shape));
}

/* Evaluates the network and puts its outputs into the scope of the train block. A wrong output
 * becomes an error value, so that the train block can be checked nevertheless. */
static bool lower_network(const Lowering *lowering) {
    Evaluator *evaluator = lowering->evaluator;
    const Callable *network = lowering->model->network;
    Given *given = ARENA_ARRAY(evaluator->arena, Given, network->formals->count);
    uint32_t count = 0, i = 0;
    bool good = model_inputs(lowering, given, &count);
    evaluator->phase = PHASE_MODEL;
    Value value =
        good ? evaluate_invoke(evaluator, network, given, count, network->span) : value_error();
    for (const NameNode *out = network->definition->outs.first; out; out = out->next, i++) {
        Value output = value.kind == VALUE_LIST ? value.list.items[i] : value;
        if (!check_output(lowering, &out->name, output)) output = value_error();
        good &= output.kind != VALUE_ERROR;
        if (lowering->kind == GRAPH_GIVEN && output.kind != VALUE_ERROR)
            output = given_output(lowering, out->name.text, output);
        scope_put(evaluator, out->name.text, output);
        if (evaluator->log)
            evaluator->log->outputs[i] = output.kind == VALUE_TENSOR ? output.node : NODE_NONE;
    }
    return good;
}

/* -- loss and metrics -- */

/* Help for `metrics = accuracy` and `metrics = "accuracy"`, which should be accuracy(logits,
 * label). */
static bool help_call(const Lowering *lowering, Value value) {
    const Names *functions = lowering->evaluator->globals->library->functions;
    const char *name = value.kind == VALUE_STRING     ? value.text
                       : value.kind == VALUE_FUNCTION ? value.function->name
                                                      : NULL;
    if (!name) return false;
    const char *near = names_find(functions, name) || value.kind == VALUE_FUNCTION
                           ? name
                           : diag_nearest(name, names_all(functions), names_count(functions));
    const NameNode *out = lowering->model->network->definition->outs.first;
    if (near)
        diag_help(lowering->evaluator->diag,
                  "it is a function: call it with an output and a label, %s(%s, ...)", near,
                  out ? out->name.text : "y");
    else
        diag_help(lowering->evaluator->diag,
                  "for example cross_entropy(%s, label); 'mlc explain' lists losses and metrics",
                  out ? out->name.text : "y");
    return true;
}

static Value scalar_of(const Lowering *lowering, const Expr *expr, Value value, const char *what) {
    Evaluator *evaluator = lowering->evaluator;
    if (value.kind == VALUE_ERROR) return value;
    bool scalar = value.kind == VALUE_TENSOR && tensor_node(evaluator, value)->shape.rank == 0;
    if (!scalar) {
        if (evaluator_error(evaluator, expr->span,
                            "%s must be one number made from tensors, not %s", what,
                            text_of(lowering, value)) &&
            !help_call(lowering, value) && value.kind == VALUE_TENSOR)
            diag_help(evaluator->diag, "use mean(...) to get one number");
        return value_error();
    }
    return value_tensor(tensor_f32(evaluator, value));
}

/* A metric is one number, or the matrix of split_counts, which is known only for a whole split. */
static bool lower_metric(const Lowering *lowering, const Expr *expr, uint32_t number) {
    Evaluator *evaluator = lowering->evaluator;
    const char *name = lowering->model->info.metrics[number];
    evaluator->metric = name;
    evaluator->split_means = 0;
    evaluator->counts = evaluator->fraction = NODE_NONE;
    Value value = evaluate(evaluator, expr);
    bool counts = value.kind == VALUE_TENSOR && value.node == evaluator->counts;
    if (!counts) value = scalar_of(lowering, expr, value, "a metric");
    NodeId node = value.kind == VALUE_ERROR ? NODE_NONE : value.node;
    if (node && evaluator->finishing) node = metric_finish(evaluator, expr, node);
    evaluator->metric = NULL;
    if (counts && evaluator->log) evaluator->log->metric_counts[number] = evaluator->counted;
    bool fraction =
        node && node == evaluator->fraction && evaluator->truths % evaluator->batch == 0;
    if (fraction && evaluator->log)
        evaluator->log->answers[number] = evaluator->truths / evaluator->batch;
    if (!counts || evaluator->finishing) graph_output(lowering->graph, name, node);
    return node != NODE_NONE;
}

static bool lower_metrics(const Lowering *lowering) {
    const ModelInfo *info = &lowering->model->info;
    bool good = true;
    uint32_t i = 0;
    const Setting *setting = item_setting(lowering->model->train, "metrics");
    if (!setting) return true;
    const Expr *first =
        setting->value->kind == EXPR_LIST ? setting->value->elements.first : setting->value;
    for (const Expr *expr = first; expr && i < info->metric_count; expr = expr->next, i++)
        good &= lower_metric(lowering, expr, i);
    return good;
}

static NodeId lower_loss(const Lowering *lowering) {
    const Expr *expr = item_setting(lowering->model->train, "loss")->value;
    Value value = scalar_of(lowering, expr, evaluate(lowering->evaluator, expr), "the loss");
    if (value.kind == VALUE_ERROR) return NODE_NONE;
    graph_output(lowering->graph, "loss", value.node);
    return value.node;
}

/* -- the outputs of each kind of graph -- */

static NodeId output_node(const Lowering *lowering, const Name *name) {
    const Value *value = names_find(lowering->evaluator->scope->values, name->text);
    return value->node;
}

static void output_results(const Lowering *lowering) {
    for (const NameNode *out = lowering->model->network->definition->outs.first; out;
         out = out->next) {
        graph_output(lowering->graph, out->name.text, output_node(lowering, &out->name));
    }
}

static void output_units(const Lowering *lowering) {
    uint32_t count = 0;
    NodeId *outputs =
        ARENA_ARRAY(lowering->evaluator->arena, NodeId, lowering->model->info.output_count);
    for (const NameNode *out = lowering->model->network->definition->outs.first; out;
         out = out->next)
        outputs[count++] = output_node(lowering, &out->name);
    targets_lower(lowering->model, lowering->evaluator, outputs, lowering->info);
}

static bool output_fields(const Lowering *lowering) {
    const Names *fields = lowering->model->globals.fields;
    if (!lower_all_fields(lowering)) return false;
    for (uint32_t i = 0; i < names_count(fields); i++)
        graph_output(lowering->graph, names_all(fields)[i],
                     evaluate_field(lowering->evaluator, names_all(fields)[i]).node);
    return true;
}

static bool output_choices(const Lowering *lowering) {
    uint32_t count;
    const ComputedChoice *choices = choices_lower(lowering->evaluator, &count);
    if (lowering->info) {
        lowering->info->choices = choices;
        lowering->info->choice_count = count;
    }
    return true;
}

/* Adds the input of each transform as an output of the graph. */
static bool output_fit_inputs(const Lowering *lowering) {
    if (!lower_all_fields(lowering)) return false;
    for (const struct FitItem *item = lowering->evaluator->fits->last; item; item = item->before)
        if (item->input) graph_output(lowering->graph, item->fit.name, item->input);
    return true;
}

static bool lower_parts(const Lowering *lowering) {
    if (lowering->kind == GRAPH_FIT) return output_fit_inputs(lowering);
    if (lowering->kind == GRAPH_FIELDS) return output_fields(lowering);
    bool fields = !lowering->evaluator->log || lower_all_fields(lowering);
    bool network = lower_network(lowering);
    if (lowering->kind == GRAPH_PREDICT && network) output_results(lowering);
    if (lowering->kind == GRAPH_PREDICT) return network;
    if (lowering->kind == GRAPH_CHOICES) return network && output_choices(lowering);
    lowering->evaluator->phase = PHASE_TRAIN;
    if (lowering->kind == GRAPH_METRICS) return network && lower_metrics(lowering);
    if (lowering->kind == GRAPH_RATE)
        return network && lower_rate(lowering->model, lowering->evaluator);
    NodeId loss = lower_loss(lowering);
    if (network)
        present_keep_compared(lowering->evaluator, loss, lowering->model->info.output_count,
                              item_setting(lowering->model->train, "loss")->value->span);
    bool metrics = lower_metrics(lowering);
    if (lowering->kind == GRAPH_EVAL && network && loss && metrics) output_results(lowering);
    if (lowering->kind == GRAPH_UNITS && network && loss && metrics) output_units(lowering);
    bool updates = !graph_trains(lowering->kind) ||
                   lower_updates(lowering->model, lowering->evaluator, lowering->kind, loss);
    return fields && network && loss && metrics && updates;
}

/* Numbers the nodes anew, so that the graph does not depend on the order in which the C compiler
 * evaluates arguments. The graphs that do not run the network keep only the nodes that their
 * outputs need. */
static Graph *ordered(Graph *graph, GraphKind kind, Arena *arena) {
    if (kind != GRAPH_METRICS && kind != GRAPH_UNITS && kind != GRAPH_CHOICES &&
        kind != GRAPH_RATE && kind != GRAPH_GIVEN)
        return graph_in_order(graph, NULL, 0);
    NodeId *roots = ARENA_ARRAY(arena, NodeId, graph->output_count);
    for (uint32_t i = 0; i < graph->output_count; i++) roots[i] = graph->outputs[i].node;
    return graph_in_order(graph, roots, graph->output_count);
}

static Graph *lower_in(Arena *arena, const Model *model, GraphKind kind, uint32_t batch,
                       LayerLog *log, ModelInfo *info, Diagnostics *diag) {
    Graph *graph = graph_new(model->info.name, diag);
    Evaluator *evaluator = model_evaluator(model, arena, graph, batch, diag);
    evaluator->log = log;
    evaluator->training = graph_trains(kind);
    evaluator->finishing = kind == GRAPH_METRICS;
    if (log) log->fits = evaluator->fits;
    if (log) log->choices = evaluator->choices;
    size_t errors = diag_errors(diag);
    Lowering lowering = {model, evaluator, graph, kind, info};
    bool good = lower_parts(&lowering) && diag_errors(diag) == errors;
    if (good && !log)
        graph = ordered(graph, kind, arena); /* a log refers to nodes by their numbers */
    if (good && kind != GRAPH_TRAIN && graph_trains(kind)) graph = step_part(graph, kind, arena);
    if (good) return graph;
    graph_free(graph);
    return NULL;
}

Graph *lower(const Model *model, GraphKind kind, uint32_t batch, LayerLog *log, Diagnostics *diag) {
    Arena *scratch = arena_new();
    Graph *graph = lower_in(log ? model->arena : scratch, model, kind, batch, log, NULL, diag);
    arena_free(scratch);
    return graph;
}

/* Builds a graph only for the facts that it adds to ModelInfo. */
static void find_facts(Model *model, GraphKind kind) {
    graph_free(
        lower_in(model->arena, model, kind, model->info.batch, NULL, &model->info, model->diag));
}

void targets_find(Model *model) {
    bool any = false; /* whether an output may have a target: classes have none */
    for (uint32_t i = 0; i < model->info.output_count; i++)
        any |= !model->info.outputs[i].classes && !model->info.outputs[i].parts;
    if (any) find_facts(model, GRAPH_UNITS);
}

void choices_find(Model *model) {
    if (model->log->choices->count) find_facts(model, GRAPH_CHOICES);
}
