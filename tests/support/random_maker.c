/* Chooses or makes the operands of random graphs. */
#include "tests/support/random_maker.h"

#include <math.h>
#include <stdio.h>

uint32_t maker_draw(Maker *maker, uint32_t count) {
    uint32_t bits = random_bits(maker->seed, STREAM_INPUT, 0, maker->drawn++);
    return (uint32_t)((uint64_t)bits * count >> 32);
}

Shape maker_shape(Maker *maker) {
    Shape shape = {.rank = (int32_t)maker_draw(maker, MAKER_MAX_RANK + 1)};
    int64_t elements = 1;
    for (int i = 0; i < shape.rank; i++) {
        /* Mostly small and odd, so that every loop has a remainder; some exceed a vector or
         * panel. */
        static const int64_t sizes[] = {1, 1, 2, 3, 3, 4, 5, 7, 8, 11, 16, 17, 31, 33, 65};
        shape.dim[i] = sizes[maker_draw(maker, sizeof sizes / sizeof *sizes)];
        if (elements * shape.dim[i] > MAKER_MAX_ELEMENTS) shape.dim[i] = 1;
        elements *= shape.dim[i];
    }
    return shape;
}

/* -- leaves -- */

static const char *fresh_name(Maker *maker, const char *prefix, char buffer[32]) {
    snprintf(buffer, 32, "%s%u", prefix, maker->graph->symbol_count);
    return buffer;
}

NodeId maker_state(Maker *maker, DType dtype, Shape shape) {
    static const Init inits[] = {{INIT_UNIFORM, -1, 1},
                                 {INIT_NORMAL, 0, 0.5f},
                                 {INIT_ORTHOGONAL, 1, 0},
                                 {INIT_CONSTANT, 1, 0},
                                 {INIT_CONSTANT, 0, 0}};
    char name[32];
    Init init = dtype == DTYPE_F32 ? inits[maker_draw(maker, 5)] : inits[3 + maker_draw(maker, 2)];
    return graph_state(maker->graph, fresh_name(maker, "state", name), dtype, shape, init,
                       !maker_chance(maker, 3));
}

static NodeId random_constant(Maker *maker, DType dtype, Shape shape) {
    static const float reals[] = {0,    -0.0f, 1,   -1,    0.5f,   2,        3,   -0.75f,
                                  0.1f, 1e-3f, 255, 1e30f, 1e-40f, INFINITY, NAN, 16777216};
    static const int32_t integers[] = {0,  1,  -1,  2,         3,         7,
                                       31, 32, 100, INT32_MAX, INT32_MIN, 0x3f800000};
    if (dtype == DTYPE_F32) /* mostly an ordinary op */
        return build_f32(maker->graph,
                         (double)reals[maker_draw(maker, maker_chance(maker, 8) ? 16 : 10)], shape);
    if (dtype == DTYPE_I32)
        return build_i32(maker->graph, integers[maker_draw(maker, maker_chance(maker, 4) ? 12 : 7)],
                         shape);
    return build_constant(maker->graph, (TensorType){dtype, shape},
                          maker_draw(maker, dtype == DTYPE_BOOL ? 2 : 256));
}

static NodeId random_batch_input(Maker *maker, DType dtype, Shape shape) {
    char name[32];
    if (shape.rank == 0) shape.rank = 1;
    shape.dim[0] = maker->batch;
    for (int i = shape.rank - 1; i > 0 && shape_elements(shape) > MAKER_MAX_ELEMENTS; i--)
        shape.dim[i] = 1;
    return graph_input(maker->graph, SYMBOL_BATCH, fresh_name(maker, "batch", name), dtype, shape);
}

NodeId maker_leaf(Maker *maker, DType dtype, Shape shape) {
    char name[32];
    switch (maker_draw(maker, 6)) {
    case 0: return random_constant(maker, dtype, shape);
    case 1:
        if (dtype == DTYPE_I32 && shape.rank)
            return build_iota(maker->graph, shape, (int)maker_draw(maker, (uint32_t)shape.rank));
        return random_constant(maker, dtype, shape);
    case 2: return maker_fit(maker, random_batch_input(maker, dtype, shape), shape);
    case 3:
        return graph_input(maker->graph, SYMBOL_VALUE, fresh_name(maker, "value", name), dtype,
                           shape);
    default: return maker_state(maker, dtype, shape);
    }
}

/* -- existing values -- */

NodeId maker_pick(Maker *maker, DType dtype) {
    uint32_t count = maker->graph->node_count - 1;
    for (int attempt = 0; count && attempt < 12; attempt++) {
        uint32_t back = maker_draw(maker, maker_chance(maker, 3) ? count : count < 12 ? count : 12);
        NodeId id = count - back;
        if (graph_node(maker->graph, id)->dtype == dtype) return id;
    }
    return maker_leaf(maker, dtype, maker_shape(maker));
}

/* Only f32 can be summed; of other dtypes the first element is taken. */
static NodeId to_scalar(Maker *maker, NodeId node) {
    Graph *graph = maker->graph;
    Shape shape = graph_node(graph, node)->shape;
    int64_t start[SHAPE_MAX_RANK] = {0}, stop[SHAPE_MAX_RANK] = {1, 1, 1, 1, 1, 1};
    if (graph_node(graph, node)->dtype == DTYPE_F32 && maker_chance(maker, 2))
        return build_reduce_axes(graph, maker_chance(maker, 3) ? OP_reduce_max : OP_sum, node,
                                 (1u << shape.rank) - 1);
    return build_reshape(graph, build_slice(graph, node, start, stop, NULL), (Shape){0});
}

NodeId maker_fit(Maker *maker, NodeId node, Shape shape) {
    Shape from = graph_node(maker->graph, node)->shape, both;
    if (shape_broadcast(from, shape, &both) && shape_equal(both, shape))
        return build_broadcast(maker->graph, node, shape);
    if (shape_elements(from) == shape_elements(shape))
        return build_reshape(maker->graph, node, shape);
    return build_broadcast(maker->graph, to_scalar(maker, node), shape);
}

NodeId maker_clip(Maker *maker, NodeId node, double limit) {
    Graph *graph = maker->graph;
    NodeId above = build_binary(graph, OP_max, node, build_f32(graph, -limit, (Shape){0}));
    return build_binary(graph, OP_min, above, build_f32(graph, limit, (Shape){0}));
}
