/* Orders the kernels. Kernels form phases with a barrier between them. The phase of a kernel is the
 * largest number of values on a path to it that go from one thread to another. So there are as few
 * barriers as possible.
 *
 * A kernel that updates a state in place must come after all readers of the old value. That may
 * close a cycle, for instance if two states exchange their values through different kernels. Then
 * an update is deferred: the kernel stores the new value in the slab, and an added kernel copies it
 * into the state after all readers of the old one. */
#include "passes/plan/planning.h"

#include <assert.h>
#include <string.h>

typedef struct {
    Plan *plan;
    Arena *arena;
    const Uses *uses;
    bool *deferred; /* [symbol]: the update goes through the slab */
    KernelEdges edges;
    /* [kernel]: values it waits for, readers of old states it waits for */
    uint32_t *values, *readers;
    bool *done;  /* [kernel]: in the order, or in the heap */
    bool *early; /* [kernel]: it stores a state, or a single number, such as the step size of one */
    uint32_t *phase, *heap, heap_count;
    uint32_t *order, order_count;
} Schedule;

/* Finds which kernels run early, and for how many others each waits. */
static void find_waits(Schedule *schedule) {
    const Plan *plan = schedule->plan;
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        schedule->early[k] = shape_elements(plan->kernels[k].space) == 1;
        for (uint32_t i = 0; i < plan->kernels[k].store_count; i++)
            schedule->early[k] |= plan->kernels[k].stores[i].to.kind == STORAGE_STATE;
    }
    for (uint32_t i = 0; i < schedule->edges.begin[plan->kernel_count]; i++) {
        KernelEdge edge = schedule->edges.edges[i];
        (edge.old_state ? schedule->readers : schedule->values)[edge.to]++;
    }
}

/* -- a heap of the kernels that may run, the one that runs next on top. In a phase, updates of
 * states run first: what a gradient is computed from is still in the cache. Then kernels run in the
 * order of their numbers. -- */

static bool runs_before(const Schedule *schedule, uint32_t a, uint32_t b) {
    if (schedule->phase[a] != schedule->phase[b]) return schedule->phase[a] < schedule->phase[b];
    if (schedule->early[a] != schedule->early[b]) return schedule->early[a];
    return a < b;
}

static uint32_t heap_pop(Schedule *schedule) {
    uint32_t *heap = schedule->heap, top = heap[0], last = heap[--schedule->heap_count], at = 0;
    for (uint32_t child = 1; child < schedule->heap_count; at = child, child = 2 * at + 1) {
        if (child + 1 < schedule->heap_count && runs_before(schedule, heap[child + 1], heap[child]))
            child++;
        if (!runs_before(schedule, heap[child], last)) break;
        heap[at] = heap[child];
    }
    heap[at] = last;
    return top;
}

/* -- ordering -- */

static void push_if_ready(Schedule *schedule, uint32_t kernel) {
    if (schedule->done[kernel] || schedule->values[kernel] || schedule->readers[kernel]) return;
    schedule->done[kernel] = true;
    uint32_t at = schedule->heap_count++;
    for (; at > 0 && runs_before(schedule, kernel, schedule->heap[(at - 1) / 2]); at = (at - 1) / 2)
        schedule->heap[at] = schedule->heap[(at - 1) / 2];
    schedule->heap[at] = kernel;
}

/* After `edge->from` got its place in the order, `edge->to` waits for one kernel less. The edge
 * needs a barrier, and so a new phase, if all threads must finish `from` before `to` begins. It
 * needs none if one thread runs both, if each thread reads only rows that it has computed, or if
 * `from` is replicated. */
static void release(Schedule *schedule, const KernelEdge *edge) {
    uint32_t number = edge->to;
    if (schedule->done[number]) return; /* it did not wait: its update is deferred */
    const Kernel *from = &schedule->plan->kernels[edge->from],
                 *to = &schedule->plan->kernels[number];
    bool by_rows = from->by_rows && to->by_rows && edge->in_rows;
    bool barrier = !by_rows && !from->replicated && (from->max_threads > 1 || to->max_threads > 1);
    uint32_t phase = schedule->phase[edge->from] + barrier;
    if (phase > schedule->phase[number]) schedule->phase[number] = phase;
    (edge->old_state ? schedule->readers : schedule->values)[number]--;
    push_if_ready(schedule, number);
}

/* Defers the updates by a kernel; false if it has none to defer. The update of a state by a copy of
 * another leaf cannot be deferred. It need not be: all such copies of one shape share a kernel, so
 * every cycle has an update that is computed. */
static bool defer_updates(Schedule *schedule, uint32_t kernel) {
    const Plan *plan = schedule->plan;
    bool any = false;
    for (uint32_t i = 0; i < plan->kernels[kernel].store_count; i++) {
        const Store *store = &plan->kernels[kernel].stores[i];
        if (store->to.kind != STORAGE_STATE || node_is_leaf(graph_node(plan->graph, store->node)))
            continue;
        schedule->deferred[plan->states[store->to.index].symbol] = any = true;
    }
    return any;
}

/* If no kernel can run, one that waits only for readers of old states gets its updates deferred. */
static void break_cycle(Schedule *schedule) {
    uint32_t kernels = schedule->plan->kernel_count, k = 0;
    while (k < kernels && (schedule->done[k] || schedule->values[k] || !defer_updates(schedule, k)))
        k++;
    assert(k < kernels && "kernels wait for each other's values");
    schedule->readers[k] = 0;
    push_if_ready(schedule, k);
}

