/* Finds the label of each output of the model. In cross_entropy(logits, label) the call names it:
 * `label` belongs to the output that `logits` is computed from.
 *
 * A loss may also be written out, as in -mean(one_hot(label, 10) * log_softmax(logits)). Then the
 * training graph is traced: each node has the output nearest to it and the only label that it is
 * computed from. An op that combines the two pairs them. A node of several outputs, or of several
 * labels, pairs nothing. */
#include "frontend/model/loading.h"

#include <string.h>

typedef struct {
    Model *model;
    const Graph *graph;
    const bool *needed;    /* nodes that the loss or a metric is computed from */
    const ClassLabel **to; /* of each output: its label */
    /* of each node: the number of the nearest output, from 1; NOTHING, or MIXED if there are
     * several */
    uint32_t *from_output;
    /* of each node: the number of the only label it is computed from, from 1; NOTHING or MIXED */
    uint32_t *from_label;
} Matching;
static const uint32_t NOTHING = 0, MIXED = UINT32_MAX;

/* -- where the nodes come from -- */

/* The number that all operands with a number have; MIXED if they differ. */
static uint32_t of_operands(const Node *node, const uint32_t *from) {
    uint32_t result = NOTHING;
    for (uint32_t i = 0; i < node->operand_count; i++) {
        uint32_t other = from[node->operands[i]];
        if (other != NOTHING) result = result == NOTHING || result == other ? other : MIXED;
    }
    return result;
}

static bool is_constant(const Graph *graph, const Node *node) {
    while (op_class(node->op) == CLASS_VIEW && node->operand_count == 1)
        node = graph_operand(graph, node, 0);
    return node->op == OP_constant;
}

/* A node carries on the label of its operands as long as it stands for a class. */
static void trace_label(Matching *matching, NodeId id) {
    const Graph *graph = matching->graph;
    const Node *node = graph_node(graph, id);
    uint32_t *label = &matching->from_label[id];
    bool is_class = true;
    if (node->op == OP_convert) /* a whole number that is converted to f32 is a quantity */
        is_class = node->dtype != DTYPE_F32 || graph_operand(graph, node, 0)->dtype == DTYPE_BOOL;
    else if (node->dtype == DTYPE_BOOL && node->operand_count == 2) /* one compared selects rows */
        is_class = !is_constant(graph, graph_operand(graph, node, 0)) &&
                   !is_constant(graph, graph_operand(graph, node, 1));
    if (*label == NOTHING && is_class) *label = of_operands(node, matching->from_label);
    if (matching->from_output[id] != NOTHING) *label = NOTHING;
}

/* -- pairing outputs and labels -- */

static const Shape *output_shape(const Matching *matching, uint32_t output) {
    return &graph_node(matching->graph, matching->model->log->outputs[output])->shape;
}

/* Gives the output the label of this node. Of several labels of an output the first counts. */
static void match(Matching *matching, uint32_t output, NodeId node) {
    const LayerLog *log = matching->model->log;
    const Shape *shape = output_shape(matching, output);
    int64_t columns = shape->rank < 2 ? 1 : shape->dim[shape->rank - 1];
    for (uint32_t i = 0; i < log->label_count; i++) {
        const ClassLabel *label = &log->labels[i], **to = &matching->to[output];
        bool fits = columns > 1 && (!label->columns || label->columns == columns);
        if (label->node == node && fits && (!*to || label < *to)) *to = label;
    }
}

/* Pairs an output and a label, by their numbers. Several outputs may be one node. */
static void pair(Matching *matching, uint32_t output, uint32_t label) {
    const LayerLog *log = matching->model->log;
    if (output == NOTHING || output == MIXED || label == NOTHING || label == MIXED) return;
    NodeId paired = log->outputs[output - 1];
    for (uint32_t i = 0; i < matching->model->info.output_count; i++)
        if (log->outputs[i] == paired) match(matching, i, log->labels[label - 1].node);
}

