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

static int lane_axis(Shape space) {
    int axis = space.rank - 1;
    while (axis > 0 && space.dim[axis] == 1) axis--;
    return axis;
}

/* Units are vectors along the lane axis, numbered in row-major order. A line is the units of one
 * row, if a row is long, or else those of all rows along row_axis: they share the coordinates of
 * the outer axes. */
typedef struct {
    Shape space;
    /* row_axis: the last axis before the lane axis that is longer than 1; -1: there is none */
    int lane_axis, row_axis;
    /* the last axis along which a line has one coordinate; -1: there is none */
    int outer_axis;
    int64_t vectors, units; /* in a row, in a line */
} UnitLine;

/* Divides the units of a space into lines. */
static UnitLine line_of(const Emitter *e, Shape space) {
    enum { LONG_ROW = 8 }; /* vectors: so many are worth their own loop */
    UnitLine line = {.space = space, .lane_axis = lane_axis(space)};
    line.row_axis = line.lane_axis - 1;
    while (line.row_axis >= 0 && space.dim[line.row_axis] == 1) line.row_axis--;
    line.vectors = divide_up(space.dim[line.lane_axis], e->single ? 1 : LANES);
    bool single = line.row_axis < 0 || line.vectors >= LONG_ROW;
    line.outer_axis = single ? line.row_axis : line.row_axis - 1;
    line.units = single ? line.vectors : line.vectors * space.dim[line.row_axis];
    return line;
}

/* The coordinates of the outer axes, from the number of the line. */
static void set_outer_axes(Emitter *e, const UnitLine *line, Place *place, LLVMValueRef rest) {
    int first = 0;
    while (first < line->outer_axis && line->space.dim[first] == 1) first++;
    for (int i = line->outer_axis; i >= first; i--) {
        if (line->space.dim[i] == 1) continue;
        LLVMValueRef size = const_i64(e, line->space.dim[i]);
        place->axis[i] = coordinate_uniform(i == first ? rest : urem(e, rest, size));
        rest = udiv(e, rest, size);
    }
}

/* The place of unit `inside` of line `number`. */
static Place *unit_place(Emitter *e, const UnitLine *line, LLVMValueRef number,
                         LLVMValueRef inside) {
    Place *place = place_new(e, line->space, NULL);
    LLVMValueRef vectors = const_i64(e, line->vectors), vector = inside;
    if (line->units != line->vectors) {
        vector = urem(e, inside, vectors);
        place->axis[line->row_axis] = coordinate_uniform(udiv(e, inside, vectors));
    }
    set_outer_axes(e, line, place, number);
    if (e->single) {
        place->axis[line->lane_axis] = coordinate_uniform(vector);
        return place;
    }
    LLVMValueRef base = times(e, vector, LANES);
    place->axis[line->lane_axis] = (Coordinate){.base = base, .step = 1, .aligned = true};
    place->mask = lanes_below(e, base, line->space.dim[line->lane_axis]);
    return place;
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
    enum { MOST_NODES = 4096 }; /* in the code of all parts together */
    const Kernel *kernel = e->kernel;
    const Node *concat = NULL;
    for (uint32_t i = 0; i < kernel->node_count && !concat; i++) {
        const Node *node = graph_node(e->graph, kernel->nodes[i]);
        if (node->op == OP_concat && emit_in_place(e, kernel->nodes[i])) concat = node;
    }
    bool small = concat && (int64_t)concat->operand_count * kernel->node_count <= MOST_NODES;
    LLVMValueRef number = small ? concat_part_number(e, concat, place) : NULL;
    if (number)
        emit_parts(e, concat, place, number);
    else
        emit_stores(e, place);
}

/* The loops over lines and units. */
static void emit_lines(Emitter *e, const UnitLine *line, LLVMValueRef first, LLVMValueRef last) {
    SegmentLoop lines = segments_begin(e, first, last, line->units);
    Loop units = loop_begin(e, lines.from);
    LLVMValueRef inside = sub(e, units.index, lines.start);
    emit_place(e, unit_place(e, line, lines.loop.index, inside));
    loop_end(e, units, lines.to, 1);
    segments_end(e, lines);
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
    emit_lines(e, line, parts.from, parts.to);
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

/* Of a GPU: an element by its number in row-major order. */
static int64_t emit_element(Emitter *e, Shape space, LLVMValueRef number) {
    UnitLine all = {.space = space, .outer_axis = space.rank - 1};
    Place *place = place_new(e, space, NULL);
    set_outer_axes(e, &all, place, number);
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
                        : map_transposed(e, space, lane_axis(space), first, last);
    if (tiles) return tiles;
    UnitLine line = line_of(e, space);
    Batches batches = batches_of(e);
    int64_t units = shape_elements(space) / space.dim[line.lane_axis] * line.vectors;
    if (walks_batches(e, &batches, &line))
        emit_prefetched_lines(e, &line, &batches, units / space.dim[0], first, last);
    else
        emit_lines(e, &line, first, last);
    return units;
}
