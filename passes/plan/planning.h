/* Shared by the passes that make a plan. Internal to passes/. */
#ifndef MLC_PASSES_PLAN_PLANNING_H
#define MLC_PASSES_PLAN_PLANNING_H

#include "ir/graph/graph_rows.h"
#include "passes/passes.h"

/* -- buffers (buffers.c) -- */

/* buffer[node], allocated in `arena`: the node whose buffer holds the value of this node. For most
 * nodes it is the node itself. A reshape of a value in row-major order copies nothing and has the
 * buffer of its operand. A reshape of a leaf is an exception: inputs are read through the row
 * numbers of the batch, and states may be stored in panels and change during the step. */
NodeId *buffer_nodes(const Graph *graph, Arena *arena);
/* Marks the new values of matrix states. They keep the state's shape in the kernel that stores
 * them, because of panels. */
void mark_matrix_updates(const Graph *graph, bool *marked);
/* Never in memory: each kernel that needs the value computes it. */
static inline bool node_is_immediate(const Node *node) {
    return node->op == OP_constant || node->op == OP_iota;
}
static inline bool node_is_leaf(const Node *node) { return op_class(node->op) == CLASS_LEAF; }
/* Whether a node is always the root of a kernel, and so never computed twice. */
static inline bool node_is_root(const Node *node) {
    OpClass class = op_class(node->op);
    return class == CLASS_REDUCE || class == CLASS_SCAN || class == CLASS_MATRIX ||
           class == CLASS_WINOGRAD;
}

/* The windows node that is operand 0 of a product, if the product can read its windows out of the
 * image; else NODE_NONE. */
NodeId product_windows(const Graph *graph, const NodeId *buffer, const Node *product);

/* -- fusion: which kernel computes what (fuse.c decides, kernels.c writes the plan down) -- */

/* A kernel that is planned. Fusion.kernel says what it stores; what it computes follows from
 * that. */
typedef struct {
    KernelKind kind;
    NodeId root;
    Shape space;
    /* it computes nothing, and copies leaves that are outputs or new values of states */
    bool copies_leaves;
} Draft;

/* The kernels outside its group that need a node. `place` is a draft (which needs the node at its
 * own index), FUSE_NOWHERE, or a place defined in fuse_share.c. `first` is the kernel of the lowest
 * level. It can store the node for the others if it is the only one of that level and computes the
 * node at its own index. */
typedef struct {
    uint32_t place, level, first;
    bool first_can_store;
} Users;
enum { FUSE_NOWHERE = 0 };

typedef struct {
    Graph *graph;
    const PassOptions *options;
    Arena *arena; /* scratch */
    const bool *live;
    const NodeId *buffer;
    /* [node]: the draft (from 1) that computes this node for others to read; 0: every user computes
     * it */
    uint32_t *kernel;
    Draft *drafts; /* [1 .. draft_count] */
    uint32_t draft_count, draft_capacity;
    /* the rest is used at -O2 and above */
    bool *required; /* [node]: must be in memory */
    /* [node]: steps to compute it from values that are surely in memory; saturates */
    uint32_t *cost;
    /* [node]: the draft that computes it as its root or after it, index by index; 0: none */
    uint32_t *group;
    uint32_t *level; /* [draft]: higher than the levels of all groups its inputs come from */
    /* [node]: highest level among the groups that its value comes from, its own not counted */
    uint32_t *reach;
    Users *outside; /* [node] */
} Fusion;

/* Whether a product of windows has so few columns that its tile should run along the windows. These
 * must be neighbours in memory: in the image itself or in a transposed copy. */
bool product_runs_along_windows(const Graph *graph, const Node *product, const Node *windows);
/* Whether the tile of such a product should rather run along the images of the batch, in a copy of
 * the image in which these are neighbours. */
bool product_runs_along_images(const Graph *graph, const NodeId *buffer, const Node *product,
                               const Node *windows);

