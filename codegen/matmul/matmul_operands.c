/* The operands of a tile: where their elements lie in memory, and how they are loaded. */
#include "codegen/matmul/matmul.h"

/* -- addresses -- */

LLVMValueRef walk_offset(Emitter *e, const StridedWalk *walk, LLVMValueRef number) {
    LLVMValueRef sum = const_i64(e, 0);
    for (int i = walk->count - 1; i >= 0; i--) {
        LLVMValueRef size = const_i64(e, walk->size[i]);
        LLVMValueRef index = i ? urem(e, number, size) : number;
        if (i) number = udiv(e, number, size);
        sum = add(e, sum, times(e, index, walk->step[i]));
    }
    return sum;
}

Run walk_run(const StridedWalk *walk) {
    return (Run){walk->size[walk->count - 1], walk->step[walk->count - 1]};
}

/* The distance in elements from the base of the matrix to (line, k), both scalars. */
static LLVMValueRef operand_offset(Emitter *e, const MatrixOperand *operand, LLVMValueRef line,
                                   LLVMValueRef k) {
    if (operand->windows)
        return add(e, walk_offset(e, &operand->line_walk, line),
                   walk_offset(e, &operand->k_walk, k));
    LLVMValueRef index[2];
    index[operand->line_axis] = line;
    index[1 - operand->line_axis] = k;
    Layout layout = operand->storage.layout;
    if (layout.kind == LAYOUT_PLAIN)
        return add(e, times(e, index[0], operand->shape.dim[1]), index[1]);
    LLVMValueRef width = const_i64(e, layout.width), span = index[layout.axis],
                 along = index[1 - layout.axis];
    LLVMValueRef panel =
        times(e, udiv(e, span, width), operand->shape.dim[1 - layout.axis] * layout.width);
    LLVMValueRef row = mul(e, along, width);
    return add(e, add(e, panel, row), urem(e, span, width));
}

static LLVMValueRef pointer_to(Emitter *e, const MatrixOperand *operand, LLVMValueRef line,
                               LLVMValueRef k) {
    return element_pointer(e, operand->base, operand->dtype, operand_offset(e, operand, line, k));
}

static bool panels_along(const MatrixOperand *operand, int axis) {
    return operand->storage.layout.kind == LAYOUT_PANEL && operand->storage.layout.axis == axis;
}

/* The distance between neighbours along an axis, within a panel. */
static int64_t stride_along(const MatrixOperand *operand, int axis) {
    Layout layout = operand->storage.layout;
    if (layout.kind == LAYOUT_PANEL) return layout.axis == axis ? 1 : layout.width;
    return axis == 0 ? operand->shape.dim[1] : 1;
}

LLVMValueRef operand_k_offset(Emitter *e, const MatrixOperand *operand, LLVMValueRef k) {
    int k_axis = 1 - operand->line_axis;
    if (operand->windows) return walk_offset(e, &operand->k_walk, k);
    if (panels_along(operand, k_axis)) return operand_offset(e, operand, const_i64(e, 0), k);
    return times(e, k, stride_along(operand, k_axis));
}

/* -- the operands of a tile -- */

/* Whether the rows of every tile lie at equal distances: no tile crosses the end of a run or of a
 * panel. */
static bool rows_steady(const MatrixOperand *operand, int64_t rows) {
    if (operand->windows) return walk_run(&operand->line_walk).size % rows == 0;
    return !panels_along(operand, operand->line_axis) || operand->storage.layout.width % rows == 0;
}

/* Prefetch: the rows are contiguous and were written by several threads, so each tile prefetches
 * its part of the next tile's rows. */
