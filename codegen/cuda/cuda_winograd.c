/* Convolution by tiles on a GPU (ir/ops/winograd.h): the results, and the gradient of the weights.
 *
 * A unit of the results is a tile and a filter:
 *
 *     sums[36] = 0
 *     for each channel: sums[k] = fma(transformed tile[k], filter[k, channel], sums[k])
 *     transform the sums, compute the epilogue, store
 *
 * A unit of the gradient is a part of the pictures, a channel and a filter:
 *
 *     sums[36] = 0
 *     for each tile of the part:
 *         sums[k] = fma(transformed tile[k], transformed gradients[k], sums[k])
 *     compute the epilogue, store
 *
 * The 36 sums stay in registers. Neighbouring threads have neighbouring filters, and read the same
 * elements of a picture. */
#include "codegen/cuda/cuda.h"
#include "codegen/kernels/winograd.h"

/* A tile: its picture, and its row and column among the tiles of the picture. */
typedef struct {
    LLVMValueRef picture, row, column;
} TilePlace;

typedef struct {
    const Node *node;
    Shape from, to;       /* pictures [N,H,W,C]; results, or their gradients, [N,OH,OW,O] */
    int64_t down, across; /* tiles of a picture */
    LLVMValueRef sums[WINOGRAD_PRODUCTS]; /* slots, which LLVM turns into registers */
    LLVMValueRef results; /* a slot, f32[WINOGRAD_PRODUCTS]: the elements to be stored */
} ThreadTiles;

static ThreadTiles tiles_of(Emitter *e, Shape to) {
    const Node *node = graph_node(e->graph, e->kernel->root);
    ThreadTiles t = {.node = node,
                     .from = graph_operand(e->graph, node, 0)->shape,
                     .to = to,
                     .down = divide_up(to.dim[1], WINOGRAD_RESULT),
                     .across = divide_up(to.dim[2], WINOGRAD_RESULT)};
    for (int k = 0; k < WINOGRAD_PRODUCTS; k++) t.sums[k] = stack_slot(e, e->f32, sizeof(float));
    t.results = stack_slot(e, LLVMArrayType(e->f32, WINOGRAD_PRODUCTS), sizeof(float));
    return t;
}

static TilePlace tile_at(Emitter *e, const ThreadTiles *t, LLVMValueRef number) {
    LLVMValueRef row = over(e, number, t->across);
    return (TilePlace){.picture = over(e, row, t->down),
                       .row = modulo(e, row, t->down),
                       .column = modulo(e, number, t->across)};
}

/* Element (i, j) of a tile in [N,height,width,channels]; 0 beyond the picture. */
static LLVMValueRef tile_element(Emitter *e, NodeId id, const TilePlace *tile, int i, int j,
                                 LLVMValueRef channel) {
    Shape shape = graph_node(e->graph, id)->shape;
    LLVMValueRef zero = const_i64(e, 0), y = plus(e, times(e, tile->row, WINOGRAD_RESULT), i),
                 x = plus(e, times(e, tile->column, WINOGRAD_RESULT), j);
    LLVMValueRef inside =
        bit_and(e, lt(e, y, const_i64(e, shape.dim[1])), lt(e, x, const_i64(e, shape.dim[2])));
    Place *place = place_new(e, shape, NULL);
    place->axis[0] = coordinate_uniform(tile->picture);
    place->axis[1] = coordinate_uniform(choose(e, inside, y, zero));
    place->axis[2] = coordinate_uniform(choose(e, inside, x, zero));
    place->axis[3] = coordinate_uniform(channel);
    return choose(e, inside, emit_value(e, id, place).value, LLVMConstNull(e->f32));
}

/* x[6 i + j] = the transformed tile: along the height first, then along the width. */
static void transformed_tile(Emitter *e, const ThreadTiles *t, const TilePlace *tile,
                             LLVMValueRef channel, LLVMValueRef x[WINOGRAD_PRODUCTS]) {
    for (int j = 0; j < WINOGRAD_TILE; j++) {
        LLVMValueRef column[WINOGRAD_TILE];
        for (int i = 0; i < WINOGRAD_TILE; i++)
            column[i] = tile_element(e, t->node->operands[0], tile, i, j, channel);
        winograd_transform_tile(e, column);
        for (int i = 0; i < WINOGRAD_TILE; i++) x[i * WINOGRAD_TILE + j] = column[i];
    }
    for (int i = 0; i < WINOGRAD_TILE; i++) winograd_transform_tile(e, &x[i * WINOGRAD_TILE]);
}

