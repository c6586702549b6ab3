/* MATMUL kernels: tiles of the product are computed in registers, then finished by the epilogue. Usually a tile's columns are
 * those of the product (n); swapped kernels compute the transposed product (columns along m).
 *
 * The epilogue of a tile is not done at once but piece by piece between the multiply-adds of the next one: while those keep the
 * multipliers busy, an optimizer's divisions, square roots and cache misses take their time beside them.
 *
 * Bound: an AVX-512 processor starts one or two FMAs of 16 lanes a cycle. Eight rows by two vectors make 16 chains of FMAs (a
 * latency of 4 cycles needs 8), with 2 vector loads and 8 broadcasts for 16 FMAs. */
#include "codegen/matmul.h"

static Side side_of(const Emitter *e, const Node *node, int operand, Storage storage, bool transposed) {
    Shape stored = graph_operand(e->graph, node, (uint32_t)operand)->shape;
    Shape matrix = {.rank = 2, .dim = {stored.dim[stored.rank - 2], stored.dim[stored.rank - 1]}};
    int line_axis = operand == 0 ? (transposed ? 1 : 0) : (transposed ? 0 : 1);
    return (Side){.storage = storage,
                  .shape = matrix,
                  .line_axis = line_axis,
                  .lines = matrix.dim[line_axis],
                  .k = matrix.dim[1 - line_axis],
                  .matrix = matrix.dim[0] * matrix.dim[1]};
}

static int64_t divide_up(int64_t a, int64_t b) {
    return (a + b - 1) / b;
}

/* With 16 registers a tile is a quarter as big: four rows by sixteen columns, which may be two registers. */
static void choose_tile(const Emitter *e, Matmul *m) {
    const Layout *layout = &m->columns.storage.layout;
    bool narrow_panel = layout->kind == LAYOUT_PANEL && layout->axis == m->columns.line_axis && layout->width == LANES;
    m->vectors = m->columns.lines <= LANES || narrow_panel || !e->many_registers ? 1 : MOST_VECTORS;
    m->tile_columns = m->vectors * LANES;
    m->column_blocks = divide_up(m->columns.lines, m->tile_columns);
    m->row_blocks = divide_up(m->rows.lines, e->many_registers ? MOST_ROWS : MOST_ROWS / 2);
    m->tile_rows = divide_up(m->rows.lines, m->row_blocks); /* as equal as can be */
}

static void reserve_slots(Emitter *e, Matmul *m) {
    for (int64_t r = 0; r < m->tile_rows; r++)
        for (int v = 0; v < m->vectors; v++) m->sums[r][v] = stack_slot(e, lanes_of(e->f32), 64);
    m->finished = stack_slot(e, LLVMArrayType(lanes_of(e->f32), (unsigned)(m->tile_rows * m->vectors)), 64);
    m->turned = epilogue_turned_slots(e, m);
    product_prepare(e, m);
}

Matmul matmul_of(Emitter *e) {
    const Kernel *kernel = e->kernel;
    const Node *node = graph_node(e->graph, kernel->root);
    Side left = side_of(e, node, 0, kernel->left, node->attrs.transpose_a);
    Side right = side_of(e, node, 1, kernel->right, node->attrs.transpose_b);
    Matmul m = {.rows = kernel->swapped ? right : left, .columns = kernel->swapped ? left : right, .k = left.k};
    m.batch = shape_elements(node->shape) / (left.lines * right.lines);
    choose_tile(e, &m);
    reserve_slots(e, &m);
    return m;
}

/* Blocks of rows vary fastest: a panel of columns stays in the cache while all rows go by. */
static Tile tile_of(Emitter *e, const Matmul *m, LLVMValueRef unit) {
    LLVMValueRef row_blocks = const_i64(e, m->row_blocks), column_blocks = const_i64(e, m->column_blocks);
    LLVMValueRef rest = LLVMBuildUDiv(e->builder, unit, row_blocks, "");
    LLVMValueRef row_block = LLVMBuildURem(e->builder, unit, row_blocks, "");
    LLVMValueRef column_block = LLVMBuildURem(e->builder, rest, column_blocks, "");
    return (Tile){.matrix = LLVMBuildUDiv(e->builder, rest, column_blocks, ""),
                  .row = LLVMBuildMul(e->builder, row_block, const_i64(e, m->tile_rows), ""),
                  .column = LLVMBuildMul(e->builder, column_block, const_i64(e, m->tile_columns), "")};
}

/* A tile on its way, the one before it on its way out; either may be missing. */
typedef struct {
    Operands operands;
    Tile before;
    LLVMValueRef has_tile, has_before;
} Stage;

