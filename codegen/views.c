/* Views: where the operands are read that a view takes its elements from, and, where there are several or there is padding,
 * the choice between them, lane by lane. */
#include "codegen/emit.h"

#include <string.h>

/* start <= index < stop, lane by lane (or a scalar for uniform indices) */
static Value coordinate_within(Emitter *e, Coordinate c, int64_t start, int64_t stop) {
    bool uniform = !c.irregular && c.step == 0;
    LLVMValueRef index = uniform ? c.base : coordinate_vector(e, c);
    LLVMValueRef low = const_i64(e, start), size = const_i64(e, stop - start);
    if (!uniform) low = value_splat(e, (Value){low, true}), size = value_splat(e, (Value){size, true});
    LLVMValueRef from_start = LLVMBuildSub(e->builder, index, low, "");
    return (Value){LLVMBuildICmp(e->builder, LLVMIntULT, from_start, size, ""), uniform};
}

static Value value_and(Emitter *e, Value a, Value b) {
    if (a.uniform && b.uniform) return (Value){LLVMBuildAnd(e->builder, a.value, b.value, ""), true};
    return (Value){LLVMBuildAnd(e->builder, value_splat(e, a), value_splat(e, b), ""), false};
}

static Value value_select(Emitter *e, Value condition, Value yes, Value no) {
    if (condition.uniform && yes.uniform && no.uniform)
        return (Value){LLVMBuildSelect(e->builder, condition.value, yes.value, no.value, ""), true};
    return (Value){LLVMBuildSelect(e->builder, value_splat(e, condition), value_splat(e, yes), value_splat(e, no), ""), false};
}

/* A coordinate that is 0 where `inside` does not hold, so that reading there is harmless. */
static Coordinate coordinate_guard(Emitter *e, Coordinate c, Value inside) {
    bool uniform = inside.uniform && !c.irregular && c.step == 0;
    if (uniform) return coordinate_uniform(LLVMBuildSelect(e->builder, inside.value, c.base, const_i64(e, 0), ""));
    LLVMValueRef zero = LLVMConstNull(lanes_of(e->i64));
    LLVMValueRef guarded = LLVMBuildSelect(e->builder, value_splat(e, inside), coordinate_vector(e, c), zero, "");
    return (Coordinate){.base = guarded, .irregular = true};
}

/* Inside the padding the operand is read at its place, outside at element 0, and the value not used. */
static Source pad_source(Emitter *e, const Node *node, const Place *place) {
    Shape shape = graph_operand(e->graph, node, 0)->shape;
    place = place_in_shape(e, place, node->shape);
    Place *at = place_new(e, shape, place->mask);
    Value inside = {LLVMConstInt(e->i1, 1, false), true};
    for (int i = 0; i < shape.rank; i++) {
        int64_t before = node->attrs.a[i];
        at->axis[i] = place->axis[i];
        if (shape.dim[i] == node->shape.dim[i]) continue;
        inside = value_and(e, inside, coordinate_within(e, place->axis[i], before, before + shape.dim[i]));
        at->axis[i] = coordinate_add(e, place->axis[i], coordinate_uniform(const_i64(e, -before)));
    }
    for (int i = 0; i < shape.rank; i++)
        if (shape.dim[i] != node->shape.dim[i]) at->axis[i] = coordinate_guard(e, at->axis[i], inside);
    return (Source){at, inside};
}

static Source concat_source(Emitter *e, const Node *node, uint32_t operand, const Place *place) {
    int axis = node->attrs.axis;
    Shape shape = graph_operand(e->graph, node, operand)->shape;
    int64_t start = 0;
    for (uint32_t i = 0; i < operand; i++) start += graph_operand(e->graph, node, i)->shape.dim[axis];
    place = place_in_shape(e, place, node->shape);
    Place *at = place_new(e, shape, place->mask);
    memcpy(at->axis, place->axis, sizeof at->axis);
    Value inside = coordinate_within(e, place->axis[axis], start, start + shape.dim[axis]);
    Coordinate moved = coordinate_add(e, place->axis[axis], coordinate_uniform(const_i64(e, -start)));
    at->axis[axis] = coordinate_guard(e, moved, inside);
    return (Source){at, inside};
}

/* The index, which is known by now, within the axis. */
static Coordinate gathered_index(Emitter *e, Value index, int64_t size) {
    LLVMTypeRef type = LLVMTypeOf(index.value);
    LLVMValueRef limits[] = {const_i32(e, 0), const_i32(e, (int32_t)(size - 1))};
    if (!index.uniform)
        for (int i = 0; i < 2; i++) limits[i] = value_splat(e, (Value){limits[i], true});
    LLVMValueRef low[] = {index.value, limits[0]};
    LLVMValueRef high[] = {call_intrinsic(e, "llvm.smax", &type, 1, low, 2), limits[1]};
    LLVMValueRef inside = call_intrinsic(e, "llvm.smin", &type, 1, high, 2);
    LLVMValueRef wide = LLVMBuildSExt(e->builder, inside, index.uniform ? e->i64 : lanes_of(e->i64), "");
    return (Coordinate){.base = wide, .irregular = !index.uniform};
}

static Source gather_source(Emitter *e, const Node *node, uint32_t operand, const Place *place) {
    if (operand == GATHER_INDEX) return (Source){.place = place};
    Shape shape = graph_operand(e->graph, node, operand)->shape;
    int axis = node->attrs.axis;
    Value index = memo_find(e, node->operands[GATHER_INDEX], place);
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

Value view_choose(Emitter *e, const Node *node, const Source *sources, const Value *operands) {
    Value result = {LLVMConstNull(dtype_type(e, node->dtype, false)), true};
    if (node->op == OP_gather) return operands[0];
    for (uint32_t i = 0; i < node->operand_count; i++)
        result = sources[i].inside.value ? value_select(e, sources[i].inside, operands[i], result) : operands[i];
    return result;
}
