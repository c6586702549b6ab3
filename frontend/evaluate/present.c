/* Records the inputs in which no number may be missing: those that labels, indices and whole
 * numbers are computed from. A missing number would silently become a class: NaN > 3 is false, and
 * int(NaN) is 0. The runtime checks these inputs when it reads the data. */
#include "frontend/evaluate/summary.h"

#include <string.h>

typedef struct {
    Evaluator *evaluator;
    Span span;
    bool compared;
    bool *seen; /* for each node, whether the walk has been there */
} PresenceWalk;

static void keep(const PresenceWalk *walk, const char *name) {
    SourceRows rows;
    name = source_rows_of(name, &rows);
    LayerLog *log = walk->evaluator->log;
    Arena *arena = walk->evaluator->arena;
    for (uint32_t i = 0; i < log->present_count; i++)
        if (!strcmp(log->presents[i].name, name)) return;
    ARENA_ROOM(arena, log->presents, log->present_count, log->present_capacity);
    log->presents[log->present_count++] =
        (DataUse){arena_copy_string(arena, name, strlen(name)),
                  evaluator_place(walk->evaluator, walk->span), walk->compared};
}

/* x != x or x == x: a test for missing numbers. */
static bool is_test(const PresenceWalk *walk, NodeId id) {
    const Node *node = graph_node(walk->evaluator->graph, id);
    const Derived *derived = node->dtype == DTYPE_BOOL ? derived_of(walk->evaluator, id) : NULL;
    if (!derived)
        return (node->op == OP_ne || node->op == OP_eq) && node->operands[0] == node->operands[1];
    Arena *arena = walk->evaluator->arena;
    const SourceSchema *schema = walk->evaluator->globals->schema;
    bool compares = derived->kind == DERIVED_NE || derived->kind == DERIVED_EQ;
    return compares && !strcmp(derived_name(arena, schema, derived->args[0]),
                               derived_name(arena, schema, derived->args[1]));
}

static void walk_node(const PresenceWalk *walk, NodeId id);

static void walk_node(const PresenceWalk *walk, NodeId id) {
    const Graph *graph = walk->evaluator->graph;
    const Node *node = graph_node(graph, id);
    if (walk->seen[id] || is_test(walk, id)) return;
    walk->seen[id] = true;
    if (node->op == OP_input && graph->symbols[node->attrs.symbol].kind == SYMBOL_BATCH)
        keep(walk, graph->symbols[node->attrs.symbol].name);
    else if (node->op != OP_select || !is_test(walk, node->operands[0]))
        /* A select by a test for missing numbers handles them itself. */
        for (uint32_t i = 0; i < node->operand_count; i++) walk_node(walk, node->operands[i]);
}

void present_keep(Evaluator *evaluator, NodeId node, Span span) {
    if (!evaluator->log || !node) return;
    PresenceWalk walk = {evaluator, span, false,
                         ARENA_ARRAY(evaluator->arena, bool, evaluator->graph->node_count)};
    walk_node(&walk, node);
}

/* -- comparisons of labels -- */

/* Relations of nodes to the network: which ones are computed from its outputs, which ones it is
 * computed from, and room to mark those that the loss reaches. */
typedef struct {
    bool *from_output, *of_network, *reached;
} LossSides;

static LossSides loss_sides(const Evaluator *evaluator, uint32_t output_count) {
    const Graph *graph = evaluator->graph;
    LossSides sides = {ARENA_ARRAY(evaluator->arena, bool, graph->node_count),
                       ARENA_ARRAY(evaluator->arena, bool, graph->node_count),
                       ARENA_ARRAY(evaluator->arena, bool, graph->node_count)};
    for (uint32_t i = 0; i < output_count; i++)
        sides.from_output[evaluator->log->outputs[i]] =
            sides.of_network[evaluator->log->outputs[i]] = true;
    for (NodeId id = 1; id < graph->node_count; id++)
        for (uint32_t i = 0; i < graph_node(graph, id)->operand_count; i++)
            sides.from_output[id] |= sides.from_output[graph_node(graph, id)->operands[i]];
    for (NodeId id = graph->node_count; id-- > 1;)
        for (uint32_t i = 0; i < graph_node(graph, id)->operand_count; i++)
            sides.of_network[graph_node(graph, id)->operands[i]] |= sides.of_network[id];
    return sides;
}

static bool has_ordering(const Derived *derived) {
    bool found = derived->kind >= DERIVED_LT && derived->kind <= DERIVED_GE;
    for (int i = 0; i < derived_arity(derived->kind); i++) found |= has_ordering(derived->args[i]);
    return found;
}

void present_keep_compared(Evaluator *evaluator, NodeId loss, uint32_t output_count, Span span) {
    const Graph *graph = evaluator->graph;
    if (!evaluator->log || !loss) return;
    LossSides sides = loss_sides(evaluator, output_count);
    PresenceWalk walk = {evaluator, span, true,
                         ARENA_ARRAY(evaluator->arena, bool, graph->node_count)};
    bool *reached = sides.reached;
    reached[loss] = true;
    for (NodeId id = loss; id > 0; id--) {
        const Node *node = graph_node(graph, id);
        if (!reached[id] || sides.of_network[id]) continue;
        /* A select by a test for missing numbers handles them itself. */
        if (node->op == OP_select && is_test(&walk, node->operands[0])) continue;
        /* y > 3 is false where y is missing */
        const Derived *derived = node->op == OP_input ? derived_of(evaluator, id) : NULL;
        bool ordering =
            node->op == OP_lt || node->op == OP_le || (derived && has_ordering(derived));
        if (!sides.from_output[id] && ordering) walk_node(&walk, id);
        for (uint32_t i = 0; i < node->operand_count; i++) reached[node->operands[i]] = true;
    }
}