/* x[6 i + j] = the transformed gradients of a tile of results, in the same order. */
static void transformed_gradients(Emitter *e, const ThreadTiles *t, const TilePlace *tile,
                                  LLVMValueRef filter, LLVMValueRef x[WINOGRAD_PRODUCTS]) {
    LLVMValueRef lines[WINOGRAD_TILE][WINOGRAD_RESULT];
    for (int j = 0; j < WINOGRAD_RESULT; j++) {
        LLVMValueRef y[WINOGRAD_RESULT], to[WINOGRAD_TILE];
        for (int i = 0; i < WINOGRAD_RESULT; i++)
            y[i] = tile_element(e, t->node->operands[1], tile, i, j, filter);
        winograd_transform_gradients(e, y, to);
        for (int i = 0; i < WINOGRAD_TILE; i++) lines[i][j] = to[i];
    }
    for (int i = 0; i < WINOGRAD_TILE; i++)
        winograd_transform_gradients(e, lines[i], &x[i * WINOGRAD_TILE]);
}

static void clear_sums(Emitter *e, const ThreadTiles *t) {
    for (int k = 0; k < WINOGRAD_PRODUCTS; k++) store(e, LLVMConstNull(e->f32), t->sums[k]);
}

static void add_products(Emitter *e, const ThreadTiles *t, const LLVMValueRef *a,
                         const LLVMValueRef *b) {
    for (int k = 0; k < WINOGRAD_PRODUCTS; k++)
        store(e, emit_fused(e, a[k], b[k], load(e, e->f32, t->sums[k])), t->sums[k]);
}

/* Stores result `number` at a place that exists. */
static void store_result(Emitter *e, const ThreadTiles *t, LLVMValueRef number,
                         const Place *place) {
    LLVMValueRef result = load(e, e->f32, winograd_at(e, t->results, number));
    emit_set(e, e->kernel->root, place, (LaneValue){result, true});
    emit_stores(e, place);
}

/* -- results -- */

static void add_channels(Emitter *e, const ThreadTiles *t, const TilePlace *tile,
                         LLVMValueRef filter) {
    Loop channels = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    LLVMValueRef x[WINOGRAD_PRODUCTS], filters[WINOGRAD_PRODUCTS];
    transformed_tile(e, t, tile, channels.index, x);
    for (int k = 0; k < WINOGRAD_PRODUCTS; k++) {
        Place *place = place_new(e, graph_operand(e->graph, t->node, 1)->shape, NULL);
        place->axis[0] = coordinate_uniform(const_i64(e, k));
        place->axis[1] = coordinate_uniform(channels.index);
        place->axis[2] = coordinate_uniform(filter);
        filters[k] = emit_value(e, t->node->operands[1], place).value;
    }
    add_products(e, t, x, filters);
    region_end(e, region);
    loop_end(e, channels, const_i64(e, t->from.dim[3]), 1);
}

/* results[4 i + j] = the transformed sums: along the height first, then along the width. */
static void transform_results(Emitter *e, const ThreadTiles *t) {
    LLVMValueRef lines[WINOGRAD_RESULT][WINOGRAD_TILE];
    for (int j = 0; j < WINOGRAD_TILE; j++) {
        LLVMValueRef column[WINOGRAD_TILE];
        for (int i = 0; i < WINOGRAD_TILE; i++)
            column[i] = load(e, e->f32, t->sums[i * WINOGRAD_TILE + j]);
        winograd_transform_sums(e, column);
        for (int i = 0; i < WINOGRAD_RESULT; i++) lines[i][j] = column[i];
    }
    for (int i = 0; i < WINOGRAD_RESULT; i++) {
        winograd_transform_sums(e, lines[i]);
        for (int j = 0; j < WINOGRAD_RESULT; j++)
            store(e, lines[i][j],
                  winograd_at(e, t->results, const_i64(e, i * WINOGRAD_RESULT + j)));
    }
}

