/* The epilogue of a tile: what the kernel computes from the product, and its stores. Where a store's layout wants neighbouring
 * rows side by side, vectors of columns are put aside and transposed in registers instead of being scattered. */
#include "codegen/matmul/matmul.h"

enum {
    QUAD = 4,              /* elements of 128 bits: processors shuffle cheaply within them */
    MOST_TURNED = 2 * QUAD /* rows */
};

/* -- which stores are transposed -- */

/* The axis of a matrix of the product that the tile's rows run along. */
static int row_axis(const Emitter *e) { return e->kernel->product.swapped ? 1 : 0; }

/* A tile's rows, and after them as many as make quads. */
static int turned_rows(const Matmul *m) { return m->blocking.tile_rows <= QUAD ? QUAD : MOST_TURNED; }

static bool is_turned(const Emitter *e, const Matmul *m, const Store *store) {
    const Node *node = graph_node(e->graph, store->node);
    Layout layout = store->to.layout;
    int64_t rows = m->blocking.tile_rows;
    if (node->dtype != DTYPE_F32 || rows > MOST_TURNED || m->batch > 1) return false;
    if (layout.kind == LAYOUT_PLAIN)
        return row_axis(e) == 1 && rows > 1 && shape_elements(node->shape) == shape_elements(e->kernel->space);
    return layout.axis == row_axis(e) && layout.width % rows == 0 && rows == turned_rows(m) &&
           shape_equal(node->shape, e->kernel->space);
}

LLVMValueRef *epilogue_turned_slots(Emitter *e, const Matmul *m) {
    LLVMValueRef *slots = ARENA_ARRAY(e->arena, LLVMValueRef, e->kernel->store_count);
    LLVMTypeRef type = LLVMArrayType(lanes_of(e->f32), (unsigned)(turned_rows(m) * m->together));
    for (uint32_t i = 0; i < e->kernel->store_count; i++)
        if (is_turned(e, m, &e->kernel->stores[i])) slots[i] = stack_slot(e, type, 64);
    return slots;
}

static bool is_update(const Emitter *e, const Store *store) {
    const Node *node = graph_node(e->graph, store->node);
    return store->to.kind == STORAGE_STATE && node->dtype == DTYPE_F32 && shape_equal(node->shape, e->kernel->space);
}

/* -- rows -- */

/* One element: a row's first lane. */
static const Place *tile_corner(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef row, LLVMValueRef column) {
    Place *corner = columns_place(e, m, tile->matrix, row, column);
    for (int a = 0; a < corner->shape.rank; a++) corner->axis[a].step = 0;
    return corner;
}

static LLVMValueRef vector_at(Emitter *e, LLVMValueRef vectors, LLVMValueRef number) {
    return LLVMBuildGEP2(e->builder, lanes_of(e->f32), vectors, &number, 1, "");
}

static LLVMValueRef first_column(Emitter *e, const Tile *tile, LLVMValueRef vector) {
    return LLVMBuildAdd(e->builder, tile->column, LLVMBuildMul(e->builder, vector, const_i64(e, LANES), ""), "");
}

static LLVMValueRef load_finished(Emitter *e, const Matmul *m, LLVMValueRef vector, LLVMValueRef row) {
    LLVMValueRef rows_before = LLVMBuildMul(e->builder, vector, const_i64(e, m->blocking.tile_rows), "");
    LLVMValueRef at = vector_at(e, m->finished, LLVMBuildAdd(e->builder, rows_before, row, ""));
    return LLVMBuildLoad2(e->builder, lanes_of(e->f32), at, "");
}

/* Vector `number` of those finished together puts its rows aside behind those of the vectors before it. */
static LLVMValueRef aside(Emitter *e, const Matmul *m, uint32_t store, int number, LLVMValueRef row) {
    return vector_at(e, m->turned[store], LLVMBuildAdd(e->builder, row, const_i64(e, number * turned_rows(m)), ""));
}

static void store_row(Emitter *e, const Matmul *m, const Place *place, int number, LLVMValueRef row) {
    const Kernel *kernel = e->kernel;
    const Value *values = emit_store_values(e, place);
    for (uint32_t i = 0; i < kernel->store_count; i++) {
        if (m->turned[i])
            LLVMBuildStore(e->builder, value_splat(e, values[i]), aside(e, m, i, number, row));
        else
            store_at(e, kernel->stores[i].node, kernel->stores[i].to, place, values[i]);
    }
}

