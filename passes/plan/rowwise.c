/* The rowwise pass: reductions of rows, and kernels that use their results in the same row, become
 * one kernel. After fusion, a softmax is four kernels:
 *
 *     largest = max(x)    e = exp(x - largest)    total = sum(e)    y = e / total
 *
 * Each reads all rows, and three of them what another has just stored. As one kernel, they read a
 * row once, keep it in registers and store y alone.
 *
 * Two kernels are joined if one reads in row r only what the other computes in row r. No third
 * kernel may lie on a path between them: it would have to run before and after the joined one. */
#include "passes/pass_list.h"
#include "passes/plan/planning.h"
#include "ir/base/integers.h"

#include <stdlib.h>

enum {
    /* with fewer rows nothing is gained, and the code, perhaps for a microcontroller, is longer */
    MIN_ROWS = 16,
    LONGEST_ROW = 256,  /* a row stays in registers and the first-level cache */
    MAX_CODE = 2048,    /* nodes times vectors of a row: the code of a row has no loop */
    MAX_SINGLES = 24,   /* values of which a row has one are not computed by vectors */
    MAX_VISITED = 4096, /* kernels on paths between two */
};

/* How many rows a value has, and how many elements a row has, in row-major order. */
typedef struct {
    int64_t count, length;
} RowForm;

typedef struct {
    Plan *plan;
    Arena *arena;
    Uses uses;
    RowForm *rows; /* [kernel]: length 0: it reduces nothing, so its rows are those of the others */
    bool *may;     /* [kernel]: it may be joined */
    uint32_t *group, *next; /* [kernel]: the first kernel of its group; 1 + the next of its group */
    KernelEdges edges;
    uint32_t *visited, visits, *stack; /* [kernel] */
    bool *crosses;                     /* [node] of one kernel: used in another row */
} RowJoining;

/* -- rows -- */

static RowForm reduced_rows(const Graph *graph, const Kernel *kernel) {
    const Node *root = graph_node(graph, kernel->root);
    if (kernel->kind != KERNEL_REDUCE || root->op == OP_argmax) return (RowForm){0};
    Shape shape = graph_operand(graph, root, 0)->shape;
    bool last = root->attrs.axis == shape.rank - 1;
    return last ? (RowForm){shape_elements(root->shape), shape.dim[shape.rank - 1]} : (RowForm){0};
}

/* Whether a kernel may be joined: it is elementwise or reduces rows for which this pays, and
 * updates no state. */
static bool kernel_may(const RowJoining *joining, uint32_t k) {
    const Kernel *kernel = &joining->plan->kernels[k];
    RowForm rows = joining->rows[k];
    /* rows in registers pay if they fit and fill most lanes of their vectors */
    bool rows_pay = rows.count >= MIN_ROWS && rows.length > 0 && rows.length <= LONGEST_ROW &&
                    8 * rows.length >= 5 * round_up(rows.length, LANES);
    if (kernel->kind == KERNEL_REDUCE ? !rows_pay : kernel->kind != KERNEL_MAP) return false;
    for (uint32_t i = 0; i < kernel->store_count; i++)
        if (kernel->stores[i].to.kind == STORAGE_STATE ||
            node_is_leaf(graph_node(joining->plan->graph, kernel->stores[i].node)))
            return false;
    return kernel->node_count > 0;
}

/* Whether the kernel reads the buffer only in the row that it computes. */
static bool reads_in_row(const RowJoining *joining, uint32_t k, NodeId buffer, RowForm rows) {
    const Graph *graph = joining->plan->graph;
    const Kernel *kernel = &joining->plan->kernels[k];
    bool in_row = true;
    for (uint32_t i = 0; i < kernel->node_count; i++) joining->crosses[kernel->nodes[i]] = false;
    for (uint32_t i = kernel->node_count; i-- > 0;) {
        const Node *node = graph_node(graph, kernel->nodes[i]);
        bool crosses = joining->crosses[kernel->nodes[i]];
        for (uint32_t j = 0; j < node->operand_count; j++) {
            bool leaves = crosses || !node_stays_in_row(graph, node, j, rows.count);
            joining->crosses[node->operands[j]] |= leaves;
            if (leaves && joining->uses.buffer[node->operands[j]] == buffer) in_row = false;
        }
    }
    return in_row;
}

