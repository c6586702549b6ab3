/* Gradients of the weights of a few filters, as in matmul_pairs.c, where the batch of matrices is a
 * multiple of LANES. The lanes of a sum are matrices, so none is empty. A unit is LANES matrices:
 *
 *     sum[element][column][matrix] = +0
 *     for each picture of a matrix
 *         copy the pictures of all lanes: picture[place][matrix]
 *         for each line of windows
 *             copy the columns of the line: right[window, column][matrix]
 *             for each row of the window, for each block of its elements and of columns
 *                 for each window of the line: sum[element][column] =
 *                     fma(picture[window + element], right[window, column], sum[element][column])
 *     transpose the sums in squares; the kernel's other values, and its stores
 *
 * Each sum takes its windows in the order of the numerics contract. Bound: one multiply-add of LANES
 * lanes a cycle (Zen 4); the copies take a sixth of that time with five elements and six columns. */
#include "codegen/emit/square.h"
#include "codegen/matmul/matmul.h"

enum {
    MAX_COLUMNS = LANES / 2,       /* more fill the lanes of a vector well enough */
    MAX_ELEMENTS = 6,              /* of a block; each takes a load for all columns of the block */
    MIN_SUMS = 8,                  /* of a block; fewer would wait for each other */
    MAX_SUMS = 24,                 /* of a block, in registers */
    MAX_COPY = MAX_PACKED / LANES, /* elements of a picture */
    MAX_LINE = 1024                /* elements of a line of columns, and sums of a matrix */
};

typedef struct {
    const Node *windows;
    WindowsImage image;
    int64_t row, rows;   /* elements of a row of the window, in memory neighbours; its rows */
    int64_t columns;     /* of the product */
    int64_t block, wide; /* elements and columns of a block of sums */
    int64_t matrices, pictures;       /* pictures of a matrix */
    LLVMValueRef left, right;         /* of the first picture of the unit's first matrix */
    LLVMValueRef picture, line, sums; /* on the stack: vectors of matrices */
    LLVMValueRef square;
} MatrixLanes;

static MatrixLanes lanes_product(const Emitter *e) {
    const Node *root = graph_node(e->graph, e->kernel->root),
               *windows = graph_node(e->graph, e->kernel->product.windows);
    Shape each = windows->shape;
    MatrixLanes p = {.windows = windows, .image = windows_image(e->graph, windows)};
    p.row = each.dim[4] * each.dim[5], p.rows = each.dim[3];
    p.columns = root->shape.dim[root->shape.rank - 1];
    p.block = divide_up(p.row, divide_up(p.row, MAX_ELEMENTS));
    p.wide = divide_up(p.columns, divide_up(p.columns, MAX_SUMS / p.block));
    p.matrices = shape_elements(root->shape) / (p.row * p.rows * p.columns);
    p.pictures = each.dim[0] / p.matrices;
    return p;
}

/* Threads divide the units. If they are fewer, those of matmul_pairs.c keep more threads busy. */
bool matmul_has_lanes(const Emitter *e) {
    if (!matmul_is_window_gradient(e)) return false;
    MatrixLanes p = lanes_product(e);
    int64_t units = p.matrices / LANES, line = p.windows->shape.dim[2] * p.columns;
    return p.matrices % LANES == 0 && units >= e->kernel->max_threads && p.columns <= MAX_COLUMNS &&
           p.block * p.wide >= MIN_SUMS && p.image.image <= MAX_COPY && line <= MAX_LINE &&
           p.rows * p.row * p.columns <= MAX_LINE;
}

/* -- copies -- */

/* to[element][matrix] = element `from + element` of LANES matrices that are `step` elements apart. */
static void copy_lanes(Emitter *e, LLVMValueRef from, int64_t step, int64_t count,
                       LLVMValueRef to) {
    LLVMValueRef rows[LANES];
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef mask = lanes_below(e, loop.index, count);
    LLVMValueRef first = element_pointer(e, from, DTYPE_F32, loop.index);
    for (int i = 0; i < LANES; i++)
        rows[i] =
            load_vector(e, lanes_of(e->f32), pointer_plus(e, first, i * step), sizeof(float), mask);
    square_transpose_rows(e, rows, square_row(e, to, loop.index));
    loop_end(e, loop, const_i64(e, count), LANES);
}

/* -- sums -- */

/* Elements [element, element + p->block) of row `kh` of the window by columns [column, column +
 * p->wide), or fewer at the ends. */
typedef struct {
    LLVMValueRef kh;
    int64_t element, elements, column, columns;
} SumBlock;

static LLVMValueRef sum_at(Emitter *e, const MatrixLanes *p, const SumBlock *b, int64_t element,
                           int64_t column) {
    int64_t inside = (b->element + element) * p->columns + b->column + column;
    return square_row(e, p->sums, plus(e, times(e, b->kh, p->row * p->columns), inside));
}

/* One window: picture: its first element; line: its first column. */
static void add_window(Emitter *e, const SumBlock *b, LLVMValueRef picture, LLVMValueRef line,
                       LLVMValueRef sums[MAX_SUMS]) {
    LLVMTypeRef type = lanes_of(e->f32);
    LLVMValueRef right[MAX_COLUMNS];
    for (int64_t c = 0; c < b->columns; c++)
        right[c] = load(e, type, square_row(e, line, const_i64(e, b->column + c)));
    for (int64_t i = 0; i < b->elements; i++) {
        LLVMValueRef left = load(e, type, square_row(e, picture, const_i64(e, b->element + i)));
        for (int64_t c = 0; c < b->columns; c++) {
            LLVMValueRef slot = sums[i * b->columns + c];
            store(e, emit_fused(e, left, right[c], load(e, type, slot)), slot);
        }
    }
}

