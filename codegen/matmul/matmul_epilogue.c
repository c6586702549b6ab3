/* The epilogue of a tile: computes the other nodes of the kernel from the product, and stores.
 *
 *     for each group of `together` vectors
 *         for each row: value = the kernel's other nodes; store it, or keep it on the stack
 *         for each store with rows on the stack: transpose them, four columns at a time, and store
 *
 * Rows are kept on the stack if neighbouring rows are neighbours in the layout of the store. They
 * are transposed in registers instead of being scattered. matmul_epilogue_bytes.c transposes
 * bytes. */
#include "codegen/matmul/matmul.h"

enum {
    QUAD = 4,                 /* elements of 128 bits: processors shuffle cheaply within them */
    MAX_TRANSPOSED = 2 * QUAD /* rows */
};

/* -- which stores are transposed -- */

/* The axis of the product's matrix along which the tile's rows are numbered. */
static int row_axis(const Emitter *e) { return e->kernel->product.swapped ? 1 : 0; }

/* 4 or 8 rows are transposed; those after the rows of the tile are unused. */
static int transposed_rows(const Matmul *m) {
    return m->blocking.tile_rows <= QUAD ? QUAD : MAX_TRANSPOSED;
}

static bool is_byte(DType dtype) { return dtype == DTYPE_U8 || dtype == DTYPE_I8; }

/* Whether neighbouring rows of a tile are neighbours in a store's panels. */
static bool in_panels_of_rows(const Emitter *e, const Store *store) {
    const Node *node = graph_node(e->graph, store->node);
    Layout layout = store->to.layout;
    return layout.kind == LAYOUT_PANEL && layout.axis == row_axis(e) &&
           shape_equal(node->shape, e->kernel->space);
}

bool epilogue_transposes_panels(const Emitter *e) {
    for (uint32_t i = 0; i < e->kernel->store_count; i++)
        if (in_panels_of_rows(e, &e->kernel->stores[i])) return true;
    return false;
}

/* Whether the rows of a store are kept on the stack and transposed: neighbouring rows of the tile
 * are neighbours in the store's layout. */
static bool is_transposed(const Emitter *e, const Matmul *m, const Store *store) {
    const Node *node = graph_node(e->graph, store->node);
    Layout layout = store->to.layout;
    int64_t rows = m->blocking.tile_rows;
    bool plain = layout.kind == LAYOUT_PLAIN && row_axis(e) == 1 && rows > 1 &&
                 shape_elements(node->shape) == shape_elements(e->kernel->space);
    if (m->batch > 1) return false;
    if (is_byte(node->dtype)) return plain && epilogue_bytes_can_transpose(m);
    if (node->dtype != DTYPE_F32 || rows > MAX_TRANSPOSED) return false;
    if (layout.kind == LAYOUT_PLAIN) return plain;
    return in_panels_of_rows(e, store) && layout.width % rows == 0 && rows == transposed_rows(m);
}

static bool stores_bytes(const Emitter *e, const Store *store) {
    return is_byte(graph_node(e->graph, store->node)->dtype);
}

/* The vectors that wait on the stack for a store: their number for each vector of a group, and their
 * type. */
static int waiting_rows(const Emitter *e, const Matmul *m, const Store *store) {
    return stores_bytes(e, store) ? epilogue_bytes_rows(m) : transposed_rows(m);
}
static LLVMTypeRef waiting_type(const Emitter *e, const Store *store) {
    return lanes_of(stores_bytes(e, store) ? e->i8 : e->f32);
}

LLVMValueRef *epilogue_transposed_slots(Emitter *e, const Matmul *m) {
    LLVMValueRef *slots = ARENA_ARRAY(e->arena, LLVMValueRef, e->kernel->store_count);
    for (uint32_t i = 0; i < e->kernel->store_count; i++) {
        const Store *store = &e->kernel->stores[i];
        unsigned vectors = (unsigned)(waiting_rows(e, m, store) * m->together);
        if (is_transposed(e, m, store))
            slots[i] = stack_slot(e, LLVMArrayType(waiting_type(e, store), vectors), 64);
    }
    return slots;
}

/* Whether a store updates a state in place: its memory is read and written, so it is prefetched. */
static bool is_update(const Emitter *e, const Store *store) {
    const Node *node = graph_node(e->graph, store->node);
    return store->to.kind == STORAGE_STATE && node->dtype == DTYPE_F32 &&
           shape_equal(node->shape, e->kernel->space);
}

