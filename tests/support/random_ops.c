/* Makes a random node of any op, with one function for each shape rule of ops.def. A new op with a
 * known rule is generated as well; a new rule does not link without its function. */
#include "tests/support/random_maker.h"
#include "ir/ops/winograd.h"

static Shape shape_at(const Maker *maker, NodeId node) {
    return graph_node(maker->graph, node)->shape;
}

/* -- elementwise -- */

/* Chooses the second operand: broadcast against the first if numpy's rule allows it, else brought
 * to its shape. */
static NodeId partner(Maker *maker, NodeId a, DType dtype) {
    NodeId b = maker_pick(maker, dtype);
    Shape both;
    bool goes = shape_broadcast(shape_at(maker, a), shape_at(maker, b), &both) &&
                shape_elements(both) <= MAKER_MAX_ELEMENTS;
    return goes ? b : maker_fit(maker, b, shape_at(maker, a));
}

static NodeId make_elementwise(Maker *maker, Op op, DType dtype) {
    NodeId a = maker_pick(maker, dtype);
    if (op_arity(op) == 1) return build_unary(maker->graph, op, a);
    NodeId b = partner(maker, a, dtype);
    if (op_arity(op) == 2) return build_binary(maker->graph, op, a, b);
    b = maker_fit(maker, b, shape_at(maker, a));
    NodeId c = maker_fit(maker, maker_pick(maker, dtype), shape_at(maker, a));
    return build_ternary(maker->graph, op, a, b, c);
}

static MakeFunction make_arithmetic, make_real, make_slope, make_compare, make_bits, make_shift,
    make_scale, make_select, make_convert, make_bitcast;
static MakeFunction make_reshape, make_repeat, make_transpose, make_slice, make_pad, make_concat,
    make_reduce, make_argmax;
static MakeFunction make_matmul, make_axiswise, make_leaf, make_grad, make_reverse, make_windows,
    make_pool, make_conv, make_conv_weights, make_winograd, make_winograd_weights;
static MakeFunction make_gather, make_scatter, make_random;

static NodeId make_arithmetic(Maker *maker, Op op) {
    NodeId node = make_elementwise(maker, op, maker_chance(maker, 5) ? DTYPE_I32 : DTYPE_F32);
    bool grows = graph_node(maker->graph, node)->dtype == DTYPE_F32 && maker_chance(maker, 4);
    return grows ? maker_clip(maker, node, 100) : node;
}

/* Functions that leave the range of f32 quickly usually get operands in a safe range. */
static NodeId make_real(Maker *maker, Op op) {
    NodeId a = maker_pick(maker, DTYPE_F32);
    if (op_arity(op) != 1) return make_elementwise(maker, op, DTYPE_F32);
    bool tame = !op_is_primitive(op) && !maker_chance(maker, 6);
    if (tame && op == OP_log)
        a = build_binary(maker->graph, OP_add, build_unary(maker->graph, OP_abs, a),
                         build_f32(maker->graph, 0.25, (Shape){0}));
    else if (tame)
        a = maker_clip(maker, a, 6);
    else if (op == OP_sqrt && !maker_chance(maker, 6))
        a = build_unary(maker->graph, OP_abs, a);
    return build_unary(maker->graph, op, a);
}

static NodeId make_slope(Maker *maker, Op op) { return make_real(maker, op); }

static NodeId make_compare(Maker *maker, Op op) {
    DType dtype = (DType)maker_draw(maker, DTYPE_COUNT);
    return make_elementwise(maker, op, dtype == DTYPE_I8 ? DTYPE_U8 : dtype);
}

static NodeId make_bits(Maker *maker, Op op) {
    return make_elementwise(maker, op, maker_chance(maker, 2) ? DTYPE_I32 : DTYPE_BOOL);
}

static NodeId make_shift(Maker *maker, Op op) { return make_elementwise(maker, op, DTYPE_I32); }

static NodeId make_scale(Maker *maker, Op op) { return make_shift(maker, op); }

