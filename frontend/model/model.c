/* Loads a model: reads the text, collects its definitions, and checks everything by building its
 * graphs. */
#include "frontend/library/library.h"
#include "frontend/model/loading.h"
#include "frontend/syntax/syntax.h"
#include "ir/base/integers.h"

#include <string.h>

/* -- the definitions of the text -- */

static bool already(const Model *model, Span span, Span before, const char *what) {
    diag_error(model->diag, STATUS_MODEL, span, "%s is defined twice", what);
    diag_note(model->diag, before, "first defined here");
    return false;
}

/* Params and functions share one set of names. */
static bool claim_name(const Model *model, Names *claimed, const Name *name) {
    const Name *before = names_find(claimed, name->text);
    if (before)
        return already(model, name->span, before->span,
                       arena_format(model->arena, "'%s'", name->text));
    names_put(claimed, name->text, (void *)name);
    return true;
}

static Callable *callable_new(const Model *model, const Function *function) {
    Callable *callable = ARENA_NEW(model->arena, Callable);
    *callable = (Callable){.name = function->name.text,
                           .formals = &function->formals,
                           .definition = function,
                           .span = function->name.span};
    return callable;
}

enum { MAX_ARGUMENTS = 200 };

static bool check_function(const Model *model, const Function *function) {
    Names *seen = names_new(model->arena);
    bool good = function->formals.count <= MAX_ARGUMENTS && function->outs.count <= MAX_ARGUMENTS;
    if (!good)
        diag_error(model->diag, STATUS_MODEL, function->name.span,
                   "'%s' has more than %d inputs or outputs", function->name.text, MAX_ARGUMENTS);
    for (const Formal *formal = function->formals.first; formal; formal = formal->next)
        good &= claim_name(model, seen, &formal->name);
    seen = names_new(model->arena);
    for (const NameNode *out = function->outs.first; out; out = out->next)
        good &= claim_name(model, seen, &out->name);
    return good;
}

static bool collect_block(const Model *model, Item **block, Item *item, const char *what) {
    if (*block) return already(model, item->span, (*block)->span, what);
    *block = item;
    return true;
}

static bool collect_network(Model *model, const Item *item) {
    if (model->network)
        return already(model, item->function.name.span, model->network->span, "the model");
    Callable *network = callable_new(model, &item->function);
    network->is_network = true;
    model->network = network;
    model->globals.network = &item->function;
    return check_function(model, &item->function);
}

static bool collect_item(Model *model, Item *item, Names *claimed) {
    switch (item->kind) {
    case ITEM_USE: return true; /* the items of the file come after it */
    case ITEM_PARAM: return claim_name(model, claimed, &item->param.name);
    case ITEM_DEF:
        names_put(model->globals.functions, item->function.name.text,
                  callable_new(model, &item->function));
        return claim_name(model, claimed, &item->function.name) &&
               check_function(model, &item->function);
    case ITEM_MODEL: return collect_network(model, item);
    case ITEM_DATA: return collect_block(model, &model->data, item, "the data block");
    case ITEM_TRAIN: return collect_block(model, &model->train, item, "the train block");
    }
    return false;
}

static bool missing_block(const Model *model, const char *what, const char *example) {
    diag_error(model->diag, STATUS_MODEL, (Span){model->own_text->file, 0, 0},
               "there is no %s block", what);
    diag_help(model->diag, "%s", example);
    return false;
}

static bool collect(Model *model) {
    Names *claimed = names_new(model->arena);
    bool good = true;
    for (Item *item = model->items.first; item; item = item->next)
        good &= collect_item(model, item, claimed);
    if (!model->data)
        good = missing_block(model, "data",
                             "data { source = mnist() ... } names the data to learn from");
    if (!model->network)
        good = missing_block(model, "model", "model NAME(input) -> output { ... } is the network");
    if (!model->train)
        good =
            missing_block(model, "train", "train { loss = ... optimizer = ... } says how to train");
    return good;
}

/* -- the steps -- */

bool graph_trains(GraphKind kind) { return kind == GRAPH_TRAIN || kind >= GRAPH_SHARE; }

uint32_t model_batch(const ModelInfo *info, GraphKind kind) {
    return graph_trains(kind) ? info->batch / info->replicas : info->batch;
}

/* The rows of a full batch, at most all training rows, or of the largest share of it. */
static uint32_t full_batch(const Model *model) {
    const ModelInfo *info = &model->info;
    bool few = model->training_rows > 0 && model->training_rows < info->batch;
    return few ? (uint32_t)divide_up(model->training_rows, info->replicas)
               : info->batch / info->replicas;
}

