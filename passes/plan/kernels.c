/* Builds the plan from the decisions of fusion: the nodes of each kernel, its stores, and the
 * storage of every value. */
#include "passes/plan/planning.h"

#include <assert.h>
#include <stdlib.h>

/* An output, or a new value of a state, that a draft stores. */
typedef struct {
    uint32_t draft;
    NodeId node;
    Storage to;
} DraftStore;

typedef struct {
    Fusion *fusion;
    const Graph *graph;
    Plan *plan;
    DraftStore *targets;
    uint32_t target_count;
    uint32_t *state_index; /* [symbol]: 1 + index into plan->states; 0: not in the plan */
    /* [node]: another kernel reads it in the slab; for a leaf: a product reads a copy of it */
    bool *in_slab;
    uint32_t *stamp;      /* [node]: the last draft that visited it */
    NodeId *list, *stack; /* of the draft being collected */
    uint32_t list_count;
} PlanBuilder;

uint32_t fusion_add(Fusion *fusion, KernelKind kind, NodeId root, Shape space) {
    fusion->drafts[++fusion->draft_count] = (Draft){.kind = kind, .root = root, .space = space};
    return fusion->draft_count;
}

/* -- states and targets -- */

static bool symbol_is_updated(const Symbol *symbol) {
    return symbol->update != NODE_NONE && symbol->update != symbol->node;
}

/* Gives the plan every state that is read or updated. */
static void add_states(PlanBuilder *builder) {
    const Graph *graph = builder->graph;
    Plan *plan = builder->plan;
    plan->states = ARENA_ARRAY(plan->arena, PlanState, graph->symbol_count);
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        bool used =
            symbol_is_updated(symbol) || (symbol->node && builder->fusion->live[symbol->node]);
        if (symbol->kind != SYMBOL_STATE || !used) continue;
        plan->states[plan->state_count++] = (PlanState){.symbol = i};
        builder->state_index[i] = plan->state_count;
    }
}

/* The draft that copies leaves of this shape. There is one for all of them, so that two states can
 * exchange their values. */
static uint32_t copying_draft(PlanBuilder *builder, uint32_t first, Shape space) {
    Fusion *fusion = builder->fusion;
    for (uint32_t i = first; i <= fusion->draft_count; i++)
        if (fusion->drafts[i].copies_leaves && shape_equal(fusion->drafts[i].space, space))
            return i;
    uint32_t draft = fusion_add(fusion, KERNEL_MAP, NODE_NONE, space);
    fusion->drafts[draft].copies_leaves = true;
    return draft;
}

/* Adds a store outside the slab, to the draft that computes the value or to one that copies it. */
static void add_target(PlanBuilder *builder, uint32_t first_copy, NodeId value, Storage to) {
    Fusion *fusion = builder->fusion;
    NodeId buffer = fusion->buffer[value];
    uint32_t draft = fusion->kernel[buffer];
    Shape space = graph_node(builder->graph, buffer)->shape;
    if (!draft)
        draft = copying_draft(builder, first_copy, space);
    else if (fusion->drafts[draft].kind == KERNEL_GEMM)
        draft = fusion_add(fusion, KERNEL_MAP, NODE_NONE, space);
    builder->targets[builder->target_count++] = (DraftStore){draft, buffer, to};
}

/* Lists the stores to outputs and to updated states, each in the draft that computes its value. */
static void add_targets(PlanBuilder *builder) {
    const Graph *graph = builder->graph;
    uint32_t first_copy = builder->fusion->draft_count + 1;
    for (uint32_t i = 0; i < graph->output_count; i++)
        add_target(builder, first_copy, graph->outputs[i].node,
                   (Storage){.kind = STORAGE_OUTPUT, .index = i, .offset = PLAN_UNPLACED});
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (symbol_is_updated(&graph->symbols[i]))
            add_target(builder, first_copy, graph->symbols[i].update,
                       (Storage){.kind = STORAGE_STATE, .index = builder->state_index[i] - 1});
}

static const Storage unplaced = {.kind = STORAGE_SLAB, .offset = PLAN_UNPLACED};

/* -- operands of matrix products: in a form of a state, or in the slab -- */

/* Where a product reads its operand: from a state, or from the slab, into which it must then be
 * stored. */
static Storage operand_storage(PlanBuilder *builder, NodeId operand) {
    NodeId buffer = builder->fusion->buffer[operand];
    const Node *node = graph_node(builder->graph, buffer);
    if (node->op == OP_state)
        return (Storage){.kind = STORAGE_STATE,
                         .index = builder->state_index[node->attrs.symbol] - 1};
    builder->in_slab[buffer] = true;
    return unplaced;
}

static void add_operands(PlanBuilder *builder, Kernel *kernel) {
    if (kernel->kind != KERNEL_MATMUL && kernel->kind != KERNEL_GEMM) return;
    const Node *root = graph_node(builder->graph, kernel->root);
    kernel->product.windows = fusion_windows(builder->fusion, root);
    kernel->product.left = operand_storage(builder, kernel_operand(builder->plan, kernel, 0));
    kernel->product.right = operand_storage(builder, root->operands[1]);
}

