/* Short names for the instructions of index arithmetic: `add(e, a, b)` emits a + b. With them, code
 * that emits a loop reads like the loop. Integers are i64 unless an operand has another type or is
 * a vector. Quotients are unsigned, as indices and sizes are never negative. */
#ifndef MLC_CODEGEN_EMIT_ARITHMETIC_H
#define MLC_CODEGEN_EMIT_ARITHMETIC_H

#include "codegen/emit/emit.h"
#include "ir/base/integers.h"

/* An operand of index arithmetic. If all indices fit into 32 bits, and the processor takes several
 * instructions for 64, only the lower 32 take part. */
static inline LLVMValueRef short_operand(Emitter *e, LLVMValueRef a) {
    bool is_index = e->short_indices && LLVMTypeOf(a) == e->i64;
    return is_index ? LLVMBuildTrunc(e->builder, a, e->i32, "") : a;
}
static inline LLVMValueRef long_result(Emitter *e, LLVMValueRef like, LLVMValueRef result) {
    bool is_index = e->short_indices && LLVMTypeOf(like) == e->i64;
    return is_index ? LLVMBuildSExt(e->builder, result, e->i64, "") : result;
}

#define MLC_INDEX(name, build)                                                                     \
    static inline LLVMValueRef name(Emitter *e, LLVMValueRef a, LLVMValueRef b) {                  \
        LLVMValueRef x = short_operand(e, a), y = short_operand(e, b);                             \
        return long_result(e, a, build(e->builder, x, y, ""));                                     \
    }
MLC_INDEX(add, LLVMBuildAdd)
MLC_INDEX(sub, LLVMBuildSub)
MLC_INDEX(mul, LLVMBuildMul)
#undef MLC_INDEX

#define MLC_BINARY(name, build)                                                                    \
    static inline LLVMValueRef name(Emitter *e, LLVMValueRef a, LLVMValueRef b) {                  \
        return build(e->builder, a, b, "");                                                        \
    }
MLC_BINARY(bit_and, LLVMBuildAnd)
MLC_BINARY(bit_or, LLVMBuildOr)
MLC_BINARY(fadd, LLVMBuildFAdd)
#undef MLC_BINARY

/* Quotients of indices. On targets with 32-bit addresses, indices fit into 32 bits. These
 * processors cannot divide 64-bit numbers, so both operands are truncated first. */
#define MLC_QUOTIENT(name, build)                                                                  \
    static inline LLVMValueRef name(Emitter *e, LLVMValueRef a, LLVMValueRef b) {                  \
        LLVMTypeRef type = LLVMTypeOf(a);                                                          \
        if (!e->narrow || type == e->i32) return build(e->builder, a, b, "");                      \
        LLVMTypeRef half = type == e->i64 ? e->i32 : lanes_of(e->i32);                             \
        LLVMValueRef x = LLVMBuildTrunc(e->builder, a, half, ""),                                  \
                     y = LLVMBuildTrunc(e->builder, b, half, "");                                  \
        return LLVMBuildZExt(e->builder, build(e->builder, x, y, ""), type, "");                   \
    }
MLC_QUOTIENT(udiv, LLVMBuildUDiv)
MLC_QUOTIENT(urem, LLVMBuildURem)
#undef MLC_QUOTIENT

/* Operations with a constant i64: a + n, a * n, a / n, a % n. */
static inline LLVMValueRef plus(Emitter *e, LLVMValueRef a, int64_t n) {
    return add(e, a, const_i64(e, n));
}
static inline LLVMValueRef times(Emitter *e, LLVMValueRef a, int64_t n) {
    return mul(e, a, const_i64(e, n));
}
static inline LLVMValueRef over(Emitter *e, LLVMValueRef a, int64_t n) {
    return udiv(e, a, const_i64(e, n));
}
static inline LLVMValueRef modulo(Emitter *e, LLVMValueRef a, int64_t n) {
    return urem(e, a, const_i64(e, n));
}

typedef struct {
    LLVMValueRef whole, rest;
} Quotient;
static inline Quotient div_mod(Emitter *e, LLVMValueRef a, LLVMValueRef b) {
    return (Quotient){udiv(e, a, b), urem(e, a, b)};
}

#define MLC_COMPARISON(name, predicate)                                                            \
    static inline LLVMValueRef name(Emitter *e, LLVMValueRef a, LLVMValueRef b) {                  \
        LLVMValueRef x = short_operand(e, a), y = short_operand(e, b);                             \
        return LLVMBuildICmp(e->builder, predicate, x, y, "");                                     \
    }
MLC_COMPARISON(lt, LLVMIntSLT)
MLC_COMPARISON(le, LLVMIntSLE)
MLC_COMPARISON(gt, LLVMIntSGT)
MLC_COMPARISON(ge, LLVMIntSGE)
MLC_COMPARISON(ult, LLVMIntULT)
MLC_COMPARISON(eq, LLVMIntEQ)
MLC_COMPARISON(ne, LLVMIntNE)
#undef MLC_COMPARISON

static inline LLVMValueRef bit_not(Emitter *e, LLVMValueRef a) {
    return LLVMBuildNot(e->builder, a, "");
}

/* condition ? yes : no, lane by lane if the condition is a vector. */
static inline LLVMValueRef choose(Emitter *e, LLVMValueRef condition, LLVMValueRef yes,
                                  LLVMValueRef no) {
    return LLVMBuildSelect(e->builder, condition, yes, no, "");
}

static inline LLVMValueRef min(Emitter *e, LLVMValueRef a, LLVMValueRef b) {
    LLVMValueRef args[] = {short_operand(e, a), short_operand(e, b)};
    LLVMTypeRef type = LLVMTypeOf(args[0]);
    return long_result(e, a, call_intrinsic(e, "llvm.smin", &type, 1, args, 2));
}
static inline LLVMValueRef max(Emitter *e, LLVMValueRef a, LLVMValueRef b) {
    LLVMValueRef args[] = {short_operand(e, a), short_operand(e, b)};
    LLVMTypeRef type = LLVMTypeOf(args[0]);
    return long_result(e, a, call_intrinsic(e, "llvm.smax", &type, 1, args, 2));
}

static inline LLVMValueRef load(Emitter *e, LLVMTypeRef type, LLVMValueRef pointer) {
    return LLVMBuildLoad2(e->builder, type, pointer, "");
}
static inline void store(Emitter *e, LLVMValueRef value, LLVMValueRef pointer) {
    LLVMBuildStore(e->builder, value, pointer);
}

#endif
