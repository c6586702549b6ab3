/* Verifies a plan by running it symbolically. It visits the kernels in order and records three
 * things: the value in every byte range of a slab, the kernels that read and wrote it since the
 * last barrier, and the states that have been updated. It shares no code with the passes that make
 * plans. */
#include "passes/plan/plan_verify.h"

#include <stdarg.h>
#include <string.h>

typedef struct {
    bool replicated; /* in every thread's own slab, not in the shared one */
    size_t begin, end;
    NodeId value;
    uint32_t kernel, epoch;
} SlabRange;

typedef struct {
    const Plan *plan;
    const Graph *graph;
    /* after the pass `plan`: kernels are in order, values have places, barriers are set */
    bool is_placed;
    char *fault; /* "": none so far */
    Arena *arena;
    bool has_threads;       /* some kernel runs on several */
    uint32_t kernel, epoch; /* the one being run; barriers so far */
    int64_t rows;           /* of kernels by rows; 0: there was none yet */
    SlabRange *held;        /* the values in the slab */
    /* reads since the last barrier, of the slab and of states; those of states have no bytes */
    SlabRange *read;
    uint32_t held_count, held_capacity, read_count, read_capacity;
    size_t used[2]; /* [replicated]: end of what was stored in the slab so far */
    /* [node]: 1 + the entry of `held` where its value was stored last; 0: nowhere */
    uint32_t *holder;
    uint32_t *slab_writer;   /* [node]: 1 + a kernel that stores it in the slab; 0: none */
    uint32_t *state_writer;  /* [symbol]: 1 + the kernel that stores it */
    uint32_t *form_stores;   /* [plan state] */
    uint32_t *output_stores; /* [output] */
    /* [node]: computed by this kernel; used at other indices than the one stored */
    bool *inside, *shifted;
    bool *crosses_rows; /* [node]: used in other rows than the one stored */
} PlanCheck;

__attribute__((format(printf, 2, 3))) static void fail(PlanCheck *check, const char *format, ...) {
    if (*check->fault) return;
    va_list args;
    va_start(args, format);
    int used = snprintf(check->fault, PLAN_FAULT, "kernel %u: ", check->kernel);
    vsnprintf(check->fault + used, PLAN_FAULT - (size_t)used, format, args);
    va_end(args);
}

static const Kernel *current(const PlanCheck *check) {
    return &check->plan->kernels[check->kernel];
}
static bool on_one_thread(const PlanCheck *check, uint32_t kernel) {
    return check->plan->kernels[kernel].max_threads == 1;
}

/* A reshape holds the same bytes as its operand. */
static NodeId same_bytes(const Graph *graph, NodeId id) {
    while (graph_node(graph, id)->op == OP_reshape) id = graph_node(graph, id)->operands[0];
    return id;
}

/* Whether the work of `kernel` in `epoch` is over when the current kernel starts. */
static bool is_over(const PlanCheck *check, uint32_t kernel, uint32_t epoch) {
    bool in_order = on_one_thread(check, kernel) && on_one_thread(check, check->kernel);
    return epoch < check->epoch || kernel == check->kernel || in_order ||
           check->plan->kernels[kernel].replicated;
}

/* Whether both kernels are divided by rows: a thread has stored its rows of the one before it
 * computes the same rows of the other. */
static bool in_step(const PlanCheck *check, uint32_t kernel) {
    return check->plan->kernels[kernel].by_rows && current(check)->by_rows;
}

/* -- reading -- */

static SlabRange slab_region(const PlanCheck *check, Storage storage, NodeId id) {
    const Node *node = graph_node(check->graph, id);
    size_t bytes = layout_bytes(storage.layout, node->dtype, node->shape);
    return (SlabRange){storage.replicated,           storage.offset, storage.offset + bytes,
                       same_bytes(check->graph, id), check->kernel,  check->epoch};
}

static void remember_read(PlanCheck *check, SlabRange region) {
    ARENA_ROOM(check->arena, check->read, check->read_count, check->read_capacity);
    check->read[check->read_count++] = region;
}

