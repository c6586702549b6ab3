/* The value of a node at a place: computed if it belongs to the kernel, loaded otherwise, and remembered. */
#include "codegen/emit.h"

#include <assert.h>
#include <string.h>

/* -- memos: what is known in the code emitted so far -- */

typedef struct {
    NodeId node;
    const Place *place;
    Value value;           /* of the node at the place; NULL if only `through` is known */
    const Place *through;  /* for views: the operand's place */
} MemoEntry;

struct Memo {
    MemoEntry *entries;
    uint32_t count, capacity, *slots, slot_count;
};

static uint32_t memo_hash(NodeId node, const Place *place) {
    uint64_t mixed = ((uint64_t)(uintptr_t)place >> 4) * 0x9E3779B97F4A7C15u + node * 0xC2B2AE3D27D4EB4Fu;
    return (uint32_t)(mixed >> 32);
}

static void memo_rehash(Emitter *e, Memo *memo) {
    memo->slot_count = memo->slot_count ? 2 * memo->slot_count : 64;
    memo->slots = ARENA_ARRAY(e->arena, uint32_t, memo->slot_count);
    for (uint32_t i = 0; i < memo->count; i++) {
        uint32_t at = memo_hash(memo->entries[i].node, memo->entries[i].place) & (memo->slot_count - 1);
        while (memo->slots[at]) at = (at + 1) & (memo->slot_count - 1);
        memo->slots[at] = i + 1;
    }
}

static void memo_reserve(Emitter *e, Memo *memo) {
    if (memo->count == memo->capacity) {
        memo->capacity = memo->capacity ? 2 * memo->capacity : 32;
        MemoEntry *grown = ARENA_ARRAY(e->arena, MemoEntry, memo->capacity);
        if (memo->count) memcpy(grown, memo->entries, memo->count * sizeof *grown);
        memo->entries = grown;
    }
    if (2 * memo->count >= memo->slot_count) memo_rehash(e, memo);
}

/* The entry of (node, place), made if it is not there. Valid until the next call. */
static MemoEntry *memo_entry(Emitter *e, NodeId node, const Place *place) {
    Memo *memo = e->memo;
    memo_reserve(e, memo);
    uint32_t at = memo_hash(node, place) & (memo->slot_count - 1);
    for (; memo->slots[at]; at = (at + 1) & (memo->slot_count - 1)) {
        MemoEntry *entry = &memo->entries[memo->slots[at] - 1];
        if (entry->node == node && entry->place == place) return entry;
    }
    memo->entries[memo->count] = (MemoEntry){.node = node, .place = place};
    memo->slots[at] = ++memo->count;
    return &memo->entries[memo->count - 1];
}

Region region_begin(Emitter *e) {
    Region region = {e->memo};
    e->memo = ARENA_NEW(e->arena, Memo);
    return region;
}

void region_end(Emitter *e, Region region) { e->memo = region.memo; }

void emit_set(Emitter *e, NodeId node, const Place *place, Value value) { memo_entry(e, node, place)->value = value; }

/* -- kernels -- */

void emit_begin_kernel(Emitter *e, const Kernel *kernel) {
    e->arena = arena_new();
    e->kernel = kernel;
    e->inside = ARENA_ARRAY(e->arena, bool, e->graph->node_count);
    for (uint32_t i = 0; i < kernel->node_count; i++) e->inside[kernel->nodes[i]] = true;
    e->inputs = ARENA_ARRAY(e->arena, LLVMValueRef, e->graph->symbol_count);
    e->states = ARENA_ARRAY(e->arena, LLVMValueRef, e->plan->state_count);
    e->slab = e->outputs = e->rows = NULL;
    e->memo = ARENA_NEW(e->arena, Memo);
}

void emit_end_kernel(Emitter *e) {
    arena_free(e->arena);
    e->arena = NULL;
}

/* -- values -- */

static Value constant_value(Emitter *e, const Node *node) {
    LLVMTypeRef type = dtype_type(e, node->dtype, false);
    if (node->dtype == DTYPE_F32) {
        LLVMValueRef bits = LLVMConstInt(e->i32, node->attrs.value.bits, false);
        return (Value){LLVMConstBitCast(bits, type), true};
    }
    return (Value){LLVMConstInt(type, node->attrs.value.bits, false), true};
}

static Value iota_value(Emitter *e, const Node *node, const Place *place) {
    Coordinate index = place_in_shape(e, place, node->shape)->axis[node->attrs.axis];
    if (!index.irregular && index.step == 0) return (Value){LLVMBuildTrunc(e->builder, index.base, e->i32, ""), true};
    return (Value){LLVMBuildTrunc(e->builder, coordinate_vector(e, index), lanes_of(e->i32), ""), false};
}

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

