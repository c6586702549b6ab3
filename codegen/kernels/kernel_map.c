/* MAP kernels: elementwise work over a space, LANES elements of one row at a time. */
#include "codegen/kernels/kernels.h"
#include "ir/base/integers.h"

/* Does every value of the kernel lie at the same row-major position as the result, or is the same everywhere? Then the space
 * may be walked as one long row (or, reading a batch, one row per sample). */
static bool is_flat(const Emitter *e, int64_t elements) {
    for (uint32_t i = 0; i < e->kernel->node_count; i++) {
        const Node *node = graph_node(e->graph, e->kernel->nodes[i]);
        if (node->op == OP_iota) return false;
        for (uint32_t j = 0; j < node->operand_count; j++) {
            const Node *operand = graph_operand(e->graph, node, j);
            int64_t count = shape_elements(operand->shape);
            bool in_place =
                count == elements && e->plan->storage[node->operands[j]].layout.kind == LAYOUT_PLAIN && operand->op != OP_iota;
            bool moves = op_class(node->op) == CLASS_VIEW && node->op != OP_reshape && count != 1;
            if (count != 1 && (!in_place || moves)) return false;
        }
    }
    for (uint32_t i = 0; i < e->kernel->store_count; i++) {
        const Node *node = graph_node(e->graph, e->kernel->stores[i].node);
        if (e->kernel->stores[i].to.layout.kind != LAYOUT_PLAIN || node->op == OP_iota) return false;
        if (!emit_computes(e, e->kernel->stores[i].node) &&
            e->plan->storage[e->kernel->stores[i].node].layout.kind != LAYOUT_PLAIN)
            return false;
    }
    return true;
}

static bool reads_batch(const Emitter *e, NodeId id) {
    Storage storage = e->plan->storage[id];
    return !emit_computes(e, id) && storage.kind == STORAGE_INPUT && e->graph->symbols[storage.index].kind == SYMBOL_BATCH;
}

typedef void VisitRead(Emitter *e, NodeId id, void *context);

/* Everything that the kernel reads or copies, some of it repeatedly. */
static void for_each_read(Emitter *e, VisitRead *visit, void *context) {
    for (uint32_t i = 0; i < e->kernel->node_count; i++) {
        const Node *node = graph_node(e->graph, e->kernel->nodes[i]);
        for (uint32_t j = 0; j < node->operand_count; j++) visit(e, node->operands[j], context);
    }
    for (uint32_t i = 0; i < e->kernel->store_count; i++) visit(e, e->kernel->stores[i].node, context);
}

/* The inputs that the kernel reads in batches. */
typedef struct {
    Storage *inputs;
    uint32_t count;
} Batches;

static void add_batch(Emitter *e, NodeId id, void *context) {
    Batches *batches = context;
    if (!reads_batch(e, id)) return;
    for (uint32_t i = 0; i < batches->count; i++)
        if (batches->inputs[i].index == e->plan->storage[id].index) return;
    batches->inputs[batches->count++] = e->plan->storage[id];
}

static Batches batches_of(Emitter *e) {
    Batches batches = {.inputs = ARENA_ARRAY(e->arena, Storage, e->graph->symbol_count)};
    for_each_read(e, add_batch, &batches);
    return batches;
}

/* The space as it is walked: without axes of size 1, flat where that is possible. Kernels by rows keep their rows apart. */
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

/* Units are vectors along the lane axis; those of a row are numbered without a gap, and so are neighbouring rows: a line is as many
 * of them as share their coordinates along all other axes, but for one; or a single row if that is long. */
typedef struct {
    Shape space;
    int lane_axis, row_axis; /* row_axis: the last axis before the lane axis that is longer than 1; -1: there is none */
    int outer_axis;          /* a line has one place along this axis and those before it; -1: there is none */
    int64_t vectors, units;  /* in a row, in a line */
} Line;

static Line line_of(Shape space) {
    enum { LONG_ROW = 8 }; /* vectors that are worth a loop of their own: what a row has in common is computed once */
    Line line = {.space = space, .lane_axis = lane_axis(space)};
    line.row_axis = line.lane_axis - 1;
    while (line.row_axis >= 0 && space.dim[line.row_axis] == 1) line.row_axis--;
    line.vectors = divide_up(space.dim[line.lane_axis], LANES);
    bool single = line.row_axis < 0 || line.vectors >= LONG_ROW;
    line.outer_axis = single ? line.row_axis : line.row_axis - 1;
    line.units = single ? line.vectors : line.vectors * space.dim[line.row_axis];
    return line;
}

/* The axes before a line's own, from the number of the line. */
static void set_outer_axes(Emitter *e, const Line *line, Place *place, LLVMValueRef rest) {
    int first = 0;
    while (first < line->outer_axis && line->space.dim[first] == 1) first++;
    for (int i = line->outer_axis; i >= first; i--) {
        if (line->space.dim[i] == 1) continue;
        LLVMValueRef size = const_i64(e, line->space.dim[i]);
        place->axis[i] = coordinate_uniform(i == first ? rest : LLVMBuildURem(e->builder, rest, size, ""));
        rest = LLVMBuildUDiv(e->builder, rest, size, "");
    }
}

