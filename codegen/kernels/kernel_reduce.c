/* REDUCE kernels: sum, max and argmax over the middle axis of [outer, n, inner].
 *
 * inner > 1: a unit is a vector of LANES columns
 *
 *     partial[lane] = start
 *     for j < n: partial[lane] += x[outer, j, lane]
 *     result[lane] = partial[lane]
 *
 * inner == 1: a unit is a row
 *
 *     partial[lane] = start
 *     for j < n by LANES: partial[lane] += x[outer, j + lane]
 *     result = partial[0 .. 15] combined by a fixed tree
 *
 * The sixteen partial results of a row are part of the numerics contract. So is the rule for long
 * sums: a lane that adds more than SUM_BLOCK elements adds them in blocks, whose sums a binary tree
 * combines.
 *
 * A kernel of the largest elements of columns may find their places (argmax) too, from the same
 * elements.
 *
 * With single elements, a unit is a single column. On a GPU, the partial results of a row are those
 * of LANES threads. */
#include "codegen/kernels/block_tree.h"
#include "codegen/kernels/kernels.h"
#include "codegen/kernels/partials.h"
#include "codegen/kernels/unit_lines.h"

#include <assert.h>

typedef struct {
    const Node *node;
    NodeId operand;
    int64_t outer, n, inner;
    /* vectors of columns that a unit computes side by side: along inner, along outer, in all */
    int across, down, together;
} Reduction;

/* The largest power of two up to `most` that divides `count`, such that groups of this size divide
 * `all` into at least `parts` groups. */
static int divisor(int64_t count, int most, int64_t all, int64_t parts) {
    while (most > 1 && (count % most != 0 || all < parts * most)) most /= 2;
    return most;
}

static int64_t vectors_of(const Emitter *e, const Reduction *r) {
    return e->single ? r->inner : divide_up(r->inner, LANES);
}

/* Chooses how many vectors of long columns a unit computes side by side. Their chains of additions
 * overlap, and neighbouring vectors read neighbouring cache lines. At least MAX_UNITS units are
 * left, or one for each thread if there are fewer. */
static void put_together(const Emitter *e, Reduction *r) {
    enum { LONG = 32, MAX_UNITS = 4, MAX_NODES = 64 };
    int64_t threads = e->kernel->max_threads, units = min_i64(threads, MAX_UNITS);
    int64_t vectors = vectors_of(e, r), all = r->outer * vectors;
    bool single = e->single || r->inner == 1 || r->node->op == OP_argmax || r->n < LONG ||
                  e->kernel->node_count > MAX_NODES;
    r->across = single ? 1 : divisor(vectors, TREE_SUMS, all, units);
    r->down = single ? 1 : divisor(r->outer, TREE_SUMS / r->across, all / r->across, units);
    r->together = r->across * r->down;
}

static Reduction reduction_of(const Emitter *e) {
    const Node *node = graph_node(e->graph, e->kernel->root);
    Shape shape = graph_operand(e->graph, node, 0)->shape;
    int axis = node->attrs.axis;
    Reduction r = {.node = node,
                   .operand = node->operands[0],
                   .outer = shape_outer(shape, axis),
                   .n = shape.dim[axis],
                   .inner = shape_inner(shape, axis)};
    put_together(e, &r);
    return r;
}

int64_t kernel_shared_units(const Emitter *e) {
    Shape space = e->kernel->space;
    if (e->kernel->kind == KERNEL_ROW) return shape_elements(space) / space.dim[space.rank - 1];
    if (e->kernel->kind != KERNEL_REDUCE) return 0;
    Reduction r = reduction_of(e);
    return r.inner == 1 && r.node->op != OP_argmax ? r.outer : 0;
}

/* Whether a lane adds so many elements that it adds them in blocks. */
static bool in_blocks(const Reduction *r, int64_t block) {
    return r->node->op == OP_sum && r->n > block;
}

bool kernel_needs_lanes(const Emitter *e) {
    if (e->kernel->kind != KERNEL_REDUCE)
        return e->kernel->kind == KERNEL_ROW || e->kernel->kind == KERNEL_WINOGRAD;
    Reduction r = reduction_of(e);
    return r.inner == 1 && in_blocks(&r, (int64_t)SUM_BLOCK * LANES);
}

