/* The factors of a product by single elements: where their elements lie. */
#include "codegen/matmul/elements.h"

/* -- the product -- */

static ElementFactor factor_of(const Emitter *e, uint32_t operand, bool transposed) {
    const Kernel *kernel = e->kernel;
    Shape stored = graph_operand(e->graph, graph_node(e->graph, kernel->root), operand)->shape;
    int64_t rows = stored.dim[stored.rank - 2], columns = stored.dim[stored.rank - 1];
    ElementFactor factor = {
        .node = kernel_operand(e->plan, kernel, operand),
        .storage = operand ? kernel->product.right : kernel->product.left,
        .matrix = {.rank = 3, .dim = {shape_elements(stored) / (rows * columns), rows, columns}},
        .line_axis = (operand == 0) == transposed ? 2 : 1};
    if (operand == 0 && kernel->product.windows)
        factor.windows = graph_node(e->graph, kernel->product.windows);
    return factor;
}

/* The sizes of the axes that number windows (axis 0: images of one matrix), or of a window. */
static void window_sizes(const ElementFactor *factor, bool of_window, int64_t size[K_AXES]) {
    for (int i = 0; i < K_AXES; i++) size[i] = factor->windows->shape.dim[of_window * K_AXES + i];
    if (!of_window) size[0] /= factor->matrix.dim[0];
}

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
    const Node *node = graph_node(e->graph, e->kernel->root);
    ElementProduct p = {.left = factor_of(e, 0, node->attrs.matmul.transpose_a),
                        .right = factor_of(e, 1, node->attrs.matmul.transpose_b),
                        .sum = dtype_type(e, node->dtype, false)};
    p.rows = p.left.matrix.dim[p.left.line_axis];
    p.columns = p.right.matrix.dim[p.right.line_axis];
    p.batch = shape_elements(node->shape) / (p.rows * p.columns);
    p.k_size[0] = p.k_size[1] = 1;
    p.k_size[2] = p.left.matrix.dim[3 - p.left.line_axis];
    if (p.left.windows) window_sizes(&p.left, p.left.line_axis == 1, p.k_size);
    merge_window_row(e, &p);
    return p;
}

/* -- elements of factors -- */

/* line = the index along three axes, in row-major order */
static void split_line(Emitter *e, LLVMValueRef line, const int64_t size[K_AXES],
                       LLVMValueRef part[K_AXES]) {
    part[2] = modulo(e, line, size[2]);
    line = over(e, line, size[2]);
    part[1] = modulo(e, line, size[1]);
    part[0] = over(e, line, size[1]);
}

static DType factor_dtype(const Emitter *e, const ElementFactor *factor) {
    return graph_node(e->graph, factor->node)->dtype;
}

static LLVMValueRef pointer_at(Emitter *e, const ElementFactor *factor, LLVMValueRef offset) {
    LLVMValueRef base = storage_base(e, factor->storage);
    return element_pointer(e, base, factor_dtype(e, factor), offset);
}

/* Element (line, k) of a matrix of windows, as an element of the image: the row in the image is
 * stride * row of the window + dilation * row inside of it, and likewise the column. */
static LLVMValueRef window_pointer(Emitter *e, const ElementFactor *factor, LLVMValueRef matrix,
                                   LLVMValueRef line, const ElementStep *step) {
    bool lines_are_windows = factor->line_axis == 1;
    int64_t size[K_AXES];
    LLVMValueRef part[K_AXES];
    window_sizes(factor, !lines_are_windows, size);
    split_line(e, line, size, part);
    const LLVMValueRef *place = lines_are_windows ? part : step->part,
                       *inside = lines_are_windows ? step->part : part;
    WindowsImage image = windows_image(e->graph, factor->windows);
    const Window *window = &factor->windows->attrs.window;
    int64_t images = factor->windows->shape.dim[0] / factor->matrix.dim[0];
    LLVMValueRef number = add(e, times(e, matrix, images), place[0]),
                 row = add(e, times(e, place[1], window->stride[0]),
                           times(e, inside[0], window->dilation[0])),
                 column = add(e, times(e, place[2], window->stride[1]),
                              times(e, inside[1], window->dilation[1]));
    LLVMValueRef offset =
        add(e, add(e, times(e, number, image.image), times(e, row, image.row)),
            add(e, times(e, column, image.pixel), times(e, inside[2], image.channel)));
    return pointer_at(e, factor, offset);
}

/* Element (line, k) of a matrix that is stored in row-major order. */
static LLVMValueRef plain_pointer(Emitter *e, const ElementFactor *factor, LLVMValueRef matrix,
                                  LLVMValueRef line, LLVMValueRef k) {
    LLVMValueRef row = factor->line_axis == 1 ? line : k,
                 column = factor->line_axis == 1 ? k : line;
    row = add(e, times(e, matrix, factor->matrix.dim[1]), row);
    return pointer_at(e, factor, add(e, times(e, row, factor->matrix.dim[2]), column));
}

