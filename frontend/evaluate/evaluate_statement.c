/* Statements: assignment, for and if. They all run while compiling, in the one scope of their
 * function. */
#include "frontend/evaluate/evaluate.h"

#include <inttypes.h>

void scope_put(Evaluator *evaluator, const char *name, Value value) {
    Value *kept = ARENA_NEW(evaluator->arena, Value);
    *kept = value;
    names_put(evaluator->scope->values, name, kept);
}

/* -- assignment -- */

static Value evaluate_assigned(Evaluator *evaluator, const Expr *expr, const NameNode *name) {
    evaluator->assigned_to = expr->kind == EXPR_CALL && name ? name->name.text : NULL;
    Value value = evaluate(evaluator, expr);
    evaluator->assigned_to = NULL;
    return value;
}

/* After an error in a statement, the names that it assigns become error values. */
static bool poison_names(Evaluator *evaluator, const NameList *names) {
    for (const NameNode *name = names->first; name; name = name->next)
        scope_put(evaluator, name->name.text, value_error());
    return false;
}

/* q, k, v = f(x) */
static bool assign_parts(Evaluator *evaluator, const Stmt *stmt) {
    const NameList *names = &stmt->assign.names;
    Value value = evaluate(evaluator, stmt->assign.values.first);
    if (value.kind == VALUE_ERROR) return poison_names(evaluator, names);
    if (value.kind != VALUE_LIST || value.list.count != names->count) {
        evaluator_error(evaluator, stmt->span, "%u names, but %s on the right", names->count,
                        value_text(evaluator->arena, evaluator->graph, value));
        return poison_names(evaluator, names);
    }
    uint32_t i = 0;
    for (const NameNode *name = names->first; name; name = name->next)
        scope_put(evaluator, name->name.text, value.list.items[i++]);
    return true;
}

/* a, b = b, a: all values are computed before the first assignment. */
static bool evaluate_assign(Evaluator *evaluator, const Stmt *stmt) {
    const NameList *names = &stmt->assign.names;
    const ExprList *exprs = &stmt->assign.values;
    if (exprs->count == 1 && names->count > 1) return assign_parts(evaluator, stmt);
    if (exprs->count != names->count) {
        evaluator_error(evaluator, stmt->span, "%u names, but %u values", names->count,
                        exprs->count);
        return poison_names(evaluator, names);
    }
    Value *values = ARENA_ARRAY(evaluator->arena, Value, exprs->count);
    const NameNode *name = names->first;
    uint32_t i = 0;
    bool good = true;
    for (const Expr *expr = exprs->first; expr; expr = expr->next, name = name->next) {
        values[i] = evaluate_assigned(evaluator, expr, name);
        good &= values[i++].kind != VALUE_ERROR;
    }
    i = 0;
    for (name = names->first; name; name = name->next)
        scope_put(evaluator, name->name.text, values[i++]);
    return good;
}

/* -- for -- */

/* Runs one iteration. After an error the loop ends, because further iterations would find the same
 * error. */
static bool evaluate_iteration(Evaluator *evaluator, const Stmt *stmt, Value value) {
    if (!evaluator_charge(evaluator, stmt->span, 1)) return false;
    scope_put(evaluator, stmt->loop.name.text, value);
    return evaluate_body(evaluator, &stmt->loop.body);
}

/* After an error in a loop or branch, the names that its body assigns become error values. */
static void poison_body(Evaluator *evaluator, const StmtList *body) {
    for (const Stmt *stmt = body->first; stmt; stmt = stmt->next)
        if (stmt->kind == STMT_ASSIGN) poison_names(evaluator, &stmt->assign.names);
}

static bool evaluate_for(Evaluator *evaluator, const Stmt *stmt) {
    Value over = evaluate(evaluator, stmt->loop.over);
    bool good = over.kind == VALUE_LIST || over.kind == VALUE_RANGE;
    if (!good && over.kind != VALUE_ERROR)
        if (evaluator_error(evaluator, stmt->loop.over->span,
                            "'for' runs over a list or a range, not over %s",
                            value_text(evaluator->arena, evaluator->graph, over)) &&
            over.kind == VALUE_INT)
            diag_help(evaluator->diag, "write '1..%" PRId64 "' for %" PRId64 " iterations",
                      over.integer, over.integer);
    if (over.kind == VALUE_LIST)
        for (uint32_t i = 0; good && i < over.list.count; i++)
            good = evaluate_iteration(evaluator, stmt, over.list.items[i]);
    if (over.kind == VALUE_RANGE && over.range.from <= over.range.to)
        for (int64_t i = over.range.from; good; i++) {
            good = evaluate_iteration(evaluator, stmt, value_int(i));
            if (i == over.range.to) break;
        }
    if (!good) poison_body(evaluator, &stmt->loop.body);
    return good;
}

/* -- if -- */

static bool evaluate_if(Evaluator *evaluator, const Stmt *stmt) {
    for (const Arm *arm = stmt->branch.arms.first; arm; arm = arm->next) {
        Value condition = evaluate(evaluator, arm->condition);
        if (condition.kind == VALUE_BOOL && !condition.boolean) continue;
        if (condition.kind == VALUE_BOOL) return evaluate_body(evaluator, &arm->body);
        if (condition.kind != VALUE_ERROR &&
            evaluator_error(evaluator, arm->condition->span,
                            "the condition of 'if' must be true or false while compiling, not %s",
                            value_text(evaluator->arena, evaluator->graph, condition)) &&
            condition.kind == VALUE_TENSOR)
            diag_help(evaluator->diag,
                      "to choose between elements of tensors, use select(condition, x, y)");
        poison_body(evaluator, &arm->body);
        return false;
    }
    return evaluate_body(evaluator, &stmt->branch.otherwise);
}

bool evaluate_body(Evaluator *evaluator, const StmtList *body) {
    bool good = true;
    for (const Stmt *stmt = body->first; stmt; stmt = stmt->next) {
        switch (stmt->kind) {
        case STMT_ASSIGN: good &= evaluate_assign(evaluator, stmt); break;
        case STMT_FOR: good &= evaluate_for(evaluator, stmt); break;
        case STMT_IF: good &= evaluate_if(evaluator, stmt); break;
        }
    }
    return good;
}
