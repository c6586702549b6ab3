/* WINOGRAD kernels: the convolution of pictures by tiles (ir/ops/winograd.h).
 *
 *     for each block of tiles:
 *         for each of its tiles: tiles[0 .. 36) = the transformed tile
 *         for k < 36: sums[k] = tiles[k] times filters[k]              a matrix product
 *         for each of its tiles: transform sums[0 .. 36), compute the epilogue, store
 *
 * A unit is a block: a rectangle of tiles, whose rows may belong to several pictures. Its tiles and
 * sums stay in the second-level cache. While the products are computed, the elements of the next
 * block and the places of the results are prefetched. */
#include "codegen/kernels/kernels.h"
#include "ir/ops/winograd.h"

enum {
    MOST_ACROSS = 14,           /* tiles of a block side by side */
    BLOCK_ELEMENTS = 40 * 1024, /* transformed tiles and sums of a block: a sixth of the cache */
    LEAST_TILES = 8,
    GAP = LANES, /* elements between matrices, so that they are not a power of two apart */
    STEPS = 4,   /* channels in one iteration of a product's loop */
    MOST_TOGETHER = 14,
    MOST_VECTORS = 2,
    MOST_FETCHED = 8 /* that are prefetched */
};

/* A value in the slab that the epilogue reads, or one that it stores. */
typedef struct {
    NodeId node;
    Storage storage;
    Prefetch how;
} Fetched;

/* The sizes of the kernel, and its arrays. */
typedef struct {
    const Node *node;
    Shape from, to;              /* [N,H,W,C] and [N,OH,OW,O] */
    int64_t down, across;        /* tiles of a picture */
    int64_t rows, columns;       /* tiles of a whole block */
    int64_t segments;            /* blocks side by side */
    int64_t together;            /* tiles of a register block */
    int vectors;                 /* of filters in a register block */
    int64_t tile_step, sum_step; /* elements from one of the 36 matrices to the next */
    /* lines: a row of tiles, transformed along the height, for one vector of channels; line: the
     * same of one tile's results */
    LLVMValueRef tiles, sums, lines, line;
    Fetched fetched[MOST_FETCHED];
    int fetched_count;
} Winograd;

/* The tiles of a block: rows [row, row + rows) of all pictures, columns [column, column +
 * columns). */
typedef struct {
    LLVMValueRef row, rows, column, columns, count;
} Block;

/* -- sizes -- */

/* The largest number of tiles that fills register blocks best. */
static int64_t choose_together(int64_t tiles, int64_t most) {
    int64_t best = min_i64(most, tiles);
    for (int64_t n = best; n > most / 2 && n > 0; n--)
        if (round_up(tiles, n) < round_up(tiles, best)) best = n;
    return best;
}

static void choose_block(Winograd *w) {
    int64_t channels = w->from.dim[3] + w->to.dim[3];
    int64_t most = max_i64(LEAST_TILES, BLOCK_ELEMENTS / (WINOGRAD_PRODUCTS * channels));
    w->segments = divide_up(w->across, min_i64(most, MOST_ACROSS));
    w->columns = divide_up(w->across, w->segments);
    w->rows = clamp_i64(most / w->columns, 1, w->to.dim[0] * w->down);
}

static void choose_registers(const Emitter *e, Winograd *w) {
    w->vectors = e->many_registers && w->to.dim[3] % (2 * LANES) == 0 ? 2 : 1;
    int64_t most = !e->many_registers ? e->short_vectors ? 2 : 6 : w->vectors == 2 ? 12 : 14;
    w->together = choose_together(w->rows * w->columns, most);
}

static LLVMValueRef array(Emitter *e, int64_t elements) {
    return stack_slot(e, LLVMArrayType(e->f32, (unsigned)elements), 64);
}

