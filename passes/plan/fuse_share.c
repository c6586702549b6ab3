/* Third step of fusion: which values are stored. Going backwards, every node learns where its users compute it: in which
 * kernel, and whether at the index being computed or through a view at others. One place: the node is computed there. Several
 * places: what is cheap is computed again in each, the rest is computed once and stored. The first kernel to need such a value
 * stores it, if it computes it at its own index; else it gets a kernel of its own. */
#include "passes/plan/planning.h"

/* A place is a draft (at its own index), or OTHER_INDEX + the view or reduction through which a node is reached. */
enum { NOWHERE = 0, OTHER_INDEX = 1 << 30 };
#define SEVERAL UINT32_MAX

/* The kernels that need a node. `first` is the one of the lowest level; it can store the node for the others if it is the only
 * one of that level (the others cannot come before it then) and has the node at its own index. */
typedef struct {
    uint32_t place, level, first;
    bool first_can_store;
} Users;

typedef struct {
    Fusion *fusion;
    bool *inside;   /* [node]: computed by its own group for nodes of that group */
    Users *outside; /* [node]: its other users */
} Sharing;

static uint32_t merge_places(uint32_t a, uint32_t b) { return a == b ? a : SEVERAL; }

static Users merge_users(Users a, Users b) {
    if (a.place == NOWHERE || b.place == NOWHERE) return a.place == NOWHERE ? b : a;
    Users merged = a.level <= b.level ? a : b;
    merged.place = merge_places(a.place, b.place);
    if (a.level == b.level) merged.first_can_store = a.first_can_store && b.first_can_store && a.first == b.first;
    return merged;
}

static Users user_kernel(const Fusion *fusion, uint32_t draft) {
    return (Users){.place = draft, .level = fusion->level[draft], .first = draft, .first_can_store = true};
}

static void add_users(Sharing *sharing, NodeId id, Users users) {
    if (users.place == NOWHERE) return;
    if (users.place == sharing->fusion->group[id])
        sharing->inside[id] = true;
    else
        sharing->outside[id] = merge_users(sharing->outside[id], users);
}

/* Who needs the operands of a node that is itself needed by `users`. */
static Users operand_users(const Fusion *fusion, NodeId id, const Node *node, Users users) {
    bool same_place = op_class(node->op) == CLASS_ELEMENTWISE || fusion->home[id] != id;
    if (users.place == NOWHERE || same_place) return users;
    if (users.place != SEVERAL) users.place = OTHER_INDEX + id;
    users.first_can_store = false;
    return users;
}

static void pass_down(Sharing *sharing, NodeId id, const Node *node, Users users) {
    for (uint32_t i = 0; i < node->operand_count; i++)
        add_users(sharing, node->operands[i], operand_users(sharing->fusion, id, node, users));
}

/* A leaf, but not a state that changes during the step: reading it later would hold up its update. */
static bool stays_in_memory(const Fusion *fusion, NodeId id) {
    const Node *node = graph_node(fusion->graph, id);
    return node_is_leaf(node) && (node->op != OP_state || !fusion->graph->symbols[node->attrs.symbol].update);
}

/* In memory wherever it is needed, so that a user may read it instead of what was computed from it. */
static bool operand_in_memory(const Fusion *fusion, NodeId id) {
    return stays_in_memory(fusion, id) || fusion->required[fusion->home[id]];
}

/* A single step from values in memory: not worth storing, even if its group has it in a register. */
static bool recomputed_outside(const Fusion *fusion, const Node *node) {
    if (op_class(node->op) != CLASS_ELEMENTWISE) return false;
    for (uint32_t i = 0; i < node->operand_count; i++)
        if (!operand_in_memory(fusion, node->operands[i])) return false;
    return true;
}

/* A root is never computed twice. What only its group uses needs no decision: the group computes it on the way. */
static void decide_grouped(Sharing *sharing, NodeId id, const Node *node) {
    Fusion *fusion = sharing->fusion;
    uint32_t group = fusion->group[id];
    bool used_outside = fusion->required[id] || sharing->outside[id].place != NOWHERE;
    if (!fusion->required[id] && recomputed_outside(fusion, node)) {
        pass_down(sharing, id, node, sharing->outside[id]);
        if (sharing->inside[id]) pass_down(sharing, id, node, user_kernel(fusion, group));
        return;
    }
    if (used_outside || fusion->drafts[group].root == id) fusion->kernel[id] = group;
    pass_down(sharing, id, node, user_kernel(fusion, group));
}

