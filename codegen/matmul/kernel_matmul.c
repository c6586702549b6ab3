/* MATMUL kernels. Units are tiles of the product: tile_rows rows by `vectors` vectors of LANES
 * columns. For tiles [first, last) of a thread, the emitted code is
 *
 *     for each chunk group: the tiles in [first, last) that share a chunk of rows
 *         for each block of k
 *             for each tile of the group
 *                 sums = 0, or what was spilled after the block before
 *                 for each row of the finished tile:                  (one piece)
 *                     sums += a few steps of k of this tile
 *                     epilogue of the row: the kernel's other values, and its stores
 *                 sums += the rest of the block's steps
 *                 after the last block: this is now the finished tile; else spill the sums
 *     epilogue of the last finished tile
 *
 * as a single loop, whose counters TileWalk advances. Spilling does not round, so no bit depends on
 * the blocks.
 *
 * The rows of a chunk stay in the second-level cache during all columns, and a block of columns
 * stays there during all rows of the chunk. The number of a tile counts blocks of rows of a chunk
 * fastest, then blocks of columns, then chunks, then matrices of a batch.
 *
 * The epilogue of a tile runs between the multiply-adds of the next one. So its divisions, square
 * roots and cache misses overlap with multiply-adds.
 *
 * Bound: an AVX-512 processor starts one or two FMAs of 16 lanes a cycle. Eight rows by two vectors
 * make 16 chains of FMAs (a latency of 4 cycles needs 8), with 2 vector loads and 8 broadcasts for
 * 16 FMAs.
 *
 * A tile's columns are usually those of the product (n). Swapped kernels compute the transposed
 * product: columns run along m. */
#include "codegen/matmul/matmul.h"

/* -- the product -- */

/* Operand 0 or 1 as a matrix in memory. Its lines are rows of the product for operand 0, and
 * columns for operand 1. */
static MatrixOperand matrix_operand(const Emitter *e, const Node *node, int operand,
                                    Storage storage, bool transposed) {
    const Node *of = graph_operand(e->graph, node, (uint32_t)operand);
    Shape stored = of->shape;
    Shape matrix = {.rank = 2, .dim = {stored.dim[stored.rank - 2], stored.dim[stored.rank - 1]}};
    int line_axis = operand == 0 ? (transposed ? 1 : 0) : (transposed ? 0 : 1);
    return (MatrixOperand){.storage = storage,
                           .dtype = of->dtype,
                           .shape = matrix,
                           .line_axis = line_axis,
                           .lines = matrix.dim[line_axis],
                           .k = matrix.dim[1 - line_axis],
                           .matrix = matrix.dim[0] * matrix.dim[1]};
}

/* The walk over these axes. Neighbouring axes are merged if the outer step is the inner size times
 * the inner step. */
static StridedWalk strided_walk(const int64_t size[WALK_AXES], const int64_t step[WALK_AXES]) {
    StridedWalk walk = {0};
    for (int i = 0; i < WALK_AXES; i++) {
        bool goes_on = walk.count && walk.step[walk.count - 1] == size[i] * step[i];
        if (!goes_on) walk.size[walk.count++] = 1;
        walk.size[walk.count - 1] *= size[i];
        walk.step[walk.count - 1] = step[i];
    }
    return walk;
}

/* The operand is a matrix of windows, which is never stored: its rows are windows, its columns the
 * elements of a window. Both are read from the image instead. */
static MatrixOperand windows_operand(const Emitter *e, MatrixOperand operand) {
    const Node *windows = graph_node(e->graph, e->kernel->product.windows);
    WindowsImage p = windows_image(e->graph, windows);
    Shape each = windows->shape;
    const Window *window = &windows->attrs.window;
    StridedWalk place = strided_walk(
        each.dim, (int64_t[]){p.image, window->stride[0] * p.row, window->stride[1] * p.pixel});
    StridedWalk inside =
        strided_walk(&each.dim[3], (int64_t[]){window->dilation[0] * p.row,
                                               window->dilation[1] * p.pixel, p.channel});
    operand.windows = true;
    operand.elements = each.dim[0] * p.image;
    operand.line_walk = operand.line_axis == 0 ? place : inside;
    operand.k_walk = operand.line_axis == 0 ? inside : place;
    operand.matrix = operand.shape.dim[0] / (each.dim[1] * each.dim[2]) * p.image;
    return operand;
}

