/* Warns of a loss that gets the wrong kind of numbers. cross_entropy, for instance, includes the
 * softmax: with softmax(softmax(x)) all classes get nearly the same probability, and training is
 * slow and ends at a large loss. */
#include "frontend/model/loading.h"

#include <string.h>

/* The node that computes the elements, before the views that move them. */
static const Node *before_views(const Graph *graph, const Node *node) {
    while (op_class(node->op) == CLASS_VIEW && node->operand_count == 1)
        node = graph_operand(graph, node, 0);
    return node;
}

static void find_second_softmax(Model *model, const Graph *graph) {
    const bool *live = graph_live(graph);
    for (NodeId id = 1; id < graph->node_count; id++) {
        const Node *node = graph_node(graph, id);
        if (!live[id] || node->op != OP_log_softmax) continue;
        const Node *first = before_views(graph, graph_operand(graph, node, 0));
        if (first->op != OP_softmax && first->op != OP_log_softmax) continue;
        Warning *warning = warning_add(model, node->span, "this takes the softmax of a softmax");
        warning->note = "the first one is here";
        warning->note_span = first->span;
        warning->help = "cross_entropy includes the softmax: give it the logits";
        return;
    }
}

/* The op that the first argument of a loss must not come from. */
static const struct {
    const char *loss;
    Op from;
    const char *message, *help;
} misfits[] = {
    {"cross_entropy", OP_sigmoid,
     "cross_entropy expects logits (any numbers), but these come from a sigmoid",
     "remove the sigmoid; classes that exclude each other need none"},
    {"cross_entropy", OP_relu,
     "cross_entropy expects logits (any numbers), but these come from a relu, which has none below 0",
     "leave the activation after the last layer out: dense(10), and then the loss"},
    {"nll", OP_softmax, "nll expects logarithms of probabilities, but these are probabilities",
     "write nll(log_softmax(x), label), or cross_entropy(x, label) with the logits"},
    {"bce_logits", OP_sigmoid, "this takes the sigmoid of a sigmoid",
     "bce_logits includes the sigmoid: remove the other one, or use bce"},
    {"bce_logits", OP_softmax,
     "bce_logits expects logits (any numbers), but these are probabilities",
     "for classes that exclude each other, use cross_entropy(x, label) with the logits"},
    {"bce_logits", OP_relu,
     "bce_logits expects logits (any numbers), but these come from a relu, which has none below 0",
     "leave the activation after the last layer out: dense(1), and then the loss"},
    {"bce", OP_relu, "bce expects probabilities from 0 to 1, but these come from a relu",
     "use bce_logits(x, target), which includes the sigmoid, after a last layer without activation"},
    {"bce", OP_matmul,
     "bce expects probabilities from 0 to 1, but these come from a layer without activation",
     "use bce_logits(x, target), which includes the sigmoid"},
};

/* The softmax of a single number is 1, and its largest class is 0, whatever the number is. */
static void check_columns(Model *model, const Graph *graph, const LossCall *call) {
    static const char *const metrics[] = {"accuracy", "top_k", "f1", "confusion"};
    Shape shape = graph_node(graph, call->node)->shape;
    if (shape.rank != 2 || shape.dim[1] != 1) return;
    if (!strcmp(call->callee, "cross_entropy"))
        warning_add(model, call->span, "cross_entropy of a single column is always 0")->help =
            "use two columns for two classes, dense(2), or one column with bce_logits";
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        if (!strcmp(call->callee, metrics[i]))
            warning_add(model, call->span, "%s of a single column finds class 0 in every row",
                        metrics[i])
                ->help =
                "the fraction of correct rows is mean((x > 0.0) == (y == 1)) for a logit x; of a probability, compare with 0.5";
}

void loss_inputs_find(Model *model, const Graph *graph) {
    find_second_softmax(model, graph);
    for (uint32_t i = 0; i < model->log->loss_call_count; i++) {
        const LossCall *call = &model->log->loss_calls[i];
        const Node *node = before_views(graph, graph_node(graph, call->node));
        Op from = node->op; /* of a dense layer with a bias the matrix product */
        if (from == OP_add && before_views(graph, graph_operand(graph, node, 0))->op == OP_matmul)
            from = OP_matmul;
        check_columns(model, graph, call);
        for (size_t j = 0; j < sizeof misfits / sizeof *misfits; j++) {
            if (misfits[j].from != from || strcmp(misfits[j].loss, call->callee)) continue;
            Warning *warning = warning_add(model, call->span, "%s", misfits[j].message);
            warning->note = "they are computed here";
            warning->note_span = node->span;
            warning->help = misfits[j].help;
        }
    }
}
