/* Leaving out zeros: most bytes of the data are 0, and a term 0 * w changes no bit of a sum while w is finite (a sum never ends
 * as -0). Every thread lists, for every block of rows it meets in the chunk it is at, the k where any row is not zero; a tile visits only
 * those. If any of its columns is not finite it visits all, so that 0 * infinity is the NaN it has to be. */
#include "codegen/matmul/matmul.h"

static LLVMValueRef slot_at(Emitter *e, LLVMTypeRef type, LLVMValueRef slots, LLVMValueRef number) {
    return LLVMBuildGEP2(e->builder, type, slots, &number, 1, "");
}

static LLVMValueRef list_of(Emitter *e, const Matmul *m, LLVMValueRef block) {
    return slot_at(e, e->i32, m->lists, LLVMBuildMul(e->builder, block, const_i64(e, blocking_list_room(&m->blocking)), ""));
}

/* -- a list: k are written whether they count or not; the end moves on only behind those that do -- */

typedef struct {
    LLVMValueRef entries, length; /* length: a stack slot */
} List;

static List list_new(Emitter *e, const Matmul *m, LLVMValueRef block) {
    List list = {list_of(e, m, block), stack_slot(e, e->i64, sizeof(int64_t))};
    LLVMBuildStore(e->builder, const_i64(e, 0), list.length);
    return list;
}

static void list_finish(Emitter *e, const Matmul *m, const List *list, LLVMValueRef block) {
    LLVMBuildStore(e->builder, LLVMBuildLoad2(e->builder, e->i64, list->length, ""), slot_at(e, e->i64, m->counts, block));
}

/* Entries are written, of which `count`, i64, count. */
static void list_add(Emitter *e, const List *list, LLVMValueRef entries, LLVMValueRef count) {
    LLVMValueRef end = LLVMBuildLoad2(e->builder, e->i64, list->length, "");
    LLVMSetAlignment(LLVMBuildStore(e->builder, entries, slot_at(e, e->i32, list->entries, end)), sizeof(int32_t));
    LLVMBuildStore(e->builder, LLVMBuildAdd(e->builder, end, count, ""), list->length);
}

/* some: i64, 1 or 0 */
static void list_add_one(Emitter *e, const List *list, LLVMValueRef k, LLVMValueRef some) {
    list_add(e, list, LLVMBuildTrunc(e->builder, k, e->i32, ""), some);
}

/* A bit for each lane. */
static LLVMTypeRef mark_type(const Emitter *e) { return LLVMIntTypeInContext(e->context, LANES); }
static LLVMValueRef mark_of(Emitter *e, LLVMValueRef some) { return LLVMBuildBitCast(e->builder, some, mark_type(e), ""); }

/* The same as an i64. */
static LLVMValueRef bits_of(Emitter *e, LLVMValueRef some) { return LLVMBuildZExt(e->builder, mark_of(e, some), e->i64, ""); }

/* AVX-512 has an instruction that moves the lanes of a mask together. */
static void list_add_compressed(Emitter *e, const List *list, LLVMValueRef k, LLVMValueRef some) {
    LLVMTypeRef type = lanes_of(e->i32);
    LLVMValueRef first = value_splat(e, (Value){LLVMBuildTrunc(e->builder, k, e->i32, ""), true}), bits = bits_of(e, some);
    LLVMValueRef numbers = LLVMBuildAdd(e->builder, first, LLVMConstTrunc(lane_numbers(e), type), "");
    LLVMValueRef args[] = {numbers, LLVMConstNull(type), some};
    LLVMValueRef together = call_intrinsic(e, "llvm.x86.avx512.mask.compress", &type, 1, args, 3);
    list_add(e, list, together, call_intrinsic(e, "llvm.ctpop", &e->i64, 1, &bits, 1));
}

/* LANES entries from k on: often nothing is there. */
static void list_add_lanes(Emitter *e, const List *list, LLVMValueRef k, LLVMValueRef some) {
    if (e->many_registers) {
        list_add_compressed(e, list, k, some);
        return;
    }
    LLVMValueRef bits = bits_of(e, some);
    If any = if_begin(e, LLVMBuildICmp(e->builder, LLVMIntNE, bits, const_i64(e, 0), ""));
    Loop lanes = loop_begin(e, const_i64(e, 0));
    LLVMValueRef bit = LLVMBuildAnd(e->builder, LLVMBuildLShr(e->builder, bits, lanes.index, ""), const_i64(e, 1), "");
    list_add_one(e, list, LLVMBuildAdd(e->builder, k, lanes.index, ""), bit);
    loop_end(e, lanes, const_i64(e, LANES), 1);
    if_end(e, any);
}