static ProductSize product_size(const Emitter *e, const Matmul *m) {
    return (ProductSize){.rows = m->rows.lines,
                         .columns = m->span.count,
                         .k = m->k,
                         .many_registers = e->many_registers,
                         .short_vectors = e->short_vectors,
                         .emulated = e->fma == FMA_EMULATED && m->sum == e->f32,
                         .panels = operands_columns_packed_already(m),
                         .run = m->rows.windows ? walk_run(&m->rows.line_walk).size : 0,
                         .rows_adjoin = operands_rows_adjoin(m),
                         .columns_are_windows = m->columns.windows,
                         .lists_zeros = e->kernel->product.skips_zeros && m->batch == 1,
                         .transposes = m->batch == 1 && epilogue_transposes_panels(e),
                         .group = e->kernel->by_rows ? PLAN_ROWS : 0,
                         .threads = e->kernel->max_threads,
                         .core = e->core};
}

/* Takes a measured tile if there is one that fits this product, else the one of the cost model. */
static Blocking choose_blocking(const Emitter *e, const ProductSize *size) {
    ProductTile tiles[MAX_PRODUCT_TILES];
    char product[PRODUCT_TEXT];
    if (!e->tiles) return blocking_choose(size);
    uint32_t count = blocking_tiles(size, tiles);
    blocking_text(size, product);
    ProductTile tile = e->tiles->choose(e->tiles->context, (uint32_t)(e->kernel - e->plan->kernels),
                                        product, tiles, count);
    bool can = blocking_can_step(tile.steps);
    for (uint32_t i = 0; i < count && can; i++)
        if (tile.rows == tiles[i].rows && tile.vectors == tiles[i].vectors)
            return blocking_with(size, tile);
    return blocking_choose(size);
}

/* The most stack that a product needs, in bytes: both packed copies with gaps between panels,
 * spilled sums, and lists of k. TILE_BYTES: the finished tile and its rows that will be
 * transposed. */
enum {
    TILE_BYTES = 128 * 1024,
    STACK_BYTES = 4 * (2 * (MAX_PACKED + MAX_PACKED / 32) + MAX_SPILLED + 2 * LIST_ENTRIES) +
                  8 * LIST_ENTRIES + TILE_BYTES
};
_Static_assert((int)STACK_BYTES <= (int)PROGRAM_STACK,
               "a matrix product may need more stack than threads have");

/* Reserves the memory on the stack: sums, the finished tile, spilled tiles, copies of operands. */
static void reserve_slots(Emitter *e, Matmul *m) {
    const Blocking *b = &m->blocking;
    LLVMTypeRef vector = lanes_of(m->sum),
                tile = LLVMArrayType(vector, (unsigned)(b->tile_rows * b->vectors));
    for (int64_t r = 0; r < b->tile_rows; r++)
        for (int v = 0; v < b->vectors; v++) m->sums[r][v] = stack_slot(e, vector, 64);
    m->finished = stack_slot(e, tile, 64);
    if (b->k_blocks > 1)
        m->spilled =
            stack_slot(e, LLVMArrayType(tile, (unsigned)(b->chunk * b->column_blocks)), 64);
    m->transposed = epilogue_transposed_slots(e, m);
    pack_reserve(e, m);
    if (m->blocking.lists_zeros) zeros_reserve(e, m);
}

