/* Loads and stores: computes an address from a place and a storage. Consecutive lanes become one
 * vector access, equal lanes a scalar access, and all others a gather or scatter. */
#include "codegen/emit/arithmetic.h"

#include <llvm-c/Target.h>
#include <stddef.h>
#include <string.h>

enum { CACHE_LINE = 64 };

static LLVMValueRef bytes_after(Emitter *e, LLVMValueRef base, LLVMValueRef bytes) {
    return LLVMBuildGEP2(e->builder, e->i8, base, &bytes, 1, "");
}

LLVMValueRef word_after(Emitter *e, LLVMValueRef base, size_t count) {
    return bytes_after(e, base, const_i64(e, (int64_t)(count * e->word_bytes)));
}

/* The pointer in a field of StepArgs, given by the field's byte offset on this machine. */
static LLVMValueRef argument_pointer(Emitter *e, size_t field) {
    LLVMValueRef at = word_after(e, LLVMGetParam(e->function, 0), field / sizeof(void *));
    return load(e, e->global, at);
}

/* Moves the builder to the entry block, whose values all blocks can use; returns where it was. */
static LLVMBasicBlockRef go_to_entry(Emitter *e) {
    LLVMBasicBlockRef here = LLVMGetInsertBlock(e->builder);
    LLVMPositionBuilderBefore(e->builder, LLVMGetBasicBlockTerminator(e->entry));
    return here;
}

/* The value in entry `number` of the kernel's table. */
static LLVMValueRef table_entry(Emitter *e, uint32_t number) {
    return load(e, e->word, word_after(e, LLVMGetParam(e->function, 3), number));
}

/* The address of a binding: a base from StepArgs, plus the offset in entry `number` of the kernel's
 * table. */
static LLVMValueRef bound_address(Emitter *e, const StorageBinding *binding, uint32_t number) {
    static const size_t fields[] = {[STORAGE_SLAB] = offsetof(StepArgs, slab),
                                    [STORAGE_OUTPUT] = offsetof(StepArgs, outputs),
                                    [STORAGE_STATE] = offsetof(StepArgs, states),
                                    [STORAGE_INPUT] = offsetof(StepArgs, inputs)};
    StorageKind kind = binding->kind;
    LLVMBasicBlockRef here = go_to_entry(e);
    LLVMValueRef base =
        argument_pointer(e, binding->replicated ? offsetof(StepArgs, thread_slab) : fields[kind]);
    LLVMValueRef address = bytes_after(e, base, table_entry(e, number));
    bool is_pointer = (kind == STORAGE_STATE && !e->shipped) || kind == STORAGE_INPUT;
    if (is_pointer) address = load(e, e->global, address);
    LLVMPositionBuilderAtEnd(e->builder, here);
    return address;
}

/* The bits of a constant in an entry of the kernel's table. The table is filled in when the program
 * is made, so that programs with other constants have the same code. */
static LLVMValueRef table_constant(Emitter *e, NodeId id, uint32_t number) {
    LLVMBasicBlockRef here = go_to_entry(e);
    DType dtype = graph_node(e->graph, id)->dtype;
    LLVMTypeRef type = dtype_type(e, dtype, false);
    LLVMValueRef value = table_entry(e, number);
    value = LLVMBuildIntCast2(e->builder, value, dtype == DTYPE_F32 ? e->i32 : type, false, "");
    if (dtype == DTYPE_F32) value = LLVMBuildBitCast(e->builder, value, type, "");
    LLVMPositionBuilderAtEnd(e->builder, here);
    return value;
}

LaneValue load_constant(Emitter *e, NodeId id) {
    for (uint32_t i = 0; i < e->binding_count; i++)
        if (e->bindings[i].kind == STORAGE_TABLE && e->bindings[i].where == (int64_t)id)
            return (LaneValue){e->bindings[i].base, true};
    ARENA_ROOM(e->arena, e->bindings, e->binding_count, e->binding_capacity);
    StorageBinding *binding = &e->bindings[e->binding_count++];
    *binding = (StorageBinding){.kind = STORAGE_TABLE, .where = (int64_t)id};
    binding->base = table_constant(e, id, e->binding_count - 1);
    return (LaneValue){binding->base, true};
}

