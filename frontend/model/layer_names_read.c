/* Reads names of layers in the train block, as in `freeze = [dense1, "conv*"]` and `groups`, and
 * checks them against the network. */
#include "frontend/model/loading.h"

#include <string.h>

/* The name of a layer may be written without quotes, unless a param has that name. */
static const char *pattern_of(Evaluator *evaluator, const Expr *expr, const NamesUse *use) {
    bool bare = expr->kind == EXPR_NAME && !names_find(evaluator->globals->params, expr->text);
    if (bare) return expr->text;
    Value value = evaluate(evaluator, expr);
    if (value.kind == VALUE_STRING) return value.text;
    if (value.kind != VALUE_ERROR &&
        evaluator_error(evaluator, expr->span, "'%s' must name layers, not be %s", use->setting,
                        value_text(evaluator->arena, evaluator->graph, value)))
        diag_help(evaluator->diag, "for example %s; 'mlc summary' shows the names", use->example);
    return NULL;
}

bool layer_names_read(Evaluator *evaluator, const NamesUse *use, const Expr *first, uint32_t count,
                      Arena *arena, LayerNames *names) {
    bool good = true;
    LayerNames read = {ARENA_ARRAY(arena, const char *, count), ARENA_ARRAY(arena, Span, count), 0};
    for (const Expr *expr = first; expr && read.count < count; expr = expr->next, read.count++) {
        read.spans[read.count] = expr->span;
        good &= (read.patterns[read.count] = pattern_of(evaluator, expr, use)) != NULL;
    }
    *names = good ? read : (LayerNames){0};
    return good;
}

bool freeze_read(Model *model, Evaluator *evaluator) {
    static const NamesUse use = {"freeze", "freeze = [dense1, \"conv*\"]"};
    const Setting *setting = item_setting(model->train, "freeze");
    if (!setting) return true;
    bool list = setting->value->kind == EXPR_LIST;
    return layer_names_read(evaluator, &use, list ? setting->value->elements.first : setting->value,
                            list ? setting->value->elements.count : 1, model->arena,
                            &model->globals.frozen);
}

/* -- checking them against the network -- */

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

bool layer_names_check(Evaluator *evaluator, const char *setting, const LayerNames *names) {
    const Graph *graph = evaluator->graph;
    bool good = true;
    for (uint32_t i = 0; i < names->count; i++) {
        bool any = false;
        for (uint32_t k = 0; k < graph->symbol_count && !any; k++)
            any = symbol_is_network(&graph->symbols[k]) &&
                  layer_name_covers(evaluator->arena, names->patterns[i], graph->symbols[k].name);
        if (any) continue;
        good = false;
        if (evaluator_error(
                evaluator, names->spans[i],
                "'%s' names '%.60s', but the model has no layer of that name with weights", setting,
                names->patterns[i]))
            suggest_layer(evaluator, names->patterns[i]);
    }
    return good;
}
