/* Matrix products by tiles. A block of threads computes a tile of the product. It reads its
 * operands from the memory of the block ("shared" memory). So a number comes from the GPU's memory
 * once for a tile.
 *
 *     for each tile of the block:
 *         for each chunk of k:
 *             the next chunk of both factors is on its way, in registers
 *             all threads: registers -> shared left[line][k], right[line][k]
 *             thread (y, x) of SIDE * SIDE: for k of the chunk, ascending: for its rows and columns
 *                 sum[i][j] = fma(left[y + SIDE * i][k], right[x + SIDE * j][k], sum[i][j])
 *         all threads: sums -> shared tile[row][column]
 *         each thread, for its part of the tile: epilogue, store
 *
 * So every sum is one chain in the order of k, as the numerics contract demands. Lines beyond the
 * edge of the product are copies of the last one, whose sums nobody stores. */
#include "codegen/cuda/cuda.h"
#include "codegen/cuda/cuda_tile.h"
#include "codegen/cuda/ptx.h"
#include "codegen/matmul/element_product.h"

#include <string.h>

enum { SIDE = 16, VECTOR = 4, SHARED_SPACE = 3, MAX_LOADS = 16, MAX_SUMS = 16 };
_Static_assert(SIDE *SIDE == DEVICE_BLOCK, "a thread for each row and column");

/* What a chunk has of one factor. A line is a row of the left factor, or a column of the right
 * one. */
typedef struct {
    const Factor *factor;
    int64_t lines, all_lines; /* of a tile; of the product */
    bool lines_first;         /* neighbouring threads load neighbouring lines */
    LLVMValueRef first;       /* line of the tile */
    LLVMValueRef shared;      /* [lines][stride] */
    LLVMValueRef loads[MAX_LOADS];
    int load_count;
} TileFactor;

typedef struct {
    const ElementProduct *product;
    CudaTile tile;
    int64_t depth, chunk; /* steps of k of the product, and of a chunk */
    int64_t stride;       /* words from one line of a chunk to the next, in the block's memory */
    LLVMValueRef thread, x, y; /* in the block */
    LLVMValueRef matrix;
    TileFactor left, right;
    LLVMValueRef sums[MAX_SUMS]; /* [tile.rows][tile.columns] */
    LLVMValueRef shared;
} TiledProduct;

static LLVMValueRef block_barrier(Emitter *e) {
    return call_intrinsic(e, "llvm.nvvm.barrier0", NULL, 0, NULL, 0);
}

/* The memory of the block. All kernels use the same, one after the other. */
static LLVMValueRef shared_memory(Emitter *e) {
    enum { WORDS = 2 * CUDA_TILE_MAX * SIDE * (CUDA_CHUNK + VECTOR), ALIGNMENT = 16 };
    LLVMValueRef memory = LLVMGetNamedGlobal(e->module, "tiles");
    if (memory) return memory;
    LLVMTypeRef type = LLVMArrayType2(e->f32, WORDS);
    memory = LLVMAddGlobalInAddressSpace(e->module, type, "tiles", SHARED_SPACE);
    LLVMSetLinkage(memory, LLVMInternalLinkage);
    LLVMSetInitializer(memory, LLVMGetUndef(type));
    LLVMSetAlignment(memory, ALIGNMENT);
    return memory;
}

static LLVMValueRef shared_word(Emitter *e, LLVMValueRef base, LLVMValueRef index) {
    return LLVMBuildGEP2(e->builder, e->f32, base, &index, 1, "");
}

/* -- a chunk of a factor -- */

/* Panels, and matrices whose lines are stored columns, have neighbouring lines side by side. */
static bool lines_are_neighbours(const Factor *factor) {
    return !factor->windows &&
           (factor->storage.layout.kind != LAYOUT_PLAIN || factor->line_axis == 2);
}

static TileFactor tile_factor(Emitter *e, const TiledProduct *t, const Factor *factor,
                              int64_t lines) {
    TileFactor part = {.factor = factor,
                       .lines = lines,
                       .all_lines = factor->matrix.dim[factor->line_axis],
                       .lines_first = lines_are_neighbours(factor),
                       .load_count = (int)divide_up(lines * t->chunk, DEVICE_BLOCK)};
    for (int j = 0; j < part.load_count; j++)
        part.loads[j] = stack_slot(e, t->product->sum, sizeof(float));
    return part;
}

/* The line and the k of load j in the chunk. */
static void load_place(Emitter *e, const TiledProduct *t, const TileFactor *part, int j,
                       LLVMValueRef *line, LLVMValueRef *k) {
    LLVMValueRef index = plus(e, t->thread, (int64_t)j * DEVICE_BLOCK);
    Quotient place = div_mod(e, index, const_i64(e, part->lines_first ? part->lines : t->chunk));
    *line = part->lines_first ? place.rest : place.whole;
    *k = part->lines_first ? place.whole : place.rest;
}