static Value zero_value(Emitter *e, DType dtype) { return (Value){LLVMConstNull(dtype_type(e, dtype, false)), true}; }

/* Inside the padding the operand is read at its place, outside at element 0 and the value not used. */
static Value pad_value(Emitter *e, const Node *node, const Place *place) {
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
    return value_select(e, inside, emit_value(e, node->operands[0], at), zero_value(e, node->dtype));
}

static Value concat_value(Emitter *e, const Node *node, const Place *place) {
    int axis = node->attrs.axis;
    place = place_in_shape(e, place, node->shape);
    Value result = zero_value(e, node->dtype);
    int64_t start = 0;
    for (uint32_t i = 0; i < node->operand_count; i++) {
        Shape shape = graph_operand(e->graph, node, i)->shape;
        Place *at = place_new(e, shape, place->mask);
        memcpy(at->axis, place->axis, sizeof at->axis);
        Value inside = coordinate_within(e, place->axis[axis], start, start + shape.dim[axis]);
        Coordinate moved = coordinate_add(e, place->axis[axis], coordinate_uniform(const_i64(e, -start)));
        at->axis[axis] = coordinate_guard(e, moved, inside);
        result = value_select(e, inside, emit_value(e, node->operands[i], at), result);
        start += shape.dim[axis];
    }
    return result;
}

static const Place *view_place(Emitter *e, NodeId id, const Place *place) {
    const Place *through = memo_entry(e, id, place)->through;
    if (through) return through;
    through = place_through_view(e, graph_node(e->graph, id), place);
    memo_entry(e, id, place)->through = through;
    return through;
}

static Value view_value(Emitter *e, NodeId id, const Place *place) {
    const Node *node = graph_node(e->graph, id);
    if (node->op == OP_pad) return pad_value(e, node, place);
    if (node->op == OP_concat) return concat_value(e, node, place);
    return emit_value(e, node->operands[0], view_place(e, id, place));
}

static Value compute(Emitter *e, NodeId id, const Place *place) {
    const Node *node = graph_node(e->graph, id);
    if (node->op == OP_constant) return constant_value(e, node);
    if (node->op == OP_iota) return iota_value(e, node, place);
    if (!e->inside[id]) return load_at(e, id, e->plan->storage[id], place);
    if (op_class(node->op) == CLASS_VIEW) return view_value(e, id, place);
    assert(op_class(node->op) == CLASS_ELEMENTWISE && "only elementwise ops and views are computed at a place");
    Value operands[3];
    for (uint32_t i = 0; i < node->operand_count; i++) operands[i] = emit_value(e, node->operands[i], place);
    return emit_elementwise(e, node, operands);
}

Value emit_value(Emitter *e, NodeId id, const Place *place) {
    Value known = memo_entry(e, id, place)->value;
    if (known.value) return known;
    Value value = compute(e, id, place);
    emit_set(e, id, place, value);
    return value;
}

/* Nodes that the stores need at the kernel's own place are computed in ascending order: chains of any length need no stack. */
static void emit_in_order(Emitter *e, const Place *place) {
    const Kernel *kernel = e->kernel;
    bool *needed = ARENA_ARRAY(e->arena, bool, e->graph->node_count);
    for (uint32_t i = 0; i < kernel->store_count; i++) needed[kernel->stores[i].node] = true;
    for (uint32_t i = kernel->node_count; i-- > 0;) {
        const Node *node = graph_node(e->graph, kernel->nodes[i]);
        bool follow = needed[kernel->nodes[i]] && kernel->nodes[i] != kernel->root && op_class(node->op) == CLASS_ELEMENTWISE;
        for (uint32_t j = 0; follow && j < node->operand_count; j++) needed[node->operands[j]] = true;
    }
    for (uint32_t i = 0; i < kernel->node_count; i++)
        if (needed[kernel->nodes[i]]) emit_value(e, kernel->nodes[i], place);
}

const Value *emit_store_values(Emitter *e, const Place *place) {
    emit_in_order(e, place);
    Value *values = ARENA_ARRAY(e->arena, Value, e->kernel->store_count);
    for (uint32_t i = 0; i < e->kernel->store_count; i++) values[i] = emit_value(e, e->kernel->stores[i].node, place);
    return values;
}

void emit_stores(Emitter *e, const Place *place) {
    const Kernel *kernel = e->kernel;
    const Value *values = emit_store_values(e, place);
    for (uint32_t i = 0; i < kernel->store_count; i++) store_at(e, kernel->stores[i].node, kernel->stores[i].to, place, values[i]);
}