static LLVMValueRef matrix_element(Emitter *e, const ElementFactor *factor, LLVMValueRef matrix,
                                   LLVMValueRef line, LLVMValueRef k) {
    Place *place = place_new(e, factor->matrix, NULL);
    place->axis[0] = coordinate_uniform(matrix);
    place->axis[factor->line_axis] = coordinate_uniform(line);
    place->axis[3 - factor->line_axis] = coordinate_uniform(k);
    return load_at(e, factor->node, factor->storage, place).value;
}

/* A byte as i32. */
static LLVMValueRef widened(Emitter *e, const ElementFactor *factor, LLVMValueRef element) {
    DType dtype = factor_dtype(e, factor);
    if (dtype == DTYPE_F32) return element;
    return dtype == DTYPE_I8 ? LLVMBuildSExt(e->builder, element, e->i32, "")
                             : LLVMBuildZExt(e->builder, element, e->i32, "");
}

/* The element at a pointer; a byte as i32. */
static LLVMValueRef load_element(Emitter *e, const ElementFactor *factor, LLVMValueRef pointer) {
    return widened(e, factor, load(e, dtype_type(e, factor_dtype(e, factor), true), pointer));
}

/* Element (line, k) of a factor. */
static LLVMValueRef factor_element(Emitter *e, const ElementFactor *factor, LLVMValueRef matrix,
                                   LLVMValueRef line, const ElementStep *step) {
    if (factor->windows)
        return load_element(e, factor, window_pointer(e, factor, matrix, line, step));
    return widened(e, factor, matrix_element(e, factor, matrix, line, step->k));
}

/* -- pointers that advance with k -- */

static bool advances(const ElementFactor *factor) {
    return factor->windows || factor->storage.layout.kind == LAYOUT_PLAIN;
}

int64_t elements_k_step(const Emitter *e, const ElementProduct *p, const ElementFactor *factor) {
    if (factor == &p->right && p->panels) return p->wide;
    if (!factor->windows) return factor->line_axis == 1 ? 1 : factor->matrix.dim[2];
    WindowsImage image = windows_image(e->graph, factor->windows);
    return factor->line_axis == 1 ? image.channel
                                  : image.pixel * factor->windows->attrs.window.stride[1];
}

int64_t elements_column_step(const ElementProduct *p) {
    return p->panels || p->right.line_axis == 2 ? 1 : p->right.matrix.dim[2];
}

static LLVMValueRef pointer_slot(Emitter *e, LLVMValueRef pointer) {
    LLVMValueRef slot = stack_slot(e, e->pointer, sizeof(int32_t));
    store(e, pointer, slot);
    return slot;
}

void elements_set_pointers(Emitter *e, const ElementProduct *p, ElementUnit *unit,
                           const ElementStep *step) {
    for (int i = 0; i < p->high && advances(&p->left); i++) {
        LLVMValueRef row = plus(e, unit->rows.at, i);
        unit->left[i] = pointer_slot(
            e, p->left.windows ? window_pointer(e, &p->left, unit->matrix, row, step)
                               : plain_pointer(e, &p->left, unit->matrix, row, step->k));
    }
    if (p->panels) {
        LLVMValueRef offset = add(e, unit->panel, times(e, step->k, p->wide));
        unit->right = pointer_slot(e, pointer_at(e, &p->right, offset));
    } else if (advances(&p->right))
        unit->right =
            pointer_slot(e, plain_pointer(e, &p->right, unit->matrix, unit->columns.at, step->k));
}

/* The element `elements` after the one that a slot points to. */
static LLVMValueRef element_after(Emitter *e, const ElementFactor *factor, LLVMValueRef slot,
                                  int64_t elements) {
    LLVMValueRef pointer = load(e, e->pointer, slot);
    return load_element(
        e, factor, element_pointer(e, pointer, factor_dtype(e, factor), const_i64(e, elements)));
}

static void advance(Emitter *e, const ElementFactor *factor, LLVMValueRef slot, int64_t elements) {
    if (!slot) return;
    LLVMValueRef pointer = load(e, e->pointer, slot);
    store(e, element_pointer(e, pointer, factor_dtype(e, factor), const_i64(e, elements)), slot);
}

void elements_advance(Emitter *e, const ElementProduct *p, const ElementUnit *unit, int64_t steps) {
    for (int i = 0; i < p->high; i++)
        advance(e, &p->left, unit->left[i], steps * elements_k_step(e, p, &p->left));
    advance(e, &p->right, unit->right, steps * elements_k_step(e, p, &p->right));
}

LLVMValueRef elements_left(Emitter *e, const ElementProduct *p, const ElementUnit *unit, int row,
                           const ElementStep *step, int64_t later) {
    if (unit->left[row])
        return element_after(e, &p->left, unit->left[row], later * elements_k_step(e, p, &p->left));
    return factor_element(e, &p->left, unit->matrix, plus(e, unit->rows.at, row), step);
}

LLVMValueRef elements_right(Emitter *e, const ElementProduct *p, const ElementUnit *unit,
                            int column, const ElementStep *step, int64_t later) {
    if (unit->right)
        return element_after(e, &p->right, unit->right,
                             later * elements_k_step(e, p, &p->right) +
                                 column * elements_column_step(p));
    return factor_element(e, &p->right, unit->matrix, plus(e, unit->columns.at, column), step);
}