static Winograd winograd_of(Emitter *e) {
    const Node *node = graph_node(e->graph, e->kernel->root);
    Winograd w = {.node = node, .from = graph_operand(e->graph, node, 0)->shape, .to = node->shape};
    w.down = divide_up(w.to.dim[1], WINOGRAD_RESULT);
    w.across = divide_up(w.to.dim[2], WINOGRAD_RESULT);
    choose_block(&w);
    choose_registers(e, &w);
    int64_t tiles = round_up(w.rows * w.columns, w.together);
    w.tile_step = tiles * w.from.dim[3] + GAP;
    w.sum_step = tiles * w.to.dim[3] + GAP;
    w.tiles = array(e, WINOGRAD_PRODUCTS * w.tile_step);
    w.sums = array(e, WINOGRAD_PRODUCTS * w.sum_step);
    w.lines = array(e, WINOGRAD_TILE * (WINOGRAD_RESULT * w.columns + 2) * LANES);
    w.line = array(e, (WINOGRAD_RESULT * WINOGRAD_TILE + WINOGRAD_RESULT) * LANES);
    return w;
}

static Block block_of(Emitter *e, const Winograd *w, LLVMValueRef unit) {
    Quotient q = div_mod(e, unit, const_i64(e, w->segments));
    Block block = {.row = times(e, q.whole, w->rows), .column = times(e, q.rest, w->columns)};
    LLVMValueRef below = sub(e, const_i64(e, w->to.dim[0] * w->down), block.row),
                 right = sub(e, const_i64(e, w->across), block.column);
    block.rows = min(e, const_i64(e, w->rows), below);
    block.columns = min(e, const_i64(e, w->columns), right);
    block.count = mul(e, block.rows, block.columns);
    return block;
}

/* -- transforms along one axis: the sequences of ir/eval/eval_winograd_loops.h -- */

static LLVMValueRef real(Emitter *e, double value) {
    return value_splat(e, (LaneValue){LLVMConstReal(e->f32, value), true});
}

static LLVMValueRef fused(Emitter *e, double a, LLVMValueRef b, LLVMValueRef c) {
    return emit_fused(e, real(e, a), b, c);
}

static LLVMValueRef scaled(Emitter *e, double a, LLVMValueRef b) {
    return LLVMBuildFMul(e->builder, real(e, a), b, "");
}

static LLVMValueRef less(Emitter *e, LLVMValueRef a, LLVMValueRef b) {
    return LLVMBuildFSub(e->builder, a, b, "");
}

static void transform_tile(Emitter *e, LLVMValueRef x[WINOGRAD_TILE]) {
    LLVMValueRef even = fused(e, -WINOGRAD_FAR_2, x[2], x[4]),
                 odd = fused(e, -WINOGRAD_FAR_2, x[1], x[3]),
                 even_near = fused(e, -WINOGRAD_NEAR_2, x[2], x[4]),
                 odd_near = fused(e, -WINOGRAD_NEAR_2, x[1], x[3]);
    x[0] = fused(e, -WINOGRAD_SUM, x[2], fused(e, WINOGRAD_PRODUCT, x[0], x[4]));
    x[5] = fused(e, -WINOGRAD_SUM, x[3], fused(e, WINOGRAD_PRODUCT, x[1], x[5]));
    x[1] = fused(e, WINOGRAD_NEAR, odd, even);
    x[2] = fused(e, -WINOGRAD_NEAR, odd, even);
    x[3] = fused(e, WINOGRAD_FAR, odd_near, even_near);
    x[4] = fused(e, -WINOGRAD_FAR, odd_near, even_near);
}

static void transform_sums(Emitter *e, LLVMValueRef m[WINOGRAD_TILE]) {
    LLVMValueRef near = fadd(e, m[1], m[2]), far = fadd(e, m[3], m[4]),
                 near_odd = less(e, m[1], m[2]), far_odd = less(e, m[3], m[4]);
    m[0] = fadd(e, fadd(e, m[0], near), far);
    m[1] = fused(e, WINOGRAD_FAR, far_odd, scaled(e, WINOGRAD_NEAR, near_odd));
    m[2] = fused(e, WINOGRAD_FAR_2, far, scaled(e, WINOGRAD_NEAR_2, near));
    m[3] = fadd(e, fused(e, WINOGRAD_FAR_3, far_odd, scaled(e, WINOGRAD_NEAR_3, near_odd)), m[5]);
}

/* -- arrays of vectors -- */

static LLVMValueRef element(Emitter *e, LLVMValueRef array_base, LLVMValueRef offset) {
    return element_pointer(e, array_base, DTYPE_F32, offset);
}

static void load_six(Emitter *e, LLVMValueRef first, int64_t step,
                     LLVMValueRef six[WINOGRAD_TILE]) {
    for (int i = 0; i < WINOGRAD_TILE; i++)
        six[i] = load(e, lanes_of(e->f32), element(e, first, const_i64(e, i * step)));
}