/* -- partial results -- */

/* Ends a loop over elements. A thread of a GPU loads several of them before it adds the first one, as
 * a load takes as long as a hundred additions. */
static void end_elements(Emitter *e, Loop loop, LLVMValueRef to, int64_t step) {
    if (e->threads)
        loop_end_unrolled(e, loop, to, step, GPU_LOADS);
    else
        loop_end(e, loop, to, step);
}

/* slot = slot combined with the operand at the place */
static void accumulate(Emitter *e, const Reduction *r, LLVMValueRef slot, const Place *at,
                       bool lanes) {
    Region region = region_begin(e);
    LaneValue value = emit_value(e, r->operand, at);
    region_end(e, region);
    Op op = r->node->op;
    LLVMValueRef old = load(e, partial_type(e, op, lanes), slot);
    LLVMValueRef each = partial_key(e, op, lanes ? value_splat(e, value) : value.value, lanes);
    LLVMValueRef sum = partial_combine(e, op, old, each);
    if ((lanes || e->threads) && at->mask) sum = choose(e, at->mask, sum, old);
    store(e, sum, slot);
}

/* -- rows -- */

/* for j in [from, to) by LANES: slot += elements j .. j + 15 of the row */
static void add_row(Emitter *e, const Reduction *r, LLVMValueRef row, LLVMValueRef slot,
                    LLVMValueRef from, LLVMValueRef to) {
    Loop loop = loop_begin(e, from);
    Place *at = place_new(e, (Shape){.rank = 2, .dim = {r->outer, r->n}}, NULL);
    at->axis[0] = coordinate_uniform(row);
    place_set_lanes(e, at, 1, loop.index, r->n);
    accumulate(e, r, slot, at, !e->threads);
    end_elements(e, loop, to, LANES);
}

/* The same in blocks of SUM_BLOCK * LANES elements, whose sums the tree adds. */
static void add_long_row(Emitter *e, const Reduction *r, LLVMValueRef row, LLVMValueRef slot,
                         LLVMTypeRef type) {
    int64_t block = (int64_t)SUM_BLOCK * LANES, blocks = divide_up(r->n, block);
    BlockTree tree = block_tree_new(e, type, &slot, 1, blocks);
    SegmentLoop segments = segments_begin(e, const_i64(e, 0), const_i64(e, r->n), block);
    store(e, partial_start(e, r->node->op, !e->threads), slot);
    add_row(e, r, row, slot, segments.from, segments.to);
    block_tree_take(e, &tree, segments.loop.index);
    segments_end(e, segments);
    block_tree_finish(e, &tree, blocks);
}

static LLVMValueRef partial_pointer(Emitter *e, Op op, LLVMValueRef partials, LLVMValueRef i) {
    return LLVMBuildGEP2(e->builder, partial_type(e, op, false), partials, &i, 1, "");
}

/* partial[to] = partial[to] combined with a value */
static void combine_into(Emitter *e, Op op, LLVMValueRef partials, LLVMValueRef to,
                         LLVMValueRef value) {
    LLVMValueRef pointer = partial_pointer(e, op, partials, to);
    LLVMValueRef old = load(e, partial_type(e, op, false), pointer);
    store(e, partial_combine(e, op, old, value), pointer);
}

/* The result of a row from single elements, with the partial results in memory:
 *     for j < n: partial[j % 16] += x[j]
 *     for width = 8, 4, 2, 1: for l < width: partial[l] += partial[l + width] */
