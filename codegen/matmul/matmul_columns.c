/* The columns of a product by number (see ColumnSpan). */
#include "codegen/matmul/matmul.h"

ColumnSpan column_span(const MatrixOperand *columns) {
    if (!columns->windows) return (ColumnSpan){columns->lines, columns->lines, columns->lines};
    int64_t run = walk_run(&columns->line_walk).size, room = round_up(run, LANES);
    return (ColumnSpan){run, room, columns->lines / run * room};
}

typedef struct {
    LLVMValueRef run, inside;
} Position;

static Position position_of(Emitter *e, const Matmul *m, LLVMValueRef column) {
    if (m->span.count == m->span.run) return (Position){const_i64(e, 0), column};
    LLVMValueRef room = const_i64(e, m->span.room);
    return (Position){udiv(e, column, room), urem(e, column, room)};
}

LLVMValueRef columns_mask(Emitter *e, const Matmul *m, LLVMValueRef column) {
    return lanes_below(e, position_of(e, m, column).inside, m->span.run);
}

LLVMValueRef columns_there(Emitter *e, const Matmul *m, LLVMValueRef column) {
    LLVMValueRef all = const_i64(e, LANES);
    if (m->span.run % LANES == 0) return all;
    LLVMValueRef left = sub(e, const_i64(e, m->span.run), position_of(e, m, column).inside);
    return min(e, left, all);
}

LLVMValueRef columns_line(Emitter *e, const Matmul *m, LLVMValueRef column) {
    Position at = position_of(e, m, column);
    LLVMValueRef before = times(e, at.run, m->span.run);
    return add(e, before, at.inside);
}

/* The place in the shape [runs, columns of a run, rows]; a product of windows has one matrix. */
static Place *run_place(Emitter *e, const Matmul *m, LLVMValueRef row, LLVMValueRef column) {
    Shape shape = {.rank = 3, .dim = {m->columns.lines / m->span.run, m->span.run, m->rows.lines}};
    Position at = position_of(e, m, column);
    Place *place = place_new(e, shape, columns_mask(e, m, column));
    place->axis[0] = coordinate_uniform(at.run);
    place->axis[1] = (Coordinate){.base = at.inside, .step = 1, .aligned = true};
    place->axis[2] = coordinate_uniform(row);
    return place;
}

Place *columns_place(Emitter *e, const Matmul *m, LLVMValueRef matrix, LLVMValueRef row,
                     LLVMValueRef column) {
    if (m->columns.windows) return run_place(e, m, row, column);
    int64_t lines[2] = {m->rows.lines, m->columns.lines};
    bool swapped = e->kernel->product.swapped, batched = m->batch > 1;
    Shape shape = {.rank = 2, .dim = {lines[swapped], lines[!swapped]}};
    if (batched) shape = (Shape){.rank = 3, .dim = {m->batch, lines[swapped], lines[!swapped]}};
    Place *place = place_new(e, shape, columns_mask(e, m, column));
    if (batched) place->axis[0] = coordinate_uniform(matrix);
    place->axis[batched + swapped] = coordinate_uniform(row);
    place->axis[batched + !swapped] = (Coordinate){.base = column, .step = 1, .aligned = true};
    return place;
}
