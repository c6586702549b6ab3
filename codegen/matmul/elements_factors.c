/* The factors of a product by single elements: pointers to their elements. */
#include "codegen/matmul/elements.h"

/* If the elements of a window's row lie one after the other in the image, they are one axis. */
static void merge_window_row(const Emitter *e, ElementProduct *p) {
    if (!p->left.windows || p->left.line_axis == 2) return;
    WindowsImage image = windows_image(e->graph, p->left.windows);
    int64_t step = image.pixel * p->left.windows->attrs.window.dilation[1];
    if (step != p->k_size[2] * image.channel) return;
    p->k_size[2] *= p->k_size[1];
    p->k_size[1] = 1;
}

ElementProduct elements_product(const Emitter *e) {
    ElementProduct p = product_of(e);
    merge_window_row(e, &p);
    return p;
}

/* Element (line, k) of a matrix that is stored in row-major order. */
static LLVMValueRef plain_pointer(Emitter *e, const Factor *factor, LLVMValueRef matrix,
                                  LLVMValueRef line, LLVMValueRef k) {
    LLVMValueRef row = factor->line_axis == 1 ? line : k,
                 column = factor->line_axis == 1 ? k : line;
    row = add(e, times(e, matrix, factor->matrix.dim[1]), row);
    return factor_address(e, factor, add(e, times(e, row, factor->matrix.dim[2]), column));
}

/* -- pointers that advance with k -- */

bool elements_advance_along(const Factor *factor) {
    return factor->windows || factor->storage.layout.kind == LAYOUT_PLAIN;
}

int64_t elements_k_step(const Emitter *e, const DividedProduct *p, const Factor *factor) {
    if (factor == &p->product.right && p->panels) return p->wide;
    if (!factor->windows) return factor->line_axis == 1 ? 1 : factor->matrix.dim[2];
    WindowsImage image = windows_image(e->graph, factor->windows);
    return factor->line_axis == 1 ? image.channel
                                  : image.pixel * factor->windows->attrs.window.stride[1];
}

int64_t elements_column_step(const DividedProduct *p) {
    return p->panels || p->product.right.line_axis == 2 ? 1 : p->product.right.matrix.dim[2];
}

LLVMValueRef elements_slot(Emitter *e, LLVMValueRef pointer) {
    LLVMValueRef slot = stack_slot(e, e->pointer, sizeof(int32_t));
    store(e, pointer, slot);
    return slot;
}

void elements_set_pointers(Emitter *e, const DividedProduct *p, ElementUnit *unit,
                           const FactorStep *step) {
    for (int i = 0; i < p->high && elements_advance_along(&p->product.left); i++) {
        LLVMValueRef row = plus(e, unit->rows.at, i);
        unit->left[i] =
            elements_slot(e, p->product.left.windows
                                 ? window_address(e, &p->product.left, unit->matrix, row, step)
                                 : plain_pointer(e, &p->product.left, unit->matrix, row, step->k));
    }
    if (p->panels) {
        LLVMValueRef offset = add(e, unit->panel, times(e, step->k, p->wide));
        unit->right = elements_slot(e, factor_address(e, &p->product.right, offset));
    } else if (elements_advance_along(&p->product.right))
        unit->right = elements_slot(
            e, plain_pointer(e, &p->product.right, unit->matrix, unit->columns.at, step->k));
}

/* The element `elements` after the one that a slot points to. */
static LLVMValueRef element_after(Emitter *e, const Factor *factor, LLVMValueRef slot,
                                  int64_t elements) {
    LLVMValueRef pointer = load(e, e->pointer, slot);
    return factor_load(
        e, factor, element_pointer(e, pointer, factor_dtype(e, factor), const_i64(e, elements)));
}

void elements_advance_slot(Emitter *e, const Factor *factor, LLVMValueRef slot, int64_t elements) {
    if (!slot || !elements) return;
    LLVMValueRef pointer = load(e, e->pointer, slot);
    store(e, element_pointer(e, pointer, factor_dtype(e, factor), const_i64(e, elements)), slot);
}

void elements_advance(Emitter *e, const DividedProduct *p, const ElementUnit *unit, int64_t steps) {
    for (int i = 0; i < p->high; i++)
        elements_advance_slot(e, &p->product.left, unit->left[i],
                              steps * elements_k_step(e, p, &p->product.left));
    elements_advance_slot(e, &p->product.right, unit->right,
                          steps * elements_k_step(e, p, &p->product.right));
}

LLVMValueRef elements_left(Emitter *e, const DividedProduct *p, const ElementUnit *unit, int row,
                           const FactorStep *step, int64_t later) {
    if (unit->left[row])
        return element_after(e, &p->product.left, unit->left[row],
                             later * elements_k_step(e, p, &p->product.left));
    return factor_element(e, &p->product.left, unit->matrix, plus(e, unit->rows.at, row), step);
}

LLVMValueRef elements_right(Emitter *e, const DividedProduct *p, const ElementUnit *unit,
                            int column, const FactorStep *step, int64_t later) {
    if (unit->right)
        return element_after(e, &p->product.right, unit->right,
                             later * elements_k_step(e, p, &p->product.right) +
                                 column * elements_column_step(p));
    return factor_element(e, &p->product.right, unit->matrix, plus(e, unit->columns.at, column),
                          step);
}