/* -- rows -- */

/* The place of the first lane only. */
static const Place *tile_corner(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef row,
                                LLVMValueRef column) {
    Place *corner = columns_place(e, m, tile->matrix, row, column);
    for (int a = 0; a < corner->shape.rank; a++) corner->axis[a].step = 0;
    return corner;
}

static LLVMValueRef vector_at(Emitter *e, LLVMValueRef vectors, LLVMValueRef number) {
    return LLVMBuildGEP2(e->builder, lanes_of(e->f32), vectors, &number, 1, "");
}

static LLVMValueRef first_column(Emitter *e, const Tile *tile, LLVMValueRef vector) {
    return add(e, tile->column, times(e, vector, LANES));
}

/* The address on the stack where a row of a vector of the group is kept until store `number`
 * transposes it. */
static LLVMValueRef waiting_row(Emitter *e, const Matmul *m, uint32_t number, int vector,
                                LLVMValueRef row) {
    const Store *store = &e->kernel->stores[number];
    LLVMValueRef at = plus(e, row, vector * waiting_rows(e, m, store));
    return LLVMBuildGEP2(e->builder, waiting_type(e, store), m->transposed[number], &at, 1, "");
}

/* Computes what the kernel stores for a vector of a row. What epilogue_transpose will transpose
 * goes into its buffer. */
static void store_row(Emitter *e, const Matmul *m, const Place *place, int number,
                      LLVMValueRef row) {
    const Kernel *kernel = e->kernel;
    const LaneValue *values = emit_store_values(e, place);
    for (uint32_t i = 0; i < kernel->store_count; i++) {
        if (m->transposed[i])
            store(e, value_splat(e, values[i]), waiting_row(e, m, i, number, row));
        else
            store_at(e, kernel->stores[i].node, kernel->stores[i].to, place, values[i]);
    }
}

/* i1: number < size; NULL: tiles never exceed the size. */
static LLVMValueRef exists(Emitter *e, LLVMValueRef number, int64_t size, int64_t tile_size) {
    return size % tile_size == 0 ? NULL : lt(e, number, const_i64(e, size));
}

static LLVMValueRef vector_number(Emitter *e, const Matmul *m, LLVMValueRef group, int number) {
    LLVMValueRef before = times(e, group, m->together);
    return plus(e, before, number);
}

/* Sets the root to a vector of the finished tile. Returns its place. */
static const Place *set_root(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef vector,
                             LLVMValueRef row) {
    const Place *place =
        columns_place(e, m, tile->matrix, add(e, tile->row, row), first_column(e, tile, vector));
    LLVMValueRef at = add(e, times(e, vector, m->blocking.tile_rows), row);
    emit_set(e, e->kernel->root, place,
             (LaneValue){load(e, lanes_of(m->sum), vector_at(e, m->finished, at)), false});
    return place;
}

void epilogue_row(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef group,
                  LLVMValueRef row) {
    LLVMValueRef at = add(e, tile->row, row);
    If row_exists = if_begin(e, exists(e, at, m->rows.lines, m->blocking.tile_rows));
    for (int i = 0; i < m->together; i++) {
        LLVMValueRef vector = vector_number(e, m, group, i), column = first_column(e, tile, vector);
        If column_exists = if_begin(e, exists(e, column, m->span.count, m->tile_columns));
        Region region = region_begin(e);
        store_row(e, m, set_root(e, m, tile, vector, row), i, row);
        region_end(e, region);
        if_end(e, column_exists);
    }
    if_end(e, row_exists);
}

/* -- slow operations -- */

enum { SLOW = 4 }; /* steps of an operation that keeps those after it waiting: div and sqrt */

SlowOps epilogue_slow_ops(Emitter *e) {
    const Kernel *kernel = e->kernel;
    SlowOps slow = {0};
    if (!e->core->starts_slow_ops || !e->many_registers) return slow;
    uint8_t *level = ARENA_ARRAY(e->arena, uint8_t, e->graph->node_count);
    for (uint32_t i = 0; i < kernel->node_count; i++) {
        NodeId id = kernel->nodes[i];
        const Node *node = graph_node(e->graph, id);
        if (op_class(node->op) != CLASS_ELEMENTWISE || id == kernel->root) continue;
        for (uint32_t j = 0; j < node->operand_count; j++)
            level[id] = (uint8_t)max_i64(level[id], level[node->operands[j]]);
        if (op_steps(node->op) < SLOW || !shape_equal(node->shape, kernel->space)) continue;
        if (level[id] == MAX_SLOW_LEVELS || slow.count == MAX_SLOW_OPS) return slow;
        slow.ops[slow.count++] = (SlowOp){id, level[id]++};
        slow.levels = (int)max_i64(slow.levels, level[id]);
    }
    return slow;
}