static NodeId make_select(Maker *maker, Op op) {
    DType dtype = maker_chance(maker, 3) ? (DType)maker_draw(maker, DTYPE_COUNT) : DTYPE_F32;
    NodeId a = maker_pick(maker, dtype),
           b = maker_fit(maker, maker_pick(maker, dtype), shape_at(maker, a));
    NodeId condition = maker_fit(maker, maker_pick(maker, DTYPE_BOOL), shape_at(maker, a));
    return build_ternary(maker->graph, op, condition, a, b);
}

static NodeId make_convert(Maker *maker, Op op) {
    (void)op;
    DType to = maker_chance(maker, 2) ? DTYPE_F32 : (DType)maker_draw(maker, DTYPE_COUNT);
    DType from = (DType)maker_draw(maker, DTYPE_COUNT);
    return build_convert(maker->graph, maker_pick(maker, from), to);
}

/* The contract does not define the bits of a NaN, so they must not reach another op. */
static NodeId make_bitcast(Maker *maker, Op op) {
    (void)op;
    Graph *graph = maker->graph;
    if (maker_chance(maker, 2))
        return build_bitcast(graph, maker_pick(maker, DTYPE_I32), DTYPE_F32);
    NodeId a = maker_pick(maker, DTYPE_F32);
    return build_bitcast(graph,
                         build_ternary(graph, OP_select, build_binary(graph, OP_eq, a, a), a,
                                       build_f32(graph, 1, (Shape){0})),
                         DTYPE_I32);
}

/* -- views -- */

static NodeId pick_any(Maker *maker) {
    DType dtype = maker_chance(maker, 4) ? (DType)maker_draw(maker, DTYPE_COUNT) : DTYPE_F32;
    return maker_pick(maker, dtype);
}

/* Merges two neighbouring axes, splits one by a divisor, or inserts an axis of size 1. */
static NodeId make_reshape(Maker *maker, Op op) {
    (void)op;
    NodeId a = pick_any(maker);
    Shape from = shape_at(maker, a), to = {0};
    int at = from.rank ? (int)maker_draw(maker, (uint32_t)from.rank) : 0;
    bool merge = maker_chance(maker, 2) && at + 1 < from.rank;
    for (int i = 0; i < from.rank; i++) {
        int64_t size = from.dim[i], divisor = size % 2 == 0 ? 2 : size % 3 == 0 ? 3 : 1;
        if (i == at && merge)
            size *= from.dim[++i];
        else if (i == at && from.rank < MAKER_MAX_RANK)
            to.dim[to.rank++] = divisor, size /= divisor;
        to.dim[to.rank++] = size;
    }
    if (from.rank == 0) to = shape_of(1, (int64_t[]){1});
    return build_reshape(maker->graph, a, to);
}

static NodeId make_repeat(Maker *maker, Op op) {
    (void)op;
    NodeId a = pick_any(maker);
    Shape shape = shape_at(maker, a);
    if (shape.rank < MAKER_MAX_RANK && maker_chance(maker, 2)) {
        Shape larger = {.rank = shape.rank + 1, .dim = {1 + maker_draw(maker, 5)}};
        for (int i = 0; i < shape.rank; i++) larger.dim[i + 1] = shape.dim[i];
        shape = larger;
    }
    for (int i = 0; i < shape.rank; i++)
        if (shape.dim[i] == 1 && maker_chance(maker, 2)) shape.dim[i] = 1 + maker_draw(maker, 9);
    return shape_elements(shape) > MAKER_MAX_ELEMENTS ? NODE_NONE
                                                      : build_broadcast(maker->graph, a, shape);
}

static NodeId make_transpose(Maker *maker, Op op) {
    (void)op;
    NodeId a = pick_any(maker);
    int32_t order[SHAPE_MAX_RANK];
    int64_t perm[SHAPE_MAX_RANK];
    int rank = shape_at(maker, a).rank;
    random_permutation(maker->seed, STREAM_SHUFFLE, maker_draw(maker, UINT32_MAX), (uint32_t)rank,
                       order);
    for (int i = 0; i < rank; i++) perm[i] = order[i];
    return build_transpose(maker->graph, a, perm);
}

