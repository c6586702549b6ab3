/* Reads keep_best and stop_when. keep_best names the score by which the best epoch is chosen;
 * stop_when ends the training if a score does not improve. */
#include "frontend/model/loading.h"

#include <string.h>

/* -- are higher values of a metric better? -- */

typedef enum { UNKNOWN, HIGHER, LOWER } Direction;

static const struct {
    const char *function;
    Direction direction;
} known[] = {{"loss", LOWER},      {"accuracy", HIGHER},     {"top_k", HIGHER}, {"f1", HIGHER},
             {"r2", HIGHER},       {"cross_entropy", LOWER}, {"nll", LOWER},    {"mse", LOWER},
             {"rmse", LOWER},      {"mae", LOWER},           {"huber", LOWER},  {"bce", LOWER},
             {"bce_logits", LOWER}};

/* A metric is named after its function: "accuracy"; the second one is "accuracy_2". */
static Direction direction_of(const char *metric) {
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t length = strlen(known[i].function);
        const char *rest = metric + length;
        if (strncmp(metric, known[i].function, length)) continue;
        if (!*rest || (*rest == '_' && strspn(rest + 1, "0123456789") == strlen(rest + 1)))
            return known[i].direction;
    }
    return UNKNOWN;
}

/* The direction of highest(metric) or lowest(metric); *expr becomes the metric. */
static Direction written_direction(const Expr **expr) {
    const Expr *call = *expr;
    if (call->kind != EXPR_CALL || call->call.callee->kind != EXPR_NAME ||
        call->call.args.count != 1)
        return UNKNOWN;
    bool highest = !strcmp(call->call.callee->text, "highest");
    if (!highest && strcmp(call->call.callee->text, "lowest")) return UNKNOWN;
    *expr = call->call.args.first->value;
    return highest ? HIGHER : LOWER;
}

/* -- the metric -- */

/* The metric that an expression names: its name, or "loss"; NULL after an error. `what` begins the
 * message: "'keep_best'". */
static const char *read_metric(const Model *model, const Expr *expr, const char *what) {
    const ModelInfo *info = &model->info;
    const char *name = expr->kind == EXPR_NAME || expr->kind == EXPR_STRING ? expr->text : NULL;
    if (name && !strcmp(name, "loss")) return "loss";
    for (uint32_t i = 0; name && i < info->metric_count; i++) {
        if (strcmp(info->metrics[i], name)) continue;
        if (!info->counts[i].classes) return info->metrics[i];
        diag_error(model->diag, STATUS_MODEL, expr->span,
                   "%s must name a metric that is a number, and '%s' is a matrix", what, name);
        diag_help(model->diag, "use accuracy(...) or f1(...), which are numbers");
        return NULL;
    }
    diag_error(model->diag, STATUS_MODEL, expr->span,
               "%s must name one of the metrics, or the loss", what);
    const char *near = name ? diag_nearest(name, info->metrics, info->metric_count) : NULL;
    if (near)
        diag_help(model->diag, "did you mean '%s'?", near);
    else
        diag_help(model->diag, "define it in metrics = [...]");
    return NULL;
}

static bool read_score(const Model *model, const Expr *expr, const char *what, Score *score) {
    Direction direction = written_direction(&expr);
    const char *name = read_metric(model, expr, what);
    if (!name) return false;
    if (strcmp(name, "loss")) score->metric = name;
    if (direction == UNKNOWN) direction = direction_of(name);
    score->higher_is_better = direction == HIGHER;
    if (direction != UNKNOWN) return true;
    diag_error(model->diag, STATUS_MODEL, expr->span,
               "mlc does not know whether higher or lower values of '%s' are better", name);
    diag_help(model->diag, "write highest(%s) or lowest(%s)", name, name);
    return false;
}

/* -- when to stop -- */

/* The first argument is the name of a metric, not a value: it is not evaluated but returned in
 * *metric. */
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
    return evaluate_invoke(evaluator, names_find(evaluator->globals->library->functions, "no_gain"),
                           given, count, call->span);
}

static bool read_stop(Model *model, Evaluator *evaluator, const Expr *expr) {
    enum { PATIENCE = 1, GAIN = 2 };
    const Expr *metric = NULL;
    StopRule *stop = &model->info.stop;
    bool is_rule = expr->kind == EXPR_CALL && expr->call.callee->kind == EXPR_NAME &&
                   !strcmp(expr->call.callee->text, "no_gain");
    if (!is_rule) {
        diag_error(model->diag, STATUS_MODEL, expr->span, "'stop_when' must be a call of no_gain");
        diag_help(model->diag, "for example no_gain(loss, patience = 5)");
        return false;
    }
    Value value = bind_rule(evaluator, expr, &metric);
    if (value.kind == VALUE_ERROR ||
        !read_score(model, metric, "the first argument of no_gain", &stop->score))
        return false;
    stop->patience = (uint32_t)value.bound->args[PATIENCE].integer;
    stop->gain = value.bound->args[GAIN].real;
    return true;
}

bool early_stopping_read(Model *model, Evaluator *evaluator) {
    const Setting *best = item_setting(model->train, "keep_best"),
                  *stop = item_setting(model->train, "stop_when");
    bool good = !best || read_score(model, best->value, "'keep_best'", &model->info.keep_best);
    return (!stop || read_stop(model, evaluator, stop->value)) && good;
}
