/* Matrix products by tiles. A block of threads computes a tile of the product. It reads its
 * operands from the memory of the block ("shared" memory). So a number comes from the GPU's memory
 * once for a tile.
 *
 *     for each tile of the block:
 *         for each chunk of k:
 *             the next chunk of both factors is on its way, in registers
 *             all threads: registers -> shared left[line][k], right[line][k]
 *             thread (y, x) of down * across: for k of the chunk, ascending: for its rows and columns
 *                 sum[i][j] = fma(left[y + down * i][k], right[x + across * j][k], sum[i][j])
 *         threads (y, x): sums -> shared tile[row][column]
 *         each thread, for its part of the tile: epilogue, store
 *
 * So every sum is one chain in the order of k, as the numerics contract demands. Lines beyond the
 * edge of the product are copies of the last one, whose sums nobody stores.
 *
 * The memory of the block has 32 banks of 4 bytes, and answers one request of all banks in a cycle.
 * cuda_cost.c counts the requests; the test ptx_requests_test compares them with what the code does. */
#include "codegen/cuda/cuda.h"
#include "codegen/cuda/cuda_tile.h"
#include "codegen/cuda/ptx.h"
#include "codegen/matmul/element_product.h"

#include <string.h>

enum {
    VECTOR = 4,
    BANKS = 32,
    SHARED_SPACE = 3,
    MAX_LOADS = 16,
    MAX_SUMS = CUDA_TILE_MAX * CUDA_TILE_MAX,
    MAX_VECTORS = 16 /* of both factors, that a thread has loaded ahead */
};

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
    int64_t sums_stride; /* words from one row of sums to the next, or column if they are swapped */
    bool swapped;        /* the product is stored transposed: neighbouring threads have rows */
    LLVMValueRef thread, x, y; /* in the block */
    LLVMValueRef multiplies;   /* whether the thread has sums; NULL: all have */
    LLVMValueRef matrix;
    TileFactor left, right;
    LLVMValueRef sums[MAX_SUMS]; /* [tile.rows][tile.columns] */
    int ahead;                   /* steps of k that a thread loads ahead: a multiple of VECTOR */
    LLVMValueRef vectors[MAX_VECTORS]; /* slots: for each VECTOR steps, those of rows and columns */
    LLVMValueRef shared;
} TiledProduct;

static LLVMValueRef block_barrier(Emitter *e) {
    return call_intrinsic(e, "llvm.nvvm.barrier0", NULL, 0, NULL, 0);
}