static LaneValue reduce_single_row(Emitter *e, const Reduction *r, LLVMValueRef row) {
    Op op = r->node->op;
    LLVMTypeRef type = partial_type(e, op, false);
    LLVMValueRef partials = stack_slot(e, LLVMArrayType2(type, LANES), sizeof(float)),
                 zero = const_i64(e, 0);
    Loop lanes = loop_begin(e, zero);
    store(e, partial_start(e, op, false), partial_pointer(e, op, partials, lanes.index));
    loop_end(e, lanes, const_i64(e, LANES), 1);
    Loop loop = loop_begin(e, zero);
    Region region = region_begin(e);
    Place *at = place_new(e, (Shape){.rank = 2, .dim = {r->outer, r->n}}, NULL);
    at->axis[0] = coordinate_uniform(row);
    at->axis[1] = coordinate_uniform(loop.index);
    LLVMValueRef value = emit_value(e, r->operand, at).value;
    region_end(e, region);
    combine_into(e, op, partials, modulo(e, loop.index, LANES), partial_key(e, op, value, false));
    loop_end(e, loop, const_i64(e, r->n), 1);
    for (int64_t width = LANES / 2; width >= 1; width /= 2) {
        Loop tree = loop_begin(e, zero);
        LLVMValueRef other = partial_pointer(e, op, partials, plus(e, tree.index, width));
        combine_into(e, op, partials, tree.index, load(e, type, other));
        loop_end(e, tree, const_i64(e, width), 1);
    }
    return partial_result(e, op, load(e, type, partials), false);
}

/* The result of a row: LANES partial results in a slot, then combined by the fixed tree. */
static LaneValue reduce_row(Emitter *e, const Reduction *r, LLVMValueRef row) {
    if (e->single && !e->threads) return reduce_single_row(e, r, row);
    Op op = r->node->op;
    LLVMTypeRef type = partial_type(e, op, !e->threads);
    LLVMValueRef slot = stack_slot(e, type, 64);
    if (in_blocks(r, (int64_t)SUM_BLOCK * LANES)) {
        add_long_row(e, r, row, slot, type);
    } else {
        store(e, partial_start(e, op, !e->threads), slot);
        add_row(e, r, row, slot, const_i64(e, 0), const_i64(e, r->n));
    }
    return partial_result(e, op, partial_of_lanes(e, op, load(e, type, slot)), false);
}

/* The place of element j of the reduction at `place`, whose last axis is the inner one, and whose
 * others are the outer ones. */
static Place *element_place(Emitter *e, const Reduction *r, const Place *place, LLVMValueRef j) {
    int last = place->shape.rank - 1;
    Shape shape = place->shape;
    shape.rank = last + 2;
    shape.dim[last] = r->n, shape.dim[last + 1] = r->inner;
    Place *at = place_new(e, shape, place->mask);
    for (int i = 0; i < last; i++) at->axis[i] = place->axis[i];
    at->axis[last] = coordinate_uniform(j);
    at->axis[last + 1] = place->axis[last];
    return at;
}

/* Whether the loop over elements is unrolled, so that their places differ by constants. This is so
 * for few elements, such as the windows of a pooling. */
static bool is_unrolled(const Emitter *e, const Reduction *r) {
    enum { MAX_ELEMENTS = 25, MAX_NODES = 256 };
    return r->n <= MAX_ELEMENTS && r->n * (e->kernel->node_count + 1) <= MAX_NODES;
}

/* A vector of columns (or a single one) that is being reduced; slots: the partial result of the
 * elements so far. */
typedef struct {
    const Place *place;
    LLVMValueRef slots[2];
} ReducedColumn;

typedef void ElementBody(Emitter *e, const Reduction *r, const ReducedColumn *column,
                         LLVMValueRef j);

static void each_column(Emitter *e, const Reduction *r, const ReducedColumn *columns,
                        ElementBody *body, LLVMValueRef j) {
    for (int i = 0; i < r->together; i++) body(e, r, &columns[i], j);
}

/* The elements [from, to) of each column. */
static void each_between(Emitter *e, const Reduction *r, const ReducedColumn *columns,
                         ElementBody *body, LLVMValueRef from, LLVMValueRef to) {
    Loop loop = loop_begin(e, from);
    each_column(e, r, columns, body, loop.index);
    end_elements(e, loop, to, 1);
}

static void each_element(Emitter *e, const Reduction *r, const ReducedColumn *columns,
                         ElementBody *body) {
    for (int64_t j = 0; is_unrolled(e, r) && j < r->n; j++)
        each_column(e, r, columns, body, const_i64(e, j));
    if (!is_unrolled(e, r)) each_between(e, r, columns, body, const_i64(e, 0), const_i64(e, r->n));
}

static void add_element(Emitter *e, const Reduction *r, const ReducedColumn *column,
                        LLVMValueRef j) {
    accumulate(e, r, column->slots[0], element_place(e, r, column->place, j),
               !place_uniform(column->place));
}

