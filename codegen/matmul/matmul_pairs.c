/* Gradients of the weights of a few filters: products of windows, transposed, by columns that fill
 * at most half a vector. A sum then has two neighbouring elements of the window in its lanes:
 * element, next element, element, next element, ... A unit is a matrix of the batch:
 *
 *     sum[pair][2 c + j] = +0
 *     for each picture of the matrix, for each of its windows
 *         columns = c0 c0 c1 c1 c2 c2 ...
 *         for each pair of elements of the window
 *             sum[pair] = fma(the pair, eight times; columns; sum[pair])
 *     for each element of the window: sum + 0, the kernel's other values, and its stores
 *
 * With six columns, twelve of the lanes are used, and one load gives all lanes of a pair. If a row
 * of the window has an odd number of elements, its last pair overlaps the one before. */
#include "codegen/matmul/matmul.h"

enum {
    HALF = LANES / 2,
    MIN_PAIRS = 6, /* fewer sums would wait for each other */
    MAX_PAIRS = 24 /* sums in registers */
};

typedef struct {
    const Node *windows;
    WindowsImage image;
    int64_t row, rows;      /* elements of a row of the window, in memory neighbours; its rows */
    int64_t pairs, columns; /* pairs of a row */
    int64_t matrices, pictures; /* pictures of a matrix */
    LLVMValueRef picture, right, results;
    LLVMValueRef sums[MAX_PAIRS]; /* stack slots that LLVM turns into registers */
} WindowPairs;

static WindowPairs pair_product(const Emitter *e) {
    const Node *root = graph_node(e->graph, e->kernel->root),
               *windows = graph_node(e->graph, e->kernel->product.windows);
    Shape each = windows->shape;
    WindowPairs p = {.windows = windows, .image = windows_image(e->graph, windows)};
    p.row = each.dim[4] * each.dim[5], p.rows = each.dim[3];
    p.pairs = divide_up(p.row, 2);
    p.columns = root->shape.dim[root->shape.rank - 1];
    p.matrices = shape_elements(root->shape) / (p.row * p.rows * p.columns);
    p.pictures = each.dim[0] / p.matrices;
    return p;
}

bool matmul_is_window_gradient(const Emitter *e) {
    const Kernel *kernel = e->kernel;
    const Node *root = graph_node(e->graph, kernel->root);
    bool plain = kernel->product.windows && !kernel->product.swapped && root->dtype == DTYPE_F32 &&
                 root->attrs.matmul.transpose_a && !root->attrs.matmul.transpose_b &&
                 kernel->product.right.kind == STORAGE_SLAB &&
                 kernel->product.left.kind == STORAGE_SLAB;
    if (!plain || !e->many_registers) return false;
    const Node *windows = graph_node(e->graph, kernel->product.windows);
    return windows_image(e->graph, windows).channel == 1 && windows->attrs.window.dilation[1] == 1;
}

bool matmul_has_pairs(const Emitter *e) {
    if (!matmul_is_window_gradient(e)) return false;
    WindowPairs p = pair_product(e);
    return p.columns <= HALF && p.row >= 2 && p.pairs * p.rows >= MIN_PAIRS &&
           p.pairs * p.rows <= MAX_PAIRS;
}

/* The columns from `pointer` on, each twice. */
static LLVMValueRef columns_twice(Emitter *e, const WindowPairs *p, LLVMValueRef pointer) {
    LLVMTypeRef type = lanes_of(e->f32);
    LLVMValueRef mask = lanes_below(e, const_i64(e, 0), p->columns), lanes[LANES];
    LLVMValueRef once = load_vector(e, type, pointer, sizeof(float), mask);
    for (int l = 0; l < LANES; l++) lanes[l] = const_i32(e, l / 2);
    return LLVMBuildShuffleVector(e->builder, once, LLVMGetPoison(type),
                                  LLVMConstVector(lanes, LANES), "");
}

/* Two neighbours in memory, eight times. */
static LLVMValueRef pair_splat(Emitter *e, LLVMValueRef pointer) {
    LLVMTypeRef type = LLVMVectorType(e->i64, HALF);
    LLVMValueRef pair = load(e, e->i64, pointer), none = LLVMGetPoison(type);
    LLVMSetAlignment(pair, sizeof(float));
    LLVMValueRef one = LLVMBuildInsertElement(e->builder, none, pair, const_i32(e, 0), "");
    LLVMValueRef all = LLVMBuildShuffleVector(e->builder, one, none,
                                              LLVMConstNull(LLVMVectorType(e->i32, HALF)), "");
    return LLVMBuildBitCast(e->builder, all, lanes_of(e->f32), "");
}

static int64_t pair_start(const WindowPairs *p, int64_t pair) {
    return min_i64(2 * pair, p->row - 2);
}