static NodeId make_slice(Maker *maker, Op op) {
    (void)op;
    NodeId a = pick_any(maker);
    Shape shape = shape_at(maker, a);
    int64_t start[SHAPE_MAX_RANK], stop[SHAPE_MAX_RANK], step[SHAPE_MAX_RANK];
    for (int i = 0; i < shape.rank; i++) {
        start[i] = maker_chance(maker, 2) ? 0 : maker_draw(maker, (uint32_t)shape.dim[i]);
        stop[i] = start[i] + 1 + maker_draw(maker, (uint32_t)(shape.dim[i] - start[i]));
        step[i] = maker_chance(maker, 3) ? 1 + maker_draw(maker, 3) : 1;
    }
    return build_slice(maker->graph, a, start, stop, step);
}

static NodeId make_pad(Maker *maker, Op op) {
    (void)op;
    NodeId a = pick_any(maker);
    Shape shape = shape_at(maker, a);
    int64_t before[SHAPE_MAX_RANK], after[SHAPE_MAX_RANK], elements = 1;
    for (int i = 0; i < shape.rank; i++) {
        before[i] = maker_chance(maker, 2) ? 0 : maker_draw(maker, 3);
        after[i] = maker_chance(maker, 2) ? 0 : maker_draw(maker, 3);
        elements *= shape.dim[i] + before[i] + after[i];
    }
    return elements > MAKER_MAX_ELEMENTS ? NODE_NONE : build_pad(maker->graph, a, before, after);
}

static NodeId make_concat(Maker *maker, Op op) {
    (void)op;
    NodeId parts[4] = {pick_any(maker)};
    Shape shape = shape_at(maker, parts[0]);
    uint32_t count = 1 + maker_draw(maker, 4);
    if (shape.rank == 0 || shape_elements(shape) * count > MAKER_MAX_ELEMENTS) return NODE_NONE;
    int axis = (int)maker_draw(maker, (uint32_t)shape.rank);
    DType dtype = graph_node(maker->graph, parts[0])->dtype;
    for (uint32_t i = 1; i < count; i++) {
        Shape part = shape;
        part.dim[axis] = 1 + maker_draw(maker, (uint32_t)shape.dim[axis]);
        parts[i] = maker_fit(maker, maker_pick(maker, dtype), part);
    }
    return build_concat(maker->graph, parts, count, axis);
}

/* Indices for an axis; some lie outside. */
static NodeId pick_index(Maker *maker, Shape shape) {
    NodeId index = maker_fit(maker, maker_pick(maker, DTYPE_I32), shape);
    return maker_chance(maker, 2)
               ? build_binary(maker->graph, OP_and, index, build_i32(maker->graph, 3, (Shape){0}))
               : index;
}

static NodeId make_gather(Maker *maker, Op op) {
    (void)op;
    NodeId a = pick_any(maker);
    Shape shape = shape_at(maker, a);
    if (shape.rank == 0) return NODE_NONE;
    int axis = (int)maker_draw(maker, (uint32_t)shape.rank);
    shape.dim[axis] = 1 + maker_draw(maker, 9);
    if (shape_elements(shape) > MAKER_MAX_ELEMENTS) return NODE_NONE;
    return build_gather(maker->graph, a, pick_index(maker, shape), axis);
}

/* Neighbouring indices are often equal, as those of an embedding are. */
static NodeId make_scatter(Maker *maker, Op op) {
    (void)op;
    NodeId a = maker_pick(maker, DTYPE_F32);
    Shape shape = shape_at(maker, a), given = shape;
    if (shape.rank == 0) return NODE_NONE;
    int axis = (int)maker_draw(maker, (uint32_t)shape.rank);
    for (int i = axis + 1; i < shape.rank && maker_chance(maker, 2); i++) given.dim[i] = 1;
    int64_t size = 1 + maker_draw(maker, 9);
    if (shape_elements(shape) / shape.dim[axis] * size > MAKER_MAX_ELEMENTS) return NODE_NONE;
    return build_scatter_add(maker->graph, a,
                             build_broadcast(maker->graph, pick_index(maker, given), shape), axis,
                             size);
}

