/* Partial results of reductions: sums, or the largest key. A key is an i32 in the order of the
 * values, with -0 below +0 and NaN above all: comparing keys takes one instruction, a sixth of the
 * time of comparing floats. */
#include "codegen/kernels/partials.h"

#include <stdio.h>

static LLVMValueRef in_lanes(LLVMValueRef scalar, bool lanes) {
    LLVMValueRef all[LANES];
    for (int i = 0; i < LANES; i++) all[i] = scalar;
    return lanes ? LLVMConstVector(all, LANES) : scalar;
}

LLVMTypeRef partial_type(const Emitter *e, Op op, bool lanes) {
    LLVMTypeRef type = op == OP_sum ? e->f32 : e->i32;
    return lanes ? lanes_of(type) : type;
}

LLVMValueRef partial_start(const Emitter *e, Op op, bool lanes) {
    return in_lanes(op == OP_sum ? LLVMConstReal(e->f32, 0) : const_i32(e, INT32_MIN), lanes);
}

LLVMValueRef partial_combine(Emitter *e, Op op, LLVMValueRef a, LLVMValueRef b) {
    if (op == OP_sum) return fadd(e, a, b);
    return max(e, a, b);
}

/* From the bits of a float to its key and back: if the sign is set, all other bits are inverted. */
static LLVMValueRef flip_negative(Emitter *e, LLVMValueRef bits, bool lanes) {
    LLVMValueRef signs = LLVMBuildAShr(e->builder, bits, in_lanes(const_i32(e, 31), lanes), "");
    LLVMValueRef others = LLVMBuildLShr(e->builder, signs, in_lanes(const_i32(e, 1), lanes), "");
    return LLVMBuildXor(e->builder, bits, others, "");
}

LLVMValueRef partial_key(Emitter *e, Op op, LLVMValueRef value, bool lanes) {
    enum { NAN_KEY = 0x7fc00000 };
    if (op == OP_sum) return value;
    LLVMValueRef key = flip_negative(
        e, LLVMBuildBitCast(e->builder, value, partial_type(e, op, lanes), ""), lanes);
    LLVMValueRef nan = LLVMBuildFCmp(e->builder, LLVMRealUNO, value, value, "");
    return choose(e, nan, in_lanes(const_i32(e, NAN_KEY), lanes), key);
}

LaneValue partial_result(Emitter *e, Op op, LLVMValueRef partial, bool lanes) {
    if (op == OP_sum) return (LaneValue){partial, !lanes};
    LLVMValueRef bits = flip_negative(e, partial, lanes);
    return (LaneValue){LLVMBuildBitCast(e->builder, bits, lanes ? lanes_of(e->f32) : e->f32, ""),
                       !lanes};
}

/* The value of another thread in the same LANES: `down` further, or that of thread 0. All threads
 * of a warp take part. The last operand divides the warp into segments of LANES threads, and names
 * the last lane that can be read. */
static LLVMValueRef of_thread(Emitter *e, LLVMValueRef value, unsigned down) {
    enum { WARP = 32, SEGMENTS = (WARP - LANES) << 8 | (WARP - 1) };
    char name[40];
    LLVMValueRef args[] = {const_i32(e, -1), value, const_i32(e, (int32_t)down),
                           const_i32(e, SEGMENTS)};
    snprintf(name, sizeof name, "llvm.nvvm.shfl.sync.%s.%s", down ? "down" : "idx",
             LLVMTypeOf(value) == e->f32 ? "f32" : "i32");
    return call_intrinsic(e, name, NULL, 0, args, 4);
}

/* for width = 8, 4, 2, 1: lane l = lane l combined with lane l + width */
LLVMValueRef partial_of_lanes(Emitter *e, Op op, LLVMValueRef vector) {
    for (unsigned width = LANES / 2; e->threads && width >= 1; width /= 2)
        vector = partial_combine(e, op, vector, of_thread(e, vector, width));
    if (e->threads) return of_thread(e, vector, 0);
    for (unsigned width = LANES / 2; width >= 1; width /= 2) {
        LLVMValueRef low[LANES], high[LANES];
        for (unsigned i = 0; i < width; i++)
            low[i] = const_i32(e, (int32_t)i), high[i] = const_i32(e, (int32_t)(i + width));
        LLVMValueRef none = LLVMGetPoison(LLVMTypeOf(vector));
        LLVMValueRef a =
            LLVMBuildShuffleVector(e->builder, vector, none, LLVMConstVector(low, width), "");
        LLVMValueRef b =
            LLVMBuildShuffleVector(e->builder, vector, none, LLVMConstVector(high, width), "");
        vector = partial_combine(e, op, a, b);
    }
    return LLVMBuildExtractElement(e->builder, vector, const_i32(e, 0), "");
}
