/* WINOGRAD kernels: the convolution of pictures by tiles (ir/ops/winograd.h), and the gradient of
 * its weights (winograd_weights.c).
 *
 *     for each block of tiles:
 *         for each of its tiles: tiles[0 .. 36) = the transformed tile
 *         for k < 36: sums[k] = tiles[k] times filters[k]              a matrix product
 *         for each of its tiles: transform sums[0 .. 36), compute the epilogue, store
 *
 * A unit is a block. Its tiles and sums stay in the second-level cache. While the products are
 * computed, the elements of the next block and the places of the results are prefetched. */
#include "codegen/kernels/winograd.h"

enum {
    BLOCK_ELEMENTS = 40 * 1024, /* transformed tiles and sums of a block: a sixth of the cache */
    MIN_TILES = 8
};

/* Tiles and sums of a block, rounded up to less than twice as many tiles. */
_Static_assert(4 * (2 *
                    (BLOCK_ELEMENTS + WINOGRAD_PRODUCTS * MIN_TILES * 2 * WINOGRAD_MAX_CHANNELS)) +
                       WINOGRAD_OTHER_BYTES <=
                   PROGRAM_STACK,
               "a convolution by tiles may need more stack than threads have");

typedef struct {
    Winograd w;
    int64_t together;        /* tiles of a register block */
    int vectors;             /* of filters in a register block */
    int64_t sum_step;        /* elements from one of the 36 matrices to the next */
    LLVMValueRef sums, line; /* line: a tile's sums, transformed along the height */
} Convolution;

/* -- sizes -- */

static void choose_registers(const Emitter *e, Convolution *c) {
    int64_t tiles = c->w.rows * c->w.columns;
    c->vectors = winograd_vectors(e, c->w.to.dim[3]);
    int64_t most = !e->many_registers ? e->short_vectors ? 2 : 6 : c->vectors == 2 ? 12 : 14;
    c->together = min_i64(most, tiles);
    /* the largest number of tiles that fills register blocks best */
    for (int64_t n = c->together; n > most / 2 && n > 0; n--)
        if (round_up(tiles, n) < round_up(tiles, c->together)) c->together = n;
}

/* The values that the kernel stores, and those that elementwise nodes read at the same place; and
 * the pictures. */
static void find_fetched(const Emitter *e, Winograd *w) {
    const Kernel *kernel = e->kernel;
    NodeId pictures = w->node->operands[0];
    winograd_fetch(w, &(Fetched){pictures, e->plan->storage[pictures], w->from, PREFETCH_LATER,
                                 .ahead = true});
    for (uint32_t i = 0; i < kernel->store_count; i++)
        winograd_fetch(w, &(Fetched){kernel->stores[i].node, kernel->stores[i].to, w->to,
                                     PREFETCH_WRITE, .ahead = false});
    for (uint32_t i = 0; i < kernel->node_count; i++) {
        const Node *node = graph_node(e->graph, kernel->nodes[i]);
        for (uint32_t k = 0; k < node->operand_count; k++)
            if (emit_in_place(e, node->operands[k]) && !emit_computes(e, node->operands[k]))
                winograd_fetch(w, &(Fetched){node->operands[k], e->plan->storage[node->operands[k]],
                                             w->to, PREFETCH_LATER, .ahead = false});
    }
}

static Convolution convolution_of(Emitter *e) {
    const Node *node = graph_node(e->graph, e->kernel->root);
    Shape from = graph_operand(e->graph, node, 0)->shape, to = node->shape;
    Convolution c = {.w = {.node = node, .from = from, .to = to, .channels = from.dim[3]}};
    int64_t elements = WINOGRAD_PRODUCTS * (from.dim[3] + to.dim[3]);
    winograd_blocks(&c.w, max_i64(MIN_TILES, BLOCK_ELEMENTS / elements), false);
    choose_registers(e, &c);
    int64_t tiles = round_up(c.w.rows * c.w.columns, c.together);
    winograd_reserve(e, &c.w, tiles);
    c.sum_step = tiles * to.dim[3] + WINOGRAD_GAP;
    c.sums = winograd_array(e, WINOGRAD_PRODUCTS * c.sum_step);
    c.line = winograd_array(e, (WINOGRAD_RESULT * WINOGRAD_TILE + WINOGRAD_RESULT) * LANES);
    find_fetched(e, &c.w);
    return c;
}

