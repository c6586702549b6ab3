/* The multiply-adds of a tile:
 *
 *     for each k
 *         for each vector v of the tile: column[v] = LANES columns at k
 *         for each row r of the tile
 *             a = the row's element at k, in all lanes
 *             for each v: sum[r][v] = fma(a, column[v], sum[r][v])
 *
 * Bytes are widened to i32. Processors multiply them as numbers of 16 bits, which is exact. */
#include "codegen/matmul/matmul.h"

/* -- sums -- */

typedef struct {
    LLVMValueRef sum[MAX_ROWS][MAX_VECTORS];
} Sums;

static Sums load_sums(Emitter *e, const Matmul *m) {
    Sums sums;
    for (int64_t r = 0; r < m->blocking.tile_rows; r++)
        for (int v = 0; v < m->blocking.vectors; v++)
            sums.sum[r][v] = load(e, lanes_of(m->sum), m->sums[r][v]);
    return sums;
}

static void store_sums(Emitter *e, const Matmul *m, const Sums *sums) {
    for (int64_t r = 0; r < m->blocking.tile_rows; r++)
        for (int v = 0; v < m->blocking.vectors; v++) store(e, sums->sum[r][v], m->sums[r][v]);
}

void product_clear(Emitter *e, const Matmul *m) {
    for (int64_t r = 0; r < m->blocking.tile_rows; r++)
        for (int v = 0; v < m->blocking.vectors; v++)
            store(e, LLVMConstNull(lanes_of(m->sum)), m->sums[r][v]);
}

static LLVMValueRef spilled_sum(Emitter *e, const Matmul *m, LLVMValueRef number, int64_t row,
                                int vector) {
    int64_t tile = m->blocking.tile_rows * m->blocking.vectors * LANES,
            at = (row * m->blocking.vectors + vector) * LANES;
    LLVMValueRef first = times(e, number, tile);
    return pointer_plus(e, element_pointer(e, m->spilled, DTYPE_F32, first), at);
}

void product_spill(Emitter *e, const Matmul *m, LLVMValueRef number) {
    Sums sums = load_sums(e, m);
    for (int64_t r = 0; r < m->blocking.tile_rows; r++)
        for (int v = 0; v < m->blocking.vectors; v++)
            store(e, sums.sum[r][v], spilled_sum(e, m, number, r, v));
}

void product_reload(Emitter *e, const Matmul *m, LLVMValueRef number) {
    Sums sums;
    for (int64_t r = 0; r < m->blocking.tile_rows; r++)
        for (int v = 0; v < m->blocking.vectors; v++)
            sums.sum[r][v] = load(e, lanes_of(m->sum), spilled_sum(e, m, number, r, v));
    store_sums(e, m, &sums);
}

/* Adds 0, so that a product is never -0, as the numerics contract demands. */
void product_finish(Emitter *e, const Matmul *m) {
    Sums sums = load_sums(e, m);
    for (int v = 0; v < m->blocking.vectors; v++)
        for (int64_t r = 0; r < m->blocking.tile_rows; r++) {
            LLVMValueRef sum = sums.sum[r][v];
            if (m->sum == e->f32) sum = fadd(e, sum, LLVMConstNull(lanes_of(e->f32)));
            store(e, sum, pointer_plus(e, m->finished, (v * m->blocking.tile_rows + r) * LANES));
        }
}

/* Prefetches the elements that belong to `count` steps from k on, `each` to a step. */
static void prefetch_steps(Emitter *e, const MatrixOperand *operand, LLVMValueRef first,
                           LLVMValueRef k, int64_t count, int64_t each) {
    int64_t line = 64 / (int64_t)dtype_bytes(operand->dtype);
    LLVMValueRef at = element_pointer(e, first, operand->dtype, times(e, k, each));
    for (int64_t away = 0; away < count * each; away += line)
        prefetch_line(e, operand_plus(e, operand, at, away), PREFETCH_LATER);
}

static void prefetch_next(Emitter *e, const Operands *operands, LLVMValueRef k, int64_t count) {
    if (operands->next_rows)
        prefetch_steps(e, operands->row_operand, operands->next_rows, k, count,
                       operands->m->blocking.tile_rows);
    if (operands->next_panel)
        prefetch_steps(e, operands->column_operand, operands->next_panel, k, count,
                       operands->next_panel_step);
}

/* Bytes as i32; f32 as it is. A scalar or a vector. */
static LLVMValueRef widened(Emitter *e, const MatrixOperand *operand, LLVMValueRef value) {
    LLVMTypeRef type = LLVMTypeOf(value) == e->i8 ? e->i32 : lanes_of(e->i32);
    if (operand->dtype == DTYPE_F32) return value;
    return operand->dtype == DTYPE_I8 ? LLVMBuildSExt(e->builder, value, type, "")
                                      : LLVMBuildZExt(e->builder, value, type, "");
}

static LLVMValueRef row_at(Emitter *e, const Operands *operands, int64_t row, LLVMValueRef offset) {
    LLVMValueRef element = operands_row_element(e, operands, row, offset);
    return value_splat(e, (Value){widened(e, operands->row_operand, element), true});
}

static LLVMValueRef column_at(Emitter *e, const Operands *operands, int vector, LLVMValueRef k,
                              LLVMValueRef distance) {
    bool known = distance && operands->column_operand->windows;
    LLVMValueRef columns = known ? operands_windows(e, operands, vector, distance)
                                 : operands_columns(e, operands, vector, k);
    return widened(e, operands->column_operand, columns);
}