static bool is_held_at(const SlabRange *held, const SlabRange *wanted) {
    return held->replicated == wanted->replicated && held->value == wanted->value &&
           held->begin == wanted->begin;
}

/* The place where the slab holds a value; NULL if it does not. A value may have a second place: a
 * copy for a product. */
static const SlabRange *find_held(const PlanCheck *check, const SlabRange *wanted) {
    uint32_t last = check->holder[wanted->value];
    if (last && is_held_at(&check->held[last - 1], wanted)) return &check->held[last - 1];
    for (uint32_t i = 0; i < check->held_count; i++)
        if (is_held_at(&check->held[i], wanted)) return &check->held[i];
    return NULL;
}

/* Checks that the slab holds the value. A replicated kernel may not read the slab: a thread runs it
 * when it reaches its first reader, so it may not depend on other kernels. */
static void read_slab(PlanCheck *check, Storage storage, NodeId id, bool crosses_rows) {
    if (!check->is_placed) {
        if (!check->slab_writer[same_bytes(check->graph, id)])
            fail(check, "reads %%%u, which no kernel stores", id);
        return;
    }
    SlabRange wanted = slab_region(check, storage, id);
    const SlabRange *held = find_held(check, &wanted);
    if (current(check)->replicated) fail(check, "is replicated, but reads %%%u", id);
    if (storage.replicated && !current(check)->reads_replicated)
        fail(check, "does not say that it reads the replicated %%%u", id);
    if (!held) {
        fail(check, "reads %%%u, which is not at slab+%zu", id, storage.offset);
        return;
    }
    if (held->kernel == check->kernel) fail(check, "reads %%%u, which it stores itself", id);
    if (!is_over(check, held->kernel, held->epoch) &&
        (crosses_rows || !in_step(check, held->kernel)))
        fail(check, "no barrier between it and kernel %u, which stores %%%u", held->kernel, id);
    remember_read(check, wanted);
}

/* Checks that a form of the state holds the node, and that the state has not been updated
 * before. */
static void read_state(PlanCheck *check, Storage storage, NodeId id) {
    const Node *node = graph_node(check->graph, id);
    if (current(check)->replicated) fail(check, "is replicated, but reads the state %%%u", id);
    if (storage.index >= check->plan->state_count || node->op != OP_state ||
        node->attrs.symbol != check->plan->states[storage.index].symbol) {
        fail(check, "reads %%%u from a state that does not hold it", id);
        return;
    }
    uint32_t writer = check->is_placed ? check->state_writer[node->attrs.symbol] : 0;
    if (writer) fail(check, "reads state %%%u after its update by kernel %u", id, writer - 1);
    remember_read(check, (SlabRange){false, 0, 0, id, check->kernel, check->epoch});
}

static void read_storage(PlanCheck *check, Storage storage, NodeId id, bool crosses_rows) {
    switch (storage.kind) {
    case STORAGE_SLAB: read_slab(check, storage, id, crosses_rows); break;
    case STORAGE_STATE: read_state(check, storage, id); break;
    case STORAGE_INPUT:
        if (graph_node(check->graph, id)->op != OP_input)
            fail(check, "reads %%%u from an input", id);
        break;
    default: fail(check, "reads %%%u, which is not in memory", id);
    }
}

static void read_operand(PlanCheck *check, NodeId id, bool shifted, bool crosses_rows) {
    check->shifted[id] |= shifted;
    check->crosses_rows[id] |= crosses_rows;
    Op op = graph_node(check->graph, id)->op;
    bool immediate = op == OP_constant || op == OP_iota;
    if (!check->inside[id] && !immediate)
        read_storage(check, check->plan->storage[id], id, crosses_rows);
}

/* Whether row r of the result needs only row r of operand i. */
static bool keeps_rows(const Graph *graph, const Node *node, uint32_t i) {
    Shape operand = graph_operand(graph, node, i)->shape, result = node->shape;
    if (operand.rank < 1 || result.rank < 1 || operand.dim[0] != result.dim[0]) return false;
    switch (node->op) {
    case OP_reshape: return true;
    case OP_broadcast: return operand.rank == result.rank;
    case OP_slice: return node->attrs.range.start[0] == 0 && node->attrs.range.step[0] == 1;
    case OP_sum:
    case OP_reduce_max:
    case OP_argmax: return node->attrs.axis != 0;
    case OP_matmul: return i == 0 && result.rank == 2 && !node->attrs.matmul.transpose_a;
    default: return op_class(node->op) == CLASS_ELEMENTWISE;
    }
}