/* The windows of a line. */
static void add_block(Emitter *e, const MatrixLanes *p, const SumBlock *b, LLVMValueRef top) {
    const Window *window = &p->windows->attrs.window;
    LLVMTypeRef type = lanes_of(e->f32);
    LLVMValueRef sums[MAX_SUMS];
    for (int64_t i = 0; i < b->elements * b->columns; i++) {
        sums[i] = stack_slot(e, type, 64);
        store(e, load(e, type, sum_at(e, p, b, i / b->columns, i % b->columns)), sums[i]);
    }
    LLVMValueRef down = times(e, b->kh, window->dilation[0] * p->image.row);
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef across = times(e, loop.index, window->stride[1] * p->image.pixel);
    LLVMValueRef picture = square_row(e, p->picture, add(e, add(e, top, down), across));
    add_window(e, b, picture, square_row(e, p->line, times(e, loop.index, p->columns)), sums);
    loop_end(e, loop, const_i64(e, p->windows->shape.dim[2]), 1);
    for (int64_t i = 0; i < b->elements * b->columns; i++)
        store(e, load(e, type, sums[i]), sum_at(e, p, b, i / b->columns, i % b->columns));
}

/* All windows of a line of windows. top: the line's first place in the picture. */
static void add_line(Emitter *e, const MatrixLanes *p, LLVMValueRef top) {
    Loop rows = loop_begin(e, const_i64(e, 0));
    for (int64_t i = 0; i < p->row; i += p->block)
        for (int64_t c = 0; c < p->columns; c += p->wide) {
            SumBlock b = {rows.index, i, min_i64(p->block, p->row - i), c,
                          min_i64(p->wide, p->columns - c)};
            add_block(e, p, &b, top);
        }
    loop_end(e, rows, const_i64(e, p->rows), 1);
}

/* Picture `number` of each matrix of the unit. */
static void add_picture(Emitter *e, const MatrixLanes *p, LLVMValueRef number) {
    const Window *window = &p->windows->attrs.window;
    int64_t height = p->windows->shape.dim[1], line = p->windows->shape.dim[2] * p->columns;
    LLVMValueRef from = element_pointer(e, p->left, DTYPE_F32, times(e, number, p->image.image));
    copy_lanes(e, from, p->pictures * p->image.image, p->image.image, p->picture);
    LLVMValueRef lines = times(e, number, height);
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef columns =
        element_pointer(e, p->right, DTYPE_F32, times(e, add(e, lines, loop.index), line));
    copy_lanes(e, columns, p->pictures * height * line, line, p->line);
    add_line(e, p, times(e, loop.index, window->stride[0] * p->image.row));
    loop_end(e, loop, const_i64(e, height), 1);
}

/* -- stores -- */

/* for LANES sums at once: results of each matrix, + 0, as no product is -0 */
static void store_sums(Emitter *e, const MatrixLanes *p, LLVMValueRef matrix) {
    int64_t sums = p->rows * p->row * p->columns;
    Shape shape = {.rank = 2, .dim = {p->matrices, sums}};
    LLVMTypeRef type = lanes_of(e->f32);
    Loop parts = loop_begin(e, const_i64(e, 0));
    square_transpose(e, square_row(e, p->sums, parts.index), p->square);
    Loop matrices = loop_begin(e, const_i64(e, 0));
    Place *place = place_new(e, shape, NULL);
    place->axis[0] = coordinate_uniform(add(e, matrix, matrices.index));
    place_set_lanes(e, place, 1, parts.index, sums);
    Region region = region_begin(e);
    LLVMValueRef sum = load(e, type, square_row(e, p->square, matrices.index));
    emit_set(e, e->kernel->root, place, (LaneValue){fadd(e, sum, LLVMConstNull(type)), false});
    emit_stores(e, place);
    region_end(e, region);
    loop_end(e, matrices, const_i64(e, LANES), 1);
    loop_end(e, parts, const_i64(e, sums), LANES);
}

/* Room for so many vectors, up to whole squares. */
static LLVMValueRef vectors_on_stack(Emitter *e, int64_t count) {
    return stack_slot(e, LLVMArrayType(lanes_of(e->f32), (unsigned)round_up(count, LANES)), 64);
}

int64_t matmul_in_lanes(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    MatrixLanes p = lanes_product(e);
    int64_t sums = p.rows * p.row * p.columns,
            columns = p.windows->shape.dim[1] * p.windows->shape.dim[2] * p.columns;
    LLVMValueRef left = storage_base(e, e->kernel->product.left),
                 right = storage_base(e, e->kernel->product.right);
    p.picture = vectors_on_stack(e, p.image.image);
    p.line = vectors_on_stack(e, p.windows->shape.dim[2] * p.columns);
    p.sums = vectors_on_stack(e, sums);
    p.square = square_new(e);
    Loop units = loop_begin(e, first);
    LLVMValueRef matrix = times(e, units.index, LANES);
    LLVMValueRef before = times(e, matrix, p.pictures);
    p.left = element_pointer(e, left, DTYPE_F32, times(e, before, p.image.image));
    p.right = element_pointer(e, right, DTYPE_F32, times(e, before, columns));
    Loop clearing = loop_begin(e, const_i64(e, 0));
    store(e, LLVMConstNull(lanes_of(e->f32)), square_row(e, p.sums, clearing.index));
    loop_end(e, clearing, const_i64(e, round_up(sums, LANES)), 1);
    Loop pictures = loop_begin(e, const_i64(e, 0));
    add_picture(e, &p, pictures.index);
    loop_end(e, pictures, const_i64(e, p.pictures), 1);
    store_sums(e, &p, matrix);
    loop_end(e, units, last, 1);
    return p.matrices / LANES;
}
