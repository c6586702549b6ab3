/* The product of a tile: one operand is read in vectors along the tile's columns, the other one element at a time along its
 * rows. Every element is acc = fma(a, b, acc) for k ascending: the tile decides only what is computed side by side. */
#include "codegen/matmul/matmul.h"
#include "ir/base/integers.h"

/* -- addresses -- */

/* The distance of element `number`. */
static LLVMValueRef walk_offset(Emitter *e, const Walked *walk, LLVMValueRef number) {
    LLVMValueRef sum = const_i64(e, 0);
    for (int i = walk->count - 1; i >= 0; i--) {
        LLVMValueRef size = const_i64(e, walk->size[i]);
        LLVMValueRef index = i ? LLVMBuildURem(e->builder, number, size, "") : number;
        if (i) number = LLVMBuildUDiv(e->builder, number, size, "");
        sum = LLVMBuildAdd(e->builder, sum, LLVMBuildMul(e->builder, index, const_i64(e, walk->step[i]), ""), "");
    }
    return sum;
}

Run walked_run(const Walked *walk) { return (Run){walk->size[walk->count - 1], walk->step[walk->count - 1]}; }

/* Elements from the base of the matrix to (line, k), both scalars. */
static LLVMValueRef side_offset(Emitter *e, const Side *side, LLVMValueRef line, LLVMValueRef k) {
    if (side->windows)
        return LLVMBuildAdd(e->builder, walk_offset(e, &side->line_walk, line), walk_offset(e, &side->k_walk, k), "");
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
    if (side->windows) return walk_offset(e, &side->k_walk, k);
    if (panels_along(side, k_axis)) return side_offset(e, side, const_i64(e, 0), k);
    return LLVMBuildMul(e->builder, k, const_i64(e, stride_along(side, k_axis)), "");
}

/* -- the operands of a tile -- */

/* Rows that do not exist are computed from the last one that does, and never stored. */
static LLVMValueRef existing_row(Emitter *e, const Matmul *m, LLVMValueRef row) {
    LLVMValueRef last = const_i64(e, m->rows.lines - 1);
    return LLVMBuildSelect(e->builder, LLVMBuildICmp(e->builder, LLVMIntSLT, row, last, ""), row, last, "");
}

/* Whether the rows of every tile lie in equal steps. */
static bool rows_steady(const Side *side, int64_t rows) {
    if (side->windows) return walked_run(&side->line_walk).size % rows == 0;
    return !panels_along(side, side->line_axis) || side->storage.layout.width % rows == 0;
}

/* Rows that lie one behind the other, of which every thread reads all and has written some: each tile asks for its share of the next
 * one's. */
static void rows_ahead(Emitter *e, Operands *operands) {
    const Matmul *m = operands->m;
    const Side *side = &m->rows;
    bool in_lines = !side->windows && side->storage.kind == STORAGE_SLAB && !side->storage.replicated &&
                    stride_along(side, 1 - side->line_axis) == 1;
    bool all_meet = m->blocking.chunks == 1 && m->blocking.chunk > 1 && m->blocking.column_blocks > 1;
    if (!in_lines || !all_meet || m->blocking.lists_zeros || e->kernel->max_threads == 1) return;
    operands->rows_ahead = pointer_plus(e, operands->row[0], m->blocking.tile_rows * side->k);
}

void product_find_rows(Emitter *e, const Tile *tile, Operands *operands) {
    const Matmul *m = operands->m;
    const Side *side = operands->rows_side = &m->rows;
    int64_t rows = m->blocking.tile_rows;
    bool all_exist = side->lines % rows == 0;
    bool steady = rows_steady(side, rows);
    operands->row_step = side->windows ? walked_run(&side->line_walk).step : stride_along(side, side->line_axis);
    for (int64_t r = 0; r < (all_exist && steady ? 1 : rows); r++) {
        LLVMValueRef row = LLVMBuildAdd(e->builder, tile->row, const_i64(e, r), "");
        operands->row[r] = pointer_to(e, side, all_exist ? row : existing_row(e, m, row), const_i64(e, 0));
    }
    operands->rows_mask = product_rows_mask(e, m, tile->row, (unsigned)rows);
    rows_ahead(e, operands);
}

