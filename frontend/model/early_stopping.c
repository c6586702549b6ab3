/* What the epochs of a training are compared by: which weights are kept as the best, and when to stop. */
#include "frontend/model/loading.h"

#include <string.h>

/* -- is more of a metric better? -- */

typedef enum { UNKNOWN, MORE, LESS } Direction;

static const struct {
    const char *function;
    Direction direction;
} known[] = {{"loss", LESS},          {"accuracy", MORE}, {"top_k", MORE},     {"f1", MORE},   {"r2", MORE},
             {"cross_entropy", LESS}, {"nll", LESS},      {"mse", LESS},       {"rmse", LESS}, {"mae", LESS},
             {"huber", LESS},         {"bce", LESS},      {"bce_logits", LESS}};

/* A metric is called as its function, the second one of that function with _2 behind it. */
static Direction direction_of(const char *metric) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t length = strlen(known[i].function);
        const char *rest = metric + length;
        if (strncmp(metric, known[i].function, length)) continue;
        if (!*rest || (*rest == '_' && strspn(rest + 1, "0123456789") == strlen(rest + 1))) return known[i].direction;
    }
    return UNKNOWN;
}

/* highest(metric) and lowest(metric) say it; *expr becomes the metric. */
static Direction said_direction(const Expr **expr) {
    const Expr *call = *expr;
    if (call->kind != EXPR_CALL || call->call.callee->kind != EXPR_NAME || call->call.args.count != 1) return UNKNOWN;
    bool more = !strcmp(call->call.callee->text, "highest");
    if (!more && strcmp(call->call.callee->text, "lowest")) return UNKNOWN;
    *expr = call->call.args.first->value;
    return more ? MORE : LESS;
}

/* -- the metric -- */

static bool no_metric(const Model *model, const Expr *expr, const char *what, const char *name) {
    diag_error(model->diag, STATUS_MODEL, expr->span, "%s must name one of the metrics, or the loss", what);
    if (!name || !diag_suggest(model->diag, name, model->info.metrics, model->info.metric_count))
        diag_help(model->diag, "metrics = [...] says which there are");
    return false;
}

static bool unknown_direction(const Model *model, const Expr *expr, const char *name) {
    diag_error(model->diag, STATUS_MODEL, expr->span, "it is not known whether more or less of '%s' is better", name);
    diag_help(model->diag, "write highest(%s) or lowest(%s)", name, name);
    return false;
}

static bool no_number(const Model *model, const Expr *expr, const char *what, const char *name) {
    diag_error(model->diag, STATUS_MODEL, expr->span, "%s must name a metric that is a number: '%s' is a matrix", what, name);
    diag_help(model->diag, "numbers that are made of the same counts are accuracy(...) and f1(...)");
    return false;
}

static bool read_judge(Model *model, const Expr *expr, const char *what, Judge *judge) {
    Direction direction = said_direction(&expr);
    bool named = expr->kind == EXPR_NAME || expr->kind == EXPR_STRING;
    const char *name = NULL;
    if (named && !strcmp(expr->text, "loss")) name = "loss";
    for (uint32_t i = 0; named && i < model->info.metric_count; i++) {
        if (strcmp(model->info.metrics[i], expr->text)) continue;
        if (model->info.counts[i].classes) return no_number(model, expr, what, expr->text);
        name = judge->metric = model->info.metrics[i];
    }
    if (!name) return no_metric(model, expr, what, named ? expr->text : NULL);
    if (direction == UNKNOWN) direction = direction_of(name);
    judge->more = direction == MORE;
    return direction != UNKNOWN || unknown_direction(model, expr, name);
}

/* -- when to stop -- */

static bool not_a_rule(const Model *model, const Expr *expr) {
    diag_error(model->diag, STATUS_MODEL, expr->span, "'stop_when' must be a call of no_gain");
    diag_help(model->diag, "for example no_gain(loss, patience = 5)");
    return false;
}

/* The metric's name is no value: it goes to the rule as it is written. */
static Value bind_rule(Evaluator *evaluator, const Expr *call, const Expr **metric) {
    Given *given = ARENA_ARRAY(evaluator->arena, Given, call->call.args.count);
    uint32_t count = 0;
    for (const Arg *arg = call->call.args.first; arg; arg = arg->next, count++) {
        bool names_metric = arg->name.text ? !strcmp(arg->name.text, "metric") : count == 0;
        if (names_metric) *metric = arg->value;
        Value value = names_metric ? value_string("") : evaluate(evaluator, arg->value);
        if (value.kind == VALUE_ERROR) return value;
        given[count] = (Given){arg->name.text, arg->name.span, value, arg->value->span};
    }
    return evaluate_invoke(evaluator, names_find(evaluator->globals->library->functions, "no_gain"), given, count, call->span);
}

static bool read_stop(Model *model, Evaluator *evaluator, const Expr *expr) {
    enum { PATIENCE = 1, GAIN = 2 };
    const Expr *metric = NULL;
    StopRule *stop = &model->info.stop;
    bool is_rule =
        expr->kind == EXPR_CALL && expr->call.callee->kind == EXPR_NAME && !strcmp(expr->call.callee->text, "no_gain");
    if (!is_rule) return not_a_rule(model, expr);
    Value value = bind_rule(evaluator, expr, &metric);
    if (value.kind == VALUE_ERROR || !read_judge(model, metric, "the first argument of no_gain", &stop->judge)) return false;
    stop->patience = (uint32_t)value.bound->args[PATIENCE].integer;
    stop->gain = value.bound->args[GAIN].real;
    return true;
}

bool judging_read(Model *model, Evaluator *evaluator) {
    const Setting *best = item_setting(model->train, "keep_best"), *stop = item_setting(model->train, "stop_when");
    bool good = !best || read_judge(model, best->value, "'keep_best'", &model->info.keep_best);
    return (!stop || read_stop(model, evaluator, stop->value)) && good;
}
