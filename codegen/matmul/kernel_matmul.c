/* MATMUL kernels: tiles of the product are computed in registers, then finished by the epilogue. Usually a tile's columns are
 * those of the product (n); swapped kernels compute the transposed product (columns along m).
 *
 * Tiles are numbered so that the blocks of rows of a chunk vary fastest, then blocks of columns, then chunks, then matrices of a
 * batch. A thread computes some range of these numbers. Where k is cut into blocks, all tiles of the range that share a chunk go
 * through one block of k before the next, their sums put aside meanwhile (which rounds nothing): so the rows of a chunk stay in
 * the second-level cache while all columns go by, and a block of columns while the chunk's rows do.
 *
 * The epilogue of a tile is not done at once but piece by piece between the multiply-adds of the next one: while those keep the
 * multipliers busy, an optimizer's divisions, square roots and cache misses take their time beside them.
 *
 * Bound: an AVX-512 processor starts one or two FMAs of 16 lanes a cycle. Eight rows by two vectors make 16 chains of FMAs (a
 * latency of 4 cycles needs 8), with 2 vector loads and 8 broadcasts for 16 FMAs. */
#include "codegen/matmul/matmul.h"

/* -- the product -- */

static Side side_of(const Emitter *e, const Node *node, int operand, Storage storage, bool transposed) {
    Shape stored = graph_operand(e->graph, node, (uint32_t)operand)->shape;
    Shape matrix = {.rank = 2, .dim = {stored.dim[stored.rank - 2], stored.dim[stored.rank - 1]}};
    int line_axis = operand == 0 ? (transposed ? 1 : 0) : (transposed ? 0 : 1);
    return (Side){.storage = storage,
                  .shape = matrix,
                  .line_axis = line_axis,
                  .lines = matrix.dim[line_axis],
                  .k = matrix.dim[1 - line_axis],
                  .matrix = matrix.dim[0] * matrix.dim[1]};
}

/* Neighbouring axes of which the outer one goes on where the inner one ends become one. */
static Walked walked(const int64_t size[WALK_AXES], const int64_t step[WALK_AXES]) {
    Walked w = {0};
    for (int i = 0; i < WALK_AXES; i++) {
        bool goes_on = w.count && w.step[w.count - 1] == size[i] * step[i];
        if (!goes_on) w.size[w.count++] = 1;
        w.size[w.count - 1] *= size[i];
        w.step[w.count - 1] = step[i];
    }
    return w;
}

/* Rows of the stored matrix are windows, columns the elements of one, both found in the picture. */
static Side windows_side(const Emitter *e, Side side) {
    const Node *windows = graph_node(e->graph, e->kernel->product.windows);
    WindowsPicture p = windows_picture(e->graph, windows);
    Shape each = windows->shape;
    const Window *window = &windows->attrs.window;
    Walked place = walked(each.dim, (int64_t[]){p.image, window->stride[0] * p.row, window->stride[1] * p.pixel});
    Walked inside = walked(&each.dim[3], (int64_t[]){window->dilation[0] * p.row, window->dilation[1] * p.pixel, p.channel});
    side.windows = true;
    side.line_walk = side.line_axis == 0 ? place : inside;
    side.k_walk = side.line_axis == 0 ? inside : place;
    side.matrix = side.shape.dim[0] / (each.dim[1] * each.dim[2]) * p.image;
    return side;
}

static void choose_blocking(const Emitter *e, Matmul *m) {
    m->blocking = blocking_choose(&(ProductSize){.rows = m->rows.lines,
                                                 .columns = m->across.count,
                                                 .k = m->k,
                                                 .many_registers = e->many_registers,
                                                 .panels = product_columns_packed_already(m),
                                                 .run = m->rows.windows ? walked_run(&m->rows.line_walk).size : 0,
                                                 .rows_adjoin = product_rows_adjoin(m),
                                                 .windows_across = m->columns.windows,
                                                 .lists_zeros = e->kernel->product.skips_zeros && m->batch == 1,
                                                 .group = e->kernel->by_rows ? PLAN_ROWS : 0});
    m->tile_columns = m->blocking.vectors * LANES;
    m->together = m->blocking.vectors % 2 ? 1 : 2;
}

