/* Collects the names of the model's inputs and outputs, and names its metrics. */
#include "frontend/model/loading.h"

#include <string.h>

enum { MAX_METRICS = 16 };

static bool name_outputs(Model *model, Names *taken) {
    const NameList *outs = &model->network->definition->outs;
    ModelOutput *outputs = ARENA_ARRAY(model->arena, ModelOutput, outs->count);
    for (const NameNode *out = outs->first; out; out = out->next) {
        outputs[model->info.output_count++] =
            (ModelOutput){.name = out->name.text, .span = out->name.span};
        names_put(taken, out->name.text, (void *)out->name.text);
        if (strcmp(out->name.text, "loss")) continue;
        diag_error(model->diag, STATUS_MODEL, out->name.span,
                   "an output of the model cannot be called 'loss'");
        return false;
    }
    model->info.outputs = outputs;
    return true;
}

/* A metric is named after its function: "accuracy"; the second one is "accuracy_2". */
static const char *metric_name(Model *model, const Expr *expr, Names *taken) {
    bool named = expr->kind == EXPR_CALL && expr->call.callee->kind == EXPR_NAME;
    const char *wanted = named ? expr->call.callee->text : "metric", *name = wanted;
    for (uint32_t i = 2; names_find(taken, name); i++)
        name = arena_format(model->arena, "%s_%u", wanted, i);
    names_put(taken, name, (void *)name);
    return name;
}

static bool name_metrics(Model *model, Names *taken) {
    const Setting *setting = item_setting(model->train, "metrics");
    if (!setting) return true;
    bool is_list = setting->value->kind == EXPR_LIST;
    const Expr *first = is_list ? setting->value->elements.first : setting->value;
    uint32_t count = is_list ? setting->value->elements.count : 1;
    if (count > MAX_METRICS) {
        diag_error(model->diag, STATUS_MODEL, setting->value->span,
                   "%u metrics; at most %d are allowed", count, MAX_METRICS);
        return false;
    }
    const char **names = ARENA_ARRAY(model->arena, const char *, count);
    for (const Expr *expr = first; expr; expr = expr->next)
        names[model->info.metric_count++] = metric_name(model, expr, taken);
    model->info.metrics = names;
    return true;
}

bool network_has_input(const Model *model, const char *name) {
    for (const Formal *formal = model->network->formals->first; formal; formal = formal->next)
        if (!strcmp(formal->name.text, name)) return true;
    return false;
}

bool outputs_name(Model *model) {
    Names *taken = names_new(model->arena);
    names_put(taken, "loss", "loss");
    const FormalList *formals = model->network->formals;
    const char **names = ARENA_ARRAY(model->arena, const char *, formals->count);
    for (const Formal *formal = formals->first; formal; formal = formal->next)
        names[model->info.input_count++] = formal->name.text;
    model->info.inputs = names;
    bool outputs = name_outputs(model, taken), metrics = name_metrics(model, taken);
    return outputs && metrics;
}
