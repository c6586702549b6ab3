/* Elementwise ops: each is one LLVM instruction or a few, on scalars and on vectors alike. The
 * table of emitters is made from ops.def. An op that is not a primitive has none, as the passes
 * have replaced it. */
#include "codegen/emit/emit.h"

#include <assert.h>

/* The node and its operands, which are all scalars or all vectors. */
typedef struct {
    Emitter *e;
    const Node *node;
    LLVMValueRef in[3];
    bool vector;
} OpCall;

static LLVMBuilderRef builder(const OpCall *call) { return call->e->builder; }
static DType operand_dtype(const OpCall *call) {
    return graph_operand(call->e->graph, call->node, 0)->dtype;
}
static bool is_real(const OpCall *call) { return operand_dtype(call) == DTYPE_F32; }

static LLVMTypeRef result_type(const OpCall *call, DType dtype) {
    LLVMTypeRef type = dtype_type(call->e, dtype, false);
    return call->vector ? lanes_of(type) : type;
}

static LLVMValueRef intrinsic(const OpCall *call, const char *name, unsigned count) {
    LLVMTypeRef type = LLVMTypeOf(call->in[0]);
    LLVMValueRef args[3] = {call->in[0], call->in[1], call->in[2]};
    return call_intrinsic(call->e, name, &type, 1, args, count);
}

static LLVMValueRef constant_like(const OpCall *call, LLVMTypeRef type, int64_t value) {
    LLVMValueRef scalar = LLVMConstInt(type, (unsigned long long)value, false), all[LANES];
    if (!call->vector) return scalar;
    for (int i = 0; i < LANES; i++) all[i] = scalar;
    return LLVMConstVector(all, LANES);
}

static LLVMValueRef real_like(const OpCall *call, double value) {
    return value_splat(call->e, (LaneValue){LLVMConstReal(call->e->f32, value), true});
}

#define ARITHMETIC(name, real, whole)                                                              \
    static LLVMValueRef emit_##name(const OpCall *call) {                                          \
        return is_real(call) ? LLVMBuild##real(builder(call), call->in[0], call->in[1], "")        \
                             : LLVMBuild##whole(builder(call), call->in[0], call->in[1], "");      \
    }
ARITHMETIC(add, FAdd, Add)
ARITHMETIC(sub, FSub, Sub)
ARITHMETIC(mul, FMul, Mul)

static LLVMValueRef emit_div(const OpCall *call) {
    return LLVMBuildFDiv(builder(call), call->in[0], call->in[1], "");
}
static LLVMValueRef emit_fma(const OpCall *call) {
    return emit_fused(call->e, call->in[0], call->in[1], call->in[2]);
}
static LLVMValueRef emit_neg(const OpCall *call) {
    return is_real(call) ? LLVMBuildFNeg(builder(call), call->in[0], "")
                         : LLVMBuildNeg(builder(call), call->in[0], "");
}
static LLVMValueRef emit_abs(const OpCall *call) { return intrinsic(call, "llvm.fabs", 1); }
static LLVMValueRef emit_sqrt(const OpCall *call) { return intrinsic(call, "llvm.sqrt", 1); }
static LLVMValueRef emit_floor(const OpCall *call) { return intrinsic(call, "llvm.floor", 1); }
static LLVMValueRef emit_rint(const OpCall *call) { return intrinsic(call, "llvm.roundeven", 1); }
/* max(x, 0) of one element. LLVM takes 25 instructions for it on a processor without an instruction
 * for it, as it does not use that the zero is +0. */
static LLVMValueRef emit_positive(Emitter *e, LLVMValueRef x, LLVMValueRef zero) {
    LLVMValueRef above = LLVMBuildFCmp(e->builder, LLVMRealOGT, x, zero, ""),
                 ordered = LLVMBuildFCmp(e->builder, LLVMRealORD, x, zero, ""),
                 nan = LLVMConstBitCast(const_i32(e, 0x7fc00000), e->f32);
    LLVMValueRef positive = LLVMBuildSelect(e->builder, above, x, zero, "");
    return LLVMBuildSelect(e->builder, ordered, positive, nan, "");
}

static LLVMValueRef emit_max(const OpCall *call) {
    const LLVMValueRef *in = call->in;
    bool has_instruction = call->e->threads || !call->e->no_vectors;
    if (!has_instruction && LLVMTypeOf(in[0]) == call->e->f32 && LLVMIsNull(in[1]))
        return emit_positive(call->e, in[0], in[1]);
    return intrinsic(call, is_real(call) ? "llvm.maximum" : "llvm.smax", 2);
}
static LLVMValueRef emit_min(const OpCall *call) {
    return intrinsic(call, is_real(call) ? "llvm.minimum" : "llvm.smin", 2);
}

