/* Types, constants and intrinsics. */
#include "codegen/emit/emit.h"

#include <string.h>

/* A bool is a byte in memory and one bit in registers. */
LLVMTypeRef dtype_type(const Emitter *e, DType dtype, bool in_memory) {
    switch (dtype) {
    case DTYPE_F32: return e->f32;
    case DTYPE_I32: return e->i32;
    case DTYPE_U8:
    case DTYPE_I8: return e->i8;
    default: return in_memory ? e->i8 : e->i1;
    }
}

LLVMTypeRef lanes_of(LLVMTypeRef type) { return LLVMVectorType(type, LANES); }
LLVMValueRef const_i64(const Emitter *e, int64_t value) {
    return LLVMConstInt(e->i64, (unsigned long long)value, true);
}
LLVMValueRef const_i32(const Emitter *e, int32_t value) {
    return LLVMConstInt(e->i32, (unsigned long long)value, true);
}

LLVMValueRef value_splat(Emitter *e, LaneValue value) {
    if (!value.uniform) return value.value;
    LLVMTypeRef type = lanes_of(LLVMTypeOf(value.value));
    LLVMValueRef one =
        LLVMBuildInsertElement(e->builder, LLVMGetPoison(type), value.value, const_i32(e, 0), "");
    return LLVMBuildShuffleVector(e->builder, one, LLVMGetPoison(type),
                                  LLVMConstNull(lanes_of(e->i32)), "");
}

LLVMValueRef lane_numbers(const Emitter *e) {
    LLVMValueRef numbers[LANES];
    for (int i = 0; i < LANES; i++) numbers[i] = const_i64(e, i);
    return LLVMConstVector(numbers, LANES);
}

LLVMValueRef lanes_from(Emitter *e, LLVMValueRef a, LLVMValueRef b, int first, int count) {
    LLVMValueRef lanes[2 * LANES];
    for (int i = 0; i < count; i++) lanes[i] = const_i32(e, first + i);
    return LLVMBuildShuffleVector(e->builder, a, b, LLVMConstVector(lanes, (unsigned)count), "");
}

LLVMValueRef call_intrinsic(Emitter *e, const char *name, LLVMTypeRef *types, unsigned type_count,
                            LLVMValueRef *args, unsigned count) {
    unsigned id = LLVMLookupIntrinsicID(name, strlen(name));
    LLVMValueRef function = LLVMGetIntrinsicDeclaration(e->module, id, types, type_count);
    LLVMTypeRef type = LLVMIntrinsicGetType(e->context, id, types, type_count);
    return LLVMBuildCall2(e->builder, type, function, args, count, "");
}

LLVMValueRef call_assembly(Emitter *e, LLVMTypeRef result, const char *text,
                           const char *constraints, LLVMValueRef *args, unsigned count) {
    LLVMTypeRef types[MAX_ASSEMBLY_OPERANDS];
    for (unsigned i = 0; i < count; i++) types[i] = LLVMTypeOf(args[i]);
    LLVMTypeRef type = LLVMFunctionType(result, types, count, false);
    LLVMValueRef assembly =
        LLVMGetInlineAsm(type, text, strlen(text), constraints, strlen(constraints), true, false,
                         LLVMInlineAsmDialectATT, false);
    return LLVMBuildCall2(e->builder, type, assembly, args, count, "");
}
