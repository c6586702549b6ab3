/* Counted loops, branches and stack slots of the emitted code. */
#include "codegen/emit/arithmetic.h"

#include <llvm-c/DebugInfo.h> /* temporary notes */

LLVMValueRef stack_slot(Emitter *e, LLVMTypeRef type, unsigned alignment) {
    if (e->shipped && LLVMGetTypeKind(type) == LLVMArrayTypeKind) return shipped_slot(e, type);
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

Loop loop_begin(Emitter *e, LLVMValueRef from) {
    from = short_operand(e, from);
    Loop loop = {.before = LLVMGetInsertBlock(e->builder)};
    loop.body = LLVMAppendBasicBlockInContext(e->context, e->function, "loop");
    LLVMBuildBr(e->builder, loop.body);
    LLVMPositionBuilderAtEnd(e->builder, loop.body);
    loop.counter = LLVMBuildPhi(e->builder, LLVMTypeOf(from), "");
    LLVMAddIncoming(loop.counter, &from, &loop.before, 1);
    loop.index = LLVMTypeOf(from) == e->i64 ? loop.counter
                                            : LLVMBuildSExt(e->builder, loop.counter, e->i64, "");
    return loop;
}

/* Ends the loop, and returns the branch back to its body. */
static LLVMValueRef branch_back(Emitter *e, Loop loop, LLVMValueRef to, int64_t step) {
    LLVMValueRef next = add(e, loop.counter, short_operand(e, const_i64(e, step)));
    LLVMValueRef more = lt(e, next, short_operand(e, to));
    LLVMBasicBlockRef end = LLVMGetInsertBlock(e->builder);
    loop.exit = LLVMAppendBasicBlockInContext(e->context, e->function, "done");
    LLVMValueRef branch = LLVMBuildCondBr(e->builder, more, loop.body, loop.exit);
    LLVMAddIncoming(loop.counter, &next, &end, 1);
    LLVMPositionBuilderAtEnd(e->builder, loop.exit);
    return branch;
}

void loop_end(Emitter *e, Loop loop, LLVMValueRef to, int64_t step) {
    branch_back(e, loop, to, step);
}

/* LLVM's note "llvm.loop" begins with itself, so that no two loops share one. */
void loop_end_unrolled(Emitter *e, Loop loop, LLVMValueRef to, int64_t step, int count) {
    static const char name[] = "llvm.loop.unroll.count", kind[] = "llvm.loop";
    LLVMValueRef branch = branch_back(e, loop, to, step);
    LLVMMetadataRef self = LLVMTemporaryMDNode(e->context, NULL, 0);
    LLVMMetadataRef parts[] = {LLVMMDStringInContext2(e->context, name, sizeof name - 1),
                               LLVMValueAsMetadata(const_i32(e, count))};
    LLVMMetadataRef note = LLVMMDNodeInContext2(
        e->context, (LLVMMetadataRef[]){self, LLVMMDNodeInContext2(e->context, parts, 2)}, 2);
    LLVMMetadataReplaceAllUsesWith(self, note);
    LLVMSetMetadata(branch, LLVMGetMDKindIDInContext(e->context, kind, sizeof kind - 1),
                    LLVMMetadataAsValue(e->context, note));
}

Loop units_begin(Emitter *e, LLVMValueRef first) {
    return e->threads ? (Loop){.index = first} : loop_begin(e, first);
}

void units_end(Emitter *e, Loop loop, LLVMValueRef last) {
    if (!e->threads) loop_end(e, loop, last, 1);
}

SegmentLoop segments_begin(Emitter *e, LLVMValueRef from, LLVMValueRef to, int64_t size) {
    LLVMValueRef last = over(e, sub(e, to, const_i64(e, 1)), size);
    SegmentLoop segments = {.end = plus(e, last, 1)};
    segments.loop = loop_begin(e, over(e, from, size));
    segments.start = times(e, segments.loop.index, size);
    LLVMValueRef stop = plus(e, segments.start, size);
    segments.from = max(e, from, segments.start);
    segments.to = min(e, to, stop);
    return segments;
}

void segments_end(Emitter *e, SegmentLoop segments) { loop_end(e, segments.loop, segments.end, 1); }

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

Fork fork_begin(Emitter *e, LLVMValueRef condition) {
    LLVMBasicBlockRef then = LLVMAppendBasicBlockInContext(e->context, e->function, "then");
    Fork branch = {LLVMAppendBasicBlockInContext(e->context, e->function, "else"),
                   LLVMAppendBasicBlockInContext(e->context, e->function, "after")};
    LLVMBuildCondBr(e->builder, condition, then, branch.otherwise);
    LLVMPositionBuilderAtEnd(e->builder, then);
    return branch;
}

void fork_else(Emitter *e, Fork branch) {
    LLVMBuildBr(e->builder, branch.after);
    LLVMPositionBuilderAtEnd(e->builder, branch.otherwise);
}

void fork_end(Emitter *e, Fork branch) {
    LLVMBuildBr(e->builder, branch.after);
    LLVMPositionBuilderAtEnd(e->builder, branch.after);
}
