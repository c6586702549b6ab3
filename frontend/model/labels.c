/* Which label belongs to which output of the model: the one that the loss or a metric compares with its columns. Every node of the
 * training graph comes from the outputs nearest to it, or from a label alone; where both meet, they belong together. Where several
 * outputs, or several labels, were mixed before they meet, nobody can tell, and nothing is said. */
#include "frontend/model/model.h"

#include <string.h>

typedef struct {
    Model *model;
    const Graph *graph;
    const bool *counts;    /* nodes that the loss or a metric needs */
    const ClassLabel **to; /* of each output: its label */
    uint32_t *from_output; /* of each node: the number of the nearest output, from 1 */
    uint32_t *from_label;  /* of each node: the number of the only label it is made of, from 1 */
} Matching;
static const uint32_t NOTHING = 0, MIXED = UINT32_MAX;

/* -- where the nodes come from -- */

static uint32_t together(uint32_t a, uint32_t b) {
    if (a == NOTHING || a == b) return b;
    return b == NOTHING ? a : MIXED;
}

static uint32_t of_operands(const Node *node, const uint32_t *from) {
    uint32_t result = NOTHING;
    for (uint32_t i = 0; i < node->operand_count; i++) result = together(result, from[node->operands[i]]);
    return result;
}

static bool is_constant(const Graph *graph, const Node *node) {
    while (op_class(node->op) == CLASS_VIEW && node->operand_count == 1) node = graph_operand(graph, node, 0);
    return node->op == OP_constant;
}

/* A whole number that becomes another one is something to compute with; one that is compared with a number chooses rows. */
static bool is_no_class(const Graph *graph, const Node *node) {
    if (node->op == OP_convert) return node->dtype == DTYPE_F32 && graph_operand(graph, node, 0)->dtype != DTYPE_BOOL;
    bool compares = node->dtype == DTYPE_BOOL && node->operand_count == 2;
    return compares && (is_constant(graph, graph_operand(graph, node, 0)) || is_constant(graph, graph_operand(graph, node, 1)));
}

static void trace(Matching *matching, NodeId id) {
    const Node *node = graph_node(matching->graph, id);
    uint32_t *output = &matching->from_output[id], *label = &matching->from_label[id];
    if (*output == NOTHING) *output = of_operands(node, matching->from_output);
    if (*label == NOTHING && !is_no_class(matching->graph, node)) *label = of_operands(node, matching->from_label);
    if (*output != NOTHING) *label = NOTHING;
}

/* -- where they meet -- */

static const Shape *output_shape(const Matching *matching, uint32_t output) {
    return &graph_node(matching->graph, matching->model->log->outputs[output])->shape;
}

static bool fits(const Matching *matching, uint32_t output, const ClassLabel *label) {
    const Shape *shape = output_shape(matching, output);
    int64_t columns = shape->rank < 2 ? 1 : shape->dim[shape->rank - 1];
    return columns > 1 && (!label->columns || label->columns == columns);
}

/* Of several labels of an output, the one that is compared first counts. */
static void match(Matching *matching, uint32_t output, NodeId node) {
    const LayerLog *log = matching->model->log;
    for (uint32_t i = 0; i < log->label_count; i++) {
        const ClassLabel *label = &log->labels[i], **to = &matching->to[output];
        if (label->node == node && fits(matching, output, label) && (!*to || label < *to)) *to = label;
    }
}

static void meet(Matching *matching, const Node *node) {
    const LayerLog *log = matching->model->log;
    uint32_t output = of_operands(node, matching->from_output), label = of_operands(node, matching->from_label);
    if (output == NOTHING || output == MIXED || label == NOTHING || label == MIXED) return;
    NodeId met = log->outputs[output - 1];
    for (uint32_t i = 0; i < matching->model->info.output_count; i++)
        if (log->outputs[i] == met) match(matching, i, log->labels[label - 1].node);
}

static void match_all(Matching *matching) {
    const LayerLog *log = matching->model->log;
    for (uint32_t i = 0; i < matching->model->info.output_count; i++) matching->from_output[log->outputs[i]] = i + 1;
    for (uint32_t i = 0; i < log->label_count; i++) matching->from_label[log->labels[i].node] = i + 1;
    for (NodeId id = 1; id < matching->graph->node_count; id++) {
        trace(matching, id);
        if (matching->counts[id]) meet(matching, graph_node(matching->graph, id));
    }
}

/* -- labels that no function of the library has told of -- */

static bool is_read(const Graph *network, const char *name) {
    const Symbol *symbol = graph_symbol(network, name);
    return symbol && symbol->node;
}

/* Where the loss is written out: fields of whole numbers, one a row, that it depends on and the network does not read. */
static void guess_labels(Model *model, const Graph *graph, const bool *counts) {
    Graph *network = lower(model, GRAPH_PREDICT, model->info.batch, NULL, model->diag);
    for (uint32_t i = 0; network && i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        SourceRows rows;
        const SourceField *field = source_any(&model->info.schema, source_rows_of(symbol->name, &rows));
        bool whole = symbol->dtype != DTYPE_F32 && symbol->dtype != DTYPE_BOOL; /* a comparison chooses rows */
        if (symbol->kind == SYMBOL_BATCH && whole && symbol->shape.rank == 1 && counts[symbol->node] && field &&
            !is_read(network, symbol->name))
            label_add(model->log, model->arena,
                      (ClassLabel){symbol->node, arena_copy_string(model->arena, symbol->name, strlen(symbol->name)), 0});
    }
    graph_free(network);
}

/* -- the answer -- */

static const bool *needed(const Model *model, const Graph *graph) {
    bool *counts = ARENA_ARRAY(model->arena, bool, graph->node_count);
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const bool *reached = graph_ancestors(model->arena, graph, graph->outputs[i].node);
        for (NodeId id = 1; id < graph->node_count; id++) counts[id] |= reached[id];
    }
    return counts;
}

void labels_find(Model *model, const Graph *graph) {
    LayerLog *log = model->log;
    Matching matching = {.model = model, .graph = graph, .counts = needed(model, graph)};
    bool told = log->label_count > 0;
    if (!told) guess_labels(model, graph, matching.counts);
    matching.to = ARENA_ARRAY(model->arena, const ClassLabel *, model->info.output_count);
    matching.from_output = ARENA_ARRAY(model->arena, uint32_t, graph->node_count);
    matching.from_label = ARENA_ARRAY(model->arena, uint32_t, graph->node_count);
    match_all(&matching);
    if (told) model->info.label_field = log->labels[0].field;
    for (uint32_t i = 0; i < model->info.output_count; i++) {
        const ClassLabel *label = matching.to[i];
        if (!label) continue;
        model->info.outputs[i].classes = output_shape(&matching, i)->rank == 2;
        model->info.outputs[i].parts = !model->info.outputs[i].classes;
        if (model->info.outputs[i].parts) continue;
        model->info.outputs[i].label = label->field;
        if (!told && !model->info.label_field) model->info.label_field = label->field;
    }
}
