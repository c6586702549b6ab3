/* SCAN kernels: cumsum and scatter_add along the middle axis of [outer, n, inner].
 *
 *     cumsum:       sum = 0 (in f64); for j < n: sum += x[j]; y[j] = sum
 *     scatter_add:  for i < size: y[i] = 0; for j < n: y[index[j]] += x[j]
 *
 * A unit is a vector of columns along inner or, with inner == 1, a row. With single elements it is
 * a column. One thread computes a whole unit. The values that the kernel computes from y of
 * scatter_add come after the loops. */
#include "codegen/kernels/kernels.h"

typedef struct {
    const Node *node;
    int64_t outer, inner;
    int64_t taken; /* elements of the operand along the axis */
    int64_t size;  /* elements of the result */
} Scan;

/* Whether a unit is a vector of columns. */
static bool has_lanes(const Emitter *e, const Scan *s) { return s->inner != 1 && !e->single; }

static int64_t units_along_inner(const Emitter *e, const Scan *s) {
    return e->single ? s->inner : divide_up(s->inner, LANES);
}

typedef void ScanColumn(Emitter *e, const Scan *s, const Place *column);

/* The place in [outer, inner] of a unit. */
static Place *column_place(Emitter *e, const Scan *s, LLVMValueRef unit) {
    Place *place = place_new(e, (Shape){.rank = 2, .dim = {s->outer, s->inner}}, NULL);
    place->axis[0] = coordinate_uniform(unit);
    if (s->inner == 1) return place;
    LLVMValueRef vectors = const_i64(e, units_along_inner(e, s));
    LLVMValueRef vector = urem(e, unit, vectors);
    place->axis[0] = coordinate_uniform(udiv(e, unit, vectors));
    place->axis[1] = coordinate_uniform(vector);
    if (e->single) return place;
    LLVMValueRef base = times(e, vector, LANES);
    place->axis[1] = (Coordinate){.base = base, .step = 1, .aligned = true};
    place->mask = lanes_below(e, base, s->inner);
    return place;
}

/* The place of element j of a column that has `size` elements along the axis. */
static Place *element_place(Emitter *e, const Scan *s, const Place *column, Coordinate j,
                            int64_t size) {
    Place *place =
        place_new(e, (Shape){.rank = 3, .dim = {s->outer, size, s->inner}}, column->mask);
    place->axis[0] = column->axis[0];
    place->axis[1] = j;
    place->axis[2] = column->axis[1];
    return place;
}

static LaneValue in_lanes(Emitter *e, const Scan *s, LaneValue value) {
    return has_lanes(e, s) ? (LaneValue){value_splat(e, value), false} : value;
}

/* for each j: sum += x[j]; y[j] = sum */
static void scan_cumsum(Emitter *e, const Scan *s, const Place *column) {
    LLVMTypeRef wide = LLVMDoubleTypeInContext(e->context), narrow = e->f32;
    bool lanes = has_lanes(e, s);
    if (lanes) wide = lanes_of(wide), narrow = lanes_of(narrow);
    LLVMValueRef slot = stack_slot(e, wide, lanes ? LANES * 8 : 8);
    store(e, LLVMConstNull(wide), slot);
    Loop loop = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    const Place *at = element_place(e, s, column, coordinate_uniform(loop.index), s->size);
    LLVMValueRef element = in_lanes(e, s, emit_value(e, s->node->operands[0], at)).value;
    LLVMValueRef sum = load(e, wide, slot);
    sum = fadd(e, sum, LLVMBuildFPExt(e->builder, element, wide, ""));
    store(e, sum, slot);
    emit_set(e, e->kernel->root, at,
             (LaneValue){LLVMBuildFPTrunc(e->builder, sum, narrow, ""), !lanes});
    emit_stores(e, at);
    region_end(e, region);
    loop_end(e, loop, const_i64(e, s->size), 1);
}

/* -- scatter_add works on the result in memory -- */

static Storage column_storage(const Emitter *e) { return e->plan->storage[e->kernel->root]; }

/* for each j: y[index[j]] += x[j] */
static void scatter_elements(Emitter *e, const Scan *s, const Place *column) {
    NodeId root = e->kernel->root;
    Loop loop = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    const Place *from = element_place(e, s, column, coordinate_uniform(loop.index), s->taken);
    LaneValue element = emit_value(e, s->node->operands[0], from),
              index = emit_value(e, s->node->operands[1], from);
    const Place *to = element_place(e, s, column, gathered_index(e, index, s->size), s->size);
    LLVMValueRef old = in_lanes(e, s, load_at(e, root, column_storage(e), to)).value;
    LaneValue sum = {fadd(e, old, in_lanes(e, s, element).value), !has_lanes(e, s)};
    store_at(e, root, column_storage(e), to, sum);
    region_end(e, region);
    loop_end(e, loop, const_i64(e, s->taken), 1);
}

/* If the kernel stores more than the result: its other values, from the finished column. */
static void scatter_epilogue(Emitter *e, const Scan *s, const Place *column) {
    if (e->kernel->store_count == 1) return;
    Loop loop = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    const Place *at = element_place(e, s, column, coordinate_uniform(loop.index), s->size);
    emit_set(e, e->kernel->root, at, load_at(e, e->kernel->root, column_storage(e), at));
    emit_stores(e, at);
    region_end(e, region);
    loop_end(e, loop, const_i64(e, s->size), 1);
}

static void scan_scatter_add(Emitter *e, const Scan *s, const Place *column) {
    Loop loop = loop_begin(e, const_i64(e, 0));
    const Place *at = element_place(e, s, column, coordinate_uniform(loop.index), s->size);
    store_at(e, e->kernel->root, column_storage(e), at,
             (LaneValue){LLVMConstReal(e->f32, 0), true});
    loop_end(e, loop, const_i64(e, s->size), 1);
    scatter_elements(e, s, column);
    scatter_epilogue(e, s, column);
}

static ScanColumn *const scans[OP_COUNT] = {
#define OP_SCAN(name, arity, rule, gradient, doc) [OP_##name] = scan_##name,
#include "ir/ops/ops.def"
};

int64_t kernel_scan(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    const Node *node = graph_node(e->graph, e->kernel->root);
    int axis = node->attrs.axis;
    int64_t taken = graph_operand(e->graph, node, 0)->shape.dim[axis];
    Scan s = (Scan){node, shape_outer(node->shape, axis), shape_inner(node->shape, axis), taken,
                    node->shape.dim[axis]};
    Loop loop = units_begin(e, first);
    scans[s.node->op](e, &s, column_place(e, &s, loop.index));
    units_end(e, loop, last);
    return s.outer * units_along_inner(e, &s);
}