void product_find_packed_rows(Emitter *e, LLVMValueRef in_chunk, Steps steps, Operands *operands) {
    const Matmul *m = operands->m;
    const Side *side = operands->rows_side = &m->packed_rows;
    LLVMValueRef row = LLVMBuildMul(e->builder, in_chunk, const_i64(e, m->blocking.tile_rows), "");
    operands->row_step = 1;
    operands->row[0] = pointer_to(e, side, row, LLVMBuildNeg(e->builder, steps.from, ""));
}

bool product_rows_adjoin(const Matmul *m) {
    const Side *side = &m->rows;
    return !side->windows && stride_along(side, side->line_axis) == 1 && side->storage.layout.kind == LAYOUT_PLAIN;
}

/* Columns of the last block may be missing: panels are padded, but not up to a tile of several panels, and plain rows must not be
 * read past their end. */
static bool columns_may_miss(const Matmul *m) {
    int64_t border = panels_along(&m->columns, m->columns.line_axis) ? m->columns.storage.layout.width : 1;
    return round_up(m->columns.lines, border) < m->blocking.column_blocks * m->tile_columns;
}

static void set_masks(Emitter *e, Operands *operands) {
    const Matmul *m = operands->m;
    for (int v = 0; v < m->blocking.vectors && columns_may_miss(m); v++) {
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

static LLVMValueRef load_neighbours(Emitter *e, LLVMTypeRef type, LLVMValueRef pointer, LLVMValueRef mask) {
    LLVMTypeRef types[] = {type, e->pointer};
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

/* Elements from the first vector of the tile's columns to another one, which may lie in another panel. */
static int64_t vector_offset(const Side *side, int vector) {
    int64_t column = vector * LANES, width = side->storage.layout.width;
    if (!panels_along(side, side->line_axis)) return column;
    return column / width * side->k * width + column % width;
}

/* A vector of windows; `offset` is k in elements. */
static LLVMValueRef window_columns(Emitter *e, const Operands *operands, int vector, LLVMValueRef offset) {
    LLVMValueRef at = element_pointer(e, operands->column[vector], DTYPE_F32, offset);
    return load_neighbours(e, lanes_of(e->f32), at, operands->masks[vector]);
}

LLVMValueRef product_columns(Emitter *e, const Operands *operands, int vector, LLVMValueRef k) {
    const Side *side = operands->columns_side;
    if (side->windows) return window_columns(e, operands, vector, product_k_offset(e, side, k));
    if (stride_along(side, side->line_axis) != 1) return collect_columns(e, operands, vector, k);
    LLVMValueRef at = element_pointer(e, operands->columns, DTYPE_F32, product_k_offset(e, side, k));
    return load_neighbours(e, lanes_of(e->f32), pointer_plus(e, at, vector_offset(side, vector)), operands->masks[vector]);
}

/* While a chunk's rows go by one panel of columns, each of them asks for its share of the next panel. */
static void look_ahead(Emitter *e, const Tile *tile, Operands *operands) {
    enum { FEWEST = 2, MOST = 8 }; /* blocks of rows: for one alone the panel does not wait, among many it hardly matters */
    const Matmul *m = operands->m;
    const Side *side = operands->columns_side;
    int64_t blocks = m->blocking.chunk;
    if (!panels_along(side, side->line_axis) || blocks < FEWEST || blocks > MOST) return;
    int64_t panel = side->k * side->storage.layout.width;
    operands->ahead_step = m->tile_columns / blocks;
    LLVMValueRef before = LLVMBuildMul(e->builder, tile->in_chunk, const_i64(e, side->k * operands->ahead_step), "");
    operands->ahead = element_pointer(e, pointer_plus(e, operands->columns, panel), DTYPE_F32, before);
}

/* Vectors behind the last one are computed from it, and never stored. */
static LLVMValueRef existing_vector(Emitter *e, const Matmul *m, LLVMValueRef column) {
    if (m->across.count % m->tile_columns == 0) return column;
    LLVMValueRef both[] = {column, const_i64(e, m->across.count - LANES)};
    return call_intrinsic(e, "llvm.smin", &e->i64, 1, both, 2);
}

static void find_windows(Emitter *e, const Tile *tile, Operands *operands) {
    const Matmul *m = operands->m;
    for (int v = 0; v < m->blocking.vectors; v++) {
        LLVMValueRef column = LLVMBuildAdd(e->builder, tile->column, const_i64(e, v * LANES), "");
        LLVMValueRef existing = existing_vector(e, m, column);
        operands->column[v] = pointer_to(e, &m->columns, columns_line(e, m, existing), const_i64(e, 0));
        operands->masks[v] = columns_mask(e, m, existing);
    }
}

void product_find_columns(Emitter *e, const Tile *tile, Operands *operands) {
    operands->columns_side = &operands->m->columns;
    operands->first_column = tile->column;
    if (operands->m->columns.windows) {
        find_windows(e, tile, operands);
        return;
    }
    operands->columns = pointer_to(e, operands->columns_side, tile->column, const_i64(e, 0));
    look_ahead(e, tile, operands);
    set_masks(e, operands);
}

/* They would begin here if they began at k = 0. */
void product_find_packed_columns(Emitter *e, Steps steps, Operands *operands) {
    const Side *side = operands->columns_side = &operands->m->packed_columns;
    operands->first_column = const_i64(e, 0);
    operands->columns = pointer_to(e, side, operands->first_column, LLVMBuildNeg(e->builder, steps.from, ""));
    for (int v = 0; v < MOST_VECTORS; v++) operands->column[v] = operands->masks[v] = NULL;
}

bool product_columns_adjoin(const Matmul *m) {
    return m->columns.windows || stride_along(&m->columns, m->columns.line_axis) == 1;
}
bool product_columns_packed_already(const Matmul *m) { return panels_along(&m->columns, m->columns.line_axis); }

void product_open(Emitter *e, Matmul *m, const Tile *tile) {
    open_side(e, m, &m->rows, tile->matrix);
    open_side(e, m, &m->columns, tile->matrix);
}

/* -- sums -- */

typedef struct {
    LLVMValueRef sum[MOST_ROWS][MOST_VECTORS];
} Sums;

static Sums load_sums(Emitter *e, const Matmul *m) {
    Sums sums;
    for (int64_t r = 0; r < m->blocking.tile_rows; r++)
        for (int v = 0; v < m->blocking.vectors; v++)
            sums.sum[r][v] = LLVMBuildLoad2(e->builder, lanes_of(e->f32), m->sums[r][v], "");
    return sums;
}

static void store_sums(Emitter *e, const Matmul *m, const Sums *sums) {
    for (int64_t r = 0; r < m->blocking.tile_rows; r++)
        for (int v = 0; v < m->blocking.vectors; v++) LLVMBuildStore(e->builder, sums->sum[r][v], m->sums[r][v]);
}

void product_clear(Emitter *e, const Matmul *m) {
    for (int64_t r = 0; r < m->blocking.tile_rows; r++)
        for (int v = 0; v < m->blocking.vectors; v++)
            LLVMBuildStore(e->builder, LLVMConstNull(lanes_of(e->f32)), m->sums[r][v]);
}

static LLVMValueRef saved_sum(Emitter *e, const Matmul *m, LLVMValueRef number, int64_t row, int vector) {
    int64_t tile = m->blocking.tile_rows * m->blocking.vectors * LANES, at = (row * m->blocking.vectors + vector) * LANES;
    LLVMValueRef first = LLVMBuildMul(e->builder, number, const_i64(e, tile), "");
    return pointer_plus(e, element_pointer(e, m->saved, DTYPE_F32, first), at);
}

void product_save(Emitter *e, const Matmul *m, LLVMValueRef number) {
    Sums sums = load_sums(e, m);
    for (int64_t r = 0; r < m->blocking.tile_rows; r++)
        for (int v = 0; v < m->blocking.vectors; v++) LLVMBuildStore(e->builder, sums.sum[r][v], saved_sum(e, m, number, r, v));
}

void product_resume(Emitter *e, const Matmul *m, LLVMValueRef number) {
    Sums sums;
    for (int64_t r = 0; r < m->blocking.tile_rows; r++)
        for (int v = 0; v < m->blocking.vectors; v++)
            sums.sum[r][v] = LLVMBuildLoad2(e->builder, lanes_of(e->f32), saved_sum(e, m, number, r, v), "");
    store_sums(e, m, &sums);
}

/* The last addition of the contract: a product is never -0. */
void product_finish(Emitter *e, const Matmul *m) {
    Sums sums = load_sums(e, m);
    for (int v = 0; v < m->blocking.vectors; v++)
        for (int64_t r = 0; r < m->blocking.tile_rows; r++) {
            LLVMValueRef sum = LLVMBuildFAdd(e->builder, sums.sum[r][v], LLVMConstNull(lanes_of(e->f32)), "");
            LLVMBuildStore(e->builder, sum, pointer_plus(e, m->finished, (v * m->blocking.tile_rows + r) * LANES));
        }
}

static LLVMValueRef row_pointer(Emitter *e, const Operands *operands, int64_t row, LLVMValueRef offset) {
    bool has_pointer = operands->row[row] != NULL;
    LLVMValueRef at = element_pointer(e, operands->row[has_pointer ? row : 0], DTYPE_F32, offset);
    return has_pointer ? at : pointer_plus(e, at, row * operands->row_step);
}

/* Row `row` of the tile at k; `offset` is k in elements. */
LLVMValueRef product_row_element(Emitter *e, const Operands *operands, int64_t row, LLVMValueRef offset) {
    return LLVMBuildLoad2(e->builder, e->f32, row_pointer(e, operands, row, offset), "");
}

LLVMValueRef product_row_steps(Emitter *e, const Operands *operands, int64_t row, LLVMValueRef k) {
    const Side *side = operands->rows_side;
    int k_axis = 1 - side->line_axis;
    if (side->windows || panels_along(side, k_axis) || stride_along(side, k_axis) != 1) return NULL;
    return load_neighbours(e, lanes_of(e->f32), row_pointer(e, operands, row, k), NULL);
}

LLVMValueRef product_rows_mask(Emitter *e, const Matmul *m, LLVMValueRef row, unsigned width) {
    LLVMValueRef numbers[MOST_ROWS], first[MOST_ROWS];
    unsigned rows = (unsigned)m->blocking.tile_rows;
    if (m->rows.lines % rows == 0 && width == rows) return NULL;
    LLVMValueRef left = LLVMBuildSub(e->builder, const_i64(e, m->rows.lines), row, "");
    LLVMValueRef all = LLVMGetUndef(LLVMVectorType(e->i64, width));
    for (unsigned r = 0; r < width; r++) {
        numbers[r] = const_i64(e, r < rows ? r : INT64_MAX);
        first[r] = LLVMConstInt(e->i32, 0, false);
    }
    all = LLVMBuildInsertElement(e->builder, all, left, const_i32(e, 0), "");
    all = LLVMBuildShuffleVector(e->builder, all, all, LLVMConstVector(first, width), "");
    return LLVMBuildICmp(e->builder, LLVMIntSLT, LLVMConstVector(numbers, width), all, "");
}

LLVMValueRef product_rows_at(Emitter *e, const Operands *operands, LLVMValueRef k) {
    const Side *side = operands->rows_side;
    if (side->windows || operands->row_step != 1 || (panels_along(side, side->line_axis) && operands->row[1])) return NULL;
    LLVMTypeRef type = LLVMVectorType(e->f32, (unsigned)operands->m->blocking.tile_rows);
    LLVMValueRef at = row_pointer(e, operands, 0, product_k_offset(e, side, k));
    return load_neighbours(e, type, at, operands->rows_mask);
}

LLVMValueRef product_lanes_at(Emitter *e, const Operands *operands, LLVMValueRef k, LLVMValueRef mask) {
    LLVMValueRef at = row_pointer(e, operands, 0, product_k_offset(e, operands->rows_side, k));
    fetch_line(e, element_pointer(e, at, DTYPE_F32, const_i64(e, LANES)), FETCH_TO_READ);
    return load_neighbours(e, lanes_of(e->f32), at, mask);
}

static void fetch_ahead(Emitter *e, const Operands *operands, LLVMValueRef k) {
    if (operands->rows_ahead) {
        LLVMValueRef far = LLVMBuildMul(e->builder, k, const_i64(e, operands->m->blocking.tile_rows), "");
        fetch_line(e, element_pointer(e, operands->rows_ahead, DTYPE_F32, far), FETCH_FOR_LATER);
    }
    if (!operands->ahead) return;
    LLVMValueRef away = LLVMBuildMul(e->builder, k, const_i64(e, operands->ahead_step), "");
    fetch_line(e, element_pointer(e, operands->ahead, DTYPE_F32, away), FETCH_FOR_LATER);
}

/* One k, and its distance in the operand that is windows, or NULL: it is not yet known. */
static void add_step(Emitter *e, const Operands *operands, LLVMValueRef k, LLVMValueRef distance) {
    const Matmul *m = operands->m;
    LLVMTypeRef type = lanes_of(e->f32);
    LLVMValueRef columns[MOST_VECTORS];
    Sums sums = load_sums(e, m);
    fetch_ahead(e, operands, k);
    bool rows_know = distance && operands->rows_side->windows, columns_know = distance && operands->columns_side->windows;
    LLVMValueRef offset = rows_know ? distance : product_k_offset(e, operands->rows_side, k);
    for (int v = 0; v < m->blocking.vectors; v++)
        columns[v] = columns_know ? window_columns(e, operands, v, distance) : product_columns(e, operands, v, k);
    for (int64_t r = 0; r < m->blocking.tile_rows; r++) {
        LLVMValueRef row = value_splat(e, (Value){product_row_element(e, operands, r, offset), true});
        for (int v = 0; v < m->blocking.vectors; v++)
            sums.sum[r][v] = call_intrinsic(e, "llvm.fma", &type, 1, (LLVMValueRef[]){row, columns[v], sums.sum[r][v]}, 3);
    }
    store_sums(e, m, &sums);
}

/* The number-th step: k itself, or what the list says. */
static LLVMValueRef step_k(Emitter *e, const Operands *operands, LLVMValueRef number, LLVMValueRef origin) {
    if (!operands->list) return number;
    LLVMValueRef at = LLVMBuildGEP2(e->builder, e->i32, operands->list, &number, 1, "");
    LLVMValueRef k = LLVMBuildZExt(e->builder, LLVMBuildLoad2(e->builder, e->i32, at, ""), e->i64, "");
    return LLVMBuildAdd(e->builder, origin, k, "");
}

/* NULL if the count is known not to be 0. */
static LLVMValueRef any_steps(Emitter *e, Steps steps) {
    return LLVMIsConstant(steps.count) ? NULL : LLVMBuildICmp(e->builder, LLVMIntSGT, steps.count, const_i64(e, 0), "");
}

/* Not unrolled: the loop's own instructions fit beside the multiply-adds, and LLVM's scheduler keeps its registers. */
static void add_each(Emitter *e, const Operands *operands, LLVMValueRef from, LLVMValueRef to, LLVMValueRef origin) {
    Loop loop = loop_begin(e, from);
    add_step(e, operands, step_k(e, operands, loop.index, origin), NULL);
    loop_end(e, loop, to, 1);
}

static const Walked *windows_walk(const Operands *operands) {
    return operands->columns_side->windows ? &operands->columns_side->k_walk : &operands->rows_side->k_walk;
}

/* A window's elements lie in runs of equal steps: divisions find the beginning of a run, not every element. */
static bool has_runs(const Operands *operands) {
    enum { SHORTEST = 4 };
    const Walked *walk = windows_walk(operands);
    bool windows = operands->columns_side->windows || operands->rows_side->windows;
    return windows && !operands->list && walk->count > 1 && walked_run(walk).size >= SHORTEST;
}

static void add_runs(Emitter *e, const Operands *operands, LLVMValueRef from, LLVMValueRef to) {
    const Walked *walk = windows_walk(operands);
    Run equal = walked_run(walk);
    Runs runs = runs_begin(e, from, to, equal.size);
    LLVMValueRef start = walk_offset(e, walk, runs.start);
    Loop loop = loop_begin(e, runs.from);
    LLVMValueRef inside = LLVMBuildSub(e->builder, loop.index, runs.start, "");
    LLVMValueRef distance = LLVMBuildMul(e->builder, inside, const_i64(e, equal.step), "");
    add_step(e, operands, loop.index, LLVMBuildAdd(e->builder, start, distance, ""));
    loop_end(e, loop, runs.to, 1);
    runs_end(e, runs);
}

void product_add(Emitter *e, const Operands *operands, Steps steps, LLVMValueRef origin) {
    if (LLVMIsConstant(steps.count) && LLVMConstIntGetZExtValue(steps.count) == 0) return;
    If any = if_begin(e, any_steps(e, steps));
    LLVMValueRef to = LLVMBuildAdd(e->builder, steps.from, steps.count, "");
    if (has_runs(operands))
        add_runs(e, operands, steps.from, to);
    else
        add_each(e, operands, steps.from, to, origin);
    if_end(e, any);
}
