/* Elementwise ops: one LLVM instruction or a few each, on scalars and on vectors alike. The table is made from ops.def; an
 * op that is not a primitive has no emitter, because the passes rewrote it. */
#include "codegen/emit/emit.h"

#include <assert.h>

/* The operands, all scalars or all vectors, and the node. */
typedef struct {
    Emitter *e;
    const Node *node;
    LLVMValueRef in[3];
    bool vector;
} Call;

static LLVMBuilderRef builder(const Call *call) { return call->e->builder; }
static DType operand_dtype(const Call *call) { return graph_operand(call->e->graph, call->node, 0)->dtype; }
static bool is_real(const Call *call) { return operand_dtype(call) == DTYPE_F32; }

static LLVMTypeRef result_type(const Call *call, DType dtype) {
    LLVMTypeRef type = dtype_type(call->e, dtype, false);
    return call->vector ? lanes_of(type) : type;
}

static LLVMValueRef intrinsic(const Call *call, const char *name, unsigned count) {
    LLVMTypeRef type = LLVMTypeOf(call->in[0]);
    LLVMValueRef args[3] = {call->in[0], call->in[1], call->in[2]};
    return call_intrinsic(call->e, name, &type, 1, args, count);
}

static LLVMValueRef constant_like(const Call *call, LLVMTypeRef type, int64_t value) {
    LLVMValueRef scalar = LLVMConstInt(type, (unsigned long long)value, false), all[LANES];
    if (!call->vector) return scalar;
    for (int i = 0; i < LANES; i++) all[i] = scalar;
    return LLVMConstVector(all, LANES);
}

#define ARITHMETIC(name, real, whole)                                                                                          \
    static LLVMValueRef emit_##name(const Call *call) {                                                                        \
        return is_real(call) ? LLVMBuild##real(builder(call), call->in[0], call->in[1], "")                                    \
                             : LLVMBuild##whole(builder(call), call->in[0], call->in[1], "");                                  \
    }
ARITHMETIC(add, FAdd, Add)
ARITHMETIC(sub, FSub, Sub)
ARITHMETIC(mul, FMul, Mul)

static LLVMValueRef emit_div(const Call *call) { return LLVMBuildFDiv(builder(call), call->in[0], call->in[1], ""); }
static LLVMValueRef emit_fma(const Call *call) { return intrinsic(call, "llvm.fma", 3); }
static LLVMValueRef emit_neg(const Call *call) {
    return is_real(call) ? LLVMBuildFNeg(builder(call), call->in[0], "") : LLVMBuildNeg(builder(call), call->in[0], "");
}
static LLVMValueRef emit_abs(const Call *call) { return intrinsic(call, "llvm.fabs", 1); }
static LLVMValueRef emit_sqrt(const Call *call) { return intrinsic(call, "llvm.sqrt", 1); }
static LLVMValueRef emit_floor(const Call *call) { return intrinsic(call, "llvm.floor", 1); }
static LLVMValueRef emit_rint(const Call *call) { return intrinsic(call, "llvm.roundeven", 1); }
static LLVMValueRef emit_max(const Call *call) { return intrinsic(call, is_real(call) ? "llvm.maximum" : "llvm.smax", 2); }
static LLVMValueRef emit_min(const Call *call) { return intrinsic(call, is_real(call) ? "llvm.minimum" : "llvm.smin", 2); }

/* Ordered comparisons, but `ne`, which holds for a NaN. u8 and bool compare unsigned. */
static LLVMValueRef compare(const Call *call, LLVMRealPredicate real, LLVMIntPredicate whole, LLVMIntPredicate bytes) {
    if (is_real(call)) return LLVMBuildFCmp(builder(call), real, call->in[0], call->in[1], "");
    return LLVMBuildICmp(builder(call), operand_dtype(call) == DTYPE_I32 ? whole : bytes, call->in[0], call->in[1], "");
}
static LLVMValueRef emit_lt(const Call *call) { return compare(call, LLVMRealOLT, LLVMIntSLT, LLVMIntULT); }
static LLVMValueRef emit_le(const Call *call) { return compare(call, LLVMRealOLE, LLVMIntSLE, LLVMIntULE); }
static LLVMValueRef emit_eq(const Call *call) { return compare(call, LLVMRealOEQ, LLVMIntEQ, LLVMIntEQ); }
static LLVMValueRef emit_ne(const Call *call) { return compare(call, LLVMRealUNE, LLVMIntNE, LLVMIntNE); }

static LLVMValueRef emit_and(const Call *call) { return LLVMBuildAnd(builder(call), call->in[0], call->in[1], ""); }
static LLVMValueRef emit_or(const Call *call) { return LLVMBuildOr(builder(call), call->in[0], call->in[1], ""); }
static LLVMValueRef emit_xor(const Call *call) { return LLVMBuildXor(builder(call), call->in[0], call->in[1], ""); }
static LLVMValueRef emit_not(const Call *call) { return LLVMBuildNot(builder(call), call->in[0], ""); }