/* window: its first element; columns: what it is multiplied by. */
static void add_pairs(Emitter *e, const WindowPairs *p, LLVMValueRef window, LLVMValueRef columns) {
    LLVMTypeRef type = lanes_of(e->f32);
    LLVMValueRef right = columns_twice(e, p, columns), tiny = fused_tiny(e, right);
    int64_t down = p->windows->attrs.window.dilation[0] * p->image.row;
    for (int64_t i = 0; i < p->rows * p->pairs; i++) {
        LLVMValueRef at =
            pointer_plus(e, window, i / p->pairs * down + pair_start(p, i % p->pairs));
        LLVMValueRef left = pair_splat(e, at), tiny_left = fused_tiny(e, left);
        store(e,
              fused_hot(e, left, right, load(e, type, p->sums[i]),
                        tiny ? bit_or(e, tiny, tiny_left) : NULL),
              p->sums[i]);
    }
}

/* All windows of the pictures of a matrix. */
static void add_pictures(Emitter *e, const WindowPairs *p, LLVMValueRef matrix) {
    const Window *window = &p->windows->attrs.window;
    int64_t height = p->windows->shape.dim[1], width = p->windows->shape.dim[2];
    Loop pictures = loop_begin(e, times(e, matrix, p->pictures));
    LLVMValueRef picture = times(e, pictures.index, p->image.image);
    Loop down = loop_begin(e, const_i64(e, 0));
    LLVMValueRef line = add(e, picture, times(e, down.index, window->stride[0] * p->image.row));
    LLVMValueRef number = add(e, times(e, pictures.index, height), down.index);
    LLVMValueRef first = element_pointer(e, p->picture, DTYPE_F32, line),
                 columns =
                     element_pointer(e, p->right, DTYPE_F32, times(e, number, width * p->columns));
    Loop across = loop_begin(e, const_i64(e, 0));
    int64_t unrolled = width % 2 ? 1 : 2;
    for (int64_t i = 0; i < unrolled; i++) {
        LLVMValueRef x = plus(e, across.index, i);
        add_pairs(
            e, p,
            element_pointer(e, first, DTYPE_F32, times(e, x, window->stride[1] * p->image.pixel)),
            element_pointer(e, columns, DTYPE_F32, times(e, x, p->columns)));
    }
    loop_end(e, across, const_i64(e, width), unrolled);
    loop_end(e, down, const_i64(e, height), 1);
    loop_end(e, pictures, times(e, plus(e, matrix, 1), p->pictures), 1);
}

static LLVMValueRef result_at(Emitter *e, const WindowPairs *p, LLVMValueRef element) {
    return LLVMBuildGEP2(e->builder, lanes_of(e->f32), p->results, &element, 1, "");
}

/* results[element] = the sums of its lanes, + 0 */
static void part_pairs(Emitter *e, const WindowPairs *p) {
    LLVMTypeRef type = lanes_of(e->f32);
    for (int64_t i = 0; i < p->rows * p->pairs; i++) {
        LLVMValueRef sum = fadd(e, load(e, type, p->sums[i]), LLVMConstNull(type)), lanes[LANES];
        for (int j = 0; j < 2; j++) {
            for (int l = 0; l < LANES; l++) lanes[l] = const_i32(e, l % HALF * 2 + j);
            int64_t element = i / p->pairs * p->row + pair_start(p, i % p->pairs) + j;
            store(e,
                  LLVMBuildShuffleVector(e->builder, sum, LLVMGetPoison(type),
                                         LLVMConstVector(lanes, LANES), ""),
                  result_at(e, p, const_i64(e, element)));
        }
    }
}

static void store_results(Emitter *e, const WindowPairs *p, LLVMValueRef matrix) {
    Loop loop = loop_begin(e, const_i64(e, 0));
    Shape shape = {.rank = 3, .dim = {p->matrices, p->rows * p->row, p->columns}};
    Place *place = place_new(e, shape, NULL);
    place->axis[0] = coordinate_uniform(matrix);
    place->axis[1] = coordinate_uniform(loop.index);
    place_set_lanes(e, place, 2, const_i64(e, 0), p->columns);
    Region region = region_begin(e);
    LLVMValueRef sums = load(e, lanes_of(e->f32), result_at(e, p, loop.index));
    emit_set(e, e->kernel->root, place, (LaneValue){sums, false});
    emit_stores(e, place);
    region_end(e, region);
    loop_end(e, loop, const_i64(e, p->rows * p->row), 1);
}

int64_t matmul_pairs(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    WindowPairs p = pair_product(e);
    LLVMTypeRef type = lanes_of(e->f32);
    p.picture = storage_base(e, e->kernel->product.left);
    p.right = storage_base(e, e->kernel->product.right);
    p.results = stack_slot(e, LLVMArrayType(type, (unsigned)(p.rows * p.row)), 64);
    for (int64_t i = 0; i < p.rows * p.pairs; i++) p.sums[i] = stack_slot(e, type, 64);
    Loop loop = loop_begin(e, first);
    for (int64_t i = 0; i < p.rows * p.pairs; i++) store(e, LLVMConstNull(type), p.sums[i]);
    add_pictures(e, &p, loop.index);
    part_pairs(e, &p);
    store_results(e, &p, loop.index);
    loop_end(e, loop, last, 1);
    return p.matrices;
}
