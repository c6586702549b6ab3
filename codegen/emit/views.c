/* Views: maps a place of a view to the places of its operands. With several operands, or padding,
 * the value is selected lane by lane. */
#include "codegen/emit/arithmetic.h"

#include <string.h>

/* Whether the lanes are consecutive, and either all of them lie in [start, stop) or none does. */
static bool stays_together(Coordinate c, int64_t start, int64_t stop) {
    return !c.irregular && c.step == 1 && c.aligned && start % LANES == 0 && stop % LANES == 0;
}

/* start <= index < stop: an i1 for each lane, or a single one if all lanes agree. */
static LaneValue coordinate_within(Emitter *e, Coordinate c, int64_t start, int64_t stop) {
    bool uniform = (!c.irregular && c.step == 0) || stays_together(c, start, stop);
    LLVMValueRef index = uniform ? c.base : coordinate_vector(e, c);
    LLVMValueRef low = const_i64(e, start), size = const_i64(e, stop - start);
    if (!uniform)
        low = value_splat(e, (LaneValue){low, true}),
        size = value_splat(e, (LaneValue){size, true});
    LLVMValueRef from_start = sub(e, index, low);
    return (LaneValue){ult(e, from_start, size), uniform};
}

static LaneValue value_and(Emitter *e, LaneValue a, LaneValue b) {
    if (a.uniform && b.uniform) return (LaneValue){bit_and(e, a.value, b.value), true};
    return (LaneValue){bit_and(e, value_splat(e, a), value_splat(e, b)), false};
}

static LaneValue value_select(Emitter *e, LaneValue condition, LaneValue yes, LaneValue no) {
    if (condition.uniform && yes.uniform && no.uniform)
        return (LaneValue){choose(e, condition.value, yes.value, no.value), true};
    return (LaneValue){
        choose(e, value_splat(e, condition), value_splat(e, yes), value_splat(e, no)), false};
}

/* -distance, to be added to a coordinate. */
static Coordinate distance_back(Emitter *e, int64_t distance) {
    Coordinate back = coordinate_uniform(const_i64(e, -distance));
    back.aligned = distance % LANES == 0;
    return back;
}

/* Turns the place's coordinate along an axis into that of an operand, which begins at `start` and
 * has `size` elements there. Returns which lanes are inside the operand. Lanes outside must not be
 * read. If lanes differ, those outside are masked. If all lanes agree, the index of lanes outside
 * becomes 0. */
static LaneValue move_inside(Emitter *e, Place *at, int axis, int64_t start, int64_t size) {
    Coordinate *c = &at->axis[axis];
    LaneValue inside = coordinate_within(e, *c, start, start + size);
    *c = coordinate_add(e, *c, distance_back(e, start));
    c->aligned &= inside.uniform;
    if (inside.uniform)
        c->base = choose(e, inside.value, c->base, const_i64(e, 0));
    else
        at->mask = at->mask ? bit_and(e, at->mask, inside.value) : inside.value;
    return inside;
}

/* The operand of a pad is read where the place is inside it; elsewhere the result is 0. */
static Source pad_source(Emitter *e, const Node *node, const Place *place) {
    Shape shape = graph_operand(e->graph, node, 0)->shape;
    place = place_in_shape(e, place, node->shape);
    Place *at = place_new(e, shape, place->mask);
    memcpy(at->axis, place->axis, sizeof at->axis);
    LaneValue inside = {LLVMConstInt(e->i1, 1, false), true};
    for (int i = 0; i < shape.rank; i++)
        if (shape.dim[i] != node->shape.dim[i])
            inside = value_and(e, inside,
                               move_inside(e, at, i, node->attrs.pad.before[i], shape.dim[i]));
    return (Source){at, inside};
}

/* Where a part of a concat begins along its axis, and its size. */
typedef struct {
    int64_t start, size;
} PartExtent;