/* Both copies, with gaps between panels; saved sums; lists and their lengths. The rest are a tile and what is put aside of it. */
enum {
    REST = 128 * 1024,
    SLOTS = 4 * (2 * (MOST_PACKED + MOST_PACKED / 32) + MOST_SAVED + 2 * LIST_ENTRIES) + 8 * LIST_ENTRIES + REST
};
_Static_assert((int)SLOTS <= (int)PROGRAM_STACK, "a matrix product may need more stack than threads have");

static void reserve_slots(Emitter *e, Matmul *m) {
    const Blocking *b = &m->blocking;
    LLVMTypeRef vector = lanes_of(e->f32), tile = LLVMArrayType(vector, (unsigned)(b->tile_rows * b->vectors));
    for (int64_t r = 0; r < b->tile_rows; r++)
        for (int v = 0; v < b->vectors; v++) m->sums[r][v] = stack_slot(e, vector, 64);
    m->finished = stack_slot(e, tile, 64);
    if (b->k_blocks > 1) m->saved = stack_slot(e, LLVMArrayType(tile, (unsigned)(b->chunk * b->column_blocks)), 64);
    m->turned = epilogue_turned_slots(e, m);
    pack_reserve(e, m);
    if (m->blocking.lists_zeros) zeros_reserve(e, m);
}

Matmul matmul_of(Emitter *e) {
    const Kernel *kernel = e->kernel;
    const Node *node = graph_node(e->graph, kernel->root);
    Side left = side_of(e, node, 0, kernel->product.left, node->attrs.matmul.transpose_a);
    if (kernel->product.windows) left = windows_side(e, left);
    Side right = side_of(e, node, 1, kernel->product.right, node->attrs.matmul.transpose_b);
    Matmul m = {.rows = kernel->product.swapped ? right : left, .columns = kernel->product.swapped ? left : right, .k = left.k};
    m.batch = shape_elements(node->shape) / (left.lines * right.lines);
    m.across = columns_across(&m.columns);
    choose_blocking(e, &m);
    reserve_slots(e, &m);
    return m;
}

/* -- small arithmetic -- */

static LLVMValueRef plus(Emitter *e, LLVMValueRef a, int64_t b) { return LLVMBuildAdd(e->builder, a, const_i64(e, b), ""); }
static LLVMValueRef times(Emitter *e, LLVMValueRef a, int64_t b) { return LLVMBuildMul(e->builder, a, const_i64(e, b), ""); }
static LLVMValueRef both(Emitter *e, LLVMValueRef a, LLVMValueRef b) { return LLVMBuildAnd(e->builder, a, b, ""); }
static LLVMValueRef negated(Emitter *e, LLVMValueRef a) { return LLVMBuildNot(e->builder, a, ""); }
static LLVMValueRef choose(Emitter *e, LLVMValueRef condition, LLVMValueRef yes, LLVMValueRef no) {
    return LLVMBuildSelect(e->builder, condition, yes, no, "");
}
static LLVMValueRef equals(Emitter *e, LLVMValueRef a, LLVMValueRef b) {
    return LLVMBuildICmp(e->builder, LLVMIntEQ, a, b, "");
}

typedef struct {
    LLVMValueRef whole, rest;
} Quotient;

/* There is one whole only: a is below b. */
static Quotient divide_once(Emitter *e, LLVMValueRef a) { return (Quotient){const_i64(e, 0), a}; }

static Quotient divide(Emitter *e, LLVMValueRef a, LLVMValueRef b) {
    return (Quotient){LLVMBuildUDiv(e->builder, a, b, ""), LLVMBuildURem(e->builder, a, b, "")};
}

/* -- tiles by number -- */

/* Blocks of rows of a chunk: the last one may have fewer. */
static LLVMValueRef chunk_size(Emitter *e, const Blocking *b, LLVMValueRef chunk) {
    int64_t last = b->row_blocks - (b->chunks - 1) * b->chunk;
    if (last == b->chunk) return const_i64(e, b->chunk);
    return choose(e, equals(e, chunk, const_i64(e, b->chunks - 1)), const_i64(e, last), const_i64(e, b->chunk));
}

