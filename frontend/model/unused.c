/* Warns of what a model defines and never uses: params, fields, inputs and variables, found by
 * their names, and weights, found in the graph. Names from imported files are not checked, as
 * several models may share such a file. */
#include "frontend/model/loading.h"

#include <string.h>

/* -- the names that an expression mentions -- */

static void mention(Names *seen, const char *name) { names_put(seen, name, (void *)name); }

static void mention_name(void *seen, const Expr *expr) {
    if (expr->kind == EXPR_NAME) mention(seen, expr->text);
}

static void mention_expr(Names *seen, const Expr *expr) { ast_visit(expr, mention_name, seen); }

static void mention_exprs(Names *seen, const Expr *first) {
    for (const Expr *expr = first; expr; expr = expr->next) mention_expr(seen, expr);
}

static void mention_limits(Names *seen, const Limits *limits) {
    if (!limits) return;
    mention_expr(seen, limits->choices);
    mention_expr(seen, limits->low);
    mention_expr(seen, limits->high);
}

static void mention_body(Names *seen, const StmtList *body) {
    for (const Stmt *stmt = body->first; stmt; stmt = stmt->next) {
        switch (stmt->kind) {
        case STMT_ASSIGN: mention_exprs(seen, stmt->assign.values.first); break;
        case STMT_FOR:
            mention_expr(seen, stmt->loop.over);
            mention_body(seen, &stmt->loop.body);
            break;
        case STMT_IF:
            for (const Arm *arm = stmt->branch.arms.first; arm; arm = arm->next) {
                mention_expr(seen, arm->condition);
                mention_body(seen, &arm->body);
            }
            mention_body(seen, &stmt->branch.otherwise);
            break;
        }
    }
}

static void mention_function(Names *seen, const Function *function) {
    for (const Formal *formal = function->formals.first; formal; formal = formal->next) {
        const Type *type = formal->type;
        if (type) mention_exprs(seen, type->shape.first);
        mention_limits(seen, formal->limits);
        mention_expr(seen, formal->value);
    }
    mention_expr(seen, function->value);
    mention_body(seen, &function->body);
    for (const NameNode *out = function->outs.first; out; out = out->next)
        mention(seen, out->name.text);
}

static void mention_item(Names *seen, const Item *item) {
    switch (item->kind) {
    case ITEM_USE: break;
    case ITEM_PARAM:
        mention_limits(seen, item->param.limits);
        mention_expr(seen, item->param.value);
        break;
    case ITEM_DEF:
    case ITEM_MODEL: mention_function(seen, &item->function); break;
    case ITEM_DATA:
    case ITEM_TRAIN:
        for (const Setting *setting = item->settings.first; setting; setting = setting->next)
            mention_expr(seen, setting->value);
        break;
    }
}

/* -- names that are mentioned nowhere -- */

static bool is_own(const Model *model, Span span) { return span.file == model->own_text->file; }

static void find_params(Model *model, const Names *seen) {
    for (const Item *item = model->items.first; item; item = item->next) {
        if (item->kind != ITEM_PARAM || !is_own(model, item->span) ||
            names_find(seen, item->param.name.text))
            continue;
        Warning *warning = warning_add(model, item->param.name.span, "the param '%s' is never used",
                                       item->param.name.text);
        if (override_find(model, item->param.name.text))
            warning->help = "its --set changes nothing";
    }
}

/* In the train block an output hides a field of the same name. */
static void find_hidden(Model *model, const Setting *setting, const Names *in_data) {
    const char *name = setting->name.text;
    bool is_output = false;
    for (const NameNode *out = model->network->definition->outs.first; out; out = out->next)
        is_output |= !strcmp(out->name.text, name);
    if (!is_output || network_has_input(model, name) || names_find(in_data, name)) return;
    warning_add(model, setting->name.span,
                "the field '%s' is hidden by the output '%s' of the model", name, name)
        ->help = "in the train block the name means the output; rename one of them to use both";
}