/* Comparisons with a NaN are false, except `ne`. u8 and bool compare unsigned. */
static LLVMValueRef compare(const OpCall *call, LLVMRealPredicate real, LLVMIntPredicate whole,
                            LLVMIntPredicate bytes) {
    if (is_real(call)) return LLVMBuildFCmp(builder(call), real, call->in[0], call->in[1], "");
    return LLVMBuildICmp(builder(call), operand_dtype(call) == DTYPE_I32 ? whole : bytes,
                         call->in[0], call->in[1], "");
}
static LLVMValueRef emit_lt(const OpCall *call) {
    return compare(call, LLVMRealOLT, LLVMIntSLT, LLVMIntULT);
}
static LLVMValueRef emit_le(const OpCall *call) {
    return compare(call, LLVMRealOLE, LLVMIntSLE, LLVMIntULE);
}
static LLVMValueRef emit_eq(const OpCall *call) {
    return compare(call, LLVMRealOEQ, LLVMIntEQ, LLVMIntEQ);
}
static LLVMValueRef emit_ne(const OpCall *call) {
    return compare(call, LLVMRealUNE, LLVMIntNE, LLVMIntNE);
}

static LLVMValueRef emit_and(const OpCall *call) {
    return LLVMBuildAnd(builder(call), call->in[0], call->in[1], "");
}
static LLVMValueRef emit_or(const OpCall *call) {
    return LLVMBuildOr(builder(call), call->in[0], call->in[1], "");
}
static LLVMValueRef emit_xor(const OpCall *call) {
    return LLVMBuildXor(builder(call), call->in[0], call->in[1], "");
}
static LLVMValueRef emit_not(const OpCall *call) {
    return LLVMBuildNot(builder(call), call->in[0], "");
}

static LLVMValueRef shift_amount(const OpCall *call) {
    return LLVMBuildAnd(builder(call), call->in[1], constant_like(call, call->e->i32, 31), "");
}
static LLVMValueRef emit_shl(const OpCall *call) {
    return LLVMBuildShl(builder(call), call->in[0], shift_amount(call), "");
}
static LLVMValueRef emit_shr(const OpCall *call) {
    return LLVMBuildLShr(builder(call), call->in[0], shift_amount(call), "");
}
/* The upper half of the 64-bit product. */
static LLVMValueRef emit_mul_high(const OpCall *call) {
    LLVMTypeRef wide = call->vector ? lanes_of(call->e->i64) : call->e->i64;
    LLVMValueRef a = LLVMBuildZExt(builder(call), call->in[0], wide, ""),
                 b = LLVMBuildZExt(builder(call), call->in[1], wide, "");
    LLVMValueRef product = LLVMBuildMul(builder(call), a, b, "");
    LLVMValueRef upper =
        LLVMBuildLShr(builder(call), product, constant_like(call, call->e->i64, 32), "");
    return LLVMBuildTrunc(builder(call), upper, LLVMTypeOf(call->in[0]), "");
}
/* c of emit_scale if it is the same known number in all lanes; else -1. */
static int64_t known_shift(const OpCall *call) {
    LLVMValueRef shift = call->in[2];
    if (!LLVMIsConstant(shift)) return -1;
    LLVMValueRef first = LLVMGetAggregateElement(shift, 0);
    for (unsigned i = 1; i < LANES; i++)
        if (LLVMGetAggregateElement(shift, i) != first) return -1;
    return LLVMIsAConstantInt(first) ? (int64_t)LLVMConstIntGetZExtValue(first) & 31 : -1;
}

/* x86 multiplies the even lanes of i32 to i64; the odd ones are moved there. As s > 31, a result is
 * the upper half of a sum, shifted on, and results of even and odd lanes are put together again. */