static PartExtent part_extent(const Emitter *e, const Node *concat, uint32_t part) {
    int axis = concat->attrs.axis;
    PartExtent extent = {0, graph_operand(e->graph, concat, part)->shape.dim[axis]};
    for (uint32_t i = 0; i < part; i++)
        extent.start += graph_operand(e->graph, concat, i)->shape.dim[axis];
    return extent;
}

bool concat_part_known(const Emitter *e, const Node *concat, const Place *place) {
    return e->part.of == concat && e->part.place == place;
}

/* The place in a part of a concat, whose index is smaller by the start of the part. If it is not
 * known which part the lanes are in, the source has a mask of those in this part. */
static Source concat_source(Emitter *e, const Node *node, uint32_t operand, const Place *place) {
    int axis = node->attrs.axis;
    PartExtent extent = part_extent(e, node, operand);
    bool known = concat_part_known(e, node, place);
    place = place_in_shape(e, place, node->shape);
    Place *at = place_new(e, graph_operand(e->graph, node, operand)->shape, place->mask);
    memcpy(at->axis, place->axis, sizeof at->axis);
    if (!known) return (Source){at, move_inside(e, at, axis, extent.start, extent.size)};
    at->axis[axis] = coordinate_add(e, at->axis[axis], distance_back(e, extent.start));
    return (Source){.place = at};
}

/* The size that all parts have; 0 if they differ. */
static int64_t equal_size(const Emitter *e, const Node *concat) {
    int64_t size = part_extent(e, concat, 0).size;
    bool equal = size * concat->operand_count == concat->shape.dim[concat->attrs.axis];
    for (uint32_t i = 1; equal && i < concat->operand_count; i++)
        equal = part_extent(e, concat, i).size == size;
    return equal ? size : 0;
}

/* Whether all lanes are in the same part, wherever the coordinate begins. */
static bool parts_stay_together(const Emitter *e, const Node *concat, Coordinate c) {
    if (!c.irregular && c.step == 0) return true;
    for (uint32_t i = 0; i < concat->operand_count; i++) {
        PartExtent extent = part_extent(e, concat, i);
        if (!stays_together(c, extent.start, extent.start + extent.size)) return false;
    }
    return true;
}

/* index / size if all parts have one size; else the number of parts after the first that begin at
 * or before the index. */
LLVMValueRef concat_part_number(Emitter *e, const Node *concat, const Place *place) {
    Coordinate c = place_in_shape(e, place, concat->shape)->axis[concat->attrs.axis];
    int64_t size = equal_size(e, concat);
    LLVMValueRef number = const_i64(e, 0);
    if (!parts_stay_together(e, concat, c)) return NULL;
    if (size) return over(e, c.base, size);
    for (uint32_t i = 1; i < concat->operand_count; i++) {
        LLVMValueRef begun = ge(e, c.base, const_i64(e, part_extent(e, concat, i).start));
        number = add(e, number, LLVMBuildZExt(e->builder, begun, e->i64, ""));
    }
    return number;
}

/* Whether a view is a concat of single columns in memory, and the lanes are whole rows of it. Each
 * of the P parts then holds LANES / P consecutive elements of the lanes. */
static bool interleaves(const Emitter *e, const Node *node, const Place *place) {
    bool single = node->op == OP_concat && node->attrs.axis == node->shape.rank - 1 &&
                  equal_size(e, node) == 1;
    uint32_t parts = node->operand_count;
    if (!single || parts > LANES / 2 || LANES % parts != 0 || node->dtype == DTYPE_BOOL ||
        !place_contiguous(place))
        return false;
    for (uint32_t i = 0; i < parts; i++) {
        Storage storage = e->plan->storage[node->operands[i]];
        if (emit_computes(e, node->operands[i]) || storage.kind != STORAGE_SLAB ||
            storage.layout.kind != LAYOUT_PLAIN)
            return false;
    }
    return true;
}

/* Interleaves a vector in which the parts follow each other: first element 0 of every part, then
 * element 1, ... */