static Matmul matmul_of(Emitter *e) {
    const Kernel *kernel = e->kernel;
    const Node *node = graph_node(e->graph, kernel->root);
    MatrixOperand left =
        matrix_operand(e, node, 0, kernel->product.left, node->attrs.matmul.transpose_a);
    if (kernel->product.windows) left = windows_operand(e, left);
    MatrixOperand right =
        matrix_operand(e, node, 1, kernel->product.right, node->attrs.matmul.transpose_b);
    Matmul m = {.rows = kernel->product.swapped ? right : left,
                .columns = kernel->product.swapped ? left : right,
                .k = left.k,
                .sum = dtype_type(e, node->dtype, false)};
    m.batch = shape_elements(node->shape) / (left.lines * right.lines);
    m.span = column_span(&m.columns);
    ProductSize size = product_size(e, &m);
    m.blocking = choose_blocking(e, &size);
    m.tile_columns = m.blocking.vectors * LANES;
    m.together = m.blocking.vectors % 2 ? 1 : MAX_TOGETHER;
    m.slow = epilogue_slow_ops(e);
    reserve_slots(e, &m);
    return m;
}

/* -- tiles by number -- */

/* The number of blocks of rows in a chunk: the last chunk may have fewer. */
static LLVMValueRef chunk_size(Emitter *e, const Blocking *b, LLVMValueRef chunk) {
    int64_t last = b->row_blocks - (b->chunks - 1) * b->chunk;
    if (last == b->chunk) return const_i64(e, b->chunk);
    return choose(e, eq(e, chunk, const_i64(e, b->chunks - 1)), const_i64(e, last),
                  const_i64(e, b->chunk));
}

/* The tile with a number, which is composed as
 *     matrix * (tiles of a matrix) + chunk * (tiles of a full chunk)
 *         + block of columns * (blocks of rows in this chunk) + block of rows in the chunk */
static Tile tile_of(Emitter *e, const Matmul *m, LLVMValueRef number) {
    const Blocking *b = &m->blocking;
    LLVMValueRef of_matrix = const_i64(e, b->row_blocks * b->column_blocks), zero = const_i64(e, 0);
    LLVMValueRef of_chunk = const_i64(e, b->chunk * b->column_blocks);
    Quotient matrix = m->batch == 1 ? (Quotient){zero, number} : div_mod(e, number, of_matrix);
    Quotient chunk =
        b->chunks == 1 ? (Quotient){zero, matrix.rest} : div_mod(e, matrix.rest, of_chunk);
    LLVMValueRef size = chunk_size(e, b, chunk.whole);
    Quotient column = div_mod(e, chunk.rest, size);
    LLVMValueRef row_block = add(e, times(e, chunk.whole, b->chunk), column.rest);
    return (Tile){.matrix = matrix.whole,
                  .row = times(e, row_block, b->tile_rows),
                  .column = times(e, column.whole, m->tile_columns),
                  .chunk = chunk.whole,
                  .in_chunk = column.rest,
                  .chunk_size = size};
}

/* -- the counters of the loop: one iteration for each tile and block of k, and one more to finish
 * the last tile -- */

/* Stack slots that LLVM turns into registers. */
typedef struct {
    LLVMValueRef number; /* of this iteration's tile */
    /* the number of the tile whose sums are complete and whose epilogue is due; -1: none */
    LLVMValueRef finished;
    LLVMValueRef k_block; /* of this iteration */
    /* the chunk group: these tiles go through a block of k before the next block */
    LLVMValueRef begin, end;
    LLVMValueRef first, last; /* the thread's tiles: values, not slots */
} TileWalk;

static LLVMValueRef number_slot(Emitter *e, LLVMValueRef value) {
    LLVMValueRef slot = stack_slot(e, e->i64, sizeof(int64_t));
    store(e, value, slot);
    return slot;
}

static LLVMValueRef read_slot(Emitter *e, LLVMValueRef slot) { return load(e, e->i64, slot); }

static LLVMValueRef read_block(Emitter *e, const Matmul *m, const TileWalk *walk) {
    return m->blocking.k_blocks == 1 ? const_i64(e, 0) : read_slot(e, walk->k_block);
}

