/* The tiles of pictures: blocks of them, their transform, and prefetching for them. */
#include "codegen/kernels/winograd.h"

/* -- blocks -- */

enum { MAX_ACROSS = 14 }; /* tiles of a block side by side */

void winograd_blocks(Winograd *w, int64_t most, bool in_order) {
    w->down = divide_up(w->to.dim[1], WINOGRAD_RESULT);
    w->across = divide_up(w->to.dim[2], WINOGRAD_RESULT);
    w->segments = divide_up(w->across, min_i64(most, MAX_ACROSS));
    w->columns = divide_up(w->across, w->segments);
    w->rows = clamp_i64(most / w->columns, 1, w->to.dim[0] * w->down);
    if (in_order && w->segments > 1) w->rows = 1;
}

void winograd_reserve(Emitter *e, Winograd *w, int64_t tiles) {
    w->tile_step = tiles * w->channels + WINOGRAD_GAP;
    w->tiles = winograd_array(e, WINOGRAD_PRODUCTS * w->tile_step);
    w->lines = winograd_array(e, WINOGRAD_TILE * (WINOGRAD_RESULT * w->columns + 2) * LANES);
}

TileBlock winograd_block(Emitter *e, const Winograd *w, LLVMValueRef row, LLVMValueRef end,
                         LLVMValueRef segment) {
    TileBlock block = {.row = row, .column = times(e, segment, w->columns)};
    LLVMValueRef right = sub(e, const_i64(e, w->across), block.column);
    block.rows = min(e, const_i64(e, w->rows), sub(e, end, row));
    block.columns = min(e, const_i64(e, w->columns), right);
    block.count = mul(e, block.rows, block.columns);
    return block;
}

Quotient winograd_row(Emitter *e, const Winograd *w, const TileBlock *block, LLVMValueRef number) {
    return div_mod(e, add(e, block->row, number), const_i64(e, w->down));
}

/* -- arithmetic -- */

static LLVMValueRef real(Emitter *e, double value) {
    LaneValue number = {LLVMConstReal(e->f32, value), true};
    return e->threads ? number.value : value_splat(e, number);
}

LLVMValueRef winograd_fused(Emitter *e, double a, LLVMValueRef b, LLVMValueRef c) {
    return emit_fused(e, real(e, a), b, c);
}

LLVMValueRef winograd_scaled(Emitter *e, double a, LLVMValueRef b) {
    return LLVMBuildFMul(e->builder, real(e, a), b, "");
}

LLVMValueRef winograd_less(Emitter *e, LLVMValueRef a, LLVMValueRef b) {
    return LLVMBuildFSub(e->builder, a, b, "");
}

/* -- arrays -- */

LLVMValueRef winograd_array(Emitter *e, int64_t elements) {
    return stack_slot(e, LLVMArrayType(e->f32, (unsigned)elements), 64);
}

LLVMValueRef winograd_at(Emitter *e, LLVMValueRef array, LLVMValueRef offset) {
    return element_pointer(e, array, DTYPE_F32, offset);
}

LLVMValueRef winograd_vector(Emitter *e, LLVMValueRef pointer) {
    return load(e, lanes_of(e->f32), pointer);
}

void winograd_load(Emitter *e, LLVMValueRef first, int64_t step, LLVMValueRef *values, int count) {
    for (int i = 0; i < count; i++)
        values[i] = winograd_vector(e, winograd_at(e, first, const_i64(e, i * step)));
}

void winograd_store(Emitter *e, LLVMValueRef *values, int count, LLVMValueRef first, int64_t step) {
    for (int i = 0; i < count; i++)
        store(e, values[i], winograd_at(e, first, const_i64(e, i * step)));
}

/* -- products in registers -- */

Registers registers_new(Emitter *e, int64_t rows, int vectors) {
    Registers r = {.rows = rows, .vectors = vectors};
    for (int64_t i = 0; i < rows; i++)
        for (int v = 0; v < vectors; v++) r.sum[i][v] = stack_slot(e, lanes_of(e->f32), 64);
    return r;
}

void registers_clear(Emitter *e, const Registers *r) {
    for (int64_t i = 0; i < r->rows; i++)
        for (int v = 0; v < r->vectors; v++)
            store(e, LLVMConstNull(lanes_of(e->f32)), r->sum[i][v]);
}

static LLVMValueRef register_at(Emitter *e, LLVMValueRef pointer, int64_t step, int64_t row,
                                int vector) {
    return winograd_at(e, pointer, const_i64(e, row * step + vector * LANES));
}

void registers_load(Emitter *e, const Registers *r, LLVMValueRef pointer, int64_t step) {
    for (int64_t i = 0; i < r->rows; i++)
        for (int v = 0; v < r->vectors; v++)
            store(e, winograd_vector(e, register_at(e, pointer, step, i, v)), r->sum[i][v]);
}

