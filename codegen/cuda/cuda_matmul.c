/* Matrix products on a GPU. A unit is an element of the product:
 *
 *     sum = 0
 *     for k ascending: sum = fma(left[row, k], right[k, column], sum)
 *     compute the epilogue of sum + 0, store
 *
 * The + 0 makes a 0 of -0, as the numerics contract demands. Sums of bytes are whole numbers:
 * sum = sum + left * right. Neighbouring threads have neighbouring columns.
 *
 * If the left factor is a matrix of windows, they are read out of the image. The loop over k is then
 * three loops: over the axes of a window or, where k numbers the windows, over images, rows and
 * columns of windows. */
#include "codegen/cuda/cuda_product.h"

/* -- the product -- */

static Factor factor_of(const Emitter *e, uint32_t operand, bool transposed) {
    const Kernel *kernel = e->kernel;
    Shape stored = graph_operand(e->graph, graph_node(e->graph, kernel->root), operand)->shape;
    int64_t rows = stored.dim[stored.rank - 2], columns = stored.dim[stored.rank - 1];
    Factor factor = {
        .node = kernel_operand(e->plan, kernel, operand),
        .storage = operand ? kernel->product.right : kernel->product.left,
        .matrix = {.rank = 3, .dim = {shape_elements(stored) / (rows * columns), rows, columns}},
        .line_axis = (operand == 0) == transposed ? 2 : 1};
    if (operand == 0 && kernel->product.windows)
        factor.windows = graph_node(e->graph, kernel->product.windows);
    return factor;
}

/* The sizes of the axes that number windows (axis 0: images of one matrix), or of a window. */
static void window_sizes(const Factor *factor, bool of_window, int64_t size[K_AXES]) {
    for (int i = 0; i < K_AXES; i++) size[i] = factor->windows->shape.dim[of_window * K_AXES + i];
    if (!of_window) size[0] /= factor->matrix.dim[0];
}

CudaProduct product_of(const Emitter *e) {
    const Node *node = graph_node(e->graph, e->kernel->root);
    CudaProduct p = {.left = factor_of(e, 0, node->attrs.matmul.transpose_a),
                     .right = factor_of(e, 1, node->attrs.matmul.transpose_b),
                     .sum = dtype_type(e, node->dtype, false)};
    p.rows = p.left.matrix.dim[p.left.line_axis];
    p.columns = p.right.matrix.dim[p.right.line_axis];
    p.batch = shape_elements(node->shape) / (p.rows * p.columns);
    p.k_size[0] = p.k_size[1] = 1;
    p.k_size[2] = p.left.matrix.dim[3 - p.left.line_axis];
    if (p.left.windows) window_sizes(&p.left, p.left.line_axis == 1, p.k_size);
    return p;
}

int64_t product_depth(const CudaProduct *p) { return p->k_size[0] * p->k_size[1] * p->k_size[2]; }

/* -- elements of factors -- */

/* line = the index along three axes, in row-major order */
static void split_line(Emitter *e, LLVMValueRef line, const int64_t size[K_AXES],
                       LLVMValueRef part[K_AXES]) {
    part[2] = modulo(e, line, size[2]);
    line = over(e, line, size[2]);
    part[1] = modulo(e, line, size[1]);
    part[0] = over(e, line, size[1]);
}

/* Element (line, k) of a matrix of windows, as an element of the image: the row in the image is
 * stride * row of the window + dilation * row inside of it, and likewise the column. */
static LLVMValueRef window_element(Emitter *e, const Factor *factor, LLVMValueRef matrix,
                                   LLVMValueRef line, const FactorStep *step) {
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
    DType dtype = graph_node(e->graph, factor->node)->dtype;
    LLVMValueRef base = storage_base(e, factor->storage);
    return load(e, dtype_type(e, dtype, true), element_pointer(e, base, dtype, offset));
}

static LLVMValueRef matrix_element(Emitter *e, const Factor *factor, LLVMValueRef matrix,
                                   LLVMValueRef line, LLVMValueRef k) {
    Place *place = place_new(e, factor->matrix, NULL);
    place->axis[0] = coordinate_uniform(matrix);
    place->axis[factor->line_axis] = coordinate_uniform(line);
    place->axis[3 - factor->line_axis] = coordinate_uniform(k);
    return load_at(e, factor->node, factor->storage, place).value;
}

FactorStep product_step(Emitter *e, const CudaProduct *p, LLVMValueRef k) {
    FactorStep step = {.k = k};
    if (p->left.windows) split_line(e, k, p->k_size, step.part);
    return step;
}

LLVMValueRef factor_element(Emitter *e, const Factor *factor, LLVMValueRef matrix,
                            LLVMValueRef line, const FactorStep *step) {
    LLVMValueRef element = factor->windows ? window_element(e, factor, matrix, line, step)
                                           : matrix_element(e, factor, matrix, line, step->k);
    DType dtype = graph_node(e->graph, factor->node)->dtype;
    if (dtype == DTYPE_F32) return element;
    return dtype == DTYPE_I8 ? LLVMBuildSExt(e->builder, element, e->i32, "")
                             : LLVMBuildZExt(e->builder, element, e->i32, "");
}

/* -- sums -- */

LLVMValueRef product_accumulate(Emitter *e, const CudaProduct *p, LLVMValueRef left,
                                LLVMValueRef right, LLVMValueRef sum) {
    return p->sum == e->f32 ? emit_fused(e, left, right, sum) : add(e, sum, mul(e, left, right));
}

static void add_step(Emitter *e, const CudaProduct *p, const ProductElement *at,
                     const FactorStep *step, LLVMValueRef slot) {
    LLVMValueRef left = factor_element(e, &p->left, at->matrix, at->row, step),
                 right = factor_element(e, &p->right, at->matrix, at->column, step);
    store(e, product_accumulate(e, p, left, right, load(e, p->sum, slot)), slot);
}

/* The loops over k, one inside of the other. Axes of size 1 have none. */
static LLVMValueRef emit_sum(Emitter *e, const CudaProduct *p, const ProductElement *at) {
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

void product_store(Emitter *e, const CudaProduct *p, const ProductElement *at, LLVMValueRef sum) {
    if (p->sum == e->f32) sum = fadd(e, sum, LLVMConstNull(e->f32));
    Place *place = place_new(e, (Shape){.rank = 3, .dim = {p->batch, p->rows, p->columns}}, NULL);
    place->axis[0] = coordinate_uniform(at->matrix);
    place->axis[1] = coordinate_uniform(at->row);
    place->axis[2] = coordinate_uniform(at->column);
    emit_set(e, e->kernel->root, place, (LaneValue){sum, true});
    emit_stores(e, place);
}

int64_t cuda_matmul(Emitter *e, LLVMValueRef unit, LLVMValueRef last) {
    (void)last;
    CudaProduct p = product_of(e);
    LLVMValueRef row = over(e, unit, p.columns);
    ProductElement at = {.matrix = over(e, row, p.rows),
                         .row = modulo(e, row, p.rows),
                         .column = modulo(e, unit, p.columns)};
    product_store(e, &p, &at, emit_sum(e, &p, &at));
    return p.batch * p.rows * p.columns;
}
