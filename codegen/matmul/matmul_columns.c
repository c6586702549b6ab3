/* The columns of a product by number. Where they are windows, those of a row of the picture are a run, and every run begins with a
 * whole vector (see Across): lanes never go on in another row. */
#include "codegen/matmul/matmul.h"
#include "ir/base/integers.h"

Across columns_across(const Side *columns) {
    if (!columns->windows) return (Across){columns->lines, columns->lines, columns->lines};
    int64_t run = walked_run(&columns->line_walk).size, room = round_up(run, LANES);
    return (Across){run, room, columns->lines / run * room};
}

typedef struct {
    LLVMValueRef run, inside;
} Position;

static Position position_of(Emitter *e, const Matmul *m, LLVMValueRef column) {
    if (m->across.count == m->across.run) return (Position){const_i64(e, 0), column};
    LLVMValueRef room = const_i64(e, m->across.room);
    return (Position){LLVMBuildUDiv(e->builder, column, room, ""), LLVMBuildURem(e->builder, column, room, "")};
}

LLVMValueRef columns_mask(Emitter *e, const Matmul *m, LLVMValueRef column) {
    return lanes_below(e, position_of(e, m, column).inside, m->across.run);
}

LLVMValueRef columns_there(Emitter *e, const Matmul *m, LLVMValueRef column) {
    LLVMValueRef all = const_i64(e, LANES);
    if (m->across.run % LANES == 0) return all;
    LLVMValueRef left = LLVMBuildSub(e->builder, const_i64(e, m->across.run), position_of(e, m, column).inside, "");
    return call_intrinsic(e, "llvm.smin", &e->i64, 1, (LLVMValueRef[]){left, all}, 2);
}

LLVMValueRef columns_line(Emitter *e, const Matmul *m, LLVMValueRef column) {
    Position at = position_of(e, m, column);
    LLVMValueRef before = LLVMBuildMul(e->builder, at.run, const_i64(e, m->across.run), "");
    return LLVMBuildAdd(e->builder, before, at.inside, "");
}

/* Runs, columns of a run, rows: there is one matrix. */
static Place *run_place(Emitter *e, const Matmul *m, LLVMValueRef row, LLVMValueRef column) {
    Shape shape = {.rank = 3, .dim = {m->columns.lines / m->across.run, m->across.run, m->rows.lines}};
    Position at = position_of(e, m, column);
    Place *place = place_new(e, shape, columns_mask(e, m, column));
    place->axis[0] = coordinate_uniform(at.run);
    place->axis[1] = (Coordinate){.base = at.inside, .step = 1, .aligned = true};
    place->axis[2] = coordinate_uniform(row);
    return place;
}

Place *columns_place(Emitter *e, const Matmul *m, LLVMValueRef matrix, LLVMValueRef row, LLVMValueRef column) {
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