/* A NaN is not zero. */
static LLVMValueRef is_some(Emitter *e, LLVMValueRef value) {
    return LLVMBuildFCmp(e->builder, LLVMRealUNE, value, LLVMConstNull(LLVMTypeOf(value)), "");
}

static LLVMValueRef any_row(Emitter *e, const Matmul *m, const Operands *operands, LLVMValueRef k) {
    LLVMValueRef rows = product_rows_at(e, operands, k), any = LLVMConstInt(e->i1, 0, false);
    if (rows) {
        LLVMValueRef some = is_some(e, rows);
        LLVMTypeRef type = LLVMTypeOf(some);
        return call_intrinsic(e, "llvm.vector.reduce.or", &type, 1, &some, 1);
    }
    LLVMValueRef offset = product_k_offset(e, operands->rows_side, k);
    for (int64_t r = 0; r < m->blocking.tile_rows; r++)
        any = LLVMBuildOr(e->builder, any, is_some(e, product_row_element(e, operands, r, offset)), "");
    return any;
}

/* Whether a loop from `from` to `to` runs at all: NULL if that is known. */
static LLVMValueRef runs(Emitter *e, LLVMValueRef from, LLVMValueRef to) {
    LLVMValueRef below = LLVMBuildICmp(e->builder, LLVMIntSLT, from, to, "");
    return LLVMIsConstant(below) && LLVMConstIntGetZExtValue(below) ? NULL : below;
}

/* Entries `from` and on, as steps behind the block's first. */
static void list_singly(Emitter *e, const Operands *operands, const List *list, Steps steps, LLVMValueRef from) {
    If any = if_begin(e, runs(e, from, steps.count));
    Loop loop = loop_begin(e, from);
    LLVMValueRef k = LLVMBuildAdd(e->builder, steps.from, loop.index, "");
    list_add_one(e, list, loop.index, LLVMBuildZExt(e->builder, any_row(e, operands->m, operands, k), e->i64, ""));
    loop_end(e, loop, steps.count, 1);
    if_end(e, any);
}

/* Which of LANES steps from k on count. */
static LLVMValueRef some_of_lanes(Emitter *e, const Operands *operands, LLVMValueRef k) {
    LLVMValueRef some = LLVMConstNull(lanes_of(e->i1));
    for (int64_t r = 0; r < operands->m->blocking.tile_rows; r++)
        some = LLVMBuildOr(e->builder, some, is_some(e, product_row_steps(e, operands, r, k)), "");
    return some;
}

/* Rows whose steps are neighbours in memory: LANES steps are looked at together. Returns how many steps that are. */
static LLVMValueRef list_by_lanes(Emitter *e, const Operands *operands, const List *list, Steps steps) {
    LLVMValueRef whole = LLVMBuildAnd(e->builder, steps.count, const_i64(e, -LANES), "");
    if (!product_row_steps(e, operands, 0, const_i64(e, 0))) return const_i64(e, 0);
    If enough = if_begin(e, runs(e, const_i64(e, 0), whole));
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef k = LLVMBuildAdd(e->builder, steps.from, loop.index, "");
    list_add_lanes(e, list, loop.index, some_of_lanes(e, operands, k));
    loop_end(e, loop, whole, LANES);
    if_end(e, enough);
    return whole;
}

/* The rows of block `number` of the chunk that the tile is in, as they lie; returns the first one's number. */
static LLVMValueRef find_rows(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef number, Operands *operands) {
    Tile block = *tile;
    LLVMValueRef away = LLVMBuildSub(e->builder, number, tile->in_chunk, "");
    LLVMValueRef below = LLVMBuildMul(e->builder, away, const_i64(e, m->blocking.tile_rows), "");
    block.row = LLVMBuildAdd(e->builder, tile->row, below, "");
    product_find_rows(e, &block, operands);
    return block.row;
}

