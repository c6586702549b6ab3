/* Matrix products on a GPU. A unit is an element of the product:
 *
 *     sum = 0
 *     for k ascending: sum = fma(left[row, k], right[k, column], sum)
 *     compute the epilogue of sum + 0, store
 *
 * The + 0 makes a 0 of -0, as the numerics contract demands. Sums of bytes are whole numbers:
 * sum = sum + left * right. Neighbouring threads have neighbouring columns. */
#include "codegen/cuda/cuda.h"
#include "codegen/matmul/element_product.h"

static void add_step(Emitter *e, const ElementProduct *p, const ProductElement *at,
                     const FactorStep *step, LLVMValueRef slot) {
    LLVMValueRef left = factor_element(e, &p->left, at->matrix, at->row, step),
                 right = factor_element(e, &p->right, at->matrix, at->column, step);
    store(e, product_accumulate(e, p, left, right, load(e, p->sum, slot)), slot);
}

/* The loops over k, one inside of the other. Axes of size 1 have none. */
static LLVMValueRef emit_sum(Emitter *e, const ElementProduct *p, const ProductElement *at) {
    LLVMValueRef slot = stack_slot(e, p->sum, sizeof(float)), zero = const_i64(e, 0);
    Loop loops[K_AXES];
    FactorStep step = {.k = zero};
    store(e, LLVMConstNull(p->sum), slot);
    for (int i = 0; i < K_AXES; i++) {
        bool single = p->k_size[i] == 1;
        if (!single) loops[i] = loop_begin(e, zero);
        step.part[i] = single ? zero : loops[i].index;
        step.k = add(e, times(e, step.k, p->k_size[i]), step.part[i]);
    }
    add_step(e, p, at, &step, slot);
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
