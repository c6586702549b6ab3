/* Calls: evaluates the arguments, finds the function, binds its arguments and runs it. */
#include "frontend/evaluate/evaluate.h"
#include "frontend/evaluate/summary.h"

#include <string.h>

Scope *scope_new(Evaluator *evaluator, bool in_library) {
    Scope *scope = ARENA_NEW(evaluator->arena, Scope);
    *scope = (Scope){names_new(evaluator->arena), in_library};
    return scope;
}

/* -- finding the function -- */

/* A variable may have the name of a function. A call then means the function, unless the variable
 * itself holds a function. */
static const Callable *function_named(Evaluator *evaluator, const char *name) {
    const Globals *globals = evaluator->globals;
    const Value *local = names_find(evaluator->scope->values, name);
    if (local && local->kind == VALUE_FUNCTION) return local->function;
    if (!evaluator->scope->in_library) {
        const Value *param = names_find(globals->params, name);
        if (param && param->kind == VALUE_FUNCTION) return param->function;
        const Callable *function = names_find(globals->functions, name);
        if (function) return function;
    }
    return names_find(globals->library->functions, name);
}

static void suggest_function(Evaluator *evaluator, const char *name) {
    const Names *own = evaluator->globals->functions,
                *library = evaluator->globals->library->functions;
    uint32_t total = names_count(own) + names_count(library), at = 0;
    const char **candidates = ARENA_ARRAY(evaluator->arena, const char *, total);
    for (uint32_t i = 0; i < names_count(own); i++) candidates[at++] = names_all(own)[i];
    for (uint32_t i = 0; i < names_count(library); i++) candidates[at++] = names_all(library)[i];
    alias_suggest(evaluator->diag, name, candidates, total);
}

static const Callable *unknown_function(Evaluator *evaluator, const Expr *callee) {
    const Value *local = names_find(evaluator->scope->values, callee->text);
    if (local && local->kind == VALUE_ERROR) return NULL;
    if (local)
        evaluator_error(evaluator, callee->span, "'%s' is %s, not a function", callee->text,
                        value_text(evaluator->arena, evaluator->graph, *local));
    else if (evaluator_error(evaluator, callee->span, "unknown function '%s'", callee->text))
        suggest_function(evaluator, callee->text);
    return NULL;
}

static const Callable *find_callee(Evaluator *evaluator, const Expr *callee) {
    if (callee->kind == EXPR_NAME) {
        const Callable *function = function_named(evaluator, callee->text);
        return function ? function : unknown_function(evaluator, callee);
    }
    Value value = evaluate(evaluator, callee);
    if (value.kind == VALUE_FUNCTION) return value.function;
    if (value.kind != VALUE_ERROR)
        evaluator_error(evaluator, callee->span, "%s cannot be called",
                        value_text(evaluator->arena, evaluator->graph, value));
    return NULL;
}

/* -- calling it -- */

static Value builtin_value(Evaluator *evaluator, const Callable *callee, const Scope *scope,
                           const Span *spans, Span span, const char *assigned_to) {
    Value *args = ARENA_ARRAY(evaluator->arena, Value, callee->formals->count);
    uint32_t count = 0;
    for (const Formal *formal = callee->formals->first; formal; formal = formal->next)
        args[count++] = *(const Value *)names_find(scope->values, formal->name.text);
    Call call = {evaluator, callee, args, spans, span, assigned_to};
    const Builtin *builtin = callee->builtin;
    if (!builtin->call) {
        Bound *bound = ARENA_NEW(evaluator->arena, Bound);
        *bound = (Bound){callee, args, spans, span};
        return (Value){.kind = VALUE_BOUND, .bound = bound};
    }
    evaluator_at(evaluator, span);
    return builtin->call(&call);
}