void registers_store(Emitter *e, const Registers *r, LLVMValueRef pointer, int64_t step) {
    for (int64_t i = 0; i < r->rows; i++)
        for (int v = 0; v < r->vectors; v++)
            store(e, winograd_vector(e, r->sum[i][v]), register_at(e, pointer, step, i, v));
}

void registers_add(Emitter *e, const Registers *r, const LLVMValueRef *rows,
                   const LLVMValueRef *columns) {
    LLVMValueRef tiny[WINOGRAD_VECTORS];
    for (int v = 0; v < r->vectors; v++) tiny[v] = fused_tiny(e, columns[v]);
    for (int64_t i = 0; i < r->rows; i++) {
        LLVMValueRef row = value_splat(e, (LaneValue){load(e, e->f32, rows[i]), true});
        LLVMValueRef tiny_row = fused_tiny(e, row);
        for (int v = 0; v < r->vectors; v++) {
            LLVMValueRef sum = winograd_vector(e, r->sum[i][v]);
            LLVMValueRef either = tiny_row ? bit_or(e, tiny_row, tiny[v]) : NULL;
            store(e, fused_hot(e, row, columns[v], sum, either), r->sum[i][v]);
        }
    }
}

/* -- tiles -- */

LLVMValueRef winograd_element(Emitter *e, NodeId node, const LLVMValueRef at[4],
                              LLVMValueRef inside) {
    Place *place = place_new(e, graph_node(e->graph, node)->shape, NULL);
    for (int i = 0; i < 3; i++) place->axis[i] = coordinate_uniform(at[i]);
    place->axis[3] = (Coordinate){.base = at[3], .step = 1, .aligned = true};
    LLVMValueRef value = value_splat(e, emit_value(e, node, place));
    return inside ? choose(e, inside, value, LLVMConstNull(lanes_of(e->f32))) : value;
}

void winograd_transform_tile(Emitter *e, LLVMValueRef x[WINOGRAD_TILE]) {
    LLVMValueRef even = winograd_fused(e, -WINOGRAD_FAR_2, x[2], x[4]),
                 odd = winograd_fused(e, -WINOGRAD_FAR_2, x[1], x[3]),
                 even_near = winograd_fused(e, -WINOGRAD_NEAR_2, x[2], x[4]),
                 odd_near = winograd_fused(e, -WINOGRAD_NEAR_2, x[1], x[3]);
    x[0] = winograd_fused(e, -WINOGRAD_SUM, x[2], winograd_fused(e, WINOGRAD_PRODUCT, x[0], x[4]));
    x[5] = winograd_fused(e, -WINOGRAD_SUM, x[3], winograd_fused(e, WINOGRAD_PRODUCT, x[1], x[5]));
    x[1] = winograd_fused(e, WINOGRAD_NEAR, odd, even);
    x[2] = winograd_fused(e, -WINOGRAD_NEAR, odd, even);
    x[3] = winograd_fused(e, WINOGRAD_FAR, odd_near, even_near);
    x[4] = winograd_fused(e, -WINOGRAD_FAR, odd_near, even_near);
}

/* Sixteen channels of an element of a picture; rows below the picture are zeros. */
static LLVMValueRef picture_element(Emitter *e, const Winograd *w, Quotient row, int64_t below,
                                    LLVMValueRef x, LLVMValueRef channel) {
    LLVMValueRef y = plus(e, times(e, row.rest, WINOGRAD_RESULT), below), inside = NULL;
    if ((w->down - 1) * WINOGRAD_RESULT + below >= w->from.dim[1]) {
        inside = lt(e, y, const_i64(e, w->from.dim[1]));
        y = choose(e, inside, y, const_i64(e, 0));
    }
    LLVMValueRef at[] = {row.whole, y, x, channel};
    return winograd_element(e, w->node->operands[0], at, inside);
}

static int64_t line_step(const Winograd *w) {
    return (WINOGRAD_RESULT * w->columns + WINOGRAD_TAPS - 1) * LANES;
}

/* lines[i][x] = element i of the transform of column x */
static void transform_columns(Emitter *e, const Winograd *w, const TileBlock *block, Quotient row,
                              LLVMValueRef channel) {
    LLVMValueRef left = times(e, block->column, WINOGRAD_RESULT),
                 all = plus(e, times(e, block->columns, WINOGRAD_RESULT), WINOGRAD_TAPS - 1),
                 inside = min(e, all, sub(e, const_i64(e, w->from.dim[2]), left));
    Loop loop = loop_begin(e, const_i64(e, 0));
    Region region = region_begin(e);
    LLVMValueRef x[WINOGRAD_TILE];
    for (int i = 0; i < WINOGRAD_TILE; i++)
        x[i] = picture_element(e, w, row, i, add(e, left, loop.index), channel);
    winograd_transform_tile(e, x);
    winograd_store(e, x, WINOGRAD_TILE, winograd_at(e, w->lines, times(e, loop.index, LANES)),
                   line_step(w));
    region_end(e, region);
    loop_end(e, loop, inside, 1);
    If sticks_out = if_begin(e, lt(e, inside, all));
    Loop zeros = loop_begin(e, inside);
    for (int i = 0; i < WINOGRAD_TILE; i++) x[i] = LLVMConstNull(lanes_of(e->f32));
    winograd_store(e, x, WINOGRAD_TILE, winograd_at(e, w->lines, times(e, zeros.index, LANES)),
                   line_step(w));
    loop_end(e, zeros, all, 1);
    if_end(e, sticks_out);
}

