/* Where the threads of a GPU wait for each other: before a kernel that reads what another one has
 * stored since the last barrier, or that stores where another one has stored or read. */
#include "codegen/cuda/cuda.h"

/* Bytes [first, first + count) of a memory: the shared slab, the slab of replicated kernels, the
 * outputs, or a state. */
typedef struct {
    StorageKind kind;
    bool replicated;
    uint32_t state; /* of STORAGE_STATE: its number; else 0 */
    size_t first, count;
} MemoryRange;

typedef struct {
    MemoryRange *ranges;
    uint32_t count, capacity;
} RangeList;

typedef struct {
    const Plan *plan;
    Arena *arena;
    RangeList reads, writes; /* since the last barrier */
    uint32_t *computed_in;   /* [node]: 1 + the last kernel that computes it */
} BarrierSearch;

static void add_range(const BarrierSearch *search, RangeList *list, Storage storage, NodeId id) {
    const Node *node = graph_node(search->plan->graph, id);
    bool is_state = storage.kind == STORAGE_STATE;
    if (storage.kind != STORAGE_SLAB && storage.kind != STORAGE_OUTPUT && !is_state) return;
    ARENA_ROOM(search->arena, list->ranges, list->count, list->capacity);
    list->ranges[list->count++] =
        (MemoryRange){.kind = storage.kind,
                      .replicated = storage.replicated,
                      .state = is_state ? storage.index : 0,
                      .first = is_state ? 0 : storage.offset,
                      .count = layout_bytes(storage.layout, node->dtype, node->shape)};
}

/* What the kernel loads: operands that it does not compute, values that it copies, and factors of a
 * product. */
static void add_reads(const BarrierSearch *search, uint32_t number, RangeList *reads) {
    const Plan *plan = search->plan;
    const Kernel *kernel = &plan->kernels[number];
    for (uint32_t i = 0; i < kernel->node_count; i++)
        search->computed_in[kernel->nodes[i]] = number + 1;
    for (uint32_t i = 0; i < kernel->node_count; i++) {
        const Node *node = graph_node(plan->graph, kernel->nodes[i]);
        for (uint32_t k = 0; k < node->operand_count; k++)
            if (search->computed_in[node->operands[k]] != number + 1)
                add_range(search, reads, plan->storage[node->operands[k]], node->operands[k]);
    }
    for (uint32_t i = 0; i < kernel->store_count; i++) {
        NodeId node = kernel->stores[i].node;
        if (search->computed_in[node] != number + 1)
            add_range(search, reads, plan->storage[node], node);
    }
    if (kernel->kind != KERNEL_MATMUL) return;
    add_range(search, reads, kernel->product.left, kernel_operand(plan, kernel, 0));
    add_range(search, reads, kernel->product.right, kernel_operand(plan, kernel, 1));
}

static void add_writes(const BarrierSearch *search, uint32_t number, RangeList *writes) {
    const Kernel *kernel = &search->plan->kernels[number];
    for (uint32_t i = 0; i < kernel->store_count; i++)
        add_range(search, writes, kernel->stores[i].to, kernel->stores[i].node);
}

static bool ranges_meet(const RangeList *a, const RangeList *b) {
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t k = 0; k < b->count; k++) {
            const MemoryRange *x = &a->ranges[i], *y = &b->ranges[k];
            if (x->kind == y->kind && x->replicated == y->replicated && x->state == y->state &&
                x->first < y->first + y->count && y->first < x->first + x->count)
                return true;
        }
    return false;
}

static void append(const BarrierSearch *search, RangeList *list, const RangeList *more) {
    for (uint32_t i = 0; i < more->count; i++) {
        ARENA_ROOM(search->arena, list->ranges, list->count, list->capacity);
        list->ranges[list->count++] = more->ranges[i];
    }
}

const bool *cuda_barriers(const Plan *plan, Arena *arena) {
    bool *barriers = ARENA_ARRAY(arena, bool, plan->kernel_count);
    BarrierSearch search = {.plan = plan,
                            .arena = arena,
                            .computed_in = ARENA_ARRAY(arena, uint32_t, plan->graph->node_count)};
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        RangeList reads = {0}, writes = {0};
        add_reads(&search, k, &reads);
        add_writes(&search, k, &writes);
        barriers[k] = ranges_meet(&search.writes, &reads) || ranges_meet(&search.writes, &writes) ||
                      ranges_meet(&search.reads, &writes);
        if (barriers[k]) search.reads.count = search.writes.count = 0;
        append(&search, &search.reads, &reads);
        append(&search, &search.writes, &writes);
    }
    return barriers;
}