/* Unit `inside` of a line. */
static Place *unit_place(Emitter *e, const Line *line, LLVMValueRef number, LLVMValueRef inside) {
    Place *place = place_new(e, line->space, NULL);
    LLVMValueRef vectors = const_i64(e, line->vectors), vector = inside;
    if (line->units != line->vectors) {
        vector = LLVMBuildURem(e->builder, inside, vectors, "");
        place->axis[line->row_axis] = coordinate_uniform(LLVMBuildUDiv(e->builder, inside, vectors, ""));
    }
    set_outer_axes(e, line, place, number);
    LLVMValueRef base = LLVMBuildMul(e->builder, vector, const_i64(e, LANES), "");
    place->axis[line->lane_axis] = (Coordinate){.base = base, .step = 1, .aligned = true};
    place->mask = lanes_below(e, base, line->space.dim[line->lane_axis]);
    return place;
}

/* -- concats: lanes that take the same part branch to the code of that part -- */

/* A concat that is stored or used where it lies. */
static const Node *find_concat(const Emitter *e) {
    const Kernel *kernel = e->kernel;
    for (uint32_t i = 0; i < kernel->node_count; i++) {
        const Node *node = graph_node(e->graph, kernel->nodes[i]);
        if (node->op == OP_concat && emit_in_place(e, kernel->nodes[i])) return node;
    }
    return NULL;
}

/* The code of each part, one of which is branched to. */
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

static void emit_unit(Emitter *e, const Place *place) {
    enum { MOST_NODES = 4096 }; /* in the code of all parts */
    const Node *concat = find_concat(e);
    bool small = concat && (int64_t)concat->operand_count * e->kernel->node_count <= MOST_NODES;
    LLVMValueRef number = small ? concat_part_number(e, concat, place) : NULL;
    if (number)
        emit_parts(e, concat, place, number);
    else
        emit_stores(e, place);
}

/* Line by line: what the places of a line have in common is computed once. */
static void emit_lines(Emitter *e, const Line *line, LLVMValueRef first, LLVMValueRef last) {
    Runs lines = runs_begin(e, first, last, line->units);
    Loop units = loop_begin(e, lines.from);
    LLVMValueRef inside = LLVMBuildSub(e->builder, units.index, lines.start, "");
    emit_unit(e, unit_place(e, line, lines.loop.index, inside));
    loop_end(e, units, lines.to, 1);
    runs_end(e, lines);
}

/* -- rows of the data set: some are asked for at once, since their addresses may have to be looked up in memory too, and always the
 * next ones before these are worked on: all of them fit the first-level cache -- */

enum { ROWS_FETCHED = 16 };

/* Rows [from, to) of the batch. */
static void fetch_rows(Emitter *e, const Batches *batches, LLVMValueRef from, LLVMValueRef to) {
    If any = if_begin(e, LLVMBuildICmp(e->builder, LLVMIntSLT, from, to, ""));
    Loop rows = loop_begin(e, from);
    for (uint32_t i = 0; i < batches->count; i++) fetch_batch_row(e, batches->inputs[i], rows.index);
    loop_end(e, rows, to, 1);
    if_end(e, any);
}

static LLVMValueRef smaller(Emitter *e, LLVMValueRef a, LLVMValueRef b) {
    return call_intrinsic(e, "llvm.smin", &e->i64, 1, (LLVMValueRef[]){a, b}, 2);
}

/* `units`: of one row of the batch. */
static void emit_fetched_lines(Emitter *e, const Line *line, const Batches *batches, int64_t units, LLVMValueRef first,
                               LLVMValueRef last) {
    LLVMValueRef ahead = const_i64(e, ROWS_FETCHED), each = const_i64(e, units);
    LLVMValueRef begin = LLVMBuildUDiv(e->builder, first, each, "");
    LLVMValueRef end = LLVMBuildUDiv(e->builder, LLVMBuildAdd(e->builder, last, const_i64(e, units - 1), ""), each, "");
    fetch_rows(e, batches, begin, smaller(e, LLVMBuildAdd(e->builder, begin, ahead, ""), end));
    Runs parts = runs_begin(e, first, last, ROWS_FETCHED * units);
    LLVMValueRef next = LLVMBuildUDiv(e->builder, LLVMBuildAdd(e->builder, parts.to, const_i64(e, units - 1), ""), each, "");
    fetch_rows(e, batches, next, smaller(e, LLVMBuildAdd(e->builder, next, ahead, ""), end));
    emit_lines(e, line, parts.from, parts.to);
    runs_end(e, parts);
}

/* Batches along the first axis of the space, several vectors a row. */
static bool walks_batches(const Emitter *e, const Batches *batches, const Line *line) {
    for (uint32_t i = 0; i < batches->count; i++)
        if (e->graph->symbols[batches->inputs[i].index].shape.dim[0] != line->space.dim[0]) return false;
    return batches->count && line->lane_axis > 0;
}

int64_t kernel_map(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    Shape space = walked_space(e);
    if (shape_elements(space) == 1) {
        emit_stores(e, place_new(e, space, NULL));
        return 1;
    }
    int64_t tiles = e->kernel->by_rows ? 0 : map_turned(e, space, lane_axis(space), first, last);
    if (tiles) return tiles;
    Line line = line_of(space);
    Batches batches = batches_of(e);
    int64_t units = shape_elements(space) / space.dim[line.lane_axis] * line.vectors;
    if (walks_batches(e, &batches, &line))
        emit_fetched_lines(e, &line, &batches, units / space.dim[0], first, last);
    else
        emit_lines(e, &line, first, last);
    return units;
}
