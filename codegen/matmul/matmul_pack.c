/* Packing: copies operands that would be read in long steps into panels, once for many tiles. Long
 * steps cost an address translation each, and steps of a power of two fall on the same few sets of
 * a cache. */
#include "codegen/matmul/matmul.h"
#include "ir/base/integers.h"

enum {
    ENOUGH_BLOCKS = 4,  /* of rows: a copy of columns pays if so many tiles use it */
    ENOUGH_STEPS = 128, /* of k: fewer are in the cache anyway */
    GAP = 2,            /* steps of k between panels, so that they are not a power of two apart */
    AHEAD = 8           /* steps of k: rows are prefetched so long before they are copied */
};

/* A copy of an operand on the stack, in panels of `width` lines. */
static MatrixOperand panel_operand(Emitter *e, DType dtype, int64_t lines, int64_t width,
                                   int64_t k) {
    return (MatrixOperand){
        .dtype = dtype,
        .storage = {.layout = {.kind = LAYOUT_PANEL, .axis = 0, .width = (uint16_t)width}},
        .shape = {.rank = 2, .dim = {lines, k}},
        .lines = lines,
        .k = k,
        .base =
            stack_slot(e, LLVMArrayType(dtype_type(e, dtype, true), (unsigned)(k * lines)), 64)};
}

/* Whether rows that are neighbours in memory fall on so few sets of the first-level cache that they
 * drive each other out, as they do if they begin a large power of two apart. */
static bool rows_collide(const Emitter *e, const Matmul *m) {
    enum { WAY = 4096, LINE = 64 }; /* bytes of a way: 64 sets, a line in each */
    int64_t step = m->rows.lines * (int64_t)dtype_bytes(m->rows.dtype), power = step & -step;
    int64_t sets = WAY / min_i64(max_i64(power, LINE), WAY);
    return e->core->ways && m->blocking.k_block > sets * e->core->ways;
}

void pack_reserve(Emitter *e, Matmul *m) {
    bytes_reserve_words(e, m);
    wide_reserve(e, m);
    const Blocking *b = &m->blocking;
    /* columns that are no neighbours in memory are read one by one; packed, once for all blocks */
    int64_t enough_blocks = operands_columns_adjoin(m) ? ENOUGH_BLOCKS : 2;
    bool packs_columns = !b->wide && !operands_columns_packed_already(m) && !m->columns.windows &&
                         b->k_block * m->tile_columns <= MAX_PACKED && b->chunk >= enough_blocks;
    bool packs_rows = operands_rows_adjoin(m) &&
                      (b->k_block >= ENOUGH_STEPS || rows_collide(e, m)) && b->column_blocks > 1 &&
                      b->chunk * b->tile_rows * b->k_block <= MAX_PACKED;
    if (packs_columns)
        m->packed_columns =
            panel_operand(e, m->columns.dtype, m->tile_columns, m->tile_columns, b->k_block);
    if (packs_rows)
        m->packed_rows = panel_operand(e, m->rows.dtype, b->chunk * b->tile_rows, b->tile_rows,
                                       b->k_block + GAP);
}

/* for each k: copy[k] = the tile's vectors at k */
static void pack_columns(Emitter *e, const Operands *from, Steps steps) {
    const Matmul *m = from->m;
    Operands to = {.m = m};
    operands_find_packed_columns(e, steps, &to);
    Loop loop = loop_begin(e, steps.from);
    LLVMValueRef row = element_pointer(e, to.columns, to.column_operand->dtype,
                                       operand_k_offset(e, to.column_operand, loop.index));
    for (int v = 0; v < m->blocking.vectors; v++)
        store(e, operands_columns(e, from, v, loop.index),
              operand_plus(e, to.column_operand, row, v * LANES));
    loop_end(e, loop, add(e, steps.from, steps.count), 1);
}

int64_t pack_blocks_together(const Matmul *m) {
    const Blocking *b = &m->blocking;
    int64_t smallest = b->row_blocks - (b->chunks - 1) * b->chunk, together = LANES / b->tile_rows;
    return operands_rows_adjoin(m) && LANES % b->tile_rows == 0 && together <= smallest ? together
                                                                                        : 1;
}

LLVMValueRef pack_first_block(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef number) {
    LLVMValueRef last = sub(e, tile->chunk_size, const_i64(e, pack_blocks_together(m)));
    return min(e, number, last);
}

/* copy[number][k] = the rows of block `number` of the tile's chunk at k. Another core has often
 * written them. */
static void pack_block_at(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef number,
                          LLVMValueRef k, Steps steps, bool prefetches) {
    Tile block = *tile;
    Operands from = {.m = m}, to = {.m = m};
    LLVMValueRef away = sub(e, number, tile->in_chunk);
    block.row = add(e, tile->row, times(e, away, m->blocking.tile_rows));
    operands_find_rows(e, &block, &from);
    operands_find_packed_rows(e, number, steps, &to);
    LLVMValueRef at = element_pointer(e, to.row[0], to.row_operand->dtype,
                                      operand_k_offset(e, to.row_operand, k));
    LLVMSetAlignment(LLVMBuildStore(e->builder, operands_rows_at(e, &from, k), at),
                     (unsigned)dtype_bytes(to.row_operand->dtype));
    if (prefetches) operands_prefetch_lanes(e, &from, plus(e, k, AHEAD), 0);
}

/* for each k: for each line of rows: copy the blocks that share the line. So memory is read without
 * gaps, or in long pieces. */
static void pack_rows(Emitter *e, const Matmul *m, const Tile *tile, PackPlan pack, Steps steps) {
    int64_t together = pack_blocks_together(m);
    Loop all = loop_begin(e, steps.from);
    Loop lines = loop_begin(e, const_i64(e, 0));
    LLVMValueRef number = add(e, pack.first_block, lines.index);
    LLVMValueRef first = pack_first_block(e, m, tile, number);
    for (int64_t b = 0; b < together; b++)
        pack_block_at(e, m, tile, plus(e, first, b), all.index, steps, b == 0);
    loop_end(e, lines, pack.row_blocks, together);
    loop_end(e, all, add(e, steps.from, steps.count), 1);
}

static void open_rows(Emitter *e, const Matmul *m, const Tile *tile, PackPlan pack, Steps steps,
                      Operands *operands) {
    if (!m->packed_rows.base) {
        operands_find_rows(e, tile, operands);
        if (!m->row_words) return;
        If filling = if_begin(e, pack.new_rows);
        bytes_fill_words(e, operands);
        if_end(e, filling);
        return;
    }
    If packing = if_begin(e, pack.new_rows);
    pack_rows(e, m, tile, pack, steps);
    if_end(e, packing);
    operands_find_packed_rows(e, tile->in_chunk, steps, operands);
}

Operands pack_operands(Emitter *e, Matmul *m, const Tile *tile, PackPlan pack, Steps steps) {
    Operands operands = {.m = m};
    operands_open(e, m, tile);
    open_rows(e, m, tile, pack, steps, &operands);
    operands_find_columns(e, tile, &operands);
    if (m->packed_columns.base) {
        If packing = if_begin(e, pack.new_columns);
        pack_columns(e, &operands, steps);
        if_end(e, packing);
        operands_find_packed_columns(e, steps, &operands);
    }
    if (m->blocking.wide) wide_pack(e, m, pack, steps, &operands);
    if (m->blocking.lists_zeros) zeros_choose(e, m, tile, pack, steps, &operands);
    return operands;
}
