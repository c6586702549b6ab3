/* Finds the --set option that sets the learning rate: it replaces the number from which the
 * optimizer gets its rate. */
#include "frontend/model/loading.h"

#include <string.h>

/* The text of a span: a part of a file, or of a --set option. NULL: it is in neither. */
static const char *text_at(const Model *model, Span span) {
    for (uint32_t i = 0; i < names_count(model->texts); i++) {
        const SourceText *text = names_find(model->texts, names_all(model->texts)[i]);
        if (text->file == span.file) return text->text + span.begin;
    }
    for (uint32_t i = 0; i < names_count(model->overrides); i++) {
        const Override *override = override_find(model, names_all(model->overrides)[i]);
        if (override->value_span.file == span.file)
            return override->value_text + (span.begin - override->value_span.begin);
    }
    return NULL;
}

/* The argument `lr` of a call, or its first one; NULL: it has neither. */
static const Expr *rate_argument(const Expr *call) {
    for (const Arg *arg = call->call.args.first; arg; arg = arg->next)
        if (arg->name.text && !strcmp(arg->name.text, "lr")) return arg->value;
    const Arg *first = call->call.args.first;
    return first && !first->name.text ? first->value : NULL;
}

static bool is_param(const Model *model, const Expr *expr) {
    for (const Item *item = model->items.first; item && expr->kind == EXPR_NAME; item = item->next)
        if (item->kind == ITEM_PARAM && !strcmp(item->param.name.text, expr->text)) return true;
    return false;
}

/* The expression `whole` as text, in which `part` is replaced; `part` empty: it is inserted. */
static const char *replaced(const Model *model, const Expr *whole, Span part, const char *by,
                            Arena *arena) {
    const char *text = text_at(model, whole->span);
    if (!text || part.file != whole->span.file || part.begin < whole->span.begin ||
        part.end > whole->span.end)
        return NULL;
    return arena_format(arena, "train.optimizer=%.*s%s%.*s", (int)(part.begin - whole->span.begin),
                        text, by, (int)(whole->span.end - part.end),
                        text + (part.end - whole->span.begin));
}

const char *model_rate_setting(const Model *model, double rate, Arena *arena) {
    const Expr *whole = item_setting(model->train, "optimizer")->value, *expr = whole;
    const char *number = arena_format(arena, "%.2g", rate);
    if (whole->kind == EXPR_NAME && !is_param(model, whole)) /* adam, without a call */
        return replaced(model, whole, (Span){whole->span.file, whole->span.end, whole->span.end},
                        arena_format(arena, "(lr = %s)", number), arena);
    while (expr && expr->kind == EXPR_CALL) expr = rate_argument(expr);
    if (expr && is_param(model, expr)) return arena_format(arena, "%s=%s", expr->text, number);
    if (expr && (expr->kind == EXPR_FLOAT || expr->kind == EXPR_INT))
        return replaced(model, whole, expr->span, number, arena);
    if (expr || whole->kind != EXPR_CALL || whole->call.piped || rate_argument(whole)) return NULL;
    /* a call without a rate: it becomes the first argument */
    uint32_t at = whole->call.callee->span.end + 1;
    const char *before = text_at(model, (Span){whole->span.file, at - 1, at});
    if (!before || *before != '(') return NULL;
    return replaced(model, whole, (Span){whole->span.file, at, at},
                    arena_format(arena, whole->call.args.count ? "lr = %s, " : "lr = %s", number),
                    arena);
}
