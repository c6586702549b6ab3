/* Matrix products on a GPU. A unit is an element of the product:
 *
 *     sum = 0
 *     for k ascending: sum = fma(left[row, k], right[k, column], sum)
 *     compute the epilogue of sum + 0, store
 *
 * The + 0 turns -0 into 0, as the numerics contract demands. Sums of bytes are whole numbers:
 * sum = sum + left * right. Neighbouring threads have neighbouring columns. */
#include "codegen/cuda/cuda.h"
#include "codegen/matmul/element_product.h"

static LLVMValueRef emit_sum(Emitter *e, const ElementProduct *p, const ProductElement *at) {
    LLVMValueRef slot = stack_slot(e, p->sum, sizeof(float));
    Loop loops[K_AXES];
    store(e, LLVMConstNull(p->sum), slot);
    FactorStep step = product_begin_loops(e, p, K_AXES, loops);
    LLVMValueRef left = factor_element(e, &p->left, at->matrix, at->row, &step),
                 right = factor_element(e, &p->right, at->matrix, at->column, &step);
    store(e, product_accumulate(e, p, left, right, load(e, p->sum, slot)), slot);
    for (int i = K_AXES; i-- > 0;)
        if (p->k_size[i] > 1) loop_end(e, loops[i], const_i64(e, p->k_size[i]), 1);
    return load(e, p->sum, slot);
}

int64_t cuda_matmul(Emitter *e, LLVMValueRef unit, LLVMValueRef last) {
    (void)last;
    ElementProduct p = product_of(e);
    LLVMValueRef row = over(e, unit, p.columns);
    ProductElement at = {.matrix = over(e, row, p.rows),
                         .row = modulo(e, row, p.rows),
                         .column = modulo(e, unit, p.columns)};
    product_store(e, &p, &at, emit_sum(e, &p, &at));
    return p.batch * p.rows * p.columns;
}
