/* Skipping zeros: most pixels of the data are 0, and a term 0 * w changes no bit of a sum if w is
 * finite (a sum never ends as -0).
 *
 *     for each block of rows of the chunk: list = the k where any row of the block is not 0
 *     (once for each thread and chunk)
 *     for each tile: for each k of (its columns are finite ? the block's list : all k): multiply
 *     and add
 *
 * If a column is not finite, all k are visited, so that 0 * infinity is the NaN that it has to
 * be. Columns of bytes are finite. */
#include "codegen/matmul/matmul.h"

static LLVMValueRef slot_at(Emitter *e, LLVMTypeRef type, LLVMValueRef slots, LLVMValueRef number) {
    return LLVMBuildGEP2(e->builder, type, slots, &number, 1, "");
}

static LLVMValueRef list_of(Emitter *e, const Matmul *m, LLVMValueRef block) {
    return slot_at(e, e->i32, m->lists, times(e, block, blocking_list_room(&m->blocking)));
}

/* -- appending to a list without a branch: a candidate k is always written after the end; the end
 * moves only if the candidate is kept -- */

typedef struct {
    LLVMValueRef entries, length; /* length: a stack slot */
} List;

static List list_new(Emitter *e, const Matmul *m, LLVMValueRef block) {
    List list = {list_of(e, m, block), stack_slot(e, e->i64, sizeof(int64_t))};
    store(e, const_i64(e, 0), list.length);
    return list;
}

static void list_finish(Emitter *e, const Matmul *m, const List *list, LLVMValueRef block) {
    store(e, load(e, e->i64, list->length), slot_at(e, e->i64, m->counts, block));
}

/* Appends a vector of candidate k; only the first `count` (an i64) are kept. */
static void list_add(Emitter *e, const List *list, LLVMValueRef entries, LLVMValueRef count) {
    LLVMValueRef end = load(e, e->i64, list->length);
    LLVMSetAlignment(LLVMBuildStore(e->builder, entries, slot_at(e, e->i32, list->entries, end)),
                     sizeof(int32_t));
    store(e, add(e, end, count), list->length);
}

/* some: i64, 1: k counts; 0: it does not */
static void list_add_one(Emitter *e, const List *list, LLVMValueRef k, LLVMValueRef some) {
    list_add(e, list, LLVMBuildTrunc(e->builder, k, e->i32, ""), some);
}

/* A mask of lanes as an integer, with a bit for each lane. */
static LLVMTypeRef mark_type(const Emitter *e) { return LLVMIntTypeInContext(e->context, LANES); }
static LLVMValueRef mark_of(Emitter *e, LLVMValueRef some) {
    return LLVMBuildBitCast(e->builder, some, mark_type(e), "");
}

static LLVMValueRef bits_of(Emitter *e, LLVMValueRef some) {
    return LLVMBuildZExt(e->builder, mark_of(e, some), e->i64, "");
}

/* AVX-512 has an instruction that moves the lanes of a mask to the front. */
static void list_add_compressed(Emitter *e, const List *list, LLVMValueRef k, LLVMValueRef some) {
    LLVMTypeRef type = lanes_of(e->i32);
    LLVMValueRef first =
                     value_splat(e, (LaneValue){LLVMBuildTrunc(e->builder, k, e->i32, ""), true}),
                 bits = bits_of(e, some);
    LLVMValueRef numbers = add(e, first, LLVMConstTrunc(lane_numbers(e), type));
    LLVMValueRef args[] = {numbers, LLVMConstNull(type), some};
    LLVMValueRef together = call_intrinsic(e, "llvm.x86.avx512.mask.compress", &type, 1, args, 3);
    list_add(e, list, together, call_intrinsic(e, "llvm.ctpop", &e->i64, 1, &bits, 1));
}

