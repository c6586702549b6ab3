/* Convolutions and pooling of all shapes. Written out they equal the composites. Compiled code
 * reads windows directly from the picture and computes the interpreter's bits, gradients included,
 * with 32 vector registers and with 16. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "passes/pass_list.h"
#include "tests/support/equal_programs.h"

typedef struct {
    int64_t n, channels, height, width, filters;
    Window window;
    int64_t groups, pad;
} ConvShape;

/* A convolution, a bias, relu, and maxima of windows of 2 by 2. */
static NodeId layers(Graph *graph, const ConvShape *s, NodeId x, NodeId w) {
    NodeId padded = s->pad ? build_pad(graph, x, (int64_t[]){0, 0, s->pad, s->pad},
                                       (int64_t[]){0, 0, s->pad, s->pad})
                           : x;
    NodeId y = build_conv(graph, padded, w, &s->window, s->groups);
    NodeId bias = graph_input(graph, SYMBOL_VALUE, "bias", DTYPE_F32,
                              shape_of(3, (int64_t[]){s->filters, 1, 1}));
    NodeId above = build_unary(graph, OP_relu, build_binary(graph, OP_add, y, bias));
    return build_max_pool(graph, above, &(Window){{2, 2}, {2, 2}, {1, 1}});
}

/* Pictures of f32, some of which are infinite or NaN; or finite ones, made of bytes. */
static NodeId pictures(Graph *graph, const ConvShape *s, bool finite) {
    Shape shape = shape_of(4, (int64_t[]){s->n, s->channels, s->height, s->width});
    NodeId x = graph_input(graph, SYMBOL_BATCH, "x", finite ? DTYPE_U8 : DTYPE_F32, shape);
    if (!finite) return x;
    NodeId reals = build_convert(graph, x, DTYPE_F32);
    return build_binary(graph, OP_mul, reals, build_f32(graph, 1.0 / 255, shape));
}

static Graph *conv_graph_of(Diagnostics *diag, const ConvShape *s, bool finite) {
    Graph *graph = graph_new("conv", diag);
    NodeId x = pictures(graph, s, finite);
    int64_t weights[] = {s->filters, s->channels / s->groups, s->window.kernel[0],
                         s->window.kernel[1]};
    NodeId w =
        graph_state(graph, "w", DTYPE_F32, shape_of(4, weights), (Init){INIT_UNIFORM, -1, 1}, true);
    NodeId y = layers(graph, s, x, w);
    graph_output(graph, "y", y);
    return graph;
}

static Graph *conv_graph(Diagnostics *diag, const void *context) {
    return conv_graph_of(diag, context, false);
}

static NodeId sum_of_squares(Graph *graph) {
    NodeId y = graph->outputs[0].node;
    return build_reduce_axes(graph, OP_sum, build_binary(graph, OP_mul, y, y), 15);
}

/* With the gradients of the sum of squares. */
static Graph *trained_graph(Diagnostics *diag, const void *context) {
    Graph *graph = conv_graph(diag, context);
    NodeId loss = sum_of_squares(graph);
    graph_output(graph, "by x", build_grad(graph, loss, graph_symbol(graph, "x")->node));
    graph_output(graph, "by w", build_grad(graph, loss, graph_symbol(graph, "w")->node));
    return graph;
}

/* The gradient by w of finite pictures. A single NaN would hide all its other terms. */
static Graph *finite_graph(Diagnostics *diag, const void *context) {
    Graph *graph = conv_graph_of(diag, context, true);
    NodeId by_w = build_grad(graph, sum_of_squares(graph), graph_symbol(graph, "w")->node);
    graph_output(graph, "by w", by_w);
    return graph;
}

/* Full and ragged tiles, one channel, windows that do not divide the picture, and pictures in
 * several parts for the gradients of weights. */
