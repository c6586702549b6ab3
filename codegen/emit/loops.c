/* Counted loops, branches and stack slots. */
#include "codegen/emit/emit.h"

LLVMValueRef stack_slot(Emitter *e, LLVMTypeRef type, unsigned alignment) {
    LLVMBasicBlockRef here = LLVMGetInsertBlock(e->builder);
    LLVMValueRef first = LLVMGetFirstInstruction(e->entry);
    if (first)
        LLVMPositionBuilderBefore(e->builder, first);
    else
        LLVMPositionBuilderAtEnd(e->builder, e->entry);
    LLVMValueRef slot = LLVMBuildAlloca(e->builder, type, "");
    LLVMSetAlignment(slot, alignment);
    LLVMPositionBuilderAtEnd(e->builder, here);
    return slot;
}

/* The body runs at least once: callers know that from < to or guard the loop. */
Loop loop_begin(Emitter *e, LLVMValueRef from) {
    Loop loop = {.before = LLVMGetInsertBlock(e->builder)};
    loop.body = LLVMAppendBasicBlockInContext(e->context, e->function, "loop");
    LLVMBuildBr(e->builder, loop.body);
    LLVMPositionBuilderAtEnd(e->builder, loop.body);
    loop.index = LLVMBuildPhi(e->builder, e->i64, "");
    LLVMAddIncoming(loop.index, &from, &loop.before, 1);
    return loop;
}

void loop_end(Emitter *e, Loop loop, LLVMValueRef to, int64_t step) {
    LLVMValueRef next = LLVMBuildAdd(e->builder, loop.index, const_i64(e, step), "");
    LLVMValueRef more = LLVMBuildICmp(e->builder, LLVMIntSLT, next, to, "");
    LLVMBasicBlockRef end = LLVMGetInsertBlock(e->builder);
    loop.exit = LLVMAppendBasicBlockInContext(e->context, e->function, "done");
    LLVMBuildCondBr(e->builder, more, loop.body, loop.exit);
    LLVMAddIncoming(loop.index, &next, &end, 1);
    LLVMPositionBuilderAtEnd(e->builder, loop.exit);
}

Runs runs_begin(Emitter *e, LLVMValueRef from, LLVMValueRef to, int64_t size) {
    LLVMValueRef one = const_i64(e, 1), length = const_i64(e, size);
    LLVMValueRef last = LLVMBuildUDiv(e->builder, LLVMBuildSub(e->builder, to, one, ""), length, "");
    Runs runs = {.end = LLVMBuildAdd(e->builder, last, one, "")};
    runs.loop = loop_begin(e, LLVMBuildUDiv(e->builder, from, length, ""));
    runs.start = LLVMBuildMul(e->builder, runs.loop.index, length, "");
    LLVMValueRef low[] = {from, runs.start}, high[] = {to, LLVMBuildAdd(e->builder, runs.start, length, "")};
    runs.from = call_intrinsic(e, "llvm.smax", &e->i64, 1, low, 2);
    runs.to = call_intrinsic(e, "llvm.smin", &e->i64, 1, high, 2);
    return runs;
}

void runs_end(Emitter *e, Runs runs) { loop_end(e, runs.loop, runs.end, 1); }

If if_begin(Emitter *e, LLVMValueRef condition) {
    if (!condition) return (If){NULL};
    LLVMBasicBlockRef then = LLVMAppendBasicBlockInContext(e->context, e->function, "then");
    If branch = {LLVMAppendBasicBlockInContext(e->context, e->function, "after")};
    LLVMBuildCondBr(e->builder, condition, then, branch.after);
    LLVMPositionBuilderAtEnd(e->builder, then);
    return branch;
}

void if_end(Emitter *e, If branch) {
    if (!branch.after) return;
    LLVMBuildBr(e->builder, branch.after);
    LLVMPositionBuilderAtEnd(e->builder, branch.after);
}
