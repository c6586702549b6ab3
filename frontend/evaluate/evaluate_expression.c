/* Expressions: literals, names, members and lists. Operators, indexing and calls have files of
 * their own. */
#include "frontend/evaluate/evaluate.h"
#include "ir/data/readers.h"

#include <string.h>

static Value evaluate_list(Evaluator *evaluator, const Expr *expr) {
    Value *items = ARENA_ARRAY(evaluator->arena, Value, expr->elements.count);
    uint32_t count = 0;
    bool poisoned = false;
    for (const Expr *element = expr->elements.first; element; element = element->next) {
        items[count] = evaluate(evaluator, element);
        poisoned |= items[count++].kind == VALUE_ERROR;
    }
    return poisoned ? value_error() : value_list(items, count);
}

/* -- names -- */

/* Reports a schedule, such as linear(...), outside of the train block. */
static void outside_of_training(Evaluator *evaluator, Span span) {
    const CallFrame *frame = evaluator->frame;
    while (frame->up && library_owns(evaluator->globals->library, frame->place)) frame = frame->up;
    if (!evaluator_error(evaluator, span,
                         "'%s' is a schedule of the learning rate, for the train block only",
                         frame->callee->name))
        return;
    if (!strcmp(frame->callee->name, "linear"))
        diag_help(evaluator->diag, "the layer is dense(x, width)");
    diag_help(evaluator->diag, "schedules are for optimizers: adam(lr = linear(1e-3))");
}

/* epoch, step or steps, which the training loop provides, as f32. */
static Value training_scalar(Evaluator *evaluator, const char *name, Span span) {
    if (evaluator->phase != PHASE_TRAIN) {
        if (evaluator->scope->in_library)
            outside_of_training(evaluator, span);
        else
            evaluator_error(evaluator, span, "'%s' can be used in the train block only", name);
        return value_error();
    }
    evaluator_at(evaluator, span);
    NodeId input = graph_input(evaluator->graph, SYMBOL_VALUE, name, DTYPE_I32, (Shape){0});
    return evaluator_built(evaluator, span, build_convert(evaluator->graph, input, DTYPE_F32));
}

static Value the_source(Evaluator *evaluator, Span span) {
    if (evaluator->phase == PHASE_DATA || evaluator->phase == PHASE_SPLIT)
        return (Value){.kind = VALUE_SOURCE};
    if (evaluator_error(evaluator, span, "'source' can be used in fields of the data block only"))
        diag_help(evaluator->diag, "define a field and use that: field y = source.y");
    return value_error();
}

/* A frozen layer of the library behaves as in evaluation: batch_norm uses its running statistics
 * and does not update them. */
static bool in_training(Evaluator *evaluator) {
    evaluator->asks_training = true;
    const char *layer = evaluator->frame ? evaluator->frame->layer : NULL;
    return evaluator->training && !(layer && freeze_holds(evaluator, layer));
}

static const char *const predefined[] = {"N",          "pi",    "none", "source", "training",
                                         "full_batch", "epoch", "step", "steps"};
enum { PREDEFINED = sizeof predefined / sizeof *predefined };

static bool predefined_name(Evaluator *evaluator, const char *name, Span span, Value *value) {
    if (!strcmp(name, "N"))
        *value = value_int(evaluator->batch);
    else if (!strcmp(name, "full_batch"))
        *value = value_int(evaluator->full_batch);
    else if (!strcmp(name, "pi"))
        *value = value_float(3.14159265358979323846);
    else if (!strcmp(name, "none"))
        *value = value_none();
    else if (!strcmp(name, "training"))
        *value = value_bool(in_training(evaluator));
    else if (!strcmp(name, "source"))
        *value = the_source(evaluator, span);
    else if (!strcmp(name, "epoch") || !strcmp(name, "step") || !strcmp(name, "steps"))
        *value = training_scalar(evaluator, name, span);
    else
        return false;
    return true;
}

/* Names that the model defines; library functions do not see them. */
static bool model_name(Evaluator *evaluator, const char *name, Value *value) {
    const Globals *globals = evaluator->globals;
    const Value *param = names_find(globals->params, name);
    const Callable *function = names_find(globals->functions, name);
    if (param)
        *value = *param;
    else if (function)
        *value = (Value){.kind = VALUE_FUNCTION, .function = function};
    else if (evaluator->phase >= PHASE_DATA && evaluator->phase != PHASE_MODEL &&
             names_find(globals->fields, name))
        *value = evaluate_field(evaluator, name);
    else
        return false;
    return true;
}