/* Appends those of k .. k + LANES - 1 whose lane of `some` is set; often none is. */
static void list_add_lanes(Emitter *e, const List *list, LLVMValueRef k, LLVMValueRef some) {
    if (e->many_registers) {
        list_add_compressed(e, list, k, some);
        return;
    }
    LLVMValueRef bits = bits_of(e, some);
    If any = if_begin(e, ne(e, bits, const_i64(e, 0)));
    Loop lanes = loop_begin(e, const_i64(e, 0));
    LLVMValueRef bit =
        bit_and(e, LLVMBuildLShr(e->builder, bits, lanes.index, ""), const_i64(e, 1));
    list_add_one(e, list, add(e, k, lanes.index), bit);
    loop_end(e, lanes, const_i64(e, LANES), 1);
    if_end(e, any);
}

/* value != 0, which holds for a NaN. */
static LLVMValueRef is_some(Emitter *e, LLVMValueRef value) {
    LLVMTypeRef type = LLVMTypeOf(value), element = LLVMGetTypeKind(type) == LLVMVectorTypeKind
                                                        ? LLVMGetElementType(type)
                                                        : type;
    LLVMValueRef zero = LLVMConstNull(type);
    return element == e->f32 ? LLVMBuildFCmp(e->builder, LLVMRealUNE, value, zero, "")
                             : ne(e, value, zero);
}

/* Whether the element at k of any row of the block is not 0. */
static LLVMValueRef any_row(Emitter *e, const Matmul *m, const Operands *operands, LLVMValueRef k) {
    LLVMValueRef rows = operands_rows_at(e, operands, k), any = LLVMConstInt(e->i1, 0, false);
    if (rows) {
        LLVMValueRef some = is_some(e, rows);
        LLVMTypeRef type = LLVMTypeOf(some);
        return call_intrinsic(e, "llvm.vector.reduce.or", &type, 1, &some, 1);
    }
    LLVMValueRef offset = operand_k_offset(e, operands->row_operand, k);
    for (int64_t r = 0; r < m->blocking.tile_rows; r++)
        any = bit_or(e, any, is_some(e, operands_row_element(e, operands, r, offset)));
    return any;
}

/* i1: from < to; NULL: known when the code is emitted. */
static LLVMValueRef loop_runs(Emitter *e, LLVMValueRef from, LLVMValueRef to) {
    LLVMValueRef below = lt(e, from, to);
    return LLVMIsConstant(below) && LLVMConstIntGetZExtValue(below) ? NULL : below;
}

/* The same for LANES steps at once, where a row's steps are neighbours in memory. Returns how many
 * steps were examined. */
static LLVMValueRef list_by_lanes(Emitter *e, const Operands *operands, const List *list,
                                  Steps steps) {
    LLVMValueRef whole = bit_and(e, steps.count, const_i64(e, -LANES));
    if (!operands_row_steps(e, operands, 0, const_i64(e, 0))) return const_i64(e, 0);
    If enough = if_begin(e, loop_runs(e, const_i64(e, 0), whole));
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef k = add(e, steps.from, loop.index);
    LLVMValueRef some =
        LLVMConstNull(lanes_of(e->i1)); /* a step is listed if any row has a non-zero */
    for (int64_t r = 0; r < operands->m->blocking.tile_rows; r++)
        some = bit_or(e, some, is_some(e, operands_row_steps(e, operands, r, k)));
    list_add_lanes(e, list, loop.index, some);
    loop_end(e, loop, whole, LANES);
    if_end(e, enough);
    return whole;
}

/* The unpacked rows of block `number` of the tile's chunk; returns the number of the first row. */
static LLVMValueRef find_rows(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef number,
                              Operands *operands) {
    Tile block = *tile;
    LLVMValueRef away = sub(e, number, tile->in_chunk);
    LLVMValueRef below = times(e, away, m->blocking.tile_rows);
    block.row = add(e, tile->row, below);
    operands_find_rows(e, &block, operands);
    return block.row;
}