/* Lists that block. */
static void list_block(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef number, Steps steps) {
    Operands operands = {.m = m};
    List list = list_new(e, m, number);
    if (m->packed_rows.base)
        product_find_packed_rows(e, number, steps, &operands);
    else
        find_rows(e, m, tile, number, &operands);
    list_singly(e, &operands, &list, steps, list_by_lanes(e, &operands, &list, steps));
    list_finish(e, m, &list, number);
}

/* -- several blocks at once: where rows are neighbours in memory, a vector holds those of some blocks. First every k is marked with
 * a bit for each row of the vector, then each block looks at its bits of LANES k together. -- */

static int64_t blocks_together(const Matmul *m) {
    const Blocking *b = &m->blocking;
    int64_t smallest = b->row_blocks - (b->chunks - 1) * b->chunk, together = LANES / b->tile_rows;
    return product_rows_adjoin(m) && LANES % b->tile_rows == 0 && together <= smallest ? together : 1;
}

/* Behind the last k, LANES are marked as zero. */
static void mark_all(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef first, Steps steps) {
    Operands operands = {.m = m};
    LLVMValueRef mask = lanes_below(e, find_rows(e, m, tile, first, &operands), m->rows.lines);
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef rows = product_lanes_at(e, &operands, LLVMBuildAdd(e->builder, steps.from, loop.index, ""), mask);
    LLVMBuildStore(e->builder, mark_of(e, is_some(e, rows)), slot_at(e, mark_type(e), m->marks, loop.index));
    loop_end(e, loop, steps.count, 1);
    LLVMValueRef end = slot_at(e, mark_type(e), m->marks, steps.count);
    LLVMSetAlignment(LLVMBuildStore(e->builder, LLVMConstNull(lanes_of(mark_type(e))), end), sizeof(int16_t));
}

/* Of blocks that were marked together, the one with this place among them. */
static void list_marked(Emitter *e, const Matmul *m, LLVMValueRef number, int64_t place, Steps steps) {
    int64_t rows = m->blocking.tile_rows, bits = (((int64_t)1 << rows) - 1) << (place * rows);
    LLVMTypeRef type = lanes_of(mark_type(e));
    LLVMValueRef own = value_splat(e, (Value){LLVMConstInt(mark_type(e), (unsigned long long)bits, false), true});
    LLVMValueRef last = LLVMBuildAdd(e->builder, steps.count, const_i64(e, LANES - 1), "");
    List list = list_new(e, m, number);
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef marks = LLVMBuildLoad2(e->builder, type, slot_at(e, mark_type(e), m->marks, loop.index), "");
    LLVMSetAlignment(marks, sizeof(int16_t));
    LLVMValueRef of_block = LLVMBuildAnd(e->builder, marks, own, "");
    list_add_lanes(e, &list, loop.index, LLVMBuildICmp(e->builder, LLVMIntNE, of_block, LLVMConstNull(type), ""));
    loop_end(e, loop, LLVMBuildAnd(e->builder, last, const_i64(e, -LANES), ""), LANES);
    list_finish(e, m, &list, number);
}

static void list_together(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef first, Steps steps) {
    mark_all(e, m, tile, first, steps);
    for (int64_t b = 0; b < blocks_together(m); b++)
        list_marked(e, m, LLVMBuildAdd(e->builder, first, const_i64(e, b), ""), b, steps);
}

/* Those that the chunk's last ones would reach beyond its end list some blocks before them once more, or unasked. */
static void list_chunk(Emitter *e, const Matmul *m, const Tile *tile, Fresh fresh, Steps steps) {
    int64_t together = blocks_together(m);
    Loop blocks = loop_begin(e, const_i64(e, 0));
    LLVMValueRef number = LLVMBuildAdd(e->builder, fresh.first_block, blocks.index, "");
    if (together > 1) {
        LLVMValueRef last = LLVMBuildSub(e->builder, tile->chunk_size, const_i64(e, together), "");
        list_together(e, m, tile, call_intrinsic(e, "llvm.smin", &e->i64, 1, (LLVMValueRef[]){number, last}, 2), steps);
    } else {
        list_block(e, m, tile, number, steps);
    }
    loop_end(e, blocks, fresh.row_blocks, together);
}