static TileBlock block_of(Emitter *e, const Winograd *w, LLVMValueRef unit) {
    Quotient q = div_mod(e, unit, const_i64(e, w->segments));
    LLVMValueRef end = const_i64(e, w->to.dim[0] * w->down);
    return winograd_block(e, w, times(e, q.whole, w->rows), end, q.rest);
}

/* -- products -- */

/* One of the 36 products, and a register block of it: from tile `first`, filter `filter` on. */
typedef struct {
    LLVMValueRef product, first, filter;
    LLVMValueRef tile[WINOGRAD_ROWS]; /* the tiles in memory */
    Registers sums;
} RegisterBlock;

static void add_channel(Emitter *e, const Convolution *c, const RegisterBlock *r,
                        LLVMValueRef channel) {
    LLVMValueRef filters[WINOGRAD_VECTORS], tiles[WINOGRAD_ROWS];
    for (int v = 0; v < r->sums.vectors; v++) {
        Place *place = place_new(e, graph_operand(e->graph, c->w.node, 1)->shape, NULL);
        place->axis[0] = coordinate_uniform(r->product);
        place->axis[1] = coordinate_uniform(channel);
        place->axis[2] =
            (Coordinate){.base = plus(e, r->filter, v * LANES), .step = 1, .aligned = true};
        filters[v] = value_splat(e, emit_value(e, c->w.node->operands[1], place));
    }
    for (int64_t i = 0; i < r->sums.rows; i++) tiles[i] = winograd_at(e, r->tile[i], channel);
    registers_add(e, &r->sums, tiles, filters);
}

/* Tiles after the last one are computed from the last one. */
static void open_registers(Emitter *e, const Convolution *c, const TileBlock *block,
                           RegisterBlock *r) {
    LLVMValueRef matrix = winograd_at(e, c->w.tiles, times(e, r->product, c->w.tile_step));
    LLVMValueRef last = sub(e, block->count, const_i64(e, 1));
    for (int64_t i = 0; i < r->sums.rows; i++) {
        LLVMValueRef tile = min(e, plus(e, r->first, i), last);
        r->tile[i] = winograd_at(e, matrix, times(e, tile, c->w.from.dim[3]));
    }
    registers_clear(e, &r->sums);
}

static void emit_register_block(Emitter *e, const Convolution *c, const TileBlock *block,
                                RegisterBlock *r) {
    open_registers(e, c, block, r);
    Loop channels = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    for (int step = 0; step < e->core->steps; step++)
        add_channel(e, c, r, plus(e, channels.index, step));
    region_end(e, region);
    loop_end(e, channels, const_i64(e, c->w.from.dim[3]), e->core->steps);
    LLVMValueRef tile = add(e, times(e, r->first, c->w.to.dim[3]), r->filter),
                 at = add(e, times(e, r->product, c->sum_step), tile);
    registers_store(e, &r->sums, winograd_at(e, c->sums, at), c->w.to.dim[3]);
}

static void emit_products(Emitter *e, const Convolution *c, const TileBlock *block,
                          const TileBlock *next) {
    RegisterBlock r = {.sums = registers_new(e, c->together, c->vectors)};
    Loop products = loop_begin(e, const_i64(e, 0));
    winograd_prefetch(e, &c->w, block, next, products.index);
    Loop filters = loop_begin(e, const_i64(e, 0));
    Loop tiles = loop_begin(e, const_i64(e, 0));
    r.product = products.index, r.filter = filters.index, r.first = tiles.index;
    emit_register_block(e, c, block, &r);
    loop_end(e, tiles, block->count, c->together);
    loop_end(e, filters, const_i64(e, c->w.to.dim[3]), c->vectors * LANES);
    loop_end(e, products, const_i64(e, WINOGRAD_PRODUCTS), 1);
}

/* -- results -- */

void winograd_transform_sums(Emitter *e, LLVMValueRef m[WINOGRAD_TILE]) {
    LLVMValueRef near = fadd(e, m[1], m[2]), far = fadd(e, m[3], m[4]),
                 near_odd = winograd_less(e, m[1], m[2]), far_odd = winograd_less(e, m[3], m[4]);
    m[0] = fadd(e, fadd(e, m[0], near), far);
    m[1] = winograd_fused(e, WINOGRAD_FAR, far_odd, winograd_scaled(e, WINOGRAD_NEAR, near_odd));
    m[2] = winograd_fused(e, WINOGRAD_FAR_2, far, winograd_scaled(e, WINOGRAD_NEAR_2, near));
    m[3] = fadd(
        e,
        winograd_fused(e, WINOGRAD_FAR_3, far_odd, winograd_scaled(e, WINOGRAD_NEAR_3, near_odd)),
        m[5]);
}

