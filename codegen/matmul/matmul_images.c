/* Products of windows by few filters, where images are neighbours in memory: [H,W,C,N]. A unit is a
 * row of results of IMAGES images. The lanes of a sum are images, so none is empty:
 *
 *     for each pixel x of the row, for each block of filters
 *         sum[f][image] = +0
 *         for kh, for kw, for each channel: those inside the picture, as the padding is 0
 *             sum[f][image] = fma(picture[y + kh, x + kw, channel, image], filter[f], sum[f][image])
 *         row[x, f] = sum + 0
 *     for each square of 16 images and 16 elements of the row: transpose it
 *         for each image: the kernel's other values, and its stores
 *
 * A term 0 * w changes no bit of a sum if w is finite, as no sum ends as -0. If a filter has an
 * infinity or a NaN, the padding takes part. */
#include "codegen/emit/square.h"
#include "codegen/matmul/matmul.h"

enum { VECTORS = 2, IMAGES = VECTORS * LANES, AXES = 2 };

/* The window along an axis of the picture, height or width. Padding: elements before and after,
 * which are +0. */
typedef struct {
    int64_t kernel, stride, dilation, size, before, after;
} WindowAxis;

typedef struct {
    WindowsImage image;
    WindowAxis axis[AXES];
    int64_t images, height, width;    /* of the results */
    int64_t channels, filters, block; /* block: filters whose sums are in registers */
    LLVMValueRef picture, weights, row, square, finite; /* finite: i1 */
} ImageProduct;

/* -- what is multiplied -- */

/* Sets the padding of the picture of which the image is a copy. It is known if only transposes
 * stand between. */
static void find_padding(const Emitter *e, NodeId copy, WindowAxis axes[AXES]) {
    int64_t axis[AXES] = {1, 2}; /* of [N,H,W,C] */
    const Node *picture = graph_operand(e->graph, graph_node(e->graph, copy), 0);
    while (picture->op == OP_transpose) {
        for (int i = 0; i < AXES; i++) axis[i] = picture->attrs.perm[axis[i]];
        picture = graph_operand(e->graph, picture, 0);
    }
    for (int i = 0; picture->op == OP_pad && i < AXES; i++) {
        axes[i].before = picture->attrs.pad.before[axis[i]];
        axes[i].after = picture->attrs.pad.after[axis[i]];
    }
}

static int64_t filters_at_once(const Emitter *e, int64_t filters) {
    enum { SUMS = 24, SUMS_OF_16 = 12 };
    int64_t registers = VECTORS * (e->many_registers ? 1 : e->short_vectors ? 4 : 2);
    int64_t most = max_i64((e->many_registers ? SUMS : SUMS_OF_16) / registers, 1);
    return divide_up(filters, divide_up(filters, most));
}

static ImageProduct image_product(Emitter *e) {
    const Kernel *kernel = e->kernel;
    const Node *windows = graph_node(e->graph, kernel->product.windows);
    const Window *window = &windows->attrs.window;
    ImageProduct p = {.image = windows_image(e->graph, windows)};
    Shape each = windows->shape, picture = graph_operand(e->graph, windows, 0)->shape;
    for (int i = 0; i < AXES; i++)
        p.axis[i] = (WindowAxis){.kernel = window->kernel[i],
                                 .stride = window->stride[i],
                                 .dilation = window->dilation[i],
                                 .size = picture.dim[1 + i]};
    find_padding(e, p.image.node, p.axis);
    p.images = each.dim[0], p.height = each.dim[1], p.width = each.dim[2];
    p.channels = each.dim[5];
    p.filters = kernel->space.dim[kernel->space.rank - 1];
    p.block = filters_at_once(e, p.filters);
    p.picture = storage_base(e, kernel->product.left);
    p.weights = storage_base(e, kernel->product.right);
    int64_t row = round_up(p.width * p.filters, LANES) * VECTORS;
    p.row = stack_slot(e, LLVMArrayType(lanes_of(e->f32), (unsigned)row), 64);
    p.square = square_new(e);
    return p;
}

/* i1: whether all filters are finite: no exponent has all bits set. */
static LLVMValueRef all_finite(Emitter *e, const ImageProduct *p) {
    enum { EXPONENT = 0x7f800000 };
    int64_t count = p->axis[0].kernel * p->axis[1].kernel * p->channels * p->filters;
    LLVMTypeRef type = lanes_of(e->i32), bits = lanes_of(e->i1);
    LLVMValueRef exponent = value_splat(e, (LaneValue){const_i32(e, EXPONENT), true});
    LLVMValueRef slot = stack_slot(e, bits, 2);
    store(e, LLVMConstNull(bits), slot);
    Loop loop = loop_begin(e, const_i64(e, 0));
    LLVMValueRef some = load_vector(e, type, element_pointer(e, p->weights, DTYPE_F32, loop.index),
                                    sizeof(float), lanes_below(e, loop.index, count));
    LLVMValueRef found = eq(e, bit_and(e, some, exponent), exponent);
    store(e, bit_or(e, load(e, bits, slot), found), slot);
    loop_end(e, loop, const_i64(e, count), LANES);
    LLVMValueRef all = load(e, bits, slot);
    return bit_not(e, call_intrinsic(e, "llvm.vector.reduce.or", &bits, 1, &all, 1));
}

