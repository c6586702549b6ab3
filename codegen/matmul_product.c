/* The product of a tile: one operand is read in vectors along the tile's columns, the other one element at a time along its
 * rows. Every element is acc = fma(a, b, acc) for k ascending: the tile decides only what is computed side by side. */
#include "codegen/matmul.h"

/* -- addresses -- */

/* Elements from the base of the matrix to (line, k), both scalars. */
static LLVMValueRef side_offset(Emitter *e, const Side *side, LLVMValueRef line, LLVMValueRef k) {
    LLVMValueRef index[2];
    index[side->line_axis] = line;
    index[1 - side->line_axis] = k;
    Layout layout = side->storage.layout;
    if (layout.kind == LAYOUT_PLAIN)
        return LLVMBuildAdd(e->builder, LLVMBuildMul(e->builder, index[0], const_i64(e, side->shape.dim[1]), ""), index[1], "");
    LLVMValueRef width = const_i64(e, layout.width), across = index[layout.axis], along = index[1 - layout.axis];
    LLVMValueRef panel = LLVMBuildMul(e->builder, LLVMBuildUDiv(e->builder, across, width, ""),
                                      const_i64(e, side->shape.dim[1 - layout.axis] * layout.width), "");
    LLVMValueRef row = LLVMBuildMul(e->builder, along, width, "");
    return LLVMBuildAdd(e->builder, LLVMBuildAdd(e->builder, panel, row, ""), LLVMBuildURem(e->builder, across, width, ""), "");
}

static LLVMValueRef pointer_to(Emitter *e, const Side *side, LLVMValueRef line, LLVMValueRef k) {
    return element_pointer(e, side->base, DTYPE_F32, side_offset(e, side, line, k));
}

static LLVMValueRef pointer_plus(Emitter *e, LLVMValueRef pointer, int64_t elements) {
    return elements ? element_pointer(e, pointer, DTYPE_F32, const_i64(e, elements)) : pointer;
}

static bool panels_along(const Side *side, int axis) {
    return side->storage.layout.kind == LAYOUT_PANEL && side->storage.layout.axis == axis;
}

/* Elements between neighbours along an axis that no panel border crosses. */
static int64_t stride_along(const Side *side, int axis) {
    Layout layout = side->storage.layout;
    if (layout.kind == LAYOUT_PANEL) return layout.axis == axis ? 1 : layout.width;
    return axis == 0 ? side->shape.dim[1] : 1;
}

LLVMValueRef product_k_offset(Emitter *e, const Side *side, LLVMValueRef k) {
    int k_axis = 1 - side->line_axis;
    if (panels_along(side, k_axis)) return side_offset(e, side, const_i64(e, 0), k);
    return LLVMBuildMul(e->builder, k, const_i64(e, stride_along(side, k_axis)), "");
}

/* -- the operands of a tile -- */

/* Rows that do not exist are computed from the last one that does, and never stored. */
static LLVMValueRef existing_row(Emitter *e, const Matmul *m, LLVMValueRef row) {
    LLVMValueRef last = const_i64(e, m->rows.lines - 1);
    return LLVMBuildSelect(e->builder, LLVMBuildICmp(e->builder, LLVMIntSLT, row, last, ""), row, last, "");
}

void product_find_rows(Emitter *e, const Matmul *m, LLVMValueRef first, Operands *operands) {
    const Side *side = &m->rows;
    bool all_exist = side->lines % m->tile_rows == 0;
    bool steady = !panels_along(side, side->line_axis) || side->storage.layout.width % m->tile_rows == 0;
    operands->row_step = stride_along(side, side->line_axis);
    for (int64_t r = 0; r < (all_exist && steady ? 1 : m->tile_rows); r++) {
        LLVMValueRef row = LLVMBuildAdd(e->builder, first, const_i64(e, r), "");
        operands->row[r] = pointer_to(e, side, all_exist ? row : existing_row(e, m, row), const_i64(e, 0));
    }
}

/* Columns of the last block may be missing: panels are padded, plain rows must not be read past their end. */
static void set_masks(Emitter *e, Operands *operands) {
    const Matmul *m = operands->m;
    for (int v = 0; v < m->vectors; v++) {
        if (panels_along(&m->columns, m->columns.line_axis) || m->columns.lines % m->tile_columns == 0) continue;
        LLVMValueRef start = LLVMBuildAdd(e->builder, operands->first_column, const_i64(e, v * LANES), "");
        LLVMValueRef left = LLVMBuildSub(e->builder, const_i64(e, m->columns.lines), start, "");
        operands->masks[v] = LLVMBuildICmp(e->builder, LLVMIntSLT, lane_numbers(e), value_splat(e, (Value){left, true}), "");
    }
}