/* Whether all threads have a load `j`. */
static bool all_load(const TiledProduct *t, const TileFactor *part, int j) {
    return (j + 1) * (int64_t)DEVICE_BLOCK <= part->lines * t->chunk;
}

/* Loads the chunk that begins at k `from`; what is beyond the edges is a copy of the last
 * element. A thread without a last load must not touch lines of other blocks either: they may be
 * about to store them (CudaStages). */
static void load_chunk(Emitter *e, const TiledProduct *t, const TileFactor *part,
                       LLVMValueRef from) {
    for (int j = 0; j < part->load_count; j++) {
        LLVMValueRef line, k;
        load_place(e, t, part, j, &line, &k);
        if (!all_load(t, part, j)) line = min(e, line, const_i64(e, part->lines - 1));
        line = min(e, add(e, part->first, line), const_i64(e, part->all_lines - 1));
        k = min(e, add(e, from, k), const_i64(e, t->depth - 1));
        FactorStep step = product_step(e, t->product, k);
        store(e, factor_element(e, part->factor, t->matrix, line, &step), part->loads[j]);
    }
}

/* Stores the loaded chunk into the memory of the block. If the chunk is no multiple of the block,
 * some threads have no last load. */
static void share_chunk(Emitter *e, const TiledProduct *t, const TileFactor *part) {
    for (int j = 0; j < part->load_count; j++) {
        LLVMValueRef line, k;
        load_place(e, t, part, j, &line, &k);
        bool whole = all_load(t, part, j);
        If inside = {0};
        if (!whole)
            inside = if_begin(e, lt(e, plus(e, t->thread, (int64_t)j * DEVICE_BLOCK),
                                    const_i64(e, part->lines * t->chunk)));
        LLVMValueRef at = shared_word(e, part->shared, add(e, times(e, line, t->stride), k));
        store(e, load(e, t->product->sum, part->loads[j]), at);
        if (!whole) if_end(e, inside);
    }
}

/* -- sums -- */

/* Elements k .. k + VECTOR - 1 of a line of the chunk. */
static LLVMValueRef shared_vector(Emitter *e, const TiledProduct *t, const TileFactor *part,
                                  LLVMValueRef thread, int number, LLVMValueRef k) {
    enum { BYTES = VECTOR * sizeof(float) };
    LLVMValueRef line = plus(e, thread, (int64_t)number * SIDE),
                 at = shared_word(e, part->shared, add(e, times(e, line, t->stride), k));
    LLVMValueRef value = load(e, LLVMVectorType(t->product->sum, VECTOR), at);
    LLVMSetAlignment(value, BYTES);
    return value;
}

/* Adds the products at k, k + 1, ...: `count` steps. */
static void add_vectors(Emitter *e, const TiledProduct *t, LLVMValueRef k, int count) {
    LLVMValueRef left[CUDA_TILE_MAX], right[CUDA_TILE_MAX];
    for (int i = 0; i < t->tile.rows; i++) left[i] = shared_vector(e, t, &t->left, t->y, i, k);
    for (int j = 0; j < t->tile.columns; j++) right[j] = shared_vector(e, t, &t->right, t->x, j, k);
    for (int step = 0; step < count; step++)
        for (int i = 0; i < t->tile.rows; i++)
            for (int j = 0; j < t->tile.columns; j++) {
                LLVMValueRef slot = t->sums[i * t->tile.columns + j], at = const_i32(e, step);
                LLVMValueRef a = LLVMBuildExtractElement(e->builder, left[i], at, ""),
                             b = LLVMBuildExtractElement(e->builder, right[j], at, "");
                store(e, product_accumulate(e, t->product, a, b, load(e, t->product->sum, slot)),
                      slot);
            }
}

/* Adds the products of the first `count` steps of the chunk. */
static void add_chunk(Emitter *e, const TiledProduct *t, int64_t count) {
    int64_t whole = count / VECTOR * VECTOR;
    if (whole) {
        Loop loop = loop_begin(e, const_i64(e, 0));
        add_vectors(e, t, loop.index, VECTOR);
        loop_end(e, loop, const_i64(e, whole), VECTOR);
    }
    if (count > whole) add_vectors(e, t, const_i64(e, whole), (int)(count - whole));
}

static void emit_chunks(Emitter *e, const TiledProduct *t) {
    LLVMValueRef zero = const_i64(e, 0), depth = const_i64(e, t->depth);
    int64_t rest = t->depth % t->chunk;
    load_chunk(e, t, &t->left, zero);
    load_chunk(e, t, &t->right, zero);
    Loop chunks = loop_begin(e, zero);
    LLVMValueRef next = plus(e, chunks.index, t->chunk);
    block_barrier(e);
    share_chunk(e, t, &t->left);
    share_chunk(e, t, &t->right);
    block_barrier(e);
    If more = if_begin(e, lt(e, next, depth));
    load_chunk(e, t, &t->left, next);
    load_chunk(e, t, &t->right, next);
    if_end(e, more);
    If whole = if_begin(e, le(e, next, depth));
    add_chunk(e, t, t->chunk);
    if_end(e, whole);
    if (rest) {
        If last = if_begin(e, gt(e, next, depth));
        add_chunk(e, t, rest);
        if_end(e, last);
    }
    loop_end(e, chunks, depth, t->chunk);
}