/* -- one kernel -- */

/* The operands of a product are read as wholes, from the slab or from a state. */
static void check_product(PlanCheck *check, const Node *product) {
    const Kernel *kernel = current(check);
    const Storage sides[] = {kernel->product.left, kernel->product.right};
    for (int i = 0; i < 2; i++) {
        if (sides[i].kind != STORAGE_SLAB && sides[i].kind != STORAGE_STATE)
            fail(check, "operand %d is neither state nor slab", i);
        bool in_row = !kernel->product.windows && keeps_rows(check->graph, product, (uint32_t)i) &&
                      !check->crosses_rows[kernel->root];
        read_storage(check, sides[i], kernel_operand(check->plan, kernel, (uint32_t)i), !in_row);
        check->shifted[product->operands[i]] = true;
    }
}

/* A reduction of a row kernel has one result for each row, from the elements of the row. */
static void check_row_reduction(PlanCheck *check, NodeId id, const Node *node) {
    Shape space = current(check)->space, reduced = graph_operand(check->graph, node, 0)->shape;
    if (node->op == OP_argmax || node->attrs.axis != reduced.rank - 1 || space.rank < 1 ||
        reduced.dim[reduced.rank - 1] != space.dim[space.rank - 1] ||
        shape_elements(reduced) != shape_elements(space))
        fail(check, "reduces %%%u along another axis than its rows", id);
}

/* Whether a node is the argmax of what the kernel's root is the largest element of. It is then
 * computed like a second root. */
static bool is_place_of_root(const PlanCheck *check, const Node *node) {
    const Kernel *kernel = current(check);
    const Node *root = kernel->root ? graph_node(check->graph, kernel->root) : NULL;
    return kernel->kind == KERNEL_REDUCE && node->op == OP_argmax && root->op == OP_reduce_max &&
           node->operands[0] == root->operands[0] && node->attrs.axis == root->attrs.axis;
}

/* Reductions, scans and products are roots. Nodes computed from a root use it at the same index. */
static void check_root(PlanCheck *check, NodeId id, const Node *node) {
    const Kernel *kernel = current(check);
    OpClass class = op_class(node->op);
    bool is_root = kernel->root == id, is_row = kernel->kind == KERNEL_ROW,
         must_be = class == CLASS_REDUCE
                       ? !is_row
                       : class == CLASS_SCAN || class == CLASS_MATRIX || class == CLASS_WINOGRAD;
    if (class == CLASS_REDUCE && is_row) check_row_reduction(check, id, node);
    if (is_place_of_root(check, node)) is_root = true;
    if (is_root != must_be)
        fail(check, "%%%u %s", id, is_root ? "is not a root" : "must be the root of a kernel");
    if (is_root && check->shifted[id]) fail(check, "uses its root %%%u at other indices", id);
    if (is_root && !shape_equal(node->shape, kernel->space))
        fail(check, "its space is not its root's");
    if (is_root && (class == CLASS_SCAN) != (kernel->kind == KERNEL_SCAN))
        fail(check, "its kind is not its root's");
    if (is_root && (class == CLASS_WINOGRAD) != (kernel->kind == KERNEL_WINOGRAD))
        fail(check, "its kind is not its root's");
    if (is_root && (class == CLASS_REDUCE) != (kernel->kind == KERNEL_REDUCE))
        fail(check, "its kind is not its root's");
}

/* Visits the nodes of the kernel, the last one first, and checks the values that they read from
 * memory. */
