/* REDUCE kernels. The operand is seen as [outer, n, inner]. With inner > 1 lanes run along inner and every lane adds its own
 * column; with inner == 1 a unit is a row, lanes are the contract's sixteen partial results, and a fixed tree ends it. Sums of
 * more than SUM_BLOCK elements in a lane are made in blocks, which another tree adds. */
#include "codegen/kernels/kernels.h"
#include "ir/base/integers.h"

#include <assert.h>

typedef struct {
    const Node *node;
    NodeId operand;
    int64_t outer, n, inner;
    int across, down,
        together; /* vectors of columns that are computed side by side: of one of `outer`, of neighbouring ones, in all */
} Reduction;

enum { MOST_TOGETHER = 4 };

/* The largest power of two up to `most` that divides the count and leaves as many parts of all as there are to be. */
static int divisor(int64_t count, int most, int64_t all, int64_t parts) {
    while (most > 1 && (count % most != 0 || all < parts * most)) most /= 2;
    return most;
}

static int64_t vectors_of(const Reduction *r) { return divide_up(r->inner, LANES); }

/* Long columns side by side: their chains of additions overlap, and their lines of memory are neighbours if there are several
 * vectors. Units are left for as many threads as may come, or some. */
static void put_together(const Emitter *e, Reduction *r) {
    enum { LONG = 32, MOST_UNITS = 4, MOST_NODES = 64 };
    int64_t threads = e->kernel->max_threads, units = threads < MOST_UNITS ? threads : MOST_UNITS;
    int64_t vectors = vectors_of(r), all = r->outer * vectors;
    bool single = r->inner == 1 || r->node->op == OP_argmax || r->n < LONG || e->kernel->node_count > MOST_NODES;
    r->across = single ? 1 : divisor(vectors, MOST_TOGETHER, all, units);
    r->down = single ? 1 : divisor(r->outer, MOST_TOGETHER / r->across, all / r->across, units);
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

/* -- partial results: sums; or of the largest, keys: whole numbers in the order of the values, -0 below +0 and NaN above all,
 * since comparing those takes one instruction and a sixth of the time -- */

static LLVMValueRef in_lanes(LLVMValueRef scalar, bool lanes) {
    LLVMValueRef all[LANES];
    for (int i = 0; i < LANES; i++) all[i] = scalar;
    return lanes ? LLVMConstVector(all, LANES) : scalar;
}

static LLVMTypeRef partial_type(const Emitter *e, Op op, bool lanes) {
    LLVMTypeRef type = op == OP_sum ? e->f32 : e->i32;
    return lanes ? lanes_of(type) : type;
}

static LLVMValueRef start_value(const Emitter *e, Op op, bool lanes) {
    return in_lanes(op == OP_sum ? LLVMConstReal(e->f32, 0) : const_i32(e, INT32_MIN), lanes);
}

static LLVMValueRef combine(Emitter *e, Op op, LLVMValueRef a, LLVMValueRef b) {
    if (op == OP_sum) return LLVMBuildFAdd(e->builder, a, b, "");
    LLVMTypeRef type = LLVMTypeOf(a);
    return call_intrinsic(e, "llvm.smax", &type, 1, (LLVMValueRef[]){a, b}, 2);
}

/* The bits of a float as its key, and back: all but the sign is turned over where that is set. */
static LLVMValueRef turn_negative(Emitter *e, LLVMValueRef bits, bool lanes) {
    LLVMValueRef signs = LLVMBuildAShr(e->builder, bits, in_lanes(const_i32(e, 31), lanes), "");
    LLVMValueRef others = LLVMBuildLShr(e->builder, signs, in_lanes(const_i32(e, 1), lanes), "");
    return LLVMBuildXor(e->builder, bits, others, "");
}

static LLVMValueRef partial_of(Emitter *e, Op op, LLVMValueRef value, bool lanes) {
    enum { NAN_KEY = 0x7fc00000 };
    if (op == OP_sum) return value;
    LLVMValueRef key = turn_negative(e, LLVMBuildBitCast(e->builder, value, partial_type(e, op, lanes), ""), lanes);
    LLVMValueRef nan = LLVMBuildFCmp(e->builder, LLVMRealUNO, value, value, "");
    return LLVMBuildSelect(e->builder, nan, in_lanes(const_i32(e, NAN_KEY), lanes), key, "");
}

static Value result_of(Emitter *e, Op op, LLVMValueRef partial, bool lanes) {
    if (op == OP_sum) return (Value){partial, !lanes};
    LLVMValueRef bits = turn_negative(e, partial, lanes);
    return (Value){LLVMBuildBitCast(e->builder, bits, lanes ? lanes_of(e->f32) : e->f32, ""), !lanes};
}

/* The partial result in `slot` is combined with the operand at the place. */
static void accumulate(Emitter *e, const Reduction *r, LLVMValueRef slot, const Place *at, bool lanes) {
    Region region = region_begin(e);
    Value value = emit_value(e, r->operand, at);
    region_end(e, region);
    Op op = r->node->op;
    LLVMValueRef old = LLVMBuildLoad2(e->builder, partial_type(e, op, lanes), slot, "");
    LLVMValueRef each = partial_of(e, op, lanes ? value_splat(e, value) : value.value, lanes);
    LLVMValueRef sum = combine(e, op, old, each);
    if (lanes && at->mask) sum = LLVMBuildSelect(e->builder, at->mask, sum, old, "");
    LLVMBuildStore(e->builder, sum, slot);
}

/* Lanes [0, width) and [width, 2 width) are combined until one is left: w = 8, 4, 2, 1. */
static LLVMValueRef reduce_lanes(Emitter *e, Op op, LLVMValueRef vector) {
    for (unsigned width = LANES / 2; width >= 1; width /= 2) {
        LLVMValueRef low[LANES], high[LANES];
        for (unsigned i = 0; i < width; i++) low[i] = const_i32(e, (int32_t)i), high[i] = const_i32(e, (int32_t)(i + width));
        LLVMValueRef none = LLVMGetPoison(LLVMTypeOf(vector));
        LLVMValueRef a = LLVMBuildShuffleVector(e->builder, vector, none, LLVMConstVector(low, width), "");
        LLVMValueRef b = LLVMBuildShuffleVector(e->builder, vector, none, LLVMConstVector(high, width), "");
        vector = combine(e, op, a, b);
    }
    return LLVMBuildExtractElement(e->builder, vector, const_i32(e, 0), "");
}

/* -- long sums: the blocks' sums are added by a binary tree over their indices. While they come, one after the other, level l
 * holds the sum of 2^l of them where bit l of the number of blocks so far is set -- */

typedef struct {
    LLVMTypeRef type;
    int count; /* of sums side by side */
    LLVMValueRef slots[MOST_TOGETHER], levels[MOST_TOGETHER];
} BlockTree;

static bool in_blocks(const Reduction *r, int64_t block) { return r->node->op == OP_sum && r->n > block; }

static BlockTree tree_new(Emitter *e, LLVMTypeRef type, const LLVMValueRef *slots, int count, int64_t blocks) {
    BlockTree tree = {.type = type, .count = count};
    unsigned levels = 64 - (unsigned)__builtin_clzll((unsigned long long)blocks);
    for (int i = 0; i < count; i++) {
        tree.slots[i] = slots[i];
        tree.levels[i] = stack_slot(e, LLVMArrayType2(type, levels), 64);
    }
    return tree;
}

static LLVMValueRef tree_level(Emitter *e, const BlockTree *tree, int i, LLVMValueRef level) {
    return LLVMBuildGEP2(e->builder, tree->type, tree->levels[i], &level, 1, "");
}

/* slot = level + slot */
static void tree_combine(Emitter *e, const BlockTree *tree, LLVMValueRef level) {
    for (int i = 0; i < tree->count; i++) {
        LLVMValueRef before = LLVMBuildLoad2(e->builder, tree->type, tree_level(e, tree, i, level), "");
        LLVMValueRef sum = LLVMBuildLoad2(e->builder, tree->type, tree->slots[i], "");
        LLVMBuildStore(e->builder, LLVMBuildFAdd(e->builder, before, sum, ""), tree->slots[i]);
    }
}

/* Takes the sum of block number `block` out of the slot. Its index ends in as many ones as there are full levels below it. */
static void tree_take(Emitter *e, const BlockTree *tree, LLVMValueRef block) {
    LLVMValueRef zero = const_i64(e, 0),
                 count[] = {LLVMBuildNot(e->builder, block, ""), LLVMConstInt(LLVMInt1TypeInContext(e->context), 0, 0)};
    LLVMValueRef full = call_intrinsic(e, "llvm.cttz", &e->i64, 1, count, 2);
    If some = if_begin(e, LLVMBuildICmp(e->builder, LLVMIntNE, full, zero, ""));
    Loop loop = loop_begin(e, zero);
    tree_combine(e, tree, loop.index);
    loop_end(e, loop, full, 1);
    if_end(e, some);
    for (int i = 0; i < tree->count; i++) {
        LLVMValueRef sum = LLVMBuildLoad2(e->builder, tree->type, tree->slots[i], "");
        LLVMBuildStore(e->builder, sum, tree_level(e, tree, i, full));
    }
}

/* What is left on the levels is added into the slots, from the lowest level up. */
static void tree_finish(Emitter *e, const BlockTree *tree, int64_t blocks) {
    int first = __builtin_ctzll((unsigned long long)blocks);
    for (int i = 0; i < tree->count; i++) {
        LLVMValueRef level = tree_level(e, tree, i, const_i64(e, first));
        LLVMBuildStore(e->builder, LLVMBuildLoad2(e->builder, tree->type, level, ""), tree->slots[i]);
    }
    for (int level = first + 1; blocks >> level; level++)
        if (blocks >> level & 1) tree_combine(e, tree, const_i64(e, level));
}

/* The elements [from, to) of a row are added to the slot: [outer, n], lanes along n. */
static void add_row(Emitter *e, const Reduction *r, LLVMValueRef row, LLVMValueRef slot, LLVMValueRef from, LLVMValueRef to) {
    Loop loop = loop_begin(e, from);
    Place *at = place_new(e, (Shape){.rank = 2, .dim = {r->outer, r->n}}, lanes_below(e, loop.index, r->n));
    at->axis[0] = coordinate_uniform(row);
    at->axis[1] = (Coordinate){.base = loop.index, .step = 1, .aligned = true};
    accumulate(e, r, slot, at, true);
    loop_end(e, loop, to, LANES);
}

static void add_long_row(Emitter *e, const Reduction *r, LLVMValueRef row, LLVMValueRef slot, LLVMTypeRef type) {
    int64_t block = (int64_t)SUM_BLOCK * LANES, blocks = divide_up(r->n, block);
    BlockTree tree = tree_new(e, type, &slot, 1, blocks);
    Runs runs = runs_begin(e, const_i64(e, 0), const_i64(e, r->n), block);
    LLVMBuildStore(e->builder, start_value(e, r->node->op, true), slot);
    add_row(e, r, row, slot, runs.from, runs.to);
    tree_take(e, &tree, runs.loop.index);
    runs_end(e, runs);
    tree_finish(e, &tree, blocks);
}

/* One row. */
static Value reduce_row(Emitter *e, const Reduction *r, LLVMValueRef row) {
    Op op = r->node->op;
    LLVMTypeRef type = partial_type(e, op, true);
    LLVMValueRef slot = stack_slot(e, type, 64);
    if (in_blocks(r, (int64_t)SUM_BLOCK * LANES)) {
        add_long_row(e, r, row, slot, type);
    } else {
        LLVMBuildStore(e->builder, start_value(e, op, true), slot);
        add_row(e, r, row, slot, const_i64(e, 0), const_i64(e, r->n));
    }
    return result_of(e, op, reduce_lanes(e, op, LLVMBuildLoad2(e->builder, type, slot, "")), false);
}

/* Where the j-th element of the reduction at `place` (of shape [outer, inner]) is. */
static Place *element_place(Emitter *e, const Reduction *r, const Place *place, LLVMValueRef j) {
    Place *at = place_new(e, (Shape){.rank = 3, .dim = {r->outer, r->n, r->inner}}, place->mask);
    at->axis[0] = place->axis[0];
    at->axis[1] = coordinate_uniform(j);
    at->axis[2] = place->axis[1];
    return at;
}

/* Few elements are written out, so that their places differ by constants: the windows of a pool. */
static bool writes_out(const Emitter *e, const Reduction *r) {
    enum { MOST_ELEMENTS = 25, MOST_NODES = 256 };
    return r->n <= MOST_ELEMENTS && r->n * (e->kernel->node_count + 1) <= MOST_NODES;
}

/* One vector of columns (or one number) on its way through the elements; `slots` hold what is known of those before. */
typedef struct {
    const Place *place;
    LLVMValueRef slots[2];
} Column;

typedef void ElementBody(Emitter *e, const Reduction *r, const Column *column, LLVMValueRef j);

static void each_column(Emitter *e, const Reduction *r, const Column *columns, ElementBody *body, LLVMValueRef j) {
    for (int i = 0; i < r->together; i++) body(e, r, &columns[i], j);
}

/* The elements [from, to) of each column. */
static void each_between(Emitter *e, const Reduction *r, const Column *columns, ElementBody *body, LLVMValueRef from,
                         LLVMValueRef to) {
    Loop loop = loop_begin(e, from);
    each_column(e, r, columns, body, loop.index);
    loop_end(e, loop, to, 1);
}

static void each_element(Emitter *e, const Reduction *r, const Column *columns, ElementBody *body) {
    for (int64_t j = 0; writes_out(e, r) && j < r->n; j++) each_column(e, r, columns, body, const_i64(e, j));
    if (!writes_out(e, r)) each_between(e, r, columns, body, const_i64(e, 0), const_i64(e, r->n));
}

static void add_element(Emitter *e, const Reduction *r, const Column *column, LLVMValueRef j) {
    accumulate(e, r, column->slots[0], element_place(e, r, column->place, j), !place_uniform(column->place));
}

static void start_columns(Emitter *e, const Reduction *r, const Column *columns, bool lanes) {
    for (int i = 0; i < r->together; i++) LLVMBuildStore(e->builder, start_value(e, r->node->op, lanes), columns[i].slots[0]);
}

static void add_long_columns(Emitter *e, const Reduction *r, const Column *columns, LLVMTypeRef type) {
    int64_t blocks = divide_up(r->n, SUM_BLOCK);
    LLVMValueRef slots[MOST_TOGETHER];
    for (int i = 0; i < r->together; i++) slots[i] = columns[i].slots[0];
    BlockTree tree = tree_new(e, type, slots, r->together, blocks);
    Runs runs = runs_begin(e, const_i64(e, 0), const_i64(e, r->n), SUM_BLOCK);
    start_columns(e, r, columns, !place_uniform(columns[0].place));
    each_between(e, r, columns, add_element, runs.from, runs.to);
    tree_take(e, &tree, runs.loop.index);
    runs_end(e, runs);
    tree_finish(e, &tree, blocks);
}

/* Elements are added in ascending order, and long sums in blocks. */
static void reduce_columns(Emitter *e, const Reduction *r, Column *columns, Value *results) {
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
        results[i] = result_of(e, op, LLVMBuildLoad2(e->builder, type, columns[i].slots[0], ""), lanes);
}

/* Is b to replace a? b > a, or b is the first NaN. */
static LLVMValueRef replaces(Emitter *e, LLVMValueRef b, LLVMValueRef a) {
    LLVMValueRef greater_or_nan = LLVMBuildFCmp(e->builder, LLVMRealUGT, b, a, "");
    return LLVMBuildAnd(e->builder, LLVMBuildFCmp(e->builder, LLVMRealORD, a, a, ""), greater_or_nan, "");
}

static Value splat_if(Emitter *e, Value value, bool lanes) { return lanes ? (Value){value_splat(e, value), false} : value; }

static Value operand_element(Emitter *e, const Reduction *r, const Place *place, LLVMValueRef j) {
    Region region = region_begin(e);
    Value value = splat_if(e, emit_value(e, r->operand, element_place(e, r, place, j)), !place_uniform(place));
    region_end(e, region);
    return value;
}

/* slots: the largest element so far and its number */
static void compare_element(Emitter *e, const Reduction *r, const Column *column, LLVMValueRef j) {
    Value value = operand_element(e, r, column->place, j);
    Value number = splat_if(e, (Value){LLVMBuildTrunc(e->builder, j, e->i32, ""), true}, !value.uniform);
    LLVMValueRef old = LLVMBuildLoad2(e->builder, LLVMTypeOf(value.value), column->slots[0], ""),
                 old_number = LLVMBuildLoad2(e->builder, LLVMTypeOf(number.value), column->slots[1], "");
    LLVMValueRef better = replaces(e, value.value, old);
    LLVMBuildStore(e->builder, LLVMBuildSelect(e->builder, better, value.value, old, ""), column->slots[0]);
    LLVMBuildStore(e->builder, LLVMBuildSelect(e->builder, better, number.value, old_number, ""), column->slots[1]);
}

static Value argmax_columns(Emitter *e, const Reduction *r, Column *column) {
    bool lanes = !place_uniform(column->place);
    LLVMTypeRef value_type = lanes ? lanes_of(e->f32) : e->f32, index_type = lanes ? lanes_of(e->i32) : e->i32;
    column->slots[0] = stack_slot(e, value_type, 64), column->slots[1] = stack_slot(e, index_type, 64);
    LLVMBuildStore(e->builder, operand_element(e, r, column->place, const_i64(e, 0)).value, column->slots[0]);
    LLVMBuildStore(e->builder, LLVMConstNull(index_type), column->slots[1]);
    each_element(e, r, column, compare_element); /* element 0 again: harmless, and a loop needs no guard */
    return (Value){LLVMBuildLoad2(e->builder, index_type, column->slots[1], ""), !lanes};
}

/* Column `number` of a unit -> place of shape [outer, inner]. */
static Place *result_place(Emitter *e, const Reduction *r, LLVMValueRef unit, int number) {
    Place *place = place_new(e, (Shape){.rank = 2, .dim = {r->outer, r->inner}}, NULL);
    int64_t groups = vectors_of(r) / r->across;
    LLVMValueRef rows = groups == 1 ? unit : LLVMBuildUDiv(e->builder, unit, const_i64(e, groups), "");
    LLVMValueRef first_row = LLVMBuildMul(e->builder, rows, const_i64(e, r->down), "");
    place->axis[0] = coordinate_uniform(LLVMBuildAdd(e->builder, first_row, const_i64(e, number / r->across), ""));
    if (r->inner == 1) return place;
    LLVMValueRef group = LLVMBuildURem(e->builder, unit, const_i64(e, groups), "");
    LLVMValueRef first = LLVMBuildMul(e->builder, group, const_i64(e, r->across * LANES), "");
    LLVMValueRef base = LLVMBuildAdd(e->builder, first, const_i64(e, number % r->across * LANES), "");
    place->axis[1] = (Coordinate){.base = base, .step = 1, .aligned = true};
    place->mask = lanes_below(e, base, r->inner);
    return place;
}

int64_t kernel_reduce(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    Reduction r = reduction_of(e);
    Loop loop = loop_begin(e, first);
    Column columns[MOST_TOGETHER] = {0};
    Value results[MOST_TOGETHER];
    for (int i = 0; i < r.together; i++) columns[i].place = result_place(e, &r, loop.index, i);
    if (r.node->op == OP_argmax)
        results[0] = argmax_columns(e, &r, columns);
    else if (r.inner == 1)
        results[0] = reduce_row(e, &r, loop.index);
    else
        reduce_columns(e, &r, columns, results);
    for (int i = 0; i < r.together; i++) {
        emit_set(e, e->kernel->root, columns[i].place, results[i]);
        emit_stores(e, columns[i].place);
    }
    loop_end(e, loop, last, 1);
    return r.outer * vectors_of(&r) / r.together;
}
