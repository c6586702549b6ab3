/* Fourth step of fusion: a stored value that takes only a few steps from another stored value is
 * recomputed where it is needed. For instance, sigmoid(x) and its derivative are not stored. Both
 * take two or three steps from e / (1 + e), which takes twenty and is stored instead. */
#include "passes/plan/planning.h"

/* -- sources: a value from which several stored values are computed may be stored instead of them
 * -- */

enum { SOURCES_TO_LOOK_AT = 8, MAX_STEPS_AGAIN = 64 };

/* A stored value in the list of its source: a node that every path from memory to the value
 * passes. */
typedef struct {
    NodeId node;
    uint32_t next; /* 1 + index; 0: none */
} Follower;

typedef struct {
    Fusion *fusion;
    /* [node]: its immediate dominator, the last other node that every path from memory to it
     * passes; NODE_NONE: there is none */
    NodeId *dominator;
    uint32_t *first; /* [node]: its list, as 1 + index into followers; 0: empty */
    Follower *followers;
    uint32_t count, capacity;
    uint32_t *stamp; /* [node]: the last source for which its steps were counted */
    bool *again;     /* [node]: the readers of a stored source recompute it anyway */
    NodeId *met, *stack;
    uint32_t met_count;
} SourceSearch;

/* The last node that every path from memory to a, and every path to b, passes. Operands have lower
 * ids than their users. */
static NodeId common_dominator(const SourceSearch *sources, NodeId a, NodeId b) {
    while (a != b) {
        NodeId *later = a > b ? &a : &b;
        *later = sources->dominator[*later];
    }
    return a;
}

/* The common dominator of the operands. A value in memory has none. */
static NodeId dominator_of(const SourceSearch *sources, NodeId id) {
    const Fusion *fusion = sources->fusion;
    const Node *node = graph_node(fusion->graph, id);
    NodeId dominator = NODE_NONE;
    bool met = false;
    if (op_class(node->op) != CLASS_ELEMENTWISE || fusion->required[id]) return NODE_NONE;
    for (uint32_t i = 0; i < node->operand_count; i++) {
        if (node_is_immediate(graph_operand(fusion->graph, node, i))) continue;
        dominator =
            met ? common_dominator(sources, dominator, node->operands[i]) : node->operands[i];
        met = true;
    }
    return dominator;
}

/* Adds a stored value to the lists of its sources: its dominators, as far as all nodes are
 * elementwise. */
static void list_follower(SourceSearch *sources, NodeId id) {
    NodeId source = sources->dominator[id];
    for (uint32_t i = 0; source && i < SOURCES_TO_LOOK_AT;
         i++, source = sources->dominator[source]) {
        if (op_class(graph_node(sources->fusion->graph, source)->op) != CLASS_ELEMENTWISE) return;
        ARENA_ROOM(sources->fusion->arena, sources->followers, sources->count, sources->capacity);
        sources->followers[sources->count++] = (Follower){id, sources->first[source]};
        sources->first[source] = sources->count;
    }
}

/* Whether the node is stored, and its kernel can store the source instead: it must be the first
 * kernel that computes the source. */
static bool follows(const SourceSearch *sources, NodeId source, NodeId node) {
    const Fusion *fusion = sources->fusion;
    const Users *users = &fusion->outside[source];
    uint32_t draft = fusion->kernel[node];
    if (!draft || fusion->kernel[source]) return draft;
    if (fusion->group[source]) return fusion->group[source] == draft;
    return users->first == draft && users->first_can_store;
}

/* The steps from the source to a node. Nodes that were counted before for this source, or are
 * recomputed anyway, are left out. */
static uint32_t steps_from(SourceSearch *sources, NodeId source, NodeId id) {
    const Graph *graph = sources->fusion->graph;
    uint32_t steps = 0, depth = 0;
    sources->stack[depth++] = id;
    while (depth && steps <= MAX_STEPS_AGAIN) {
        NodeId at = sources->stack[--depth];
        const Node *node = graph_node(graph, at);
        if (at == source || sources->stamp[at] == source || node_is_leaf(node)) continue;
        sources->stamp[at] = source;
        sources->met[sources->met_count++] = at;
        if (!sources->again[at]) steps += fuse_node_steps(node);
        for (uint32_t i = 0; i < node->operand_count; i++)
            sources->stack[depth++] = node->operands[i];
    }
    return steps;
}

/* Stores the source instead of its followers if that saves enough: each value that is not stored is
 * worth FUSE_CHEAP_STEPS. A source that was not stored before is one more value. */
