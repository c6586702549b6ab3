/* The stages of a step on a GPU, and the chains in them.
 *
 * Kernels meet if one stores what the other loads or stores. A kernel gets the first stage after those
 * of all earlier kernels that it meets. Or it becomes the next kernel of a chain in the last of these
 * stages: if all that it meets there is in this chain, and each block meets only itself. This is so
 *
 *     if both kernels have work for one block only, or
 *     if both compute the same rows in the same blocks, and the second reads only rows it computes. */
#include "codegen/cuda/cuda.h"
#include "ir/graph/graph_rows.h"

/* Bytes [first, first + count) of a memory: the shared slab, the slab of replicated kernels, the
 * outputs, or a state. */
typedef struct {
    StorageKind kind;
    bool replicated;
    uint32_t state; /* of STORAGE_STATE: its number; else 0 */
    size_t first, count;
    bool in_rows; /* row r of the kernel loads or stores only row r of the value */
} MemoryRange;

typedef struct {
    MemoryRange *ranges;
    uint32_t count, capacity;
} RangeList;

/* What a kernel loads and stores, and which blocks do it. */
typedef struct {
    RangeList reads, writes;
    bool in_one_block;
    int64_t rows; /* 0: it does not compute row by row */
    int64_t rows_of_block;
} KernelRanges;

typedef struct {
    const Plan *plan;
    Arena *arena;
    uint32_t *computed_in; /* [node]: 1 + the last kernel that computes it */
    bool *crosses_rows; /* [node]: of the present kernel: used in other rows than that computed */
} StageSearch;

/* -- rows -- */

/* Whether the tiles of a product have whole rows. */
static bool has_whole_rows(const Kernel *kernel, const CudaTile *tile) {
    return kernel->space.rank == 2 && !kernel->product.swapped &&
           (tile->whole_rows || kernel->space.dim[1] <= cuda_tile_width(tile));
}

static void find_rows(const Kernel *kernel, const CudaWork *work, KernelRanges *ranges) {
    ranges->in_one_block = cuda_work_blocks(work) == 1;
    if (work->division == CUDA_ROWS) {
        ranges->rows = work->units;
        ranges->rows_of_block = DEVICE_BLOCK / LANES;
    } else if (work->division == CUDA_TILES && has_whole_rows(kernel, &work->tile)) {
        ranges->rows = kernel->space.dim[0];
        ranges->rows_of_block = cuda_tile_height(&work->tile);
    }
}

/* Whether row r of a node needs only row r of its operand i. */
static bool needs_own_row(const Plan *plan, const Kernel *kernel, const Node *node, uint32_t i,
                          int64_t rows) {
    if (node->op == OP_matmul)
        return i == 0 && !kernel->product.windows && !node->attrs.matmul.transpose_a;
    return op_class(node->op) != CLASS_MATRIX && node_stays_in_row(plan->graph, node, i, rows);
}

/* Nodes come after their operands, so the last one is the first to be visited. */
static void find_crossing(const StageSearch *search, const Kernel *kernel, int64_t rows) {
    const Graph *graph = search->plan->graph;
    for (uint32_t i = 0; i < kernel->node_count; i++) {
        const Node *node = graph_node(graph, kernel->nodes[i]);
        search->crosses_rows[kernel->nodes[i]] = false;
        for (uint32_t k = 0; k < node->operand_count; k++)
            search->crosses_rows[node->operands[k]] = false;
    }
    for (uint32_t i = kernel->node_count; i-- > 0;) {
        const Node *node = graph_node(graph, kernel->nodes[i]);
        bool crosses = search->crosses_rows[kernel->nodes[i]];
        for (uint32_t k = 0; k < node->operand_count; k++)
            search->crosses_rows[node->operands[k]] |=
                crosses || !needs_own_row(search->plan, kernel, node, k, rows);
    }
}

/* -- what kernels load and store -- */

static void add_range(const StageSearch *search, RangeList *list, Storage storage, NodeId id,
                      bool in_rows) {
    const Node *node = graph_node(search->plan->graph, id);
    bool is_state = storage.kind == STORAGE_STATE;
    if (storage.kind != STORAGE_SLAB && storage.kind != STORAGE_OUTPUT && !is_state) return;
    ARENA_ROOM(search->arena, list->ranges, list->count, list->capacity);
    list->ranges[list->count++] =
        (MemoryRange){.kind = storage.kind,
                      .replicated = storage.replicated,
                      .state = is_state ? storage.index : 0,
                      .first = is_state ? 0 : storage.offset,
                      .count = layout_bytes(storage.layout, node->dtype, node->shape),
                      .in_rows = in_rows && storage.layout.kind == LAYOUT_PLAIN};
}

