/* Loads of neighbouring f32 by one instruction, on processors with VLDM: it fills registers with
 * neighbouring numbers, and advances the pointer behind what it has read. LLVM makes one of several
 * loads only where their values happen to lie in such registers. Here the registers are named; LLVM
 * chooses all others around them. */
#include "codegen/matmul/elements.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { MAX_RUN = 16 };

/* Emits an instruction that loads `count` numbers and, if `moves`, advances its pointer. */
static void emit_load(Emitter *e, const char *text, const char *constraints, LLVMTypeRef number,
                      int count, bool moves, LLVMValueRef slot, LLVMValueRef *values) {
    LLVMTypeRef types[MAX_RUN + 1];
    for (int i = 0; i < count; i++) types[i] = number;
    types[count] = e->pointer;
    LLVMTypeRef results =
        LLVMStructTypeInContext(e->context, types, (unsigned)(count + moves), false);
    LLVMValueRef pointer = load(e, e->pointer, slot);
    LLVMValueRef loaded = call_assembly(e, results, text, constraints, &pointer, 1);
    for (int i = 0; i < count; i++)
        values[i] = LLVMBuildExtractValue(e->builder, loaded, (unsigned)i, "");
    if (moves) store(e, LLVMBuildExtractValue(e->builder, loaded, (unsigned)count, ""), slot);
}

/* Loads `count` f32 into registers from s`first` on, and advances the slot of the pointer. */
static void load_run(Emitter *e, LLVMValueRef slot, int first, int count, LLVMValueRef *values) {
    char text[64], constraints[16 * MAX_RUN];
    size_t length = 0;
    snprintf(text, sizeof text, "vldmia $%d!, {s%d-s%d}", count, first, first + count - 1);
    for (int i = 0; i < count; i++)
        length += (size_t)sprintf(constraints + length, "={s%d},", first + i);
    sprintf(constraints + length, "=r,%d,~{memory}", count);
    emit_load(e, text, constraints, e->f32, count, true, slot, values);
}

/* LDRD: any two registers. */
void elements_load_pair(Emitter *e, LLVMValueRef slot, int64_t offset, int64_t advance,
                        LLVMValueRef words[2]) {
    char text[64];
    if (advance)
        snprintf(text, sizeof text, "ldrd $0, $1, [$2], #%" PRId64, advance);
    else
        snprintf(text, sizeof text, "ldrd $0, $1, [$2, #%" PRId64 "]", offset);
    emit_load(e, text, advance ? "=r,=r,=r,2,~{memory}" : "=r,=r,r,~{memory}", e->i32, 2,
              advance != 0, slot, words);
}

bool elements_have_runs(const Emitter *e, const DividedProduct *p, const ElementUnit *unit) {
    return e->cortex_m && p->product.sum == e->f32 && p->wide > 1 && unit->left[0] && unit->right &&
           elements_column_step(p) == 1;
}

/* Registers: columns of the right factor from s0 on, rows of the left one from s8 on. */
void elements_right_run(Emitter *e, const DividedProduct *p, const ElementUnit *unit,
                        LLVMValueRef right[PLAN_COLUMNS]) {
    load_run(e, unit->right, 0, p->wide, right);
    elements_advance_slot(e, &p->product.right, unit->right,
                          elements_k_step(e, p, &p->product.right) - p->wide);
}

void elements_left_run(Emitter *e, const DividedProduct *p, const ElementUnit *unit, int row,
                       int count, LLVMValueRef left[MAX_TURN]) {
    int64_t step = elements_k_step(e, p, &p->product.left);
    if (step == 1 && count > 1) {
        load_run(e, unit->left[row], PLAN_COLUMNS + row * count, count, left);
        return;
    }
    for (int i = 0; i < count; i++) {
        left[i] = elements_left(e, p, unit, row, NULL, 0);
        elements_advance_slot(e, &p->product.left, unit->left[row], step);
    }
}
