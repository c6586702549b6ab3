/* The multiply-adds of a tile:
 *
 *     for each k
 *         for each vector v of the tile: column[v] = LANES columns at k
 *         for each row r of the tile
 *             a = the row's element at k, in all lanes
 *             for each v: sum[r][v] = fma(a, column[v], sum[r][v])
 */
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

LLVMValueRef step_offset(Emitter *e, const Step *step) {
    const MatrixOperand *rows = step->operands->row_operand;
    bool known = step->distance && rows->windows;
    return known ? step->distance : operand_k_offset(e, rows, step->k);
}

LLVMValueRef step_columns(Emitter *e, const Step *step, int vector) {
    const Operands *operands = step->operands;
    bool known = step->distance && operands->column_operand->windows;
    return known ? operands_windows(e, operands, vector, step->distance)
                 : operands_columns(e, operands, vector, step->k);
}

/* sum[r][v] = fma(row element r, vector v of the columns, sum[r][v]) for one k */
static void add_reals(Emitter *e, const Step *step, Sums *sums) {
    const Matmul *m = step->operands->m;
    LLVMValueRef columns[MAX_VECTORS], tiny[MAX_VECTORS];
    for (int v = 0; v < m->blocking.vectors; v++) columns[v] = step_columns(e, step, v);
    for (int v = 0; v < m->blocking.vectors; v++) tiny[v] = fused_tiny(e, columns[v]);
    LLVMValueRef offset = step_offset(e, step);
    for (int64_t r = 0; r < m->blocking.tile_rows; r++) {
        LLVMValueRef element = operands_row_element(e, step->operands, r, offset);
        LLVMValueRef row = value_splat(e, (LaneValue){element, true});
        LLVMValueRef tiny_row = fused_tiny(e, row);
        for (int v = 0; v < m->blocking.vectors; v++)
            sums->sum[r][v] = fused_hot(e, row, columns[v], sums->sum[r][v],
                                        tiny_row ? bit_or(e, tiny_row, tiny[v]) : NULL);
    }
}

static void add_step(Emitter *e, const Step *step) {
    const Matmul *m = step->operands->m;
    if (step->operands->wide) {
        wide_add(e, step);
        return;
    }
    Sums sums = load_sums(e, m);
    if (m->sum == e->f32)
        add_reals(e, step, &sums);
    else
        bytes_add(e, step, sums.sum);
    store_sums(e, m, &sums);
}

static void add_pair(Emitter *e, const Step steps[2]) {
    const Matmul *m = steps[0].operands->m;
    Sums sums = load_sums(e, m);
    bytes_add_pair(e, steps, sums.sum);
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

/* A run of equal steps: its first k, and the distance of this k from k = 0. */
typedef struct {
    LLVMValueRef k, distance;
    int64_t step;
} RunStart;

static Step run_step(Emitter *e, const Operands *operands, const RunStart *run, LLVMValueRef k) {
    LLVMValueRef inside = sub(e, k, run->k);
    return (Step){operands, k, add(e, run->distance, times(e, inside, run->step))};
}

/* Steps from .. to of a run, `each` at once: one, or a pair. */
static void add_part_of_run(Emitter *e, const Operands *operands, const RunStart *run,
                            LLVMValueRef from, LLVMValueRef to, int64_t each) {
    If any = if_begin(e, lt(e, from, to));
    Loop loop = loop_begin(e, from);
    prefetch_next(e, operands, loop.index, each);
    Step steps[2] = {run_step(e, operands, run, loop.index)};
    if (each == 2) steps[1] = run_step(e, operands, run, plus(e, loop.index, 1));
    if (each == 2)
        add_pair(e, steps);
    else
        add_step(e, steps);
    loop_end(e, loop, to, each);
    if_end(e, any);
}

/* Adds the steps run by run: within a run, elements of a window are equally far apart in memory. */
static void add_runs(Emitter *e, const Operands *operands, Steps steps) {
    const StridedWalk *walk = windows_walk(operands);
    Run equal = walk_run(walk);
    LLVMValueRef to = add(e, steps.from, steps.count);
    If any = if_begin(e, lt(e, steps.from, to));
    SegmentLoop segments = segments_begin(e, steps.from, to, equal.size);
    RunStart run = {segments.start, walk_offset(e, walk, segments.start), equal.step};
    LLVMValueRef from = segments.from;
    if (bytes_have_pairs(e, operands->m)) {
        LLVMValueRef pairs = over(e, sub(e, segments.to, from), 2);
        LLVMValueRef end = add(e, from, times(e, pairs, 2));
        add_part_of_run(e, operands, &run, from, end, 2);
        from = end;
    }
    add_part_of_run(e, operands, &run, from, segments.to, 1);
    segments_end(e, segments);
    if_end(e, any);
}

/* Steps k, k + 1, ... of steady operands, in pairs where the target has them. */
static void add_unrolled(Emitter *e, const Operands *operands, LLVMValueRef k, int64_t count) {
    bool pairs = bytes_have_pairs(e, operands->m);
    for (int64_t i = 0; i < count; i += pairs ? 2 : 1) {
        Operands ahead[] = {i ? operands_ahead(e, operands, i) : *operands, {0}};
        if (pairs) ahead[1] = operands_ahead(e, operands, i + 1);
        const Step steps[] = {{&ahead[0], k, NULL}, {&ahead[1], k, NULL}};
        if (pairs)
            add_pair(e, steps);
        else
            add_step(e, steps);
    }
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
    if (unrolled == 1)
        add_step(e, &(Step){operands, k, NULL});
    else
        add_unrolled(e, operands, k, unrolled);
    loop_end(e, loop, add(e, steps.from, steps.count), unrolled);
    if_end(e, any);
}

/* Several steps an iteration, then the rest one by one. */
static void add_iterations(Emitter *e, const Operands *operands, Steps steps) {
    int together = operands->m->blocking.steps;
    if (together == 1) {
        add_loop(e, operands, steps, NULL, 1);
        return;
    }
    LLVMValueRef count = times(e, over(e, steps.count, together), together);
    add_loop(e, operands, (Steps){steps.from, count}, NULL, together);
    Steps rest = {add(e, steps.from, count), sub(e, steps.count, count)};
    add_loop(e, operands, rest, NULL, 1);
}

static void add_steps(Emitter *e, const Operands *operands, Steps steps, LLVMValueRef origin) {
    enum { SHORTEST = 4 };
    const StridedWalk *walk = windows_walk(operands);
    bool windows = operands->column_operand->windows || operands->row_operand->windows;
    /* The elements of a window form runs of equal steps. In a long run it pays to compute its start
     * by division, and further elements by addition. */
    if (windows && !operands->list && walk->count > 1 && walk_run(walk).size >= SHORTEST)
        add_runs(e, operands, steps);
    else if (operands->list || !operands_steady(operands) ||
             (operands->m->sum == e->f32 && e->fma != FMA_INSTRUCTION))
        add_loop(e, operands, steps, origin, 1);
    else
        add_iterations(e, operands, steps);
}

void product_add(Emitter *e, const Operands *operands, Steps steps, LLVMValueRef origin) {
    Operands as_they_are = *operands;
    as_they_are.wide = NULL;
    If again = {0};
    if (operands->wide) {
        If fast = wide_begin(e, operands);
        add_steps(e, operands, steps, origin);
        again = if_begin(e, wide_end(e, operands, fast));
    }
    add_steps(e, &as_they_are, steps, origin);
    if (operands->wide) if_end(e, again);
}
