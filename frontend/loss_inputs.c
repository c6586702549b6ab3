/* cross_entropy has a softmax in it. After another one, softmax(softmax(x)), all classes stay nearly alike, and the training is slow
 * and ends at a large loss. Probabilities go with nll(log(p), label). */
#include "frontend/model.h"

/* What moves elements only does not matter. */
static const Node *before_views(const Graph *graph, const Node *node) {
    while (op_class(node->op) == CLASS_VIEW && node->operand_count == 1) node = graph_operand(graph, node, 0);
    return node;
}

void softmax_find_twice(Model *model, const Graph *graph) {
    const bool *live = graph_live(graph);
    for (NodeId id = 1; id < graph->node_count; id++) {
        const Node *node = graph_node(graph, id);
        if (!live[id] || node->op != OP_log_softmax) continue;
        const Node *first = before_views(graph, graph_operand(graph, node, 0));
        if (first->op != OP_softmax && first->op != OP_log_softmax) continue;
        model->second_softmax = node->span;
        model->first_softmax = first->span;
        return;
    }
}

void model_warn_softmax(const Model *model, Diagnostics *diag) {
    if (!model->second_softmax.file) return;
    diag_warning(diag, model->second_softmax, "this takes the softmax of what is a softmax already");
    diag_note(diag, model->first_softmax, "the first one is here");
    diag_help(diag, "cross_entropy has the softmax in it: give it the logits");
}
