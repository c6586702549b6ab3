/* Long sums in blocks, whose sums a binary tree adds: the rule of the numerics contract. The blocks
 * come one after the other, as in a binary counter: level l holds the sum of 2^l blocks if bit l of
 * their number so far is set. */
#ifndef MLC_CODEGEN_KERNELS_BLOCK_TREE_H
#define MLC_CODEGEN_KERNELS_BLOCK_TREE_H

#include "codegen/emit/arithmetic.h"

enum { TREE_SUMS = 4 }; /* at most */
typedef struct {
    LLVMTypeRef type;
    int count; /* sums side by side, each with its own tree */
    LLVMValueRef slots[TREE_SUMS], levels[TREE_SUMS];
} BlockTree;

/* Reserves the sums of the tree: one for each level, for each of `count` sums. */
BlockTree block_tree_new(Emitter *e, LLVMTypeRef type, const LLVMValueRef *slots, int count,
                         int64_t blocks);
/* Adds the sum of block number `block`, which the slot holds:
 *     full = how many ones the number ends in: levels 0 .. full - 1 are occupied
 *     for l < full: slot = level[l] + slot
 *     level[full] = slot */
void block_tree_take(Emitter *e, const BlockTree *tree, LLVMValueRef block);
/* slot = the sum of the occupied levels, from the lowest up. */
void block_tree_finish(Emitter *e, const BlockTree *tree, int64_t blocks);

#endif
