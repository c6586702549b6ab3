/* Predictions in the units of the data. The target of an output is what the loss subtracts from it,
 * as mse(p, y) does (mae, rmse, huber, or a written difference too). GRAPH_UNITS inverts the steps
 * that compute the target from the data (undo.c). For field y = log(source.price) |> standardize,
 * it computes the price as exp(p * deviation + mean). */
#include "frontend/model/undo.h"

enum { COLUMNS_MAX = 256 }; /* an output with more columns, such as an image, has no target */

/* -- which label an output is compared with -- */

static bool *needed_by_outputs(const Undoing *undoing, const NodeId *outputs) {
    bool *needed = ARENA_ARRAY(undoing->evaluator->arena, bool, undoing->graph->node_count);
    for (uint32_t i = 0; i < undoing->model->info.output_count; i++) {
        const bool *reached =
            graph_ancestors(undoing->evaluator->arena, undoing->graph, outputs[i]);
        for (NodeId id = 1; id < undoing->graph->node_count; id++) needed[id] |= reached[id];
    }
    return needed;
}

typedef enum { MADE_OF_NOTHING, MADE_OF_INPUTS, MADE_OF_LABELS, MADE_OF_OUTPUTS } MadeOf;

/* The origin of each node: the highest of these among its operands. Labels are data that the
 * network does not read. */
static MadeOf *origins(const Undoing *undoing, const NodeId *outputs) {
    MadeOf *made = ARENA_ARRAY(undoing->evaluator->arena, MadeOf, undoing->graph->node_count);
    for (NodeId id = 1; id < undoing->graph->node_count; id++) {
        const Node *node = node_of(undoing, id);
        if (node->op == OP_input &&
            undoing->graph->symbols[node->attrs.symbol].kind == SYMBOL_BATCH)
            made[id] = undoing->network[id] ? MADE_OF_INPUTS : MADE_OF_LABELS;
        for (uint32_t i = 0; i < node->operand_count; i++)
            if (made[node->operands[i]] > made[id]) made[id] = made[node->operands[i]];
        for (uint32_t i = 0; i < undoing->model->info.output_count; i++)
            if (outputs[i] == id) made[id] = MADE_OF_OUTPUTS;
    }
    return made;
}

/* The target of some columns of an output. */
typedef struct {
    NodeId node;
    int64_t first, width;
    MadeOf made;
} Compared;

/* The columns of an output that a node consists of, in any shape; width 0 for other nodes. */
static Compared columns_of(const Undoing *undoing, NodeId id, NodeId output) {
    int64_t width = width_of(undoing, output);
    const Node *node = node_of(undoing, id);
    while (id != output && node->op == OP_reshape) node = node_of(undoing, id = node->operands[0]);
    if (id == output) return (Compared){.width = width};
    if (node->op != OP_slice || !columns_only(undoing, node)) return (Compared){0};
    Compared inner = columns_of(undoing, node->operands[0], output);
    bool whole = inner.width == width && width_of(undoing, node->operands[0]) == width;
    return whole ? (Compared){.first = node->attrs.range.start[1], .width = width_of(undoing, id)}
                 : (Compared){0};
}

/* The target at the node a - b or b - a, if a consists of columns of the output and b is computed
 * from data. */
static Compared compared_at(const Undoing *undoing, NodeId id, NodeId output, const MadeOf *made) {
    const Node *node = node_of(undoing, id);
    if (node->op != OP_sub || !has_rows(undoing, id)) return (Compared){0};
    for (int side = 0; side < 2; side++) {
        NodeId other = node->operands[1 - side];
        Compared compared = columns_of(undoing, node->operands[side], output);
        compared.node = other;
        compared.made = made[other];
        bool is_target = made[other] == MADE_OF_INPUTS || made[other] == MADE_OF_LABELS;
        if (compared.width && is_target &&
            width_of(undoing, other) * shape_at(undoing, other).dim[0] ==
                compared.width * undoing->evaluator->batch)
            return compared;
    }
    return (Compared){0};
}

/* Whether the graph has labels. If it has, data that the network reads are no target; otherwise
 * they may be, as in an autoencoder. */
static bool has_labels(const Undoing *undoing, const MadeOf *made) {
    bool labels = false;
    for (NodeId id = 1; id < undoing->graph->node_count; id++) labels |= made[id] == MADE_OF_LABELS;
    return labels;
}

/* Finds the targets of all columns of an output, in order. Returns their number, or 0 if a column
 * has none. */
static uint32_t find_targets(const Undoing *undoing, NodeId output, const MadeOf *made,
                             Compared *targets) {
    uint32_t count = 0;
    int64_t width = width_of(undoing, output);
    if (width > COLUMNS_MAX) return 0;
    for (int64_t at = 0; at < width; at += targets[count++].width) {
        /* labels take precedence over data that the network reads */
        Compared found = {0};
        for (NodeId id = output + 1; id < undoing->graph->node_count; id++) {
            Compared compared = compared_at(undoing, id, output, made);
            if (compared.width && compared.first == at && compared.made > found.made)
                found = compared;
        }
        targets[count] = found;
        if (!targets[count].width ||
            (targets[count].made == MADE_OF_INPUTS && has_labels(undoing, made)))
            return 0;
    }
    return count;
}

