/* Second step of fusion: groups. A reduction, a matrix product or a required value starts a group.
 * Elementwise nodes that use it at the same index join the group. They are computed while the value
 * is in a register.
 *
 * An argmax of windows joins the group of their largest elements: both read the same elements.
 *
 * Joining must not make kernels wait for each other in a cycle. Every group has a level, higher
 * than the levels of all groups its inputs come from. A node may join only a group whose level is
 * higher than those of the node's other inputs: then all edges between groups still go upwards.
 *
 * A group has a largest size: a compiler takes more than twice as long for a function twice as
 * large. */
#include "passes/plan/planning.h"

typedef struct {
    Fusion *fusion;
    bool *has_readers; /* [draft]: nodes of another group use it, so its level may not change */
    uint32_t *members; /* [draft]: nodes that have started or joined it */
    bool *keeps_shape; /* [node]: may only be stored by a kernel whose space is its shape */
    NodeId *largest;   /* [node]: the last reduce_max of it; NODE_NONE: there is none yet */
} Joining;

enum {
    MAPS_TO_LOOK_AT = 16,
    MAX_MEMBERS = 512,
    LARGEST_WINDOW = 25, /* elements; of more, an argmax has a kernel of its own */
};

/* A reshape keeps the index in row-major order, so it belongs to the group of its operand. */
static uint32_t group_of(const Joining *joining, NodeId id) {
    return joining->fusion->group[joining->fusion->buffer[id]];
}

/* The highest level among the groups that a value comes from. */
static uint32_t level_of(const Joining *joining, NodeId id) {
    NodeId buffer = joining->fusion->buffer[id];
    uint32_t group = joining->fusion->group[buffer];
    return group ? joining->fusion->level[group] : joining->fusion->reach[buffer];
}

/* The highest level among the groups that the node's operands come from. */
static uint32_t reach_of(const Joining *joining, const Node *node) {
    uint32_t reach = 0;
    for (uint32_t i = 0; i < node->operand_count; i++) {
        uint32_t level = level_of(joining, node->operands[i]);
        if (level > reach) reach = level;
    }
    return reach;
}

/* Highest level among the node's inputs from outside the group. */
static uint32_t other_level(const Joining *joining, const Node *node, uint32_t group) {
    uint32_t highest = 0;
    for (uint32_t i = 0; i < node->operand_count; i++) {
        if (group_of(joining, node->operands[i]) == group) continue;
        uint32_t level = level_of(joining, node->operands[i]);
        if (level > highest) highest = level;
    }
    return highest;
}

/* The group to join: the one of the highest level, since it may read from all others. 0: none. */
static uint32_t choose_group(const Joining *joining, NodeId id, const Node *node) {
    const Fusion *fusion = joining->fusion;
    uint32_t best = 0;
    for (uint32_t i = 0; i < node->operand_count; i++) {
        uint32_t group = group_of(joining, node->operands[i]);
        if (!group || group == best) continue;
        const Draft *draft = &fusion->drafts[group];
        bool kind_allows = draft->kind != KERNEL_GEMM &&
                           (!joining->keeps_shape[id] || shape_equal(draft->space, node->shape));
        /* the level of a group without readers can still be raised */
        bool level_allows = !joining->has_readers[group] ||
                            other_level(joining, node, group) < fusion->level[group];
        if (kind_allows && level_allows && (!best || fusion->level[group] > fusion->level[best]))
            best = group;
    }
    return best;
}

static bool is_full(const Joining *joining, uint32_t group) {
    return joining->members[group] >= MAX_MEMBERS;
}

/* A map with the same shape and level, to which a required value can be added. 0: none among the
 * last few. */
static uint32_t find_map(const Joining *joining, Shape space, uint32_t level) {
    const Fusion *fusion = joining->fusion;
    for (uint32_t d = fusion->draft_count, looked = 0; d > 0 && looked < MAPS_TO_LOOK_AT; d--) {
        if (fusion->drafts[d].kind != KERNEL_MAP || is_full(joining, d)) continue;
        if (joining->fusion->level[d] == level && shape_equal(fusion->drafts[d].space, space))
            return d;
        looked++;
    }
    return 0;
}