/* -- the nodes that a draft computes -- */

/* Visits a node that the draft needs. Returns true, and lists it, if the draft computes it. Returns
 * false for a leaf, a node that was visited before, and a value that is read from memory. */
static bool visit_node(PlanBuilder *builder, uint32_t number, NodeId id) {
    if (builder->stamp[id] == number || node_is_leaf(graph_node(builder->graph, id))) return false;
    builder->stamp[id] = number;
    const Fusion *fusion = builder->fusion;
    uint32_t storing = fusion->kernel[fusion->buffer[id]];
    bool in_memory = fusion->kernel[id] != number && storing && storing != number;
    if (in_memory)
        builder->in_slab[fusion->buffer[id]] = true;
    else
        builder->list[builder->list_count++] = id;
    return !in_memory;
}

/* Lists a node and all nodes that this draft computes for it. It does not compute the operands of a
 * product, which are in memory. */
static void collect_node(PlanBuilder *builder, uint32_t number, NodeId id) {
    uint32_t depth = 0;
    if (visit_node(builder, number, id)) builder->stack[depth++] = id;
    while (depth) {
        const Node *node = graph_node(builder->graph, builder->stack[--depth]);
        for (uint32_t i = 0; node->op != OP_matmul && i < node->operand_count; i++)
            if (visit_node(builder, number, node->operands[i]))
                builder->stack[depth++] = node->operands[i];
    }
}

static int compare_ids(const void *a, const void *b) {
    NodeId x = *(const NodeId *)a, y = *(const NodeId *)b;
    return x < y ? -1 : x > y;
}

void kernel_sort_nodes(NodeId *nodes, uint32_t count) {
    qsort(nodes, count, sizeof *nodes, compare_ids);
}

/* -- the stored nodes and the targets of each draft -- */

typedef struct {
    uint32_t *begin, *items; /* items[begin[d] .. begin[d + 1]) belong to draft d */
} DraftGroups;

static DraftGroups groups_new(Arena *arena, uint32_t drafts, uint32_t items) {
    return (DraftGroups){ARENA_ARRAY(arena, uint32_t, drafts + 2),
                         ARENA_ARRAY(arena, uint32_t, items)};
}

/* The middle of a counting sort. Before it, begin[d] counts the items of draft d. After it, every
 * item is placed at --begin[d], in reverse order. */
static void groups_sum(DraftGroups *groups, uint32_t drafts) {
    for (uint32_t d = 0; d <= drafts; d++) groups->begin[d + 1] += groups->begin[d];
}

/* Groups the nodes by the draft that stores them. */
static DraftGroups group_stored(const PlanBuilder *builder) {
    const Fusion *fusion = builder->fusion;
    DraftGroups groups = groups_new(fusion->arena, fusion->draft_count, builder->graph->node_count);
    for (NodeId id = 1; id < builder->graph->node_count; id++) groups.begin[fusion->kernel[id]]++;
    groups_sum(&groups, fusion->draft_count);
    for (NodeId id = builder->graph->node_count - 1; id > 0; id--)
        groups.items[--groups.begin[fusion->kernel[id]]] = id;
    return groups;
}

/* Groups the targets by their drafts. */
static DraftGroups group_targets(const PlanBuilder *builder) {
    const Fusion *fusion = builder->fusion;
    DraftGroups groups = groups_new(fusion->arena, fusion->draft_count, builder->target_count);
    for (uint32_t i = 0; i < builder->target_count; i++) groups.begin[builder->targets[i].draft]++;
    groups_sum(&groups, fusion->draft_count);
    for (uint32_t i = builder->target_count; i-- > 0;)
        groups.items[--groups.begin[builder->targets[i].draft]] = i;
    return groups;
}

/* -- the kernels -- */

/* The kernel of a draft, still without its stores: the nodes that it computes for its root, the
 * values that it stores, and the outputs and new states. */
static void collect_kernel(PlanBuilder *builder, uint32_t number, const DraftGroups *stored,
                           const DraftGroups *targets, Kernel *kernel) {
    const Draft *draft = &builder->fusion->drafts[number];
    *kernel = (Kernel){.kind = draft->kind, .root = draft->root, .space = draft->space};
    if (draft->root) collect_node(builder, number, draft->root);
    if (draft->root && graph_node(builder->graph, draft->root)->op == OP_scatter_add)
        builder->in_slab[draft->root] = true; /* it reads elements again that it has written */
    for (uint32_t i = stored->begin[number]; i < stored->begin[number + 1]; i++)
        collect_node(builder, number, stored->items[i]);
    for (uint32_t i = targets->begin[number]; i < targets->begin[number + 1]; i++)
        collect_node(builder, number, builder->targets[targets->items[i]].node);
    kernel->node_count = builder->list_count;
    kernel->nodes = ARENA_ARRAY(builder->plan->arena, NodeId, builder->list_count);
    kernel_sort_nodes(builder->list, builder->list_count);
    for (uint32_t i = 0; i < builder->list_count; i++) kernel->nodes[i] = builder->list[i];
    builder->list_count = 0;
}

