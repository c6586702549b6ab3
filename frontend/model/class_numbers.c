/* Finds what the numbers of an output with classes are. cross_entropy(logits, label) makes them
 * logits; -log(p) makes them probabilities. bce_logits(x, y) and bce(p, y) compare one number a row
 * with 0 or 1: the output has two classes, and the number is the logit or the probability of class
 * 1. */
#include "frontend/model/loading.h"

#include <string.h>

/* The node whose elements a node has, in another shape or a part of them. */
static NodeId before_views(const Graph *graph, NodeId id, NodeId end) {
    const Node *node = graph_node(graph, id);
    while (id != end && op_class(node->op) == CLASS_VIEW && node->operand_count == 1)
        node = graph_node(graph, id = node->operands[0]);
    return id;
}

/* -- several numbers a row -- */

static ClassNumbers numbers_of(const Graph *graph, NodeId output) {
    ClassNumbers found = NUMBERS_UNKNOWN;
    if (graph_node(graph, before_views(graph, output, NODE_NONE))->op == OP_softmax)
        return NUMBERS_PROBABILITIES;
    for (NodeId id = output + 1; id < graph->node_count; id++) {
        const Node *node = graph_node(graph, id);
        bool logits = node->op == OP_log_softmax || node->op == OP_softmax;
        if ((!logits && node->op != OP_log) ||
            before_views(graph, node->operands[0], output) != output)
            continue;
        found = logits ? NUMBERS_LOGITS : NUMBERS_PROBABILITIES;
    }
    return found;
}

/* -- one number a row -- */

/* The first call of a loss or metric that compares the output itself, or its sigmoid, with another
 * tensor. */
static const LossCall *first_call(const Model *model, const Graph *graph, NodeId output,
                                  bool *sigmoid) {
    const LayerLog *log = model->log;
    for (uint32_t i = 0; i < log->loss_call_count; i++) {
        NodeId node = before_views(graph, log->loss_calls[i].node, output);
        *sigmoid = node != output && graph_node(graph, node)->op == OP_sigmoid;
        if (*sigmoid) node = before_views(graph, graph_node(graph, node)->operands[0], output);
        if (node == output && log->loss_calls[i].other) return &log->loss_calls[i];
    }
    return NULL;
}

/* The field of the source, or the derived column, whose numbers are the target; NULL: it is
 * computed otherwise. */
static const char *label_of(const Model *model, const Graph *graph, NodeId target) {
    const Node *node = graph_node(graph, target);
    while ((op_class(node->op) == CLASS_VIEW && node->operand_count == 1) || node->op == OP_convert)
        node = graph_operand(graph, node, 0);
    if (node->op != OP_input || shape_inner(node->shape, 0) != 1) return NULL;
    const Symbol *symbol = &graph->symbols[node->attrs.symbol];
    if (symbol->kind != SYMBOL_BATCH) return NULL;
    const SourceSchema *schema = &model->info.schema;
    uint32_t count;
    const uint32_t *fields = source_columns_find(schema, symbol->name, model->arena, &count);
    const char *name = fields ? schema->fields[fields[0]].name : symbol->name;
    return arena_copy_string(model->arena, name, strlen(name));
}

static void find_two_classes(Model *model, const Graph *graph, uint32_t i) {
    ModelOutput *output = &model->info.outputs[i];
    NodeId node = model->log->outputs[i];
    bool sigmoid;
    const LossCall *call = first_call(model, graph, node, &sigmoid);
    bool logits = call && !strcmp(call->callee, "bce_logits"),
         probabilities = call && !strcmp(call->callee, "bce");
    if ((!logits && !probabilities) || (logits && sigmoid)) return;
    output->classes = output->is_binary = true;
    output->numbers = logits || sigmoid ? NUMBERS_LOGITS : NUMBERS_PROBABILITIES;
    output->label = label_of(model, graph, call->other);
    SourceRows rows;
    const SourceField *field =
        output->label ? source_any(&model->info.schema, source_rows_of(output->label, &rows))
                      : NULL;
    if (field && field->dtype != DTYPE_F32 && !model->info.label_field)
        model->info.label_field = output->label;
}

void class_numbers_find(Model *model, const Graph *graph) {
    for (uint32_t i = 0; i < model->info.output_count; i++) {
        ModelOutput *output = &model->info.outputs[i];
        NodeId node = model->log->outputs[i];
        if (output->classes)
            output->numbers = numbers_of(graph, node);
        else if (!output->parts && shape_inner(graph_node(graph, node)->shape, 0) == 1)
            find_two_classes(model, graph, i);
    }
}
