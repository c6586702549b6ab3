/* The log of a model's calls: the lines of `mlc summary` with their costs, and the labels and
 * losses of the train block. */
#include "frontend/evaluate/summary.h"

#include <string.h>

LayerLog *layer_log_new(Arena *arena, uint32_t file, const char *text) {
    LayerLog *log = ARENA_NEW(arena, LayerLog);
    uint32_t count = 1, at = 1, *lines;
    for (const char *c = text; *c; c++) count += *c == '\n';
    lines = ARENA_ARRAY(arena, uint32_t, count);
    for (const char *c = text; *c; c++)
        if (*c == '\n') lines[at++] = (uint32_t)(c - text) + 1;
    *log =
        (LayerLog){.file = file, .lines = lines, .line_count = count, .counts = names_new(arena)};
    return log;
}

/* The number of the line, from 1, that holds a byte of the text. */
static uint32_t line_at(const LayerLog *log, uint32_t byte) {
    uint32_t low = 0, high = log->line_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (log->lines[middle] <= byte)
            low = middle;
        else
            high = middle;
    }
    return low + 1;
}

LayerMark summary_mark(const Evaluator *evaluator) {
    return (LayerMark){evaluator->graph->node_count, evaluator->graph->symbol_count};
}

/* Floating-point operations of one node. A product of k terms has 2 k for each element. An
 * elementwise op has one for each element that it makes, a reduction one for each element that it
 * reads, and max_pool one for each element of a window. Softmax has five: max, subtract, exp, sum,
 * divide. */
static int64_t node_operations(const Graph *graph, const Node *node) {
    int64_t elements = shape_elements(node->shape);
    switch (op_class(node->op)) {
    case CLASS_ELEMENTWISE: return elements;
    case CLASS_REDUCE:
    case CLASS_SCAN: return shape_elements(graph_operand(graph, node, 0)->shape);
    case CLASS_COMPOSITE:
        if (node->op == OP_conv)
            return 2 * elements * shape_inner(graph_operand(graph, node, 1)->shape, 0);
        return elements * (node->op == OP_max_pool
                               ? node->attrs.window.kernel[0] * node->attrs.window.kernel[1]
                               : 5);
    case CLASS_MATRIX: {
        const Node *left = graph_operand(graph, node, 0);
        return 2 * elements *
               left->shape.dim[left->shape.rank - (node->attrs.matmul.transpose_a ? 2 : 1)];
    }
    default: return 0;
    }
}

/* The name of a line in `mlc summary`. A call of `weight` has the name of its state. Other calls
 * are numbered as layers are: "relu1", "relu2". */
static const char *call_name(Evaluator *evaluator, const LayerMark *mark, const char *op) {
    const Graph *graph = evaluator->graph;
    if (!strcmp(op, "weight") && graph->symbol_count > mark->symbols)
        return arena_format(evaluator->arena, "%s", graph->symbols[mark->symbols].name);
    uint32_t *count = names_find(evaluator->log->counts, op);
    if (!count)
        names_put(evaluator->log->counts, op, count = ARENA_NEW(evaluator->arena, uint32_t));
    return arena_format(evaluator->arena, "%s%u", op, ++*count);
}

/* Only calls of the library in the model's own text get a line. Calls inside such a call belong to
 * its line. */
void summary_record(Evaluator *evaluator, const LayerMark *mark, const Callable *callee,
                    Value value, Span span) {
    LayerLog *log = evaluator->log;
    const Graph *graph = evaluator->graph;
    if (!log || evaluator->phase != PHASE_MODEL || value.kind != VALUE_TENSOR ||
        evaluator->scope->in_library)
        return;
    if (callee && !callee->in_library) return;
    int64_t operations = 0, weights = 0;
    for (NodeId id = mark->nodes; id < graph->node_count; id++)
        operations += node_operations(graph, graph_node(graph, id));
    for (uint32_t i = mark->symbols; i < graph->symbol_count; i++)
        if (graph->symbols[i].trainable) weights += shape_elements(graph->symbols[i].shape);
    const Node *node = tensor_node(evaluator, value);
    const char *op = callee ? callee->name : "matmul";
    ARENA_ROOM(evaluator->arena, log->layers, log->count, log->capacity);
    log->layers[log->count++] =
        (LayerInfo){.name = call_name(evaluator, mark, op),
                    .op = op,
                    .output = {node->dtype, node->shape},
                    .weights = weights,
                    .operations = operations / evaluator->batch,
                    .line = span.file == log->file ? line_at(log, span.begin) : 0};
}

static NodeId tensor_given(const Given *given, uint32_t count, uint32_t index) {
    return index < count && given[index].value.kind == VALUE_TENSOR ? given[index].value.node
                                                                    : NODE_NONE;
}

void loss_call_keep(Evaluator *evaluator, const Callable *callee, const Given *given,
                    uint32_t count, Span span) {
    LayerLog *log = evaluator->log;
    NodeId node = tensor_given(given, count, 0);
    if (!log || evaluator->phase != PHASE_TRAIN || evaluator->scope->in_library ||
        !callee->in_library || !node)
        return;
    ARENA_ROOM(evaluator->arena, log->loss_calls, log->loss_call_count, log->loss_call_capacity);
    log->loss_calls[log->loss_call_count++] =
        (LossCall){callee->name, span, node, tensor_given(given, count, 1)};
}

NodeId loss_call_compared(const Evaluator *evaluator) {
    const LayerLog *log = evaluator->log;
    bool inside = evaluator->scope->in_library && log->loss_call_count > 0;
    return inside ? log->loss_calls[log->loss_call_count - 1].node : NODE_NONE;
}

enum { LABELS_MAX = 64 };

void label_add(LayerLog *log, Arena *arena, ClassLabel label) {
    for (uint32_t i = 0; i < log->label_count; i++)
        if (log->labels[i].node == label.node && log->labels[i].columns == label.columns &&
            log->labels[i].compared == label.compared)
            return;
    if (log->label_count == LABELS_MAX) return;
    ARENA_ROOM(arena, log->labels, log->label_count, log->label_capacity);
    log->labels[log->label_count++] = label;
}