static void prefetch_next_rows(Emitter *e, Operands *operands) {
    const Matmul *m = operands->m;
    const MatrixOperand *operand = &m->rows;
    bool contiguous = !operand->windows && operand->storage.kind == STORAGE_SLAB &&
                      !operand->storage.replicated &&
                      stride_along(operand, 1 - operand->line_axis) == 1;
    bool read_by_all =
        m->blocking.chunks == 1 && m->blocking.chunk > 1 && m->blocking.column_blocks > 1;
    if (!contiguous || !read_by_all || m->blocking.lists_zeros || e->kernel->max_threads == 1)
        return;
    operands->next_rows =
        operand_plus(e, operand, operands->row[0], m->blocking.tile_rows * operand->k);
}

void operands_find_rows(Emitter *e, const Tile *tile, Operands *operands) {
    const Matmul *m = operands->m;
    const MatrixOperand *operand = operands->row_operand = &m->rows;
    int64_t rows = m->blocking.tile_rows;
    bool all_exist = operand->lines % rows == 0;
    bool steady = rows_steady(operand, rows);
    operands->row_step = operand->windows ? walk_run(&operand->line_walk).step
                                          : stride_along(operand, operand->line_axis);
    for (int64_t r = 0; r < (all_exist && steady ? 1 : rows); r++) {
        LLVMValueRef row = plus(e, tile->row, r), last = const_i64(e, operand->lines - 1);
        /* a tile computes rows beyond the last one as well but never stores them */
        if (!all_exist) row = choose(e, lt(e, row, last), row, last);
        operands->row[r] = pointer_to(e, operand, row, const_i64(e, 0));
    }
    operands->rows_mask = operands_rows_mask(e, m, tile->row, (unsigned)rows);
    prefetch_next_rows(e, operands);
}

void operands_find_packed_rows(Emitter *e, LLVMValueRef in_chunk, Steps steps, Operands *operands) {
    const Matmul *m = operands->m;
    const MatrixOperand *operand = operands->row_operand = &m->packed_rows;
    LLVMValueRef row = times(e, in_chunk, m->blocking.tile_rows);
    operands->row_step = 1;
    operands->row[0] = pointer_to(e, operand, row, LLVMBuildNeg(e->builder, steps.from, ""));
}

bool operands_rows_adjoin(const Matmul *m) {
    const MatrixOperand *operand = &m->rows;
    return !operand->windows && stride_along(operand, operand->line_axis) == 1 &&
           operand->storage.layout.kind == LAYOUT_PLAIN;
}

static void open_operand(Emitter *e, const Matmul *m, MatrixOperand *operand, LLVMValueRef matrix) {
    operand->base = storage_base(e, operand->storage);
    if (m->batch == 1) return;
    LLVMValueRef skip = times(e, matrix, operand->matrix);
    operand->base = element_pointer(e, operand->base, operand->dtype, skip);
}

/* -- loads -- */

static LLVMTypeRef element_type(const Emitter *e, const MatrixOperand *operand) {
    return dtype_type(e, operand->dtype, true);
}

static unsigned alignment_of(const MatrixOperand *operand) {
    return (unsigned)dtype_bytes(operand->dtype);
}

/* A vector of columns that are not neighbours in memory. Lanes that do not exist read column 0. */
static LLVMValueRef collect_columns(Emitter *e, const Operands *operands, int vector,
                                    LLVMValueRef k) {
    const MatrixOperand *operand = operands->column_operand;
    LLVMValueRef result = LLVMConstNull(lanes_of(element_type(e, operand)));
    for (int lane = 0; lane < LANES; lane++) {
        LLVMValueRef line = plus(e, operands->first_column, vector * LANES + lane);
        LLVMValueRef exists = lt(e, line, const_i64(e, operand->lines));
        LLVMValueRef safe = choose(e, exists, line, const_i64(e, 0));
        LLVMValueRef element = load(e, element_type(e, operand), pointer_to(e, operand, safe, k));
        result = LLVMBuildInsertElement(e->builder, result, element, const_i32(e, lane), "");
    }
    return result;
}

