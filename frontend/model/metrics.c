/* Metrics over a whole split. A metric that is a mean over rows needs nothing: the means of its batches are averaged. One that is
 * not (a root, a quotient) is written with split_mean(x), the mean of x over all rows of the split. Of such a metric, the graph
 * that evaluates a batch gives the x; another graph, of which the means are inputs, makes the metric of them.
 * split_counts(...) adds up, instead, how often classes meet; a metric may be the whole matrix of that.
 * Metrics that are the mean of truth values are shares: how many answers are right. */
#include "frontend/model/model.h"

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

/* How many truth values a node is the mean of: their sum, divided by their number. 0: it is something else. */
static int64_t truths_averaged(const Graph *graph, const Node *node) {
    double divisor = 1; /* there is no division by it */
    if (node->op == OP_div && graph_operand(graph, node, 1)->op == OP_constant) {
        divisor = (double)graph_operand(graph, node, 1)->attrs.value.f;
        node = graph_operand(graph, node, 0);
    }
    while (node->op == OP_sum || node->op == OP_reshape) node = graph_operand(graph, node, 0);
    bool truths = node->op == OP_convert && graph_operand(graph, node, 0)->dtype == DTYPE_BOOL;
    int64_t count = shape_elements(node->shape);
    return truths && (double)(float)count == divisor ? count : 0;
}

void metrics_find_shares(Model *model, const Graph *graph) {
    int64_t *answers = ARENA_ARRAY(model->arena, int64_t, model->info.metric_count), batch = model->info.batch;
    uint32_t output = 1; /* behind the loss */
    for (uint32_t i = 0; i < model->info.metric_count; i++) {
        if (model->info.counts[i].classes) continue;
        int64_t count = truths_averaged(graph, graph_node(graph, graph->outputs[output++].node));
        answers[i] = count % batch ? 0 : count / batch;
    }
    model->info.answers = answers;
}
