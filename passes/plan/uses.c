/* Collects what each kernel of a plan reads from memory. For each value: whether the kernel reads
 * it only at the index that it computes, or only in the same row. */
#include "passes/plan/planning.h"

typedef struct {
    bool moved, crosses_rows; /* as in BufferUse */
} Where;

typedef struct {
    const Plan *plan;
    Uses uses;
    uint32_t count, capacity;
    Arena *arena;
    uint32_t *inside; /* [node]: 1 + the last kernel that computes it */
    uint32_t *met;    /* [node]: 1 + the last kernel that reads it; its use is slot[node] */
    uint32_t *slot;
    Where *where; /* [node] of this kernel: whether it is used at other indices or rows */
} Collector;

/* Adds a read of a buffer by a kernel, or merges it with an earlier read of this kernel. */
static void add_use(Collector *collector, uint32_t kernel, NodeId node, Where where) {
    NodeId buffer = collector->uses.buffer[node];
    if (collector->met[buffer] == kernel + 1) {
        BufferUse *use = &collector->uses.uses[collector->slot[buffer]];
        use->moved |= where.moved, use->crosses_rows |= where.crosses_rows;
        return;
    }
    ARENA_ROOM(collector->arena, collector->uses.uses, collector->count, collector->capacity);
    collector->met[buffer] = kernel + 1;
    collector->slot[buffer] = collector->count;
    collector->uses.uses[collector->count++] = (BufferUse){buffer, where.moved, where.crosses_rows};
}

/* Visits an operand of a node that the kernel computes: the kernel computes it too, or reads it. */
static void visit_operand(Collector *collector, uint32_t kernel, NodeId operand, Where where) {
    Where *inside = &collector->where[operand];
    StorageKind kind = collector->plan->storage[operand].kind;
    if (collector->inside[operand] == kernel + 1)
        inside->moved |= where.moved, inside->crosses_rows |= where.crosses_rows;
    else if (kind == STORAGE_SLAB || kind == STORAGE_STATE)
        add_use(collector, kernel, operand, where);
}

/* Whether the op computes a row along axis 0 from the same row of operand i. */
static bool stays_in_row(const Graph *graph, const Node *node, uint32_t i) {
    const Shape *from = &graph_operand(graph, node, i)->shape, *to = &node->shape;
    if (from->rank == 0 || to->rank == 0 || from->dim[0] != to->dim[0]) return false;
    if (node->op == OP_matmul) return i == 0 && to->rank == 2 && !node->attrs.matmul.transpose_a;
    return node_stays_in_row(graph, node, i, to->dim[0]);
}

/* A product reads whole operands. Its operands count even if they are copies of inputs or constants
 * in the slab, for which Plan.storage has no entry. */
static void visit_product(Collector *collector, uint32_t number, const Node *product,
                          bool crosses_rows) {
    const Plan *plan = collector->plan;
    const Kernel *kernel = &plan->kernels[number];
    for (uint32_t i = 0; i < 2; i++) {
        bool in_row =
            !crosses_rows && !kernel->product.windows && stays_in_row(plan->graph, product, i);
        add_use(collector, number, kernel_operand(plan, kernel, i),
                (Where){.moved = true, .crosses_rows = !in_row});
    }
}

/* Visits a node of the kernel, after all nodes that use it, and then its operands. where[id]: how
 * the kernel uses it. */
static void visit_node(Collector *collector, uint32_t kernel, NodeId id) {
    const Graph *graph = collector->plan->graph;
    const Node *node = graph_node(graph, id);
    Where at = collector->where[id];
    collector->where[id] = (Where){0};
    if (op_class(node->op) == CLASS_MATRIX) {
        visit_product(collector, kernel, node, at.crosses_rows);
        return;
    }
    at.moved |= !op_stays_in_place(node->op);
    for (uint32_t i = 0; i < node->operand_count; i++)
        visit_operand(collector, kernel, node->operands[i],
                      (Where){at.moved, at.crosses_rows || !stays_in_row(graph, node, i)});
}

static void collect_kernel(Collector *collector, uint32_t number) {
    const Kernel *kernel = &collector->plan->kernels[number];
    for (uint32_t i = 0; i < kernel->node_count; i++)
        collector->inside[kernel->nodes[i]] = number + 1;
    for (uint32_t i = kernel->node_count; i-- > 0;) visit_node(collector, number, kernel->nodes[i]);
    for (uint32_t i = 0; i < kernel->store_count; i++) {
        const Store *store = &kernel->stores[i];
        visit_operand(collector, number, store->node, (Where){0});
        if (store->to.kind == STORAGE_SLAB) collector->uses.writer[store->node] = number + 1;
    }
}

Uses uses_collect(const Plan *plan, Arena *arena) {
    uint32_t nodes = plan->graph->node_count;
    Collector collector = {
        .plan = plan,
        .arena = arena,
        .uses = {buffer_nodes(plan->graph, arena),
                 ARENA_ARRAY(arena, uint32_t, plan->kernel_count + 1), NULL,
                 ARENA_ARRAY(arena, uint32_t, nodes)},
        .inside = ARENA_ARRAY(arena, uint32_t, nodes),
        .met = ARENA_ARRAY(arena, uint32_t, nodes),
        .slot = ARENA_ARRAY(arena, uint32_t, nodes),
        .where = ARENA_ARRAY(arena, Where, nodes),
    };
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        collector.uses.begin[k] = collector.count;
        collect_kernel(&collector, k);
    }
    collector.uses.begin[plan->kernel_count] = collector.count;
    return collector.uses;
}
