/* Reads `freeze = [dense1, "conv*"]` in the train block, the layers that are not trained, and
 * checks the names against the network. */
#include "frontend/model/loading.h"

#include <string.h>

bool freeze_covers(const Model *model, const char *tensor) {
    return freeze_any_stands_for(model->arena, &model->globals.frozen, tensor);
}

/* The name of a layer may be written without quotes, unless a param has that name. */
static const char *pattern_of(Evaluator *evaluator, const Expr *expr) {
    bool bare = expr->kind == EXPR_NAME && !names_find(evaluator->globals->params, expr->text);
    if (bare) return expr->text;
    Value value = evaluate(evaluator, expr);
    if (value.kind == VALUE_STRING) return value.text;
    if (value.kind != VALUE_ERROR &&
        evaluator_error(evaluator, expr->span, "'freeze' must name layers, not be %s",
                        value_text(evaluator->arena, evaluator->graph, value)))
        diag_help(evaluator->diag,
                  "for example freeze = [dense1, \"conv*\"]; 'mlc summary' shows the names");
    return NULL;
}

bool freeze_read(Model *model, Evaluator *evaluator) {
    const Setting *setting = item_setting(model->train, "freeze");
    if (!setting) return true;
    bool list = setting->value->kind == EXPR_LIST, good = true;
    const Expr *first = list ? setting->value->elements.first : setting->value;
    uint32_t most = list ? setting->value->elements.count : 1;
    Frozen frozen = {ARENA_ARRAY(model->arena, const char *, most),
                     ARENA_ARRAY(model->arena, Span, most), 0};
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
        if (symbol_is_network(&graph->symbols[i]) &&
            freeze_stands_for(evaluator->arena, pattern, graph->symbols[i].name))
            return true;
    return false;
}

static void suggest_layer(Evaluator *evaluator, const char *pattern) {
    const Graph *graph = evaluator->graph;
    const char **layers = ARENA_ARRAY(evaluator->arena, const char *, graph->symbol_count);
    uint32_t count = 0;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const char *name = graph->symbols[i].name, *dot = strrchr(name, '.');
        if (symbol_is_network(&graph->symbols[i]))
            layers[count++] =
                dot ? arena_copy_string(evaluator->arena, name, (size_t)(dot - name)) : name;
    }
    if (!diag_suggest(evaluator->diag, pattern, layers, count))
        diag_help(evaluator->diag, "'mlc summary' shows the names of the layers");
}

bool freeze_check(Evaluator *evaluator) {
    const Frozen *frozen = &evaluator->globals->frozen;
    bool good = true;
    for (uint32_t i = 0; i < frozen->count; i++) {
        if (stands_for_any(evaluator, frozen->patterns[i])) continue;
        good = false;
        if (evaluator_error(
                evaluator, frozen->spans[i],
                "'freeze' names '%.60s', but the model has no layer of that name with weights",
                frozen->patterns[i]))
            suggest_layer(evaluator, frozen->patterns[i]);
    }
    return good;
}