static LLVMValueRef interleaved(Emitter *e, LLVMValueRef all, unsigned parts) {
    LLVMValueRef lanes[LANES];
    for (unsigned i = 0; i < LANES; i++)
        lanes[i] = const_i32(e, (int32_t)(i % parts * (LANES / parts) + i / parts));
    return LLVMBuildShuffleVector(e->builder, all, LLVMGetPoison(LLVMTypeOf(all)),
                                  LLVMConstVector(lanes, LANES), "");
}

LaneValue view_interleaved(Emitter *e, const Node *node, const Place *place) {
    LLVMValueRef parts[LANES];
    unsigned count = node->operand_count, each = LANES / (count ? count : 1);
    if (!interleaves(e, node, place)) return (LaneValue){NULL, false};
    LLVMTypeRef type = dtype_type(e, node->dtype, true);
    LLVMValueRef first = over(e, place_linear(e, place).base, count);
    for (unsigned i = 0; i < count; i++) {
        LLVMValueRef base = storage_base(e, e->plan->storage[node->operands[i]]);
        parts[i] =
            load(e, LLVMVectorType(type, each), element_pointer(e, base, node->dtype, first));
        LLVMSetAlignment(parts[i], (unsigned)dtype_bytes(node->dtype));
    }
    for (; count > 1; count /= 2, each *= 2)
        for (unsigned i = 0; i < count / 2; i++)
            parts[i] = lanes_from(e, parts[2 * i], parts[2 * i + 1], 0, (int)(2 * each));
    return (LaneValue){interleaved(e, parts[0], node->operand_count), false};
}

Coordinate gathered_index(Emitter *e, LaneValue index, int64_t size) {
    LLVMValueRef limits[] = {const_i32(e, 0), const_i32(e, (int32_t)(size - 1))};
    if (!index.uniform)
        for (int i = 0; i < 2; i++) limits[i] = value_splat(e, (LaneValue){limits[i], true});
    LLVMValueRef inside = min(e, max(e, index.value, limits[0]), limits[1]);
    LLVMValueRef wide =
        LLVMBuildSExt(e->builder, inside, index.uniform ? e->i64 : lanes_of(e->i64), "");
    return (Coordinate){.base = wide, .irregular = !index.uniform};
}

/* The place in an operand of a gather. The index has the place of the result; the other operand has
 * the index that was loaded along the axis. */
static Source gather_source(Emitter *e, const Node *node, uint32_t operand, const Place *place) {
    if (operand == GATHER_INDEX) return (Source){.place = place};
    Shape shape = graph_operand(e->graph, node, operand)->shape;
    int axis = node->attrs.axis;
    LaneValue index = memo_find(e, node->operands[GATHER_INDEX], place);
    place = place_in_shape(e, place, node->shape);
    Place *at = place_new(e, shape, place->mask);
    memcpy(at->axis, place->axis, sizeof at->axis);
    at->axis[axis] = gathered_index(e, index, shape.dim[axis]);
    return (Source){.place = at};
}

Source view_source(Emitter *e, const Node *node, uint32_t operand, const Place *place) {
    if (node->op == OP_pad) return pad_source(e, node, place);
    if (node->op == OP_concat) return concat_source(e, node, operand, place);
    if (node->op == OP_gather) return gather_source(e, node, operand, place);
    return (Source){.place = place_through_view(e, node, place)};
}

LaneValue view_choose(Emitter *e, const Node *node, const Source *sources,
                      const LaneValue *operands) {
    LaneValue result = {LLVMConstNull(dtype_type(e, node->dtype, false)), true};
    if (node->op == OP_gather) return operands[0];
    for (uint32_t i = 0; i < node->operand_count; i++)
        if (sources[i].place)
            result = sources[i].inside.value
                         ? value_select(e, sources[i].inside, operands[i], result)
                         : operands[i];
    return result;
}