/* Whether a value in row-major order has so many rows. */
static bool has_rows(const StageSearch *search, NodeId id, int64_t rows) {
    return rows && shape_row_axes(&graph_node(search->plan->graph, id)->shape, rows) >= 0;
}

/* What the kernel loads: operands that it does not compute, values that it copies, and factors of a
 * product. */
static void add_reads(const StageSearch *search, uint32_t number, KernelRanges *ranges) {
    const Plan *plan = search->plan;
    const Kernel *kernel = &plan->kernels[number];
    RangeList *reads = &ranges->reads;
    find_crossing(search, kernel, ranges->rows);
    for (uint32_t i = 0; i < kernel->node_count; i++)
        search->computed_in[kernel->nodes[i]] = number + 1;
    for (uint32_t i = 0; i < kernel->node_count; i++) {
        const Node *node = graph_node(plan->graph, kernel->nodes[i]);
        for (uint32_t k = 0; k < node->operand_count; k++) {
            NodeId id = node->operands[k];
            if (search->computed_in[id] != number + 1)
                add_range(search, reads, plan->storage[id], id,
                          !search->crosses_rows[id] && has_rows(search, id, ranges->rows));
        }
    }
    for (uint32_t i = 0; i < kernel->store_count; i++) {
        NodeId node = kernel->stores[i].node;
        if (search->computed_in[node] != number + 1)
            add_range(search, reads, plan->storage[node], node, false);
    }
    if (kernel->kind != KERNEL_MATMUL) return;
    NodeId left = kernel_operand(plan, kernel, 0), right = kernel_operand(plan, kernel, 1);
    add_range(search, reads, kernel->product.left, left,
              !kernel->product.windows && !search->crosses_rows[left] &&
                  has_rows(search, left, ranges->rows));
    add_range(search, reads, kernel->product.right, right, false);
}

static void add_writes(const StageSearch *search, uint32_t number, KernelRanges *ranges) {
    const Kernel *kernel = &search->plan->kernels[number];
    for (uint32_t i = 0; i < kernel->store_count; i++) {
        NodeId node = kernel->stores[i].node;
        add_range(search, &ranges->writes, kernel->stores[i].to, node,
                  has_rows(search, node, ranges->rows));
    }
}

/* -- whether kernels may follow each other -- */

static bool range_meets(const MemoryRange *x, const MemoryRange *y) {
    return x->kind == y->kind && x->replicated == y->replicated && x->state == y->state &&
           x->first < y->first + y->count && y->first < x->first + x->count;
}

static bool ranges_meet(const RangeList *a, const RangeList *b) {
    for (uint32_t i = 0; i < a->count; i++)
        for (uint32_t k = 0; k < b->count; k++)
            if (range_meets(&a->ranges[i], &b->ranges[k])) return true;
    return false;
}

/* Whether what `stored` and `loaded` share are whole values, of which a row is stored and loaded by
 * the same row. */
static bool ranges_agree(const RangeList *stored, const RangeList *loaded) {
    for (uint32_t i = 0; i < stored->count; i++)
        for (uint32_t k = 0; k < loaded->count; k++) {
            const MemoryRange *x = &stored->ranges[i], *y = &loaded->ranges[k];
            bool same = x->first == y->first && x->count == y->count;
            if (range_meets(x, y) && !(same && x->in_rows && y->in_rows)) return false;
        }
    return true;
}

/* Whether two kernels cannot run side by side. */
static bool kernels_meet(const KernelRanges *a, const KernelRanges *b) {
    return ranges_meet(&a->writes, &b->reads) || ranges_meet(&a->writes, &b->writes) ||
           ranges_meet(&a->reads, &b->writes);
}

/* Whether b, which meets a, may be in the same chain. */
static bool may_follow(const KernelRanges *a, const KernelRanges *b) {
    if (a->in_one_block && b->in_one_block) return true;
    return a->rows && a->rows == b->rows && a->rows_of_block == b->rows_of_block &&
           !ranges_meet(&a->writes, &b->writes) && !ranges_meet(&a->reads, &b->writes) &&
           ranges_agree(&a->writes, &b->reads);
}

/* -- stages -- */