static void run_nodes(PlanCheck *check) {
    const Kernel *kernel = current(check);
    for (uint32_t i = 0; i < kernel->node_count; i++) check->inside[kernel->nodes[i]] = true;
    for (uint32_t i = kernel->node_count; i-- > 0;) {
        NodeId id = kernel->nodes[i];
        const Node *node = graph_node(check->graph, id);
        if (i > 0 && kernel->nodes[i - 1] >= id) fail(check, "its nodes are not ascending");
        if (op_class(node->op) == CLASS_LEAF) fail(check, "lists the leaf %%%u", id);
        check_root(check, id, node);
        bool shifts = check->shifted[id] || !op_stays_in_place(node->op);
        if (op_class(node->op) == CLASS_MATRIX)
            check_product(check, node);
        else
            for (uint32_t k = 0; k < node->operand_count; k++)
                read_operand(check, node->operands[k], shifts,
                             check->crosses_rows[id] || !keeps_rows(check->graph, node, k));
    }
    if (kernel->root && !check->inside[kernel->root]) fail(check, "does not list its root");
}

/* -- storing -- */

static bool overlaps(const SlabRange *a, const SlabRange *b) {
    return a->replicated == b->replicated && a->begin < b->end && b->begin < a->end;
}

/* Checks that a store does not overwrite a value that is still read or written. */
static void check_overwrite(PlanCheck *check, const SlabRange *stored, const SlabRange *old,
                            const char *what) {
    if (!overlaps(stored, old)) return;
    if (old->kernel == check->kernel)
        fail(check, "stores %%%u over %%%u, which it %s", stored->value, old->value, what);
    if (!is_over(check, old->kernel, old->epoch))
        fail(check, "no barrier between it, storing %%%u, and kernel %u, which %s %%%u there",
             stored->value, old->kernel, what, old->value);
}

/* Drops an entry of `held`; the last one takes its place. */
static void drop_held(PlanCheck *check, uint32_t i) {
    SlabRange *last = &check->held[--check->held_count];
    if (check->holder[check->held[i].value] == i + 1) check->holder[check->held[i].value] = 0;
    if (check->holder[last->value] == check->held_count + 1) check->holder[last->value] = i + 1;
    check->held[i] = *last;
}

/* Records that the slab holds a value from now on. */
static void add_held(PlanCheck *check, SlabRange stored) {
    ARENA_ROOM(check->arena, check->held, check->held_count, check->held_capacity);
    check->held[check->held_count++] = stored;
    if (stored.end > check->used[stored.replicated]) check->used[stored.replicated] = stored.end;
    check->holder[stored.value] = check->held_count;
}

static void store_slab(PlanCheck *check, const Store *store) {
    if (!check->is_placed) return;
    SlabRange stored = slab_region(check, store->to, store->node);
    size_t room = stored.replicated ? check->plan->thread_slab_bytes : check->plan->slab_bytes;
    if (stored.replicated != current(check)->replicated)
        fail(check, "stores %%%u in the wrong slab", store->node);
    if (store->to.offset % 64 || stored.end > room)
        fail(check, "stores %%%u outside the slab", store->node);
    for (uint32_t i = 0; i < check->read_count; i++)
        check_overwrite(check, &stored, &check->read[i], "reads");
    bool is_above = stored.begin >= check->used[stored.replicated];
    for (uint32_t i = is_above ? 0 : check->held_count; i-- > 0;) {
        if (!overlaps(&stored, &check->held[i])) continue;
        check_overwrite(check, &stored, &check->held[i], "stores");
        drop_held(check, i);
    }
    add_held(check, stored);
}

/* Checks that all other readers of a state's old value have finished. The kernel itself may read it
 * at the index that it stores. */
static void check_old_reads(PlanCheck *check, const Symbol *symbol) {
    for (uint32_t i = 0; i < check->read_count; i++) {
        const SlabRange *read = &check->read[i];
        bool of_state = read->begin == read->end && read->value == symbol->node;
        if (of_state && !is_over(check, read->kernel, read->epoch))
            fail(check, "no barrier between it, updating %s, and kernel %u, which reads it",
                 symbol->name, read->kernel);
    }
    if (check->shifted[symbol->node])
        fail(check, "updates %s while it reads it at other indices", symbol->name);
}

