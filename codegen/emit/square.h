/* Squares of LANES by LANES elements on the stack, which are transposed in registers. Internal to
 * codegen/. */
#ifndef MLC_CODEGEN_EMIT_SQUARE_H
#define MLC_CODEGEN_EMIT_SQUARE_H

#include "codegen/emit/arithmetic.h"

LLVMValueRef square_new(Emitter *e); /* a stack slot: [LANES] vectors of LANES f32 */
LLVMValueRef square_row(Emitter *e, LLVMValueRef square, LLVMValueRef row);
/* to = the transpose of from; both may be the same. */
void square_transpose(Emitter *e, LLVMValueRef from, LLVMValueRef to);
/* to = the transpose of the rows, which are overwritten. */
void square_transpose_rows(Emitter *e, LLVMValueRef rows[LANES], LLVMValueRef to);

#endif