/* Starts a group with a node, or adds a required value to an existing map. */
static void start_group(Joining *joining, NodeId id, const Node *node) {
    Fusion *fusion = joining->fusion;
    uint32_t level = joining->fusion->reach[id] + 1;
    KernelKind kind = fusion_kind(fusion, node);
    uint32_t group = kind == KERNEL_MAP ? find_map(joining, node->shape, level) : 0;
    if (!group) group = fusion_add(fusion, kind, kind == KERNEL_MAP ? NODE_NONE : id, node->shape);
    joining->fusion->level[group] = level;
    fusion->group[id] = group;
    joining->members[group]++;
}

/* Marks the groups that the node reads from outside: their levels may not change any more. */
static void mark_readers(Joining *joining, NodeId id, const Node *node) {
    const Fusion *fusion = joining->fusion;
    for (uint32_t i = 0; i < node->operand_count; i++) {
        uint32_t group = group_of(joining, node->operands[i]);
        if (group && group != fusion->group[id]) joining->has_readers[group] = true;
    }
}

/* The group of the largest elements that an argmax looks for, if their kernel can find their places
 * too: both reduce few elements, along an axis that is not the last one. 0: there is none. */
static uint32_t group_of_largest(const Joining *joining, const Node *node) {
    const Fusion *fusion = joining->fusion;
    NodeId largest = node->op == OP_argmax ? joining->largest[node->operands[0]] : NODE_NONE;
    if (!largest) return 0;
    Shape shape = graph_operand(fusion->graph, node, 0)->shape;
    int axis = node->attrs.axis;
    bool same = graph_node(fusion->graph, largest)->attrs.axis == axis &&
                shape.dim[axis] <= LARGEST_WINDOW && shape_inner(shape, axis) > 1;
    uint32_t group = fusion->group[largest];
    return same && fusion->drafts[group].root == largest ? group : 0;
}

/* Lets a node join a group, start one, or belong to none. */
static void place_node(Joining *joining, NodeId id) {
    Fusion *fusion = joining->fusion;
    const Node *node = graph_node(fusion->graph, id);
    OpClass class = op_class(node->op);
    if (fusion->buffer[id] != id) return; /* its readers count as readers of its buffer */
    uint32_t group = class == CLASS_ELEMENTWISE ? choose_group(joining, id, node)
                                                : group_of_largest(joining, node);
    bool full = group && is_full(joining, group);
    bool starts = node_is_root(node) || fusion->required[id] || full;
    joining->fusion->reach[id] = reach_of(joining, node);
    if (group && !full) {
        uint32_t other = other_level(joining, node, group);
        if (other >= joining->fusion->level[group]) joining->fusion->level[group] = other + 1;
        joining->fusion->group[id] = group;
        joining->members[group]++;
    } else if (starts)
        start_group(joining, id, node);
    if (node->op == OP_reduce_max) joining->largest[node->operands[0]] = id;
    mark_readers(joining, id, node);
}

void fuse_join(Fusion *fusion) {
    uint32_t nodes = fusion->graph->node_count;
    Joining joining = {
        .fusion = fusion,
        .has_readers = ARENA_ARRAY(fusion->arena, bool, nodes),
        .members = ARENA_ARRAY(fusion->arena, uint32_t, fusion->draft_capacity),
        .keeps_shape = ARENA_ARRAY(fusion->arena, bool, nodes),
        .largest = ARENA_ARRAY(fusion->arena, NodeId, nodes),
    };
    mark_matrix_updates(fusion->graph, joining.keeps_shape);
    for (NodeId id = 1; id < nodes; id++)
        if (fusion->live[id]) place_node(&joining, id);
}
