/* The arguments of a call: matches the given ones with the formals, fills in defaults, and checks
 * types and limits. */
#include "frontend/evaluate/evaluate.h"

#include <string.h>

typedef struct {
    Evaluator *evaluator;
    const Callable *callee;
    Span span;            /* of the call */
    const Given **chosen; /* for each formal its argument; NULL: it has its default */
} ArgumentBinding;

const char *callable_signature(Arena *arena, const Library *library, const Callable *callee) {
    if (callee->builtin)
        return arena_format(arena, "%s(%s)", callee->name, callee->builtin->signature);
    const char *begin = library->stdlib + callee->span.begin, *end = strchr(begin, '(');
    for (int depth = 1; depth > 0;) depth += *++end == '(' ? 1 : *end == ')' ? -1 : 0;
    return arena_copy_string(arena, begin, (size_t)(end - begin) + 1);
}

static const Formal *formal_at(const Callable *callee, uint32_t index) {
    const Formal *formal = callee->formals->first;
    while (index--) formal = formal->next;
    return formal;
}

/* Shows the declaration of the function. */
static void note_declaration(const ArgumentBinding *binding) {
    Evaluator *evaluator = binding->evaluator;
    const Callable *callee = binding->callee;
    if (callee->in_library)
        diag_help(evaluator->diag, "it is declared as %s",
                  callable_signature(evaluator->arena, evaluator->globals->library, callee));
    else
        diag_note(evaluator->diag, callee->span, "'%s' is declared here", callee->name);
}

static bool unknown_argument(const ArgumentBinding *binding, const Given *given) {
    const Callable *callee = binding->callee;
    if (!evaluator_error(binding->evaluator, given->name_span, "'%s' has no argument '%s'",
                         callee->name, given->name))
        return false;
    const char **names =
        ARENA_ARRAY(binding->evaluator->arena, const char *, callee->formals->count);
    for (uint32_t i = 0; i < callee->formals->count; i++)
        names[i] = formal_at(callee, i)->name.text;
    note_declaration(binding);
    alias_suggest_word(binding->evaluator->diag, given->name, names, callee->formals->count);
    return false;
}

static bool is_text(const Given *given) { return given && given->value.kind == VALUE_STRING; }

static bool too_many(const ArgumentBinding *binding, const Given *given) {
    uint32_t count = binding->callee->formals->count;
    if (!evaluator_error(binding->evaluator, given->span, "too many arguments: '%s' takes %u",
                         binding->callee->name, count))
        return false;
    note_declaration(binding);
    if (is_text(given) && count && is_text(binding->chosen[count - 1]))
        diag_help(binding->evaluator->diag, "write several names as a list: [\"%.60s\", \"%.60s\"]",
                  binding->chosen[count - 1]->value.text, given->value.text);
    return false;
}

/* Assigns a given argument to its formal, by name or else by position. */
static bool choose(const ArgumentBinding *binding, const Given *given, uint32_t position) {
    const Formal *formal = binding->callee->formals->first;
    uint32_t index = given->name ? 0 : position;
    for (; given->name && formal && strcmp(formal->name.text, given->name); formal = formal->next)
        index++;
    if (given->name && !formal) return unknown_argument(binding, given);
    if (index >= binding->callee->formals->count) return too_many(binding, given);
    const Given *before = binding->chosen[index];
    binding->chosen[index] = given;
    if (!before) return true;
    Span place = given->name ? given->name_span : given->span;
    if (evaluator_error(binding->evaluator, place, "argument '%s' of '%s' is given twice",
                        formal_at(binding->callee, index)->name.text, binding->callee->name))
        diag_note(binding->evaluator->diag, before->span, "first given here");
    return false;
}

static bool positional_first(const ArgumentBinding *binding, const Given *given, uint32_t count) {
    bool named = false;
    for (uint32_t i = 0; i < count; i++) {
        if (named && !given[i].name) {
            evaluator_error(binding->evaluator, given[i].span,
                            "positional arguments must come before named ones");
            return false;
        }
        named |= given[i].name != NULL;
    }
    return true;
}

/* A positional argument of the wrong type may be at the wrong position: dense(2, 8). */
static void help_position(const ArgumentBinding *binding, const Given *given) {
    static const char *const sized[] = {
        "dense", "conv", "conv_transpose", "batch_norm", "layer_norm", "lstm", "gru"};
    if (!given || given->name || !binding->callee->in_library ||
        binding->callee->formals->count < 3)
        return;
    note_declaration(binding);
    if (given->value.kind == VALUE_FUNCTION || is_text(given))
        diag_help(binding->evaluator->diag,
                  "write the activation after the layer: dense(8) |> relu");
    for (size_t i = 0; i < sizeof sized / sizeof *sized && given->value.kind == VALUE_INT; i++)
        if (!strcmp(sized[i], binding->callee->name))
            diag_help(binding->evaluator->diag,
                      "the size of the input is inferred: give only that of the output");
}

/* Checks the value of one formal and assigns it in the current scope, which is the function's. */
static bool bind_formal(const ArgumentBinding *binding, const Formal *formal, const Given *given,
                        Span *span) {
    Evaluator *evaluator = binding->evaluator;
    if (!given && !formal->value) {
        if (evaluator_error(binding->evaluator, binding->span, "'%s' needs its argument '%s'",
                            binding->callee->name, formal->name.text))
            note_declaration(binding);
        return false;
    }
    Value value = given ? given->value : evaluate(evaluator, formal->value);
    *span = given ? given->span : binding->span;
    bool left_out = value.kind == VALUE_NONE && formal->value && formal->value->kind == EXPR_NAME &&
                    !strcmp(formal->value->text, "none");
    ValueOwner owner = {formal->name.text, binding->callee->name};
    size_t errors = diag_errors(evaluator->diag);
    bool fits = value.kind != VALUE_ERROR &&
                (left_out || type_check(evaluator, formal->type, &value, *span, owner));
    if (!fits && diag_errors(evaluator->diag) > errors && value.kind != VALUE_TENSOR)
        help_position(binding, given);
    bool good =
        fits && (left_out || limits_check(evaluator, formal->limits, value, *span, owner, true));
    scope_put(evaluator, formal->name.text, good ? value : value_error());
    return good;
}

static bool bind_all(const ArgumentBinding *binding, Scope *scope, Span *spans) {
    Scope *caller = binding->evaluator->scope;
    binding->evaluator->scope = scope;
    bool good = true;
    uint32_t i = 0;
    for (const Formal *formal = binding->callee->formals->first; formal; formal = formal->next, i++)
        good &= bind_formal(binding, formal, binding->chosen[i], &spans[i]);
    binding->evaluator->scope = caller;
    return good;
}

bool arguments_bind(Evaluator *evaluator, const Callable *callee, const Given *given,
                    uint32_t count, Span span, Scope *scope, Span *spans) {
    ArgumentBinding binding = {
        evaluator, callee, span,
        ARENA_ARRAY(evaluator->arena, const Given *, callee->formals->count)};
    bool good = positional_first(&binding, given, count);
    for (uint32_t i = 0; i < count && good; i++) good = choose(&binding, &given[i], i);
    return good && bind_all(&binding, scope, spans);
}
