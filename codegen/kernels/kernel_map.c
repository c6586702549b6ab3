/* MAP kernels: values at every place of a space, LANES elements of one row at a time.
 *
 *     for each line of units in [first, last): compute the coordinates that its places share
 *         for each unit of the line: a vector of LANES elements along the lane axis
 *             compute the kernel's nodes at this place and store
 *
 * If rows of a batch are read from the data set, the next rows are prefetched every PREFETCHED_ROWS
 * rows.
 *
 * With single elements, a vector is one element. On a GPU, a unit is an element by its number, and
 * the hardware hides the time that loads take. */
#include "codegen/kernels/kernels.h"
#include "codegen/kernels/unit_lines.h"

/* Whether every value of the kernel is read at the row-major position of the result, or is a single
 * number. Then the space can be walked as one long row, or with a batch as one row for each
 * sample. */
static bool is_flat(const Emitter *e, int64_t elements) {
    for (uint32_t i = 0; i < e->kernel->node_count; i++) {
        const Node *node = graph_node(e->graph, e->kernel->nodes[i]);
        if (node->op == OP_iota) return false;
        for (uint32_t j = 0; j < node->operand_count; j++) {
            const Node *operand = graph_operand(e->graph, node, j);
            int64_t count = shape_elements(operand->shape);
            bool in_place = count == elements &&
                            e->plan->storage[node->operands[j]].layout.kind == LAYOUT_PLAIN &&
                            operand->op != OP_iota;
            bool moves = op_class(node->op) == CLASS_VIEW && node->op != OP_reshape && count != 1;
            if (count != 1 && (!in_place || moves)) return false;
        }
    }
    for (uint32_t i = 0; i < e->kernel->store_count; i++) {
        const Node *node = graph_node(e->graph, e->kernel->stores[i].node);
        if (e->kernel->stores[i].to.layout.kind != LAYOUT_PLAIN || node->op == OP_iota)
            return false;
        if (!emit_computes(e, e->kernel->stores[i].node) &&
            e->plan->storage[e->kernel->stores[i].node].layout.kind != LAYOUT_PLAIN)
            return false;
    }
    return true;
}

/* The inputs from which the kernel reads rows of the batch. */
typedef struct {
    Storage *inputs;
    uint32_t count;
} Batches;

static void add_batch(Emitter *e, NodeId id, Batches *batches) {
    Storage storage = e->plan->storage[id];
    bool reads_batch = !emit_computes(e, id) && storage.kind == STORAGE_INPUT &&
                       e->graph->symbols[storage.index].kind == SYMBOL_BATCH;
    if (!reads_batch) return;
    for (uint32_t i = 0; i < batches->count; i++)
        if (batches->inputs[i].index == storage.index) return;
    batches->inputs[batches->count++] = storage;
}

/* The inputs with rows of the batch that the kernel reads. */
static Batches batches_of(Emitter *e) {
    Batches batches = {.inputs = ARENA_ARRAY(e->arena, Storage, e->graph->symbol_count)};
    for (uint32_t i = 0; i < e->kernel->node_count; i++) {
        const Node *node = graph_node(e->graph, e->kernel->nodes[i]);
        for (uint32_t j = 0; j < node->operand_count; j++)
            add_batch(e, node->operands[j], &batches);
    }
    for (uint32_t i = 0; i < e->kernel->store_count; i++)
        add_batch(e, e->kernel->stores[i].node, &batches);
    return batches;
}

/* The space that is walked: flat where possible. Kernels by rows keep their rows apart. */
static Shape walked_space(Emitter *e) {
    Shape space = e->kernel->space;
    int64_t elements = shape_elements(space);
    if (!is_flat(e, elements)) return space;
    if (e->kernel->by_rows || (space.rank > 1 && batches_of(e).count))
        return (Shape){.rank = 2, .dim = {space.dim[0], elements / space.dim[0]}};
    return (Shape){.rank = 1, .dim = {elements}};
}

/* -- concats: if all lanes read the same part, a switch selects the code for that part alone -- */

/* switch (number) { case i: the stores, with part i of the concat ... } */
static void emit_parts(Emitter *e, const Node *concat, const Place *place, LLVMValueRef number) {
    LLVMBasicBlockRef after = LLVMAppendBasicBlockInContext(e->context, e->function, "after");
    LLVMValueRef branch = LLVMBuildSwitch(e->builder, number, after, concat->operand_count);
    for (uint32_t i = 0; i < concat->operand_count; i++) {
        LLVMBasicBlockRef part = LLVMAppendBasicBlockInContext(e->context, e->function, "part");
        LLVMAddCase(branch, const_i64(e, i), part);
        LLVMPositionBuilderAtEnd(e->builder, part);
        Region region = region_begin(e);
        e->part.of = concat, e->part.place = place, e->part.number = i;
        emit_stores(e, place);
        region_end(e, region);
        LLVMBuildBr(e->builder, after);
    }
    e->part.of = NULL;
    LLVMPositionBuilderAtEnd(e->builder, after);
}