Evaluator *model_evaluator(const Model *model, Arena *arena, Graph *graph, uint32_t batch,
                           Diagnostics *diag) {
    Evaluator *evaluator = ARENA_NEW(arena, Evaluator);
    evaluator->globals = &model->globals;
    evaluator->arena = arena;
    evaluator->diag = diag;
    evaluator->graph = graph;
    evaluator->batch = batch;
    evaluator->full_batch = full_batch(model);
    evaluator->fields = names_new(arena);
    evaluator->layer_counts = names_new(arena);
    evaluator->weights = names_new(arena);
    evaluator->fits = ARENA_NEW(arena, FitList);
    evaluator->choices = ARENA_NEW(arena, ChoiceList);
    evaluator->scope = scope_new(evaluator, false);
    evaluator->errors_told = diag_errors(diag);
    return evaluator;
}

/* Reads everything that does not need the network. The scratch graph is for tensors that a setting
 * builds by mistake. */
static bool read_settings(Model *model) {
    Graph *scratch = graph_new("settings", model->diag);
    Evaluator *evaluator = model_evaluator(model, model->arena, scratch, 1, model->diag);
    bool good = params_evaluate(model, evaluator);
    good = good && settings_read(model, evaluator) && freeze_read(model, evaluator) &&
           source_read(model, evaluator);
    model->info.clips_norm = model->clip_norm > 0;
    graph_free(scratch);
    return good;
}

/* Whether `b` has the states of `a`. A fitted state may be missing: `a` also has those of unused
 * fields. */
static bool states_equal(const Graph *a, const Graph *b, const Symbol **different) {
    for (uint32_t i = 0; i < a->symbol_count; i++) {
        const Symbol *symbol = &a->symbols[i], *other = graph_symbol(b, symbol->name);
        *different = symbol;
        if (symbol->kind != SYMBOL_STATE || (!other && symbol->init.kind == INIT_FITTED)) continue;
        if (!other || !shape_equal(symbol->shape, other->shape)) return false;
    }
    return true;
}

/* The smallest prime above the batch that divides no size of the graph. */
static uint32_t distinct_batch(const Graph *graph, uint32_t batch) {
    for (uint32_t prime = batch + 1;; prime++) {
        bool good = prime > 1;
        for (uint32_t i = 2; good && i <= prime / i; i++) good = prime % i != 0;
        for (NodeId id = 1; good && id < graph->node_count; id++)
            for (int axis = 0; axis < graph_node(graph, id)->shape.rank; axis++)
                good &= graph_node(graph, id)->shape.dim[axis] % prime != 0;
        if (good) return prime;
    }
}

/* The last batch of an epoch is smaller, so the model must work for any number of rows, with the
 * same weights. This is checked with a number of rows that divides no other size, so that the batch
 * axis is recognized. */
static bool check_other_batch(Model *model, const Graph *graph) {
    uint32_t batch = model->globals.distinct_batch;
    Graph *fields = lower(model, GRAPH_FIELDS, batch, NULL, model->diag); /* unused fields too */
    Graph *other = fields ? lower(model, GRAPH_TRAIN, batch, NULL, model->diag) : NULL;
    const Symbol *different;
    bool good = other && states_equal(graph, other, &different);
    bool strides = !fields || source_rows_of_graph(fields, model->arena, &model->info.schema,
                                                   &model->info.field_looks, model->diag);
    graph_free(fields);
    if (!strides) return graph_free(other), false;
    if (!other && !*model->globals.rows_crossed) {
        diag_note(model->diag, model->network->span,
                  "found with a batch of %u rows: the last batch of an epoch has another size",
                  batch);
        diag_help(model->diag, "write N where the number of rows in a batch is meant");
    } else if (other && !good) {
        diag_error(model->diag, STATUS_MODEL, graph_node(graph, different->node)->span,
                   "the shape of weight '%s' depends on the batch", different->name);
        diag_help(model->diag, "a weight cannot have N as a size");
    }
    good = good && random_rows_find(model, other);
    graph_free(other);
    return good;
}

/* Whether a state that evaluation has, too, changes in training although it is no weight. */
static bool updates_states(const Graph *training, const Graph *evaluation) {
    for (uint32_t i = 0; i < training->symbol_count; i++) {
        const Symbol *symbol = &training->symbols[i];
        if (symbol->update && !symbol->trainable && graph_symbol(evaluation, symbol->name))
            return true;
    }
    return false;
}

/* `training` must not decide which weights exist: evaluation needs the trained ones. */
static bool check_evaluation(Model *model, const Graph *graph) {
    Graph *other = lower(model, GRAPH_EVAL, model->globals.distinct_batch, NULL, model->diag);
    const Symbol *different;
    bool good = other && states_equal(other, graph, &different);
    if (good && !source_rows_of_graph(other, model->arena, &model->info.schema, &model->info.looks,
                                      model->diag))
        return graph_free(other), false;
    if (other) model->info.updates_states = updates_states(graph, other);
    if (!other && !*model->globals.rows_crossed) {
        diag_note(model->diag, model->network->span,
                  "found with training = false, which is how a model is evaluated");
    } else if (other && !good) {
        diag_error(model->diag, STATUS_MODEL, graph_node(other, different->node)->span,
                   "'%s' exists, or has this shape, only with one value of 'training'",
                   different->name);
        diag_help(model->diag, "define weights and states outside of 'if training'");
    }
    graph_free(other);
    return good;
}

