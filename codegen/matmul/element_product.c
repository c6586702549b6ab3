/* The factors of a product and their elements. */
#include "codegen/matmul/element_product.h"

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

ElementProduct product_of(const Emitter *e) {
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
    return p;
}

int64_t product_depth(const ElementProduct *p) {
    return p->k_size[0] * p->k_size[1] * p->k_size[2];
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

DType factor_dtype(const Emitter *e, const Factor *factor) {
    return graph_node(e->graph, factor->node)->dtype;
}

LLVMValueRef factor_address(Emitter *e, const Factor *factor, LLVMValueRef offset) {
    LLVMValueRef base = storage_base(e, factor->storage);
    return element_pointer(e, base, factor_dtype(e, factor), offset);
}

/* Element (line, k) of a matrix of windows, as an element of the image: the row in the image is
 * stride * row of the window + dilation * row inside of it, and likewise the column. */
LLVMValueRef window_address(Emitter *e, const Factor *factor, LLVMValueRef matrix,
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
    return factor_address(e, factor, offset);
}

static LLVMValueRef matrix_element(Emitter *e, const Factor *factor, LLVMValueRef matrix,
                                   LLVMValueRef line, LLVMValueRef k) {
    Place *place = place_new(e, factor->matrix, NULL);
    place->axis[0] = coordinate_uniform(matrix);
    place->axis[factor->line_axis] = coordinate_uniform(line);
    place->axis[3 - factor->line_axis] = coordinate_uniform(k);
    return load_at(e, factor->node, factor->storage, place).value;
}

FactorStep product_step(Emitter *e, const ElementProduct *p, LLVMValueRef k) {
    FactorStep step = {.k = k};
    if (p->left.windows) split_line(e, k, p->k_size, step.part);
    return step;
}

FactorStep product_begin_loops(Emitter *e, const ElementProduct *p, int axes, Loop *loops) {
    LLVMValueRef zero = const_i64(e, 0);
    FactorStep step = {.k = zero};
    for (int i = 0; i < axes; i++) {
        bool single = p->k_size[i] == 1;
        if (!single) loops[i] = loop_begin(e, zero);
        step.part[i] = single ? zero : loops[i].index;
        step.k = add(e, times(e, step.k, p->k_size[i]), step.part[i]);
    }
    return step;
}

/* A byte as i32. */
static LLVMValueRef widened(Emitter *e, const Factor *factor, LLVMValueRef element) {
    DType dtype = factor_dtype(e, factor);
    if (dtype == DTYPE_F32) return element;
    return dtype == DTYPE_I8 ? LLVMBuildSExt(e->builder, element, e->i32, "")
                             : LLVMBuildZExt(e->builder, element, e->i32, "");
}

LLVMValueRef factor_load(Emitter *e, const Factor *factor, LLVMValueRef address) {
    return widened(e, factor, load(e, dtype_type(e, factor_dtype(e, factor), true), address));
}

LLVMValueRef factor_element(Emitter *e, const Factor *factor, LLVMValueRef matrix,
                            LLVMValueRef line, const FactorStep *step) {
    if (factor->windows)
        return factor_load(e, factor, window_address(e, factor, matrix, line, step));
    return widened(e, factor, matrix_element(e, factor, matrix, line, step->k));
}

/* -- sums -- */

LLVMValueRef product_accumulate(Emitter *e, const ElementProduct *p, LLVMValueRef left,
                                LLVMValueRef right, LLVMValueRef sum) {
    return p->sum == e->f32 ? emit_fused(e, left, right, sum) : add(e, sum, mul(e, left, right));
}

ProductValues product_values(Emitter *e, const ElementProduct *p, const ProductElement *at,
                             LLVMValueRef sum) {
    if (p->sum == e->f32) sum = fadd(e, sum, LLVMConstNull(e->f32));
    Place *place = place_new(e, (Shape){.rank = 3, .dim = {p->batch, p->rows, p->columns}}, NULL);
    place->axis[0] = coordinate_uniform(at->matrix);
    place->axis[1] = coordinate_uniform(at->row);
    place->axis[2] = coordinate_uniform(at->column);
    emit_set(e, e->kernel->root, place, (LaneValue){sum, true});
    return (ProductValues){place, emit_store_values(e, place)};
}

void product_store_values(Emitter *e, const ProductValues *values) {
    const Kernel *kernel = e->kernel;
    for (uint32_t i = 0; i < kernel->store_count; i++)
        store_at(e, kernel->stores[i].node, kernel->stores[i].to, values->place, values->values[i]);
}

void product_store(Emitter *e, const ElementProduct *p, const ProductElement *at,
                   LLVMValueRef sum) {
    ProductValues values = product_values(e, p, at, sum);
    product_store_values(e, &values);
}