/* Puts a kernel into a stage, and into a chain of it or a new one. */
static void place_kernel(const KernelRanges *kernels, CudaStages *all, uint32_t first_stage,
                         uint32_t number) {
    uint32_t stage = first_stage, head = number, *stages = all->stage, *heads = all->head;
    for (uint32_t k = 0; k < number; k++) {
        if (!kernels_meet(&kernels[k], &kernels[number])) continue;
        all->last[k] = false;
        if (stages[k] < stage) continue;
        bool follows = may_follow(&kernels[k], &kernels[number]);
        if (stages[k] > stage) stage = stages[k], head = number;
        follows &= head == number || head == heads[k];
        if (follows)
            head = heads[k];
        else
            stage++, head = number;
    }
    stages[number] = stage;
    heads[number] = head;
    all->last[number] = true;
    if (stage >= all->count) all->count = stage + 1;
}

/* Whether a kernel meets one of its chain that runs after the last barrier of the block. */
static bool must_wait(const KernelRanges *kernels, const CudaStages *stages, uint32_t number) {
    for (uint32_t k = number; k-- > stages->head[number];) {
        if (stages->head[k] != stages->head[number]) continue;
        if (kernels_meet(&kernels[k], &kernels[number])) return true;
        if (stages->waits[k]) return false;
    }
    return false;
}

/* The kernels in the order of their stages, by counting them. */
static void order_stages(CudaStages *stages, uint32_t kernels, Arena *arena) {
    const uint32_t *stage = stages->stage;
    uint32_t *begin = ARENA_ARRAY(arena, uint32_t, stages->count + 1);
    for (uint32_t k = 0; k < kernels; k++) begin[stage[k] + 1]++;
    for (uint32_t s = 0; s < stages->count; s++) begin[s + 1] += begin[s];
    stages->begin = ARENA_ARRAY(arena, uint32_t, stages->count + 1);
    for (uint32_t s = 0; s <= stages->count; s++) stages->begin[s] = begin[s];
    stages->kernels = ARENA_ARRAY(arena, uint32_t, kernels);
    for (uint32_t k = 0; k < kernels; k++) stages->kernels[begin[stage[k]]++] = k;
}

/* A chain begins at the block after the last one that the chain before needs, so that chains with
 * little work run side by side. */
static void place_blocks(CudaStages *stages, const CudaWork *work, uint32_t kernels, Arena *arena) {
    int64_t *blocks = ARENA_ARRAY(arena, int64_t, kernels);
    for (uint32_t k = 0; k < kernels; k++) {
        int64_t own = cuda_work_blocks(&work[k]), *of_chain = &blocks[stages->head[k]];
        *of_chain = own > *of_chain ? own : *of_chain;
    }
    stages->block = ARENA_ARRAY(arena, int64_t, kernels);
    for (uint32_t s = 0; s < stages->count; s++) {
        int64_t next = 0;
        for (uint32_t i = stages->begin[s]; i < stages->begin[s + 1]; i++) {
            uint32_t k = stages->kernels[i], head = stages->head[k];
            stages->block[k] = head == k ? next : stages->block[head];
            if (head == k) next = (next + blocks[k]) % INT32_MAX;
        }
    }
}

CudaStages cuda_stages(const Plan *plan, const CudaWork *work, Arena *arena) {
    uint32_t count = plan->kernel_count;
    KernelRanges *kernels = ARENA_ARRAY(arena, KernelRanges, count);
    StageSearch search = {.plan = plan,
                          .arena = arena,
                          .computed_in = ARENA_ARRAY(arena, uint32_t, plan->graph->node_count),
                          .crosses_rows = ARENA_ARRAY(arena, bool, plan->graph->node_count)};
    CudaStages stages = {.stage = ARENA_ARRAY(arena, uint32_t, count),
                         .head = ARENA_ARRAY(arena, uint32_t, count),
                         .last = ARENA_ARRAY(arena, bool, count),
                         .waits = ARENA_ARRAY(arena, bool, count)};
    for (uint32_t k = 0; k < count; k++) {
        find_rows(&plan->kernels[k], &work[k], &kernels[k]);
        add_reads(&search, k, &kernels[k]);
        add_writes(&search, k, &kernels[k]);
        place_kernel(kernels, &stages, work[k].first_stage, k);
        stages.waits[k] = must_wait(kernels, &stages, k);
    }
    order_stages(&stages, count, arena);
    place_blocks(&stages, work, count, arena);
    return stages;
}