LLVMValueRef epilogue_tile_is_whole(Emitter *e, const Matmul *m, const Tile *tile) {
    const Blocking *b = &m->blocking;
    LLVMValueRef row = plus(e, tile->row, b->tile_rows - 1),
                 column = plus(e, tile->column, m->tile_columns - 1);
    LLVMValueRef rows = exists(e, row, m->rows.lines, b->tile_rows),
                 columns = exists(e, column, m->span.count, m->tile_columns);
    return rows && columns ? bit_and(e, rows, columns) : rows ? rows : columns;
}

RowEpilogue epilogue_begin_row(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef group,
                               LLVMValueRef row) {
    RowEpilogue begun = {.region = region_begin(e), .row = row};
    for (int i = 0; i < m->together; i++)
        begun.places[i] = set_root(e, m, tile, vector_number(e, m, group, i), row);
    return begun;
}

void epilogue_start_slow(Emitter *e, const Matmul *m, const RowEpilogue *begun, int level) {
    for (int i = 0; i < m->together; i++)
        for (uint32_t j = 0; j < m->slow.count; j++)
            if (m->slow.ops[j].level == level) emit_value(e, m->slow.ops[j].node, begun->places[i]);
}

void epilogue_end_row(Emitter *e, const Matmul *m, const RowEpilogue *begun) {
    for (int i = 0; i < m->together; i++) store_row(e, m, begun->places[i], i, begun->row);
    region_end(e, begun->region);
}

/* -- transposing -- */

/* Interleaves two vectors within every 128 bits, `unit` elements at a time; returns the low or the
 * high half of the result. */
static LLVMValueRef interleave(Emitter *e, const Matmul *m, LLVMValueRef a, LLVMValueRef b,
                               int unit, bool high) {
    LLVMValueRef lanes[MAX_TRANSPOSED];
    int rows = transposed_rows(m);
    for (int l = 0; l < rows; l++) {
        int within = l % QUAD, pair = within / unit,
            source = (high ? QUAD / 2 : 0) + pair / 2 * unit + within % unit;
        lanes[l] = const_i32(e, l / QUAD * QUAD + source + (pair % 2 ? rows : 0));
    }
    return LLVMBuildShuffleVector(e->builder, a, b,
                                  LLVMConstVector(lanes, (unsigned)transposed_rows(m)), "");
}

/* Four columns from `column` on of row `row`, and of row + 4 if there are eight rows. */
static LLVMValueRef load_quad(Emitter *e, const Matmul *m, LLVMValueRef rows, int row,
                              LLVMValueRef column) {
    LLVMTypeRef quad = LLVMVectorType(e->f32, QUAD);
    LLVMValueRef parts[MAX_TRANSPOSED / QUAD];
    for (int i = 0; i < transposed_rows(m) / QUAD; i++) {
        LLVMValueRef from =
            element_pointer(e, vector_at(e, rows, const_i64(e, row + i * QUAD)), DTYPE_F32, column);
        parts[i] = load(e, quad, from);
        LLVMSetAlignment(parts[i], QUAD * sizeof(float));
    }
    if (transposed_rows(m) == QUAD) return parts[0];
    return lanes_from(e, parts[0], parts[1], 0, MAX_TRANSPOSED);
}

/* The distance from one column of the tile to the next in a store's memory. */
static int64_t column_step(const Emitter *e, const Store *store) {
    return store->to.layout.kind == LAYOUT_PANEL ? store->to.layout.width
                                                 : e->kernel->space.dim[e->kernel->space.rank - 1];
}