/* line[i][j] = element i of the transform of column j of a tile's sums */
static void transform_down(Emitter *e, const Convolution *c, LLVMValueRef from) {
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef m[WINOGRAD_TILE];
    LLVMValueRef column = add(e, from, times(e, loop.index, c->sum_step));
    winograd_load(e, winograd_at(e, c->sums, column), WINOGRAD_TILE * c->sum_step, m,
                  WINOGRAD_TILE);
    winograd_transform_sums(e, m);
    winograd_store(e, m, WINOGRAD_RESULT, winograd_at(e, c->line, times(e, loop.index, LANES)),
                   WINOGRAD_TILE * LANES);
    loop_end(e, loop, const_i64(e, WINOGRAD_TILE), 1);
}

static void store_results(Emitter *e, const Convolution *c, LLVMValueRef results, Place *place,
                          LLVMValueRef left) {
    LLVMValueRef inside = sub(e, const_i64(e, c->w.to.dim[2]), left);
    Loop loop = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    place->axis[2] = coordinate_uniform(add(e, left, loop.index));
    LLVMValueRef result =
        load(e, lanes_of(e->f32), winograd_at(e, results, times(e, loop.index, LANES)));
    emit_set(e, e->kernel->root, place, (LaneValue){result, false});
    emit_stores(e, place);
    region_end(e, region);
    loop_end(e, loop, min(e, const_i64(e, WINOGRAD_RESULT), inside), 1);
}

/* For each row of results: transforms line[i] and stores what lies inside the result. */
static void transform_across(Emitter *e, const Convolution *c, Quotient row, LLVMValueRef column,
                             LLVMValueRef filter) {
    LLVMValueRef top = times(e, row.rest, WINOGRAD_RESULT),
                 inside = sub(e, const_i64(e, c->w.to.dim[1]), top),
                 results =
                     winograd_at(e, c->line, const_i64(e, WINOGRAD_RESULT * WINOGRAD_TILE * LANES));
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef m[WINOGRAD_TILE];
    winograd_load(e, winograd_at(e, c->line, times(e, loop.index, WINOGRAD_TILE * LANES)), LANES, m,
                  WINOGRAD_TILE);
    winograd_transform_sums(e, m);
    winograd_store(e, m, WINOGRAD_RESULT, results, LANES);
    Place *place = place_new(e, c->w.to, NULL);
    place->axis[0] = coordinate_uniform(row.whole);
    place->axis[1] = coordinate_uniform(add(e, top, loop.index));
    place->axis[3] = (Coordinate){.base = filter, .step = 1, .aligned = true};
    store_results(e, c, results, place, times(e, column, WINOGRAD_RESULT));
    loop_end(e, loop, min(e, const_i64(e, WINOGRAD_RESULT), inside), 1);
}

static void emit_results(Emitter *e, const Convolution *c, const TileBlock *block) {
    Loop rows = loop_begin(e, const_i64(e, 0));
    Quotient row = winograd_row(e, &c->w, block, rows.index);
    Loop columns = loop_begin(e, const_i64(e, 0));
    LLVMValueRef number = add(e, mul(e, rows.index, block->columns), columns.index);
    Loop filters = loop_begin(e, const_i64(e, 0));
    transform_down(e, c, add(e, times(e, number, c->w.to.dim[3]), filters.index));
    transform_across(e, c, row, add(e, block->column, columns.index), filters.index);
    loop_end(e, filters, const_i64(e, c->w.to.dim[3]), LANES);
    loop_end(e, columns, block->columns, 1);
    loop_end(e, rows, block->rows, 1);
}

int64_t kernel_winograd(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    Op op = graph_node(e->graph, e->kernel->root)->op;
    if (op == OP_winograd_weights) return winograd_weights_kernel(e, first, last);
    Convolution c = convolution_of(e);
    Loop loop = loop_begin(e, first);
    TileBlock block = block_of(e, &c.w, loop.index),
              next = block_of(e, &c.w, plus(e, loop.index, 1));
    winograd_tiles_of(e, &c.w, &block, const_i64(e, 0));
    emit_products(e, &c, &block, &next);
    emit_results(e, &c, &block);
    loop_end(e, loop, last, 1);
    return divide_up(c.w.to.dim[0] * c.w.down, c.w.rows) * c.w.segments;
}