/* -- paths -- */

/* Pushes the unvisited groups that directly follow a group. Returns whether one of them is a or b,
 * unless the group itself is a or b. */
static bool push_after(RowJoining *joining, uint32_t group, uint32_t a, uint32_t b,
                       uint32_t *depth) {
    bool starts = group == a || group == b;
    for (uint32_t member = group + 1; member; member = joining->next[member - 1])
        for (uint32_t i = joining->edges.begin[member - 1]; i < joining->edges.begin[member]; i++) {
            uint32_t found = joining->group[joining->edges.edges[i].to];
            bool is_end = found == a || found == b;
            if (is_end && !starts) return true;
            if (is_end || joining->visited[found] == joining->visits) continue;
            joining->visited[found] = joining->visits;
            joining->stack[(*depth)++] = found;
        }
    return false;
}

/* Whether a path leads from one of two groups through a third kernel to one of the two. */
static bool path_between(RowJoining *joining, uint32_t a, uint32_t b) {
    uint32_t depth = 0, visited = 0;
    joining->visits++;
    if (push_after(joining, a, a, b, &depth) || push_after(joining, b, a, b, &depth)) return true;
    while (depth)
        if (++visited > MAX_VISITED || push_after(joining, joining->stack[--depth], a, b, &depth))
            return true;
    return false;
}

/* -- joining -- */

/* The rows of a group; length 0: it reduces nothing. */
static RowForm group_rows(const RowJoining *joining, uint32_t group) {
    RowForm rows = joining->rows[group];
    for (uint32_t member = group + 1; member && !rows.length; member = joining->next[member - 1])
        rows = joining->rows[member - 1];
    return rows;
}

/* Whether all kernels of a group compute rows of this form: whole ones along the last axis, or one
 * value for each. */
static bool all_have_rows(const RowJoining *joining, uint32_t group, RowForm rows) {
    for (uint32_t member = group + 1; member; member = joining->next[member - 1]) {
        const Shape *space = &joining->plan->kernels[member - 1].space;
        RowForm own = joining->rows[member - 1];
        int64_t elements = shape_elements(*space);
        bool same = own.count == rows.count && own.length == rows.length;
        bool elementwise = shape_row_axes(space, rows.count) >= 0 &&
                           (elements == rows.count || (elements == rows.count * rows.length &&
                                                       space->dim[space->rank - 1] == rows.length));
        if (!(own.length ? same : elementwise)) return false;
    }
    return true;
}

/* Counts the nodes of a group: those computed by vectors, and those of which a row has one. */
static void count_nodes(const RowJoining *joining, uint32_t group, RowForm rows, int64_t *whole,
                        int64_t *single) {
    for (uint32_t member = group + 1; member; member = joining->next[member - 1]) {
        const Kernel *kernel = &joining->plan->kernels[member - 1];
        for (uint32_t i = 0; i < kernel->node_count; i++) {
            Shape shape = graph_node(joining->plan->graph, kernel->nodes[i])->shape;
            ++*(shape_elements(shape) <= rows.count ? single : whole);
        }
    }
}

static bool is_small(const RowJoining *joining, uint32_t a, uint32_t b, RowForm rows) {
    int64_t whole = 0, single = 0;
    count_nodes(joining, a, rows, &whole, &single);
    count_nodes(joining, b, rows, &whole, &single);
    return whole * divide_up(rows.length, LANES) <= MAX_CODE && single <= MAX_SINGLES;
}

/* Appends group b to group a. */
static void unite(RowJoining *joining, uint32_t a, uint32_t b) {
    uint32_t last = a;
    while (joining->next[last]) last = joining->next[last] - 1;
    joining->next[last] = b + 1;
    for (uint32_t member = b + 1; member; member = joining->next[member - 1])
        joining->group[member - 1] = a;
}