/* The derived columns that the graph reads. Others are intermediate results of these. */
static void find_derived(Model *model, const Graph *graph) {
    const DerivedFields *known = model->info.schema.derived;
    const bool *live = graph_live(graph);
    DataUse *uses = ARENA_ARRAY(model->arena, DataUse, known->count);
    for (uint32_t i = 0; i < known->count; i++) {
        const Symbol *symbol = graph_symbol(graph, known->items[i]->name);
        if (symbol && live[symbol->node])
            uses[model->info.derived_count++] =
                (DataUse){known->items[i]->name, graph_node(graph, symbol->node)->span, false};
    }
    model->info.derived = uses;
}

static bool check_graphs(Model *model) {
    model->log = layer_log_new(model->arena, model->own_text->file, model->own_text->text);
    model->log->outputs = ARENA_ARRAY(model->arena, NodeId, model->info.output_count);
    model->info.counts = model->log->metric_counts =
        ARENA_ARRAY(model->arena, MetricCounts, model->info.metric_count);
    model->info.answers = model->log->answers =
        ARENA_ARRAY(model->arena, int64_t, model->info.metric_count);
    Graph *graph = lower(model, GRAPH_TRAIN, model->info.batch, model->log, model->diag);
    if (graph) model->globals.distinct_batch = distinct_batch(graph, model->info.batch);
    bool good = graph && check_other_batch(model, graph) && check_evaluation(model, graph) &&
                fields_check_rows(model) && metrics_check(model);
    if (good) labels_find(model, graph);
    if (good) class_numbers_find(model, graph);
    if (good) targets_find(model);
    if (good) choices_find(model);
    if (good) model->info.fits = fits_list(model->log->fits, model->arena, &model->info.fit_count);
    if (good) find_derived(model, graph);
    if (good) rounded_find(model, graph);
    if (good) warnings_find(model, graph);
    model->info.presents = model->log->presents;
    model->info.present_count = model->log->present_count;
    model->info.class_uses = model->log->class_uses;
    model->info.class_use_count = model->log->class_use_count;
    graph_free(graph);
    return good;
}

static bool load(Model *model) {
    if (!texts_read(model) || !collect(model)) return false;
    bool overridden = overrides_read(model);
    if (!settings_check_names(model) || !overridden || !outputs_name(model)) return false;
    for (const Setting *setting = model->data->settings.first; setting; setting = setting->next)
        if (setting->is_field)
            names_put(model->globals.fields, setting->name.text, (void *)setting);
    if (!augment_read(model)) return false;
    model->info.name = model->network->name;
    if (!read_settings(model)) return false;
    bool good = check_graphs(model);
    Graph *scratch = graph_new("settings", model->diag);
    good &=
        early_stopping_read(model, model_evaluator(model, model->arena, scratch, 1, model->diag));
    graph_free(scratch);
    if (!good) return false;
    model->info.resolved = texts_resolve(model);
    return true;
}

static Model *model_new(const ModelOptions *options, Diagnostics *diag) {
    Arena *arena = arena_new();
    Model *model = ARENA_NEW(arena, Model);
    model->arena = arena;
    model->diag = diag;
    model->options = options;
    model->rates_from = options->rates_from;
    model->rates_to = options->rates_to;
    model->texts = names_new(arena);
    model->info.replicas = 1;
    model->processes = 1;
    model->info.source.folder =
        options->folder ? arena_copy_string(arena, options->folder, strlen(options->folder))
                        : path_folder_of(arena, options->path);
    model->globals = (Globals){.library = library_get(),
                               .params = names_new(arena),
                               .functions = names_new(arena),
                               .fields = names_new(arena),
                               .source = &model->info.source,
                               .split = &model->info.split,
                               .schema = &model->info.schema,
                               .classes = options->classes,
                               .schema_context = options->schema_context,
                               .rows_crossed = ARENA_NEW(arena, bool)};
    return model;
}

Model *model_load(const ModelOptions *options, Diagnostics *diag) {
    Model *model = model_new(options, diag);
    if (load(model)) {
        model->options = NULL;
        return model;
    }
    model_free(model);
    return NULL;
}

void model_free(Model *model) {
    if (model) arena_free(model->arena);
}

void model_set_training_rows(Model *model, int64_t rows) { model->training_rows = rows; }

void model_set_process(Model *model, int rank, int processes) {
    model->rank = rank;
    model->processes = processes;
}

const ModelInfo *model_info(const Model *model) { return &model->info; }

const LayerInfo *model_layers(const Model *model, uint32_t *count) {
    return *count = model->log->count, model->log->layers;
}

Graph *model_graph(const Model *model, GraphKind kind, uint32_t batch, Diagnostics *diag) {
    return lower(model, kind, batch, NULL, diag);
}