static const ConvShape shapes[] = {{3, 1, 9, 8, 6, {{3, 3}, {1, 1}, {1, 1}}, 1, 1},
                                   {2, 16, 8, 8, 24, {{3, 3}, {1, 1}, {1, 1}}, 1, 1},
                                   {2, 3, 11, 9, 20, {{5, 3}, {2, 1}, {1, 2}}, 1, 2},
                                   {4, 5, 7, 7, 33, {{1, 1}, {1, 1}, {1, 1}}, 1, 0},
                                   {2, 6, 9, 9, 4, {{1, 1}, {2, 2}, {1, 1}}, 1, 0},
                                   {2, 8, 8, 8, 12, {{3, 2}, {1, 2}, {2, 1}}, 4, 1},
                                   {2, 16, 9, 9, 16, {{3, 3}, {1, 1}, {1, 1}}, 16, 1},
                                   {2, 3, 9, 9, 6, {{2, 4}, {2, 3}, {1, 1}}, 3, 0},
                                   {4, 2, 34, 34, 17, {{3, 3}, {1, 1}, {1, 1}}, 1, 0},
                                   {3, 4, 6, 6, 8, {{3, 3}, {3, 3}, {1, 1}}, 1, 0},
                                   /* few filters: tiles run along the windows; and the reverse: few
                                    * channels */
                                   {3, 1, 9, 14, 6, {{3, 3}, {1, 1}, {1, 1}}, 1, 1},
                                   {3, 5, 12, 13, 6, {{3, 3}, {1, 1}, {1, 1}}, 1, 1},
                                   {2, 4, 9, 35, 3, {{3, 3}, {2, 1}, {1, 2}}, 1, 2},
                                   {2, 3, 7, 20, 1, {{5, 3}, {1, 1}, {2, 1}}, 1, 2},
                                   {1, 2, 5, 32, 8, {{3, 3}, {1, 1}, {1, 1}}, 1, 1},
                                   /* and two elements of a window in a sum for the gradient by w:
                                    * odd and even rows of windows, the most sums, one too many */
                                   {4, 1, 19, 18, 8, {{5, 5}, {1, 1}, {1, 1}}, 1, 0},
                                   {2, 2, 9, 8, 5, {{3, 3}, {1, 2}, {2, 1}}, 1, 1},
                                   {2, 3, 9, 9, 7, {{3, 5}, {2, 1}, {1, 1}}, 1, 0},
                                   {2, 1, 9, 12, 3, {{5, 9}, {1, 1}, {1, 1}}, 1, 1},
                                   /* the same with tiles along 32 images, also of the gradients by
                                    * x; windows that lie in the padding as a whole */
                                   {32, 3, 7, 5, 5, {{3, 3}, {1, 1}, {1, 1}}, 1, 1},
                                   {64, 4, 6, 5, 16, {{3, 3}, {1, 1}, {1, 1}}, 1, 0},
                                   {32, 2, 9, 8, 7, {{3, 3}, {2, 1}, {1, 2}}, 1, 4},
                                   {32, 5, 8, 8, 8, {{5, 2}, {1, 3}, {2, 1}}, 1, 3},
                                   /* by tiles: whole ones, ragged ones, and wide pictures; the
                                    * gradient by x of a stride of 2 */
                                   {2, 16, 12, 12, 16, {{3, 3}, {1, 1}, {1, 1}}, 1, 1},
                                   {3, 48, 7, 11, 32, {{3, 3}, {1, 1}, {1, 1}}, 1, 1},
                                   {1, 16, 9, 62, 48, {{3, 3}, {1, 1}, {1, 1}}, 1, 0},
                                   {2, 16, 15, 14, 32, {{3, 3}, {2, 2}, {1, 1}}, 1, 1}};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static void equal_bits(void **state) {
    (void)state;
    for (size_t i = 0; i < SHAPES; i++) assert_true(equal_everywhere(trained_graph, &shapes[i]));
}

/* Gradients by w: two elements of a window in a sum, an odd and an even number of them; 16 matrices
 * in the lanes of a sum, with two pictures in each, ragged blocks of columns, ragged blocks of
 * elements; and products by tiles of windows. */
static const ConvShape finite_shapes[] = {{4, 1, 19, 18, 8, {{5, 5}, {1, 1}, {1, 1}}, 1, 1},
                                          {2, 2, 9, 8, 5, {{3, 3}, {1, 2}, {2, 1}}, 1, 1},
                                          {32, 1, 24, 30, 5, {{5, 3}, {1, 1}, {1, 1}}, 1, 0},
                                          {16, 1, 34, 35, 7, {{3, 5}, {1, 1}, {1, 1}}, 1, 1},
                                          {16, 1, 40, 66, 3, {{2, 7}, {1, 2}, {3, 1}}, 1, 0},
                                          {4, 2, 34, 34, 17, {{3, 3}, {1, 1}, {1, 1}}, 1, 0},
                                          {2, 3, 11, 9, 20, {{5, 3}, {2, 1}, {1, 2}}, 1, 2}};