static const char *outputs_quoted(const Evaluator *evaluator) {
    const char *list = NULL;
    for (const NameNode *out = evaluator->globals->network->outs.first; out; out = out->next)
        list = arena_format(evaluator->arena, list ? "%s, '%s'" : "%s'%s'", list ? list : "",
                            out->name.text);
    return list ? list : "none";
}

/* Help in the network for a field that is none of its inputs. */
static bool help_field(Evaluator *evaluator, const char *name) {
    const Function *network = evaluator->globals->network;
    if (evaluator->phase != PHASE_MODEL || !network ||
        !names_find(evaluator->globals->fields, name))
        return false;
    diag_help(evaluator->diag, "it is a field: make it an input, model %s(%s%s) -> ...",
              network->name.text, network->formals.count ? "..., " : "", name);
    return true;
}

/* Help for an unknown name that resembles no other: lists the names that can be used. */
static void list_names(Evaluator *evaluator, const char *name) {
    enum { LISTED = 20 };
    const Globals *globals = evaluator->globals;
    const Names *known =
        evaluator->phase == PHASE_MODEL ? evaluator->scope->values : globals->fields;
    const char *fields =
        names_quoted(evaluator->arena, names_all(known), names_count(known), LISTED);
    bool is_network = globals->network && !strcmp(globals->network->name.text, name);
    bool in_data = evaluator->phase == PHASE_DATA || evaluator->phase == PHASE_SPLIT;
    if (in_data && globals->schema && source_field(globals->schema, name))
        diag_help(
            evaluator->diag,
            "write source.%s for a field of the source; in a list of columns, put its name in quotes",
            name);
    else if (in_data)
        diag_help(evaluator->diag, "write source.NAME for a field of the source");
    else if (is_network)
        diag_help(evaluator->diag, "'%s' is the network, not a value; use the names of its outputs",
                  name);
    else if (evaluator->phase == PHASE_TRAIN && globals->network)
        diag_help(evaluator->diag,
                  "the train block can use the outputs of the model, %s, and the fields %s",
                  outputs_quoted(evaluator), fields);
    else if (evaluator->phase == PHASE_MODEL && names_count(known))
        diag_help(evaluator->diag, "names that can be used here: %s", fields);
}

static void suggest_name(Evaluator *evaluator, const char *name) {
    const Globals *globals = evaluator->globals;
    const Names *sets[] = {evaluator->scope->values, globals->params, globals->functions,
                           globals->fields, globals->library->functions};
    uint32_t total = PREDEFINED, at = PREDEFINED;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) total += names_count(sets[i]);
    const char **candidates = ARENA_ARRAY(evaluator->arena, const char *, total);
    memcpy(candidates, predefined, sizeof predefined);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        for (uint32_t k = 0; k < names_count(sets[i]); k++)
            candidates[at++] = names_all(sets[i])[k];
    if (!alias_suggest(evaluator->diag, name, candidates, total)) list_names(evaluator, name);
}

static bool assigned_in(const StmtList *body, const char *name);

static bool assigned_by(const Stmt *stmt, const char *name) {
    if (stmt->kind == STMT_FOR) return assigned_in(&stmt->loop.body, name);
    if (stmt->kind == STMT_IF) {
        for (const Arm *arm = stmt->branch.arms.first; arm; arm = arm->next)
            if (assigned_in(&arm->body, name)) return true;
        return assigned_in(&stmt->branch.otherwise, name);
    }
    for (const NameNode *left = stmt->assign.names.first; left; left = left->next)
        if (!strcmp(left->name.text, name)) return true;
    return false;
}

static bool assigned_in(const StmtList *body, const char *name) {
    for (const Stmt *stmt = body->first; stmt; stmt = stmt->next)
        if (assigned_by(stmt, name)) return true;
    return false;
}

/* Help for a variable of the network in the train block, which sees only the outputs. */
static bool help_variable(Evaluator *evaluator, const char *name) {
    const Function *network = evaluator->globals->network;
    if (evaluator->phase != PHASE_TRAIN || !network || !assigned_in(&network->body, name))
        return false;
    const NameNode *out = network->outs.first;
    diag_help(
        evaluator->diag,
        "it is a variable of the model; to use it in the train block, make it an output: model %s(...) -> (%s, %s)",
        network->name.text, out ? out->name.text : "y", name);
    return true;
}