static void order_kernels(Schedule *schedule) {
    uint32_t kernels = schedule->plan->kernel_count;
    for (uint32_t k = 0; k < kernels; k++) push_if_ready(schedule, k);
    while (schedule->order_count < kernels) {
        if (schedule->heap_count == 0) break_cycle(schedule);
        uint32_t kernel = heap_pop(schedule);
        schedule->order[schedule->order_count++] = kernel;
        for (uint32_t i = schedule->edges.begin[kernel]; i < schedule->edges.begin[kernel + 1]; i++)
            release(schedule, &schedule->edges.edges[i]);
    }
}

/* A kernel that updates a state and reads it at other indices would overwrite elements that it
 * still needs. */
static void defer_own_readers(Schedule *schedule) {
    for (uint32_t k = 0; k < schedule->plan->kernel_count; k++)
        for (uint32_t i = schedule->uses->begin[k]; i < schedule->uses->begin[k + 1]; i++) {
            const BufferUse *use = &schedule->uses->uses[i];
            if (use->moved && edges_updater(&schedule->edges, schedule->plan, use->buffer) == k + 1)
                schedule->deferred[graph_node(schedule->plan->graph, use->buffer)->attrs.symbol] =
                    true;
        }
}

/* -- deferred updates: the new value is stored in the slab, and copied into the state by a kernel
 * of its own -- */

static bool any_deferred(const Schedule *schedule) {
    for (uint32_t i = 0; i < schedule->plan->graph->symbol_count; i++)
        if (schedule->deferred[i]) return true;
    return false;
}

static bool stores_in_slab(const Kernel *kernel, NodeId node) {
    for (uint32_t i = 0; i < kernel->store_count; i++)
        if (kernel->stores[i].node == node && kernel->stores[i].to.kind == STORAGE_SLAB)
            return true;
    return false;
}

/* All forms of a state are copied by one kernel. */
static void add_copy(const Plan *plan, const Kernel *kernel, const Store *store, Kernel *copies,
                     uint32_t *count) {
    uint32_t symbol = plan->states[store->to.index].symbol;
    if (*count == 0 || plan->states[copies[*count - 1].stores[0].to.index].symbol != symbol)
        copies[(*count)++] =
            (Kernel){.kind = KERNEL_MAP,
                     .space = kernel->space,
                     .stores = ARENA_ARRAY(plan->arena, Store, kernel->store_count)};
    Kernel *copy = &copies[*count - 1];
    copy->stores[copy->store_count++] = *store;
}

/* Turns the kernel's stores of deferred states into one store in the slab for each value. A
 * kernel's stores in the slab come first. Writes the kernels that copy the values to the states
 * into copies[]. */
static uint32_t defer_stores(const Schedule *schedule, Kernel *kernel, Kernel *copies) {
    Plan *plan = schedule->plan;
    uint32_t count = 0, kept = 0, stores = kernel->store_count;
    for (uint32_t i = 0; i < stores; i++) {
        Store store = kernel->stores[i];
        if (store.to.kind == STORAGE_STATE &&
            schedule->deferred[plan->states[store.to.index].symbol]) {
            add_copy(plan, kernel, &store, copies, &count);
            store.to = plan->storage[store.node] =
                (Storage){.kind = STORAGE_SLAB, .offset = PLAN_UNPLACED};
            kernel->store_count = kept;
            if (stores_in_slab(kernel, store.node)) continue;
        }
        kernel->stores[kept++] = store;
    }
    kernel->store_count = kept;
    return count;
}

/* Appends the kernels that copy deferred values to their states. */
static void add_deferred_copies(const Schedule *schedule) {
    Plan *plan = schedule->plan;
    Kernel *kernels = ARENA_ARRAY(plan->arena, Kernel, plan->kernel_count + plan->state_count);
    memcpy(kernels, plan->kernels, plan->kernel_count * sizeof *kernels);
    uint32_t count = plan->kernel_count;
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        count += defer_stores(schedule, &kernels[k], &kernels[count]);
    plan->kernels = kernels;
    plan->kernel_count = count;
}

/* -- the schedule -- */

/* Puts the kernels in their order; returns the phases in that order. */
static uint32_t *apply_order(const Schedule *schedule) {
    Plan *plan = schedule->plan;
    Kernel *kernels = ARENA_ARRAY(plan->arena, Kernel, plan->kernel_count);
    uint32_t *phase = ARENA_ARRAY(schedule->arena, uint32_t, plan->kernel_count);
    for (uint32_t i = 0; i < plan->kernel_count; i++) {
        kernels[i] = plan->kernels[schedule->order[i]];
        phase[i] = schedule->phase[schedule->order[i]];
    }
    plan->kernels = kernels;
    return phase;
}

uint32_t *schedule_kernels(Plan *plan, const Uses *uses, Arena *arena) {
    uint32_t kernels = plan->kernel_count;
    Schedule schedule = {
        .plan = plan,
        .arena = arena,
        .uses = uses,
        .edges = edges_collect(plan, uses, arena),
        .deferred = ARENA_ARRAY(arena, bool, plan->graph->symbol_count),
        .values = ARENA_ARRAY(arena, uint32_t, kernels),
        .readers = ARENA_ARRAY(arena, uint32_t, kernels),
        .done = ARENA_ARRAY(arena, bool, kernels),
        .early = ARENA_ARRAY(arena, bool, kernels),
        .phase = ARENA_ARRAY(arena, uint32_t, kernels),
        .heap = ARENA_ARRAY(arena, uint32_t, kernels),
        .order = ARENA_ARRAY(arena, uint32_t, kernels),
    };
    find_waits(&schedule);
    defer_own_readers(&schedule);
    order_kernels(&schedule);
    if (!any_deferred(&schedule)) return apply_order(&schedule);
    add_deferred_copies(&schedule);
    return NULL;
}
