/* The gradient of the weights of a convolution by tiles (ir/ops/winograd.h), before its last
 * transform. Root: winograd_weights, from pictures and gradients to [parts,36,C,O].
 *
 *     sums[0 .. 36) = 0
 *     for each block of tiles of a part:
 *         tiles[0 .. 36) = the transformed tiles of the pictures
 *         gradients[0 .. 36) = the transformed tiles of the gradients
 *         for k < 36: sums[k] += tiles[k] transposed times gradients[k]
 *     compute the epilogue of sums, store
 *
 * A unit is a part and some of the channels: as many as leave room for the sums in the second-level
 * cache. Each unit transforms the gradients anew. */
#include "codegen/kernels/winograd.h"

enum {
    SUM_ELEMENTS = 80 * 1024,   /* of a unit: a third of the cache */
    BLOCK_ELEMENTS = 80 * 1024, /* transformed tiles and gradients of a block */
    MIN_TILES = 8
};

/* Sums of a unit, with one vector of channels at least; tiles and gradients of a block. */
_Static_assert(4 * (SUM_ELEMENTS + WINOGRAD_PRODUCTS * LANES * WINOGRAD_MAX_CHANNELS +
                    BLOCK_ELEMENTS + WINOGRAD_PRODUCTS * MIN_TILES * 2 * WINOGRAD_MAX_CHANNELS) +
                       WINOGRAD_OTHER_BYTES <=
                   PROGRAM_STACK,
               "the gradient of weights by tiles may need more stack than threads have");

typedef struct {
    Winograd w;
    int64_t parts, groups;        /* groups of channels */
    int64_t gradient_step;        /* elements from one of the 36 matrices to the next */
    LLVMValueRef gradients, sums; /* sums: [36][channels of the unit][O] */
    LLVMValueRef line;            /* a tile of gradients, transformed along the height */
} WeightSums;

/* -- sizes -- */

/* The fewest groups whose sums have room. */
static int64_t choose_groups(int64_t channels, int64_t filters) {
    int64_t groups = 1, vectors = channels / LANES;
    while (groups < vectors &&
           (vectors % groups || WINOGRAD_PRODUCTS * channels / groups * filters > SUM_ELEMENTS))
        groups++;
    return groups;
}

static void find_fetched(const Emitter *e, Winograd *w) {
    for (int i = 0; i < 2; i++) {
        NodeId node = w->node->operands[i];
        winograd_fetch(w, &(Fetched){node, e->plan->storage[node], i ? w->to : w->from,
                                     PREFETCH_LATER, .ahead = true});
    }
}

static WeightSums sums_of(Emitter *e) {
    const Node *node = graph_node(e->graph, e->kernel->root);
    Shape from = graph_operand(e->graph, node, 0)->shape,
          to = graph_operand(e->graph, node, 1)->shape;
    WeightSums s = {.parts = node->shape.dim[0],
                    .groups = choose_groups(from.dim[3], to.dim[3]),
                    .w = {.node = node, .from = from, .to = to}};
    s.w.channels = from.dim[3] / s.groups;
    int64_t elements = WINOGRAD_PRODUCTS * (s.w.channels + to.dim[3]);
    winograd_blocks(&s.w, max_i64(MIN_TILES, BLOCK_ELEMENTS / elements), true);
    int64_t rows = to.dim[0] / s.parts * s.w.down; /* as equal as can be */
    s.w.rows = divide_up(rows, divide_up(rows, min_i64(s.w.rows, rows)));
    int64_t tiles = s.w.rows * s.w.columns;
    winograd_reserve(e, &s.w, tiles);
    s.gradient_step = tiles * to.dim[3] + WINOGRAD_GAP;
    s.gradients = winograd_array(e, WINOGRAD_PRODUCTS * s.gradient_step);
    s.sums = winograd_array(e, WINOGRAD_PRODUCTS * s.w.channels * to.dim[3]);
    s.line = winograd_array(e, WINOGRAD_TILE * WINOGRAD_RESULT * LANES);
    find_fetched(e, &s.w);
    return s;
}

/* -- gradients -- */

void winograd_transform_gradients(Emitter *e, const LLVMValueRef y[WINOGRAD_RESULT],
                                  LLVMValueRef to[WINOGRAD_TILE]) {
    LLVMValueRef even = winograd_fused(e, WINOGRAD_NEAR_2, y[2], y[0]),
                 odd = winograd_fused(e, WINOGRAD_NEAR_3, y[3],
                                      winograd_scaled(e, WINOGRAD_NEAR, y[1])),
                 even_far = winograd_fused(e, WINOGRAD_FAR_2, y[2], y[0]),
                 odd_far = winograd_fused(e, WINOGRAD_FAR_3, y[3],
                                          winograd_scaled(e, WINOGRAD_FAR, y[1]));
    to[0] = y[0];
    to[1] = fadd(e, even, odd);
    to[2] = winograd_less(e, even, odd);
    to[3] = fadd(e, even_far, odd_far);
    to[4] = winograd_less(e, even_far, odd_far);
    to[5] = y[3];
}