static void start_columns(Emitter *e, const Reduction *r, const ReducedColumn *columns,
                          bool lanes) {
    for (int i = 0; i < r->together; i++)
        store(e, partial_start(e, r->node->op, lanes), columns[i].slots[0]);
}

/* The sums of columns in blocks of SUM_BLOCK elements, which the trees add. */
static void add_long_columns(Emitter *e, const Reduction *r, const ReducedColumn *columns,
                             LLVMTypeRef type) {
    int64_t blocks = divide_up(r->n, SUM_BLOCK);
    LLVMValueRef slots[TREE_SUMS];
    for (int i = 0; i < r->together; i++) slots[i] = columns[i].slots[0];
    BlockTree tree = block_tree_new(e, type, slots, r->together, blocks);
    SegmentLoop segments = segments_begin(e, const_i64(e, 0), const_i64(e, r->n), SUM_BLOCK);
    start_columns(e, r, columns, !place_uniform(columns[0].place));
    each_between(e, r, columns, add_element, segments.from, segments.to);
    block_tree_take(e, &tree, segments.loop.index);
    segments_end(e, segments);
    block_tree_finish(e, &tree, blocks);
}

/* Reduces several columns in one loop over their elements. A column is a vector of columns if its
 * place is one of lanes. */
static void reduce_columns(Emitter *e, const Reduction *r, ReducedColumn *columns,
                           LaneValue *results) {
    bool lanes = !place_uniform(columns[0].place);
    Op op = r->node->op;
    LLVMTypeRef type = partial_type(e, op, lanes);
    for (int i = 0; i < r->together; i++) columns[i].slots[0] = stack_slot(e, type, 64);
    if (in_blocks(r, SUM_BLOCK)) {
        add_long_columns(e, r, columns, type);
    } else {
        start_columns(e, r, columns, lanes);
        each_element(e, r, columns, add_element);
    }
    for (int i = 0; i < r->together; i++)
        results[i] = partial_result(e, op, load(e, type, columns[i].slots[0]), lanes);
}

static LaneValue splat_if(Emitter *e, LaneValue value, bool lanes) {
    return lanes ? (LaneValue){value_splat(e, value), false} : value;
}

/* Element j of a column of the operand. */
static LaneValue operand_element(Emitter *e, const Reduction *r, const Place *place,
                                 LLVMValueRef j) {
    Region region = region_begin(e);
    LaneValue value = splat_if(e, emit_value(e, r->operand, element_place(e, r, place, j)),
                               !place_uniform(place));
    region_end(e, region);
    return value;
}

/* slots: the largest element so far, and its number */
static void compare_element(Emitter *e, const Reduction *r, const ReducedColumn *column,
                            LLVMValueRef j) {
    LaneValue value = operand_element(e, r, column->place, j);
    LaneValue number =
        splat_if(e, (LaneValue){LLVMBuildTrunc(e->builder, j, e->i32, ""), true}, !value.uniform);
    LLVMValueRef old = load(e, LLVMTypeOf(value.value), column->slots[0]),
                 old_number = load(e, LLVMTypeOf(number.value), column->slots[1]);
    /* argmax: b replaces a if b > a, or if b is the first NaN. */
    LLVMValueRef b = value.value;
    LLVMValueRef greater_or_nan = LLVMBuildFCmp(e->builder, LLVMRealUGT, b, old, "");
    LLVMValueRef better =
        bit_and(e, LLVMBuildFCmp(e->builder, LLVMRealORD, old, old, ""), greater_or_nan);
    store(e, choose(e, better, value.value, old), column->slots[0]);
    store(e, choose(e, better, number.value, old_number), column->slots[1]);
}

/* Finds the index of the largest element. slots: the largest element so far, and its index. */
static LaneValue argmax_columns(Emitter *e, const Reduction *r, ReducedColumn *column) {
    bool lanes = !place_uniform(column->place);
    LLVMTypeRef value_type = lanes ? lanes_of(e->f32) : e->f32,
                index_type = lanes ? lanes_of(e->i32) : e->i32;
    column->slots[0] = stack_slot(e, value_type, 64),
    column->slots[1] = stack_slot(e, index_type, 64);
    store(e, operand_element(e, r, column->place, const_i64(e, 0)).value, column->slots[0]);
    store(e, LLVMConstNull(index_type), column->slots[1]);
    /* compares element 0 once more, so that the loop needs no guard */
    each_element(e, r, column, compare_element);
    return (LaneValue){load(e, index_type, column->slots[1]), !lanes};
}