/* Makes the list of block `number`. */
static void list_block(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef number,
                       Steps steps) {
    Operands operands = {.m = m};
    List list = list_new(e, m, number);
    if (m->packed_rows.base)
        operands_find_packed_rows(e, number, steps, &operands);
    else
        find_rows(e, m, tile, number, &operands);
    /* for each step from `from` on: append it if any row is not 0 there. Entries count from the
     * block's first k. */
    LLVMValueRef from = list_by_lanes(e, &operands, &list, steps);
    If any = if_begin(e, loop_runs(e, from, steps.count));
    Loop loop = loop_begin(e, from);
    LLVMValueRef k = add(e, steps.from, loop.index);
    list_add_one(e, &list, loop.index,
                 LLVMBuildZExt(e->builder, any_row(e, operands.m, &operands, k), e->i64, ""));
    loop_end(e, loop, steps.count, 1);
    if_end(e, any);
    list_finish(e, m, &list, number);
}

/* -- several blocks at once, where rows are neighbours in memory, so that a vector holds the rows
 * of several blocks:
 *     for each k: marks[k] = a bit for each row of the vector that is not 0
 *     for each block: for LANES k at once: append those whose marks have a bit of the block -- */

/* LANES more marks after the last k are set to 0, since marks are read as vectors. */
static void mark_all(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef first,
                     Steps steps) {
    Operands operands = {.m = m};
    LLVMValueRef mask = lanes_below(e, find_rows(e, m, tile, first, &operands), m->rows.lines);
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef k = add(e, steps.from, loop.index);
    LLVMValueRef rows = operands_lanes_at(e, &operands, k, mask);
    operands_prefetch_lanes(e, &operands, k, LANES);
    store(e, mark_of(e, is_some(e, rows)), slot_at(e, mark_type(e), m->marks, loop.index));
    loop_end(e, loop, steps.count, 1);
    LLVMValueRef end = slot_at(e, mark_type(e), m->marks, steps.count);
    LLVMSetAlignment(LLVMBuildStore(e->builder, LLVMConstNull(lanes_of(mark_type(e))), end),
                     sizeof(int16_t));
}

/* The list of one of the blocks that were marked together; place: its number among them. */
static void list_marked(Emitter *e, const Matmul *m, LLVMValueRef number, int64_t place,
                        Steps steps) {
    int64_t rows = m->blocking.tile_rows, bits = (((int64_t)1 << rows) - 1) << (place * rows);
    LLVMTypeRef type = lanes_of(mark_type(e));
    LLVMValueRef mask = value_splat(
        e, (LaneValue){LLVMConstInt(mark_type(e), (unsigned long long)bits, false), true});
    LLVMValueRef last = plus(e, steps.count, LANES - 1);
    List list = list_new(e, m, number);
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef marks = load(e, type, slot_at(e, mark_type(e), m->marks, loop.index));
    LLVMSetAlignment(marks, sizeof(int16_t));
    LLVMValueRef of_block = bit_and(e, marks, mask);
    list_add_lanes(e, &list, loop.index, ne(e, of_block, LLVMConstNull(type)));
    loop_end(e, loop, bit_and(e, last, const_i64(e, -LANES)), LANES);
    list_finish(e, m, &list, number);
}

/* for each new block of rows: make its list. Blocks that are listed together do not go beyond the
 * chunk's end: the last ones may list blocks before them once more. */
static void list_chunk(Emitter *e, const Matmul *m, const Tile *tile, PackPlan pack, Steps steps) {
    int64_t together = pack_blocks_together(m);
    Loop blocks = loop_begin(e, const_i64(e, 0));
    LLVMValueRef number = add(e, pack.first_block, blocks.index);
    if (together > 1) {
        LLVMValueRef first = pack_first_block(e, m, tile, number);
        mark_all(e, m, tile, first, steps);
        for (int64_t b = 0; b < together; b++) list_marked(e, m, plus(e, first, b), b, steps);
    } else {
        list_block(e, m, tile, number, steps);
    }
    loop_end(e, blocks, pack.row_blocks, together);
}