/* Whether a number is below a size that tiles may exceed; NULL if they do not. */
static LLVMValueRef exists(Emitter *e, LLVMValueRef number, int64_t size, int64_t tile_size) {
    return size % tile_size == 0 ? NULL : LLVMBuildICmp(e->builder, LLVMIntSLT, number, const_i64(e, size), "");
}

static LLVMValueRef vector_number(Emitter *e, const Matmul *m, LLVMValueRef group, int number) {
    LLVMValueRef before = LLVMBuildMul(e->builder, group, const_i64(e, m->together), "");
    return LLVMBuildAdd(e->builder, before, const_i64(e, number), "");
}

static void finish_vector(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef group, int number, LLVMValueRef row) {
    LLVMValueRef vector = vector_number(e, m, group, number), column = first_column(e, tile, vector);
    If column_exists = if_begin(e, exists(e, column, m->across.count, m->tile_columns));
    Region region = region_begin(e);
    const Place *place = columns_place(e, m, tile->matrix, LLVMBuildAdd(e->builder, tile->row, row, ""), column);
    emit_set(e, e->kernel->root, place, (Value){load_finished(e, m, vector, row), false});
    store_row(e, m, place, number, row);
    region_end(e, region);
    if_end(e, column_exists);
}

void epilogue_row(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef group, LLVMValueRef row) {
    LLVMValueRef at = LLVMBuildAdd(e->builder, tile->row, row, "");
    If row_exists = if_begin(e, exists(e, at, m->rows.lines, m->blocking.tile_rows));
    for (int i = 0; i < m->together; i++) finish_vector(e, m, tile, group, i, row);
    if_end(e, row_exists);
}

/* -- transposing -- */

/* Two vectors are interleaved within every 128 bits, by `unit` elements at a time; the low or high half of the result. */
static LLVMValueRef interleave(Emitter *e, const Matmul *m, LLVMValueRef a, LLVMValueRef b, int unit, bool high) {
    LLVMValueRef lanes[MOST_TURNED];
    int rows = turned_rows(m);
    for (int l = 0; l < rows; l++) {
        int within = l % QUAD, pair = within / unit, source = (high ? QUAD / 2 : 0) + pair / 2 * unit + within % unit;
        lanes[l] = const_i32(e, l / QUAD * QUAD + source + (pair % 2 ? rows : 0));
    }
    return LLVMBuildShuffleVector(e->builder, a, b, LLVMConstVector(lanes, (unsigned)turned_rows(m)), "");
}

/* Vector i holds four columns of row i, and behind them, of row i + 4; it becomes column i of all rows. */
static void turn_quad(Emitter *e, const Matmul *m, LLVMValueRef vectors[QUAD]) {
    LLVMValueRef halves[QUAD];
    for (int i = 0; i < QUAD; i++) halves[i] = interleave(e, m, vectors[i / 2 * 2], vectors[i / 2 * 2 + 1], 1, i % 2);
    for (int i = 0; i < QUAD; i++) vectors[i] = interleave(e, m, halves[i / 2], halves[2 + i / 2], 2, i % 2);
}

/* Four columns, from `column` on, of row `row` and of row + 4 if there is one. */
static LLVMValueRef load_quad(Emitter *e, const Matmul *m, LLVMValueRef rows, int row, LLVMValueRef column) {
    LLVMTypeRef quad = LLVMVectorType(e->f32, QUAD);
    LLVMValueRef parts[MOST_TURNED / QUAD], lanes[MOST_TURNED];
    for (int i = 0; i < turned_rows(m) / QUAD; i++) {
        LLVMValueRef from = element_pointer(e, vector_at(e, rows, const_i64(e, row + i * QUAD)), DTYPE_F32, column);
        parts[i] = LLVMBuildLoad2(e->builder, quad, from, "");
        LLVMSetAlignment(parts[i], QUAD * sizeof(float));
    }
    if (turned_rows(m) == QUAD) return parts[0];
    for (int l = 0; l < MOST_TURNED; l++) lanes[l] = const_i32(e, l);
    return LLVMBuildShuffleVector(e->builder, parts[0], parts[1], LLVMConstVector(lanes, MOST_TURNED), "");
}

/* Elements from one column of the tile to the next in a store's memory. */
static int64_t column_step(const Emitter *e, const Store *store) {
    return store->to.layout.kind == LAYOUT_PANEL ? store->to.layout.width : e->kernel->space.dim[e->kernel->space.rank - 1];
}