/* tiles[6 i + j] = element j of the transform of line i, for tile `number` of the block */
static void transform_lines(Emitter *e, const Winograd *w, LLVMValueRef column, LLVMValueRef number,
                            LLVMValueRef channel) {
    LLVMValueRef from = times(e, column, WINOGRAD_RESULT * LANES),
                 to = add(e, times(e, number, w->channels), channel);
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef x[WINOGRAD_TILE];
    LLVMValueRef line = winograd_at(e, w->lines, add(e, from, times(e, loop.index, line_step(w))));
    winograd_load(e, line, LANES, x, WINOGRAD_TILE);
    winograd_transform_tile(e, x);
    to = add(e, to, times(e, loop.index, WINOGRAD_TILE * w->tile_step));
    winograd_store(e, x, WINOGRAD_TILE, winograd_at(e, w->tiles, to), w->tile_step);
    loop_end(e, loop, const_i64(e, WINOGRAD_TILE), 1);
}

void winograd_tiles_of(Emitter *e, const Winograd *w, const TileBlock *block, LLVMValueRef first) {
    Loop rows = loop_begin(e, const_i64(e, 0));
    Quotient row = winograd_row(e, w, block, rows.index);
    Loop channels = loop_begin(e, const_i64(e, 0));
    LLVMValueRef tile = mul(e, rows.index, block->columns);
    transform_columns(e, w, block, row, add(e, first, channels.index));
    Loop columns = loop_begin(e, const_i64(e, 0));
    transform_lines(e, w, columns.index, add(e, tile, columns.index), channels.index);
    loop_end(e, columns, block->columns, 1);
    loop_end(e, channels, const_i64(e, w->channels), LANES);
    loop_end(e, rows, block->rows, 1);
}

/* -- prefetching -- */

void winograd_fetch(Winograd *w, const Fetched *fetched) {
    bool known = fetched->storage.kind != STORAGE_SLAB || w->fetched_count == WINOGRAD_FETCHED;
    for (int i = 0; i < w->fetched_count && !known; i++)
        known = w->fetched[i].node == fetched->node;
    if (!known) w->fetched[w->fetched_count++] = *fetched;
}

/* Row number % 4 of tile number / 4 of a block. */
static Place *tile_row_place(Emitter *e, const Winograd *w, const TileBlock *block,
                             LLVMValueRef number) {
    LLVMValueRef tile = over(e, number, WINOGRAD_RESULT);
    Quotient row = winograd_row(e, w, block, over(e, tile, w->columns));
    LLVMValueRef column = add(e, block->column, modulo(e, tile, w->columns));
    Place *place = place_new(e, w->from, NULL);
    place->axis[0] = coordinate_uniform(row.whole);
    place->axis[1] = coordinate_uniform(
        add(e, times(e, row.rest, WINOGRAD_RESULT), modulo(e, number, WINOGRAD_RESULT)));
    place->axis[2] = coordinate_uniform(times(e, column, WINOGRAD_RESULT));
    place->axis[3] = coordinate_uniform(const_i64(e, 0));
    return place;
}

void winograd_prefetch(Emitter *e, const Winograd *w, const TileBlock *block, const TileBlock *next,
                       LLVMValueRef share) {
    LLVMValueRef each = times(e, block->rows, w->columns * WINOGRAD_RESULT),
                 from = over(e, mul(e, each, share), WINOGRAD_PRODUCTS),
                 to = over(e, mul(e, each, plus(e, share, 1)), WINOGRAD_PRODUCTS);
    If some = if_begin(e, lt(e, from, to));
    Loop loop = loop_begin(e, from);
    const Place *here = tile_row_place(e, w, block, loop.index),
                *ahead = tile_row_place(e, w, next, loop.index);
    for (int i = 0; i < w->fetched_count; i++) {
        const Fetched *fetched = &w->fetched[i];
        Place place = fetched->ahead ? *ahead : *here;
        place.shape = fetched->shape;
        LLVMValueRef first = store_pointer(e, fetched->node, fetched->storage, &place);
        for (int64_t at = 0; at < WINOGRAD_RESULT * fetched->shape.dim[3]; at += LANES)
            prefetch_line(e, winograd_at(e, first, const_i64(e, at)), fetched->how);
    }
    loop_end(e, loop, to, 1);
    if_end(e, some);
}