/* The memory of the block. All kernels use the same, one after the other. */
static LLVMValueRef shared_memory(Emitter *e) {
    enum { MAX_LINES = 2 * CUDA_TILE_MAX * 16, ALIGNMENT = 16 };
    enum { WORDS = CUDA_CHUNK_WORDS + MAX_LINES * VECTOR };
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

/* The line and the k of load j in the chunk. A warp loads 32 steps of k of a line, or four steps of
 * eight neighbouring lines: so it stores them in different banks. */
static void load_place(Emitter *e, const TiledProduct *t, const TileFactor *part, int j,
                       LLVMValueRef *line, LLVMValueRef *k) {
    LLVMValueRef index = plus(e, t->thread, (int64_t)j * DEVICE_BLOCK);
    if (!part->lines_first) {
        Quotient place = div_mod(e, index, const_i64(e, t->chunk));
        *line = place.whole, *k = place.rest;
        return;
    }
    int64_t lines = min_i64(part->lines, BANKS / VECTOR);
    Quotient piece = div_mod(e, over(e, index, lines * VECTOR), const_i64(e, part->lines / lines));
    *line = add(e, times(e, piece.rest, lines), modulo(e, index, lines));
    *k = add(e, times(e, piece.whole, VECTOR), modulo(e, over(e, index, lines), VECTOR));
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
                                  LLVMValueRef line, LLVMValueRef k) {
    enum { BYTES = VECTOR * sizeof(float) };
    LLVMValueRef at = shared_word(e, part->shared, add(e, times(e, line, t->stride), k)),
                 value = load(e, LLVMVectorType(t->product->sum, VECTOR), at);
    LLVMSetAlignment(value, BYTES);
    return value;
}

/* Loads both factors at k, k + 1, ...: `vectors` times VECTOR steps. */
static void load_vectors(Emitter *e, const TiledProduct *t, LLVMValueRef k, int vectors) {
    int number = 0;
    for (int v = 0; v < vectors; v++) {
        LLVMValueRef at = plus(e, k, (int64_t)v * VECTOR);
        for (int i = 0; i < t->tile.rows; i++)
            store(e, shared_vector(e, t, &t->left, plus(e, t->y, (int64_t)i * t->tile.down), at),
                  t->vectors[number++]);
        for (int j = 0; j < t->tile.columns; j++)
            store(e, shared_vector(e, t, &t->right, plus(e, t->x, (int64_t)j * t->tile.across), at),
                  t->vectors[number++]);
    }
}

/* Adds the products of step `step` of the loaded vectors. */
static void add_step(Emitter *e, const TiledProduct *t, LLVMValueRef *vectors, int step) {
    LLVMValueRef at = const_i32(e, step % VECTOR),
                 *left = vectors + step / VECTOR * (t->tile.rows + t->tile.columns),
                 *right = left + t->tile.rows;
    for (int i = 0; i < t->tile.rows; i++)
        for (int j = 0; j < t->tile.columns; j++) {
            LLVMValueRef slot = t->sums[i * t->tile.columns + j];
            LLVMValueRef a = LLVMBuildExtractElement(e->builder, left[i], at, ""),
                         b = LLVMBuildExtractElement(e->builder, right[j], at, "");
            store(e, product_accumulate(e, t->product, a, b, load(e, t->product->sum, slot)), slot);
        }
}

/* Takes the loaded vectors, loads those at `next` if it is not NULL, and adds `steps` steps. */
static void add_vectors(Emitter *e, const TiledProduct *t, LLVMValueRef next, int steps) {
    LLVMValueRef vectors[MAX_VECTORS];
    int count = (int)divide_up(steps, VECTOR) * (t->tile.rows + t->tile.columns);
    for (int i = 0; i < count; i++)
        vectors[i] = load(e, LLVMVectorType(t->product->sum, VECTOR), t->vectors[i]);
    if (next) load_vectors(e, t, next, t->ahead / VECTOR);
    for (int step = 0; step < steps; step++) add_step(e, t, vectors, step);
}

/* Adds the products of the first `count` steps of the chunk. While some are added, the next ones are
 * loaded. */
static void add_chunk(Emitter *e, const TiledProduct *t, int64_t count) {
    int64_t whole = count / t->ahead * t->ahead, rest = count - whole;
    if (whole) load_vectors(e, t, const_i64(e, 0), t->ahead / VECTOR);
    if (whole > t->ahead) {
        Loop loop = loop_begin(e, const_i64(e, t->ahead));
        add_vectors(e, t, loop.index, t->ahead);
        loop_end(e, loop, const_i64(e, whole), t->ahead);
    }
    if (whole) add_vectors(e, t, NULL, t->ahead);
    if (!rest) return;
    load_vectors(e, t, const_i64(e, whole), (int)divide_up(rest, VECTOR));
    add_vectors(e, t, NULL, (int)rest);
}

/* The same if the condition holds and the thread has sums. */
static void add_if(Emitter *e, const TiledProduct *t, LLVMValueRef condition, int64_t count) {
    If adds = if_begin(e, t->multiplies ? bit_and(e, condition, t->multiplies) : condition);
    add_chunk(e, t, count);
    if_end(e, adds);
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
    if (t->depth >= t->chunk) add_if(e, t, le(e, next, depth), t->chunk);
    if (rest) add_if(e, t, gt(e, next, depth), rest);
    loop_end(e, chunks, depth, t->chunk);
}

/* -- the finished tile -- */

/* Where the sum of an element of the tile lies in the memory of the block. */
static LLVMValueRef sum_word(Emitter *e, const TiledProduct *t, LLVMValueRef row,
                             LLVMValueRef column) {
    LLVMValueRef line = t->swapped ? column : row, place = t->swapped ? row : column;
    return shared_word(e, t->shared, add(e, times(e, line, t->sums_stride), place));
}

static void share_sums(Emitter *e, const TiledProduct *t) {
    block_barrier(e);
    If has_sums = {0};
    if (t->multiplies) has_sums = if_begin(e, t->multiplies);
    for (int i = 0; i < t->tile.rows; i++)
        for (int j = 0; j < t->tile.columns; j++) {
            LLVMValueRef row = plus(e, t->y, (int64_t)i * t->tile.down),
                         column = plus(e, t->x, (int64_t)j * t->tile.across);
            store(e, load(e, t->product->sum, t->sums[i * t->tile.columns + j]),
                  sum_word(e, t, row, column));
        }
    if (t->multiplies) if_end(e, has_sums);
    block_barrier(e);
}

/* An element of the tile, and whether it is one of the product. */
typedef struct {
    LLVMValueRef row, column; /* in the tile */
    ProductElement at;
    LLVMValueRef inside;
} TileElement;

/* Whether a line is one of the product. */
static LLVMValueRef is_inside(Emitter *e, const TileFactor *part, LLVMValueRef line) {
    if (part->all_lines % part->lines == 0) return LLVMConstInt(e->i1, 1, false);
    return lt(e, line, const_i64(e, part->all_lines));
}

/* Element `number` of the tile. Neighbouring numbers have neighbouring columns, or rows if the stored
 * product is transposed. */
static TileElement tile_element(Emitter *e, const TiledProduct *t, LLVMValueRef number) {
    Quotient place = div_mod(e, number, const_i64(e, t->swapped ? t->left.lines : t->right.lines));
    TileElement element = {.row = t->swapped ? place.rest : place.whole,
                           .column = t->swapped ? place.whole : place.rest};
    element.at = (ProductElement){t->matrix, add(e, t->left.first, element.row),
                                  add(e, t->right.first, element.column)};
    element.inside = bit_and(e, is_inside(e, &t->left, element.at.row),
                             is_inside(e, &t->right, element.at.column));
    return element;
}

/* What becomes of an element; beyond the edges, of `first` instead. */
static ProductValues end_element(Emitter *e, const TiledProduct *t, const TileElement *element,
                                 const TileElement *first) {
    ProductElement at = {t->matrix, choose(e, element->inside, element->at.row, first->at.row),
                         choose(e, element->inside, element->at.column, first->at.column)};
    LLVMValueRef word = sum_word(e, t, element->row, element->column);
    return product_values(e, t->product, &at, load(e, t->product->sum, word));
}

/* The elements from `number` on that a thread has at the distance of all threads. It loads what it
 * needs for all of them before it stores the first one. Elements beyond the edges must not load what
 * other threads store, so they load the same as the first one. */
static void store_elements(Emitter *e, const TiledProduct *t, LLVMValueRef number, int count) {
    TileElement elements[CUDA_TOGETHER];
    ProductValues values[CUDA_TOGETHER];
    for (int i = 0; i < count; i++)
        elements[i] = tile_element(e, t, plus(e, number, (int64_t)i * DEVICE_BLOCK));
    If some = if_begin(e, elements[0].inside);
    for (int i = 0; i < count; i++) values[i] = end_element(e, t, &elements[i], &elements[0]);
    for (int i = 0; i < count; i++) {
        If stores = if_begin(e, elements[i].inside);
        product_store_values(e, &values[i]);
        if_end(e, stores);
    }
    if_end(e, some);
}

/* The number of the thread, which LLVM cannot compute with before this place. Else it would compute
 * the addresses of all elements before the loop over tiles, and the sums would have too few
 * registers. */
static LLVMValueRef thread_here(Emitter *e, const TiledProduct *t) {
    LLVMValueRef thread = t->thread;
    return call_assembly(e, e->i64, "mov.u64 $0, $1;", "=l,l", &thread, 1);
}

static void store_tile(Emitter *e, const TiledProduct *t) {
    int64_t elements = t->left.lines * t->right.lines,
            together = min_i64(divide_up(elements, DEVICE_BLOCK), cuda_together(e->kernel));
    If has_elements = {0};
    if (elements < DEVICE_BLOCK)
        has_elements = if_begin(e, lt(e, t->thread, const_i64(e, elements)));
    Loop loop = loop_begin(e, thread_here(e, t));
    store_elements(e, t, loop.index, (int)together);
    loop_end(e, loop, const_i64(e, elements), together * DEVICE_BLOCK);
    if (elements < DEVICE_BLOCK) if_end(e, has_elements);
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

/* The place of the thread among those that multiply. In a warp, the bits of its number are, from the
 * lowest one, of x, y, x, y, x: so threads n and n xor 1 have the same row, and n and n xor 2 the
 * same column. */
static void place_thread(Emitter *e, TiledProduct *t) {
    int warps = t->tile.across / CUDA_WARP_ACROSS;
    LLVMValueRef warp = over(e, t->thread, CUDA_WARP), bit[5];
    for (int i = 0; i < 5; i++) bit[i] = modulo(e, over(e, t->thread, 1 << i), 2);
    LLVMValueRef x = add(e, bit[0], add(e, times(e, bit[2], 2), times(e, bit[4], 4))),
                 y = add(e, bit[1], times(e, bit[3], 2));
    t->x = add(e, x, times(e, modulo(e, warp, warps), CUDA_WARP_ACROSS));
    t->y = add(e, y, times(e, over(e, warp, warps), CUDA_WARP_DOWN));
    int threads = t->tile.down * t->tile.across;
    if (threads < DEVICE_BLOCK) t->multiplies = lt(e, t->thread, const_i64(e, threads));
}

/* The least odd multiple of `part` from `words` on, which is a multiple. In lines of this stride,
 * BANKS / part pieces of so many words, one below the other, lie in different banks. */
static int64_t spread(int64_t words, int64_t part) { return words + (words / part % 2 ? 0 : part); }

static TiledProduct tiled_product(Emitter *e, const ElementProduct *p, const CudaTile *tile) {
    TiledProduct t = {.product = p,
                      .tile = *tile,
                      .depth = product_depth(p),
                      .swapped = e->kernel->product.swapped,
                      .thread = modulo(e, LLVMGetParam(e->function, 1), DEVICE_BLOCK),
                      .shared = shared_memory(e)};
    int64_t height = cuda_tile_height(tile), width = cuda_tile_width(tile);
    int sums = tile->rows * tile->columns, values = tile->rows + tile->columns;
    t.chunk = cuda_tile_chunk(tile, t.depth);
    t.stride = spread(t.chunk, VECTOR);
    t.sums_stride = t.swapped ? spread(height, CUDA_WARP_DOWN) : spread(width, CUDA_WARP_ACROSS);
    t.ahead = sums > VECTOR ? VECTOR : 2 * VECTOR; /* steps that take as long as a load of them */
    place_thread(e, &t);
    t.left = tile_factor(e, &t, &p->left, height);
    t.right = tile_factor(e, &t, &p->right, width);
    t.left.shared = t.shared;
    t.right.shared = shared_word(e, t.shared, const_i64(e, height * t.stride));
    for (int i = 0; i < sums; i++) t.sums[i] = stack_slot(e, p->sum, sizeof(float));
    for (int i = 0; i < t.ahead / VECTOR * values; i++)
        t.vectors[i] = stack_slot(e, LLVMVectorType(p->sum, VECTOR), VECTOR * sizeof(float));
    return t;
}

static void emit_tile(Emitter *e, TiledProduct *t, LLVMValueRef number) {
    place_tile(e, t, number);
    for (int i = 0; i < t->tile.rows * t->tile.columns; i++)
        store(e, LLVMConstNull(t->product->sum), t->sums[i]);
    emit_chunks(e, t);
    share_sums(e, t);
    store_tile(e, t);
}

void cuda_tiles(Emitter *e, const CudaTile *tile, LLVMValueRef number) {
    ElementProduct p = product_of(e);
    TiledProduct t = tiled_product(e, &p, tile);
    int64_t across = divide_up(p.columns, t.right.lines);
    if (!tile->whole_rows || across == 1) {
        emit_tile(e, &t, number);
        return;
    }
    Loop loop = loop_begin(e, const_i64(e, 0));
    emit_tile(e, &t, add(e, times(e, number, across), loop.index));
    loop_end(e, loop, const_i64(e, across), 1);
}