/* Joins the groups of a reader and of the kernel that stores what it reads, if they may be. */
static bool join(RowJoining *joining, uint32_t reader, NodeId buffer) {
    uint32_t writer = joining->uses.writer[buffer];
    if (!writer || !joining->may[reader] || !joining->may[writer - 1]) return false;
    uint32_t a = joining->group[writer - 1], b = joining->group[reader];
    RowForm rows = group_rows(joining, a);
    if (!rows.length) rows = group_rows(joining, b);
    if (a == b || !rows.length || !all_have_rows(joining, a, rows) ||
        !all_have_rows(joining, b, rows))
        return false;
    if (shape_row_axes(&graph_node(joining->plan->graph, buffer)->shape, rows.count) < 0 ||
        !reads_in_row(joining, reader, buffer, rows) || !is_small(joining, a, b, rows) ||
        path_between(joining, a, b))
        return false;
    unite(joining, a, b);
    return true;
}

/* Repeats as long as kernels are joined: a kernel that reduces nothing can be joined once its
 * neighbour is. */
static void join_all(RowJoining *joining) {
    for (bool again = true; again;) {
        again = false;
        for (uint32_t k = 0; k < joining->plan->kernel_count; k++)
            for (uint32_t i = joining->uses.begin[k]; i < joining->uses.begin[k + 1]; i++)
                again |= join(joining, k, joining->uses.uses[i].buffer);
    }
}

/* -- the joined kernels -- */

/* [node]: whether a kernel outside the group that stores the buffer reads it. */
static bool *find_read_outside(const RowJoining *joining) {
    const Plan *plan = joining->plan;
    bool *outside = ARENA_ARRAY(joining->arena, bool, plan->graph->node_count);
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        for (uint32_t i = joining->uses.begin[k]; i < joining->uses.begin[k + 1]; i++) {
            NodeId buffer = joining->uses.uses[i].buffer;
            uint32_t writer = joining->uses.writer[buffer];
            if (writer && joining->group[writer - 1] != joining->group[k]) outside[buffer] = true;
        }
    return outside;
}

typedef struct {
    NodeId *ids;
    uint32_t count, capacity;
} NodeList;

static void add_node(const RowJoining *joining, NodeList *nodes, NodeId id) {
    ARENA_ROOM(joining->arena, nodes->ids, nodes->count, nodes->capacity);
    nodes->ids[nodes->count++] = id;
}

/* Adds a member's nodes, and the reshapes through which it reads what another member computes. */
static void add_nodes(const RowJoining *joining, uint32_t member, NodeList *nodes) {
    const Graph *graph = joining->plan->graph;
    const Kernel *kernel = &joining->plan->kernels[member];
    for (uint32_t i = 0; i < kernel->node_count; i++) {
        const Node *node = graph_node(graph, kernel->nodes[i]);
        add_node(joining, nodes, kernel->nodes[i]);
        for (uint32_t j = 0; j < node->operand_count; j++) {
            NodeId id = node->operands[j], buffer = joining->uses.buffer[id];
            uint32_t writer = joining->uses.writer[buffer];
            bool inside = writer && joining->group[writer - 1] == joining->group[member];
            for (; inside && id != buffer; id = graph_node(graph, id)->operands[0])
                add_node(joining, nodes, id);
        }
    }
}

/* Sets the nodes of the joined kernel: in ascending order, each once. */
static void set_nodes(const RowJoining *joining, Kernel *joined, NodeList *nodes) {
    joined->nodes = ARENA_ARRAY(joining->plan->arena, NodeId, nodes->count);
    kernel_sort_nodes(nodes->ids, nodes->count);
    for (uint32_t i = 0; i < nodes->count; i++)
        if (i == 0 || nodes->ids[i] != nodes->ids[i - 1])
            joined->nodes[joined->node_count++] = nodes->ids[i];
}

/* Adds the stores of a member to the joined kernel. A value that only members read needs no
 * slab. */
static void add_stores(const RowJoining *joining, uint32_t member, const bool *outside,
                       Kernel *joined) {
    const Kernel *kernel = &joining->plan->kernels[member];
    for (uint32_t i = 0; i < kernel->store_count; i++) {
        Store store = kernel->stores[i];
        if (store.to.kind != STORAGE_SLAB || outside[store.node])
            joined->stores[joined->store_count++] = store;
    }
}