/* The index of element i of a tile, or 0 if it is beyond `size`; adds that to `inside`. */
static LLVMValueRef tile_index(Emitter *e, LLVMValueRef tile, int64_t i, int64_t size,
                               LLVMValueRef *inside) {
    LLVMValueRef index = plus(e, times(e, tile, WINOGRAD_RESULT), i);
    if (i < size % WINOGRAD_RESULT || size % WINOGRAD_RESULT == 0) return index;
    LLVMValueRef exists = lt(e, index, const_i64(e, size));
    *inside = *inside ? bit_and(e, *inside, exists) : exists;
    return choose(e, exists, index, const_i64(e, 0));
}

/* line[i][j] = element i of the transform of column j of a tile of gradients */
static void transform_down(Emitter *e, const WeightSums *s, Quotient row, LLVMValueRef column,
                           LLVMValueRef filter) {
    for (int j = 0; j < WINOGRAD_RESULT; j++) {
        LLVMValueRef y[WINOGRAD_RESULT], to[WINOGRAD_TILE];
        for (int i = 0; i < WINOGRAD_RESULT; i++) {
            LLVMValueRef inside = NULL, at[] = {row.whole, NULL, NULL, filter};
            at[1] = tile_index(e, row.rest, i, s->w.to.dim[1], &inside);
            at[2] = tile_index(e, column, j, s->w.to.dim[2], &inside);
            y[i] = winograd_element(e, s->w.node->operands[1], at, inside);
        }
        winograd_transform_gradients(e, y, to);
        winograd_store(e, to, WINOGRAD_TILE, winograd_at(e, s->line, const_i64(e, j * LANES)),
                       WINOGRAD_RESULT * LANES);
    }
}

/* gradients[6 i + j] = element j of the transform of line i, for tile `number` of the block */
static void transform_across(Emitter *e, const WeightSums *s, LLVMValueRef number,
                             LLVMValueRef filter) {
    LLVMValueRef first = add(e, times(e, number, s->w.to.dim[3]), filter);
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef y[WINOGRAD_RESULT], to[WINOGRAD_TILE];
    LLVMValueRef line = winograd_at(e, s->line, times(e, loop.index, WINOGRAD_RESULT * LANES));
    winograd_load(e, line, LANES, y, WINOGRAD_RESULT);
    winograd_transform_gradients(e, y, to);
    first = add(e, first, times(e, loop.index, WINOGRAD_TILE * s->gradient_step));
    winograd_store(e, to, WINOGRAD_TILE, winograd_at(e, s->gradients, first), s->gradient_step);
    loop_end(e, loop, const_i64(e, WINOGRAD_TILE), 1);
}

static void emit_gradients(Emitter *e, const WeightSums *s, const TileBlock *block) {
    Loop rows = loop_begin(e, const_i64(e, 0));
    Quotient row = winograd_row(e, &s->w, block, rows.index);
    LLVMValueRef first = mul(e, rows.index, block->columns);
    Loop columns = loop_begin(e, const_i64(e, 0));
    Loop filters = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    transform_down(e, s, row, add(e, block->column, columns.index), filters.index);
    transform_across(e, s, add(e, first, columns.index), filters.index);
    region_end(e, region);
    loop_end(e, filters, const_i64(e, s->w.to.dim[3]), LANES);
    loop_end(e, columns, block->columns, 1);
    loop_end(e, rows, block->rows, 1);
}

/* -- products -- */

/* sums[k][c][o] of a register block, over the tiles of the block. */
static void add_tiles(Emitter *e, const WeightSums *s, const TileBlock *block, const Registers *r,
                      const LLVMValueRef at[3]) {
    LLVMValueRef tiles = winograd_at(e, s->w.tiles, add(e, times(e, at[0], s->w.tile_step), at[1])),
                 gradients =
                     winograd_at(e, s->gradients, add(e, times(e, at[0], s->gradient_step), at[2]));
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef rows[WINOGRAD_ROWS], columns[WINOGRAD_VECTORS];
    LLVMValueRef tile = winograd_at(e, tiles, times(e, loop.index, s->w.channels)),
                 gradient = winograd_at(e, gradients, times(e, loop.index, s->w.to.dim[3]));
    for (int64_t i = 0; i < r->rows; i++) rows[i] = winograd_at(e, tile, const_i64(e, i));
    winograd_load(e, gradient, LANES, columns, r->vectors);
    registers_add(e, r, rows, columns);
    loop_end(e, loop, block->count, 1);
}