static Tile tile_of(Emitter *e, const Matmul *m, LLVMValueRef number) {
    const Blocking *b = &m->blocking;
    LLVMValueRef of_matrix = const_i64(e, b->row_blocks * b->column_blocks),
                 of_chunk = const_i64(e, b->chunk * b->column_blocks);
    Quotient matrix = m->batch == 1 ? divide_once(e, number) : divide(e, number, of_matrix);
    Quotient chunk = b->chunks == 1 ? divide_once(e, matrix.rest) : divide(e, matrix.rest, of_chunk);
    LLVMValueRef size = chunk_size(e, b, chunk.whole);
    Quotient column = divide(e, chunk.rest, size);
    LLVMValueRef row_block = LLVMBuildAdd(e->builder, times(e, chunk.whole, b->chunk), column.rest, "");
    return (Tile){.matrix = matrix.whole,
                  .row = times(e, row_block, b->tile_rows),
                  .column = times(e, column.whole, m->tile_columns),
                  .chunk = chunk.whole,
                  .in_chunk = column.rest,
                  .chunk_size = size};
}

/* -- the walk over tiles and blocks of k: one turn for each tile and block, then one to finish the last tile -- */

/* Stack slots that LLVM turns into registers. */
typedef struct {
    LLVMValueRef number;      /* of the tile at hand */
    LLVMValueRef before;      /* the tile that has all its sums and is to be finished; -1: none */
    LLVMValueRef k_block;     /* the block of k at hand */
    LLVMValueRef begin, end;  /* the tiles that go through the blocks of k together */
    LLVMValueRef first, last; /* the thread's tiles: not slots */
} Walk;

static LLVMValueRef number_slot(Emitter *e, LLVMValueRef value) {
    LLVMValueRef slot = stack_slot(e, e->i64, sizeof(int64_t));
    LLVMBuildStore(e->builder, value, slot);
    return slot;
}

static LLVMValueRef read(Emitter *e, LLVMValueRef slot) { return LLVMBuildLoad2(e->builder, e->i64, slot, ""); }

static LLVMValueRef read_block(Emitter *e, const Matmul *m, const Walk *walk) {
    return m->blocking.k_blocks == 1 ? const_i64(e, 0) : read(e, walk->k_block);
}

/* The end of the tiles that share a chunk with tile `number` and are the thread's. */
static LLVMValueRef company_end(Emitter *e, const Matmul *m, LLVMValueRef number, LLVMValueRef last) {
    const Blocking *b = &m->blocking;
    Tile tile = tile_of(e, m, number);
    LLVMValueRef chunks = LLVMBuildAdd(e->builder, times(e, tile.matrix, b->row_blocks), times(e, tile.chunk, b->chunk), "");
    LLVMValueRef end = times(e, LLVMBuildAdd(e->builder, chunks, tile.chunk_size, ""), b->column_blocks);
    return choose(e, LLVMBuildICmp(e->builder, LLVMIntSLT, end, last, ""), end, last);
}

static Walk walk_begin(Emitter *e, const Matmul *m, LLVMValueRef first, LLVMValueRef last) {
    return (Walk){.number = number_slot(e, first),
                  .before = number_slot(e, const_i64(e, -1)),
                  .k_block = number_slot(e, const_i64(e, 0)),
                  .begin = number_slot(e, first),
                  .end = number_slot(e, company_end(e, m, first, last)),
                  .first = first,
                  .last = last};
}

/* To the next tile of the company; after its last one to the next block of k; after the last block to the next company. */
static void walk_on(Emitter *e, const Matmul *m, const Walk *walk) {
    LLVMValueRef next = plus(e, read(e, walk->number), 1), end = read(e, walk->end), begin = read(e, walk->begin);
    LLVMValueRef block = read_block(e, m, walk), at_end = equals(e, next, end);
    LLVMValueRef is_last = equals(e, block, const_i64(e, m->blocking.k_blocks - 1));
    LLVMValueRef again = both(e, at_end, negated(e, is_last)), onward = both(e, at_end, is_last);
    LLVMBuildStore(e->builder, choose(e, is_last, read(e, walk->number), const_i64(e, -1)), walk->before);
    LLVMBuildStore(e->builder, choose(e, again, begin, next), walk->number);
    LLVMBuildStore(e->builder, choose(e, at_end, choose(e, is_last, const_i64(e, 0), plus(e, block, 1)), block), walk->k_block);
    LLVMBuildStore(e->builder, choose(e, onward, next, begin), walk->begin);
    LLVMBuildStore(e->builder, choose(e, onward, company_end(e, m, next, walk->last), end), walk->end);
}