static void store_some(Emitter *e, LLVMValueRef *values, int count, LLVMValueRef first,
                       int64_t step) {
    for (int i = 0; i < count; i++) store(e, values[i], element(e, first, const_i64(e, i * step)));
}

/* -- tiles -- */

/* Sixteen channels of an element of a picture; rows below the picture are zeros. */
static LLVMValueRef picture_element(Emitter *e, const Winograd *w, Quotient row, int64_t below,
                                    LLVMValueRef x, LLVMValueRef channel) {
    LLVMValueRef y = plus(e, times(e, row.rest, WINOGRAD_RESULT), below), inside = NULL;
    if ((w->down - 1) * WINOGRAD_RESULT + below >= w->from.dim[1]) {
        inside = lt(e, y, const_i64(e, w->from.dim[1]));
        y = choose(e, inside, y, const_i64(e, 0));
    }
    Place *place = place_new(e, w->from, NULL);
    place->axis[0] = coordinate_uniform(row.whole);
    place->axis[1] = coordinate_uniform(y);
    place->axis[2] = coordinate_uniform(x);
    place->axis[3] = (Coordinate){.base = channel, .step = 1, .aligned = true};
    LLVMValueRef value = value_splat(e, emit_value(e, w->node->operands[0], place));
    return inside ? choose(e, inside, value, LLVMConstNull(lanes_of(e->f32))) : value;
}

static int64_t line_step(const Winograd *w) {
    return (WINOGRAD_RESULT * w->columns + WINOGRAD_TAPS - 1) * LANES;
}

/* lines[i][x] = element i of the transform of column x */
static void transform_columns(Emitter *e, const Winograd *w, const Block *block, Quotient row,
                              LLVMValueRef channel) {
    LLVMValueRef left = times(e, block->column, WINOGRAD_RESULT),
                 all = plus(e, times(e, block->columns, WINOGRAD_RESULT), WINOGRAD_TAPS - 1),
                 inside = min(e, all, sub(e, const_i64(e, w->from.dim[2]), left));
    Loop loop = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    LLVMValueRef x[WINOGRAD_TILE];
    for (int i = 0; i < WINOGRAD_TILE; i++)
        x[i] = picture_element(e, w, row, i, add(e, left, loop.index), channel);
    transform_tile(e, x);
    store_some(e, x, WINOGRAD_TILE, element(e, w->lines, times(e, loop.index, LANES)),
               line_step(w));
    region_end(e, region);
    loop_end(e, loop, inside, 1);
    If sticks_out = if_begin(e, lt(e, inside, all));
    Loop zeros = loop_begin(e, inside);
    for (int i = 0; i < WINOGRAD_TILE; i++) x[i] = LLVMConstNull(lanes_of(e->f32));
    store_some(e, x, WINOGRAD_TILE, element(e, w->lines, times(e, zeros.index, LANES)),
               line_step(w));
    loop_end(e, zeros, all, 1);
    if_end(e, sticks_out);
}

/* tiles[6 i + j] = element j of the transform of line i, for tile `number` of the block */
static void transform_lines(Emitter *e, const Winograd *w, LLVMValueRef column, LLVMValueRef number,
                            LLVMValueRef channel) {
    LLVMValueRef from = times(e, column, WINOGRAD_RESULT * LANES),
                 to = add(e, times(e, number, w->from.dim[3]), channel);
    for (int i = 0; i < WINOGRAD_TILE; i++) {
        LLVMValueRef x[WINOGRAD_TILE];
        load_six(e, element(e, w->lines, plus(e, from, i * line_step(w))), LANES, x);
        transform_tile(e, x);
        store_some(e, x, WINOGRAD_TILE,
                   element(e, w->tiles, plus(e, to, i * WINOGRAD_TILE * w->tile_step)),
                   w->tile_step);
    }
}

static Quotient picture_row(Emitter *e, const Winograd *w, const Block *block,
                            LLVMValueRef number) {
    return div_mod(e, add(e, block->row, number), const_i64(e, w->down));
}