static void add_store(Kernel *kernel, NodeId node, Storage to) {
    kernel->stores[kernel->store_count++] = (Store){node, to};
}

static void add_stores(PlanBuilder *builder, uint32_t number, const DraftGroups *stored,
                       const DraftGroups *targets, Kernel *kernel) {
    uint32_t most = stored->begin[number + 1] - stored->begin[number] + targets->begin[number + 1] -
                    targets->begin[number];
    kernel->stores = ARENA_ARRAY(builder->plan->arena, Store, most);
    for (uint32_t i = stored->begin[number]; i < stored->begin[number + 1]; i++)
        if (builder->in_slab[stored->items[i]]) add_store(kernel, stored->items[i], unplaced);
    for (uint32_t i = targets->begin[number]; i < targets->begin[number + 1]; i++)
        add_store(kernel, builder->targets[targets->items[i]].node,
                  builder->targets[targets->items[i]].to);
    assert(kernel->store_count > 0);
}

/* Adds a kernel in front of the others for each leaf or constant that a product reads. It copies
 * the leaf into the slab. */
static void add_copies(PlanBuilder *builder) {
    Plan *plan = builder->plan;
    for (NodeId id = builder->graph->node_count - 1; id > 0; id--) {
        if (!builder->in_slab[id] || !node_is_leaf(graph_node(builder->graph, id))) continue;
        Kernel *kernel = --plan->kernels;
        plan->kernel_count++;
        *kernel = (Kernel){.kind = KERNEL_MAP, .space = graph_node(builder->graph, id)->shape};
        kernel->stores = ARENA_ARRAY(plan->arena, Store, 1);
        add_store(kernel, id, unplaced);
    }
}

/* Sets where other kernels read each value: a state, an input, or the slab. */
static void fill_storage(PlanBuilder *builder) {
    const Graph *graph = builder->graph;
    const Fusion *fusion = builder->fusion;
    for (NodeId id = 1; id < graph->node_count; id++) {
        NodeId buffer = fusion->buffer[id];
        const Node *node = graph_node(graph, buffer);
        Storage *storage = &builder->plan->storage[id];
        if (!fusion->live[id]) continue;
        if (node->op == OP_state)
            *storage = (Storage){.kind = STORAGE_STATE,
                                 .index = builder->state_index[node->attrs.symbol] - 1};
        else if (node->op == OP_input)
            *storage = (Storage){.kind = STORAGE_INPUT, .index = node->attrs.symbol};
        else if (fusion->kernel[buffer] && builder->in_slab[buffer])
            *storage = unplaced;
    }
}

static void write_kernels(PlanBuilder *builder) {
    Plan *plan = builder->plan;
    uint32_t drafts = builder->fusion->draft_count;
    DraftGroups stored = group_stored(builder), targets = group_targets(builder);
    plan->kernels = ARENA_ARRAY(plan->arena, Kernel, drafts + builder->graph->node_count) +
                    builder->graph->node_count;
    for (uint32_t d = 1; d <= drafts; d++)
        collect_kernel(builder, d, &stored, &targets, &plan->kernels[d - 1]);
    for (uint32_t d = 1; d <= drafts; d++) add_operands(builder, &plan->kernels[d - 1]);
    for (uint32_t d = 1; d <= drafts; d++)
        add_stores(builder, d, &stored, &targets, &plan->kernels[d - 1]);
    plan->kernel_count = drafts;
    add_copies(builder);
}

Plan *kernels_build(Fusion *fusion) {
    Arena *arena = arena_new();
    const Graph *graph = fusion->graph;
    Plan *plan = ARENA_NEW(arena, Plan);
    *plan = (Plan){
        .graph = graph, .arena = arena, .storage = ARENA_ARRAY(arena, Storage, graph->node_count)};
    PlanBuilder builder = {
        .fusion = fusion,
        .graph = graph,
        .plan = plan,
        .targets =
            ARENA_ARRAY(fusion->arena, DraftStore, graph->output_count + graph->symbol_count),
        .state_index = ARENA_ARRAY(fusion->arena, uint32_t, graph->symbol_count),
        .in_slab = ARENA_ARRAY(fusion->arena, bool, graph->node_count),
        .stamp = ARENA_ARRAY(fusion->arena, uint32_t, graph->node_count),
        .list = ARENA_ARRAY(fusion->arena, NodeId, graph->node_count),
        .stack = ARENA_ARRAY(fusion->arena, NodeId, graph->node_count),
    };
    add_states(&builder);
    add_targets(&builder);
    write_kernels(&builder);
    fill_storage(&builder);
    return plan;
}