LLVMValueRef storage_base(Emitter *e, Storage storage) {
    int64_t where = (int64_t)(storage.index * e->word_bytes); /* the byte offset in its table */
    if (storage.kind == STORAGE_SLAB || storage.kind == STORAGE_OUTPUT)
        where = (int64_t)storage.offset;
    else if (storage.kind == STORAGE_STATE && e->shipped)
        where = (int64_t)e->shipped->states[storage.index];
    for (uint32_t i = 0; i < e->binding_count; i++)
        if (e->bindings[i].kind == storage.kind &&
            e->bindings[i].replicated == storage.replicated && e->bindings[i].where == where)
            return e->bindings[i].base;
    ARENA_ROOM(e->arena, e->bindings, e->binding_count, e->binding_capacity);
    StorageBinding *binding = &e->bindings[e->binding_count++];
    *binding = (StorageBinding){storage.kind, storage.replicated, where, NULL};
    return binding->base = bound_address(e, binding, e->binding_count - 1);
}

LLVMValueRef shipped_slot(Emitter *e, LLVMTypeRef type) {
    LLVMBasicBlockRef here = go_to_entry(e);
    LLVMValueRef memory = argument_pointer(e, offsetof(StepArgs, thread_slab));
    size_t at = e->plan->thread_slab_bytes + e->shipped->slot_bytes;
    LLVMValueRef slot = bytes_after(e, memory, const_i64(e, (int64_t)at));
    LLVMPositionBuilderAtEnd(e->builder, here);
    size_t bytes = LLVMABISizeOfType(LLVMGetModuleDataLayout(e->module), type);
    e->shipped->slot_bytes += (size_t)round_up((int64_t)bytes, CACHE_LINE);
    return slot;
}

LLVMValueRef element_pointer(Emitter *e, LLVMValueRef base, DType dtype, LLVMValueRef offset) {
    return LLVMBuildGEP2(e->builder, dtype_type(e, dtype, true), base, &offset, 1, "");
}

/* -- prefetching -- */

/* MAX_PREFETCHED: bytes of a row that are prefetched; the processor then prefetches the rest by
 * itself. */
enum { MAX_PREFETCHED = 2048 };

void prefetch_line(Emitter *e, LLVMValueRef pointer, Prefetch how) {
    enum { DATA = 1, SECOND_LEVEL = 2, FIRST_LEVEL = 3 };
    LLVMValueRef level = const_i32(e, how == PREFETCH_LATER ? SECOND_LEVEL : FIRST_LEVEL);
    LLVMValueRef args[] = {pointer, const_i32(e, how == PREFETCH_WRITE), level, const_i32(e, DATA)};
    call_intrinsic(e, "llvm.prefetch", &e->pointer, 1, args, 4);
}

/* -- offsets -- */

/* p / width * n * width + p % width: the part of a panel offset that depends on the index along the
 * panelled axis. */
static Coordinate panel_across(Emitter *e, Coordinate p, int64_t width, int64_t n) {
    if (p.irregular || (p.step && !(p.step == 1 && p.aligned))) {
        LLVMValueRef vector = coordinate_vector(e, p),
                     w = value_splat(e, (LaneValue){const_i64(e, width), true});
        Coordinate panel = coordinate_scale(
            e, (Coordinate){.base = udiv(e, vector, w), .irregular = true}, n * width);
        Coordinate column = {.base = urem(e, vector, w), .irregular = true};
        return coordinate_add(e, panel, column);
    }
    LLVMValueRef w = const_i64(e, width);
    LLVMValueRef panel = times(e, udiv(e, p.base, w), n * width);
    p.base = add(e, panel, urem(e, p.base, w));
    return p;
}

/* The offset of a single element in panels with fours. */
static Coordinate fours_offset(Emitter *e, Layout layout, Shape shape, const Place *place) {
    int64_t width = layout.width, n = round_up(shape.dim[1 - layout.axis], LAYOUT_FOUR);
    LLVMValueRef across = place->axis[layout.axis].base, along = place->axis[1 - layout.axis].base,
                 four = times(e, over(e, along, LAYOUT_FOUR), LAYOUT_FOUR * width),
                 column = times(e, modulo(e, across, width), LAYOUT_FOUR),
                 in_four = add(e, times(e, modulo(e, along, 2), 2),
                               over(e, modulo(e, along, LAYOUT_FOUR), 2));
    LLVMValueRef panel = times(e, over(e, across, width), n * width);
    return coordinate_uniform(add(e, add(e, panel, four), add(e, column, in_four)));
}

/* The offset of an element in a panel layout (ir/plan/plan.h): panel_across + index along the other
 * axis * width. */
