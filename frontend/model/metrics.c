/* Metrics over a whole split. A plain metric is averaged over the batches. Others, such as rmse,
 * are built with split_mean(x): GRAPH_EVAL outputs x for each batch, and GRAPH_METRICS computes the
 * metric from the means over the split. split_counts(...) adds up counts of classes in the same
 * way; its result is a matrix. */
#include "frontend/model/loading.h"

/* Whether a node depends on means over the split alone. */
static bool is_finished(Evaluator *evaluator, NodeId node) {
    const Graph *graph = evaluator->graph;
    const bool *reached = graph_ancestors(evaluator->arena, graph, node);
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (reached[symbol->node] && (symbol->kind != SYMBOL_VALUE || symbol->dtype != DTYPE_F32))
            return false;
    }
    return true;
}

NodeId metric_finish(Evaluator *evaluator, const Expr *expr, NodeId node) {
    if (!evaluator->split_means)
        return graph_input(evaluator->graph, SYMBOL_VALUE, evaluator->metric, DTYPE_F32,
                           (Shape){0});
    if (is_finished(evaluator, node)) return node;
    if (evaluator_error(evaluator, expr->span,
                        "this metric mixes means over the whole split with values of one batch"))
        diag_help(evaluator->diag,
                  "everything in it that depends on the rows must be inside split_mean(...)");
    return NODE_NONE;
}

/* The means must have the same shapes for batches of different sizes. */
static bool same_means(const Graph *a, const Graph *b) {
    for (uint32_t i = 0; i < a->symbol_count; i++) {
        const Symbol *symbol = &a->symbols[i], *other = graph_symbol(b, symbol->name);
        if (symbol->kind == SYMBOL_VALUE && symbol->node &&
            (!other || !shape_equal(symbol->shape, other->shape)))
            return false;
    }
    return true;
}

bool metrics_check(Model *model) {
    Graph *graph = lower(model, GRAPH_METRICS, model->info.batch, NULL, model->diag);
    Graph *other =
        graph ? lower(model, GRAPH_METRICS, model->info.batch + 1, NULL, model->diag) : NULL;
    bool good = graph && other && same_means(graph, other);
    if (graph && other && !good) {
        const Setting *setting = item_setting(model->train, "metrics");
        diag_error(model->diag, STATUS_MODEL, setting->value->span,
                   "split_mean(x) needs an x whose shape does not depend on the number of rows");
        diag_help(
            model->diag,
            "split_mean(...) takes one number for each batch, such as mean(x), or one for each column, such as mean(x, axis = 0)");
    }
    graph_free(graph);
    graph_free(other);
    return good;
}