/* -- the elements of a window inside the picture -- */

typedef struct {
    LLVMValueRef from, to;
} Taps;

/* The elements of the window at `start` that are not padding: those with
 * before <= start + element * dilation < size - after. All elements if filters are not finite. */
static Taps inside(Emitter *e, const ImageProduct *p, const WindowAxis *axis, LLVMValueRef start) {
    LLVMValueRef zero = const_i64(e, 0), all = const_i64(e, axis->kernel);
    if (axis->before == 0 && axis->after == 0) return (Taps){zero, all};
    int64_t up = axis->dilation - 1;
    LLVMValueRef first = sub(e, const_i64(e, axis->before + up), start),
                 end = sub(e, const_i64(e, axis->size - axis->after + up), start);
    first = over(e, max(e, first, zero), axis->dilation);
    end = over(e, max(e, end, zero), axis->dilation);
    return (Taps){choose(e, p->finite, min(e, first, all), zero),
                  choose(e, p->finite, min(e, end, all), all)};
}

/* -- sums -- */

/* A block of filters at a pixel. picture: the window's first element of the first image; sums: stack
 * slots that LLVM turns into registers. */
typedef struct {
    LLVMValueRef picture, weights;
    int64_t filters;
    LLVMValueRef sums[LANES][VECTORS];
} PixelSums;

/* sum[f] = fma(picture at `from`, filter f at k, sum[f]) */
static void add_element(Emitter *e, const ImageProduct *p, const PixelSums *at, LLVMValueRef from,
                        LLVMValueRef k) {
    LLVMTypeRef type = lanes_of(e->f32);
    LLVMValueRef picture[VECTORS], tiny[VECTORS];
    for (int v = 0; v < VECTORS; v++) {
        LLVMValueRef pointer = element_pointer(e, at->picture, DTYPE_F32, plus(e, from, v * LANES));
        picture[v] = load_vector(e, type, pointer, sizeof(float), NULL);
        tiny[v] = fused_tiny(e, picture[v]);
    }
    LLVMValueRef first = element_pointer(e, at->weights, DTYPE_F32, times(e, k, p->filters));
    for (int64_t f = 0; f < at->filters; f++) {
        LLVMValueRef weight = load(e, e->f32, pointer_plus(e, first, f));
        LLVMValueRef filter = value_splat(e, (LaneValue){weight, true});
        LLVMValueRef tiny_filter = fused_tiny(e, filter);
        for (int v = 0; v < VECTORS; v++)
            store(e,
                  fused_hot(e, picture[v], filter, load(e, type, at->sums[f][v]),
                            tiny_filter ? bit_or(e, tiny_filter, tiny[v]) : NULL),
                  at->sums[f][v]);
    }
}

/* The channels of elements [from, to) of row kh of the window. Without dilation these are
 * neighbours in memory, as are their filters. */
static void add_row(Emitter *e, const ImageProduct *p, const PixelSums *at, LLVMValueRef kh,
                    LLVMValueRef from, LLVMValueRef to) {
    int64_t unrolled = p->channels % 4 == 0 ? 4 : p->channels % 2 == 0 ? 2 : 1;
    LLVMValueRef first = times(e, kh, p->axis[0].dilation * p->image.row),
                 k = times(e, kh, p->axis[1].kernel * p->channels);
    Loop loop = loop_begin(e, times(e, from, p->channels));
    for (int64_t i = 0; i < unrolled; i++) {
        LLVMValueRef index = plus(e, loop.index, i), element = times(e, index, p->images);
        add_element(e, p, at, add(e, first, element), add(e, k, index));
    }
    loop_end(e, loop, times(e, to, p->channels), unrolled);
}

static void add_dilated_row(Emitter *e, const ImageProduct *p, const PixelSums *at, LLVMValueRef kh,
                            LLVMValueRef from, LLVMValueRef to) {
    LLVMValueRef first = times(e, kh, p->axis[0].dilation * p->image.row);
    Loop taps = loop_begin(e, from);
    LLVMValueRef pixel = add(e, first, times(e, taps.index, p->axis[1].dilation * p->image.pixel));
    LLVMValueRef k = times(e, add(e, times(e, kh, p->axis[1].kernel), taps.index), p->channels);
    Loop channels = loop_begin(e, const_i64(e, 0));
    add_element(e, p, at, add(e, pixel, times(e, channels.index, p->images)),
                add(e, k, channels.index));
    loop_end(e, channels, const_i64(e, p->channels), 1);
    loop_end(e, taps, to, 1);
}

static void add_window(Emitter *e, const ImageProduct *p, const PixelSums *at, Taps rows,
                       Taps columns) {
    If any_rows = if_begin(e, lt(e, rows.from, rows.to));
    If any_columns = if_begin(e, lt(e, columns.from, columns.to));
    Loop loop = loop_begin(e, rows.from);
    if (p->axis[1].dilation == 1)
        add_row(e, p, at, loop.index, columns.from, columns.to);
    else
        add_dilated_row(e, p, at, loop.index, columns.from, columns.to);
    loop_end(e, loop, rows.to, 1);
    if_end(e, any_columns);
    if_end(e, any_rows);
}