static void emit_tiles(Emitter *e, const Winograd *w, const Block *block) {
    Loop rows = loop_begin(e, const_i64(e, 0));
    Quotient row = picture_row(e, w, block, rows.index);
    Loop channels = loop_begin(e, const_i64(e, 0));
    LLVMValueRef first = mul(e, rows.index, block->columns);
    transform_columns(e, w, block, row, channels.index);
    Loop columns = loop_begin(e, const_i64(e, 0));
    transform_lines(e, w, columns.index, add(e, first, columns.index), channels.index);
    loop_end(e, columns, block->columns, 1);
    loop_end(e, channels, const_i64(e, w->from.dim[3]), LANES);
    loop_end(e, rows, block->rows, 1);
}

/* -- prefetching -- */

static void add_fetched(Winograd *w, NodeId node, Storage storage, Prefetch how) {
    bool known = storage.kind != STORAGE_SLAB || w->fetched_count == MOST_FETCHED;
    for (int i = 0; i < w->fetched_count && !known; i++) known = w->fetched[i].node == node;
    if (!known) w->fetched[w->fetched_count++] = (Fetched){node, storage, how};
}

/* The values that the kernel stores, and those that elementwise nodes read at the same place. */
static void find_fetched(const Emitter *e, Winograd *w) {
    const Kernel *kernel = e->kernel;
    for (uint32_t i = 0; i < kernel->store_count; i++)
        add_fetched(w, kernel->stores[i].node, kernel->stores[i].to, PREFETCH_WRITE);
    for (uint32_t i = 0; i < kernel->node_count; i++) {
        const Node *node = graph_node(e->graph, kernel->nodes[i]);
        for (uint32_t k = 0; k < node->operand_count; k++)
            if (emit_in_place(e, node->operands[k]) && !emit_computes(e, node->operands[k]))
                add_fetched(w, node->operands[k], e->plan->storage[node->operands[k]],
                            PREFETCH_LATER);
    }
}

/* A row of a tile of pictures or results: its place in a tensor [N,height,width,channels]. */
static Place *tile_row_place(Emitter *e, const Winograd *w, const Block *block, Shape shape,
                             LLVMValueRef number) {
    LLVMValueRef tile = over(e, number, WINOGRAD_RESULT);
    Quotient row = picture_row(e, w, block, over(e, tile, w->columns));
    LLVMValueRef column = add(e, block->column, modulo(e, tile, w->columns));
    Place *place = place_new(e, shape, NULL);
    place->axis[0] = coordinate_uniform(row.whole);
    place->axis[1] = coordinate_uniform(
        add(e, times(e, row.rest, WINOGRAD_RESULT), modulo(e, number, WINOGRAD_RESULT)));
    place->axis[2] = coordinate_uniform(times(e, column, WINOGRAD_RESULT));
    place->axis[3] = coordinate_uniform(const_i64(e, 0));
    return place;
}

static void prefetch_tile_row(Emitter *e, const Fetched *fetched, const Place *place) {
    LLVMValueRef first = store_pointer(e, fetched->node, fetched->storage, place);
    for (int64_t at = 0; at < WINOGRAD_RESULT * place->shape.dim[3]; at += LANES)
        prefetch_line(e, element(e, first, const_i64(e, at)), fetched->how);
}

/* One of 36 shares of what the epilogue of this block and the tiles of the next one need. */
static void prefetch_share(Emitter *e, const Winograd *w, const Block *block, const Block *next,
                           LLVMValueRef share) {
    NodeId picture = w->node->operands[0];
    Fetched pictures = {picture, e->plan->storage[picture], PREFETCH_LATER};
    LLVMValueRef each = times(e, block->rows, w->columns * WINOGRAD_RESULT),
                 from = over(e, mul(e, each, share), WINOGRAD_PRODUCTS),
                 to = over(e, mul(e, each, plus(e, share, 1)), WINOGRAD_PRODUCTS);
    If some = if_begin(e, lt(e, from, to));
    Loop loop = loop_begin(e, from);
    const Place *result = tile_row_place(e, w, block, w->to, loop.index);
    for (int i = 0; i < w->fetched_count; i++) prefetch_tile_row(e, &w->fetched[i], result);
    if (pictures.storage.kind == STORAGE_SLAB)
        prefetch_tile_row(e, &pictures, tile_row_place(e, w, next, w->from, loop.index));
    loop_end(e, loop, to, 1);
    if_end(e, some);
}

