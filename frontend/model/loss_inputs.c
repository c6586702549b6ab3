/* A loss that is given something else than it computes with. cross_entropy, for instance, has a softmax in it. After another one,
 * softmax(softmax(x)), all classes stay nearly alike, and the training is slow and ends at a large loss. */
#include "frontend/model/loading.h"

#include <string.h>

/* What moves elements only does not matter. */
static const Node *before_views(const Graph *graph, const Node *node) {
    while (op_class(node->op) == CLASS_VIEW && node->operand_count == 1) node = graph_operand(graph, node, 0);
    return node;
}

static void find_second_softmax(Model *model, const Graph *graph) {
    const bool *live = graph_live(graph);
    for (NodeId id = 1; id < graph->node_count; id++) {
        const Node *node = graph_node(graph, id);
        if (!live[id] || node->op != OP_log_softmax) continue;
        const Node *first = before_views(graph, graph_operand(graph, node, 0));
        if (first->op != OP_softmax && first->op != OP_log_softmax) continue;
        Warning *warning = warning_add(model, node->span, "this takes the softmax of what is a softmax already");
        warning->note = "the first one is here";
        warning->note_span = first->span;
        warning->help = "cross_entropy has the softmax in it: give it the logits";
        return;
    }
}

/* Of functions of the library: what their first argument must not come from. */
static const struct {
    const char *loss;
    Op from;
    const char *message, *help;
} misfits[] = {
    {"cross_entropy", OP_sigmoid, "cross_entropy takes logits, any numbers, and here come those of a sigmoid",
     "give it what goes into the sigmoid; classes that exclude each other need none"},
    {"cross_entropy", OP_relu, "cross_entropy takes logits, any numbers, and here come those of a relu, none below 0",
     "the last layer has no activation: dense(10), and then the loss"},
    {"nll", OP_softmax, "nll takes logarithms of probabilities, and here come probabilities",
     "nll(log_softmax(x), label), or cross_entropy(x, label) of the logits"},
    {"bce_logits", OP_sigmoid, "this takes the sigmoid of what is a sigmoid already",
     "bce_logits has the sigmoid in it: give it what goes into the sigmoid, or use bce"},
    {"bce_logits", OP_softmax, "bce_logits takes logits, any numbers, and here come probabilities",
     "of classes that exclude each other the loss is cross_entropy(x, label) of the logits"},
    {"bce_logits", OP_relu, "bce_logits takes logits, any numbers, and here come those of a relu, none below 0",
     "the last layer has no activation: dense(1), and then the loss"},
    {"bce", OP_relu, "bce takes probabilities, from 0 to 1, and here come the numbers of a relu",
     "bce_logits(x, target) of the last layer without activation has the sigmoid in it"},
    {"bce", OP_matmul, "bce takes probabilities, from 0 to 1, and here come the numbers of a layer without activation",
     "bce_logits(x, target) has the sigmoid in it"},
};

/* A dense layer adds its bias to a matrix product. */
static Op made_by(const Graph *graph, NodeId id) {
    const Node *node = before_views(graph, graph_node(graph, id));
    if (node->op != OP_add) return node->op;
    const Node *left = before_views(graph, graph_operand(graph, node, 0));
    return left->op == OP_matmul ? OP_matmul : OP_add;
}

/* The softmax of a single number is 1, whatever the number is. */
static void check_columns(Model *model, const Graph *graph, const LossCall *call) {
    Shape shape = graph_node(graph, call->node)->shape;
    if (strcmp(call->callee, "cross_entropy") || shape.rank != 2 || shape.dim[1] != 1) return;
    warning_add(model, call->span, "of one column cross_entropy is 0, whatever the network says")->help =
        "two classes are two columns, dense(2), or one with bce_logits";
}

static void check_call(Model *model, const Graph *graph, const LossCall *call) {
    Op from = made_by(graph, call->node);
    check_columns(model, graph, call);
    for (size_t i = 0; i < sizeof misfits / sizeof *misfits; i++) {
        if (misfits[i].from != from || strcmp(misfits[i].loss, call->callee)) continue;
        Warning *warning = warning_add(model, call->span, "%s", misfits[i].message);
        warning->note = "they are made here";
        warning->note_span = before_views(graph, graph_node(graph, call->node))->span;
        warning->help = misfits[i].help;
    }
}

void loss_inputs_find(Model *model, const Graph *graph) {
    find_second_softmax(model, graph);
    for (uint32_t i = 0; i < model->log->loss_call_count; i++) check_call(model, graph, &model->log->loss_calls[i]);
}