static Value evaluate_name(Evaluator *evaluator, const char *name, Span span) {
    Value value;
    const Value *local = names_find(evaluator->scope->values, name);
    if (local) return *local;
    if (!evaluator->scope->in_library && model_name(evaluator, name, &value)) return value;
    if (predefined_name(evaluator, name, span, &value)) return value;
    const Callable *function = names_find(evaluator->globals->library->functions, name);
    if (function) return (Value){.kind = VALUE_FUNCTION, .function = function};
    if (evaluator_error(evaluator, span, "unknown name '%s'", name) &&
        !help_variable(evaluator, name) && !help_field(evaluator, name))
        suggest_name(evaluator, name);
    /* The name becomes an error value, so that its next use is not reported again. */
    if (!evaluator->scope->in_library) scope_put(evaluator, name, value_error());
    return value_error();
}

/* -- members: only the source has any -- */

/* A file name without quotes: csv(houses.csv). */
static bool is_file_name(const Evaluator *evaluator, const Expr *expr) {
    static const char *const endings[] = {"txt", "data", "gz", "png", "mdl", "safetensors"};
    const Expr *object = expr->member.object;
    if (object->kind != EXPR_NAME || names_find(evaluator->scope->values, object->text))
        return false;
    const char *name =
        arena_format(evaluator->arena, "%s.%s", object->text, expr->member.name.text);
    bool found = reader_of_file(name) != NULL;
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        found |= !strcmp(endings[i], expr->member.name.text);
    return found && strcmp(object->text, "source") != 0;
}

/* Help for a member that is not a field: x.reshape(...), nn.relu, csv.a. */
static void help_call(Evaluator *evaluator, const Expr *expr, Value object) {
    const char *name = expr->member.name.text, *alias = alias_help(name);
    bool reader = object.kind == VALUE_FUNCTION && object.function->builtin &&
                  object.function->builtin->kind == KIND_SOURCE;
    if (reader)
        diag_help(evaluator->diag, "write source.%s for the field of the source", name);
    else if (names_find(evaluator->globals->library->functions, name))
        diag_help(evaluator->diag, "a function is called as %s(x) or x |> %s", name, name);
    else if (alias)
        diag_help(evaluator->diag, "%s", alias);
    else
        diag_help(evaluator->diag, "a function is called as f(x) or x |> f");
}

static Value evaluate_member(Evaluator *evaluator, const Expr *expr) {
    if (is_file_name(evaluator, expr)) {
        if (evaluator_error(evaluator, expr->span, "write the name of a file in quotes"))
            diag_help(evaluator->diag, "write \"%s.%s\"", expr->member.object->text,
                      expr->member.name.text);
        return value_error();
    }
    Value object = evaluate(evaluator, expr->member.object);
    if (object.kind == VALUE_ERROR) return object;
    if (object.kind == VALUE_SOURCE)
        return source_member(evaluator, expr->member.name.text, expr->member.name.span);
    if (evaluator_error(
            evaluator, expr->member.name.span, "%s has no '.%s'; only the source has fields",
            value_text(evaluator->arena, evaluator->graph, object), expr->member.name.text))
        help_call(evaluator, expr, object);
    return value_error();
}

/* -- all kinds -- */

static Value evaluate_kind(Evaluator *evaluator, const Expr *expr) {
    switch (expr->kind) {
    case EXPR_INT: return value_int(expr->integer);
    case EXPR_FLOAT: return value_float(expr->real);
    case EXPR_STRING: return value_string(expr->text);
    case EXPR_BOOL: return value_bool(expr->boolean);
    case EXPR_NAME: return evaluate_name(evaluator, expr->text, expr->span);
    case EXPR_LIST: return evaluate_list(evaluator, expr);
    case EXPR_UNARY:
    case EXPR_BINARY: return evaluate_operation(evaluator, expr);
    case EXPR_CALL: return evaluate_call(evaluator, expr);
    case EXPR_INDEX: return evaluate_index(evaluator, expr);
    case EXPR_MEMBER: return evaluate_member(evaluator, expr);
    }
    return value_error();
}

Value evaluate(Evaluator *evaluator, const Expr *expr) {
    if (!evaluator_charge(evaluator, expr->span, 1)) return value_error();
    if (evaluator->depth >= EVALUATE_MAX_DEPTH) {
        evaluator_error(evaluator, expr->span,
                        "expressions and calls are nested more than %d levels deep here",
                        EVALUATE_MAX_DEPTH);
        evaluator->stopped = true;
        return value_error();
    }
    evaluator->depth++;
    Value value = evaluate_kind(evaluator, expr);
    evaluator->depth--;
    return value;
}
