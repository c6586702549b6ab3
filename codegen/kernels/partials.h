/* Partial results of sums and largest elements, one for each lane. Internal to codegen/kernels. */
#ifndef MLC_CODEGEN_KERNELS_PARTIALS_H
#define MLC_CODEGEN_KERNELS_PARTIALS_H

#include "codegen/emit/arithmetic.h"

/* lanes: a vector of LANES partial results, not a single one. */
LLVMTypeRef partial_type(const Emitter *e, Op op, bool lanes);
LLVMValueRef partial_start(const Emitter *e, Op op, bool lanes);
/* What an element contributes: itself to a sum, its key to the largest. */
LLVMValueRef partial_key(Emitter *e, Op op, LLVMValueRef value, bool lanes);
LLVMValueRef partial_combine(Emitter *e, Op op, LLVMValueRef a, LLVMValueRef b);
/* for width = 8, 4, 2, 1: lane l = lane l combined with lane l + width; then lane 0. On a GPU, the
 * LANES threads of a row exchange their values, and all get that of lane 0. */
LLVMValueRef partial_of_lanes(Emitter *e, Op op, LLVMValueRef vector);
/* The value of the reduction. */
LaneValue partial_result(Emitter *e, Op op, LLVMValueRef partial, bool lanes);

#endif
