/* MATMUL kernels: tiles of the product, ROWS by up to two vectors, kept in registers while k runs; then the epilogue.
 *
 * One operand is read in vectors along the tile's columns, the other one element at a time along its rows. Usually columns are
 * those of the product (n); swapped kernels compute the transposed product (columns along m). Either way every element is
 * acc = fma(a, b, acc) for k ascending: the tile decides only what is computed side by side.
 *
 * Bound: 2 FMA of 16 lanes a cycle. Eight rows by two vectors make 16 chains of FMAs (a latency of 4 cycles needs 8), with 2
 * vector loads and 8 broadcasts for 16 FMAs. */
#include "codegen/emit.h"

enum { ROWS = 8, MOST_VECTORS = 2, UNROLL = 4 };

/* An operand as a matrix (line, k), where a line is a row or a column of the tile. */
typedef struct {
    Storage storage;
    Shape shape;    /* of one matrix as stored: rank 2 */
    int line_axis;  /* which stored axis is the line */
    int64_t lines, k, matrix; /* matrix: elements from one matrix of a batch to the next */
    LLVMValueRef base;
} Side;

typedef struct {
    Side rows, columns;
    int64_t k, batch;
    int64_t width;     /* columns of a tile */
    int vectors;       /* width / LANES */
    int64_t row_blocks, column_blocks;
    LLVMValueRef tile; /* on the stack: [ROWS][width], for the epilogue */
} Matmul;

static Side side_of(const Emitter *e, const Node *node, int operand, Storage storage, bool transposed) {
    Shape stored = graph_operand(e->graph, node, (uint32_t)operand)->shape;
    Shape matrix = {.rank = 2, .dim = {stored.dim[stored.rank - 2], stored.dim[stored.rank - 1]}};
    int line_axis = operand == 0 ? (transposed ? 1 : 0) : (transposed ? 0 : 1);
    return (Side){.storage = storage, .shape = matrix, .line_axis = line_axis, .lines = matrix.dim[line_axis],
                  .k = matrix.dim[1 - line_axis], .matrix = matrix.dim[0] * matrix.dim[1]};
}

static Matmul matmul_of(const Emitter *e) {
    const Kernel *kernel = e->kernel;
    const Node *node = graph_node(e->graph, kernel->root);
    Side left = side_of(e, node, 0, kernel->left, node->attrs.transpose_a);
    Side right = side_of(e, node, 1, kernel->right, node->attrs.transpose_b);
    Matmul m = {.rows = kernel->swapped ? right : left, .columns = kernel->swapped ? left : right, .k = left.k};
    m.batch = shape_elements(node->shape) / (left.lines * right.lines);
    bool panelled = m.columns.storage.layout.kind == LAYOUT_PANEL && m.columns.storage.layout.axis == m.columns.line_axis;
    m.vectors = m.columns.lines <= LANES || (panelled && m.columns.storage.layout.width == LANES) ? 1 : MOST_VECTORS;
    m.width = m.vectors * LANES;
    m.row_blocks = (m.rows.lines + ROWS - 1) / ROWS;
    m.column_blocks = (m.columns.lines + m.width - 1) / m.width;
    return m;
}

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

/* Elements between neighbours along k, if that is the same everywhere; 0 if not (panels along k). */
static int64_t stride_along_k(const Side *side) {
    Layout layout = side->storage.layout;
    int k_axis = 1 - side->line_axis;
    if (layout.kind == LAYOUT_PANEL) return layout.axis == k_axis ? 0 : layout.width;
    return k_axis == 0 ? side->shape.dim[1] : 1;
}

/* Elements between neighbouring lines, where lines of a tile are neighbours in memory at one distance; 0 if not. */
static int64_t stride_along_lines(const Side *side) {
    Layout layout = side->storage.layout;
    if (layout.kind == LAYOUT_PANEL) return layout.axis == side->line_axis ? 1 : layout.width;
    return side->line_axis == 0 ? side->shape.dim[1] : 1;
}

static LLVMValueRef pointer_to(Emitter *e, const Side *side, LLVMValueRef line, LLVMValueRef k) {
    return element_pointer(e, side->base, DTYPE_F32, side_offset(e, side, line, k));
}

static LLVMValueRef pointer_plus(Emitter *e, LLVMValueRef pointer, int64_t elements) {
    return elements ? element_pointer(e, pointer, DTYPE_F32, const_i64(e, elements)) : pointer;
}

/* -- one step of k: where the tile's lines start is known, k advances -- */

