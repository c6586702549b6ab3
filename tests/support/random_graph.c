/* Random graphs: a few leaves, a random number of ops, then a loss, gradients, outputs and
 * updates. */
#include "tests/support/random_maker.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often an op is tried, by class. There are many elementwise ops, so each of them stays
 * rare. */
static const uint32_t class_weight[] = {
    [CLASS_LEAF] = 2, [CLASS_ELEMENTWISE] = 2, [CLASS_VIEW] = 4,     [CLASS_REDUCE] = 6,
    [CLASS_SCAN] = 6, [CLASS_MATRIX] = 14,     [CLASS_WINOGRAD] = 1, [CLASS_COMPOSITE] = 3};

static Op random_op(Maker *maker) {
    uint32_t total = 0;
    for (int op = 0; op < OP_COUNT; op++) total += class_weight[op_class((Op)op)];
    uint32_t drawn = maker_draw(maker, total);
    int op = 0;
    for (; drawn >= class_weight[op_class((Op)op)]; op++) drawn -= class_weight[op_class((Op)op)];
    return (Op)op;
}

static void add_ops(Maker *maker, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) maker_add(maker, random_op(maker));
}

/* The core of most models: x @ w^T + b and an activation, on the rows of a batch. */
static NodeId add_layer(Maker *maker, NodeId x) {
    static const Op activations[] = {OP_relu, OP_relu, OP_tanh, OP_sigmoid, OP_neg};
    int64_t inputs = graph_node(maker->graph, x)->shape.dim[1],
            outputs = 1 + maker_draw(maker, 100);
    Shape shape = shape_of(2, (int64_t[]){outputs, inputs});
    NodeId weight = maker_chance(maker, 6) ? maker_leaf(maker, DTYPE_F32, shape)
                                           : maker_state(maker, DTYPE_F32, shape);
    NodeId bias = maker_state(maker, DTYPE_F32, shape_of(1, &outputs));
    NodeId y = build_binary(maker->graph, OP_add,
                            build_matmul(maker->graph, x, weight, false, true), bias);
    return build_unary(maker->graph, activations[maker_draw(maker, 5)], y);
}

static void add_layers(Maker *maker) {
    Shape shape = shape_of(2, (int64_t[]){maker->batch, 1 + maker_draw(maker, 50)});
    NodeId x = graph_input(maker->graph, SYMBOL_BATCH, "rows",
                           maker_chance(maker, 2) ? DTYPE_U8 : DTYPE_F32, shape);
    if (graph_node(maker->graph, x)->dtype == DTYPE_U8)
        x = build_binary(maker->graph, OP_div, build_convert(maker->graph, x, DTYPE_F32),
                         build_f32(maker->graph, 255, (Shape){0}));
    for (uint32_t i = 0, layers = 1 + maker_draw(maker, 3); i < layers; i++)
        x = add_layer(maker, x);
}

/* -- loss, gradients, updates -- */

static NodeId mean(Maker *maker, NodeId node) {
    Shape shape = graph_node(maker->graph, node)->shape;
    NodeId sum = build_reduce_axes(maker->graph, OP_sum, node, (1u << shape.rank) - 1);
    return build_binary(maker->graph, OP_mul, sum,
                        build_f32(maker->graph, 1.0 / (double)shape_elements(shape), (Shape){0}));
}

/* A sum of means of some values. Most of them are clipped, so that the loss is usually finite. */
static NodeId add_loss(Maker *maker) {
    NodeId loss = NODE_NONE;
    for (uint32_t i = 0, terms = 1 + maker_draw(maker, 3); i < terms; i++) {
        NodeId value = maker_pick(maker, DTYPE_F32);
        if (!maker_chance(maker, 5))
            value = maker_chance(maker, 2) ? build_unary(maker->graph, OP_tanh, value)
                                           : maker_clip(maker, value, 50);
        NodeId term = mean(maker, value);
        loss = loss ? build_binary(maker->graph, OP_add, loss, term) : term;
    }
    return loss;
}

/* The moving mean of the gradients, in a state of its own. */
static NodeId moving_mean(Maker *maker, NodeId gradient) {
    Graph *graph = maker->graph;
    NodeId kept = maker_state(maker, DTYPE_F32, graph_node(graph, gradient)->shape);
    NodeId change = build_binary(graph, OP_sub, gradient, kept);
    NodeId next = build_ternary(graph, OP_fma, build_f32(graph, 0.25, (Shape){0}), change, kept);
    graph_update(graph, kept, next);
    return next;
}

/* The next value of a state: a step along its gradient, any value brought to its shape, or another
 * state. */
static NodeId next_value(Maker *maker, NodeId loss, NodeId state) {
    Graph *graph = maker->graph;
    Node node = *graph_node(graph, state);
    if (node.dtype != DTYPE_F32 || maker_chance(maker, 4))
        return maker_fit(maker, maker_pick(maker, node.dtype), node.shape);
    NodeId gradient = build_grad(graph, loss, state);
    if (maker_chance(maker, 8)) return gradient;
    /* The second gradient: that of the mean of the squared gradient. */
    if (maker_chance(maker, 4))
        gradient =
            build_grad(maker->graph,
                       mean(maker, build_binary(maker->graph, OP_mul, gradient, gradient)), state);
    if (!maker_chance(maker, 3)) gradient = maker_clip(maker, gradient, 8);
    if (maker_chance(maker, 2)) gradient = moving_mean(maker, gradient);
    return build_binary(graph, OP_sub, state,
                        build_binary(graph, OP_mul, build_f32(graph, 0.125, (Shape){0}), gradient));
}