/* The end of the chunk group of a tile: of its chunk, or of the thread's tiles. */
static LLVMValueRef chunk_group_end(Emitter *e, const Matmul *m, LLVMValueRef number,
                                    LLVMValueRef last) {
    const Blocking *b = &m->blocking;
    Tile tile = tile_of(e, m, number);
    LLVMValueRef row_blocks =
        add(e, times(e, tile.matrix, b->row_blocks), times(e, tile.chunk, b->chunk));
    LLVMValueRef end = times(e, add(e, row_blocks, tile.chunk_size), b->column_blocks);
    return choose(e, lt(e, end, last), end, last);
}

static TileWalk walk_begin(Emitter *e, const Matmul *m, LLVMValueRef first, LLVMValueRef last) {
    return (TileWalk){.number = number_slot(e, first),
                      .finished = number_slot(e, const_i64(e, -1)),
                      .k_block = number_slot(e, const_i64(e, 0)),
                      .begin = number_slot(e, first),
                      .end = number_slot(e, chunk_group_end(e, m, first, last)),
                      .first = first,
                      .last = last};
}

/* Advances to the next tile of this chunk group; at its end to the next block of k; after the last
 * block of k to the next group. */
static void walk_advance(Emitter *e, const Matmul *m, const TileWalk *walk) {
    LLVMValueRef next = plus(e, read_slot(e, walk->number), 1), end = read_slot(e, walk->end),
                 begin = read_slot(e, walk->begin);
    LLVMValueRef block = read_block(e, m, walk), at_end = eq(e, next, end);
    LLVMValueRef is_last = eq(e, block, const_i64(e, m->blocking.k_blocks - 1));
    LLVMValueRef next_block = bit_and(e, at_end, bit_not(e, is_last)),
                 next_group = bit_and(e, at_end, is_last);
    store(e, choose(e, is_last, read_slot(e, walk->number), const_i64(e, -1)), walk->finished);
    store(e, choose(e, next_block, begin, next), walk->number);
    store(e, choose(e, at_end, choose(e, is_last, const_i64(e, 0), plus(e, block, 1)), block),
          walk->k_block);
    store(e, choose(e, next_group, next, begin), walk->begin);
    store(e, choose(e, next_group, chunk_group_end(e, m, next, walk->last), end), walk->end);
}

/* -- an iteration -- */

typedef struct {
    Operands operands;
    Steps steps; /* of this block of k */
    /* the tile that is multiplied, and the one that goes through its epilogue */
    Tile tile, finished;
    LLVMValueRef has_tile; /* false in the last iteration of all */
    /* false in the first iteration, and after a block of k that was not the last one */
    LLVMValueRef has_finished;
    LLVMValueRef spill;                /* the number of the tile's spilled sums */
    LLVMValueRef first_block, is_last; /* of k; NULL: there is one block only */
} Iteration;

static Steps block_steps(Emitter *e, const Matmul *m, LLVMValueRef block) {
    const Blocking *b = &m->blocking;
    LLVMValueRef whole = const_i64(e, b->k_block),
                 left = const_i64(e, m->k - (b->k_blocks - 1) * b->k_block);
    return (Steps){times(e, block, b->k_block),
                   choose(e, eq(e, block, const_i64(e, b->k_blocks - 1)), left, whole)};
}

/* Columns are packed at the first tile of the chunk group and at the first row of a chunk. If all
 * tiles have the same columns, they are packed at the first tile of the thread.
 *
 * Rows are packed at the first tile of the chunk group: the blocks of rows of the group. If the
 * group continues with the next columns, these are all blocks of the chunk. */
static PackPlan pack_plan(Emitter *e, const Matmul *m, const TileWalk *walk, const Tile *tile,
                          LLVMValueRef number, LLVMValueRef has_tile) {
    const Blocking *b = &m->blocking;
    LLVMValueRef begin = read_slot(e, walk->begin), begins = eq(e, number, begin);
    LLVMValueRef count = sub(e, read_slot(e, walk->end), begin);
    LLVMValueRef some = le(e, add(e, tile->in_chunk, count), tile->chunk_size);
    bool same_columns = m->batch == 1 && b->column_blocks == 1 && b->k_blocks == 1;
    LLVMValueRef new_columns = same_columns
                                   ? eq(e, number, walk->first)
                                   : bit_or(e, begins, eq(e, tile->in_chunk, const_i64(e, 0)));
    return (PackPlan){.new_columns = bit_and(e, new_columns, has_tile),
                      .new_rows = bit_and(e, begins, has_tile),
                      .first_block = choose(e, some, tile->in_chunk, const_i64(e, 0)),
                      .row_blocks = choose(e, some, count, tile->chunk_size)};
}