/* -- the finished tile -- */

static void share_sums(Emitter *e, const TiledProduct *t) {
    int64_t width = t->right.lines;
    block_barrier(e);
    for (int i = 0; i < t->tile.rows; i++)
        for (int j = 0; j < t->tile.columns; j++) {
            LLVMValueRef row = plus(e, t->y, (int64_t)i * SIDE),
                         column = plus(e, t->x, (int64_t)j * SIDE);
            store(e, load(e, t->product->sum, t->sums[i * t->tile.columns + j]),
                  shared_word(e, t->shared, add(e, times(e, row, width), column)));
        }
    block_barrier(e);
}

/* Computes the epilogue of an element and stores it, if it lies inside of the product. */
static void store_element(Emitter *e, const TiledProduct *t, LLVMValueRef row, LLVMValueRef column,
                          LLVMValueRef sum) {
    ProductElement at = {t->matrix, add(e, t->left.first, row), add(e, t->right.first, column)};
    LLVMValueRef inside = bit_and(e, lt(e, at.row, const_i64(e, t->left.all_lines)),
                                  lt(e, at.column, const_i64(e, t->right.all_lines)));
    If stores = if_begin(e, inside);
    product_store(e, t->product, &at, load(e, t->product->sum, sum));
    if_end(e, stores);
}

/* Neighbouring threads have neighbouring columns, or rows if the stored product is transposed. */
static void store_tile(Emitter *e, const TiledProduct *t) {
    bool swapped = e->kernel->product.swapped;
    int64_t height = t->left.lines, width = t->right.lines;
    Loop loop = loop_begin(e, t->thread);
    Quotient place = div_mod(e, loop.index, const_i64(e, swapped ? height : width));
    LLVMValueRef row = swapped ? place.rest : place.whole,
                 column = swapped ? place.whole : place.rest;
    store_element(e, t, row, column,
                  shared_word(e, t->shared, add(e, times(e, row, width), column)));
    loop_end(e, loop, const_i64(e, height * width), DEVICE_BLOCK);
}

/* The matrix of tile `number`, and the first row and column. */
static void place_tile(Emitter *e, TiledProduct *t, LLVMValueRef number) {
    int64_t down = divide_up(t->left.all_lines, t->left.lines),
            across = divide_up(t->right.all_lines, t->right.lines);
    t->right.first = times(e, modulo(e, number, across), t->right.lines);
    LLVMValueRef row = over(e, number, across);
    t->left.first = times(e, modulo(e, row, down), t->left.lines);
    t->matrix = over(e, row, down);
}

static TiledProduct tiled_product(Emitter *e, const ElementProduct *p, const CudaTile *tile) {
    TiledProduct t = {.product = p,
                      .tile = *tile,
                      .depth = product_depth(p),
                      .thread = modulo(e, LLVMGetParam(e->function, 1), DEVICE_BLOCK),
                      .shared = shared_memory(e)};
    t.chunk = round_up(min_i64(t.depth, CUDA_CHUNK), VECTOR);
    t.stride = t.chunk + (t.chunk / VECTOR % 2 ? 0 : VECTOR); /* spreads lines over the banks */
    t.x = modulo(e, t.thread, SIDE);
    t.y = over(e, t.thread, SIDE);
    t.left = tile_factor(e, &t, &p->left, (int64_t)tile->rows * SIDE);
    t.right = tile_factor(e, &t, &p->right, (int64_t)tile->columns * SIDE);
    t.left.shared = t.shared;
    t.right.shared = shared_word(e, t.shared, const_i64(e, t.left.lines * t.stride));
    for (int i = 0; i < tile->rows * tile->columns; i++)
        t.sums[i] = stack_slot(e, p->sum, sizeof(float));
    return t;
}

int64_t cuda_tiles(Emitter *e, const CudaTile *tile, LLVMValueRef number) {
    ElementProduct p = product_of(e);
    TiledProduct t = tiled_product(e, &p, tile);
    place_tile(e, &t, number);
    for (int i = 0; i < tile->rows * tile->columns; i++) store(e, LLVMConstNull(p.sum), t.sums[i]);
    emit_chunks(e, &t);
    if (tile->rows * tile->columns == 1 && !e->kernel->product.swapped)
        store_element(e, &t, t.y, t.x, t.sums[0]); /* thread x already has column x */
    else {
        share_sums(e, &t);
        store_tile(e, &t);
    }
    return p.batch * divide_up(p.rows, t.left.lines) * divide_up(p.columns, t.right.lines);
}
