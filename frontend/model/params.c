/* Evaluates the params. The default of a param gives its type, `in` its limits. A value of --set
 * passes the same checks. */
#include "frontend/model/loading.h"

#include <math.h>

typedef struct {
    Model *model;
    Evaluator *evaluator;
    const Param *param;
    Span span; /* the place of the value that is checked */
    bool overridden;
} ParamCheck;

static const char *text_of(const ParamCheck *check, Value value) {
    return value_text(check->evaluator->arena, check->evaluator->graph, value);
}

/* Checks the limits. If the value comes from --set, the message shows where they are declared. */
static bool value_allowed(const ParamCheck *check, Value value) {
    return limits_check(check->evaluator, check->param->limits, value, check->span,
                        (ValueOwner){.name = check->param->name.text}, check->overridden);
}

/* -- types -- */

static bool is_plain(Value value) {
    return value_is_number(value) || value.kind == VALUE_BOOL || value.kind == VALUE_STRING ||
           value.kind == VALUE_LIST;
}

static bool check_plain(const ParamCheck *check, Value value) {
    bool good = is_plain(value);
    for (uint32_t i = 0; good && value.kind == VALUE_LIST && i < value.list.count; i++)
        good = is_plain(value.list.items[i]);
    if (!good)
        evaluator_error(check->evaluator, check->span,
                        "a param is a number, true or false, a string or a list of them, not %s",
                        text_of(check, value));
    return good;
}

/* The value must be of the same kind as the default; a whole number may stand for a float. */
static bool same_kind(const ParamCheck *check, const char *what, Value by_default, Value *value) {
    if (by_default.kind == VALUE_FLOAT && value->kind == VALUE_INT)
        *value = value_float((double)value->integer);
    if (by_default.kind == value->kind) return true;
    if (evaluator_error(check->evaluator, check->span, "%s '%s' is %s, so it cannot be %s", what,
                        check->param->name.text, value_kind_text(by_default.kind),
                        text_of(check, *value)))
        diag_note(check->evaluator->diag, check->param->value->span,
                  "its type follows from its default, %s", text_of(check, by_default));
    return false;
}

static bool same_type(const ParamCheck *check, Value by_default, Value *value) {
    if (!same_kind(check, "param", by_default, value)) return false;
    if (value->kind != VALUE_LIST || !by_default.list.count) return true;
    Value *items = ARENA_ARRAY(check->evaluator->arena, Value, value->list.count);
    for (uint32_t i = 0; i < value->list.count; i++) {
        items[i] = value->list.items[i];
        if (!same_kind(check, "each item of param", by_default.list.items[0], &items[i]))
            return false;
    }
    value->list.items = items;
    return true;
}

/* -- one param -- */

/* The value of --set. On the command line a string needs no quotes. */
static Value override_value(ParamCheck *check, Override *override, Value by_default) {
    check->span = override->value_span;
    check->overridden = true;
    if (by_default.kind == VALUE_STRING && override->value->kind != EXPR_STRING) {
        override->replacement = arena_format(check->model->arena, "\"%s\"", override->value_text);
        return value_string(override->value_text);
    }
    return evaluate(check->evaluator, override->value);
}

static Value param_value(ParamCheck *check) {
    const Param *param = check->param;
    Override *override = override_find(check->model, param->name.text);
    ValueOwner owner = {.name = param->name.text};
    Value value = evaluate(check->evaluator, param->value);
    if (value.kind == VALUE_ERROR || !check_plain(check, value)) return value_error();
    if (!type_check(check->evaluator, param->type, &value, check->span, owner))
        return value_error();
    if (!value_allowed(check, value)) return value_error();
    if (!override) return value;
    override->used = true;
    override->written = param->written;
    Value given = override_value(check, override, value);
    if (given.kind == VALUE_ERROR || !check_plain(check, given)) return value_error();
    return same_type(check, value, &given) && value_allowed(check, given) ? given : value_error();
}

bool params_evaluate(Model *model, Evaluator *evaluator) {
    bool good = true;
    for (const Item *item = model->items.first; item; item = item->next) {
        if (item->kind != ITEM_PARAM) continue;
        ParamCheck check = {model, evaluator, &item->param, item->param.value->span, false};
        Value *value = ARENA_NEW(model->arena, Value);
        *value = param_value(&check);
        good &= value->kind != VALUE_ERROR;
        names_put(model->globals.params, item->param.name.text, value);
    }
    return good;
}
