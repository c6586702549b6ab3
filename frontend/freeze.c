/* Which layers a training leaves as they are: `freeze = [dense1, "conv*"]` in the train block. */
#include "frontend/model.h"

#include <string.h>

/* Whether a text is what a pattern stands for; `*` stands for any characters. Goes back to the last star only, so that the time is
 * bounded by the product of both lengths. */
static bool matches(const char *pattern, const char *text) {
    const char *star = NULL, *star_text = NULL;
    while (*text) {
        if (*pattern == '*')
            star = pattern++, star_text = text;
        else if (*pattern == *text)
            pattern++, text++;
        else if (star)
            pattern = star + 1, text = ++star_text;
        else
            return false;
    }
    while (*pattern == '*') pattern++;
    return !*pattern;
}

/* A pattern stands for a layer ("dense1"), or for one of its tensors ("dense1.weight"). */
static bool stands_for(Arena *arena, const char *pattern, const char *tensor) {
    const char *dot = strrchr(tensor, '.');
    return matches(pattern, tensor) || (dot && matches(pattern, arena_copy_string(arena, tensor, (size_t)(dot - tensor))));
}

static bool any_stands_for(Arena *arena, const Frozen *frozen, const char *tensor) {
    for (uint32_t i = 0; i < frozen->count; i++)
        if (stands_for(arena, frozen->patterns[i], tensor)) return true;
    return false;
}

bool freeze_holds(const Evaluator *evaluator, const char *tensor) {
    return any_stands_for(evaluator->arena, &evaluator->globals->frozen, tensor);
}

bool freeze_covers(const Model *model, const char *tensor) {
    return any_stands_for(model->arena, &model->globals.frozen, tensor);
}

/* -- reading the key -- */

/* A layer's name may stand there bare, as it is no value; a param of that name is one. */
static const char *pattern_of(Evaluator *evaluator, const Expr *expr) {
    bool bare = expr->kind == EXPR_NAME && !names_find(evaluator->globals->params, expr->text);
    if (bare) return expr->text;
    Value value = evaluate(evaluator, expr);
    if (value.kind == VALUE_STRING) return value.text;
    if (value.kind != VALUE_ERROR && evaluator_error(evaluator, expr->span, "'freeze' must name layers, not be %s",
                                                     value_text(evaluator->arena, evaluator->graph, value)))
        diag_help(evaluator->diag, "for example freeze = [dense1, \"conv*\"]; 'mlc summary' shows the names");
    return NULL;
}

bool freeze_read(Model *model, Evaluator *evaluator) {
    const Setting *setting = item_setting(model->train, "freeze");
    if (!setting) return true;
    bool list = setting->value->kind == EXPR_LIST, good = true;
    const Expr *first = list ? setting->value->elements.first : setting->value;
    uint32_t most = list ? setting->value->elements.count : 1;
    Frozen frozen = {ARENA_ARRAY(model->arena, const char *, most), ARENA_ARRAY(model->arena, Span, most), 0};
    for (const Expr *expr = first; expr && frozen.count < most; expr = expr->next, frozen.count++) {
        frozen.spans[frozen.count] = expr->span;
        good &= (frozen.patterns[frozen.count] = pattern_of(evaluator, expr)) != NULL;
    }
    model->globals.frozen = good ? frozen : (Frozen){0};
    return good;
}

/* -- checking it against the network -- */

static bool stands_for_any(const Evaluator *evaluator, const char *pattern) {
    const Graph *graph = evaluator->graph;
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (symbol_is_network(&graph->symbols[i]) && stands_for(evaluator->arena, pattern, graph->symbols[i].name)) return true;
    return false;
}

static void suggest_layer(Evaluator *evaluator, const char *pattern) {
    const Graph *graph = evaluator->graph;
    const char **layers = ARENA_ARRAY(evaluator->arena, const char *, graph->symbol_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const char *name = graph->symbols[i].name, *dot = strrchr(name, '.');
        if (symbol_is_network(&graph->symbols[i]))
            layers[count++] = dot ? arena_copy_string(evaluator->arena, name, (size_t)(dot - name)) : name;
    }
    const char *near = diag_nearest(pattern, layers, count);
    if (near)
        diag_help(evaluator->diag, "did you mean '%s'?", near);
    else
        diag_help(evaluator->diag, "'mlc summary' shows the names of the layers");
}

bool freeze_check(Evaluator *evaluator) {
    const Frozen *frozen = &evaluator->globals->frozen;
    bool good = true;
    for (uint32_t i = 0; i < frozen->count; i++) {
        if (stands_for_any(evaluator, frozen->patterns[i])) continue;
        good = false;
        if (evaluator_error(evaluator, frozen->spans[i],
                            "'freeze' names '%.60s', but no layer of the model with weights is called so", frozen->patterns[i]))
            suggest_layer(evaluator, frozen->patterns[i]);
    }
    return good;
}
