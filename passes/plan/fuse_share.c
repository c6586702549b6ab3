/* Third step of fusion: decides which values are stored. Nodes are visited from the last to the
 * first. So the users of a node are known: in which kernel each computes it, and whether at the
 * index of the kernel or through a view at another one.
 *
 * A node with one such place is computed there. With several places, a cheap node is recomputed in
 * each. An expensive one is computed once and stored: by the first kernel that needs it, if that
 * computes it at its own index; else by a kernel of its own. */
#include "passes/plan/planning.h"

/* A place that is not a draft: OTHER_INDEX + the view or reduction through which a node is used. */
enum { OTHER_INDEX = 1 << 30 };
#define SEVERAL UINT32_MAX

typedef struct {
    Fusion *fusion;
    bool *inside; /* [node]: computed by its own group for nodes of that group */
} Sharing;

/* Joins the users of a node at two places. Those of the lower level come first. */
static Users merge_users(Users a, Users b) {
    if (a.place == FUSE_NOWHERE || b.place == FUSE_NOWHERE) return a.place == FUSE_NOWHERE ? b : a;
    Users merged = a.level <= b.level ? a : b;
    merged.place = a.place == b.place ? a.place : SEVERAL;
    if (a.level == b.level)
        merged.first_can_store = a.first_can_store && b.first_can_store && a.first == b.first;
    return merged;
}

static Users user_kernel(const Fusion *fusion, uint32_t draft) {
    return (Users){
        .place = draft, .level = fusion->level[draft], .first = draft, .first_can_store = true};
}

/* Tells the operands of a node where it is needed. */
static void pass_down(Sharing *sharing, NodeId id, const Node *node, Users users) {
    Fusion *fusion = sharing->fusion;
    if (users.place == FUSE_NOWHERE) return;
    if (op_class(node->op) != CLASS_ELEMENTWISE && fusion->buffer[id] == id) {
        /* the operands are read at other indices than those of the users */
        if (users.place != SEVERAL) users.place = OTHER_INDEX + id;
        users.first_can_store = false;
    }
    for (uint32_t i = 0; i < node->operand_count; i++) {
        NodeId operand = node->operands[i];
        if (users.place == fusion->group[operand])
            sharing->inside[operand] = true;
        else
            fusion->outside[operand] = merge_users(fusion->outside[operand], users);
    }
}

/* A node of a group. It is stored if other kernels need it, or if it is the root; otherwise only
 * its group computes it. */
static void decide_grouped(Sharing *sharing, NodeId id, const Node *node) {
    Fusion *fusion = sharing->fusion;
    uint32_t group = fusion->group[id];
    bool used_outside = fusion->required[id] || fusion->outside[id].place != FUSE_NOWHERE;
    /* a single step from values in memory is recomputed outside, even if the group has it in a
* register */
    bool recomputed = !fusion->required[id] && op_class(node->op) == CLASS_ELEMENTWISE;
    for (uint32_t i = 0; recomputed && i < node->operand_count; i++)
        recomputed = fuse_keeps(fusion, node->operands[i]) ||
                     fusion->required[fusion->buffer[node->operands[i]]];
    if (recomputed) {
        pass_down(sharing, id, node, fusion->outside[id]);
        if (sharing->inside[id]) pass_down(sharing, id, node, user_kernel(fusion, group));
        return;
    }
    if (used_outside || fusion->drafts[group].root == id) fusion->kernel[id] = group;
    pass_down(sharing, id, node, user_kernel(fusion, group));
}

/* A node that belongs to no group. If it is needed at several places and expensive, it is stored by
 * the first kernel that needs it, or by a kernel of its own. Broadcasts, windows and reshapes are
 * never stored for their cost: their operands are. */
static void decide_single(Sharing *sharing, NodeId id, const Node *node) {
    Fusion *fusion = sharing->fusion;
    Users users = fusion->outside[id];
    bool repeats = node->op == OP_broadcast || node->op == OP_windows || node->op == OP_reshape;
    if (users.place == SEVERAL && fusion->cost[id] > FUSE_CHEAP_STEPS && !repeats) {
        uint32_t draft = users.first;
        if (!users.first_can_store) {
            draft = fusion_add(fusion, KERNEL_MAP, NODE_NONE, node->shape);
            fusion->level[draft] = fusion->reach[id] + 1;
        }
        fusion->kernel[id] = draft;
        users = user_kernel(fusion, draft);
    }
    pass_down(sharing, id, node, users);
}

void fuse_share(Fusion *fusion) {
    uint32_t nodes = fusion->graph->node_count;
    Sharing sharing = {fusion, ARENA_ARRAY(fusion->arena, bool, nodes)};
    for (NodeId id = nodes - 1; id > 0; id--) {
        const Node *node = graph_node(fusion->graph, id);
        if (!fusion->live[id] || node_is_leaf(node)) continue;
        if (fusion->group[id])
            decide_grouped(&sharing, id, node);
        else
            decide_single(&sharing, id, node);
    }
}