static void store_state(PlanCheck *check, const Store *store) {
    const PlanState *form = &check->plan->states[store->to.index];
    const Symbol *symbol = &check->graph->symbols[form->symbol];
    uint32_t *writer = &check->state_writer[form->symbol];
    if (!symbol->update ||
        same_bytes(check->graph, symbol->update) != same_bytes(check->graph, store->node))
        fail(check, "%%%u is not the new value of %s", store->node, symbol->name);
    if (!layout_equal(form->layout, store->to.layout))
        fail(check, "stores %s in a layout it does not have", symbol->name);
    if (check->form_stores[store->to.index]++) fail(check, "stores %s twice", symbol->name);
    if (*writer && *writer != check->kernel + 1)
        fail(check, "stores %s, as kernel %u does", symbol->name, *writer - 1);
    *writer = check->kernel + 1;
    if (symbol->node && check->is_placed) check_old_reads(check, symbol);
}

static void store_output(PlanCheck *check, const Store *store) {
    const Output *output = &check->graph->outputs[store->to.index];
    const Node *node = graph_node(check->graph, output->node);
    if (same_bytes(check->graph, output->node) != same_bytes(check->graph, store->node))
        fail(check, "%%%u is not output %s", store->node, output->name);
    if (check->output_stores[store->to.index]++)
        fail(check, "stores output %s twice", output->name);
    if (!check->is_placed) return;
    if (store->to.offset % 64 ||
        store->to.offset + layout_bytes(store->to.layout, node->dtype, node->shape) >
            check->plan->output_bytes)
        fail(check, "stores %s outside the output block", output->name);
}

static void check_store(PlanCheck *check, const Store *store) {
    const Kernel *kernel = current(check);
    Shape shape = graph_node(check->graph, store->node)->shape;
    int64_t elements = shape_elements(kernel->space);
    bool one_a_row = kernel->kind == KERNEL_ROW &&
                     shape_elements(shape) * kernel->space.dim[kernel->space.rank - 1] == elements;
    if (shape_elements(shape) != elements && !one_a_row)
        fail(check, "stores %%%u outside its space", store->node);
    if (!shape_equal(shape, kernel->space) && store->to.layout.kind != LAYOUT_PLAIN)
        fail(check, "reshapes into panels");
    if (store->to.layout.kind == LAYOUT_PANEL && store->to.kind != STORAGE_STATE)
        fail(check, "panels outside states");
    if (kernel->kind == KERNEL_GEMM && (store->to.kind != STORAGE_SLAB || kernel->store_count != 1))
        fail(check, "a gemm stores its product in the slab only");
    if (kernel->replicated && store->to.kind != STORAGE_SLAB)
        fail(check, "is replicated, but stores %%%u for all", store->node);
    switch (store->to.kind) {
    case STORAGE_SLAB: store_slab(check, store); break;
    case STORAGE_STATE: store_state(check, store); break;
    case STORAGE_OUTPUT: store_output(check, store); break;
    default: fail(check, "stores %%%u nowhere", store->node);
    }
}

/* A kernel by rows has whole groups of rows, as many as all other kernels by rows, and updates no
 * state. */
static void check_rows(PlanCheck *check) {
    const Kernel *kernel = current(check);
    int64_t rows = kernel->space.rank > 0 ? kernel->space.dim[0] : 0;
    if (!check->rows) check->rows = rows;
    if (rows == 0 || rows % PLAN_ROWS || rows != check->rows)
        fail(check, "does not have the rows of the other kernels by rows");
    if (kernel->max_threads > rows / PLAN_ROWS) fail(check, "has too many threads for its rows");
    for (uint32_t i = 0; i < kernel->store_count; i++) {
        Shape shape = graph_node(check->graph, kernel->stores[i].node)->shape;
        if (shape.rank < 1 || shape.dim[0] != rows)
            fail(check, "stores %%%u by other rows", kernel->stores[i].node);
        if (kernel->stores[i].to.kind == STORAGE_STATE) fail(check, "updates a state by rows");
    }
}

static void forget_node(PlanCheck *check, NodeId id) {
    check->inside[id] = check->shifted[id] = check->crosses_rows[id] = false;
    const Node *node = graph_node(check->graph, id);
    for (uint32_t i = 0; i < node->operand_count; i++) {
        NodeId operand = node->operands[i];
        check->inside[operand] = check->shifted[operand] = check->crosses_rows[operand] = false;
    }
}