/* The stores at a place. If a concat is stored or used there and lanes agree on its part, a switch
 * selects the code of that part. */
static void emit_place(Emitter *e, const Place *place) {
    enum { MAX_NODES = 4096 }; /* in the code of all parts together */
    const Kernel *kernel = e->kernel;
    const Node *concat = NULL;
    for (uint32_t i = 0; i < kernel->node_count && !concat; i++) {
        const Node *node = graph_node(e->graph, kernel->nodes[i]);
        if (node->op == OP_concat && emit_in_place(e, kernel->nodes[i])) concat = node;
    }
    bool small = concat && (int64_t)concat->operand_count * kernel->node_count <= MAX_NODES;
    LLVMValueRef number = small ? concat_part_number(e, concat, place) : NULL;
    if (number)
        emit_parts(e, concat, place, number);
    else
        emit_stores(e, place);
}

/* -- prefetching rows of the data set:
 *     prefetch the first PREFETCHED_ROWS rows
 *     for each PREFETCHED_ROWS rows: prefetch as many after them; compute these
 * Several rows at once, since translating their addresses takes time too. Both groups fit the
 * first-level cache. -- */

enum { PREFETCHED_ROWS = 16 };

/* Prefetches rows [from, to) of the batch, if there are any. */
static void prefetch_rows(Emitter *e, const Batches *batches, LLVMValueRef from, LLVMValueRef to) {
    If any = if_begin(e, lt(e, from, to));
    Loop rows = loop_begin(e, from);
    for (uint32_t i = 0; i < batches->count; i++)
        prefetch_batch_row(e, batches->inputs[i], rows.index);
    loop_end(e, rows, to, 1);
    if_end(e, any);
}

/* The lines of units [first, last), in groups of PREFETCHED_ROWS rows. units: number of units of a
 * row. */
static void emit_prefetched_lines(Emitter *e, const UnitLine *line, const Batches *batches,
                                  int64_t units, LLVMValueRef first, LLVMValueRef last) {
    LLVMValueRef ahead = const_i64(e, PREFETCHED_ROWS), each = const_i64(e, units);
    LLVMValueRef begin = udiv(e, first, each);
    LLVMValueRef end = udiv(e, plus(e, last, units - 1), each);
    prefetch_rows(e, batches, begin, min(e, add(e, begin, ahead), end));
    SegmentLoop parts = segments_begin(e, first, last, PREFETCHED_ROWS * units);
    LLVMValueRef next = udiv(e, plus(e, parts.to, units - 1), each);
    prefetch_rows(e, batches, next, min(e, add(e, next, ahead), end));
    LineLoop lines = lines_begin(e, line, parts.from, parts.to);
    emit_place(e, lines.place);
    lines_end(e, lines);
    segments_end(e, parts);
}

/* Whether the space's first axis numbers the rows of the batches, and the lanes run along another
 * axis. Shipped code needs no prefetch, as its rows are contiguous. */
static bool walks_batches(const Emitter *e, const Batches *batches, const UnitLine *line) {
    for (uint32_t i = 0; i < batches->count; i++)
        if (e->graph->symbols[batches->inputs[i].index].shape.dim[0] != line->space.dim[0])
            return false;
    return !e->shipped && batches->count && line->lane_axis > 0;
}

/* A unit of a GPU: the element with this number in row-major order. */
static int64_t emit_element(Emitter *e, Shape space, LLVMValueRef number) {
    Place *place = place_new(e, space, NULL);
    place_set_axes(e, place, 0, space.rank - 1, number);
    emit_place(e, place);
    return shape_elements(space);
}

int64_t kernel_map(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    Shape space = walked_space(e);
    if (shape_elements(space) == 1) {
        emit_stores(e, place_new(e, space, NULL));
        return 1;
    }
    if (e->threads) return emit_element(e, space, first);
    int64_t tiles = e->kernel->by_rows || e->single
                        ? 0
                        : map_transposed(e, space, space_lane_axis(space), first, last);
    if (tiles) return tiles;
    UnitLine line = unit_line(e, space);
    Batches batches = batches_of(e);
    int64_t units = unit_line_count(&line);
    if (walks_batches(e, &batches, &line))
        emit_prefetched_lines(e, &line, &batches, units / space.dim[0], first, last);
    else {
        LineLoop lines = lines_begin(e, &line, first, last);
        emit_place(e, lines.place);
        lines_end(e, lines);
    }
    return units;
}