LLVMValueRef operands_windows(Emitter *e, const Operands *operands, int vector,
                              LLVMValueRef offset) {
    const MatrixOperand *operand = operands->column_operand;
    LLVMValueRef at = element_pointer(e, operands->column[vector], operand->dtype, offset);
    LLVMTypeRef type = lanes_of(element_type(e, operand));
    LLVMValueRef mask = operands->masks[vector], readable = operands->readable[vector];
    if (!mask || !readable) return load_vector(e, type, at, alignment_of(operand), mask);
    LLVMValueRef slot = stack_slot(e, type, 64);
    Fork branch = fork_begin(e, readable);
    store(e, load_vector(e, type, at, alignment_of(operand), NULL), slot);
    fork_else(e, branch);
    store(e, load_vector(e, type, at, alignment_of(operand), mask), slot);
    fork_end(e, branch);
    return load(e, type, slot);
}

LLVMValueRef operands_columns(Emitter *e, const Operands *operands, int vector, LLVMValueRef k) {
    const MatrixOperand *operand = operands->column_operand;
    if (operand->windows)
        return operands_windows(e, operands, vector, operand_k_offset(e, operand, k));
    if (stride_along(operand, operand->line_axis) != 1)
        return collect_columns(e, operands, vector, k);
    int64_t offset = vector * LANES, width = operand->storage.layout.width;
    /* another vector of the tile may lie in another panel */
    if (panels_along(operand, operand->line_axis))
        offset = offset / width * operand->k * width + offset % width;
    LLVMValueRef at =
        element_pointer(e, operands->columns, operand->dtype, operand_k_offset(e, operand, k));
    return load_vector(e, lanes_of(element_type(e, operand)), operand_plus(e, operand, at, offset),
                       alignment_of(operand), operands->masks[vector]);
}

/* Prefetch: while a chunk's tiles use one panel of columns, each of them prefetches its part of the
 * next panel. */
static void prefetch_panel(Emitter *e, const Tile *tile, Operands *operands) {
    enum {
        MIN_BLOCKS = 2,
        MAX_BLOCKS = 16
    }; /* of rows: a single one would prefetch too late; with many the wait hardly matters */
    const Matmul *m = operands->m;
    const MatrixOperand *operand = operands->column_operand;
    int64_t blocks = m->blocking.chunk;
    if (!panels_along(operand, operand->line_axis) || blocks < MIN_BLOCKS || blocks > MAX_BLOCKS)
        return;
    int64_t panel = operand->k * operand->storage.layout.width;
    operands->next_panel_step = m->tile_columns / blocks;
    LLVMValueRef before = times(e, tile->in_chunk, operand->k * operands->next_panel_step);
    operands->next_panel = element_pointer(e, operand_plus(e, operand, operands->columns, panel),
                                           operand->dtype, before);
}

/* i1: all lanes from this line on lie inside the images at the last k, and so at each. Only few
 * targets load vectors with a mask; others would load lane by lane. */
static LLVMValueRef readable_windows(Emitter *e, const MatrixOperand *operand, LLVMValueRef line) {
    const StridedWalk *walk = &operand->k_walk;
    int64_t end = operand->elements - LANES;
    if (e->many_registers) return NULL;
    for (int i = 0; i < walk->count; i++) end -= (walk->size[i] - 1) * walk->step[i];
    return le(e, walk_offset(e, &operand->line_walk, line), const_i64(e, end));
}

static void find_windows(Emitter *e, const Tile *tile, Operands *operands) {
    const Matmul *m = operands->m;
    for (int v = 0; v < m->blocking.vectors; v++) {
        LLVMValueRef column = plus(e, tile->column, v * LANES);
        /* a tile computes vectors beyond the last one as well but never stores them */
        if (m->span.count % m->tile_columns != 0)
            column = min(e, column, const_i64(e, m->span.count - LANES));
        LLVMValueRef line = columns_line(e, m, column);
        operands->column[v] = pointer_to(e, &m->columns, line, const_i64(e, 0));
        operands->masks[v] = columns_mask(e, m, column);
        operands->readable[v] = readable_windows(e, &m->columns, line);
    }
}

