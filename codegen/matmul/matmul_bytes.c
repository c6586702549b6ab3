/* Products of bytes. A single step widens the bytes to i32. If the target multiplies pairs of i16,
 * two steps are computed at once:
 *
 *     for each vector of columns: columns = column 0 at k, at k + 1, column 1 at k, ...   as i16
 *     for each row: row = its element at k, at k + 1, at k, ...                           as i16
 *         sum += products of row and columns, neighbours added
 *
 * Both are exact: 255 * 127 * 2 is far below 2^31. Where all tiles share the few rows of a small
 * matrix, as the filters of a convolution, its pairs are made once and wait on the stack. */
#include "codegen/matmul/matmul.h"

static LLVMValueRef widened(Emitter *e, DType dtype, LLVMValueRef bytes, LLVMTypeRef type) {
    return dtype == DTYPE_I8 ? LLVMBuildSExt(e->builder, bytes, type, "")
                             : LLVMBuildZExt(e->builder, bytes, type, "");
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

/* -- the rows as words -- */

void bytes_reserve_words(Emitter *e, Matmul *m) {
    enum { MOST_BYTES = 4096 };
    const Blocking *b = &m->blocking;
    int64_t words = m->k * b->tile_rows;
    bool all_tiles_share = b->row_blocks == 1 && b->k_blocks == 1 && m->batch == 1;
    if (bytes_have_pairs(e, m) && all_tiles_share && m->columns.windows && !m->rows.windows &&
        words * (int64_t)sizeof(int32_t) <= MOST_BYTES)
        m->row_words = stack_slot(e, LLVMArrayType(e->i32, (unsigned)words), 64);
}

static LLVMValueRef word_pointer(Emitter *e, const Matmul *m, LLVMValueRef k, int64_t row) {
    LLVMValueRef at = plus(e, times(e, k, m->blocking.tile_rows), row);
    return LLVMBuildGEP2(e->builder, e->i32, m->row_words, &at, 1, "");
}

/* for each k, for each row: word = its byte at k | its byte at k + 1 << 16. The last k has no next
 * one, and its own byte stands there. */
void bytes_fill_words(Emitter *e, const Operands *operands) {
    const Matmul *m = operands->m;
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef last = const_i64(e, m->k - 1), next = min(e, plus(e, loop.index, 1), last);
    LLVMValueRef offsets[] = {operand_k_offset(e, &m->rows, loop.index),
                              operand_k_offset(e, &m->rows, next)};
    for (int64_t r = 0; r < m->blocking.tile_rows; r++) {
        LLVMValueRef parts[2];
        for (int i = 0; i < 2; i++)
            parts[i] =
                widened(e, m->rows.dtype, operands_row_element(e, operands, r, offsets[i]), e->i32);
        LLVMValueRef low = bit_and(e, parts[0], const_i32(e, UINT16_MAX)),
                     high = LLVMBuildShl(e->builder, parts[1], const_i32(e, 16), "");
        store(e, bit_or(e, low, high), word_pointer(e, m, loop.index, r));
    }
    loop_end(e, loop, const_i64(e, m->k), 1);
}

/* <32 x i16>: a row's elements at k and k + 1 in turn. */
static LLVMValueRef word_pairs(Emitter *e, const Matmul *m, LLVMValueRef k, int64_t row) {
    LLVMValueRef word = load(e, e->i32, word_pointer(e, m, k, row));
    return LLVMBuildBitCast(e->builder, value_splat(e, (LaneValue){word, true}), pairs_type(e), "");
}

/* A single step: the columns at k and 0 in turn, so that the upper halves of the words add
 * nothing. */
static void add_words(Emitter *e, const Step *step, LLVMValueRef sums[MAX_ROWS][MAX_VECTORS]) {
    const Matmul *m = step->operands->m;
    LLVMValueRef half = value_splat(e, (LaneValue){LLVMConstInt(e->i32, UINT16_MAX, false), true});
    LLVMValueRef columns[MAX_VECTORS];
    for (int v = 0; v < m->blocking.vectors; v++) {
        LLVMValueRef wide =
            widened(e, m->columns.dtype, step_columns(e, step, v), lanes_of(e->i32));
        columns[v] = LLVMBuildBitCast(e->builder, bit_and(e, wide, half), pairs_type(e), "");
    }
    for (int64_t r = 0; r < m->blocking.tile_rows; r++) {
        LLVMValueRef row = word_pairs(e, m, step->k, r);
        for (int v = 0; v < m->blocking.vectors; v++)
            sums[r][v] = add(e, sums[r][v], pair_products(e, row, columns[v]));
    }
}

/* -- steps -- */

void bytes_add(Emitter *e, const Step *step, LLVMValueRef sums[MAX_ROWS][MAX_VECTORS]) {
    const Matmul *m = step->operands->m;
    if (m->row_words) {
        add_words(e, step, sums);
        return;
    }
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

void bytes_add_pair(Emitter *e, const Step steps[2], LLVMValueRef sums[MAX_ROWS][MAX_VECTORS]) {
    const Matmul *m = steps[0].operands->m;
    LLVMValueRef columns[MAX_VECTORS];
    for (int v = 0; v < m->blocking.vectors; v++) columns[v] = column_pairs(e, steps, v);
    LLVMValueRef offsets[] = {step_offset(e, &steps[0]), step_offset(e, &steps[1])};
    for (int64_t r = 0; r < m->blocking.tile_rows; r++) {
        LLVMValueRef row =
            m->row_words ? word_pairs(e, m, steps[0].k, r) : row_pairs(e, steps, offsets, r);
        for (int v = 0; v < m->blocking.vectors; v++)
            sums[r][v] = add(e, sums[r][v], pair_products(e, row, columns[v]));
    }
}
