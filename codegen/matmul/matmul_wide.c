/* Products whose multiply-adds are emulated in double (codegen/emit/fused.c). A tile is one row by
 * one vector:
 *
 *     once for each panel of columns:  wide[k] = the columns at k, as double
 *     for each row:                    sums, as double
 *         for each k of the row's list:
 *             sum = (float)(element * wide[k] + sum)     LANES of them, in pairs
 *
 * Columns and sums become double once, not at every step. A tile of one row skips every zero of its
 * row. If one of the sums may have been rounded wrongly, which happens once in 2^29, all steps are
 * added once more, by emit_fused. Bound: a pair takes a load, a multiplication, an addition and two
 * conversions, and two pairs share four instructions that find such sums: 56 instructions for LANES
 * multiply-adds. */
#include "codegen/matmul/matmul.h"

/* A pair of the copy at k. */
static LLVMValueRef pair_at(Emitter *e, LLVMValueRef copy, LLVMValueRef k, int pair) {
    LLVMValueRef at = plus(e, times(e, k, WIDE_PAIRS), pair);
    return LLVMBuildGEP2(e->builder, wide_pair_type(e), copy, &at, 1, "");
}

void wide_reserve(Emitter *e, Matmul *m) {
    LLVMTypeRef pair = wide_pair_type(e);
    if (!m->blocking.wide) return;
    m->wide_columns =
        stack_slot(e, LLVMArrayType(pair, (unsigned)(m->blocking.k_block * WIDE_PAIRS)), 64);
    m->wide_tiny = stack_slot(e, e->i1, 1);
    m->wide_found = stack_slot(e, wide_found_type(e), 16);
    m->wide_again = stack_slot(e, e->i1, 1);
    for (int i = 0; i < WIDE_PAIRS; i++) m->wide_sums[i] = stack_slot(e, pair, 16);
}

/* for each k: copy[k] = the columns; tiny = one of them is */
static void pack(Emitter *e, const Matmul *m, const Operands *from, Steps steps) {
    store(e, LLVMConstInt(e->i1, 0, false), m->wide_tiny);
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef columns = operands_columns(e, from, 0, add(e, steps.from, loop.index));
    Wide wide = wide_of(e, columns);
    for (int i = 0; i < WIDE_PAIRS; i++)
        store(e, wide.pair[i], pair_at(e, m->wide_columns, loop.index, i));
    LLVMValueRef before = load(e, e->i1, m->wide_tiny);
    store(e, bit_or(e, before, fused_tiny(e, columns)), m->wide_tiny);
    loop_end(e, loop, steps.count, 1);
}

void wide_pack(Emitter *e, Matmul *m, PackPlan plan, Steps steps, Operands *operands) {
    If packing = if_begin(e, plan.new_columns);
    pack(e, m, operands, steps);
    if_end(e, packing);
    LLVMValueRef before = LLVMBuildNeg(e->builder, steps.from, "");
    operands->wide = pair_at(e, m->wide_columns, before, 0);
    operands->tiny = load(e, e->i1, m->wide_tiny);
}

static Wide load_wide(Emitter *e, const Matmul *m) {
    Wide sums;
    for (int i = 0; i < WIDE_PAIRS; i++) sums.pair[i] = load(e, wide_pair_type(e), m->wide_sums[i]);
    return sums;
}

static void store_wide(Emitter *e, const Matmul *m, Wide sums) {
    for (int i = 0; i < WIDE_PAIRS; i++) store(e, sums.pair[i], m->wide_sums[i]);
}

If wide_begin(Emitter *e, const Operands *operands) {
    const Matmul *m = operands->m;
    store(e, operands->tiny, m->wide_again);
    If fast = if_begin(e, bit_not(e, operands->tiny));
    store(e, LLVMConstNull(wide_found_type(e)), m->wide_found);
    store_wide(e, m, wide_of(e, load(e, lanes_of(e->f32), m->sums[0][0])));
    return fast;
}

LLVMValueRef wide_end(Emitter *e, const Operands *operands, If fast) {
    const Matmul *m = operands->m;
    Wide sums = load_wide(e, m);
    LLVMValueRef found = load(e, wide_found_type(e), m->wide_found);
    LLVMValueRef again = bit_or(e, load(e, e->i1, m->wide_again), wide_has_found(e, found));
    store(e, again, m->wide_again);
    If right = if_begin(e, bit_not(e, again));
    store(e, wide_narrowed(e, &sums), m->sums[0][0]);
    if_end(e, right);
    if_end(e, fast);
    return load(e, e->i1, m->wide_again);
}

void wide_add(Emitter *e, const Step *step) {
    const Operands *operands = step->operands;
    const Matmul *m = operands->m;
    Wide columns, sums = load_wide(e, m);
    LLVMValueRef x = operands_row_element(e, operands, 0, step_offset(e, step)),
                 found = load(e, wide_found_type(e), m->wide_found);
    for (int i = 0; i < WIDE_PAIRS; i++)
        columns.pair[i] = load(e, wide_pair_type(e), pair_at(e, operands->wide, step->k, i));
    store_wide(e, m, fused_wide(e, x, &columns, &sums, &found));
    store(e, found, m->wide_found);
    LLVMValueRef again = load(e, e->i1, m->wide_again);
    store(e, bit_or(e, again, fused_tiny_number(e, x)), m->wide_again);
}