static void find_fields(Model *model, const Names *seen) {
    Names *in_data = names_new(model->arena);
    if (!is_own(model, model->data->span)) return;
    mention_item(in_data, model->data);
    for (const Setting *setting = model->data->settings.first; setting; setting = setting->next)
        if (setting->is_field) find_hidden(model, setting, in_data);
    for (const Setting *setting = model->data->settings.first; setting; setting = setting->next) {
        const char *name = setting->name.text;
        if (setting->is_field && !names_find(seen, name) && !network_has_input(model, name))
            warning_add(model, setting->name.span, "the field '%s' is never used", name)->help =
                arena_format(
                    model->arena,
                    "use it as an input, model %s(%s), or in the train block, or delete it",
                    model->network->name, name);
    }
}

static void find_inputs(Model *model) {
    Names *seen = names_new(model->arena);
    if (!is_own(model, model->network->span)) return;
    mention_function(seen, model->network->definition);
    for (const Formal *formal = model->network->formals->first; formal; formal = formal->next)
        if (!names_find(seen, formal->name.text))
            warning_add(model, formal->name.span, "the network does not use its input '%s'",
                        formal->name.text);
}

static bool mentions_any(const Names *seen, const Names *wanted) {
    for (uint32_t i = 0; i < names_count(wanted); i++)
        if (names_find(seen, names_all(wanted)[i])) return true;
    return false;
}

/* update, and all functions that call it. They change a state, so their results need not be
 * used. */
static const Names *functions_that_update(const Model *model) {
    Names *updating = names_new(model->arena);
    uint32_t before;
    mention(updating, "update");
    do {
        before = names_count(updating);
        for (const Item *item = model->items.first; item; item = item->next) {
            Names *seen = names_new(model->arena);
            if (item->kind != ITEM_DEF) continue;
            mention_function(seen, &item->function);
            if (mentions_any(seen, updating)) mention(updating, item->function.name.text);
        }
    } while (names_count(updating) > before);
    return updating;
}

/* Warns of variables that a statement assigns and no expression reads. There is no warning for a, b
 * = f(x), of which only one may be needed, and for names that begin with '_'. */
static void find_assigned(Model *model, const Names *seen, const Names *updating,
                          const Stmt *stmt) {
    Names *called = names_new(model->arena);
    mention_exprs(called, stmt->assign.values.first);
    if (stmt->assign.names.count != stmt->assign.values.count || mentions_any(called, updating))
        return;
    for (const NameNode *name = stmt->assign.names.first; name; name = name->next)
        if (*name->name.text != '_' && !names_find(seen, name->name.text))
            warning_add(model, name->name.span, "the variable '%s' is never used", name->name.text)
                ->covers = stmt->span;
}

static void find_variables(Model *model, const Names *seen, const Names *updating,
                           const StmtList *body) {
    for (const Stmt *stmt = body->first; stmt; stmt = stmt->next) {
        if (stmt->kind == STMT_ASSIGN) find_assigned(model, seen, updating, stmt);
        if (stmt->kind == STMT_FOR) find_variables(model, seen, updating, &stmt->loop.body);
        if (stmt->kind != STMT_IF) continue;
        for (const Arm *arm = stmt->branch.arms.first; arm; arm = arm->next)
            find_variables(model, seen, updating, &arm->body);
        find_variables(model, seen, updating, &stmt->branch.otherwise);
    }
}

void unused_find(Model *model) {
    Names *all = names_new(model->arena);
    for (const Item *item = model->items.first; item; item = item->next) mention_item(all, item);
    find_params(model, all);
    find_fields(model, all);
    find_inputs(model);
    const Names *updating = functions_that_update(model);
    for (const Item *item = model->items.first; item; item = item->next) {
        Names *seen = names_new(model->arena);
        if ((item->kind != ITEM_DEF && item->kind != ITEM_MODEL) || !is_own(model, item->span))
            continue;
        mention_function(seen, &item->function);
        find_variables(model, seen, updating, &item->function.body);
    }
}

/* -- weights that do nothing -- */

static void add_ancestors(const Model *model, const Graph *graph, NodeId node, bool *reached) {
    const bool *more = node ? graph_ancestors(model->arena, graph, node) : NULL;
    for (NodeId id = 1; more && id < graph->node_count; id++) reached[id] |= more[id];
}