void operands_find_columns(Emitter *e, const Tile *tile, Operands *operands) {
    operands->column_operand = &operands->m->columns;
    operands->first_column = tile->column;
    if (operands->m->columns.windows) {
        find_windows(e, tile, operands);
        return;
    }
    operands->columns = pointer_to(e, operands->column_operand, tile->column, const_i64(e, 0));
    prefetch_panel(e, tile, operands);
    /* The last tile may have columns that do not exist and cannot be read. Panels are padded, but
     * not
* up to a tile of several panels; plain rows are not padded. */
    const Matmul *m = operands->m;
    int64_t border =
        panels_along(&m->columns, m->columns.line_axis) ? m->columns.storage.layout.width : 1;
    int64_t readable = round_up(m->columns.lines, border);
    if (readable >= m->blocking.column_blocks * m->tile_columns) return;
    for (int v = 0; v < m->blocking.vectors; v++) {
        LLVMValueRef start = plus(e, operands->first_column, v * LANES);
        LLVMValueRef left = sub(e, const_i64(e, m->columns.lines), start);
        operands->masks[v] = lt(e, lane_numbers(e), value_splat(e, (LaneValue){left, true}));
    }
}

/* The pointer is where the copy's k = 0 would be. */
void operands_find_packed_columns(Emitter *e, Steps steps, Operands *operands) {
    const MatrixOperand *operand = operands->column_operand = &operands->m->packed_columns;
    operands->first_column = const_i64(e, 0);
    operands->columns =
        pointer_to(e, operand, operands->first_column, LLVMBuildNeg(e->builder, steps.from, ""));
    for (int v = 0; v < MAX_VECTORS; v++)
        operands->column[v] = operands->masks[v] = operands->readable[v] = NULL;
}

bool operands_columns_adjoin(const Matmul *m) {
    return m->columns.windows || stride_along(&m->columns, m->columns.line_axis) == 1;
}
bool operands_columns_packed_already(const Matmul *m) {
    return panels_along(&m->columns, m->columns.line_axis);
}

void operands_open(Emitter *e, Matmul *m, const Tile *tile) {
    open_operand(e, m, &m->rows, tile->matrix);
    open_operand(e, m, &m->columns, tile->matrix);
}

static LLVMValueRef row_pointer(Emitter *e, const Operands *operands, int64_t row,
                                LLVMValueRef offset) {
    bool has_pointer = operands->row[row] != NULL;
    const MatrixOperand *operand = operands->row_operand;
    LLVMValueRef at =
        element_pointer(e, operands->row[has_pointer ? row : 0], operand->dtype, offset);
    return has_pointer ? at : operand_plus(e, operand, at, row * operands->row_step);
}

LLVMValueRef operands_row_element(Emitter *e, const Operands *operands, int64_t row,
                                  LLVMValueRef offset) {
    return load(e, element_type(e, operands->row_operand), row_pointer(e, operands, row, offset));
}

LLVMValueRef operands_row_steps(Emitter *e, const Operands *operands, int64_t row, LLVMValueRef k) {
    const MatrixOperand *operand = operands->row_operand;
    int k_axis = 1 - operand->line_axis;
    if (operand->windows || panels_along(operand, k_axis) || stride_along(operand, k_axis) != 1)
        return NULL;
    return load_vector(e, lanes_of(element_type(e, operand)), row_pointer(e, operands, row, k),
                       alignment_of(operand), NULL);
}

