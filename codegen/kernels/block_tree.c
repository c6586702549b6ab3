/* The code of the binary tree over the sums of blocks. */
#include "codegen/kernels/block_tree.h"

BlockTree block_tree_new(Emitter *e, LLVMTypeRef type, const LLVMValueRef *slots, int count,
                         int64_t blocks) {
    BlockTree tree = {.type = type, .count = count};
    unsigned levels = 64 - (unsigned)__builtin_clzll((unsigned long long)blocks);
    for (int i = 0; i < count; i++) {
        tree.slots[i] = slots[i];
        tree.levels[i] = stack_slot(e, LLVMArrayType2(type, levels), 64);
    }
    return tree;
}

static LLVMValueRef tree_level(Emitter *e, const BlockTree *tree, int i, LLVMValueRef level) {
    return LLVMBuildGEP2(e->builder, tree->type, tree->levels[i], &level, 1, "");
}

/* slot = level + slot */
static void tree_combine(Emitter *e, const BlockTree *tree, LLVMValueRef level) {
    for (int i = 0; i < tree->count; i++) {
        LLVMValueRef before = load(e, tree->type, tree_level(e, tree, i, level));
        LLVMValueRef sum = load(e, tree->type, tree->slots[i]);
        store(e, fadd(e, before, sum), tree->slots[i]);
    }
}

void block_tree_take(Emitter *e, const BlockTree *tree, LLVMValueRef block) {
    LLVMValueRef zero = const_i64(e, 0),
                 count[] = {bit_not(e, block),
                            LLVMConstInt(LLVMInt1TypeInContext(e->context), 0, 0)};
    LLVMValueRef full = call_intrinsic(e, "llvm.cttz", &e->i64, 1, count, 2);
    If some = if_begin(e, ne(e, full, zero));
    Loop loop = loop_begin(e, zero);
    tree_combine(e, tree, loop.index);
    loop_end(e, loop, full, 1);
    if_end(e, some);
    for (int i = 0; i < tree->count; i++) {
        LLVMValueRef sum = load(e, tree->type, tree->slots[i]);
        store(e, sum, tree_level(e, tree, i, full));
    }
}

void block_tree_finish(Emitter *e, const BlockTree *tree, int64_t blocks) {
    int first = __builtin_ctzll((unsigned long long)blocks);
    for (int i = 0; i < tree->count; i++) {
        LLVMValueRef level = tree_level(e, tree, i, const_i64(e, first));
        store(e, load(e, tree->type, level), tree->slots[i]);
    }
    for (int level = first + 1; blocks >> level; level++)
        if (blocks >> level & 1) tree_combine(e, tree, const_i64(e, level));
}