/* sum += row * column for a row of the tile. */
static void add_row(Emitter *e, const Matmul *m, LLVMValueRef row, const LLVMValueRef *columns,
                    const LLVMValueRef *tiny, LLVMValueRef *sums) {
    bool whole = m->sum != e->f32;
    LLVMValueRef tiny_row = whole ? NULL : fused_tiny(e, row);
    for (int v = 0; v < m->blocking.vectors; v++)
        sums[v] = whole ? add(e, sums[v], mul(e, row, columns[v]))
                        : fused_hot(e, row, columns[v], sums[v],
                                    tiny_row ? bit_or(e, tiny_row, tiny[v]) : NULL);
}

/* distance: that of k from k = 0 in the operand of windows; NULL: not computed yet. */
static void add_step(Emitter *e, const Operands *operands, LLVMValueRef k, LLVMValueRef distance) {
    const Matmul *m = operands->m;
    LLVMValueRef columns[MAX_VECTORS], tiny[MAX_VECTORS] = {NULL};
    Sums sums = load_sums(e, m);
    bool known = distance && operands->row_operand->windows;
    LLVMValueRef offset = known ? distance : operand_k_offset(e, operands->row_operand, k);
    for (int v = 0; v < m->blocking.vectors; v++)
        columns[v] = column_at(e, operands, v, k, distance);
    for (int v = 0; v < m->blocking.vectors && m->sum == e->f32; v++)
        tiny[v] = fused_tiny(e, columns[v]);
    for (int64_t r = 0; r < m->blocking.tile_rows; r++)
        add_row(e, m, row_at(e, operands, r, offset), columns, tiny, sums.sum[r]);
    store_sums(e, m, &sums);
}

/* k of step `number`: the number itself, or that entry of the list. */
static LLVMValueRef step_k(Emitter *e, const Operands *operands, LLVMValueRef number,
                           LLVMValueRef origin) {
    if (!operands->list) return number;
    LLVMValueRef at = LLVMBuildGEP2(e->builder, e->i32, operands->list, &number, 1, "");
    LLVMValueRef k = LLVMBuildZExt(e->builder, load(e, e->i32, at), e->i64, "");
    return add(e, origin, k);
}

static const StridedWalk *windows_walk(const Operands *operands) {
    return operands->column_operand->windows ? &operands->column_operand->k_walk
                                             : &operands->row_operand->k_walk;
}

/* The elements of a window form runs of equal steps. In a long run it pays to compute its start by
 * division, and further elements by addition. */
static bool has_runs(const Operands *operands) {
    enum { SHORTEST = 4 };
    const StridedWalk *walk = windows_walk(operands);
    bool windows = operands->column_operand->windows || operands->row_operand->windows;
    return windows && !operands->list && walk->count > 1 && walk_run(walk).size >= SHORTEST;
}

static void add_runs(Emitter *e, const Operands *operands, Steps steps) {
    const StridedWalk *walk = windows_walk(operands);
    Run equal = walk_run(walk);
    LLVMValueRef to = add(e, steps.from, steps.count);
    If any = if_begin(e, lt(e, steps.from, to));
    SegmentLoop segments = segments_begin(e, steps.from, to, equal.size);
    LLVMValueRef start = walk_offset(e, walk, segments.start);
    Loop loop = loop_begin(e, segments.from);
    LLVMValueRef inside = sub(e, loop.index, segments.start);
    LLVMValueRef distance = times(e, inside, equal.step);
    prefetch_next(e, operands, loop.index, 1);
    add_step(e, operands, loop.index, add(e, start, distance));
    loop_end(e, loop, segments.to, 1);
    segments_end(e, segments);
    if_end(e, any);
}

/* `unrolled` steps an iteration, and nothing if there are no steps. */
static void add_loop(Emitter *e, const Operands *operands, Steps steps, LLVMValueRef origin,
                     int64_t unrolled) {
    bool known = LLVMIsConstant(steps.count);
    if (known && LLVMConstIntGetZExtValue(steps.count) == 0) return;
    If any = if_begin(e, known ? NULL : gt(e, steps.count, const_i64(e, 0)));
    Loop loop = loop_begin(e, steps.from);
    LLVMValueRef k = step_k(e, operands, loop.index, origin);
    prefetch_next(e, operands, k, unrolled);
    add_step(e, operands, k, NULL);
    for (int64_t steps_ahead = 1; steps_ahead < unrolled; steps_ahead++) {
        Operands ahead = operands_ahead(e, operands, steps_ahead);
        add_step(e, &ahead, k, NULL);
    }
    loop_end(e, loop, add(e, steps.from, steps.count), unrolled);
    if_end(e, any);
}

/* Four steps an iteration, then the rest one by one. The end of a loop, its addresses and its
 * prefetches take issue slots beside the multiply-adds. */
static void add_fours(Emitter *e, const Operands *operands, Steps steps) {
    enum { UNROLLED = 4 };
    LLVMValueRef count = times(e, over(e, steps.count, UNROLLED), UNROLLED);
    add_loop(e, operands, (Steps){steps.from, count}, NULL, UNROLLED);
    Steps rest = {add(e, steps.from, count), sub(e, steps.count, count)};
    add_loop(e, operands, rest, NULL, 1);
}

void product_add(Emitter *e, const Operands *operands, Steps steps, LLVMValueRef origin) {
    if (has_runs(operands))
        add_runs(e, operands, steps);
    else if (operands->list || !operands_steady(operands) || e->fma != FMA_INSTRUCTION)
        add_loop(e, operands, steps, origin, 1);
    else
        add_fours(e, operands, steps);
}
