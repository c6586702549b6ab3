/* Places the values in the slab. A value lives from the phase that stores it to the last phase that
 * reads it; a barrier separates two phases. A later phase may reuse the place of a value that is no
 * longer read. A later kernel of the same phase may do so if all kernels that use either value run
 * in order on one thread.
 *
 * The largest values are placed first, each in the smallest gap between the values that live at the
 * same time.
 *
 * On a GPU, small values have places of their own: a kernel that stores one need not wait for those
 * that read others. So it may follow them without a barrier of all blocks (codegen/cuda). */
#include "passes/plan/planning.h"
#include "ir/base/integers.h"

#include <stdlib.h>

enum { ALIGNMENT = 64 };

/* The time at which a kernel runs. in_order: it runs on one thread. Such kernels of a phase run in
 * the order of their numbers. */
typedef struct {
    uint32_t phase, kernel;
    bool in_order;
} Moment;

typedef struct {
    NodeId node;
    Moment first, last; /* last.in_order: that of all kernels that read it in this phase */
    size_t bytes, offset;
    bool replicated; /* in the slab of each thread */
    bool alone;      /* no other value may have its place at any time */
} SlabValue;

static size_t align(size_t bytes) { return (size_t)round_up((int64_t)bytes, ALIGNMENT); }

static Moment moment_of(const Plan *plan, const uint32_t *phase, uint32_t kernel) {
    return (Moment){phase[kernel], kernel, plan->kernels[kernel].max_threads == 1};
}

/* The values of the slab in the order in which they are stored; place[node]: 1 + index of its
 * value. */
static uint32_t collect_values(const Plan *plan, const uint32_t *phase, SlabValue *values,
                               uint32_t *place) {
    uint32_t count = 0;
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        for (uint32_t i = 0; i < plan->kernels[k].store_count; i++) {
            const Store *store = &plan->kernels[k].stores[i];
            if (store->to.kind != STORAGE_SLAB) continue;
            SlabValue *value = &values[count];
            Moment stored = moment_of(plan, phase, k);
            const Node *node = graph_node(plan->graph, store->node);
            size_t bytes = layout_bytes(store->to.layout, node->dtype, node->shape);
            *value = (SlabValue){.node = store->node,
                                 .first = stored,
                                 .last = stored,
                                 .bytes = align(bytes),
                                 .replicated = plan->kernels[stored.kernel].replicated};
            place[store->node] = ++count;
        }
    return count;
}

/* Extends the life of each value to the last kernel that reads it. */
static void extend_lives(const Plan *plan, const Uses *uses, const uint32_t *phase,
                         SlabValue *values, const uint32_t *place) {
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        for (uint32_t i = uses->begin[k]; i < uses->begin[k + 1]; i++) {
            uint32_t at = place[uses->uses[i].buffer];
            if (!at) continue;
            Moment read = moment_of(plan, phase, k), *last = &values[at - 1].last;
            if (last->phase == read.phase) read.in_order &= last->in_order;
            *last = read;
        }
}

/* -- placing -- */

static int compare_sizes(const void *a, const void *b) {
    const SlabValue *x = *(SlabValue *const *)a, *y = *(SlabValue *const *)b;
    if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
    return x->node < y->node ? -1 : x->node > y->node;
}

/* Whether the last read of a is over before b is stored. */
static bool is_over(const SlabValue *a, const SlabValue *b) {
    if (a->last.phase != b->first.phase) return a->last.phase < b->first.phase;
    return a->last.in_order && b->first.in_order && a->last.kernel < b->first.kernel;
}

/* The start of the smallest gap that fits between the placed values (sorted by offset) that live at
 * the same time. */
static size_t best_gap(const SlabValue *value, SlabValue *const *placed, uint32_t count) {
    size_t end = 0, best = SIZE_MAX, best_size = SIZE_MAX;
    for (uint32_t i = 0; i < count; i++) {
        if (is_over(value, placed[i]) || is_over(placed[i], value)) continue;
        size_t gap = placed[i]->offset > end ? placed[i]->offset - end : 0;
        if (gap >= value->bytes && gap < best_size) best = end, best_size = gap;
        if (placed[i]->offset + placed[i]->bytes > end) end = placed[i]->offset + placed[i]->bytes;
    }
    return best == SIZE_MAX ? end : best;
}