/* The vector of images of element (x, f) of the row. */
static LLVMValueRef in_row(Emitter *e, const ImageProduct *p, LLVMValueRef element, int vector) {
    LLVMValueRef number =
        add(e, element, const_i64(e, vector * round_up(p->width * p->filters, LANES)));
    return square_row(e, p->row, number);
}

/* Filters [first, first + count) of pixel x. */
static void emit_block(Emitter *e, const ImageProduct *p, LLVMValueRef picture, LLVMValueRef x,
                       Taps rows, Taps columns, int64_t first, int64_t count) {
    PixelSums at = {
        .picture = picture, .weights = pointer_plus(e, p->weights, first), .filters = count};
    LLVMTypeRef type = lanes_of(e->f32);
    for (int64_t f = 0; f < count; f++)
        for (int v = 0; v < VECTORS; v++) {
            at.sums[f][v] = stack_slot(e, type, 64);
            store(e, LLVMConstNull(type), at.sums[f][v]);
        }
    add_window(e, p, &at, rows, columns);
    LLVMValueRef element = plus(e, times(e, x, p->filters), first);
    for (int64_t f = 0; f < count; f++)
        for (int v = 0; v < VECTORS; v++) {
            LLVMValueRef sum = load(e, type, at.sums[f][v]);
            store(e, fadd(e, sum, LLVMConstNull(type)), in_row(e, p, plus(e, element, f), v));
        }
}

/* The sums of a row y of the results of IMAGES images. */
static void emit_sums(Emitter *e, const ImageProduct *p, LLVMValueRef image, LLVMValueRef y) {
    LLVMValueRef top = times(e, y, p->axis[0].stride);
    Taps rows = inside(e, p, &p->axis[0], top);
    Loop pixels = loop_begin(e, const_i64(e, 0));
    LLVMValueRef left = times(e, pixels.index, p->axis[1].stride);
    Taps columns = inside(e, p, &p->axis[1], left);
    LLVMValueRef offset =
        add(e, image, add(e, times(e, top, p->image.row), times(e, left, p->image.pixel)));
    LLVMValueRef picture = element_pointer(e, p->picture, DTYPE_F32, offset);
    for (int64_t f = 0; f < p->filters; f += p->block)
        emit_block(e, p, picture, pixels.index, rows, columns, f,
                   min_i64(p->block, p->filters - f));
    loop_end(e, pixels, const_i64(e, p->width), 1);
}

/* -- stores -- */

/* The place of elements first .. first + 15 of a row of the results of an image. */
static const Place *row_place(Emitter *e, const ImageProduct *p, LLVMValueRef image, LLVMValueRef y,
                              LLVMValueRef first) {
    Shape shape = {.rank = 3, .dim = {p->images, p->height, p->width * p->filters}};
    Place *place = place_new(e, shape, NULL);
    place->axis[0] = coordinate_uniform(image);
    place->axis[1] = coordinate_uniform(y);
    place_set_lanes(e, place, 2, first, shape.dim[2]);
    return place;
}

/* Stores the results of LANES images, in squares. */
static void emit_images(Emitter *e, const ImageProduct *p, LLVMValueRef image, LLVMValueRef y,
                        int vector) {
    Loop parts = loop_begin(e, const_i64(e, 0));
    square_transpose(e, in_row(e, p, parts.index, vector), p->square);
    Loop images = loop_begin(e, const_i64(e, 0));
    LLVMValueRef number = plus(e, add(e, image, images.index), vector * LANES);
    const Place *place = row_place(e, p, number, y, parts.index);
    LLVMValueRef sums = load(e, lanes_of(e->f32), square_row(e, p->square, images.index));
    Region region = region_begin(e);
    emit_set(e, e->kernel->root, place, (LaneValue){sums, false});
    emit_stores(e, place);
    region_end(e, region);
    loop_end(e, images, const_i64(e, LANES), 1);
    loop_end(e, parts, const_i64(e, p->width * p->filters), LANES);
}

bool matmul_runs_along_images(const Emitter *e) {
    NodeId windows = e->kernel->product.windows;
    return windows && e->kernel->product.swapped &&
           windows_image(e->graph, graph_node(e->graph, windows)).images_adjoin;
}

int64_t matmul_images(Emitter *e, LLVMValueRef first, LLVMValueRef last) {
    ImageProduct p = image_product(e);
    p.finite = all_finite(e, &p);
    Loop loop = loop_begin(e, first);
    Quotient unit = div_mod(e, loop.index, const_i64(e, p.height));
    LLVMValueRef image = times(e, unit.whole, IMAGES);
    emit_sums(e, &p, image, unit.rest);
    for (int v = 0; v < VECTORS; v++) emit_images(e, &p, image, unit.rest, v);
    loop_end(e, loop, last, 1);
    return p.images / IMAGES * p.height;
}
