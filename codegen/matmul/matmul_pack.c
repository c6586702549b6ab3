/* Packing: operands that would be read in long steps are copied into panels once for many tiles. Long steps cost an address
 * translation each, and steps of a power of two fall on the same few places of a cache. */
#include "codegen/matmul/matmul.h"

enum {
    ENOUGH_BLOCKS = 4,  /* of rows that use a copy of columns */
    ENOUGH_STEPS = 128, /* so few rows and k apart are in the cache anyway */
    GAP = 2             /* steps between panels: they should not be a power of two apart either */
};

static Side panel_side(Emitter *e, int64_t lines, int64_t width, int64_t k) {
    return (Side){.storage = {.layout = {.kind = LAYOUT_PANEL, .axis = 0, .width = (uint16_t)width}},
                  .shape = {.rank = 2, .dim = {lines, k}},
                  .lines = lines,
                  .k = k,
                  .base = stack_slot(e, LLVMArrayType(e->f32, (unsigned)(k * lines)), 64)};
}

/* Columns that are not neighbours are collected one by one: once for all blocks of rows. */
static bool packs_columns(const Matmul *m) {
    if (product_columns_packed_already(m) || m->columns.windows || m->blocking.k_block * m->tile_columns > MOST_PACKED)
        return false;
    return m->blocking.chunk >= (product_columns_adjoin(m) ? ENOUGH_BLOCKS : 2);
}

static bool packs_rows(const Matmul *m) {
    const Blocking *b = &m->blocking;
    int64_t elements = b->chunk * b->tile_rows * b->k_block;
    return product_rows_adjoin(m) && b->k_block >= ENOUGH_STEPS && b->column_blocks > 1 && elements <= MOST_PACKED;
}

void pack_reserve(Emitter *e, Matmul *m) {
    const Blocking *b = &m->blocking;
    if (packs_columns(m)) m->packed_columns = panel_side(e, m->tile_columns, m->tile_columns, b->k_block);
    if (packs_rows(m)) m->packed_rows = panel_side(e, b->chunk * b->tile_rows, b->tile_rows, b->k_block + GAP);
}

static LLVMValueRef plus(Emitter *e, LLVMValueRef a, LLVMValueRef b) { return LLVMBuildAdd(e->builder, a, b, ""); }

static LLVMValueRef vector_pointer(Emitter *e, LLVMValueRef pointer, int64_t elements) {
    return element_pointer(e, pointer, DTYPE_F32, const_i64(e, elements));
}

static void pack_columns(Emitter *e, const Operands *from, Steps steps) {
    const Matmul *m = from->m;
    Operands to = {.m = m};
    product_find_packed_columns(e, steps, &to);
    Loop loop = loop_begin(e, steps.from);
    LLVMValueRef row = element_pointer(e, to.columns, DTYPE_F32, product_k_offset(e, to.columns_side, loop.index));
    for (int v = 0; v < m->blocking.vectors; v++)
        LLVMBuildStore(e->builder, product_columns(e, from, v, loop.index), vector_pointer(e, row, v * LANES));
    loop_end(e, loop, plus(e, steps.from, steps.count), 1);
}

/* All rows of block `number` of the chunk that the tile is in, at k. */
static void pack_block_at(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef number, LLVMValueRef k, Steps steps) {
    Tile block = *tile;
    Operands from = {.m = m}, to = {.m = m};
    LLVMValueRef away = LLVMBuildSub(e->builder, number, tile->in_chunk, "");
    block.row = plus(e, tile->row, LLVMBuildMul(e->builder, away, const_i64(e, m->blocking.tile_rows), ""));
    product_find_rows(e, &block, &from);
    product_find_packed_rows(e, number, steps, &to);
    LLVMValueRef at = element_pointer(e, to.row[0], DTYPE_F32, product_k_offset(e, to.rows_side, k));
    LLVMSetAlignment(LLVMBuildStore(e->builder, product_rows_at(e, &from, k), at), sizeof(float));
}

/* All blocks at one k before the next: what is read is read in one go. */
static void pack_rows(Emitter *e, const Matmul *m, const Tile *tile, Fresh fresh, Steps steps) {
    Loop all = loop_begin(e, steps.from);
    Loop blocks = loop_begin(e, const_i64(e, 0));
    pack_block_at(e, m, tile, plus(e, fresh.first_block, blocks.index), all.index, steps);
    loop_end(e, blocks, fresh.row_blocks, 1);
    loop_end(e, all, plus(e, steps.from, steps.count), 1);
}

static void open_rows(Emitter *e, const Matmul *m, const Tile *tile, Fresh fresh, Steps steps, Operands *operands) {
    if (!m->packed_rows.base) {
        product_find_rows(e, tile, operands);
        return;
    }
    If packing = if_begin(e, fresh.new_rows);
    pack_rows(e, m, tile, fresh, steps);
    if_end(e, packing);
    product_find_packed_rows(e, tile->in_chunk, steps, operands);
}

static void open_columns(Emitter *e, const Matmul *m, const Tile *tile, Fresh fresh, Steps steps, Operands *operands) {
    product_find_columns(e, tile, operands);
    if (!m->packed_columns.base) return;
    If packing = if_begin(e, fresh.new_columns);
    pack_columns(e, operands, steps);
    if_end(e, packing);
    product_find_packed_columns(e, steps, operands);
}

Operands pack_operands(Emitter *e, Matmul *m, const Tile *tile, Fresh fresh, Steps steps) {
    Operands operands = {.m = m};
    product_open(e, m, tile);
    open_rows(e, m, tile, fresh, steps, &operands);
    open_columns(e, m, tile, fresh, steps, &operands);
    if (m->blocking.lists_zeros) zeros_choose(e, m, tile, fresh, steps, &operands);
    return operands;
}