static LLVMValueRef scale_by_even_lanes(const OpCall *call, int64_t c) {
    enum { PAIRS = LANES / 2 };
    Emitter *e = call->e;
    LLVMBuilderRef b = builder(call);
    LLVMTypeRef wide = LLVMVectorType(e->i64, PAIRS);
    LLVMValueRef bits = LLVMConstNull(wide), half = LLVMConstNull(wide), upper[2], lanes[LANES];
    for (int i = 0; i < PAIRS; i++) {
        LLVMValueRef at = const_i32(e, i);
        bits = LLVMBuildInsertElement(b, bits, const_i64(e, 32), at, "");
        half = LLVMBuildInsertElement(b, half, const_i64(e, INT64_C(1) << (30 + c)), at, "");
    }
    for (int odd = 0; odd < 2; odd++) {
        LLVMValueRef in[2];
        for (int i = 0; i < 2; i++) {
            in[i] = LLVMBuildBitCast(b, call->in[i], wide, "");
            if (!odd) in[i] = LLVMBuildShl(b, in[i], bits, "");
            in[i] = LLVMBuildAShr(b, in[i], bits, "");
        }
        LLVMValueRef sum = LLVMBuildAdd(b, LLVMBuildMul(b, in[0], in[1], ""), half, "");
        upper[odd] = LLVMBuildAShr(b, LLVMBuildBitCast(b, sum, lanes_of(e->i32), ""),
                                   constant_like(call, e->i32, c - 1), "");
    }
    for (int l = 0; l < LANES; l++) lanes[l] = const_i32(e, (l | 1) + (l % 2 ? LANES : 0));
    return LLVMBuildShuffleVector(b, upper[0], upper[1], LLVMConstVector(lanes, LANES), "");
}

/* (a b + 2^(s - 1)) >> s for s = 31 + c, in 64 bits */
static LLVMValueRef emit_scale(const OpCall *call) {
    int64_t known = call->vector && call->e->x86 ? known_shift(call) : -1;
    if (known > 0) return scale_by_even_lanes(call, known);
    LLVMTypeRef wide = call->vector ? lanes_of(call->e->i64) : call->e->i64;
    LLVMValueRef in[3];
    for (int i = 0; i < 3; i++)
        in[i] = i < 2 ? LLVMBuildSExt(builder(call), call->in[i], wide, "")
                      : LLVMBuildZExt(builder(call),
                                      LLVMBuildAnd(builder(call), call->in[2],
                                                   constant_like(call, call->e->i32, 31), ""),
                                      wide, "");
    LLVMValueRef half = LLVMBuildShl(builder(call), constant_like(call, call->e->i64, 1 << 30),
                                     in[2], ""),
                 shift =
                     LLVMBuildAdd(builder(call), in[2], constant_like(call, call->e->i64, 31), "");
    LLVMValueRef sum =
        LLVMBuildAdd(builder(call), LLVMBuildMul(builder(call), in[0], in[1], ""), half, "");
    return LLVMBuildTrunc(builder(call), LLVMBuildAShr(builder(call), sum, shift, ""),
                          LLVMTypeOf(call->in[0]), "");
}
static LLVMValueRef emit_select(const OpCall *call) {
    return LLVMBuildSelect(builder(call), call->in[0], call->in[1], call->in[2], "");
}

/* An integer as a byte saturates: clamp to the byte's range, then truncate. */
static LLVMValueRef narrow_to_byte(const OpCall *call, LLVMValueRef value) {
    DType to = call->node->dtype;
    LLVMTypeRef type = LLVMTypeOf(value);
    LLVMValueRef low[] = {value, constant_like(call, call->e->i32, to == DTYPE_U8 ? 0 : INT8_MIN)};
    LLVMValueRef high[] = {call_intrinsic(call->e, "llvm.smax", &type, 1, low, 2),
                           constant_like(call, call->e->i32, to == DTYPE_U8 ? 255 : INT8_MAX)};
    return LLVMBuildTrunc(builder(call), call_intrinsic(call->e, "llvm.smin", &type, 1, high, 2),
                          result_type(call, to), "");
}

/* A byte or bool as i32. */
static LLVMValueRef widen(const OpCall *call, LLVMTypeRef type) {
    return operand_dtype(call) == DTYPE_I8 ? LLVMBuildSExt(builder(call), call->in[0], type, "")
                                           : LLVMBuildZExt(builder(call), call->in[0], type, "");
}

/* An f32 as a whole number, which saturates; NaN is 0. Few processors make vectors of bytes so. */
static LLVMValueRef whole_number(const OpCall *call, DType to) {
    const char *name = to == DTYPE_U8 ? "llvm.fptoui.sat" : "llvm.fptosi.sat";
    LLVMTypeRef types[] = {result_type(call, to), LLVMTypeOf(call->in[0])};
    LLVMValueRef arg = call->in[0];
    return call_intrinsic(call->e, name, types, 2, &arg, 1);
}