LLVMValueRef operands_rows_mask(Emitter *e, const Matmul *m, LLVMValueRef row, unsigned width) {
    LLVMValueRef numbers[MAX_ROWS], first[MAX_ROWS];
    unsigned rows = (unsigned)m->blocking.tile_rows;
    if (m->rows.lines % rows == 0 && width == rows) return NULL;
    LLVMValueRef left = sub(e, const_i64(e, m->rows.lines), row);
    LLVMValueRef all = LLVMGetUndef(LLVMVectorType(e->i64, width));
    for (unsigned r = 0; r < width; r++) {
        numbers[r] = const_i64(e, r < rows ? r : INT64_MAX);
        first[r] = LLVMConstInt(e->i32, 0, false);
    }
    all = LLVMBuildInsertElement(e->builder, all, left, const_i32(e, 0), "");
    all = LLVMBuildShuffleVector(e->builder, all, all, LLVMConstVector(first, width), "");
    return lt(e, LLVMConstVector(numbers, width), all);
}

LLVMValueRef operands_rows_at(Emitter *e, const Operands *operands, LLVMValueRef k) {
    const MatrixOperand *operand = operands->row_operand;
    if (operand->windows || operands->row_step != 1 ||
        (panels_along(operand, operand->line_axis) && operands->row[1]))
        return NULL;
    LLVMTypeRef type =
        LLVMVectorType(element_type(e, operand), (unsigned)operands->m->blocking.tile_rows);
    LLVMValueRef at = row_pointer(e, operands, 0, operand_k_offset(e, operand, k));
    return load_vector(e, type, at, alignment_of(operand), operands->rows_mask);
}

void operands_prefetch_lanes(Emitter *e, const Operands *operands, LLVMValueRef k, int64_t rows) {
    const MatrixOperand *operand = operands->row_operand;
    LLVMValueRef at = row_pointer(e, operands, 0, operand_k_offset(e, operand, k));
    prefetch_line(e, operand_plus(e, operand, at, rows), PREFETCH_READ);
}

LLVMValueRef operands_lanes_at(Emitter *e, const Operands *operands, LLVMValueRef k,
                               LLVMValueRef mask) {
    const MatrixOperand *operand = operands->row_operand;
    LLVMValueRef at = row_pointer(e, operands, 0, operand_k_offset(e, operand, k));
    return load_vector(e, lanes_of(element_type(e, operand)), at, alignment_of(operand), mask);
}

/* The distance from one k to the next; 0: it is not always the same. */
static int64_t k_stride(const MatrixOperand *operand) {
    int k_axis = 1 - operand->line_axis;
    return operand->windows || panels_along(operand, k_axis) ? 0 : stride_along(operand, k_axis);
}

bool operands_steps_adjoin(const Operands *operands) {
    const MatrixOperand *rows = operands->row_operand;
    return rows->windows ? walk_run(&rows->k_walk).step == 1 : k_stride(rows) == 1;
}

LLVMValueRef operands_two_steps(Emitter *e, const Operands *operands, int64_t row,
                                LLVMValueRef offset) {
    LLVMTypeRef word = LLVMInt16TypeInContext(e->context);
    LLVMValueRef both = load(e, word, row_pointer(e, operands, row, offset));
    LLVMSetAlignment(both, 1);
    return both;
}

/* Rows with a pointer each take more registers than an unrolled loop has; only bytes are worth it,
 * as they are multiplied in pairs. */
bool operands_steady(const Operands *operands) {
    bool bytes = operands->row_operand->dtype != DTYPE_F32;
    return k_stride(operands->row_operand) && k_stride(operands->column_operand) &&
           stride_along(operands->column_operand, operands->column_operand->line_axis) == 1 &&
           (bytes || !operands->row[1]);
}

Operands operands_ahead(Emitter *e, const Operands *operands, int64_t steps) {
    Operands ahead = *operands;
    for (int64_t r = 0; r < operands->m->blocking.tile_rows; r++)
        if (ahead.row[r])
            ahead.row[r] = operand_plus(e, ahead.row_operand, ahead.row[r],
                                        steps * k_stride(ahead.row_operand));
    ahead.columns = operand_plus(e, ahead.column_operand, ahead.columns,
                                 steps * k_stride(ahead.column_operand));
    return ahead;
}