static NodeId make_random(Maker *maker, Op op) {
    (void)op;
    NodeId operands[4];
    for (int i = 0; i < 4; i++) operands[i] = maker_leaf(maker, DTYPE_I32, (Shape){0});
    RandomNumbers numbers = {.stream = maker_draw(maker, 9)};
    numbers.substream = maker_draw(maker, UINT32_MAX);
    numbers.row = maker_draw(maker, 9);
    return build_random(maker->graph, operands, &numbers, maker_shape(maker));
}

/* -- reductions, products, composites -- */

/* A value with at least `rank` axes. */
static NodeId pick_ranked_of(Maker *maker, DType dtype, int rank) {
    NodeId a = maker_pick(maker, dtype);
    Shape shape = shape_at(maker, a);
    if (shape.rank >= rank) return a;
    while (shape.rank < rank) shape.dim[shape.rank++] = 1 + maker_draw(maker, 7);
    return shape_elements(shape) > MAKER_MAX_ELEMENTS
               ? maker_state(maker, dtype, shape_of(rank, (int64_t[]){5, 3}))
               : maker_leaf(maker, dtype, shape);
}

static NodeId pick_ranked(Maker *maker, int rank) { return pick_ranked_of(maker, DTYPE_F32, rank); }

static NodeId make_reduce(Maker *maker, Op op) {
    NodeId a = pick_ranked(maker, 1);
    uint32_t rank = (uint32_t)shape_at(maker, a).rank;
    if (maker_chance(maker, 4))
        return build_reduce_axes(maker->graph, op, a, maker_draw(maker, 1u << rank));
    int axis = (int)maker_draw(maker, rank);
    return build_reduce(maker->graph, op, a, axis, maker_chance(maker, 2));
}

static NodeId make_argmax(Maker *maker, Op op) {
    NodeId a = pick_ranked(maker, 1);
    int axis = (int)maker_draw(maker, (uint32_t)shape_at(maker, a).rank);
    return build_reduce(maker->graph, op, a, axis, maker_chance(maker, 2));
}

static void exchange_last_axes(Shape *shape) {
    int64_t last = shape->dim[shape->rank - 1];
    shape->dim[shape->rank - 1] = shape->dim[shape->rank - 2];
    shape->dim[shape->rank - 2] = last;
}

static DType draw_byte(Maker *maker) { return maker_chance(maker, 2) ? DTYPE_U8 : DTYPE_I8; }

/* The right operand is an existing value of the right size, or else a state, as a weight is. */
static NodeId make_matmul(Maker *maker, Op op) {
    (void)op;
    bool bytes = maker_chance(maker, 4);
    DType of_a = bytes ? draw_byte(maker) : DTYPE_F32, of_b = bytes ? draw_byte(maker) : DTYPE_F32;
    NodeId a = pick_ranked_of(maker, of_a, 2);
    Shape left = shape_at(maker, a), right = left;
    bool transpose_a = maker_chance(maker, 3), transpose_b = maker_chance(maker, 2);
    int last = left.rank - 1;
    int64_t m = left.dim[transpose_a ? last : last - 1], n = 1 + maker_draw(maker, 3);
    n += maker_shape(maker).dim[0];
    right.dim[last - 1] = left.dim[transpose_a ? last - 1 : last];
    right.dim[last] = n;
    if (shape_elements(right) > MAKER_MAX_ELEMENTS ||
        shape_elements(left) / left.dim[last] / left.dim[last - 1] * m * n > MAKER_MAX_ELEMENTS)
        return NODE_NONE;
    if (transpose_b) exchange_last_axes(&right);
    NodeId other = maker_pick(maker, of_b);
    bool fits =
        shape_elements(shape_at(maker, other)) == shape_elements(right) || maker_chance(maker, 4);
    NodeId b = fits ? maker_fit(maker, other, right) : maker_state(maker, of_b, right);
    return build_matmul(maker->graph, a, b, transpose_a, transpose_b);
}