/* Places the values, the largest first, each in the smallest gap that no value of the same time
 * uses. Returns the bytes of the slab. */
static size_t place_with_reuse(SlabValue *values, uint32_t count, Arena *arena) {
    SlabValue **by_size = ARENA_ARRAY(arena, SlabValue *, count),
              **placed = ARENA_ARRAY(arena, SlabValue *, count);
    uint32_t shared = 0;
    size_t total = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!values[i].replicated && !values[i].alone) by_size[shared++] = &values[i];
    qsort(by_size, shared, sizeof *by_size, compare_sizes);
    for (uint32_t i = 0; i < shared; i++) {
        SlabValue *value = by_size[i];
        value->offset = best_gap(value, placed, i);
        uint32_t at = i;
        for (; at > 0 && placed[at - 1]->offset > value->offset; at--) placed[at] = placed[at - 1];
        placed[at] = value;
        if (value->offset + value->bytes > total) total = value->offset + value->bytes;
    }
    return total;
}

/* Places values one after the other from `total` on: those of the slabs of threads, or those of the
 * shared slab that have places of their own. Returns the end of the last one. */
static size_t place_apart(SlabValue *values, uint32_t count, bool replicated, size_t total) {
    for (uint32_t i = 0; i < count; i++) {
        if (values[i].replicated != replicated || (!replicated && !values[i].alone)) continue;
        values[i].offset = total;
        total += values[i].bytes;
    }
    return total;
}

/* -- writing the places into the plan -- */

static void set_offset(Storage *storage, NodeId buffer, const SlabValue *values,
                       const uint32_t *place) {
    if (storage->kind != STORAGE_SLAB) return;
    storage->offset = values[place[buffer] - 1].offset;
    storage->replicated = values[place[buffer] - 1].replicated;
}

static void set_offsets(Plan *plan, const NodeId *buffer, const SlabValue *values,
                        const uint32_t *place) {
    for (NodeId id = 1; id < plan->graph->node_count; id++)
        set_offset(&plan->storage[id], buffer[id], values, place);
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        Kernel *kernel = &plan->kernels[k];
        for (uint32_t i = 0; i < kernel->store_count; i++)
            set_offset(&kernel->stores[i].to, kernel->stores[i].node, values, place);
        if (kernel->root == NODE_NONE) continue;
        const Node *root = graph_node(plan->graph, kernel->root);
        set_offset(&kernel->product.left, buffer[kernel_operand(plan, kernel, 0)], values, place);
        if (root->operand_count > 1)
            set_offset(&kernel->product.right, buffer[root->operands[1]], values, place);
    }
}

/* Outputs lie one after the other, in the order of the graph. */
static void place_outputs(Plan *plan, Arena *arena) {
    const Graph *graph = plan->graph;
    size_t *offsets = ARENA_ARRAY(arena, size_t, graph->output_count);
    for (uint32_t i = 0; i < graph->output_count; i++) {
        const Node *node = graph_node(graph, graph->outputs[i].node);
        offsets[i] = plan->output_bytes;
        plan->output_bytes += align(layout_bytes((Layout){0}, node->dtype, node->shape));
    }
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        for (uint32_t i = 0; i < plan->kernels[k].store_count; i++) {
            Storage *to = &plan->kernels[k].stores[i].to;
            if (to->kind == STORAGE_OUTPUT) to->offset = offsets[to->index];
        }
}

void slab_assign(Plan *plan, const uint32_t *phase, size_t max_alone, Arena *arena) {
    Uses uses = uses_collect(plan, arena);
    SlabValue *values = ARENA_ARRAY(arena, SlabValue, plan->graph->node_count);
    uint32_t *place = ARENA_ARRAY(arena, uint32_t, plan->graph->node_count);
    uint32_t count = collect_values(plan, phase, values, place);
    extend_lives(plan, &uses, phase, values, place);
    for (uint32_t i = 0; i < count; i++) values[i].alone = values[i].bytes <= max_alone;
    plan->slab_bytes = place_apart(values, count, false, place_with_reuse(values, count, arena));
    plan->thread_slab_bytes = place_apart(values, count, true, 0);
    set_offsets(plan, uses.buffer, values, place);
    place_outputs(plan, arena);
}