typedef struct {
    const Matmul *m;
    LLVMValueRef row, column, rows_at, columns_at; /* first row and column; pointers to them at k = 0 */
    int rows;                                      /* of this tile */
    LLVMValueRef masks[MOST_VECTORS];              /* of columns that exist; NULL: all, or padded in memory */
} Tile;

/* A vector of columns at k: consecutive in memory, or gathered. `offset` is k in elements from columns_at. */
static LLVMValueRef load_columns(Emitter *e, const Tile *t, int vector, LLVMValueRef k, LLVMValueRef offset) {
    const Side *side = &t->m->columns;
    LLVMTypeRef type = lanes_of(e->f32);
    int64_t stride = stride_along_lines(side);
    if (stride == 1 && offset) {
        LLVMValueRef pointer = pointer_plus(e, element_pointer(e, t->columns_at, DTYPE_F32, offset), vector * LANES);
        if (!t->masks[vector]) {
            LLVMValueRef load = LLVMBuildLoad2(e->builder, type, pointer, "");
            LLVMSetAlignment(load, 4);
            return load;
        }
        LLVMTypeRef types[] = {type, e->pointer};
        LLVMValueRef args[] = {pointer, const_i32(e, 4), t->masks[vector], LLVMConstNull(type)};
        return call_intrinsic(e, "llvm.masked.load", types, 2, args, 4);
    }
    LLVMValueRef result = LLVMConstNull(type);
    for (int lane = 0; lane < LANES; lane++) {
        LLVMValueRef line = LLVMBuildAdd(e->builder, t->column, const_i64(e, vector * LANES + lane), "");
        LLVMValueRef exists = LLVMBuildICmp(e->builder, LLVMIntSLT, line, const_i64(e, side->lines), "");
        LLVMValueRef safe = LLVMBuildSelect(e->builder, exists, line, const_i64(e, 0), "");
        LLVMValueRef element = LLVMBuildLoad2(e->builder, e->f32, pointer_to(e, side, safe, k), "");
        result = LLVMBuildInsertElement(e->builder, result, element, const_i32(e, lane), "");
    }
    return result;
}

static LLVMValueRef load_row_element(Emitter *e, const Tile *t, int row, LLVMValueRef k, LLVMValueRef offset) {
    const Side *side = &t->m->rows;
    int64_t stride = stride_along_lines(side);
    bool steady = offset && !(side->storage.layout.kind == LAYOUT_PANEL && side->storage.layout.axis == side->line_axis);
    LLVMValueRef pointer = steady ? pointer_plus(e, element_pointer(e, t->rows_at, DTYPE_F32, offset), row * stride)
                                  : pointer_to(e, side, LLVMBuildAdd(e->builder, t->row, const_i64(e, row), ""), k);
    return LLVMBuildLoad2(e->builder, e->f32, pointer, "");
}

/* k as a distance in elements from k = 0, or NULL where the layout has no steady one */
static LLVMValueRef k_offset(Emitter *e, const Side *side, LLVMValueRef k) {
    int64_t stride = stride_along_k(side);
    return stride ? LLVMBuildMul(e->builder, k, const_i64(e, stride), "") : NULL;
}

static void multiply_add(Emitter *e, const Tile *t, LLVMValueRef k, LLVMValueRef acc[ROWS][MOST_VECTORS]) {
    LLVMValueRef columns[MOST_VECTORS], columns_offset = k_offset(e, &t->m->columns, k), rows_offset = k_offset(e, &t->m->rows, k);
    LLVMTypeRef type = lanes_of(e->f32);
    for (int v = 0; v < t->m->vectors; v++) columns[v] = load_columns(e, t, v, k, columns_offset);
    for (int r = 0; r < t->rows; r++) {
        LLVMValueRef element = value_splat(e, (Value){load_row_element(e, t, r, k, rows_offset), true});
        for (int v = 0; v < t->m->vectors; v++)
            acc[r][v] = call_intrinsic(e, "llvm.fma", &type, 1, (LLVMValueRef[]){element, columns[v], acc[r][v]}, 3);
    }
}