/* -- products -- */

/* One of the 36 products, and a register block of it: from tile `first`, filter `filter` on. */
typedef struct {
    LLVMValueRef product, first, filter;
    LLVMValueRef tile[MOST_TOGETHER];              /* the tiles in memory */
    LLVMValueRef sum[MOST_TOGETHER][MOST_VECTORS]; /* slots */
} RegisterBlock;

static LLVMValueRef filter_vector(Emitter *e, const Winograd *w, const RegisterBlock *r,
                                  LLVMValueRef channel, int vector) {
    Place *place = place_new(e, graph_operand(e->graph, w->node, 1)->shape, NULL);
    place->axis[0] = coordinate_uniform(r->product);
    place->axis[1] = coordinate_uniform(channel);
    place->axis[2] =
        (Coordinate){.base = plus(e, r->filter, vector * LANES), .step = 1, .aligned = true};
    return value_splat(e, emit_value(e, w->node->operands[1], place));
}

static void add_channel(Emitter *e, const Winograd *w, const RegisterBlock *r,
                        LLVMValueRef channel) {
    LLVMValueRef filters[MOST_VECTORS], tiny[MOST_VECTORS], vector = NULL;
    for (int v = 0; v < w->vectors; v++) {
        filters[v] = filter_vector(e, w, r, channel, v);
        tiny[v] = fused_tiny(e, filters[v]);
    }
    for (int64_t i = 0; i < w->together; i++) {
        vector = load(e, e->f32, element(e, r->tile[i], channel));
        vector = value_splat(e, (LaneValue){vector, true});
        LLVMValueRef tiny_tile = fused_tiny(e, vector);
        for (int v = 0; v < w->vectors; v++) {
            LLVMValueRef sum = load(e, lanes_of(e->f32), r->sum[i][v]);
            LLVMValueRef either = tiny_tile ? bit_or(e, tiny_tile, tiny[v]) : NULL;
            store(e, fused_hot(e, vector, filters[v], sum, either), r->sum[i][v]);
        }
    }
}

/* Tiles behind the last one are computed from the last one. */
static void open_registers(Emitter *e, const Winograd *w, const Block *block, RegisterBlock *r) {
    LLVMValueRef matrix = element(e, w->tiles, times(e, r->product, w->tile_step));
    LLVMValueRef last = sub(e, block->count, const_i64(e, 1));
    for (int64_t i = 0; i < w->together; i++) {
        LLVMValueRef tile = min(e, plus(e, r->first, i), last);
        r->tile[i] = element(e, matrix, times(e, tile, w->from.dim[3]));
        for (int v = 0; v < w->vectors; v++)
            store(e, LLVMConstNull(lanes_of(e->f32)), r->sum[i][v]);
    }
}

static void close_registers(Emitter *e, const Winograd *w, const RegisterBlock *r) {
    LLVMValueRef at = add(e, times(e, r->product, w->sum_step),
                          add(e, times(e, r->first, w->to.dim[3]), r->filter));
    for (int64_t i = 0; i < w->together; i++)
        for (int v = 0; v < w->vectors; v++)
            store(e, load(e, lanes_of(e->f32), r->sum[i][v]),
                  element(e, w->sums, plus(e, at, i * w->to.dim[3] + v * LANES)));
}

static void emit_register_block(Emitter *e, const Winograd *w, const Block *block,
                                RegisterBlock *r) {
    open_registers(e, w, block, r);
    Loop channels = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    for (int step = 0; step < STEPS; step++) add_channel(e, w, r, plus(e, channels.index, step));
    region_end(e, region);
    loop_end(e, channels, const_i64(e, w->from.dim[3]), STEPS);
    close_registers(e, w, r);
}

static void emit_products(Emitter *e, const Winograd *w, const Block *block, const Block *next) {
    RegisterBlock r = {0};
    for (int64_t i = 0; i < w->together; i++)
        for (int v = 0; v < w->vectors; v++) r.sum[i][v] = stack_slot(e, lanes_of(e->f32), 64);
    Loop products = loop_begin(e, const_i64(e, 0));
    prefetch_share(e, w, block, next, products.index);
    Loop filters = loop_begin(e, const_i64(e, 0));
    Loop tiles = loop_begin(e, const_i64(e, 0));
    r.product = products.index, r.filter = filters.index, r.first = tiles.index;
    emit_register_block(e, w, block, &r);
    loop_end(e, tiles, block->count, w->together);
    loop_end(e, filters, const_i64(e, w->to.dim[3]), w->vectors * LANES);
    loop_end(e, products, const_i64(e, WINOGRAD_PRODUCTS), 1);
}