static Coordinate panel_offset(Emitter *e, Layout layout, Shape shape, const Place *place) {
    int axis = layout.axis;
    if (layout.fours) return fours_offset(e, layout, shape, place);
    Coordinate along = coordinate_scale(e, place->axis[1 - axis], layout.width);
    return coordinate_add(e, panel_across(e, place->axis[axis], layout.width, shape.dim[1 - axis]),
                          along);
}

/* -- accesses -- */

static LLVMValueRef mask_of(const Emitter *e, LLVMValueRef mask) {
    return mask ? mask : LLVMConstAllOnes(lanes_of(e->i1));
}

LLVMValueRef load_vector(Emitter *e, LLVMTypeRef type, LLVMValueRef pointer, unsigned alignment,
                         LLVMValueRef mask) {
    LLVMTypeRef types[] = {type, e->pointer};
    LLVMValueRef args[] = {pointer, const_i32(e, (int32_t)alignment), mask, LLVMConstNull(type)};
    if (mask) return call_intrinsic(e, "llvm.masked.load", types, 2, args, 4);
    LLVMValueRef vector = load(e, type, pointer);
    LLVMSetAlignment(vector, alignment);
    return vector;
}

void store_vector(Emitter *e, LLVMValueRef vector, LLVMValueRef pointer, unsigned alignment,
                  LLVMValueRef mask) {
    LLVMTypeRef types[] = {LLVMTypeOf(vector), e->pointer};
    LLVMValueRef args[] = {vector, pointer, const_i32(e, (int32_t)alignment), mask};
    if (mask)
        call_intrinsic(e, "llvm.masked.store", types, 2, args, 4);
    else
        LLVMSetAlignment(LLVMBuildStore(e->builder, vector, pointer), alignment);
}

static LLVMValueRef lane_pointers(Emitter *e, LLVMValueRef base, DType dtype, Coordinate offset) {
    return element_pointer(e, base, dtype, coordinate_vector(e, offset));
}

static LLVMValueRef gather(Emitter *e, LLVMTypeRef type, LLVMValueRef pointers, unsigned alignment,
                           LLVMValueRef mask) {
    LLVMTypeRef types[] = {type, LLVMTypeOf(pointers)};
    LLVMValueRef args[] = {pointers, const_i32(e, (int32_t)alignment), mask_of(e, mask),
                           LLVMConstNull(type)};
    return call_intrinsic(e, "llvm.masked.gather", types, 2, args, 4);
}

/* Loads elements as they are in memory: a bool is a byte. */
static LaneValue load_elements(Emitter *e, LLVMValueRef base, DType dtype, Coordinate offset,
                               LLVMValueRef mask) {
    LLVMTypeRef type = dtype_type(e, dtype, true);
    unsigned alignment = (unsigned)dtype_bytes(dtype);
    if (offset.irregular || (offset.step != 0 && offset.step != 1))
        return (LaneValue){
            gather(e, lanes_of(type), lane_pointers(e, base, dtype, offset), alignment, mask),
            false};
    LLVMValueRef pointer = element_pointer(e, base, dtype, offset.base);
    if (offset.step == 1)
        return (LaneValue){load_vector(e, lanes_of(type), pointer, alignment, mask), false};
    return (LaneValue){load(e, type, pointer), true};
}

/* An i1: whether a thread of a GPU stores its element. NULL: it always does. */
static LLVMValueRef thread_stores(Emitter *e, LLVMValueRef mask) {
    if (!e->threads) return NULL;
    if (mask && e->active) return bit_and(e, mask, e->active);
    return mask ? mask : e->active;
}

/* Stores the lanes of a value: one element, adjacent elements, or scattered ones. Lanes outside the
 * mask are not stored. */
static void store_elements(Emitter *e, LLVMValueRef base, DType dtype, Coordinate offset,
                           LLVMValueRef mask, LaneValue value) {
    unsigned alignment = (unsigned)dtype_bytes(dtype);
    bool scattered = offset.irregular || (offset.step != 0 && offset.step != 1);
    if (!scattered && offset.step == 0) {
        /* One element. If the value is a vector, as for a row of length 1, lane 0 holds it. */
        LLVMValueRef single =
            value.uniform ? value.value
                          : LLVMBuildExtractElement(e->builder, value.value, const_i32(e, 0), "");
        If stores = if_begin(e, thread_stores(e, mask));
        store(e, single, element_pointer(e, base, dtype, offset.base));
        if_end(e, stores);
        return;
    }
    LLVMValueRef vector = value_splat(e, value),
                 pointer = scattered ? lane_pointers(e, base, dtype, offset)
                                     : element_pointer(e, base, dtype, offset.base);
    if (!scattered && !mask) {
        LLVMSetAlignment(LLVMBuildStore(e->builder, vector, pointer), alignment);
        return;
    }
    LLVMTypeRef types[] = {LLVMTypeOf(vector), LLVMTypeOf(pointer)};
    LLVMValueRef args[] = {vector, pointer, const_i32(e, (int32_t)alignment), mask_of(e, mask)};
    call_intrinsic(e, scattered ? "llvm.masked.scatter" : "llvm.masked.store", types, 2, args, 4);
}