/* Repetitions, windows and reshapes are never stored for being expensive: what they repeat is. */
static bool worth_storing(const Fusion *fusion, NodeId id, const Node *node) {
    bool repeats = node->op == OP_broadcast || node->op == OP_windows || node->op == OP_reshape;
    return fusion->cost[id] > FUSE_CHEAP_STEPS && !repeats;
}

static uint32_t add_map(Fusion *fusion, NodeId id, const Node *node) {
    uint32_t draft = fusion_add(fusion, KERNEL_MAP, NODE_NONE, node->shape);
    fusion->level[draft] = fusion->reach[id] + 1;
    return draft;
}

static void decide_single(Sharing *sharing, NodeId id, const Node *node) {
    Fusion *fusion = sharing->fusion;
    Users users = sharing->outside[id];
    if (users.place == SEVERAL && worth_storing(fusion, id, node)) {
        fusion->kernel[id] = users.first_can_store ? users.first : add_map(fusion, id, node);
        users = user_kernel(fusion, fusion->kernel[id]);
    }
    pass_down(sharing, id, node, users);
}

/* -- second thoughts: values of a group that follow in a few steps from others it stores anyway -- */

enum { FEW_LOADS = 2 };

/* What it takes to compute a node of a group elsewhere. */
typedef struct {
    uint32_t steps, load_count; /* more than FEW_LOADS: too many */
    NodeId loads[FEW_LOADS];
} Effort;

static const Effort too_much = {.steps = FUSE_CHEAP_STEPS + 1, .load_count = FEW_LOADS + 1};

static bool is_small(const Effort *effort) { return effort->steps <= FUSE_CHEAP_STEPS && effort->load_count <= FEW_LOADS; }

static void add_load(Effort *effort, NodeId id) {
    for (uint32_t i = 0; i < effort->load_count && i < FEW_LOADS; i++)
        if (effort->loads[i] == id) return;
    if (effort->load_count < FEW_LOADS) effort->loads[effort->load_count] = id;
    effort->load_count++;
}

static void add_effort(Effort *sum, const Effort *part) {
    sum->steps += part->steps;
    for (uint32_t i = 0; i < part->load_count && i < FEW_LOADS; i++) add_load(sum, part->loads[i]);
}

/* Stored for others, whatever becomes of the nodes computed from it. */
static bool stored_anyway(const Sharing *sharing, NodeId id) {
    const Fusion *fusion = sharing->fusion;
    return fusion->kernel[id] && (fusion->required[id] || sharing->outside[id].place != NOWHERE);
}

static Effort operand_effort(const Sharing *sharing, const Effort *effort, uint32_t group, NodeId operand) {
    const Fusion *fusion = sharing->fusion;
    NodeId id = fusion->home[operand];
    if (node_is_immediate(graph_node(fusion->graph, id))) return (Effort){0};
    if (stored_anyway(sharing, id) || stays_in_memory(fusion, id)) return (Effort){.load_count = 1, .loads = {id}};
    return fusion->group[id] == group ? effort[id] : too_much;
}

static Effort node_effort(const Sharing *sharing, const Effort *effort, NodeId id) {
    const Node *node = graph_node(sharing->fusion->graph, id);
    if (op_class(node->op) != CLASS_ELEMENTWISE) return too_much;
    Effort sum = {.steps = fuse_op_steps(node)};
    for (uint32_t i = 0; i < node->operand_count; i++) {
        Effort part = operand_effort(sharing, effort, sharing->fusion->group[id], node->operands[i]);
        if (!is_small(&part)) return too_much;
        add_effort(&sum, &part);
    }
    return is_small(&sum) ? sum : too_much;
}

/* Forward, so that what follows from a value that was dropped counts with all its steps. */
static void drop_derived(Sharing *sharing) {
    Fusion *fusion = sharing->fusion;
    Effort *effort = ARENA_ARRAY(fusion->arena, Effort, fusion->graph->node_count);
    for (NodeId id = 1; id < fusion->graph->node_count; id++) {
        if (!fusion->group[id]) continue;
        effort[id] = node_effort(sharing, effort, id);
        if (is_small(&effort[id]) && !fusion->required[id]) fusion->kernel[id] = 0;
    }
}

void fuse_share(Fusion *fusion) {
    uint32_t nodes = fusion->graph->node_count;
    Sharing sharing = {fusion, ARENA_ARRAY(fusion->arena, bool, nodes), ARENA_ARRAY(fusion->arena, Users, nodes)};
    for (NodeId id = nodes - 1; id > 0; id--) {
        const Node *node = graph_node(fusion->graph, id);
        if (!fusion->live[id] || node_is_leaf(node)) continue;
        if (fusion->group[id])
            decide_grouped(&sharing, id, node);
        else
            decide_single(&sharing, id, node);
    }
    drop_derived(&sharing);
}