/* Pairs the labels of calls first, then traces the others. */
static void match_all(Matching *matching) {
    const LayerLog *log = matching->model->log;
    for (uint32_t i = 0; i < matching->model->info.output_count; i++)
        matching->from_output[log->outputs[i]] = i + 1;
    for (NodeId id = 1; id < matching->graph->node_count; id++)
        if (matching->from_output[id] == NOTHING)
            matching->from_output[id] =
                of_operands(graph_node(matching->graph, id), matching->from_output);
    for (uint32_t i = 0; i < log->label_count; i++) {
        const ClassLabel *label = &log->labels[i];
        uint32_t output = label->compared ? matching->from_output[label->compared] : NOTHING;
        if (matching->from_output[label->node] != NOTHING) continue; /* computed by the network */
        if (output == NOTHING) matching->from_label[label->node] = i + 1;
        pair(matching, output, i + 1);
    }
    for (NodeId id = 1; id < matching->graph->node_count; id++) {
        const Node *node = graph_node(matching->graph, id);
        trace_label(matching, id);
        if (matching->needed[id])
            pair(matching, of_operands(node, matching->from_output),
                 of_operands(node, matching->from_label));
    }
}

/* -- labels of a loss that calls no function with labels -- */

/* Adds the fields of whole numbers, one number a row, that the loss depends on and the network does
 * not read. */
static void guess_labels(Model *model, const Graph *graph, const bool *needed) {
    Graph *network = lower(model, GRAPH_PREDICT, model->info.batch, NULL, model->diag);
    for (uint32_t i = 0; network && i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i], *read = graph_symbol(network, symbol->name);
        SourceRows rows;
        /* a truth value selects rows, so it is not a label */
        bool whole = symbol->dtype != DTYPE_F32 && symbol->dtype != DTYPE_BOOL;
        bool is_label = symbol->kind == SYMBOL_BATCH && whole && symbol->shape.rank == 1 &&
                        needed[symbol->node] &&
                        source_any(&model->info.schema, source_rows_of(symbol->name, &rows)) &&
                        !(read && read->node);
        const char *field =
            is_label ? arena_copy_string(model->arena, symbol->name, strlen(symbol->name)) : NULL;
        if (is_label)
            label_add(model->log, model->arena, (ClassLabel){.node = symbol->node, .field = field});
    }
    graph_free(network);
}

/* -- the result -- */

/* The nodes that the loss or a metric depends on. */
static const bool *needed_nodes(const Model *model, const Graph *graph) {
    bool *needed = ARENA_ARRAY(model->arena, bool, graph->node_count);
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const bool *reached = graph_ancestors(model->arena, graph, graph->outputs[i].node);
        for (NodeId id = 1; id < graph->node_count; id++) needed[id] |= reached[id];
    }
    return needed;
}

void labels_find(Model *model, const Graph *graph) {
    LayerLog *log = model->log;
    Matching matching = {.model = model, .graph = graph, .needed = needed_nodes(model, graph)};
    bool named_by_calls = log->label_count > 0;
    if (!named_by_calls) guess_labels(model, graph, matching.needed);
    matching.to = ARENA_ARRAY(model->arena, const ClassLabel *, model->info.output_count);
    matching.from_output = ARENA_ARRAY(model->arena, uint32_t, graph->node_count);
    matching.from_label = ARENA_ARRAY(model->arena, uint32_t, graph->node_count);
    match_all(&matching);
    if (named_by_calls) model->info.label_field = log->labels[0].field;
    for (uint32_t i = 0; i < model->info.output_count; i++) {
        const ClassLabel *label = matching.to[i];
        if (!label) continue;
        model->info.outputs[i].classes = output_shape(&matching, i)->rank == 2;
        model->info.outputs[i].parts = !model->info.outputs[i].classes;
        if (model->info.outputs[i].parts) continue;
        model->info.outputs[i].label = label->field;
        if (!named_by_calls && !model->info.label_field) model->info.label_field = label->field;
    }
}