/* -- results -- */

/* line[i][j] = element i of the transform of column j of a tile's sums */
static void transform_down(Emitter *e, const Winograd *w, LLVMValueRef from) {
    for (int j = 0; j < WINOGRAD_TILE; j++) {
        LLVMValueRef m[WINOGRAD_TILE];
        load_six(e, element(e, w->sums, plus(e, from, j * w->sum_step)),
                 WINOGRAD_TILE * w->sum_step, m);
        transform_sums(e, m);
        store_some(e, m, WINOGRAD_RESULT, element(e, w->line, const_i64(e, j * LANES)),
                   WINOGRAD_TILE * LANES);
    }
}

static void store_results(Emitter *e, const Winograd *w, LLVMValueRef results, Place *place,
                          LLVMValueRef left) {
    LLVMValueRef inside = sub(e, const_i64(e, w->to.dim[2]), left);
    Loop loop = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    place->axis[2] = coordinate_uniform(add(e, left, loop.index));
    LLVMValueRef result =
        load(e, lanes_of(e->f32), element(e, results, times(e, loop.index, LANES)));
    emit_set(e, e->kernel->root, place, (LaneValue){result, false});
    emit_stores(e, place);
    region_end(e, region);
    loop_end(e, loop, min(e, const_i64(e, WINOGRAD_RESULT), inside), 1);
}

/* For each row of results: transforms line[i] and stores what lies inside the result. */
static void transform_across(Emitter *e, const Winograd *w, Quotient row, LLVMValueRef column,
                             LLVMValueRef filter) {
    LLVMValueRef top = times(e, row.rest, WINOGRAD_RESULT),
                 inside = sub(e, const_i64(e, w->to.dim[1]), top),
                 results =
                     element(e, w->line, const_i64(e, WINOGRAD_RESULT * WINOGRAD_TILE * LANES));
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef m[WINOGRAD_TILE];
    load_six(e, element(e, w->line, times(e, loop.index, WINOGRAD_TILE * LANES)), LANES, m);
    transform_sums(e, m);
    store_some(e, m, WINOGRAD_RESULT, results, LANES);
    Place *place = place_new(e, w->to, NULL);
    place->axis[0] = coordinate_uniform(row.whole);
    place->axis[1] = coordinate_uniform(add(e, top, loop.index));
    place->axis[3] = (Coordinate){.base = filter, .step = 1, .aligned = true};
    store_results(e, w, results, place, times(e, column, WINOGRAD_RESULT));
    loop_end(e, loop, min(e, const_i64(e, WINOGRAD_RESULT), inside), 1);
}

static void emit_results(Emitter *e, const Winograd *w, const Block *block) {
    Loop rows = loop_begin(e, const_i64(e, 0));
    Quotient row = picture_row(e, w, block, rows.index);
    Loop columns = loop_begin(e, const_i64(e, 0));
    LLVMValueRef number = add(e, mul(e, rows.index, block->columns), columns.index);
    Loop filters = loop_begin(e, const_i64(e, 0));
    transform_down(e, w, add(e, times(e, number, w->to.dim[3]), filters.index));
    transform_across(e, w, row, add(e, block->column, columns.index), filters.index);
    loop_end(e, filters, const_i64(e, w->to.dim[3]), LANES);
    loop_end(e, columns, block->columns, 1);
    loop_end(e, rows, block->rows, 1);
}

int64_t kernel_winograd(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    Winograd w = winograd_of(e);
    find_fetched(e, &w);
    Loop loop = loop_begin(e, first);
    Block block = block_of(e, &w, loop.index), next = block_of(e, &w, plus(e, loop.index, 1));
    emit_tiles(e, &w, &block);
    emit_products(e, &w, &block, &next);
    emit_results(e, &w, &block);
    loop_end(e, loop, last, 1);
    return divide_up(w.to.dim[0] * w.down, w.rows) * w.segments;
}