/* product_windows; but NODE_NONE at levels that do not fuse, and if OpenBLAS multiplies. */
NodeId fusion_windows(const Fusion *fusion, const Node *product);
uint32_t fusion_add(Fusion *fusion, KernelKind kind, NodeId root, Shape space); /* its number */
KernelKind fusion_kind(const Fusion *fusion, const Node *node);
/* The steps of fusion, in order; the head of each file describes its step. */
void fuse_require(Fusion *fusion);
void fuse_join(Fusion *fusion);
void fuse_share(Fusion *fusion);
void fuse_follow(Fusion *fusion);
Plan *kernels_build(Fusion *fusion);
void kernel_sort_nodes(NodeId *nodes, uint32_t count); /* ascending */
/* Recomputing a value of so many steps is cheaper than storing and loading it. */
enum { FUSE_CHEAP_STEPS = 4 };
uint32_t fuse_node_steps(const Node *node); /* the steps of one element */
/* Whether a node is a leaf that keeps its value during the step. A state that is updated does not:
 * a late read would delay its update. */
static inline bool fuse_keeps(const Fusion *fusion, NodeId id) {
    const Node *node = graph_node(fusion->graph, id);
    return node_is_leaf(node) &&
           (node->op != OP_state || !fusion->graph->symbols[node->attrs.symbol].update);
}

/* -- uses (uses.c): what each kernel of a plan reads from memory -- */

typedef struct {
    NodeId buffer;     /* a value in the slab, or the node of a state */
    bool moved;        /* read at other places than the one that is being computed */
    bool crosses_rows; /* read in other rows (along axis 0) than the one that is being computed */
} BufferUse;
typedef struct {
    const NodeId *buffer; /* from buffer_nodes */
    uint32_t *begin;      /* [kernel_count + 1] into uses */
    BufferUse *uses;
    uint32_t *writer; /* [node]: 1 + the kernel that stores it in the slab; 0: none */
} Uses;
Uses uses_collect(const Plan *plan, Arena *arena);

/* -- edges (edges.c): a kernel that must run before another -- */

typedef struct {
    uint32_t from, to;
    bool old_state; /* `from` reads a state that `to` overwrites */
    bool in_rows;   /* `to` reads only the rows it is computing */
} KernelEdge;
typedef struct {
    uint32_t *begin; /* edges that leave kernel k: edges[begin[k] .. begin[k + 1]) */
    KernelEdge *edges;
    uint32_t *updater; /* [symbol]: 1 + the kernel that stores the state; 0: none */
} KernelEdges;
KernelEdges edges_collect(const Plan *plan, const Uses *uses, Arena *arena);
/* 1 + the kernel that updates the state that a buffer is; 0: it is no state, or none updates it. */
uint32_t edges_updater(const KernelEdges *edges, const Plan *plan, NodeId buffer);

/* -- the analyses of the plan pass: plan.c lists them in order -- */

/* A product with at most so many columns is not divided among threads along them. */
enum { COST_WIDEST_TILE = 80 };
/* Sets how many threads are worth waking for a kernel, and into how many pieces the part of each is
 * cut (cost.c). `threads` as in PassOptions; 0: no limit. */
void cost_assign(const Plan *plan, Kernel *kernel, int threads);
int64_t cost_nanoseconds(const Plan *plan, const Kernel *kernel);
uint32_t cost_threads(int64_t nanoseconds, int threads);
uint32_t cost_pieces(int64_t nanoseconds, uint32_t sharing, int threads);
/* Marks the kernels that every thread computes for itself (replicated.c). */
void replicated_assign(Plan *plan, const Uses *uses, int threads);
/* Marks the kernels that threads divide by rows of the batch (rows.c). */
void rows_assign(Plan *plan, const Uses *uses, int threads, Arena *arena);
/* Orders the kernels (schedule.c): values before their readers, readers of a state before the
 * kernel that updates it, as few barriers as possible. Returns phase[kernel], the number of
 * barriers before it, from `arena`. An update of a state that cannot wait for all readers is
 * deferred: a kernel is added that copies the new value from the slab at the end. Then the order is
 * left as it was and NULL is returned: the analyses must run again. */
uint32_t *schedule_kernels(Plan *plan, const Uses *uses, Arena *arena);
/* Gives each value its place in a slab, and each output its place in the output block (slab.c).
 * max_alone: values of at most so many bytes share their place with no other value. */
void slab_assign(Plan *plan, const uint32_t *phase, size_t max_alone, Arena *arena);

#endif