static void open_side(Emitter *e, const Matmul *m, Side *side, LLVMValueRef matrix) {
    side->base = storage_base(e, side->storage);
    if (m->batch == 1) return;
    LLVMValueRef skip = LLVMBuildMul(e->builder, matrix, const_i64(e, side->matrix), "");
    side->base = element_pointer(e, side->base, DTYPE_F32, skip);
}

/* -- loads -- */

static LLVMValueRef load_neighbours(Emitter *e, LLVMValueRef pointer, LLVMValueRef mask) {
    LLVMTypeRef type = lanes_of(e->f32), types[] = {type, e->pointer};
    LLVMValueRef args[] = {pointer, const_i32(e, sizeof(float)), mask, LLVMConstNull(type)};
    if (mask) return call_intrinsic(e, "llvm.masked.load", types, 2, args, 4);
    LLVMValueRef load = LLVMBuildLoad2(e->builder, type, pointer, "");
    LLVMSetAlignment(load, sizeof(float));
    return load;
}

/* Columns that are not neighbours in memory; those that do not exist are taken from column 0. */
static LLVMValueRef collect_columns(Emitter *e, const Operands *operands, int vector, LLVMValueRef k) {
    const Side *side = operands->columns_side;
    LLVMValueRef result = LLVMConstNull(lanes_of(e->f32));
    for (int lane = 0; lane < LANES; lane++) {
        LLVMValueRef line = LLVMBuildAdd(e->builder, operands->first_column, const_i64(e, vector * LANES + lane), "");
        LLVMValueRef exists = LLVMBuildICmp(e->builder, LLVMIntSLT, line, const_i64(e, side->lines), "");
        LLVMValueRef safe = LLVMBuildSelect(e->builder, exists, line, const_i64(e, 0), "");
        LLVMValueRef element = LLVMBuildLoad2(e->builder, e->f32, pointer_to(e, side, safe, k), "");
        result = LLVMBuildInsertElement(e->builder, result, element, const_i32(e, lane), "");
    }
    return result;
}

LLVMValueRef product_columns(Emitter *e, const Operands *operands, int vector, LLVMValueRef k) {
    const Side *side = operands->columns_side;
    if (stride_along(side, side->line_axis) != 1) return collect_columns(e, operands, vector, k);
    LLVMValueRef at = element_pointer(e, operands->columns, DTYPE_F32, product_k_offset(e, side, k));
    return load_neighbours(e, pointer_plus(e, at, vector * LANES), operands->masks[vector]);
}

/* -- the operands of a tile, put together -- */

/* Rows of an unpacked operand may be a power of two apart, which caches do not like; and columns that are not neighbours are
 * collected once for all blocks of rows. */
void product_prepare(Emitter *e, Matmul *m) {
    enum { MOST_PACKED = 8192, ENOUGH_BLOCKS = 4 }; /* elements: not more than a first-level cache holds */
    const Side *columns = &m->columns;
    if (panels_along(columns, columns->line_axis) || m->k * m->tile_columns > MOST_PACKED) return;
    if (m->row_blocks < (stride_along(columns, columns->line_axis) == 1 ? ENOUGH_BLOCKS : 2)) return;
    m->packed = (Side){.storage = {.layout = {.kind = LAYOUT_PANEL, .axis = 0, .width = (uint16_t)m->tile_columns}},
                       .shape = {.rank = 2, .dim = {m->tile_columns, m->k}},
                       .lines = m->tile_columns,
                       .k = m->k,
                       .base = stack_slot(e, LLVMArrayType(e->f32, (unsigned)(m->k * m->tile_columns)), 64)};
}

static void pack_columns(Emitter *e, const Operands *from) {
    const Matmul *m = from->m;
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef to = pointer_to(e, &m->packed, const_i64(e, 0), loop.index);
    for (int v = 0; v < m->vectors; v++)
        LLVMBuildStore(e->builder, product_columns(e, from, v, loop.index), pointer_plus(e, to, v * LANES));
    loop_end(e, loop, const_i64(e, m->k), 1);
}

static Operands open_columns(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef fresh) {
    Operands operands = {.m = m, .columns_side = &m->columns, .first_column = tile->column};
    operands.columns = pointer_to(e, &m->columns, tile->column, const_i64(e, 0));
    set_masks(e, &operands);
    if (!m->packed.base) return operands;
    If packing = if_begin(e, fresh);
    pack_columns(e, &operands);
    if_end(e, packing);
    return (Operands){.m = m, .columns_side = &m->packed, .first_column = const_i64(e, 0), .columns = m->packed.base};
}