/* Whether the layer is in the assignment of an unused variable, which has a warning already. */
static bool is_covered(const Model *model, Span span) {
    for (const Warning *warning = model->warnings; warning; warning = warning->next)
        if (warning->covers.file == span.file && warning->covers.begin <= span.begin &&
            span.end <= warning->covers.end)
            return true;
    return false;
}

/* Facts about each node. */
typedef struct {
    const bool *needed;  /* an output or the loss depends on the node */
    const bool *trained; /* the loss depends on it, or it needs no training */
    const bool *passed;  /* a gradient of the loss passes to it, or it needs no training */
} Reached;

/* The op between a weight and the loss at which the gradient ends. */
static const Node *gradient_end(const Model *model, const Graph *graph, NodeId weight,
                                const bool *passed) {
    bool *from = ARENA_ARRAY(model->arena, bool, graph->node_count);
    from[weight] = true;
    for (NodeId id = weight + 1; id < graph->node_count; id++) {
        const Node *node = graph_node(graph, id);
        for (uint32_t i = 0; i < node->operand_count; i++) from[id] |= from[node->operands[i]];
        if (from[id] && passed[id]) return node;
    }
    return NULL;
}

static void warn_of_layer(Model *model, const Graph *graph, const Symbol *symbol, const char *layer,
                          const Reached *reached) {
    Span span = graph_node(graph, symbol->node)->span;
    if (!reached->needed[symbol->node]) {
        warning_add(model, span,
                    "the layer '%s' is never used: no output and no loss depends on it", layer);
        return;
    }
    bool loss = reached->trained[symbol->node];
    const Node *end = loss ? gradient_end(model, graph, symbol->node, reached->passed) : NULL;
    Warning *warning = warning_add(
        model, span,
        loss ? "the layer '%s' is not trained: no gradient of the loss passes to it"
             : "the layer '%s' is not trained: an output depends on it, but the loss does not",
        layer);
    if (end) {
        warning->note = "no gradient passes through this";
        warning->note_span = end->span;
    }
    warning->help =
        "its weights keep their initial values; if that is intended, name it in 'freeze'";
}

/* Warns once for each layer, at its first weight. */
static void find_idle(Model *model, const Graph *graph, const Reached *reached) {
    Names *reported = names_new(model->arena);
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        /* "dense1" of "dense1.weight" */
        const char *dot = strrchr(symbol->name, '.');
        const char *layer =
            dot ? arena_copy_string(model->arena, symbol->name, (size_t)(dot - symbol->name))
                : symbol->name;
        if (!symbol->trainable || reached->passed[symbol->node] || names_find(reported, layer))
            continue;
        names_put(reported, layer, (void *)layer);
        if (!is_covered(model, graph_node(graph, symbol->node)->span))
            warn_of_layer(model, graph, symbol, layer, reached);
    }
}

void idle_weights_find(Model *model, const Graph *graph) {
    const Symbol *symbol;
    bool *needed = ARENA_ARRAY(model->arena, bool, graph->node_count),
         *trained = ARENA_ARRAY(model->arena, bool, graph->node_count), *passed = NULL;
    for (uint32_t i = 0; i < graph->output_count; i++) {
        bool loss = !strcmp(graph->outputs[i].name, "loss");
        add_ancestors(model, graph, graph->outputs[i].node, needed);
        if (loss) add_ancestors(model, graph, graph->outputs[i].node, trained);
        if (loss) passed = gradient_reach(model->arena, graph, graph->outputs[i].node);
    }
    for (uint32_t i = 0; i < model->info.output_count; i++)
        add_ancestors(model, graph, model->log->outputs[i], needed);
    for (uint32_t i = 0; i < graph->symbol_count;
         i++) /* given or frozen weights need no training */
        if ((symbol = &graph->symbols[i])->trainable && needed[symbol->node] &&
            (model->info.weights || model->options->weights_given ||
             layer_names_cover(model->arena, &model->globals.frozen, symbol->name)))
            trained[symbol->node] = passed[symbol->node] = true;
    find_idle(model, graph, &(Reached){needed, trained, passed});
}