static void decide_source(SourceSearch *sources, NodeId source) {
    Fusion *fusion = sources->fusion;
    uint32_t dropped = 0, steps = 0, draft = fusion->kernel[source];
    sources->met_count = 0;
    for (uint32_t i = sources->first[source]; i; i = sources->followers[i - 1].next) {
        NodeId node = sources->followers[i - 1].node;
        if (!follows(sources, source, node)) continue;
        steps += steps_from(sources, source, node);
        draft = draft ? draft : fusion->kernel[node];
        dropped++;
    }
    uint32_t more = fusion->kernel[source] ? 0 : 1;
    if (dropped <= more || steps > FUSE_CHEAP_STEPS * dropped || steps > MAX_STEPS_AGAIN) return;
    for (uint32_t i = sources->first[source]; i; i = sources->followers[i - 1].next)
        if (follows(sources, source, sources->followers[i - 1].node))
            fusion->kernel[sources->followers[i - 1].node] = 0;
    for (uint32_t i = 0; i < sources->met_count; i++) sources->again[sources->met[i]] = true;
    if (more) list_follower(sources, source);
    fusion->kernel[source] = draft;
    if (fusion->outside[source].place == FUSE_NOWHERE) fusion->outside[source].place = draft;
}

/* Decides the sources in descending order, so that the one nearest to a value comes first. */
static void store_sources(Fusion *fusion) {
    uint32_t nodes = fusion->graph->node_count;
    SourceSearch sources = {
        .fusion = fusion,
        .dominator = ARENA_ARRAY(fusion->arena, NodeId, nodes),
        .first = ARENA_ARRAY(fusion->arena, uint32_t, nodes),
        .stamp = ARENA_ARRAY(fusion->arena, uint32_t, nodes),
        .again = ARENA_ARRAY(fusion->arena, bool, nodes),
        .met = ARENA_ARRAY(fusion->arena, NodeId, nodes),
        .stack = ARENA_ARRAY(fusion->arena, NodeId, 3 * nodes),
    };
    for (NodeId id = 1; id < nodes; id++) {
        sources.dominator[id] = dominator_of(&sources, id);
        if (fusion->kernel[id] && !fusion->required[id]) list_follower(&sources, id);
    }
    for (NodeId id = nodes - 1; id > 0; id--)
        if (sources.first[id]) decide_source(&sources, id);
}

/* -- values of a group that take few steps from other values that the group stores anyway -- */

enum { FEW_LOADS = 2 };

/* The cost of recomputing a node of a group in another kernel. */
typedef struct {
    uint32_t steps, load_count; /* more than FEW_LOADS: too many */
    NodeId loads[FEW_LOADS];
} Effort;

static const Effort too_much = {.steps = FUSE_CHEAP_STEPS + 1, .load_count = FEW_LOADS + 1};

static bool is_small(const Effort *effort) {
    return effort->steps <= FUSE_CHEAP_STEPS && effort->load_count <= FEW_LOADS;
}

static void add_load(Effort *effort, NodeId id) {
    for (uint32_t i = 0; i < effort->load_count && i < FEW_LOADS; i++)
        if (effort->loads[i] == id) return;
    if (effort->load_count < FEW_LOADS) effort->loads[effort->load_count] = id;
    effort->load_count++;
}

/* What it takes to have an operand: nothing, a load, or the effort of computing it anew. */
static Effort operand_effort(const Fusion *fusion, const Effort *effort, uint32_t group,
                             NodeId operand) {
    NodeId id = fusion->buffer[operand];
    if (node_is_immediate(graph_node(fusion->graph, id))) return (Effort){0};
    /* stored for other kernels, whatever is computed from it */
    bool stored =
        fusion->kernel[id] && (fusion->required[id] || fusion->outside[id].place != FUSE_NOWHERE);
    if (stored || fuse_keeps(fusion, id)) return (Effort){.load_count = 1, .loads = {id}};
    return fusion->group[id] == group ? effort[id] : too_much;
}

/* What it takes to compute a node anew: its own steps, and the efforts of its operands. */
static Effort node_effort(const Fusion *fusion, const Effort *effort, NodeId id) {
    const Node *node = graph_node(fusion->graph, id);
    if (op_class(node->op) != CLASS_ELEMENTWISE) return too_much;
    Effort sum = {.steps = fuse_node_steps(node)};
    for (uint32_t i = 0; i < node->operand_count; i++) {
        Effort part = operand_effort(fusion, effort, fusion->group[id], node->operands[i]);
        if (!is_small(&part)) return too_much;
        sum.steps += part.steps;
        for (uint32_t j = 0; j < part.load_count && j < FEW_LOADS; j++)
            add_load(&sum, part.loads[j]);
    }
    return is_small(&sum) ? sum : too_much;
}

void fuse_follow(Fusion *fusion) {
    store_sources(fusion);
    /* In ascending order, so that the steps of a value that is no longer stored count for its
     * users. */
    Effort *effort = ARENA_ARRAY(fusion->arena, Effort, fusion->graph->node_count);
    for (NodeId id = 1; id < fusion->graph->node_count; id++) {
        if (!fusion->group[id]) continue;
        effort[id] = node_effort(fusion, effort, id);
        if (is_small(&effort[id]) && !fusion->required[id]) fusion->kernel[id] = 0;
    }
}
