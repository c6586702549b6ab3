/* Internal to codegen/: the kernels that are no products. Each function emits the body of the current function for units [first, last) and
 * returns how many units there are. */
#ifndef MLC_CODEGEN_KERNELS_KERNELS_H
#define MLC_CODEGEN_KERNELS_KERNELS_H

#include "codegen/emit/emit.h"

int64_t kernel_map(Emitter *e, LLVMValueRef first, LLVMValueRef last);
/* Where views are read along another axis than lanes run along: the whole kernel, in tiles. 0, and no code: there are none. */
int64_t map_turned(Emitter *e, Shape space, int lane_axis, LLVMValueRef first, LLVMValueRef last);
int64_t kernel_reduce(Emitter *e, LLVMValueRef first, LLVMValueRef last);
int64_t kernel_scan(Emitter *e, LLVMValueRef first, LLVMValueRef last);

#endif