/* -- storages -- */

/* StepArgs.rows, loaded once: the row numbers of the batch. */
static LLVMValueRef rows_of_batch(Emitter *e) {
    if (e->rows) return e->rows;
    LLVMBasicBlockRef here = go_to_entry(e);
    e->rows = argument_pointer(e, offsetof(StepArgs, rows));
    LLVMPositionBuilderAtEnd(e->builder, here);
    return e->rows;
}

static int64_t row_elements(Shape batch) { return shape_elements(batch) / batch.dim[0]; }

void prefetch_batch_row(Emitter *e, Storage storage, LLVMValueRef row) {
    const Symbol *symbol = &e->graph->symbols[storage.index];
    int64_t bytes = row_elements(symbol->shape) * (int64_t)dtype_bytes(symbol->dtype);
    LLVMValueRef number = load(e, e->i32, element_pointer(e, rows_of_batch(e), DTYPE_I32, row));
    LLVMValueRef wide = LLVMBuildSExt(e->builder, number, e->i64, "");
    LLVMValueRef first = bytes_after(e, storage_base(e, storage), times(e, wide, bytes));
    for (int64_t at = 0; at < bytes && at < MAX_PREFETCHED; at += CACHE_LINE)
        prefetch_line(e, bytes_after(e, first, const_i64(e, at)), PREFETCH_READ);
    if (bytes <= MAX_PREFETCHED)
        prefetch_line(e, bytes_after(e, first, const_i64(e, bytes - 1)), PREFETCH_READ);
}

/* The offset of the elements at a place from the base of their storage. */
static Coordinate storage_offset(Emitter *e, const Node *node, Storage storage,
                                 const Place *place) {
    bool is_batch =
        storage.kind == STORAGE_INPUT && e->graph->symbols[storage.index].kind == SYMBOL_BATCH;
    if (is_batch && !e->shipped) {
        /* Element (i, j) of a batch lies at rows[i] * (elements of a row) + j. */
        Shape shape = e->graph->symbols[storage.index].shape;
        Shape matrix = {.rank = 2, .dim = {shape.dim[0], row_elements(shape)}};
        const Place *at = place_in_shape(e, place, matrix);
        LaneValue row = load_elements(e, rows_of_batch(e), DTYPE_I32, at->axis[0], place->mask);
        LLVMValueRef wide =
            LLVMBuildSExt(e->builder, row.value, row.uniform ? e->i64 : lanes_of(e->i64), "");
        Coordinate start = coordinate_scale(
            e, (Coordinate){.base = wide, .irregular = !row.uniform}, row_elements(shape));
        return coordinate_add(e, start, at->axis[1]);
    }
    if (storage.layout.kind == LAYOUT_PLAIN) return place_linear(e, place);
    return panel_offset(e, storage.layout, node->shape, place_in_shape(e, place, node->shape));
}

LaneValue load_at(Emitter *e, NodeId id, Storage storage, const Place *place) {
    const Node *node = graph_node(e->graph, id);
    LaneValue value = load_elements(e, storage_base(e, storage), node->dtype,
                                    storage_offset(e, node, storage, place), place->mask);
    if (node->dtype != DTYPE_BOOL) return value;
    LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(value.value));
    return (LaneValue){ne(e, value.value, zero), value.uniform};
}

void store_at(Emitter *e, NodeId id, Storage storage, const Place *place, LaneValue value) {
    const Node *node = graph_node(e->graph, id);
    if (node->dtype == DTYPE_BOOL)
        value.value =
            LLVMBuildZExt(e->builder, value.value, value.uniform ? e->i8 : lanes_of(e->i8), "");
    store_elements(e, storage_base(e, storage), node->dtype,
                   storage_offset(e, node, storage, place), place->mask, value);
}

LLVMValueRef store_pointer(Emitter *e, NodeId id, Storage storage, const Place *place) {
    const Node *node = graph_node(e->graph, id);
    return element_pointer(e, storage_base(e, storage), node->dtype,
                           storage_offset(e, node, storage, place).base);
}