static void add_updates(Maker *maker, NodeId loss) {
    Graph *graph = maker->graph;
    for (uint32_t i = 0, count = graph->symbol_count; i < count; i++)
        if (graph->symbols[i].kind == SYMBOL_STATE && !maker_chance(maker, 3))
            graph_update(graph, graph->symbols[i].node,
                         next_value(maker, loss, graph->symbols[i].node));
}

/* Most values without a user become outputs, so that little of the graph is dead. Any other value
 * may become one too. */
static void add_outputs(Maker *maker, NodeId loss) {
    Graph *graph = maker->graph;
    bool *used = calloc(graph->node_count, sizeof *used);
    char name[32];
    for (NodeId id = 1; used && id < graph->node_count; id++)
        for (uint32_t i = 0; i < graph_node(graph, id)->operand_count; i++)
            used[graph_node(graph, id)->operands[i]] = true;
    graph_output(graph, "loss", loss);
    for (NodeId id = 1, count = graph->node_count; used && id < count; id++) {
        if (used[id] ? !maker_chance(maker, 24) : maker_chance(maker, 4)) continue;
        snprintf(name, sizeof name, "out%u", id);
        graph_output(graph, name, id);
    }
    free(used);
    if (maker_chance(maker, 2))
        graph_output(graph, "gradient", build_grad(graph, loss, maker_pick(maker, DTYPE_F32)));
}

Graph *random_graph(uint64_t seed, Diagnostics *diag) {
    Maker maker = {.graph = graph_new("random", diag), .seed = seed};
    uint32_t most = maker_chance(&maker, 4) ? 40 : 9;
    bool groups = maker_chance(&maker, 6); /* rows in groups, which threads can share among them */
    maker.batch = groups ? PLAN_ROWS * (2 + maker_draw(&maker, 3)) : 1 + maker_draw(&maker, most);
    for (uint32_t i = 0, leaves = 2 + maker_draw(&maker, 4); i < leaves; i++) {
        DType dtype = maker_chance(&maker, 3) ? (DType)maker_draw(&maker, DTYPE_COUNT) : DTYPE_F32;
        maker_leaf(&maker, dtype, maker_shape(&maker));
    }
    if (maker_chance(&maker, 2)) add_layers(&maker);
    add_ops(&maker, 4 + maker_draw(&maker, 40));
    NodeId loss = add_loss(&maker);
    add_outputs(&maker, loss);
    add_updates(&maker, loss);
    return maker.graph;
}

/* -- contents -- */

int64_t random_batch(const Graph *graph) {
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].kind == SYMBOL_BATCH) return graph->symbols[i].shape.dim[0];
    return 1;
}

/* A row of one byte is a class; small classes are the most useful. Other bytes have runs of zeros,
 * as images do. */
static uint8_t random_byte(const Symbol *symbol, int64_t i, uint32_t bits) {
    if (symbol->dtype == DTYPE_BOOL) return bits & 1;
    if (symbol->shape.rank == 1) return (uint8_t)(bits % 10);
    return i / 12 % 2 ? 0 : (uint8_t)(bits >> 24);
}

/* A number between -2 and 2, or rarely a special one. */
static float random_real(uint32_t bits) {
    static const float special[] = {0, -0.0f, 1, -1, 1e20f, 1e-40f, INFINITY, NAN};
    if (bits % 64 == 0) return special[bits >> 29];
    return (float)(int32_t)bits * 0x1p-30f;
}

void *random_input(const Symbol *symbol, uint64_t seed) {
    int64_t count = shape_elements(symbol->shape);
    if (symbol->kind == SYMBOL_BATCH) count = count / symbol->shape.dim[0] * RANDOM_DATA_ROWS;
    void *data = malloc((size_t)count * dtype_bytes(symbol->dtype));
    for (int64_t i = 0; data && i < count; i++) {
        uint32_t bits = random_bits(seed, STREAM_INPUT, hash_name(symbol->name), (uint64_t)i);
        if (symbol->dtype == DTYPE_F32)
            ((float *)data)[i] = random_real(bits);
        else if (symbol->dtype == DTYPE_I32) /* mostly -8 to 23, so that equal ones meet */
            ((int32_t *)data)[i] = bits % 8 ? (int32_t)(bits >> 27) - 8 : (int32_t)bits;
        else
            ((uint8_t *)data)[i] = random_byte(symbol, i, bits);
    }
    return data;
}

int32_t *random_rows(uint64_t seed, uint32_t step, int64_t count) {
    int32_t *rows = malloc((size_t)count * sizeof *rows);
    for (int64_t i = 0; rows && i < count; i++)
        rows[i] =
            (int32_t)(random_bits(seed, STREAM_SHUFFLE, step, (uint64_t)i) % RANDOM_DATA_ROWS);
    return rows;
}