static NodeId make_axiswise(Maker *maker, Op op) {
    NodeId a = pick_ranked(maker, 1);
    return build_axiswise(maker->graph, op, a,
                          (int)maker_draw(maker, (uint32_t)shape_at(maker, a).rank));
}

/* -- pictures -- */

static NodeId make_reverse(Maker *maker, Op op) {
    (void)op;
    NodeId a = pick_any(maker);
    int rank = shape_at(maker, a).rank;
    return rank ? build_reverse(maker->graph, a, (int)maker_draw(maker, (uint32_t)rank))
                : NODE_NONE;
}

/* A value of four axes. `height` says which two are height and width; they have at most 10
 * elements. */
static NodeId pick_picture(Maker *maker, DType dtype, int height) {
    static const int64_t channels[] = {1, 2, 3, 4, 6, 16, 17, 32};
    NodeId a = maker_pick(maker, dtype);
    Shape shape = shape_of(4, (int64_t[]){1 + maker_draw(maker, 3), 0, 0, 0});
    for (int i = 0; i < 2; i++) shape.dim[height + i] = 1 + maker_draw(maker, 10);
    shape.dim[height == 1 ? 3 : 1] = channels[maker_draw(maker, shape.dim[2] < 6 ? 8 : 5)];
    return shape_elements(shape) > MAKER_MAX_ELEMENTS ? NODE_NONE : maker_fit(maker, a, shape);
}

/* A window that fits into a picture. */
static Window draw_window(Maker *maker, const int64_t *sizes) {
    Window window;
    for (int i = 0; i < 2; i++) {
        uint32_t most = sizes[i] < 4 ? (uint32_t)sizes[i] : 4;
        window.kernel[i] = 1 + maker_draw(maker, most);
        window.stride[i] = maker_chance(maker, 3) ? window.kernel[i] : 1 + maker_draw(maker, 3);
        window.dilation[i] =
            window.kernel[i] == 1
                ? 1
                : 1 + maker_draw(maker, (uint32_t)((sizes[i] - 1) / (window.kernel[i] - 1)));
    }
    return window;
}

/* Whether the windows, written out, have few enough elements: overlapping ones repeat them. */
static bool windows_fit(const Maker *maker, NodeId a, int height, const Window *window) {
    Shape shape = shape_at(maker, a);
    int64_t elements = shape_elements(shape);
    for (int i = 0; i < 2; i++)
        elements = elements / shape.dim[height + i] * window->kernel[i] *
                   window_count(shape.dim[height + i], window->kernel[i], window->stride[i],
                                window->dilation[i]);
    return elements <= MAKER_MAX_ELEMENTS;
}

/* Chooses pictures whose height is dimension `height`, and a window that fits into them; NODE_NONE
 * if there are none. */
static NodeId pick_windowed(Maker *maker, DType dtype, int height, Window *window) {
    NodeId a = pick_picture(maker, dtype, height);
    if (!a) return NODE_NONE;
    *window = draw_window(maker, &graph_node(maker->graph, a)->shape.dim[height]);
    return windows_fit(maker, a, height, window) ? a : NODE_NONE;
}

static NodeId make_windows(Maker *maker, Op op) {
    (void)op;
    Window window;
    NodeId a = pick_windowed(
        maker, maker_chance(maker, 4) ? (DType)maker_draw(maker, DTYPE_COUNT) : DTYPE_F32, 1,
        &window);
    return a ? build_windows(maker->graph, a, &window) : NODE_NONE;
}

static NodeId make_pool(Maker *maker, Op op) {
    (void)op;
    Window window;
    NodeId a = pick_windowed(maker, DTYPE_F32, 2, &window);
    return a ? build_max_pool(maker->graph, a, &window) : NODE_NONE;
}