/* The value of a function's body: one output as it is, several as a list. */
static Value body_value(Evaluator *evaluator, const Callable *callee) {
    const Function *function = callee->definition;
    if (function->value) return evaluate(evaluator, function->value);
    bool good = evaluate_body(evaluator, &function->body);
    Value *outs = ARENA_ARRAY(evaluator->arena, Value, function->outs.count);
    uint32_t count = 0;
    for (const NameNode *out = function->outs.first; out; out = out->next) {
        const Value *value = names_find(evaluator->scope->values, out->name.text);
        if (!value && good)
            evaluator_error(evaluator, out->name.span, "'%s' never assigns its output '%s'",
                            callee->name, out->name.text);
        if (!value || value->kind == VALUE_ERROR) return value_error();
        outs[count++] = *value;
    }
    return count == 1 ? outs[0] : value_list(outs, count);
}

static bool may_enter(Evaluator *evaluator, const Callable *callee, Span span) {
    for (const CallFrame *frame = evaluator->frame; frame; frame = frame->up) {
        if (frame->callee != callee) continue;
        if (evaluator_error(evaluator, span, "'%s' calls itself", callee->name))
            diag_help(evaluator->diag, "recursion is not supported; use 'for' to repeat");
        return false;
    }
    if (!evaluator->frame || evaluator->frame->level < EVALUATE_MAX_CALLS) return true;
    evaluator_error(evaluator, span, "calls are nested more than %d levels deep",
                    EVALUATE_MAX_CALLS);
    return false;
}

static Value invoke(Evaluator *evaluator, const Callable *callee, const Given *given,
                    uint32_t count, Span span, const char *assigned_to) {
    if (callee->definition && !may_enter(evaluator, callee, span)) return value_error();
    Scope *scope = scope_new(evaluator, callee->in_library), *caller = evaluator->scope;
    Span *spans = ARENA_ARRAY(evaluator->arena, Span, callee->formals->count);
    if (!arguments_bind(evaluator, callee, given, count, span, scope, spans)) return value_error();
    if (callee->builtin) return builtin_value(evaluator, callee, scope, spans, span, assigned_to);
    CallFrame frame = {evaluator->frame, callee, span,
                       evaluator->frame ? evaluator->frame->level + 1 : 1, NULL};
    evaluator->frame = &frame;
    evaluator->scope = scope;
    Value value = body_value(evaluator, callee);
    evaluator->scope = caller;
    evaluator->frame = frame.up;
    return value;
}

Value evaluate_apply(Evaluator *evaluator, const Callable *callee, const Value *args,
                     const Span *spans, uint32_t count, Span span) {
    Given *given = ARENA_ARRAY(evaluator->arena, Given, count);
    for (uint32_t i = 0; i < count; i++) given[i] = (Given){.value = args[i], .span = spans[i]};
    return invoke(evaluator, callee, given, count, span, NULL);
}

/* activation(x, "relu") calls the function of that name. */
Value call_activation(const Call *call) {
    const Callable *function = function_named(call->evaluator, call->args[1].text);
    if (function)
        return evaluate_apply(call->evaluator, function, call->args, call->spans, 1, call->span);
    if (evaluator_error(call->evaluator, call->spans[1], "unknown function '%s'",
                        call->args[1].text))
        suggest_function(call->evaluator, call->args[1].text);
    return value_error();
}

Value evaluate_invoke(Evaluator *evaluator, const Callable *callee, const Given *given,
                      uint32_t count, Span span) {
    return invoke(evaluator, callee, given, count, span, NULL);
}

Value evaluate_call(Evaluator *evaluator, const Expr *expr) {
    const char *assigned_to = evaluator->assigned_to;
    evaluator->assigned_to = NULL;
    Given *given = ARENA_ARRAY(evaluator->arena, Given, expr->call.args.count);
    uint32_t count = 0;
    bool poisoned = false;
    for (const Arg *arg = expr->call.args.first; arg; arg = arg->next) {
        Value value = evaluate(evaluator, arg->value);
        given[count++] = (Given){arg->name.text, arg->name.span, value, arg->value->span};
        poisoned |= value.kind == VALUE_ERROR;
    }
    const Callable *callee = find_callee(evaluator, expr->call.callee);
    if (poisoned || !callee) return value_error();
    LayerMark mark = summary_mark(evaluator);
    loss_call_keep(evaluator, callee, given, count, expr->span);
    Value value = invoke(evaluator, callee, given, count, expr->span, assigned_to);
    summary_record(evaluator, &mark, callee, value, expr->span);
    return value;
}
