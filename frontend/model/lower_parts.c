/* The parts of a training step that several processes run (model.h): GRAPH_SHARE, GRAPH_STATISTICS,
 * and what lower_own_part.c makes.
 *
 * The states that the model updates, such as running means, change with every share, in order. The
 * nodes that depend on them form the statistics. All other nodes of a share can be computed without
 * the shares before it: those that the statistics need are carried to every process. */
#include "frontend/model/loading.h"
#include "ir/data/step_parts.h"

typedef struct {
    Arena *arena; /* for what follows */
    const Graph *graph;
    bool *follows; /* [node]: it depends on a state that the model updates */
    bool *needed;  /* [node]: the update of such a state needs it */
    bool *carried; /* [node]: it does not depend on one, but a node that does needs it */
} ShareStatistics;

/* A value that the statistics need is carried, unless it is a leaf that every process has. */
static void carry(ShareStatistics *statistics, NodeId id) {
    if (!id || statistics->follows[id]) return;
    const Node *node = graph_node(statistics->graph, id);
    bool has_rows =
        node->op == OP_input && statistics->graph->symbols[node->attrs.symbol].kind == SYMBOL_BATCH;
    if (op_class(node->op) != CLASS_LEAF || has_rows) statistics->carried[id] = true;
}

static void find_followers(ShareStatistics *statistics) {
    const Graph *graph = statistics->graph;
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].update) statistics->follows[graph->symbols[i].node] = true;
    for (NodeId id = 1; id < graph->node_count; id++)
        for (uint32_t i = 0; i < graph_node(graph, id)->operand_count; i++)
            statistics->follows[id] |= statistics->follows[graph_node(graph, id)->operands[i]];
}

static ShareStatistics statistics_find(Arena *arena, const Graph *graph) {
    ShareStatistics statistics = {arena, graph, ARENA_ARRAY(arena, bool, graph->node_count),
                                  ARENA_ARRAY(arena, bool, graph->node_count),
                                  ARENA_ARRAY(arena, bool, graph->node_count)};
    find_followers(&statistics);
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        statistics.needed[graph->symbols[i].update] = true;
        carry(&statistics, graph->symbols[i].update);
    }
    for (NodeId id = graph->node_count - 1; id > 0; id--) {
        const Node *node = graph_node(graph, id);
        if (!statistics.needed[id] || !statistics.follows[id]) continue;
        for (uint32_t i = 0; i < node->operand_count; i++) {
            statistics.needed[node->operands[i]] = true;
            carry(&statistics, node->operands[i]);
        }
    }
    return statistics;
}

/* Shares that depend on each other cannot be computed side by side. */
static bool check_independent(const ShareStatistics *statistics) {
    const Graph *graph = statistics->graph;
    NodeId loss = graph_output_node(graph, "loss"), id = 1;
    if (!statistics->follows[loss]) return true;
    const bool *reached = graph_ancestors(statistics->arena, graph, loss);
    while (!reached[id] || !statistics->follows[id]) id++; /* the first one is a state */
    const Symbol *state = &graph->symbols[graph_node(graph, id)->attrs.symbol];
    diag_error(
        graph->diag, STATUS_MODEL, graph_node(graph, id)->span,
        "several processes compute the shares of a batch side by side, but the loss of a share depends on '%s', which the share before changes",
        state->name);
    diag_help(graph->diag,
              "'--processes 1' trains it; batch_norm needs more than one row in every share");
    return false;
}

static const char *carried_name(Graph *graph, uint32_t number) {
    return arena_format(graph->arena, CARRIED_PREFIX "%u", number);
}

/* Adds the outputs that are carried, and drops all updates. */
static Graph *share_of(const ShareStatistics *statistics, Graph *graph) {
    uint32_t count = 0;
    for (NodeId id = 1; id < graph->node_count; id++)
        if (statistics->carried[id]) graph_output(graph, carried_name(graph, count++), id);
    for (uint32_t i = 0; i < graph->symbol_count; i++) graph->symbols[i].update = NODE_NONE;
    return graph;
}

/* The updates of the states, from inputs that are carried. */
static Graph *statistics_of(const ShareStatistics *statistics, Graph *from) {
    Graph *graph = graph_like(from);
    NodeId *map = ARENA_ARRAY(statistics->arena, NodeId, from->node_count);
    uint32_t count = 0;
    for (NodeId id = 1; id < from->node_count; id++) {
        const Node *node = graph_node(from, id);
        if (statistics->carried[id])
            map[id] = graph_input(graph, SYMBOL_VALUE, carried_name(graph, count++), node->dtype,
                                  node->shape);
        else if (statistics->needed[id] || (node->op == OP_state && statistics->follows[id]))
            map[id] = graph_copy_node(graph, from, id, map);
    }
    from->output_count = 0;
    graph_finish(graph, from, map);
    graph_free(from);
    return graph;
}

/* The update of a part of the weights alone: what it does not need is left out. */
static Graph *update_of(Arena *arena, Graph *from) {
    uint32_t count = 0;
    NodeId *roots = ARENA_ARRAY(arena, NodeId, from->output_count + 2 * from->symbol_count);
    for (uint32_t i = 0; i < from->output_count; i++) roots[count++] = from->outputs[i].node;
    for (uint32_t i = 0; i < from->symbol_count; i++) {
        if (!from->symbols[i].update) continue;
        roots[count++] = from->symbols[i].update;
        roots[count++] = from->symbols[i].node;
    }
    return graph_in_order(from, roots, count);
}

Graph *step_part(Graph *graph, GraphKind kind, Arena *arena) {
    if (kind != GRAPH_SHARE && kind != GRAPH_STATISTICS) return update_of(arena, graph);
    ShareStatistics statistics = statistics_find(arena, graph);
    if (check_independent(&statistics))
        return kind == GRAPH_SHARE ? share_of(&statistics, graph)
                                   : statistics_of(&statistics, graph);
    graph_free(graph);
    return NULL;
}