static void gradients_of_finite_pictures(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof finite_shapes / sizeof *finite_shapes; i++)
        assert_true(equal_everywhere(finite_graph, &finite_shapes[i]));
}

/* The filters of shape `s`, one of which is infinite in its first row. Where that row meets the
 * padding, 0 * infinity is NaN. */
static Graph *infinite_graph(Diagnostics *diag, const void *context) {
    const ConvShape *s = context;
    Graph *graph = graph_new("conv", diag);
    NodeId x = graph_input(graph, SYMBOL_BATCH, "x", DTYPE_F32,
                           shape_of(4, (int64_t[]){s->n, s->channels, s->height, s->width}));
    Shape weights =
        shape_of(4, (int64_t[]){s->filters, s->channels, s->window.kernel[0], s->window.kernel[1]});
    NodeId w = graph_state(graph, "w", DTYPE_F32, weights, (Init){INIT_UNIFORM, -1, 1}, true);
    NodeId first = build_binary(graph, OP_eq, build_iota(graph, weights, 2),
                                build_constant(graph, (TensorType){DTYPE_I32, weights}, 0));
    NodeId second = build_binary(graph, OP_eq, build_iota(graph, weights, 0),
                                 build_constant(graph, (TensorType){DTYPE_I32, weights}, 1));
    w = build_ternary(graph, OP_select, build_binary(graph, OP_and, first, second),
                      build_f32(graph, INFINITY, weights), w);
    int64_t around[] = {0, 0, s->pad, s->pad};
    NodeId y = build_conv(graph, build_pad(graph, x, around, around), w, &s->window, s->groups);
    graph_output(graph, "y", y);
    return graph;
}

static void infinite_filters_meet_the_padding(void **state) {
    (void)state;
    for (size_t i = 0; i < SHAPES; i++)
        if (shapes[i].pad && shapes[i].n >= 32)
            assert_true(equal_everywhere(infinite_graph, &shapes[i]));
}

/* Computes y in f64. Each input is a function of its index. */
static void run_in_f64(const Graph *graph, double *y) {
    Interp *interp = interp_new(graph, INTERP_F64);
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        double *value = interp_value(interp, graph->symbols[i].node);
        for (int64_t k = 0; k < shape_elements(graph->symbols[i].shape); k++)
            value[k] = sin((double)(7 * k + i));
    }
    interp_run(interp);
    NodeId output = graph->outputs[0].node;
    for (int64_t k = 0; k < shape_elements(graph_node(graph, output)->shape); k++)
        y[k] = ((double *)interp_value(interp, output))[k];
    interp_free(interp);
}

static void expansions_mean_the_composites(void **state) {
    (void)state;
    enum { MOST = 1 << 16 };
    static double whole[MOST], written_out[MOST];
    for (size_t i = 0; i < SHAPES; i++) {
        Diagnostics *diag = diag_new();
        Compilation compilation = {.graph = conv_graph(diag, &shapes[i])};
        int64_t count = shape_elements(
            graph_node(compilation.graph, compilation.graph->outputs[0].node)->shape);
        assert_true(count <= MOST);
        run_in_f64(compilation.graph, whole);
        assert_true(pass_run(PASS_expand, &compilation, &(PassOptions){0}));
        run_in_f64(compilation.graph, written_out);
        for (int64_t k = 0; k < count; k++) assert_true(fabs(whole[k] - written_out[k]) <= 1e-12);
        compilation_free(&compilation);
        diag_free(diag);
    }
}

/* Slicing a pad's gradient is part of a convolution: no larger gradient is computed first. */
static void no_gradient_of_padding_is_computed(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Compilation compilation;
    assert_true(passes_run(&compilation, trained_graph(diag, &shapes[1]),
                           &(PassOptions){.level = 2}, PASS_dce));
    int products = 0, all = 0; /* of windows; with those for the weights */
    for (NodeId id = 1; id < compilation.graph->node_count; id++) {
        const Node *node = graph_node(compilation.graph, id);
        if (node->op == OP_matmul) products += node->shape.dim[0] == 2 * 8 * 8, all++;
    }
    assert_int_equal(products, 2);
    assert_int_equal(all, 3);
    compilation_free(&compilation);
    diag_free(diag);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(equal_bits),
                                       cmocka_unit_test(gradients_of_finite_pictures),
                                       cmocka_unit_test(infinite_filters_meet_the_padding),
                                       cmocka_unit_test(expansions_mean_the_composites),
                                       cmocka_unit_test(no_gradient_of_padding_is_computed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