/* What one turn of the loop works on: the tile to multiply, the finished one, and the operands. */
static Iteration iteration_of(Emitter *e, Matmul *m, const TileWalk *walk) {
    LLVMValueRef number = read_slot(e, walk->number), finished = read_slot(e, walk->finished),
                 block = read_block(e, m, walk);
    Tile tile = tile_of(e, m, number);
    Iteration iteration = {.steps = block_steps(e, m, block),
                           .tile = tile,
                           .finished = tile_of(e, m, finished),
                           .has_tile = lt(e, number, walk->last),
                           .has_finished = ge(e, finished, const_i64(e, 0)),
                           .spill = sub(e, number, read_slot(e, walk->begin))};
    PackPlan pack = pack_plan(e, m, walk, &tile, number, iteration.has_tile);
    iteration.operands = pack_operands(e, m, &tile, pack, iteration.steps);
    if (m->blocking.k_blocks == 1) return iteration;
    iteration.first_block = eq(e, block, const_i64(e, 0));
    iteration.is_last = eq(e, block, const_i64(e, m->blocking.k_blocks - 1));
    return iteration;
}

/* The steps that are divided into pieces: the entries of the list of k of the tile, or the k of the
 * block. */
static Steps list_or_steps(Emitter *e, const Iteration *iteration) {
    return iteration->operands.list ? (Steps){const_i64(e, 0), iteration->operands.count}
                                    : iteration->steps;
}

static int64_t piece_count(const Matmul *m) {
    return m->blocking.vectors / m->together * m->blocking.tile_rows;
}

/* The steps of a piece: at most MAX_STEPS, since processors predict the end of a short loop. One
 * loop at the end does the rest. */
static LLVMValueRef piece_length(Emitter *e, const Matmul *m, const Iteration *iteration) {
    enum { MAX_STEPS = 8 };
    LLVMValueRef longest = const_i64(e, MAX_STEPS);
    LLVMValueRef equal = over(e, list_or_steps(e, iteration).count, piece_count(m));
    return choose(e, ult(e, equal, longest), equal, longest);
}

static void begin_sums(Emitter *e, const Matmul *m, const Iteration *iteration) {
    product_clear(e, m);
    if (!iteration->first_block) return;
    If reloading = if_begin(e, bit_and(e, iteration->has_tile, bit_not(e, iteration->first_block)));
    product_reload(e, m, iteration->spill);
    if_end(e, reloading);
}

static void multiply(Emitter *e, const Iteration *iteration, Steps steps) {
    If multiplying = if_begin(e, iteration->has_tile);
    product_add(e, &iteration->operands, steps, iteration->steps.from);
    if_end(e, multiplying);
}

static void piece_then_row(Emitter *e, const Matmul *m, const Iteration *iteration, Steps piece,
                           LLVMValueRef group, LLVMValueRef row) {
    multiply(e, iteration, piece);
    epilogue_row(e, m, &iteration->finished, group, row);
}

/* The processor cannot look past the wait for a division, so the piece is cut into equal parts that
 * stand between slow operations. The last part takes what is left. */
static void row_between_parts(Emitter *e, const Matmul *m, const Iteration *iteration, Steps piece,
                              LLVMValueRef group, LLVMValueRef row) {
    RowEpilogue begun = epilogue_begin_row(e, m, &iteration->finished, group, row);
    for (int level = 0, levels = m->slow.levels; level < levels; level++) {
        epilogue_start_slow(e, m, &begun, level);
        LLVMValueRef each = over(e, piece.count, levels), before = times(e, each, level);
        LLVMValueRef count = level == levels - 1 ? sub(e, piece.count, before) : each;
        multiply(e, iteration, (Steps){add(e, piece.from, before), count});
    }
    epilogue_end_row(e, m, &begun);
}

