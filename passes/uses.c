/* What each kernel of a plan reads from memory, and whether only at the place it is computing. */
#include "passes/planning.h"

typedef struct {
    const Plan *plan;
    Uses uses;
    uint32_t count, capacity;
    Arena *arena;
    uint32_t *inside; /* [node]: 1 + the last kernel that computes it */
    uint32_t *met;    /* [node]: 1 + the last kernel that reads it; its use is slot[node] */
    uint32_t *slot;
    bool *moved; /* [node]: inside the kernel, computed at other places too */
} Collector;

static void add_use(Collector *collector, uint32_t kernel, NodeId node, bool moved) {
    NodeId home = collector->uses.home[node];
    if (collector->met[home] == kernel + 1) {
        collector->uses.uses[collector->slot[home]].moved |= moved;
        return;
    }
    ARENA_ROOM(collector->arena, collector->uses.uses, collector->count, collector->capacity);
    collector->met[home] = kernel + 1;
    collector->slot[home] = collector->count;
    collector->uses.uses[collector->count++] = (Use){home, moved};
}

static bool in_memory(const Plan *plan, NodeId node) {
    StorageKind kind = plan->storage[node].kind;
    return kind == STORAGE_SLAB || kind == STORAGE_STATE;
}

/* An operand of a node inside: computed inside too, or read. */
static void meet_operand(Collector *collector, uint32_t kernel, NodeId operand, bool moved) {
    if (collector->inside[operand] == kernel + 1)
        collector->moved[operand] |= moved;
    else if (in_memory(collector->plan, operand))
        add_use(collector, kernel, operand, moved);
}

/* Matrix products read whole operands; inputs and constants in the slab, which Plan.storage does not show. */
static void meet_product(Collector *collector, uint32_t kernel) {
    const Plan *plan = collector->plan;
    for (uint32_t i = 0; i < 2; i++) add_use(collector, kernel, kernel_operand(plan, &plan->kernels[kernel], i), true);
}

/* A reshape reads at the same place in row-major order. */
static bool stays_in_place(const Node *node) { return op_class(node->op) == CLASS_ELEMENTWISE || node->op == OP_reshape; }

static void meet_node(Collector *collector, uint32_t kernel, NodeId id) {
    const Node *node = graph_node(collector->plan->graph, id);
    bool moved = collector->moved[id] || !stays_in_place(node);
    collector->moved[id] = false;
    if (op_class(node->op) == CLASS_MATRIX) {
        meet_product(collector, kernel);
        return;
    }
    for (uint32_t i = 0; i < node->operand_count; i++) meet_operand(collector, kernel, node->operands[i], moved);
}

static void collect_kernel(Collector *collector, uint32_t number) {
    const Kernel *kernel = &collector->plan->kernels[number];
    for (uint32_t i = 0; i < kernel->node_count; i++) collector->inside[kernel->nodes[i]] = number + 1;
    for (uint32_t i = kernel->node_count; i-- > 0;) meet_node(collector, number, kernel->nodes[i]);
    for (uint32_t i = 0; i < kernel->store_count; i++) {
        const Store *store = &kernel->stores[i];
        meet_operand(collector, number, store->node, false);
        if (store->to.kind == STORAGE_SLAB) collector->uses.writer[store->node] = number + 1;
    }
}

Uses uses_collect(const Plan *plan, Arena *arena) {
    uint32_t nodes = plan->graph->node_count;
    Collector collector = {
        .plan = plan,
        .arena = arena,
        .uses = {home_nodes(plan->graph, arena), ARENA_ARRAY(arena, uint32_t, plan->kernel_count), NULL,
                 ARENA_ARRAY(arena, uint32_t, nodes)},
        .inside = ARENA_ARRAY(arena, uint32_t, nodes),
        .met = ARENA_ARRAY(arena, uint32_t, nodes),
        .slot = ARENA_ARRAY(arena, uint32_t, nodes),
        .moved = ARENA_ARRAY(arena, bool, nodes),
    };
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        collector.uses.begin[k] = collector.count;
        collect_kernel(&collector, k);
    }
    collector.uses.begin[plan->kernel_count] = collector.count;
    return collector.uses;
}
