/* Metrics over a whole split. A metric that is a mean over rows needs nothing: the means of its batches are averaged. One that is
 * not (a root, a quotient) is written with split_mean(x), the mean of x over all rows of the split. Of such a metric, the graph
 * that evaluates a batch gives the x; another graph, of which the means are inputs, makes the metric of them.
 * split_counts(...) adds up, instead, how often classes meet; a metric may be the whole matrix of that. */
#include "frontend/model/loading.h"

/* Is the node made of means over the split alone? */
static bool is_finished(Evaluator *evaluator, NodeId node) {
    const Graph *graph = evaluator->graph;
    const bool *reached = graph_ancestors(evaluator->arena, graph, node);
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (reached[symbol->node] && (symbol->kind != SYMBOL_VALUE || symbol->dtype != DTYPE_F32)) return false;
    }
    return true;
}

NodeId metric_finish(Evaluator *evaluator, const Expr *expr, NodeId node) {
    if (!evaluator->split_means) return graph_input(evaluator->graph, SYMBOL_VALUE, evaluator->metric, DTYPE_F32, (Shape){0});
    if (is_finished(evaluator, node)) return node;
    if (evaluator_error(evaluator, expr->span, "this metric mixes means over the whole split with what belongs to one batch"))
        diag_help(evaluator->diag, "everything in it that depends on the rows must be inside split_mean(...)");
    return NODE_NONE;
}

/* The means of all batches must go together, whatever their number of rows. */
static bool same_means(const Graph *a, const Graph *b) {
    for (uint32_t i = 0; i < a->symbol_count; i++) {
        const Symbol *symbol = &a->symbols[i], *other = graph_symbol(b, symbol->name);
        if (symbol->kind == SYMBOL_VALUE && symbol->node && (!other || !shape_equal(symbol->shape, other->shape))) return false;
    }
    return true;
}

bool metrics_check(Model *model) {
    Graph *graph = lower(model, GRAPH_METRICS, model->info.batch, NULL, model->diag);
    Graph *other = graph ? lower(model, GRAPH_METRICS, model->info.batch + 1, NULL, model->diag) : NULL;
    bool good = graph && other && same_means(graph, other);
    if (graph && other && !good) {
        const Setting *setting = item_setting(model->train, "metrics");
        diag_error(model->diag, STATUS_MODEL, setting->value->span,
                   "the mean over a split is taken of something whose shape depends on the batch");
        diag_help(model->diag, "split_mean(...) is of one number for each batch, such as mean(x), or of as many for every "
                               "batch, such as mean(x, axis = 0)");
    }
    graph_free(graph);
    graph_free(other);
    return good;
}