/* -- a turn: a tile on its way, another one on its way out; either may be missing -- */

typedef struct {
    Operands operands;
    Steps steps;
    Tile tile, before;
    LLVMValueRef has_tile, has_before;
    LLVMValueRef saved;                /* which of the sums put aside are the tile's */
    LLVMValueRef first_block, is_last; /* of k; NULL: there is one block only */
} Turn;

static Steps block_steps(Emitter *e, const Matmul *m, LLVMValueRef block) {
    const Blocking *b = &m->blocking;
    LLVMValueRef whole = const_i64(e, b->k_block), left = const_i64(e, m->k - (b->k_blocks - 1) * b->k_block);
    return (Steps){times(e, block, b->k_block), choose(e, equals(e, block, const_i64(e, b->k_blocks - 1)), left, whole)};
}

/* The first row of a chunk, or the first of the thread's tiles there; where all tiles have the same columns, the thread's first. */
static LLVMValueRef columns_begin(Emitter *e, const Matmul *m, const Walk *walk, const Tile *tile, LLVMValueRef number,
                                  LLVMValueRef begins) {
    const Blocking *b = &m->blocking;
    bool same = m->batch == 1 && b->column_blocks == 1 && b->k_blocks == 1;
    if (same) return equals(e, number, walk->first);
    return LLVMBuildOr(e->builder, begins, equals(e, tile->in_chunk, const_i64(e, 0)), "");
}

/* Tiles from `begin` to `end` go through some blocks of rows of the chunk, or reach its last one and begin again: then they need all. */
static Fresh freshness(Emitter *e, const Matmul *m, const Walk *walk, const Tile *tile, LLVMValueRef number,
                       LLVMValueRef has_tile) {
    LLVMValueRef begin = read(e, walk->begin), begins = equals(e, number, begin);
    LLVMValueRef count = LLVMBuildSub(e->builder, read(e, walk->end), begin, "");
    LLVMValueRef end = LLVMBuildAdd(e->builder, tile->in_chunk, count, "");
    LLVMValueRef some = LLVMBuildICmp(e->builder, LLVMIntSLE, end, tile->chunk_size, "");
    return (Fresh){.new_columns = both(e, columns_begin(e, m, walk, tile, number, begins), has_tile),
                   .new_rows = both(e, begins, has_tile),
                   .first_block = choose(e, some, tile->in_chunk, const_i64(e, 0)),
                   .row_blocks = choose(e, some, count, tile->chunk_size)};
}

static Turn turn_of(Emitter *e, Matmul *m, const Walk *walk) {
    LLVMValueRef number = read(e, walk->number), before = read(e, walk->before), block = read_block(e, m, walk);
    Tile tile = tile_of(e, m, number);
    Turn turn = {.steps = block_steps(e, m, block),
                 .tile = tile,
                 .before = tile_of(e, m, before),
                 .has_tile = LLVMBuildICmp(e->builder, LLVMIntSLT, number, walk->last, ""),
                 .has_before = LLVMBuildICmp(e->builder, LLVMIntSGE, before, const_i64(e, 0), ""),
                 .saved = LLVMBuildSub(e->builder, number, read(e, walk->begin), "")};
    Fresh fresh = freshness(e, m, walk, &tile, number, turn.has_tile);
    turn.operands = pack_operands(e, m, &tile, fresh, turn.steps);
    if (m->blocking.k_blocks == 1) return turn;
    turn.first_block = equals(e, block, const_i64(e, 0));
    turn.is_last = equals(e, block, const_i64(e, m->blocking.k_blocks - 1));
    return turn;
}

/* The steps of the tile that are cut into pieces: of its list, or of k. */
static Steps turn_steps(Emitter *e, const Turn *turn) {
    return turn->operands.list ? (Steps){const_i64(e, 0), turn->operands.count} : turn->steps;
}

static int64_t piece_count(const Matmul *m) { return m->blocking.vectors / m->together * m->blocking.tile_rows; }