/* The space of whole rows, as a member that stores them has it; else that of the reduced value. */
static Shape joined_space(const RowJoining *joining, uint32_t group, RowForm rows) {
    const Plan *plan = joining->plan;
    Shape reduced = {0};
    for (uint32_t member = group + 1; member; member = joining->next[member - 1]) {
        const Kernel *kernel = &plan->kernels[member - 1];
        if (kernel->kind == KERNEL_REDUCE)
            reduced = graph_operand(plan->graph, graph_node(plan->graph, kernel->root), 0)->shape;
        else if (shape_elements(kernel->space) == rows.count * rows.length)
            return kernel->space;
    }
    return reduced;
}

static Kernel joined_kernel(const RowJoining *joining, uint32_t group, const bool *outside) {
    Kernel joined = {.kind = KERNEL_ROW,
                     .space = joined_space(joining, group, group_rows(joining, group))};
    uint32_t stores = 0;
    NodeList nodes = {0};
    for (uint32_t member = group + 1; member; member = joining->next[member - 1])
        stores += joining->plan->kernels[member - 1].store_count;
    joined.stores = ARENA_ARRAY(joining->plan->arena, Store, stores);
    for (uint32_t member = group + 1; member; member = joining->next[member - 1]) {
        add_nodes(joining, member - 1, &nodes);
        add_stores(joining, member - 1, outside, &joined);
    }
    set_nodes(joining, &joined, &nodes);
    return joined;
}

/* Removes the storage of values that only their own group reads: they are no longer in memory. */
static void forget_storages(const RowJoining *joining, const bool *outside) {
    const Plan *plan = joining->plan;
    for (NodeId id = 1; id < plan->graph->node_count; id++) {
        NodeId buffer = joining->uses.buffer[id];
        uint32_t writer = joining->uses.writer[buffer];
        bool joined = writer && joining->next[joining->group[writer - 1]];
        if (joined && !outside[buffer]) plan->storage[id] = (Storage){0};
    }
}

/* A joined kernel takes the number of its last member: its values are ready there. */
static void write_joined(const RowJoining *joining) {
    Plan *plan = joining->plan;
    const bool *outside = find_read_outside(joining);
    uint32_t *last = ARENA_ARRAY(joining->arena, uint32_t, plan->kernel_count), kept = 0;
    Kernel *kernels = ARENA_ARRAY(plan->arena, Kernel, plan->kernel_count);
    for (uint32_t k = 0; k < plan->kernel_count; k++) last[joining->group[k]] = k;
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        uint32_t group = joining->group[k];
        if (!joining->next[group])
            kernels[kept++] = plan->kernels[k];
        else if (last[group] == k)
            kernels[kept++] = joined_kernel(joining, group, outside);
    }
    forget_storages(joining, outside);
    plan->kernels = kernels;
    plan->kernel_count = kept;
}

bool pass_rowwise(Compilation *compilation, const PassOptions *options) {
    if (options->no_vectors) return true; /* row kernels keep rows in vector registers */
    Plan *plan = compilation->plan;
    Arena *arena = arena_new();
    uint32_t kernels = plan->kernel_count;
    RowJoining joining = {.plan = plan,
                          .arena = arena,
                          .uses = uses_collect(plan, arena),
                          .rows = ARENA_ARRAY(arena, RowForm, kernels),
                          .may = ARENA_ARRAY(arena, bool, kernels),
                          .group = ARENA_ARRAY(arena, uint32_t, kernels),
                          .next = ARENA_ARRAY(arena, uint32_t, kernels),
                          .visited = ARENA_ARRAY(arena, uint32_t, kernels),
                          .stack = ARENA_ARRAY(arena, uint32_t, kernels),
                          .crosses = ARENA_ARRAY(arena, bool, plan->graph->node_count)};
    for (uint32_t k = 0; k < kernels; k++) {
        joining.group[k] = k;
        joining.rows[k] = reduced_rows(plan->graph, &plan->kernels[k]);
        joining.may[k] = kernel_may(&joining, k);
    }
    joining.edges = edges_collect(plan, &joining.uses, arena);
    join_all(&joining);
    write_joined(&joining);
    arena_free(arena);
    return true;
}