/* The same for a vector of x86:
 *
 *     x = x > low ? x : low, and 0 if it is NaN       low, high: limits that are exact in f32
 *     byte = truncate(x < high ? x : high)
 *     i32 = x < 2^31 ? truncate(x) : INT32_MAX
 *
 * LLVM 19 would compute it lane by lane. */
static LLVMValueRef lanes_of_whole(const OpCall *call) {
    DType to = call->node->dtype;
    LLVMBuilderRef b = builder(call);
    LLVMValueRef x = call->in[0], zero = real_like(call, 0),
                 low = real_like(call, to == DTYPE_U8   ? 0
                                       : to == DTYPE_I8 ? INT8_MIN
                                                        : -0x1p31),
                 high = real_like(call, to == DTYPE_U8   ? 255
                                        : to == DTYPE_I8 ? INT8_MAX
                                                         : 0x1p31);
    if (to != DTYPE_U8) /* of U8, `low` replaces NaN as well */
        x = LLVMBuildSelect(b, LLVMBuildFCmp(b, LLVMRealORD, x, x, ""), x, zero, "");
    x = LLVMBuildSelect(b, LLVMBuildFCmp(b, LLVMRealOGT, x, low, ""), x, low, "");
    LLVMValueRef below = LLVMBuildFCmp(b, LLVMRealOLT, x, high, "");
    LLVMValueRef inside = LLVMBuildSelect(b, below, x, to == DTYPE_I32 ? zero : high, "");
    LLVMValueRef whole = LLVMBuildFPToSI(b, inside, result_type(call, DTYPE_I32), "");
    if (to != DTYPE_I32) return LLVMBuildTrunc(b, whole, result_type(call, to), "");
    return LLVMBuildSelect(b, below, whole, constant_like(call, call->e->i32, INT32_MAX), "");
}

static LLVMValueRef emit_convert(const OpCall *call) {
    DType from = operand_dtype(call), to = call->node->dtype;
    LLVMTypeRef type = result_type(call, to);
    if (from == to) return call->in[0];
    if (to == DTYPE_BOOL) {
        LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(call->in[0]));
        return is_real(call) ? LLVMBuildFCmp(builder(call), LLVMRealUNE, call->in[0], zero, "")
                             : LLVMBuildICmp(builder(call), LLVMIntNE, call->in[0], zero, "");
    }
    if (to == DTYPE_F32)
        return from == DTYPE_I32 || from == DTYPE_I8
                   ? LLVMBuildSIToFP(builder(call), call->in[0], type, "")
                   : LLVMBuildUIToFP(builder(call), call->in[0], type, "");
    if (from == DTYPE_F32) {
        if (!call->vector) return whole_number(call, to);
        if (call->e->x86) return lanes_of_whole(call);
        LLVMValueRef whole = whole_number(call, DTYPE_I32);
        return to == DTYPE_I32 ? whole : narrow_to_byte(call, whole);
    }
    if (from == DTYPE_I32) return narrow_to_byte(call, call->in[0]);
    bool signs_differ =
        (from == DTYPE_U8 && to == DTYPE_I8) || (from == DTYPE_I8 && to == DTYPE_U8);
    return signs_differ ? narrow_to_byte(call, widen(call, result_type(call, DTYPE_I32)))
                        : widen(call, type);
}

static LLVMValueRef emit_bitcast(const OpCall *call) {
    return LLVMBuildBitCast(builder(call), call->in[0], result_type(call, call->node->dtype), "");
}

/* EMITTER(name, none) is emit_<name>; EMITTER(name, expansion) is NULL: functions are expanded
 * before code is generated. */
#define EXPANSION_none ~,
#define SECOND_(a, b, ...) b
#define SECOND(...) SECOND_(__VA_ARGS__)
#define EMITTER(name, expand) SECOND(EXPANSION_##expand emit_##name, NULL, ~)

static LLVMValueRef (*const emitters[OP_COUNT])(const OpCall *) = {
#define OP_ELEMENTWISE(name, arity, rule, gradient, expand, steps, zero, doc)                      \
    [OP_##name] = EMITTER(name, expand),
#include "ir/ops/ops.def"
};

LaneValue emit_elementwise(Emitter *e, const Node *node, const LaneValue *operands) {
    OpCall call = {.e = e, .node = node};
    for (uint32_t i = 0; i < node->operand_count; i++) call.vector |= !operands[i].uniform;
    for (uint32_t i = 0; i < node->operand_count; i++)
        call.in[i] = call.vector ? value_splat(e, operands[i]) : operands[i].value;
    assert(emitters[node->op] && "only primitives reach code generation");
    return (LaneValue){emitters[node->op](&call), !call.vector};
}