static void store_results(Emitter *e, const ThreadTiles *t, const TilePlace *tile,
                          LLVMValueRef filter) {
    Loop loop = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    LLVMValueRef y = add(e, times(e, tile->row, WINOGRAD_RESULT),
                         over(e, loop.index, WINOGRAD_RESULT)),
                 x = add(e, times(e, tile->column, WINOGRAD_RESULT),
                         modulo(e, loop.index, WINOGRAD_RESULT));
    If inside = if_begin(
        e, bit_and(e, lt(e, y, const_i64(e, t->to.dim[1])), lt(e, x, const_i64(e, t->to.dim[2]))));
    Place *place = place_new(e, t->to, NULL);
    place->axis[0] = coordinate_uniform(tile->picture);
    place->axis[1] = coordinate_uniform(y);
    place->axis[2] = coordinate_uniform(x);
    place->axis[3] = coordinate_uniform(filter);
    store_result(e, t, loop.index, place);
    if_end(e, inside);
    region_end(e, region);
    loop_end(e, loop, const_i64(e, WINOGRAD_RESULT * WINOGRAD_RESULT), 1);
}

static int64_t emit_convolution(Emitter *e, LLVMValueRef unit) {
    ThreadTiles t = tiles_of(e, graph_node(e->graph, e->kernel->root)->shape);
    Quotient at = div_mod(e, unit, const_i64(e, t.to.dim[3]));
    TilePlace tile = tile_at(e, &t, at.whole);
    clear_sums(e, &t);
    add_channels(e, &t, &tile, at.rest);
    transform_results(e, &t);
    store_results(e, &t, &tile, at.rest);
    return t.to.dim[0] * t.down * t.across * t.to.dim[3];
}

/* -- the gradient of the weights -- */

static void add_tiles(Emitter *e, const ThreadTiles *t, int64_t parts, LLVMValueRef part,
                      LLVMValueRef channel, LLVMValueRef filter) {
    int64_t tiles = t->to.dim[0] / parts * t->down * t->across;
    Loop loop = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    LLVMValueRef x[WINOGRAD_PRODUCTS], gradients[WINOGRAD_PRODUCTS];
    TilePlace tile = tile_at(e, t, add(e, times(e, part, tiles), loop.index));
    transformed_tile(e, t, &tile, channel, x);
    transformed_gradients(e, t, &tile, filter, gradients);
    add_products(e, t, x, gradients);
    region_end(e, region);
    loop_end(e, loop, const_i64(e, tiles), 1);
}

static void store_sums(Emitter *e, const ThreadTiles *t, LLVMValueRef part, LLVMValueRef channel,
                       LLVMValueRef filter) {
    for (int k = 0; k < WINOGRAD_PRODUCTS; k++)
        store(e, load(e, e->f32, t->sums[k]), winograd_at(e, t->results, const_i64(e, k)));
    Loop loop = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    Place *place = place_new(e, t->node->shape, NULL);
    place->axis[0] = coordinate_uniform(part);
    place->axis[1] = coordinate_uniform(loop.index);
    place->axis[2] = coordinate_uniform(channel);
    place->axis[3] = coordinate_uniform(filter);
    store_result(e, t, loop.index, place);
    region_end(e, region);
    loop_end(e, loop, const_i64(e, WINOGRAD_PRODUCTS), 1);
}

static int64_t emit_gradient(Emitter *e, LLVMValueRef unit) {
    const Node *node = graph_node(e->graph, e->kernel->root);
    ThreadTiles t = tiles_of(e, graph_operand(e->graph, node, 1)->shape);
    int64_t parts = node->shape.dim[0];
    Quotient row = div_mod(e, unit, const_i64(e, t.to.dim[3])),
             part = div_mod(e, row.whole, const_i64(e, t.from.dim[3]));
    clear_sums(e, &t);
    add_tiles(e, &t, parts, part.whole, part.rest, row.rest);
    store_sums(e, &t, part.whole, part.rest, row.rest);
    return parts * t.from.dim[3] * t.to.dim[3];
}

int64_t cuda_winograd(Emitter *e, LLVMValueRef unit, LLVMValueRef last) {
    (void)last;
    Op op = graph_node(e->graph, e->kernel->root)->op;
    return op == OP_winograd ? emit_convolution(e, unit) : emit_gradient(e, unit);
}