static NodeId make_conv(Maker *maker, Op op) {
    (void)op;
    Window window;
    NodeId a = pick_windowed(maker, DTYPE_F32, 2, &window);
    if (!a) return NODE_NONE;
    Shape shape = shape_at(maker, a);
    int64_t groups = maker_chance(maker, 3)                            ? shape.dim[1]
                     : shape.dim[1] % 2 == 0 && maker_chance(maker, 2) ? 2
                                                                       : 1;
    int64_t filters = groups * (1 + maker_draw(maker, maker_chance(maker, 2) ? 2 : 20));
    Shape weights = shape_of(
        4, (int64_t[]){filters, shape.dim[1] / groups, window.kernel[0], window.kernel[1]});
    bool fits = shape_elements(weights) <= MAKER_MAX_ELEMENTS &&
                shape_elements(shape) / shape.dim[1] * filters <= MAKER_MAX_ELEMENTS;
    if (!fits) return NODE_NONE;
    NodeId w = maker_chance(maker, 3) ? maker_fit(maker, maker_pick(maker, DTYPE_F32), weights)
                                      : maker_state(maker, DTYPE_F32, weights);
    return build_conv(maker->graph, a, w, &window, groups);
}

/* Filters have more elements than other values. */
static NodeId make_winograd(Maker *maker, Op op) {
    (void)op;
    int64_t channels = WINOGRAD_CHANNELS * (1 + maker_draw(maker, 2));
    Shape pictures = shape_of(4, (int64_t[]){1 + maker_draw(maker, 3), 0, 0, channels}),
          filters = shape_of(3, (int64_t[]){WINOGRAD_PRODUCTS, channels, WINOGRAD_CHANNELS});
    for (int i = 1; i <= 2; i++) pictures.dim[i] = WINOGRAD_TAPS + maker_draw(maker, 8);
    if (shape_elements(pictures) > MAKER_MAX_ELEMENTS) return NODE_NONE;
    return build_winograd(maker->graph, maker_fit(maker, maker_pick(maker, DTYPE_F32), pictures),
                          maker_state(maker, DTYPE_F32, filters));
}

static NodeId make_winograd_weights(Maker *maker, Op op) {
    (void)op;
    Shape pictures = shape_of(4, (int64_t[]){1 + maker_draw(maker, 3), 0, 0, WINOGRAD_CHANNELS}),
          gradients = pictures;
    for (int i = 1; i <= 2; i++) {
        gradients.dim[i] = 1 + maker_draw(maker, 8);
        pictures.dim[i] = gradients.dim[i] + WINOGRAD_TAPS - 1;
    }
    if (shape_elements(pictures) > MAKER_MAX_ELEMENTS) return NODE_NONE;
    return build_winograd_weights(maker->graph,
                                  maker_fit(maker, maker_pick(maker, DTYPE_F32), pictures),
                                  maker_fit(maker, maker_pick(maker, DTYPE_F32), gradients));
}

static NodeId make_conv_weights(Maker *maker, Op op) {
    (void)op;
    NodeId a = pick_picture(maker, DTYPE_F32, 2);
    if (!a) return NODE_NONE;
    Shape shape = shape_at(maker, a);
    shape.dim[1] = 1 + maker_draw(maker, 6);
    for (int i = 2; i < 4; i++)
        shape.dim[i] -= maker_draw(maker, (uint32_t)min_i64(shape.dim[i], 4));
    return build_conv_weights(maker->graph, a,
                              maker_fit(maker, maker_pick(maker, DTYPE_F32), shape));
}

static NodeId make_leaf(Maker *maker, Op op) {
    (void)op;
    DType dtype = (DType)maker_draw(maker, DTYPE_COUNT);
    return maker_leaf(maker, dtype, maker_shape(maker));
}

/* No random op is a gradient: those of the loss are added at the end. */
static NodeId make_grad(Maker *maker, Op op) {
    (void)maker, (void)op;
    return NODE_NONE;
}

NodeId maker_add(Maker *maker, Op op) {
    static MakeFunction *const makers[OP_COUNT] = {
#define OP(name, arity, class, attrs, rule, gradient, expand, place, steps, zero, doc)             \
    [OP_##name] = make_##rule,
#include "ir/ops/ops.def"
    };
    return makers[op](maker, op);
}
