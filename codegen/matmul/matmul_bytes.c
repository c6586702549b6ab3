/* Products of bytes. A single step widens the bytes to i32. If the target multiplies pairs of i16,
 * two steps are computed at once:
 *
 *     for each vector of columns: columns = column 0 at k, at k + 1, column 1 at k, ...   as i16
 *     for each row: row = its element at k, at k + 1, at k, ...                           as i16
 *         sum += products of row and columns, neighbours added
 *
 * Both are exact: 255 * 127 * 2 is far below 2^31. */
#include "codegen/matmul/matmul.h"

static LLVMValueRef widened(Emitter *e, DType dtype, LLVMValueRef bytes, LLVMTypeRef type) {
    return dtype == DTYPE_I8 ? LLVMBuildSExt(e->builder, bytes, type, "")
                             : LLVMBuildZExt(e->builder, bytes, type, "");
}

void bytes_add(Emitter *e, const Step *step, LLVMValueRef sums[MAX_ROWS][MAX_VECTORS]) {
    const Matmul *m = step->operands->m;
    LLVMValueRef columns[MAX_VECTORS];
    for (int v = 0; v < m->blocking.vectors; v++)
        columns[v] = widened(e, m->columns.dtype, step_columns(e, step, v), lanes_of(e->i32));
    LLVMValueRef offset = step_offset(e, step);
    for (int64_t r = 0; r < m->blocking.tile_rows; r++) {
        LLVMValueRef byte = operands_row_element(e, step->operands, r, offset);
        LLVMValueRef row =
            value_splat(e, (LaneValue){widened(e, m->rows.dtype, byte, e->i32), true});
        for (int v = 0; v < m->blocking.vectors; v++)
            sums[r][v] = add(e, sums[r][v], mul(e, row, columns[v]));
    }
}

/* -- pairs -- */

bool bytes_have_pairs(const Emitter *e, const Matmul *m) {
    return e->pairs.intrinsic && m->sum != e->f32;
}

static LLVMTypeRef pairs_type(const Emitter *e) {
    return LLVMVectorType(LLVMInt16TypeInContext(e->context), 2 * LANES);
}

/* <32 x i16>: the columns at both steps in turn. */
static LLVMValueRef column_pairs(Emitter *e, const Step steps[2], int vector) {
    LLVMValueRef lanes[2 * LANES];
    for (int i = 0; i < 2 * LANES; i++) lanes[i] = const_i32(e, i / 2 + i % 2 * LANES);
    LLVMValueRef first = step_columns(e, &steps[0], vector),
                 second = step_columns(e, &steps[1], vector);
    LLVMValueRef bytes =
        LLVMBuildShuffleVector(e->builder, first, second, LLVMConstVector(lanes, 2 * LANES), "");
    return widened(e, steps[0].operands->m->columns.dtype, bytes, pairs_type(e));
}

/* i16: the row's byte at the first step, and above it the one at the second. */
static LLVMValueRef row_word(Emitter *e, const Step steps[2], const LLVMValueRef offsets[2],
                             int64_t row) {
    LLVMTypeRef word = LLVMInt16TypeInContext(e->context);
    LLVMValueRef bytes[2];
    if (operands_steps_adjoin(steps[0].operands))
        return operands_two_steps(e, steps[0].operands, row, offsets[0]);
    for (int i = 0; i < 2; i++)
        bytes[i] = LLVMBuildZExt(
            e->builder, operands_row_element(e, steps[i].operands, row, offsets[i]), word, "");
    return bit_or(e, bytes[0],
                  LLVMBuildShl(e->builder, bytes[1], LLVMConstInt(word, 8, false), ""));
}

/* <32 x i16>: the row's elements at both steps in turn. */
static LLVMValueRef row_pairs(Emitter *e, const Step steps[2], const LLVMValueRef offsets[2],
                              int64_t row) {
    LLVMValueRef words = value_splat(e, (LaneValue){row_word(e, steps, offsets, row), true});
    LLVMTypeRef bytes = LLVMVectorType(e->i8, 2 * LANES);
    return widened(e, steps[0].operands->m->rows.dtype,
                   LLVMBuildBitCast(e->builder, words, bytes, ""), pairs_type(e));
}

/* <16 x i32>: lane i is row[2i] * columns[2i] + row[2i + 1] * columns[2i + 1]. */
static LLVMValueRef pair_products(Emitter *e, LLVMValueRef row, LLVMValueRef columns) {
    LLVMValueRef parts[LANES];
    int lanes = e->pairs.lanes, count = LANES / lanes;
    for (int i = 0; i < count; i++) {
        int first = 2 * lanes * i;
        LLVMValueRef in[] = {lanes_from(e, row, row, first, 2 * lanes),
                             lanes_from(e, columns, columns, first, 2 * lanes)};
        parts[i] = call_intrinsic(e, e->pairs.intrinsic, NULL, 0, in, 2);
    }
    for (; count > 1; count /= 2, lanes *= 2) /* joins neighbours; count is a power of two */
        for (int i = 0; i < count / 2; i++)
            parts[i] = lanes_from(e, parts[2 * i], parts[2 * i + 1], 0, 2 * lanes);
    return parts[0];
}

void bytes_add_pair(Emitter *e, const Step steps[2], LLVMValueRef sums[MAX_ROWS][MAX_VECTORS]) {
    const Matmul *m = steps[0].operands->m;
    LLVMValueRef columns[MAX_VECTORS];
    for (int v = 0; v < m->blocking.vectors; v++) columns[v] = column_pairs(e, steps, v);
    LLVMValueRef offsets[] = {step_offset(e, &steps[0]), step_offset(e, &steps[1])};
    for (int64_t r = 0; r < m->blocking.tile_rows; r++) {
        LLVMValueRef row = row_pairs(e, steps, offsets, r);
        for (int v = 0; v < m->blocking.vectors; v++)
            sums[r][v] = add(e, sums[r][v], pair_products(e, row, columns[v]));
    }
}
