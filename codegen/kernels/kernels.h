/* The kernels that are not matrix products. Each function emits code into the current function that
 * computes units [first, last) of the kernel, and returns how many units the kernel has. On a GPU
 * it computes unit `first`, and `last` is NULL. Internal to codegen/. */
#ifndef MLC_CODEGEN_KERNELS_KERNELS_H
#define MLC_CODEGEN_KERNELS_KERNELS_H

#include "codegen/emit/arithmetic.h"

/* Elements of a column or a row that a thread of a GPU loads side by side. */
enum { GPU_LOADS = 16 };
/* How many units the current kernel has on a GPU if LANES threads share each one, to add up a row;
 * 0: a unit takes one thread. */
int64_t kernel_shared_units(const Emitter *e);
/* Whether the code of the current kernel needs vectors: for sums whose order takes the LANES lanes
 * of a row, and for tiles of pictures. */
bool kernel_needs_lanes(const Emitter *e);

int64_t kernel_map(Emitter *e, LLVMValueRef first, LLVMValueRef last);
/* kernel_map in square tiles, for kernels with views that read along another axis than they write.
 * Returns 0 and emits nothing if there are no such views. */
int64_t map_transposed(Emitter *e, Shape space, int lane_axis, LLVMValueRef first,
                       LLVMValueRef last);
int64_t kernel_reduce(Emitter *e, LLVMValueRef first, LLVMValueRef last);
int64_t kernel_row(Emitter *e, LLVMValueRef first, LLVMValueRef last);
int64_t kernel_scan(Emitter *e, LLVMValueRef first, LLVMValueRef last);
int64_t kernel_winograd(Emitter *e, LLVMValueRef first, LLVMValueRef last);

#endif
