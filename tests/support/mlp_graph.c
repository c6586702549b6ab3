/* Dense layers with relu, cross-entropy, Adam. */
#include "tests/support/mlp_graph.h"

#include <math.h>
#include <stdio.h>

static Shape vector(int64_t n) { return shape_of(1, &n); }
static Shape matrix(int64_t rows, int64_t columns) {
    return shape_of(2, (int64_t[]){rows, columns});
}

static NodeId state(Graph *graph, const char *prefix, int layer, Shape shape, bool trainable) {
    char name[32];
    snprintf(name, sizeof name, "%s%d", prefix, layer);
    return graph_state(graph, name, DTYPE_F32, shape,
                       (Init){.kind = INIT_UNIFORM, .a = -0.1f, .b = 0.1f}, trainable);
}

static NodeId number(Graph *graph, double value) { return build_f32(graph, value, (Shape){0}); }

/* -log_softmax at the label, as a mean over the batch */
static NodeId cross_entropy(Graph *graph, NodeId logits, NodeId label) {
    Shape shape = graph_node(graph, logits)->shape;
    NodeId row_label =
        build_reshape(graph, build_convert(graph, label, DTYPE_I32), matrix(shape.dim[0], 1));
    NodeId chosen = build_binary(graph, OP_eq, build_iota(graph, shape, 1), row_label);
    NodeId picked =
        build_ternary(graph, OP_select, chosen, build_axiswise(graph, OP_log_softmax, logits, 1),
                      number(graph, 0));
    NodeId sum = build_reduce_axes(graph, OP_sum, picked, 3);
    return build_unary(graph, OP_neg,
                       build_binary(graph, OP_div, sum, number(graph, (double)shape.dim[0])));
}

typedef struct {
    Graph *graph;
    NodeId rate, scale;
} Adam;

/* 1 - b^t */
static NodeId correction(Graph *graph, NodeId t, double b) {
    return build_unary(
        graph, OP_neg,
        build_unary(graph, OP_expm1, build_binary(graph, OP_mul, t, number(graph, log(b)))));
}

/* m + (1 - b) * (value - m) */
static NodeId moving_mean(Graph *graph, NodeId m, NodeId value, double b) {
    return build_ternary(graph, OP_fma, number(graph, 1 - b), build_binary(graph, OP_sub, value, m),
                         m);
}

static void adam_update(const Adam *adam, NodeId weight, NodeId gradient, const char *prefix,
                        int layer) {
    Graph *graph = adam->graph;
    Shape shape = graph_node(graph, weight)->shape;
    char name[16];
    snprintf(name, sizeof name, "%s_m", prefix);
    NodeId m = state(graph, name, layer, shape, false);
    snprintf(name, sizeof name, "%s_v", prefix);
    NodeId v = state(graph, name, layer, shape, false);
    NodeId m1 = moving_mean(graph, m, gradient, 0.9);
    NodeId v1 = moving_mean(graph, v, build_binary(graph, OP_mul, gradient, gradient), 0.999);
    NodeId below = build_ternary(graph, OP_fma, build_unary(graph, OP_sqrt, v1), adam->scale,
                                 number(graph, 1e-8));
    NodeId change = build_binary(graph, OP_div, build_binary(graph, OP_mul, adam->rate, m1), below);
    graph_update(graph, m, m1);
    graph_update(graph, v, v1);
    graph_update(graph, weight, build_binary(graph, OP_sub, weight, change));
}

static NodeId dense(Graph *graph, NodeId x, const MlpShape *shape, int layer) {
    NodeId weight =
        state(graph, "w", layer, matrix(shape->widths[layer + 1], shape->widths[layer]), true);
    NodeId y = build_matmul(graph, x, weight, false, true);
    y = build_binary(graph, OP_add, y,
                     state(graph, "b", layer, vector(shape->widths[layer + 1]), true));
    return layer + 1 < shape->layers ? build_unary(graph, OP_relu, y) : y;
}

static void train(Graph *graph, NodeId loss, const MlpShape *shape) {
    NodeId step = build_convert(
        graph, graph_input(graph, SYMBOL_VALUE, "step", DTYPE_I32, (Shape){0}), DTYPE_F32);
    NodeId t = build_binary(graph, OP_add, step, number(graph, 1));
    NodeId rate = build_binary(graph, OP_div, number(graph, 1e-3), correction(graph, t, 0.9));
    NodeId scale = build_binary(graph, OP_div, number(graph, 1),
                                build_unary(graph, OP_sqrt, correction(graph, t, 0.999)));
    Adam adam = (Adam){graph, rate, scale};
    for (int layer = 0; layer < shape->layers; layer++) {
        NodeId w =
            state(graph, "w", layer, matrix(shape->widths[layer + 1], shape->widths[layer]), true);
        NodeId b = state(graph, "b", layer, vector(shape->widths[layer + 1]), true);
        adam_update(&adam, w, build_grad(graph, loss, w), "w", layer);
        adam_update(&adam, b, build_grad(graph, loss, b), "b", layer);
    }
}

Graph *mlp_graph(const MlpShape *shape, Diagnostics *diag) {
    Graph *graph = graph_new("mlp", diag);
    NodeId image =
        graph_input(graph, SYMBOL_BATCH, "image", DTYPE_U8, matrix(shape->batch, shape->widths[0]));
    NodeId label = graph_input(graph, SYMBOL_BATCH, "label", DTYPE_U8, vector(shape->batch));
    NodeId x =
        build_binary(graph, OP_div, build_convert(graph, image, DTYPE_F32), number(graph, 255));
    for (int layer = 0; layer < shape->layers; layer++) x = dense(graph, x, shape, layer);
    NodeId loss = cross_entropy(graph, x, label);
    graph_output(graph, "loss", loss);
    graph_output(graph, "logits", x);
    if (shape->train) train(graph, loss, shape);
    return graph;
}

Graph *mlp_graph_mnist(Diagnostics *diag) {
    return mlp_graph(&(MlpShape){64, (int64_t[]){784, 512, 256, 128, 10}, 4, true}, diag);
}