/* A column of the tile's rows; what lies behind the last row belongs to others. */
static void store_column(Emitter *e, LLVMValueRef rows, LLVMValueRef pointer, LLVMValueRef mask) {
    LLVMTypeRef types[] = {LLVMTypeOf(rows), e->pointer};
    LLVMValueRef args[] = {rows, pointer, const_i32(e, sizeof(float)), mask};
    if (mask)
        call_intrinsic(e, "llvm.masked.store", types, 2, args, 4);
    else
        LLVMSetAlignment(LLVMBuildStore(e->builder, rows, pointer), sizeof(float));
}

/* The first column of a quad exists. */
static void store_quad(Emitter *e, const Matmul *m, LLVMValueRef vectors[QUAD], LLVMValueRef to, int64_t step,
                       LLVMValueRef there, LLVMValueRef mask) {
    bool all = m->across.run % QUAD == 0;
    for (int i = 0; i < QUAD; i++) {
        If column_exists = if_begin(e, i && !all ? LLVMBuildICmp(e->builder, LLVMIntSGT, there, const_i64(e, i), "") : NULL);
        store_column(e, vectors[i], element_pointer(e, to, DTYPE_F32, const_i64(e, i * step)), mask);
        if_end(e, column_exists);
    }
}

static void turn_store(Emitter *e, const Matmul *m, const Tile *tile, uint32_t store_number, int number, LLVMValueRef column) {
    const Store *store = &e->kernel->stores[store_number];
    int64_t step = column_step(e, store);
    LLVMValueRef first = store_pointer(e, store->node, store->to, tile_corner(e, m, tile, tile->row, column)), vectors[QUAD];
    LLVMValueRef rows = aside(e, m, store_number, number, const_i64(e, 0)), columns = columns_there(e, m, column);
    LLVMValueRef mask = product_rows_mask(e, m, tile->row, (unsigned)turned_rows(m));
    Loop loop = loop_begin(e, const_i64(e, 0));
    for (int i = 0; i < QUAD; i++) vectors[i] = load_quad(e, m, rows, i, loop.index);
    turn_quad(e, m, vectors);
    LLVMValueRef to = element_pointer(e, first, DTYPE_F32, LLVMBuildMul(e->builder, loop.index, const_i64(e, step), ""));
    store_quad(e, m, vectors, to, step, LLVMBuildSub(e->builder, columns, loop.index, ""), mask);
    loop_end(e, loop, columns, QUAD);
}

static void turn_vector(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef group, int number) {
    LLVMValueRef column = first_column(e, tile, vector_number(e, m, group, number));
    If column_exists = if_begin(e, exists(e, column, m->across.count, m->tile_columns));
    for (uint32_t i = 0; i < e->kernel->store_count; i++)
        if (m->turned[i]) turn_store(e, m, tile, i, number, column);
    if_end(e, column_exists);
}

void epilogue_turn(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef group) {
    bool any = false;
    for (uint32_t i = 0; i < e->kernel->store_count; i++) any |= m->turned[i] != NULL;
    for (int i = 0; any && i < m->together; i++) turn_vector(e, m, tile, group, i);
}

/* -- fetching -- */

/* The transposed vector has as many columns for every row of the tile. */
static void fetch_turned(Emitter *e, const Matmul *m, const Store *store, const Tile *tile, LLVMValueRef column,
                         LLVMValueRef row) {
    LLVMValueRef first = store_pointer(e, store->node, store->to, tile_corner(e, m, tile, tile->row, column));
    int64_t columns = (LANES + m->blocking.tile_rows - 1) / m->blocking.tile_rows, step = column_step(e, store);
    for (int64_t c = 0; c < columns; c++) {
        LLVMValueRef at =
            LLVMBuildAdd(e->builder, LLVMBuildMul(e->builder, row, const_i64(e, columns), ""), const_i64(e, c), "");
        LLVMValueRef away = LLVMBuildMul(e->builder, at, const_i64(e, step), "");
        fetch_line(e, element_pointer(e, first, DTYPE_F32, away), FETCH_TO_WRITE);
    }
}

static void fetch_vector(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef vector, LLVMValueRef row) {
    LLVMValueRef column = first_column(e, tile, vector), at = LLVMBuildAdd(e->builder, tile->row, row, "");
    for (uint32_t i = 0; i < e->kernel->store_count; i++) {
        const Store *store = &e->kernel->stores[i];
        if (!is_update(e, store)) continue;
        if (m->turned[i])
            fetch_turned(e, m, store, tile, column, row);
        else
            fetch_line(e, store_pointer(e, store->node, store->to, tile_corner(e, m, tile, at, column)), FETCH_TO_WRITE);
    }
}

void epilogue_fetch(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef group, LLVMValueRef row) {
    for (int i = 0; i < m->together; i++) fetch_vector(e, m, tile, vector_number(e, m, group, i), row);
}