/* A row's epilogue and a piece of the next tile's product. */
static void piece_and_row(Emitter *e, const Matmul *m, const Iteration *iteration, Steps piece,
                          LLVMValueRef group, LLVMValueRef row) {
    if (m->slow.levels == 0) {
        piece_then_row(e, m, iteration, piece, group, row);
        return;
    }
    LLVMValueRef whole = epilogue_tile_is_whole(e, m, &iteration->finished);
    If in_parts = if_begin(e, whole);
    row_between_parts(e, m, iteration, piece, group, row);
    if_end(e, in_parts);
    if (!whole) return;
    If together = if_begin(e, bit_not(e, whole));
    piece_then_row(e, m, iteration, piece, group, row);
    if_end(e, together);
}

/* If a tile is finished: for each of its groups of vectors, for each row, a piece of the product
 * and the row's epilogue. */
static void emit_pieces(Emitter *e, const Matmul *m, const Iteration *iteration) {
    If finishing = if_begin(e, iteration->has_finished);
    Loop groups = loop_begin(e, const_i64(e, 0));
    Loop rows = loop_begin(e, const_i64(e, 0));
    LLVMValueRef group = groups.index, row = rows.index;
    LLVMValueRef number = add(e, times(e, group, m->blocking.tile_rows), row);
    LLVMValueRef length = piece_length(e, m, iteration), skipped = mul(e, number, length);
    If prefetching = if_begin(e, iteration->has_tile);
    epilogue_prefetch(e, m, &iteration->tile, group, row);
    if_end(e, prefetching);
    Steps piece = {add(e, list_or_steps(e, iteration).from, skipped), length};
    piece_and_row(e, m, iteration, piece, group, row);
    loop_end(e, rows, const_i64(e, m->blocking.tile_rows), 1);
    epilogue_transpose(e, m, &iteration->finished, group);
    loop_end(e, groups, const_i64(e, m->blocking.vectors / m->together), 1);
    if_end(e, finishing);
}

/* Adds the steps that the pieces have left; then the sums are finished, or spilled until the next
 * block of k. */
static void end_sums(Emitter *e, const Matmul *m, const Iteration *iteration) {
    Steps all = list_or_steps(e, iteration);
    LLVMValueRef in_pieces = times(e, piece_length(e, m, iteration), piece_count(m));
    LLVMValueRef done = choose(e, iteration->has_finished, in_pieces, const_i64(e, 0));
    If multiplying = if_begin(e, iteration->has_tile);
    Steps left = {add(e, all.from, done), sub(e, all.count, done)};
    product_add(e, &iteration->operands, left, iteration->steps.from);
    If last = if_begin(e, iteration->is_last);
    product_finish(e, m);
    if_end(e, last);
    if (iteration->is_last) {
        If more = if_begin(e, bit_not(e, iteration->is_last));
        product_spill(e, m, iteration->spill);
        if_end(e, more);
    }
    if_end(e, multiplying);
}

int64_t kernel_matmul(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    if (e->single) return matmul_elements(e, first, last);
    if (matmul_runs_along_images(e)) return matmul_images(e, first, last);
    if (matmul_has_lanes(e)) return matmul_in_lanes(e, first, last);
    if (matmul_has_pairs(e)) return matmul_pairs(e, first, last);
    Matmul m = matmul_of(e);
    TileWalk walk = walk_begin(e, &m, first, last);
    LLVMValueRef tiles = sub(e, last, first);
    Loop loop = loop_begin(e, const_i64(e, 0));
    Iteration iteration = iteration_of(e, &m, &walk);
    begin_sums(e, &m, &iteration);
    emit_pieces(e, &m, &iteration);
    end_sums(e, &m, &iteration);
    walk_advance(e, &m, &walk);
    loop_end(e, loop, plus(e, times(e, tiles, m.blocking.k_blocks), 1), 1);
    return m.batch * m.blocking.row_blocks * m.blocking.column_blocks;
}