/* Behind the lists of the blocks: all k. */
static void list_all(Emitter *e, const Matmul *m) {
    LLVMValueRef list = list_of(e, m, const_i64(e, m->blocking.chunk));
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMBuildStore(e->builder, LLVMBuildTrunc(e->builder, loop.index, e->i32, ""), slot_at(e, e->i32, list, loop.index));
    loop_end(e, loop, const_i64(e, m->blocking.k_block), 1);
}

void zeros_reserve(Emitter *e, Matmul *m) {
    int64_t blocks = m->blocking.chunk;
    int64_t room = blocking_list_room(&m->blocking);
    m->lists = stack_slot(e, LLVMArrayType(e->i32, (unsigned)((blocks + 1) * room)), sizeof(int32_t));
    m->marks = stack_slot(e, LLVMArrayType(mark_type(e), (unsigned)room), sizeof(int16_t));
    m->counts = stack_slot(e, LLVMArrayType(e->i64, (unsigned)blocks), sizeof(int64_t));
    m->finite = stack_slot(e, e->i1, 1);
    list_all(e, m);
}

/* -- columns -- */

/* A number without its sign, seen as an integer, is below infinity if it is finite: the largest of them all tells. A vector has a
 * maximum of its own, so that they do not wait for each other. */
static LLVMValueRef are_finite(Emitter *e, const Operands *operands, Steps steps) {
    const Matmul *m = operands->m;
    LLVMTypeRef type = lanes_of(e->i32);
    LLVMValueRef slots[MOST_VECTORS], magnitude = value_splat(e, (Value){const_i32(e, INT32_MAX), true});
    for (int v = 0; v < m->blocking.vectors; v++) {
        slots[v] = stack_slot(e, type, sizeof(float) * LANES);
        LLVMBuildStore(e->builder, LLVMConstNull(type), slots[v]);
    }
    Loop loop = loop_begin(e, steps.from);
    for (int v = 0; v < m->blocking.vectors; v++) {
        LLVMValueRef bits = LLVMBuildBitCast(e->builder, product_columns(e, operands, v, loop.index), type, "");
        LLVMValueRef pair[] = {LLVMBuildAnd(e->builder, bits, magnitude, ""), LLVMBuildLoad2(e->builder, type, slots[v], "")};
        LLVMBuildStore(e->builder, call_intrinsic(e, "llvm.smax", &type, 1, pair, 2), slots[v]);
    }
    loop_end(e, loop, LLVMBuildAdd(e->builder, steps.from, steps.count, ""), 1);
    for (int v = 1; v < m->blocking.vectors; v++) {
        LLVMValueRef pair[] = {LLVMBuildLoad2(e->builder, type, slots[0], ""), LLVMBuildLoad2(e->builder, type, slots[v], "")};
        LLVMBuildStore(e->builder, call_intrinsic(e, "llvm.smax", &type, 1, pair, 2), slots[0]);
    }
    LLVMValueRef all = LLVMBuildLoad2(e->builder, type, slots[0], "");
    LLVMValueRef largest = call_intrinsic(e, "llvm.vector.reduce.smax", &type, 1, &all, 1);
    return LLVMBuildICmp(e->builder, LLVMIntSLT, largest, const_i32(e, 0x7F800000), "");
}

void zeros_choose(Emitter *e, const Matmul *m, const Tile *tile, Fresh fresh, Steps steps, Operands *operands) {
    If listing = if_begin(e, fresh.new_rows);
    list_chunk(e, m, tile, fresh, steps);
    if_end(e, listing);
    If looking = if_begin(e, fresh.new_columns);
    LLVMBuildStore(e->builder, are_finite(e, operands, steps), m->finite);
    if_end(e, looking);
    LLVMValueRef finite = LLVMBuildLoad2(e->builder, e->i1, m->finite, "");
    LLVMValueRef block = LLVMBuildSelect(e->builder, finite, tile->in_chunk, const_i64(e, m->blocking.chunk), "");
    LLVMValueRef count = LLVMBuildLoad2(e->builder, e->i64, slot_at(e, e->i64, m->counts, tile->in_chunk), "");
    operands->list = list_of(e, m, block);
    operands->count = LLVMBuildSelect(e->builder, finite, count, steps.count, "");
}