/* Stores the columns of a quad that exist: the first `there` of them, at least one. */
static void store_quad(Emitter *e, const Matmul *m, LLVMValueRef vectors[QUAD], LLVMValueRef to,
                       int64_t step, LLVMValueRef there, LLVMValueRef mask) {
    bool all = m->span.run % QUAD == 0;
    for (int i = 0; i < QUAD; i++) {
        If column_exists = if_begin(e, i && !all ? gt(e, there, const_i64(e, i)) : NULL);
        store_vector(e, vectors[i], element_pointer(e, to, DTYPE_F32, const_i64(e, i * step)),
                     sizeof(float), mask);
        if_end(e, column_exists);
    }
}

/* Transposes the rows of vector `number` of a group and stores them, four columns at a time. */
static void transpose_store(Emitter *e, const Matmul *m, const Tile *tile, uint32_t store_number,
                            int number, LLVMValueRef column) {
    const Store *store = &e->kernel->stores[store_number];
    int64_t step = column_step(e, store);
    LLVMValueRef first = store_pointer(e, store->node, store->to,
                                       tile_corner(e, m, tile, tile->row, column)),
                 vectors[QUAD];
    LLVMValueRef rows = waiting_row(e, m, store_number, number, const_i64(e, 0)),
                 columns = columns_there(e, m, column);
    if (stores_bytes(e, store)) {
        epilogue_bytes_transpose(e, m, rows, first, step, columns);
        return;
    }
    LLVMValueRef mask = operands_rows_mask(e, m, tile->row, (unsigned)transposed_rows(m));
    Loop loop = loop_begin(e, const_i64(e, 0));
    for (int i = 0; i < QUAD; i++) vectors[i] = load_quad(e, m, rows, i, loop.index);
    /* Before: vector i holds four columns of row i, then four of row i + 4. After: it holds column
     * i of all rows. */
    LLVMValueRef halves[QUAD];
    for (int i = 0; i < QUAD; i++)
        halves[i] = interleave(e, m, vectors[i / 2 * 2], vectors[i / 2 * 2 + 1], 1, i % 2);
    for (int i = 0; i < QUAD; i++)
        vectors[i] = interleave(e, m, halves[i / 2], halves[2 + i / 2], 2, i % 2);
    LLVMValueRef to = element_pointer(e, first, DTYPE_F32, times(e, loop.index, step));
    store_quad(e, m, vectors, to, step, sub(e, columns, loop.index), mask);
    loop_end(e, loop, columns, QUAD);
}

void epilogue_transpose(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef group) {
    bool any = false;
    for (uint32_t i = 0; i < e->kernel->store_count; i++) any |= m->transposed[i] != NULL;
    for (int i = 0; any && i < m->together; i++) {
        LLVMValueRef column = first_column(e, tile, vector_number(e, m, group, i));
        If column_exists = if_begin(e, exists(e, column, m->span.count, m->tile_columns));
        for (uint32_t j = 0; j < e->kernel->store_count; j++)
            if (m->transposed[j]) transpose_store(e, m, tile, j, i, column);
        if_end(e, column_exists);
    }
}

/* -- prefetching the states that an update reads and writes -- */

/* A transposed vector is stored column by column: each row of the tile prefetches an equal part of
 * the columns. */
static void prefetch_transposed(Emitter *e, const Matmul *m, const Store *store, const Tile *tile,
                                LLVMValueRef column, LLVMValueRef row) {
    LLVMValueRef first =
        store_pointer(e, store->node, store->to, tile_corner(e, m, tile, tile->row, column));
    int64_t columns = divide_up(LANES, m->blocking.tile_rows), step = column_step(e, store);
    for (int64_t c = 0; c < columns; c++) {
        LLVMValueRef at = plus(e, times(e, row, columns), c);
        LLVMValueRef away = times(e, at, step);
        prefetch_line(e, element_pointer(e, first, DTYPE_F32, away), PREFETCH_WRITE);
    }
}

void epilogue_prefetch(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef group,
                       LLVMValueRef row) {
    for (int i = 0; i < m->together; i++) {
        LLVMValueRef vector = vector_number(e, m, group, i);
        LLVMValueRef column = first_column(e, tile, vector), at = add(e, tile->row, row);
        for (uint32_t j = 0; j < e->kernel->store_count; j++) {
            const Store *store = &e->kernel->stores[j];
            if (!is_update(e, store)) continue;
            if (m->transposed[j])
                prefetch_transposed(e, m, store, tile, column, row);
            else
                prefetch_line(
                    e,
                    store_pointer(e, store->node, store->to, tile_corner(e, m, tile, at, column)),
                    PREFETCH_WRITE);
        }
    }
}