/* The k loop: `unroll` steps an iteration, from k = `from` to `to`; accumulators are phis. */
static void run_k(Emitter *e, const Tile *t, int64_t from, int64_t to, int unroll, LLVMValueRef acc[ROWS][MOST_VECTORS]) {
    if (from == to) return;
    LLVMBasicBlockRef before = LLVMGetInsertBlock(e->builder);
    Loop loop = loop_begin(e, const_i64(e, from));
    LLVMValueRef phis[ROWS][MOST_VECTORS];
    for (int r = 0; r < t->rows; r++)
        for (int v = 0; v < t->m->vectors; v++) {
            phis[r][v] = LLVMBuildPhi(e->builder, lanes_of(e->f32), "");
            LLVMAddIncoming(phis[r][v], &acc[r][v], &before, 1);
            acc[r][v] = phis[r][v];
        }
    for (int i = 0; i < unroll; i++) multiply_add(e, t, LLVMBuildAdd(e->builder, loop.index, const_i64(e, i), ""), acc);
    LLVMBasicBlockRef end = LLVMGetInsertBlock(e->builder);
    for (int r = 0; r < t->rows; r++)
        for (int v = 0; v < t->m->vectors; v++) LLVMAddIncoming(phis[r][v], &acc[r][v], &end, 1);
    loop_end(e, loop, const_i64(e, to), unroll);
}

/* Computes a tile of t->rows rows and leaves it in m->tile. */
static void compute_tile(Emitter *e, const Tile *t) {
    LLVMValueRef acc[ROWS][MOST_VECTORS];
    for (int r = 0; r < t->rows; r++)
        for (int v = 0; v < t->m->vectors; v++) acc[r][v] = LLVMConstNull(lanes_of(e->f32));
    int64_t whole = t->m->k / UNROLL * UNROLL;
    run_k(e, t, 0, whole, UNROLL, acc);
    run_k(e, t, whole, t->m->k, 1, acc);
    for (int r = 0; r < t->rows; r++)
        for (int v = 0; v < t->m->vectors; v++) {
            LLVMValueRef at = pointer_plus(e, t->m->tile, r * t->m->width + v * LANES);
            LLVMSetAlignment(LLVMBuildStore(e->builder, acc[r][v], at), 64);
        }
}

/* -- epilogue -- */

static Place *tile_place(Emitter *e, const Matmul *m, LLVMValueRef matrix, LLVMValueRef row, LLVMValueRef column) {
    int64_t lines[2] = {m->rows.lines, m->columns.lines};
    bool swapped = e->kernel->swapped;
    Place *place = place_new(e, (Shape){.rank = 3, .dim = {m->batch, lines[swapped], lines[!swapped]}}, lanes_below(e, column, m->columns.lines));
    place->axis[0] = coordinate_uniform(matrix);
    place->axis[swapped ? 2 : 1] = coordinate_uniform(row);
    place->axis[swapped ? 1 : 2] = (Coordinate){.base = column, .step = 1, .aligned = true};
    if (m->batch > 1) return place;
    Place *flat = place_new(e, (Shape){.rank = 2, .dim = {place->shape.dim[1], place->shape.dim[2]}}, place->mask);
    flat->axis[0] = place->axis[1];
    flat->axis[1] = place->axis[2];
    return flat;
}

static void store_vector(Emitter *e, const Matmul *m, LLVMValueRef matrix, LLVMValueRef row, LLVMValueRef column, LLVMValueRef from) {
    Region region = region_begin(e);
    const Place *place = tile_place(e, m, matrix, row, column);
    LLVMValueRef value = LLVMBuildLoad2(e->builder, lanes_of(e->f32), from, "");
    LLVMSetAlignment(value, 64);
    emit_set(e, e->kernel->root, place, (Value){value, false});
    emit_stores(e, place);
    region_end(e, region);
}

/* The rows of the finished tile one by one: loads of a row come before its stores, and rows do not depend on each other. */
static void emit_epilogue(Emitter *e, const Matmul *m, LLVMValueRef matrix, LLVMValueRef row, LLVMValueRef column, LLVMValueRef rows) {
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef from = element_pointer(e, m->tile, DTYPE_F32, LLVMBuildMul(e->builder, loop.index, const_i64(e, m->width), ""));
    LLVMValueRef at_row = LLVMBuildAdd(e->builder, row, loop.index, "");
    store_vector(e, m, matrix, at_row, column, from);
    if (m->vectors == 2) {
        LLVMBasicBlockRef second = LLVMAppendBasicBlockInContext(e->context, e->function, "second");
        LLVMBasicBlockRef next = LLVMAppendBasicBlockInContext(e->context, e->function, "next");
        LLVMValueRef column2 = LLVMBuildAdd(e->builder, column, const_i64(e, LANES), "");
        LLVMBuildCondBr(e->builder, LLVMBuildICmp(e->builder, LLVMIntSLT, column2, const_i64(e, m->columns.lines), ""), second, next);
        LLVMPositionBuilderAtEnd(e->builder, second);
        store_vector(e, m, matrix, at_row, column2, pointer_plus(e, from, LANES));
        LLVMBuildBr(e->builder, next);
        LLVMPositionBuilderAtEnd(e->builder, next);
    }
    loop_end(e, loop, rows, 1);
}

