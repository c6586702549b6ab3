/* Limits of params and of arguments of functions: `lr = 1e-3 in 1e-6..1.0`. */
#include "frontend/evaluate/evaluate.h"

typedef struct {
    Evaluator *evaluator;
    const Limits *limits;
    Span span; /* the place of the value */
    ValueOwner owner;
    bool remote;
} LimitCheck;

static const char *text_of(const LimitCheck *check, Value value) {
    return value_text(check->evaluator->arena, check->evaluator->graph, value);
}

static bool outside(const LimitCheck *check, Value value, const char *allowed) {
    Evaluator *evaluator = check->evaluator;
    if (!evaluator_error(evaluator, check->span, "%s is not allowed for %s: it must be %s",
                         text_of(check, value),
                         value_owner_text(check->evaluator->arena, check->owner), allowed))
        return false;
    if (check->remote && !library_owns(evaluator->globals->library, check->limits->span))
        diag_note(evaluator->diag, check->limits->span, "its limits are given here");
    return false;
}

/* -- ranges -- */

/* Evaluates the ends of a range; *high is VALUE_NONE if there is no upper end. */
static bool read_ends(const LimitCheck *check, Value *low, Value *high) {
    const Limits *limits = check->limits;
    *low = evaluate(check->evaluator, limits->low);
    *high = limits->high ? evaluate(check->evaluator, limits->high) : value_none();
    if (low->kind == VALUE_ERROR || high->kind == VALUE_ERROR) return false;
    bool numbers = value_is_number(*low) && (!limits->high || value_is_number(*high));
    if (numbers && (!limits->high || value_number(*low) <= value_number(*high))) return true;
    evaluator_error(check->evaluator, limits->span,
                    "limits must be a range from a number to a larger one");
    return false;
}

static bool in_range(const LimitCheck *check, Value value) {
    Value low, high;
    if (!read_ends(check, &low, &high)) return false;
    const Limits *limits = check->limits;
    double x = value_is_number(value) ? value_number(value) : 0, least = value_number(low);
    bool good = value_is_number(value) && (limits->above ? x > least : x >= least);
    if (good && limits->high)
        good = limits->below ? x < value_number(high) : x <= value_number(high);
    if (good) return true;
    Arena *arena = check->evaluator->arena;
    const char *kind = value_is_number(value) ? "" : "a number ", *from = text_of(check, low);
    if (!limits->high)
        return outside(
            check, value,
            arena_format(arena, limits->above ? "%sabove %s" : "%sat least %s", kind, from));
    return outside(check, value,
                   arena_format(arena, "%sfrom %s to %s%s", kind, from,
                                limits->below ? "below " : "", text_of(check, high)));
}

/* -- choices -- */

enum { CHOICES_SHOWN = 12 };

static bool in_choices(const LimitCheck *check, Value value) {
    Evaluator *evaluator = check->evaluator;
    Value choices = evaluate(evaluator, check->limits->choices);
    if (choices.kind == VALUE_ERROR) return false;
    if (choices.kind != VALUE_LIST) {
        evaluator_error(evaluator, check->limits->span,
                        "'in' needs a range or a list of choices, not %s", text_of(check, choices));
        return false;
    }
    const char *all = "";
    for (uint32_t i = 0; i < choices.list.count; i++) {
        if (value_equal(choices.list.items[i], value)) return true;
        if (i < CHOICES_SHOWN)
            all = arena_format(evaluator->arena, "%s%s%s", all, i ? ", " : "",
                               text_of(check, choices.list.items[i]));
    }
    return outside(check, value, arena_format(evaluator->arena, "one of %s", all));
}

static bool item_allowed(const LimitCheck *check, Value value) {
    if (value.kind == VALUE_TENSOR) return true;
    return check->limits->choices ? in_choices(check, value) : in_range(check, value);
}

bool limits_check(Evaluator *evaluator, const Limits *limits, Value value, Span span,
                  ValueOwner owner, bool remote) {
    LimitCheck check = {evaluator, limits, span, owner, remote};
    if (!limits) return true;
    if (value.kind != VALUE_LIST) return item_allowed(&check, value);
    for (uint32_t i = 0; i < value.list.count; i++)
        if (!item_allowed(&check, value.list.items[i])) return false;
    return true;
}