Operands product_operands(Emitter *e, Matmul *m, const Tile *tile, LLVMValueRef fresh) {
    open_side(e, m, &m->rows, tile->matrix);
    open_side(e, m, &m->columns, tile->matrix);
    Operands operands = open_columns(e, m, tile, fresh);
    product_find_rows(e, m, tile->row, &operands);
    if (m->lists) zeros_choose(e, m, tile, fresh, &operands);
    return operands;
}

/* -- sums -- */

typedef struct {
    LLVMValueRef sum[MOST_ROWS][MOST_VECTORS];
} Sums;

static Sums load_sums(Emitter *e, const Matmul *m) {
    Sums sums;
    for (int64_t r = 0; r < m->tile_rows; r++)
        for (int v = 0; v < m->vectors; v++) sums.sum[r][v] = LLVMBuildLoad2(e->builder, lanes_of(e->f32), m->sums[r][v], "");
    return sums;
}

static void store_sums(Emitter *e, const Matmul *m, const Sums *sums) {
    for (int64_t r = 0; r < m->tile_rows; r++)
        for (int v = 0; v < m->vectors; v++) LLVMBuildStore(e->builder, sums->sum[r][v], m->sums[r][v]);
}

void product_clear(Emitter *e, const Matmul *m) {
    for (int64_t r = 0; r < m->tile_rows; r++)
        for (int v = 0; v < m->vectors; v++) LLVMBuildStore(e->builder, LLVMConstNull(lanes_of(e->f32)), m->sums[r][v]);
}

/* The last addition of the contract: a product is never -0. */
void product_finish(Emitter *e, const Matmul *m) {
    Sums sums = load_sums(e, m);
    for (int v = 0; v < m->vectors; v++)
        for (int64_t r = 0; r < m->tile_rows; r++) {
            LLVMValueRef sum = LLVMBuildFAdd(e->builder, sums.sum[r][v], LLVMConstNull(lanes_of(e->f32)), "");
            LLVMBuildStore(e->builder, sum, pointer_plus(e, m->finished, (v * m->tile_rows + r) * LANES));
        }
}

/* Row `row` of the tile at k; `offset` is k in elements. */
LLVMValueRef product_row_element(Emitter *e, const Operands *operands, int64_t row, LLVMValueRef offset) {
    bool has_pointer = operands->row[row] != NULL;
    LLVMValueRef at = element_pointer(e, operands->row[has_pointer ? row : 0], DTYPE_F32, offset);
    if (!has_pointer) at = pointer_plus(e, at, row * operands->row_step);
    return LLVMBuildLoad2(e->builder, e->f32, at, "");
}

static void add_step(Emitter *e, const Operands *operands, LLVMValueRef k) {
    const Matmul *m = operands->m;
    LLVMTypeRef type = lanes_of(e->f32);
    LLVMValueRef columns[MOST_VECTORS], offset = product_k_offset(e, &m->rows, k);
    Sums sums = load_sums(e, m);
    for (int v = 0; v < m->vectors; v++) columns[v] = product_columns(e, operands, v, k);
    for (int64_t r = 0; r < m->tile_rows; r++) {
        LLVMValueRef row = value_splat(e, (Value){product_row_element(e, operands, r, offset), true});
        for (int v = 0; v < m->vectors; v++)
            sums.sum[r][v] = call_intrinsic(e, "llvm.fma", &type, 1, (LLVMValueRef[]){row, columns[v], sums.sum[r][v]}, 3);
    }
    store_sums(e, m, &sums);
}

/* Not unrolled: the loop's own instructions fit beside the multiply-adds, and LLVM's scheduler keeps its registers. */
void product_add(Emitter *e, const Operands *operands, LLVMValueRef from, int64_t count) {
    if (count == 0) return;
    Loop loop = loop_begin(e, from);
    add_step(e, operands, loop.index);
    loop_end(e, loop, LLVMBuildAdd(e->builder, from, const_i64(e, count), ""), 1);
}

void product_add_listed(Emitter *e, const Operands *operands, LLVMValueRef from, LLVMValueRef to) {
    If any = if_begin(e, LLVMBuildICmp(e->builder, LLVMIntSLT, from, to, ""));
    Loop loop = loop_begin(e, from);
    LLVMValueRef at = LLVMBuildGEP2(e->builder, e->i32, operands->list, &loop.index, 1, "");
    add_step(e, operands, LLVMBuildZExt(e->builder, LLVMBuildLoad2(e->builder, e->i32, at, ""), e->i64, ""));
    loop_end(e, loop, to, 1);
    if_end(e, any);
}