/* Entries count * number / pieces up to count * (number + 1) / pieces of the list. */
static void add_share(Emitter *e, const Operands *operands, LLVMValueRef number, int64_t pieces) {
    LLVMValueRef by = const_i64(e, pieces), next = LLVMBuildAdd(e->builder, number, const_i64(e, 1), "");
    LLVMValueRef from = LLVMBuildUDiv(e->builder, LLVMBuildMul(e->builder, operands->count, number, ""), by, "");
    LLVMValueRef to = LLVMBuildUDiv(e->builder, LLVMBuildMul(e->builder, operands->count, next, ""), by, "");
    product_add_listed(e, operands, from, to);
}

/* Piece `number` of the product's k, then one row of the epilogue of the tile before. */
static void emit_piece(Emitter *e, const Matmul *m, const Stage *stage, LLVMValueRef vector, LLVMValueRef row) {
    int64_t pieces = m->vectors * m->tile_rows, steps = m->k / pieces;
    LLVMValueRef number = LLVMBuildAdd(e->builder, LLVMBuildMul(e->builder, vector, const_i64(e, m->tile_rows), ""), row, "");
    If multiplying = if_begin(e, stage->has_tile);
    if (m->lists)
        add_share(e, &stage->operands, number, pieces);
    else
        product_add(e, &stage->operands, LLVMBuildMul(e->builder, number, const_i64(e, steps), ""), steps);
    if_end(e, multiplying);
    If finishing = if_begin(e, stage->has_before);
    epilogue_row(e, m, &stage->before, vector, row);
    if_end(e, finishing);
}

static void emit_vector(Emitter *e, const Matmul *m, const Stage *stage, LLVMValueRef vector) {
    Loop rows = loop_begin(e, const_i64(e, 0));
    emit_piece(e, m, stage, vector, rows.index);
    loop_end(e, rows, const_i64(e, m->tile_rows), 1);
    If finishing = if_begin(e, stage->has_before);
    epilogue_turn(e, m, &stage->before, vector);
    if_end(e, finishing);
}

/* What is left of k after equal pieces. */
static void emit_rest(Emitter *e, const Matmul *m, const Stage *stage) {
    int64_t pieces = m->vectors * m->tile_rows, rest = m->lists ? 0 : m->k % pieces;
    If multiplying = if_begin(e, stage->has_tile);
    product_add(e, &stage->operands, const_i64(e, m->k - rest), rest);
    product_finish(e, m);
    if_end(e, multiplying);
}

/* The first tile of its block of columns that this thread computes. */
static LLVMValueRef is_fresh(Emitter *e, const Tile *tile, LLVMValueRef unit, LLVMValueRef first, LLVMValueRef has_tile) {
    LLVMValueRef top = LLVMBuildICmp(e->builder, LLVMIntEQ, tile->row, const_i64(e, 0), "");
    LLVMValueRef fresh = LLVMBuildOr(e->builder, top, LLVMBuildICmp(e->builder, LLVMIntEQ, unit, first, ""), "");
    return LLVMBuildAnd(e->builder, fresh, has_tile, "");
}

static Stage stage_of(Emitter *e, Matmul *m, LLVMValueRef unit, LLVMValueRef first, LLVMValueRef last) {
    LLVMValueRef has_tile = LLVMBuildICmp(e->builder, LLVMIntSLT, unit, last, "");
    Tile tile = tile_of(e, m, unit);
    return (Stage){.operands = product_operands(e, m, &tile, is_fresh(e, &tile, unit, first, has_tile)),
                   .before = tile_of(e, m, LLVMBuildSub(e->builder, unit, const_i64(e, 1), "")),
                   .has_tile = has_tile,
                   .has_before = LLVMBuildICmp(e->builder, LLVMIntSGT, unit, first, "")};
}

/* One turn more than there are tiles: the last one finishes the last tile. */
int64_t kernel_matmul(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    Matmul m = matmul_of(e);
    zeros_list(e, &m);
    Loop units = loop_begin(e, first);
    Stage stage = stage_of(e, &m, units.index, first, last);
    product_clear(e, &m);
    Loop vectors = loop_begin(e, const_i64(e, 0));
    emit_vector(e, &m, &stage, vectors.index);
    loop_end(e, vectors, const_i64(e, m.vectors), 1);
    emit_rest(e, &m, &stage);
    loop_end(e, units, LLVMBuildAdd(e->builder, last, const_i64(e, 1), ""), 1);
    return m.batch * m.row_blocks * m.column_blocks;
}