static void run_kernel(PlanCheck *check) {
    const Kernel *kernel = current(check);
    if (check->is_placed) {
        /* a barrier ends all reads before it; a single thread runs kernels in order */
        check->epoch += kernel->barrier_before;
        if (kernel->barrier_before || !check->has_threads) check->read_count = 0;
        if (kernel->max_threads < 1) fail(check, "runs on no thread");
        if (kernel->pieces < 1) fail(check, "has no pieces");
        if (kernel->by_rows) check_rows(check);
    }
    if (kernel->store_count == 0) fail(check, "stores nothing");
    run_nodes(check);
    for (uint32_t i = 0; i < kernel->store_count; i++)
        read_operand(check, kernel->stores[i].node, false, false);
    for (uint32_t i = 0; i < kernel->store_count; i++) check_store(check, &kernel->stores[i]);
    for (uint32_t i = 0; i < kernel->node_count; i++) forget_node(check, kernel->nodes[i]);
    for (uint32_t i = 0; i < kernel->store_count; i++) forget_node(check, kernel->stores[i].node);
}

/* -- the whole plan -- */

static void check_completeness(PlanCheck *check) {
    const Plan *plan = check->plan;
    for (uint32_t i = 0; i < plan->state_count; i++) {
        const Symbol *symbol = &check->graph->symbols[plan->states[i].symbol];
        uint32_t wanted = symbol->update != NODE_NONE && symbol->update != symbol->node;
        if (check->form_stores[i] != wanted)
            fail(check, "%s (form %u) is stored %u times", symbol->name, i, check->form_stores[i]);
    }
    for (uint32_t i = 0; i < check->graph->symbol_count; i++) {
        const Symbol *symbol = &check->graph->symbols[i];
        bool updated =
            symbol->kind == SYMBOL_STATE && symbol->update && symbol->update != symbol->node;
        if (updated && !check->state_writer[i]) fail(check, "%s is never updated", symbol->name);
    }
    for (uint32_t i = 0; i < check->graph->output_count; i++)
        if (check->output_stores[i] != 1)
            fail(check, "output %s is stored %u times", check->graph->outputs[i].name,
                 check->output_stores[i]);
}

static void find_slab_writers(PlanCheck *check) {
    for (uint32_t k = 0; k < check->plan->kernel_count; k++) {
        const Kernel *kernel = &check->plan->kernels[k];
        check->has_threads |= kernel->max_threads > 1;
        for (uint32_t i = 0; i < kernel->store_count; i++)
            if (kernel->stores[i].to.kind == STORAGE_SLAB)
                check->slab_writer[same_bytes(check->graph, kernel->stores[i].node)] = k + 1;
    }
}

bool plan_verify(const Plan *plan, bool is_placed, char fault[PLAN_FAULT]) {
    const Graph *graph = plan->graph;
    Arena *arena = arena_new();
    PlanCheck check = {.plan = plan,
                       .graph = graph,
                       .is_placed = is_placed,
                       .fault = fault,
                       .arena = arena,
                       .holder = ARENA_ARRAY(arena, uint32_t, graph->node_count),
                       .slab_writer = ARENA_ARRAY(arena, uint32_t, graph->node_count),
                       .state_writer = ARENA_ARRAY(arena, uint32_t, graph->symbol_count),
                       .form_stores = ARENA_ARRAY(arena, uint32_t, plan->state_count),
                       .output_stores = ARENA_ARRAY(arena, uint32_t, graph->output_count),
                       .inside = ARENA_ARRAY(arena, bool, graph->node_count),
                       .shifted = ARENA_ARRAY(arena, bool, graph->node_count),
                       .crosses_rows = ARENA_ARRAY(arena, bool, graph->node_count)};
    *fault = '\0';
    find_slab_writers(&check);
    for (; check.kernel < plan->kernel_count && !*fault; check.kernel++) run_kernel(&check);
    if (!*fault) check_completeness(&check);
    arena_free(arena);
    return !*fault;
}
