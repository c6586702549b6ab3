/* Leaving out zeros: most bytes of the data are 0, and a term 0 * w changes no bit of a sum while w is finite (a sum never ends
 * as -0). Every thread lists, for every block of rows, the k where any row is not zero; a tile visits only those. If any of its
 * columns is not finite it visits all, so that 0 * infinity is the NaN it has to be. */
#include "codegen/matmul.h"

static LLVMValueRef slot_at(Emitter *e, LLVMTypeRef type, LLVMValueRef slots, LLVMValueRef number) {
    return LLVMBuildGEP2(e->builder, type, slots, &number, 1, "");
}

static LLVMValueRef list_of(Emitter *e, const Matmul *m, LLVMValueRef block) {
    return slot_at(e, e->i32, m->lists, LLVMBuildMul(e->builder, block, const_i64(e, m->k), ""));
}

/* A NaN is not zero. */
static LLVMValueRef any_row(Emitter *e, const Matmul *m, const Operands *operands, LLVMValueRef k) {
    LLVMValueRef offset = product_k_offset(e, &m->rows, k), any = LLVMConstInt(e->i1, 0, false);
    for (int64_t r = 0; r < m->tile_rows; r++) {
        LLVMValueRef element = product_row_element(e, operands, r, offset);
        LLVMValueRef is_some = LLVMBuildFCmp(e->builder, LLVMRealUNE, element, LLVMConstNull(e->f32), "");
        any = LLVMBuildOr(e->builder, any, is_some, "");
    }
    return any;
}

/* Every k is written; the end moves on only behind those that count. */
static void list_block(Emitter *e, const Matmul *m, LLVMValueRef block) {
    Operands operands = {.m = m};
    LLVMValueRef length = stack_slot(e, e->i64, sizeof(int64_t)), list = list_of(e, m, block);
    product_find_rows(e, m, LLVMBuildMul(e->builder, block, const_i64(e, m->tile_rows), ""), &operands);
    LLVMBuildStore(e->builder, const_i64(e, 0), length);
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef end = LLVMBuildLoad2(e->builder, e->i64, length, "");
    LLVMBuildStore(e->builder, LLVMBuildTrunc(e->builder, loop.index, e->i32, ""), slot_at(e, e->i32, list, end));
    LLVMValueRef some = LLVMBuildZExt(e->builder, any_row(e, m, &operands, loop.index), e->i64, "");
    LLVMBuildStore(e->builder, LLVMBuildAdd(e->builder, end, some, ""), length);
    loop_end(e, loop, const_i64(e, m->k), 1);
    LLVMBuildStore(e->builder, LLVMBuildLoad2(e->builder, e->i64, length, ""), slot_at(e, e->i64, m->counts, block));
}

/* Behind the lists of the blocks: all k. */
static void list_all(Emitter *e, const Matmul *m) {
    LLVMValueRef list = list_of(e, m, const_i64(e, m->row_blocks));
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMBuildStore(e->builder, LLVMBuildTrunc(e->builder, loop.index, e->i32, ""), slot_at(e, e->i32, list, loop.index));
    loop_end(e, loop, const_i64(e, m->k), 1);
}

void zeros_list(Emitter *e, Matmul *m) {
    if (!e->kernel->skips_zeros || m->batch > 1) return;
    m->lists = stack_slot(e, LLVMArrayType(e->i32, (unsigned)((m->row_blocks + 1) * m->k)), sizeof(int32_t));
    m->counts = stack_slot(e, LLVMArrayType(e->i64, (unsigned)m->row_blocks), sizeof(int64_t));
    m->finite = stack_slot(e, e->i1, 1);
    m->rows.base = storage_base(e, m->rows.storage);
    list_all(e, m);
    Loop blocks = loop_begin(e, const_i64(e, 0));
    list_block(e, m, blocks.index);
    loop_end(e, blocks, const_i64(e, m->row_blocks), 1);
}

/* A sum of elements times 0 is 0 if all are finite, else NaN. */
static LLVMValueRef are_finite(Emitter *e, const Operands *operands) {
    const Matmul *m = operands->m;
    LLVMTypeRef type = lanes_of(e->f32);
    LLVMValueRef zero = LLVMConstNull(type), slot = stack_slot(e, type, sizeof(float) * LANES);
    LLVMBuildStore(e->builder, zero, slot);
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef sum = LLVMBuildLoad2(e->builder, type, slot, "");
    for (int v = 0; v < m->vectors; v++) {
        LLVMValueRef product = LLVMBuildFMul(e->builder, product_columns(e, operands, v, loop.index), zero, "");
        sum = LLVMBuildFAdd(e->builder, sum, product, "");
    }
    LLVMBuildStore(e->builder, sum, slot);
    loop_end(e, loop, const_i64(e, m->k), 1);
    sum = LLVMBuildLoad2(e->builder, type, slot, "");
    LLVMValueRef numbers = LLVMBuildFCmp(e->builder, LLVMRealORD, sum, sum, "");
    LLVMTypeRef lanes = lanes_of(e->i1);
    return call_intrinsic(e, "llvm.vector.reduce.and", &lanes, 1, &numbers, 1);
}

void zeros_choose(Emitter *e, const Matmul *m, const Tile *tile, LLVMValueRef fresh, Operands *operands) {
    If looking = if_begin(e, fresh);
    LLVMBuildStore(e->builder, are_finite(e, operands), m->finite);
    if_end(e, looking);
    LLVMValueRef finite = LLVMBuildLoad2(e->builder, e->i1, m->finite, "");
    LLVMValueRef own = LLVMBuildUDiv(e->builder, tile->row, const_i64(e, m->tile_rows), "");
    LLVMValueRef block = LLVMBuildSelect(e->builder, finite, own, const_i64(e, m->row_blocks), "");
    LLVMValueRef count = LLVMBuildLoad2(e->builder, e->i64, slot_at(e, e->i64, m->counts, own), "");
    operands->list = list_of(e, m, block);
    operands->count = LLVMBuildSelect(e->builder, finite, count, const_i64(e, m->k), "");
}