/* -- units -- */

/* Columns of the last block may be missing: panels are padded, plain rows must not be read past their end. */
static void set_masks(Emitter *e, Tile *t) {
    const Side *side = &t->m->columns;
    bool padded = side->storage.layout.kind == LAYOUT_PANEL;
    for (int v = 0; v < t->m->vectors; v++) {
        t->masks[v] = NULL;
        if (padded || side->lines % t->m->width == 0) continue;
        LLVMValueRef start = LLVMBuildAdd(e->builder, t->column, const_i64(e, v * LANES), "");
        LLVMValueRef left = LLVMBuildSub(e->builder, const_i64(e, side->lines), start, "");
        t->masks[v] = LLVMBuildICmp(e->builder, LLVMIntSLT, lane_numbers(e), value_splat(e, (Value){left, true}), "");
    }
}

static void open_sides(Emitter *e, Matmul *m, LLVMValueRef matrix) {
    Side *sides[] = {&m->rows, &m->columns};
    for (int i = 0; i < 2; i++) {
        sides[i]->base = storage_base(e, sides[i]->storage);
        if (m->batch == 1) continue;
        LLVMValueRef skip = LLVMBuildMul(e->builder, matrix, const_i64(e, sides[i]->matrix), "");
        sides[i]->base = element_pointer(e, sides[i]->base, DTYPE_F32, skip);
    }
}

/* The tile at t; the last block of rows may be shorter and then has code of its own. */
static LLVMValueRef compute_unit(Emitter *e, Tile *t, LLVMValueRef row_block) {
    int rest = (int)(t->m->rows.lines % ROWS);
    t->rows = t->m->rows.lines < ROWS ? rest : ROWS;
    if (rest == 0 || t->m->rows.lines < ROWS) {
        compute_tile(e, t);
        return const_i64(e, t->rows);
    }
    LLVMBasicBlockRef whole = LLVMAppendBasicBlockInContext(e->context, e->function, "whole");
    LLVMBasicBlockRef part = LLVMAppendBasicBlockInContext(e->context, e->function, "part");
    LLVMBasicBlockRef join = LLVMAppendBasicBlockInContext(e->context, e->function, "join");
    LLVMValueRef is_last = LLVMBuildICmp(e->builder, LLVMIntEQ, row_block, const_i64(e, t->m->row_blocks - 1), "");
    LLVMBuildCondBr(e->builder, is_last, part, whole);
    LLVMPositionBuilderAtEnd(e->builder, whole);
    compute_tile(e, t);
    LLVMBuildBr(e->builder, join);
    LLVMPositionBuilderAtEnd(e->builder, part);
    t->rows = rest;
    compute_tile(e, t);
    LLVMBuildBr(e->builder, join);
    LLVMPositionBuilderAtEnd(e->builder, join);
    return LLVMBuildSelect(e->builder, is_last, const_i64(e, rest), const_i64(e, ROWS), "");
}

/* Blocks of rows vary fastest: a panel of columns stays in the cache while all rows go by. */
int64_t kernel_matmul(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    Matmul m = matmul_of(e);
    m.tile = stack_slot(e, LLVMArrayType(e->f32, (unsigned)(ROWS * m.width)), 64);
    Loop loop = loop_begin(e, first);
    LLVMValueRef row_block = LLVMBuildURem(e->builder, loop.index, const_i64(e, m.row_blocks), "");
    LLVMValueRef rest = LLVMBuildUDiv(e->builder, loop.index, const_i64(e, m.row_blocks), "");
    LLVMValueRef column_block = LLVMBuildURem(e->builder, rest, const_i64(e, m.column_blocks), "");
    LLVMValueRef matrix = LLVMBuildUDiv(e->builder, rest, const_i64(e, m.column_blocks), "");
    Tile t = {.m = &m, .row = LLVMBuildMul(e->builder, row_block, const_i64(e, ROWS), ""),
              .column = LLVMBuildMul(e->builder, column_block, const_i64(e, m.width), "")};
    open_sides(e, &m, matrix);
    t.rows_at = pointer_to(e, &m.rows, t.row, const_i64(e, 0));
    t.columns_at = pointer_to(e, &m.columns, t.column, const_i64(e, 0));
    set_masks(e, &t);
    LLVMValueRef rows = compute_unit(e, &t, row_block);
    emit_epilogue(e, &m, matrix, t.row, t.column, rows);
    loop_end(e, loop, last, 1);
    return m.batch * m.row_blocks * m.column_blocks;
}