/* -- the graph -- */

static bool is_truth_value(const Undoing *undoing, NodeId id) {
    const Node *node = node_of(undoing, id);
    while (node->op == OP_reshape) node = graph_operand(undoing->graph, node, 0);
    return node->op == OP_convert && graph_operand(undoing->graph, node, 0)->dtype == DTYPE_BOOL;
}

/* Adds the graph's output "what:name": the parts side by side, in the shape of the model's
 * output. */
static void add_output(const Undoing *undoing, const char *what, const char *name,
                       const NodeId *parts, uint32_t count, Shape shape) {
    Graph *graph = undoing->graph;
    NodeId *flat = ARENA_ARRAY(undoing->evaluator->arena, NodeId, count);
    for (uint32_t i = 0; i < count; i++) {
        Shape table = {
            .rank = 2,
            .dim = {shape.dim[0], shape_elements(shape_at(undoing, parts[i])) / shape.dim[0]}};
        flat[i] = build_reshape(graph, build_convert(graph, parts[i], DTYPE_F32), table);
    }
    graph_output(graph, arena_format(undoing->evaluator->arena, "%s:%s", what, name),
                 build_reshape(graph, build_concat(graph, flat, count, 1), shape));
}

/* Adds three outputs to the graph: the prediction and the truth in the units of the data, and the
 * number in the loss. Each target of some columns is inverted by itself. A width of 0 means that
 * the output has no target. */
static ModelTarget lower_target(const Undoing *undoing, const ModelOutput *output, NodeId node,
                                const Compared *targets, uint32_t count) {
    Graph *graph = undoing->graph;
    Arena *arena = undoing->evaluator->arena;
    Shape shape = shape_at(undoing, node),
          table = {.rank = 2, .dim = {shape.dim[0], width_of(undoing, node)}};
    const char *name = arena_format(arena, UNITS_PREDICTION ":%s", output->name);
    NodeId *values = ARENA_ARRAY(arena, NodeId, count), *raw = ARENA_ARRAY(arena, NodeId, count),
           *data = ARENA_ARRAY(arena, NodeId, count);
    const char **names = ARENA_ARRAY(arena, const char *, table.dim[1]);
    ModelTarget target = {.width = table.dim[1], .names = names};
    if (!count || output->classes || output->parts || graph_symbol(graph, name))
        return (ModelTarget){0};
    NodeId prediction =
        build_reshape(graph, graph_input(graph, SYMBOL_VALUE, name, DTYPE_F32, shape), table);
    for (uint32_t i = 0; i < count; i++) {
        int64_t start[2] = {0, targets[i].first},
                stop[2] = {undoing->evaluator->batch, targets[i].first + targets[i].width};
        NodeId part =
            build_reshape(graph, build_slice(undoing->graph, prediction, start, stop, NULL),
                          shape_at(undoing, targets[i].node));
        if (is_truth_value(undoing, targets[i].node)) return (ModelTarget){0};
        Undone result = undo(undoing, targets[i].node, part, output->name);
        values[i] = result.value;
        raw[i] = targets[i].node;
        data[i] = result.data;
        target.converted |= result.converted;
        for (int64_t k = 0; k < targets[i].width; k++)
            names[targets[i].first + k] = result.names[k];
    }
    add_output(undoing, UNITS_PREDICTION, output->name, values, count, shape);
    add_output(undoing, UNITS_TARGET, output->name, raw, count, shape);
    add_output(undoing, UNITS_TRUTH, output->name, data, count, shape);
    return target;
}

void targets_lower(const Model *model, Evaluator *evaluator, const NodeId *outputs,
                   ModelInfo *info) {
    Undoing undoing = {.model = model, .evaluator = evaluator, .graph = evaluator->graph};
    uint32_t output_count = model->info.output_count,
             *counts = ARENA_ARRAY(evaluator->arena, uint32_t, output_count);
    Compared **compared = ARENA_ARRAY(evaluator->arena, Compared *, output_count);
    undoing.network = needed_by_outputs(&undoing, outputs);
    const MadeOf *made = origins(&undoing, outputs);
    for (uint32_t i = 0; i < output_count; i++) {
        compared[i] = ARENA_ARRAY(evaluator->arena, Compared, COLUMNS_MAX);
        counts[i] = find_targets(&undoing, outputs[i], made, compared[i]);
    }
    undoing.graph->output_count = 0;
    for (uint32_t i = 0; i < output_count; i++) {
        ModelTarget target =
            lower_target(&undoing, &model->info.outputs[i], outputs[i], compared[i], counts[i]);
        if (info) info->outputs[i].target = target;
    }
}
