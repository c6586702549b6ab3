/* The stages of a step on a GPU. Two kernels must not run side by side if one of them stores what
 * the other loads or stores. Each kernel gets the first stage after those of all earlier kernels
 * that it must not meet. So a step has as few stages as the order of its values and its memory
 * allow. */
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

/* What a kernel loads and stores. */
typedef struct {
    RangeList reads, writes;
} KernelRanges;

typedef struct {
    const Plan *plan;
    Arena *arena;
    uint32_t *computed_in; /* [node]: 1 + the last kernel that computes it */
} StageSearch;

static void add_range(const StageSearch *search, RangeList *list, Storage storage, NodeId id) {
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
static void add_reads(const StageSearch *search, uint32_t number, RangeList *reads) {
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

static void add_writes(const StageSearch *search, uint32_t number, RangeList *writes) {
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

/* Whether two kernels cannot run side by side. */
static bool kernels_meet(const KernelRanges *a, const KernelRanges *b) {
    return ranges_meet(&a->writes, &b->reads) || ranges_meet(&a->writes, &b->writes) ||
           ranges_meet(&a->reads, &b->writes);
}

/* The stage after the last one with an earlier kernel that meets this one. */
static uint32_t stage_of(const KernelRanges *kernels, const uint32_t *stages, uint32_t number) {
    uint32_t stage = 0;
    for (uint32_t k = 0; k < number; k++)
        if (stages[k] >= stage && kernels_meet(&kernels[k], &kernels[number]))
            stage = stages[k] + 1;
    return stage;
}

/* The kernels in the order of their stages, by counting them. */
static void order_stages(CudaStages *stages, const uint32_t *stage, uint32_t kernels,
                         Arena *arena) {
    uint32_t *begin = ARENA_ARRAY(arena, uint32_t, stages->count + 1);
    for (uint32_t k = 0; k < kernels; k++) begin[stage[k] + 1]++;
    for (uint32_t s = 0; s < stages->count; s++) begin[s + 1] += begin[s];
    stages->begin = ARENA_ARRAY(arena, uint32_t, stages->count + 1);
    for (uint32_t s = 0; s <= stages->count; s++) stages->begin[s] = begin[s];
    stages->kernels = ARENA_ARRAY(arena, uint32_t, kernels);
    for (uint32_t k = 0; k < kernels; k++) stages->kernels[begin[stage[k]]++] = k;
}

CudaStages cuda_stages(const Plan *plan, Arena *arena) {
    uint32_t count = plan->kernel_count, *stage = ARENA_ARRAY(arena, uint32_t, count);
    KernelRanges *kernels = ARENA_ARRAY(arena, KernelRanges, count);
    StageSearch search = {.plan = plan,
                          .arena = arena,
                          .computed_in = ARENA_ARRAY(arena, uint32_t, plan->graph->node_count)};
    CudaStages stages = {0};
    for (uint32_t k = 0; k < count; k++) {
        add_reads(&search, k, &kernels[k].reads);
        add_writes(&search, k, &kernels[k].writes);
        stage[k] = stage_of(kernels, stage, k);
        if (stage[k] >= stages.count) stages.count = stage[k] + 1;
    }
    order_stages(&stages, stage, count, arena);
    return stages;
}
