/* The optimizers of the train block: `optimizer`, and those of some layers,
 * `groups = [["conv*", sgd(0.01)], ["*.bias", adamw(1e-3, decay = 0)]]`. */
#include "frontend/model/loading.h"

#include <string.h>

static const NamesUse group_names = {"groups", "groups = [[\"conv*\", sgd(0.01)]]"};

/* Checks the learning rate once, not for every weight. */
static bool check_rate(Evaluator *evaluator, const Bound *bound) {
    Value rate = bound->args[0];
    bool scalar_tensor = rate.kind == VALUE_TENSOR && tensor_node(evaluator, rate)->shape.rank == 0;
    if (scalar_tensor || value_is_number(rate)) return true;
    evaluator_error(evaluator, bound->spans[0],
                    "the learning rate must be a number or a schedule, not %s",
                    value_text(evaluator->arena, evaluator->graph, rate));
    return false;
}

/* Reads an optimizer; NULL after reporting an error. `setting` is where it stands, for messages. */
static const Bound *find_optimizer(Evaluator *evaluator, const Expr *expr, const char *setting,
                                   const char *example) {
    Value value = evaluate(evaluator, expr);
    if (value.kind == VALUE_FUNCTION && value.function->builtin &&
        value.function->builtin->kind == KIND_OPTIMIZER)
        value = evaluate_apply(evaluator, value.function, NULL, NULL, 0, expr->span);
    bool good = value.kind == VALUE_BOUND && value.bound->callee->builtin->kind == KIND_OPTIMIZER;
    if (good) return check_rate(evaluator, value.bound) ? value.bound : NULL;
    if (value.kind != VALUE_ERROR &&
        evaluator_error(evaluator, expr->span, "%s must be a call of an optimizer, not %s", setting,
                        value_text(evaluator->arena, evaluator->graph, value)))
        diag_help(evaluator->diag, "for example %s", example);
    return NULL;
}

/* The optimizer with the rates of a test (--find-lr) in place of its own. Groups keep theirs. */
static const Bound *with_test_rates(const Model *model, Evaluator *evaluator, const Bound *bound) {
    Given given[] = {{.value = value_float(model->rates_from), .span = bound->spans[0]},
                     {.value = value_float(model->rates_to), .span = bound->spans[0]}};
    Bound *other = ARENA_NEW(evaluator->arena, Bound);
    uint32_t count = bound->callee->formals->count;
    Value *args = ARENA_ARRAY(evaluator->arena, Value, count);
    memcpy(args, bound->args, count * sizeof *args);
    args[0] =
        evaluate_invoke(evaluator, names_find(evaluator->globals->library->functions, "rising"),
                        given, 2, bound->spans[0]);
    *other = *bound;
    other->args = args;
    return args[0].kind == VALUE_ERROR ? NULL : other;
}

/* ["conv*", "dense1", sgd(0.01)]: names of layers, and their optimizer. */
static bool read_group(Evaluator *evaluator, const Expr *expr, OptimizerGroup *group) {
    if (expr->kind != EXPR_LIST || expr->elements.count < 2) {
        if (evaluator_error(evaluator, expr->span,
                            "a group is a list with names of layers and, last, their optimizer"))
            diag_help(evaluator->diag, "for example %s", group_names.example);
        return false;
    }
    const Expr *last = expr->elements.first;
    while (last->next) last = last->next;
    group->optimizer = find_optimizer(evaluator, last, "the last element of a group", "sgd(0.01)");
    return layer_names_read(evaluator, &group_names, expr->elements.first, expr->elements.count - 1,
                            evaluator->arena, &group->names) &&
           group->optimizer;
}

static bool read_groups(Evaluator *evaluator, const Expr *expr, Optimizers *optimizers) {
    if (expr->kind != EXPR_LIST) {
        if (evaluator_error(evaluator, expr->span, "'groups' must be a list of groups"))
            diag_help(evaluator->diag, "for example %s", group_names.example);
        return false;
    }
    bool good = true;
    optimizers->groups = ARENA_ARRAY(evaluator->arena, OptimizerGroup, expr->elements.count);
    for (const Expr *group = expr->elements.first; group; group = group->next)
        good &= read_group(evaluator, group, &optimizers->groups[optimizers->group_count++]);
    return good;
}

bool optimizers_read(const Model *model, Evaluator *evaluator, Optimizers *optimizers) {
    const Setting *groups = item_setting(model->train, "groups");
    *optimizers = (Optimizers){
        .optimizer = find_optimizer(evaluator, item_setting(model->train, "optimizer")->value,
                                    "'optimizer'", "adam(lr = 1e-3)")};
    if (optimizers->optimizer && model->rates_to > 0)
        optimizers->optimizer = with_test_rates(model, evaluator, optimizers->optimizer);
    return optimizers->optimizer && (!groups || read_groups(evaluator, groups->value, optimizers));
}

bool optimizers_check(Evaluator *evaluator, const Optimizers *optimizers) {
    bool good = true;
    for (uint32_t i = 0; i < optimizers->group_count; i++)
        good &= layer_names_check(evaluator, group_names.setting, &optimizers->groups[i].names);
    return good;
}

const Bound *optimizer_of(Arena *arena, const Optimizers *optimizers, const char *weight) {
    for (uint32_t i = 0; i < optimizers->group_count; i++)
        if (layer_names_cover(arena, &optimizers->groups[i].names, weight))
            return optimizers->groups[i].optimizer;
    return optimizers->optimizer;
}
