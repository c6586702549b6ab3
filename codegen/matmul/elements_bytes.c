/* Four k of bytes at a time, on processors with SMLAD: sum + a.low * b.low + a.high * b.high, where
 * a and b are words of two i16.
 *
 * A word has four bytes of the left factor, at k .. k + 3, or of the right factor, of four columns
 * at one k. Instructions widen bytes 0 and 2 of a word to two i16, or bytes 1 and 3. So k is added
 * together with k + 2, and k + 1 with k + 3; sums of whole numbers do not depend on the order. */
#include "codegen/matmul/elements.h"

enum { FOUR = 4 };

/* The bytes of a word as i16: 0 and 2, 1 and 3. */
typedef struct {
    LLVMValueRef half[2];
} Widened;

bool elements_have_fours(const Emitter *e, const DividedProduct *p, const ElementUnit *unit) {
    return e->cortex_m && p->product.sum != e->f32 && p->high == 1 && p->wide == FOUR &&
           unit->left[0] && unit->right && elements_k_step(e, p, &p->product.left) == 1 &&
           elements_column_step(p) == 1 && p->product.k_size[K_AXES - 1] >= FOUR;
}

/* The four bytes that begin `bytes` after the one that a slot points to. */
static Widened widened_word(Emitter *e, const Factor *factor, LLVMValueRef slot, int64_t bytes) {
    LLVMValueRef pointer = load(e, e->pointer, slot), offset = const_i64(e, bytes);
    LLVMValueRef word = load(e, e->i32, LLVMBuildGEP2(e->builder, e->i8, pointer, &offset, 1, ""));
    LLVMSetAlignment(word, 1);
    bool has_sign = graph_node(e->graph, factor->node)->dtype == DTYPE_I8;
    const char *widen = has_sign ? "llvm.arm.sxtb16" : "llvm.arm.uxtb16";
    LLVMValueRef rotation[] = {word, word, const_i32(e, 8)};
    LLVMValueRef rotated = call_intrinsic(e, "llvm.fshr", &e->i32, 1, rotation, 3);
    return (Widened){{call_intrinsic(e, widen, NULL, 0, &word, 1),
                      call_intrinsic(e, widen, NULL, 0, &rotated, 1)}};
}

/* The low halves of two words, or the high ones, as one word. */
static LLVMValueRef join(Emitter *e, bool high, LLVMValueRef a, LLVMValueRef b) {
    LLVMValueRef sixteen = const_i32(e, 16);
    if (high)
        return bit_or(e, LLVMBuildLShr(e->builder, a, sixteen, ""),
                      bit_and(e, b, const_i32(e, (int32_t)0xffff0000)));
    return bit_or(e, bit_and(e, a, const_i32(e, 0xffff)), LLVMBuildShl(e->builder, b, sixteen, ""));
}

void elements_add_four(Emitter *e, const DividedProduct *p, const ElementUnit *unit) {
    Widened left = widened_word(e, &p->product.left, unit->left[0], 0), right[FOUR];
    for (int i = 0; i < FOUR; i++)
        right[i] = widened_word(e, &p->product.right, unit->right,
                                i * elements_k_step(e, p, &p->product.right));
    for (int column = 0; column < FOUR; column++) {
        LLVMValueRef sum = load(e, e->i32, unit->slots[0][column]);
        for (int i = 0; i < 2; i++) {
            LLVMValueRef pair =
                join(e, column >= 2, right[i].half[column % 2], right[i + 2].half[column % 2]);
            LLVMValueRef args[] = {left.half[i], pair, sum};
            sum = call_intrinsic(e, "llvm.arm.smlad", NULL, 0, args, 3);
        }
        store(e, sum, unit->slots[0][column]);
    }
}