/* The argmax that the kernel computes beside its root, the largest element; NODE_NONE: none. */
static NodeId argmax_beside(const Emitter *e) {
    for (uint32_t i = 0; i < e->kernel->node_count; i++) {
        NodeId id = e->kernel->nodes[i];
        if (id != e->kernel->root && graph_node(e->graph, id)->op == OP_argmax) return id;
    }
    return NODE_NONE;
}

/* The place in [outer, inner] of column `number` of a unit. */
static Place *result_place(Emitter *e, const Reduction *r, LLVMValueRef unit, int number) {
    Place *place = place_new(e, (Shape){.rank = 2, .dim = {r->outer, r->inner}}, NULL);
    int64_t groups = vectors_of(e, r) / r->across;
    LLVMValueRef rows = groups == 1 ? unit : over(e, unit, groups);
    LLVMValueRef first_row = times(e, rows, r->down);
    place->axis[0] = coordinate_uniform(plus(e, first_row, number / r->across));
    if (r->inner == 1) return place;
    LLVMValueRef group = modulo(e, unit, groups);
    if (e->single) {
        place->axis[1] = coordinate_uniform(group);
        return place;
    }
    LLVMValueRef first = times(e, group, r->across * LANES);
    LLVMValueRef base = plus(e, first, number % r->across * LANES);
    place->axis[1] = (Coordinate){.base = base, .step = 1, .aligned = true};
    place->mask = lanes_below(e, base, r->inner);
    return place;
}

/* Reduces the columns of a unit, or its row, and stores what follows from the results. */
static void reduce_unit(Emitter *e, const Reduction *r, LLVMValueRef unit,
                        ReducedColumn columns[]) {
    LaneValue results[TREE_SUMS];
    if (r->node->op == OP_argmax)
        results[0] = argmax_columns(e, r, columns);
    else if (r->inner == 1)
        results[0] = reduce_row(e, r, unit);
    else
        reduce_columns(e, r, columns, results);
    NodeId beside = argmax_beside(e);
    LaneValue found = beside ? argmax_columns(e, r, columns) : (LaneValue){NULL, false};
    /* On a GPU, all threads of a row know its result, and one of them goes on with it. */
    If first_lane = if_begin(e, e->lane ? eq(e, e->lane, const_i64(e, 0)) : NULL);
    Region region = region_begin(e);
    if (beside) emit_set(e, beside, columns[0].place, found);
    for (int i = 0; i < r->together; i++) {
        emit_set(e, e->kernel->root, columns[i].place, results[i]);
        emit_stores(e, columns[i].place);
    }
    region_end(e, region);
    if_end(e, first_lane);
}

/* Columns that are reduced one after the other, by lines: the outer axes keep their coordinates, so
 * that those of the elements of windows take no division. */
static int64_t reduce_lines(Emitter *e, const Reduction *r, LLVMValueRef first, LLVMValueRef last) {
    Shape space = graph_operand(e->graph, r->node, 0)->shape;
    space.rank = r->node->attrs.axis + 1;
    space.dim[space.rank - 1] = r->inner;
    UnitLine line = unit_line(e, space);
    LineLoop loop = lines_begin(e, &line, first, last);
    ReducedColumn column = {.place = loop.place};
    reduce_unit(e, r, NULL, &column);
    lines_end(e, loop);
    return unit_line_count(&line);
}

int64_t kernel_reduce(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    Reduction r = reduction_of(e);
    if (r.inner > 1 && r.together == 1 && !e->threads) return reduce_lines(e, &r, first, last);
    Loop loop = units_begin(e, first);
    ReducedColumn columns[TREE_SUMS] = {0};
    for (int i = 0; i < r.together; i++) columns[i].place = result_place(e, &r, loop.index, i);
    reduce_unit(e, &r, loop.index, columns);
    units_end(e, loop, last);
    return r.outer * vectors_of(e, &r) / r.together;
}