/* Short pieces, or none: branches out of short loops are foreseen. What they leave comes in one loop at the end. */
static LLVMValueRef piece_length(Emitter *e, const Matmul *m, const Turn *turn) {
    enum { MOST_STEPS = 8 };
    LLVMValueRef most = const_i64(e, MOST_STEPS);
    LLVMValueRef equal = LLVMBuildUDiv(e->builder, turn_steps(e, turn).count, const_i64(e, piece_count(m)), "");
    return choose(e, LLVMBuildICmp(e->builder, LLVMIntULT, equal, most, ""), equal, most);
}

/* A piece of the product, then one row of a group of vectors of the tile before. */
static void emit_piece(Emitter *e, const Matmul *m, const Turn *turn, LLVMValueRef group, LLVMValueRef row) {
    LLVMValueRef number = LLVMBuildAdd(e->builder, times(e, group, m->blocking.tile_rows), row, "");
    LLVMValueRef length = piece_length(e, m, turn), skipped = LLVMBuildMul(e->builder, number, length, "");
    If multiplying = if_begin(e, turn->has_tile);
    Steps piece = {LLVMBuildAdd(e->builder, turn_steps(e, turn).from, skipped, ""), length};
    epilogue_fetch(e, m, &turn->tile, group, row);
    product_add(e, &turn->operands, piece, turn->steps.from);
    if_end(e, multiplying);
    epilogue_row(e, m, &turn->before, group, row);
}

static void emit_group(Emitter *e, const Matmul *m, const Turn *turn, LLVMValueRef group) {
    Loop rows = loop_begin(e, const_i64(e, 0));
    emit_piece(e, m, turn, group, rows.index);
    loop_end(e, rows, const_i64(e, m->blocking.tile_rows), 1);
    epilogue_turn(e, m, &turn->before, group);
}

/* The epilogue of the tile before, if there is one, between pieces of the product. */
static void emit_pieces(Emitter *e, const Matmul *m, const Turn *turn) {
    If finishing = if_begin(e, turn->has_before);
    Loop groups = loop_begin(e, const_i64(e, 0));
    emit_group(e, m, turn, groups.index);
    loop_end(e, groups, const_i64(e, m->blocking.vectors / m->together), 1);
    if_end(e, finishing);
}

static void begin_sums(Emitter *e, const Matmul *m, const Turn *turn) {
    product_clear(e, m);
    if (!turn->first_block) return;
    If resuming = if_begin(e, both(e, turn->has_tile, negated(e, turn->first_block)));
    product_resume(e, m, turn->saved);
    if_end(e, resuming);
}

static void save_or_finish(Emitter *e, const Matmul *m, const Turn *turn) {
    If last = if_begin(e, turn->is_last);
    product_finish(e, m);
    if_end(e, last);
    if (!turn->is_last) return;
    If more = if_begin(e, negated(e, turn->is_last));
    product_save(e, m, turn->saved);
    if_end(e, more);
}

/* What the pieces have left of the steps; then the sums are what they are to be. */
static void end_sums(Emitter *e, const Matmul *m, const Turn *turn) {
    Steps all = turn_steps(e, turn);
    LLVMValueRef in_pieces = times(e, piece_length(e, m, turn), piece_count(m));
    LLVMValueRef done = choose(e, turn->has_before, in_pieces, const_i64(e, 0));
    If multiplying = if_begin(e, turn->has_tile);
    Steps left = {LLVMBuildAdd(e->builder, all.from, done, ""), LLVMBuildSub(e->builder, all.count, done, "")};
    product_add(e, &turn->operands, left, turn->steps.from);
    save_or_finish(e, m, turn);
    if_end(e, multiplying);
}

int64_t kernel_matmul(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    Matmul m = matmul_of(e);
    Walk walk = walk_begin(e, &m, first, last);
    LLVMValueRef tiles = LLVMBuildSub(e->builder, last, first, "");
    Loop turns = loop_begin(e, const_i64(e, 0));
    Turn turn = turn_of(e, &m, &walk);
    begin_sums(e, &m, &turn);
    emit_pieces(e, &m, &turn);
    end_sums(e, &m, &turn);
    walk_on(e, &m, &walk);
    loop_end(e, turns, plus(e, times(e, tiles, m.blocking.k_blocks), 1), 1);
    return m.batch * m.blocking.row_blocks * m.blocking.column_blocks;
}