static LLVMValueRef shift_amount(const Call *call) {
    return LLVMBuildAnd(builder(call), call->in[1], constant_like(call, call->e->i32, 31), "");
}
static LLVMValueRef emit_shl(const Call *call) { return LLVMBuildShl(builder(call), call->in[0], shift_amount(call), ""); }
static LLVMValueRef emit_shr(const Call *call) { return LLVMBuildLShr(builder(call), call->in[0], shift_amount(call), ""); }
/* The product of two numbers extended to 64 bits, of which the upper half is kept. */
static LLVMValueRef emit_mul_high(const Call *call) {
    LLVMTypeRef wide = call->vector ? lanes_of(call->e->i64) : call->e->i64;
    LLVMValueRef a = LLVMBuildZExt(builder(call), call->in[0], wide, ""),
                 b = LLVMBuildZExt(builder(call), call->in[1], wide, "");
    LLVMValueRef product = LLVMBuildMul(builder(call), a, b, "");
    LLVMValueRef upper = LLVMBuildLShr(builder(call), product, constant_like(call, call->e->i64, 32), "");
    return LLVMBuildTrunc(builder(call), upper, LLVMTypeOf(call->in[0]), "");
}
static LLVMValueRef emit_select(const Call *call) {
    return LLVMBuildSelect(builder(call), call->in[0], call->in[1], call->in[2], "");
}

static LLVMValueRef saturating(const Call *call, const char *name, DType to) {
    LLVMTypeRef types[] = {result_type(call, to), LLVMTypeOf(call->in[0])};
    LLVMValueRef arg = call->in[0];
    return call_intrinsic(call->e, name, types, 2, &arg, 1);
}

static LLVMValueRef convert_to_bool(const Call *call) {
    LLVMValueRef zero = LLVMConstNull(LLVMTypeOf(call->in[0]));
    return is_real(call) ? LLVMBuildFCmp(builder(call), LLVMRealUNE, call->in[0], zero, "")
                         : LLVMBuildICmp(builder(call), LLVMIntNE, call->in[0], zero, "");
}

/* i32 to u8 saturates: clamp, then cut */
static LLVMValueRef narrow_to_u8(const Call *call) {
    LLVMTypeRef type = LLVMTypeOf(call->in[0]);
    LLVMValueRef low[] = {call->in[0], LLVMConstNull(type)};
    LLVMValueRef high[] = {call_intrinsic(call->e, "llvm.smax", &type, 1, low, 2), constant_like(call, call->e->i32, 255)};
    return LLVMBuildTrunc(builder(call), call_intrinsic(call->e, "llvm.smin", &type, 1, high, 2), result_type(call, DTYPE_U8),
                          "");
}

static LLVMValueRef emit_convert(const Call *call) {
    DType from = operand_dtype(call), to = call->node->dtype;
    LLVMTypeRef type = result_type(call, to);
    if (from == to) return call->in[0];
    if (to == DTYPE_BOOL) return convert_to_bool(call);
    if (to == DTYPE_F32)
        return from == DTYPE_I32 ? LLVMBuildSIToFP(builder(call), call->in[0], type, "")
                                 : LLVMBuildUIToFP(builder(call), call->in[0], type, "");
    if (from == DTYPE_F32) return saturating(call, to == DTYPE_I32 ? "llvm.fptosi.sat" : "llvm.fptoui.sat", to);
    if (to == DTYPE_U8 && from == DTYPE_I32) return narrow_to_u8(call);
    return LLVMBuildZExt(builder(call), call->in[0], type, "");
}

static LLVMValueRef emit_bitcast(const Call *call) {
    return LLVMBuildBitCast(builder(call), call->in[0], result_type(call, call->node->dtype), "");
}

/* emit_<name> of a primitive, whose expansion is `none`; NULL of a function: functions are gone before code is generated. */
#define EXPANSION_none ~,
#define SECOND_(a, b, ...) b
#define SECOND(...) SECOND_(__VA_ARGS__)
#define EMITTER(name, expand) SECOND(EXPANSION_##expand emit_##name, NULL, ~)

static LLVMValueRef (*const emitters[OP_COUNT])(const Call *) = {
#define OP_ELEMENTWISE(name, arity, rule, gradient, expand, doc) [OP_##name] = EMITTER(name, expand),
#include "ir/ops/ops.def"
};

Value emit_elementwise(Emitter *e, const Node *node, const Value *operands) {
    Call call = {.e = e, .node = node};
    for (uint32_t i = 0; i < node->operand_count; i++) call.vector |= !operands[i].uniform;
    for (uint32_t i = 0; i < node->operand_count; i++)
        call.in[i] = call.vector ? value_splat(e, operands[i]) : operands[i].value;
    assert(emitters[node->op] && "only primitives reach code generation");
    return (Value){emitters[node->op](&call), !call.vector};
}
