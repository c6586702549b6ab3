/* Transposing squares of LANES by LANES elements. */
#include "codegen/emit/square.h"

LLVMValueRef square_new(Emitter *e) {
    return stack_slot(e, LLVMArrayType(lanes_of(e->f32), LANES), 64);
}

LLVMValueRef square_row(Emitter *e, LLVMValueRef square, LLVMValueRef row) {
    return LLVMBuildGEP2(e->builder, lanes_of(e->f32), square, &row, 1, "");
}

/* a0 b0 a1 b1 ... of the first halves of two vectors, or of their second halves. */
static LLVMValueRef interleave(Emitter *e, LLVMValueRef a, LLVMValueRef b, int half) {
    LLVMValueRef lanes[LANES];
    for (int i = 0; i < LANES; i++)
        lanes[i] = const_i32(e, half * (LANES / 2) + i / 2 + i % 2 * LANES);
    return LLVMBuildShuffleVector(e->builder, a, b, LLVMConstVector(lanes, LANES), "");
}

/* Four rounds of interleaving. Each exchanges one bit of the number of the row with one bit of the
 * number of the lane. */
void square_transpose_rows(Emitter *e, LLVMValueRef rows[LANES], LLVMValueRef to) {
    LLVMValueRef map[LANES];
    for (int round = 1; round < LANES; round *= 2) {
        for (int i = 0; i < LANES; i++)
            map[i] = interleave(e, rows[i / 2], rows[i / 2 + LANES / 2], i % 2);
        for (int i = 0; i < LANES; i++) rows[i] = map[i];
    }
    for (int i = 0; i < LANES; i++) store(e, rows[i], square_row(e, to, const_i64(e, i)));
}

void square_transpose(Emitter *e, LLVMValueRef from, LLVMValueRef to) {
    LLVMValueRef rows[LANES];
    LLVMTypeRef type = lanes_of(e->f32);
    for (int i = 0; i < LANES; i++) rows[i] = load(e, type, square_row(e, from, const_i64(e, i)));
    square_transpose_rows(e, rows, to);
}