static void emit_products(Emitter *e, const WeightSums *s, const TileBlock *block,
                          const TileBlock *next) {
    int64_t filters = s->w.to.dim[3];
    int vectors = winograd_vectors(e, filters), most = e->short_vectors ? 2 : 4;
    Registers r = registers_new(e, e->many_registers ? 16 / vectors : most, vectors);
    Loop products = loop_begin(e, const_i64(e, 0));
    winograd_prefetch(e, &s->w, block, next, products.index);
    Loop columns = loop_begin(e, const_i64(e, 0));
    Loop rows = loop_begin(e, const_i64(e, 0));
    LLVMValueRef row = add(e, times(e, products.index, s->w.channels), rows.index),
                 sums = winograd_at(e, s->sums, add(e, times(e, row, filters), columns.index));
    registers_load(e, &r, sums, filters);
    add_tiles(e, s, block, &r, (LLVMValueRef[]){products.index, rows.index, columns.index});
    registers_store(e, &r, sums, filters);
    loop_end(e, rows, const_i64(e, s->w.channels), r.rows);
    loop_end(e, columns, const_i64(e, filters), r.vectors * LANES);
    loop_end(e, products, const_i64(e, WINOGRAD_PRODUCTS), 1);
}

/* -- results -- */

static void store_sums(Emitter *e, const WeightSums *s, LLVMValueRef part, LLVMValueRef channel) {
    Loop products = loop_begin(e, const_i64(e, 0));
    Loop channels = loop_begin(e, const_i64(e, 0));
    Loop filters = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    LLVMValueRef row = add(e, times(e, products.index, s->w.channels), channels.index),
                 at = add(e, times(e, row, s->w.to.dim[3]), filters.index);
    Place *place = place_new(e, s->w.node->shape, NULL);
    place->axis[0] = coordinate_uniform(part);
    place->axis[1] = coordinate_uniform(products.index);
    place->axis[2] = coordinate_uniform(add(e, channel, channels.index));
    place->axis[3] = (Coordinate){.base = filters.index, .step = 1, .aligned = true};
    emit_set(e, e->kernel->root, place,
             (LaneValue){winograd_vector(e, winograd_at(e, s->sums, at)), false});
    emit_stores(e, place);
    region_end(e, region);
    loop_end(e, filters, const_i64(e, s->w.to.dim[3]), LANES);
    loop_end(e, channels, const_i64(e, s->w.channels), 1);
    loop_end(e, products, const_i64(e, WINOGRAD_PRODUCTS), 1);
}

static void emit_part(Emitter *e, const WeightSums *s, LLVMValueRef part, LLVMValueRef channel) {
    int64_t rows = s->w.to.dim[0] / s->parts * s->w.down;
    LLVMValueRef begin = times(e, part, rows), end = plus(e, begin, rows);
    Loop blocks = loop_begin(e, begin);
    Loop segments = loop_begin(e, const_i64(e, 0));
    TileBlock block = winograd_block(e, &s->w, blocks.index, end, segments.index),
              next =
                  winograd_block(e, &s->w, plus(e, blocks.index, s->w.rows), end, segments.index);
    winograd_tiles_of(e, &s->w, &block, channel);
    emit_gradients(e, s, &block);
    emit_products(e, s, &block, &next);
    loop_end(e, segments, const_i64(e, s->w.segments), 1);
    loop_end(e, blocks, end, s->w.rows);
}

int64_t winograd_weights_kernel(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    WeightSums s = sums_of(e);
    Loop loop = loop_begin(e, first);
    Quotient unit = div_mod(e, loop.index, const_i64(e, s.groups));
    LLVMValueRef channel = times(e, unit.rest, s.w.channels);
    Loop clearing = loop_begin(e, const_i64(e, 0));
    store(e, LLVMConstNull(lanes_of(e->f32)), winograd_at(e, s.sums, clearing.index));
    loop_end(e, clearing, const_i64(e, WINOGRAD_PRODUCTS * s.w.channels * s.w.to.dim[3]), LANES);
    emit_part(e, &s, unit.whole, channel);
    store_sums(e, &s, unit.whole, channel);
    loop_end(e, loop, last, 1);
    return s.parts * s.groups;
}