void zeros_reserve(Emitter *e, Matmul *m) {
    int64_t blocks = m->blocking.chunk;
    int64_t room = blocking_list_room(&m->blocking);
    m->lists =
        stack_slot(e, LLVMArrayType(e->i32, (unsigned)((blocks + 1) * room)), sizeof(int32_t));
    m->marks = stack_slot(e, LLVMArrayType(mark_type(e), (unsigned)room), sizeof(int16_t));
    m->counts = stack_slot(e, LLVMArrayType(e->i64, (unsigned)blocks), sizeof(int64_t));
    m->finite = stack_slot(e, e->i1, 1);
    /* The list after those of the blocks holds all k. */
    LLVMValueRef list = list_of(e, m, const_i64(e, m->blocking.chunk));
    Loop loop = loop_begin(e, const_i64(e, 0));
    store(e, LLVMBuildTrunc(e->builder, loop.index, e->i32, ""),
          slot_at(e, e->i32, list, loop.index));
    loop_end(e, loop, const_i64(e, m->blocking.k_block), 1);
}

/* -- columns -- */

/* i1: all columns of the tile are finite. The bits of a finite f32 without its sign are below those
 * of infinity:
 *     for each k: for each vector v: largest[v] = max(largest[v], bits of |column[v]|)
 *     largest of all vectors and lanes < infinity */
static LLVMValueRef are_finite(Emitter *e, const Operands *operands, Steps steps) {
    const Matmul *m = operands->m;
    LLVMTypeRef type = lanes_of(e->i32);
    LLVMValueRef largest[MAX_VECTORS],
        no_sign = value_splat(e, (LaneValue){const_i32(e, INT32_MAX), true});
    for (int v = 0; v < m->blocking.vectors; v++) {
        largest[v] = stack_slot(e, type, sizeof(float) * LANES);
        store(e, LLVMConstNull(type), largest[v]);
    }
    Loop loop = loop_begin(e, steps.from);
    for (int v = 0; v < m->blocking.vectors; v++) {
        LLVMValueRef bits =
            LLVMBuildBitCast(e->builder, operands_columns(e, operands, v, loop.index), type, "");
        LLVMValueRef magnitude = bit_and(e, bits, no_sign);
        store(e, max(e, magnitude, load(e, type, largest[v])), largest[v]);
    }
    loop_end(e, loop, add(e, steps.from, steps.count), 1);
    for (int v = 1; v < m->blocking.vectors; v++) {
        LLVMValueRef before = load(e, type, largest[0]);
        store(e, max(e, before, load(e, type, largest[v])), largest[0]);
    }
    LLVMValueRef all = load(e, type, largest[0]);
    LLVMValueRef of_all = call_intrinsic(e, "llvm.vector.reduce.smax", &type, 1, &all, 1);
    return lt(e, of_all, const_i32(e, 0x7F800000));
}

void zeros_choose(Emitter *e, const Matmul *m, const Tile *tile, PackPlan pack, Steps steps,
                  Operands *operands) {
    If listing = if_begin(e, pack.new_rows);
    list_chunk(e, m, tile, pack, steps);
    if_end(e, listing);
    bool real = m->sum == e->f32;
    If looking = if_begin(e, real ? pack.new_columns : LLVMConstInt(e->i1, 0, false));
    if (real) store(e, are_finite(e, operands, steps), m->finite);
    if_end(e, looking);
    LLVMValueRef finite = real ? load(e, e->i1, m->finite) : LLVMConstInt(e->i1, 1, false);
    LLVMValueRef block = choose(e, finite, tile->in_chunk, const_i64(e, m->blocking.chunk));
    LLVMValueRef count = load(e, e->i64, slot_at(e, e->i64, m->counts, tile->in_chunk));
    operands->list = list_of(e, m, block);
    operands->count = choose(e, finite, count, steps.count);
}
