/* Convolutions by tiles. Compiled code computes the interpreter's bits, the interpreter computes
 * the convolution, and a picture has the same result in any batch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ir/ops/winograd.h"
#include "passes/pass_list.h"
#include "tests/support/equal_programs.h"
#include "tests/support/eval_graph.h"

/* -- compiled code -- */

typedef struct {
    int64_t n, height, width, channels, filters;
} Pictures;

/* relu of a convolution and a bias, a second value of the result, and an update in place. */
static Graph *direct_graph(Diagnostics *diag, const void *context) {
    const Pictures *p = context;
    Graph *graph = graph_new("winograd", diag);
    NodeId x = graph_input(graph, SYMBOL_BATCH, "x", DTYPE_F32,
                           SHAPE(p->n, p->height, p->width, p->channels));
    Shape of_filters = SHAPE(WINOGRAD_PRODUCTS, p->channels, p->filters),
          of_result = SHAPE(p->n, p->height - 2, p->width - 2, p->filters);
    NodeId filters =
        graph_state(graph, "w", DTYPE_F32, of_filters, (Init){INIT_UNIFORM, -1, 1}, true);
    NodeId y = build_winograd(graph, x, filters);
    NodeId bias = graph_input(graph, SYMBOL_VALUE, "b", DTYPE_F32, SHAPE(p->filters));
    NodeId sum = build_binary(graph, OP_add, y, bias);
    NodeId kept =
        graph_state(graph, "kept", DTYPE_F32, of_result, (Init){INIT_CONSTANT, 0, 0}, false);
    graph_update(graph, kept, build_binary(graph, OP_sub, sum, kept));
    graph_output(graph, "y", build_unary(graph, OP_relu, sum));
    graph_output(graph, "turned", build_channels_first(graph, y));
    return graph;
}

/* Sums for the gradients of weights, from a padded picture, doubled. */
static Graph *weights_graph(Diagnostics *diag, const void *context) {
    const Pictures *p = context;
    Graph *graph = graph_new("winograd_weights", diag);
    NodeId x = graph_input(graph, SYMBOL_BATCH, "x", DTYPE_F32,
                           SHAPE(p->n, p->height - 2, p->width - 2, p->channels)),
           y = graph_state(graph, "y", DTYPE_F32,
                           SHAPE(p->n, p->height - 2, p->width - 2, p->filters),
                           (Init){INIT_UNIFORM, -1, 1}, true);
    int64_t border[] = {0, 1, 1, 0};
    NodeId sums = build_winograd_weights(graph, build_pad(graph, x, border, border), y);
    graph_output(graph, "sums", sums);
    graph_output(graph, "twice", build_binary(graph, OP_add, sums, sums));
    return graph;
}

static void assert_same_bits(MakeGraph *make, const Pictures *pictures, size_t count) {
    static const ProgramSetting settings[] = {{.level = 0, .threads = 1},
                                              {.level = 1, .threads = 2},
                                              {.level = 2, .threads = 1},
                                              {.level = 3, .threads = 3},
                                              {.level = 2, .threads = 2, .cpu = "x86-64-v3"},
                                              {.level = 2, .threads = 1, .cpu = "x86-64-v2"}};
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < sizeof settings / sizeof *settings; k++)
            if (!equal_programs(make, &pictures[i], &settings[k]))
                fail_msg("pictures %zu, setting %zu", i, k);
}

static void compiled_convolutions_have_the_same_bits(void **state) {
    (void)state;
    static const Pictures pictures[] = {
        {1, 3, 3, 16, 16},   {2, 6, 6, 32, 16},    {3, 7, 9, 16, 48},  {5, 9, 8, 48, 32},
        {1, 30, 30, 16, 16}, {4, 10, 130, 16, 32}, {1, 8, 5, 256, 16}, {2, 5, 12, 16, 256}};
    assert_same_bits(direct_graph, pictures, sizeof pictures / sizeof *pictures);
}

/* One part and several, ragged tiles, several blocks in a row of tiles, groups of channels. */
static void compiled_sums_have_the_same_bits(void **state) {
    (void)state;
    static const Pictures pictures[] = {{1, 3, 3, 16, 16}, {4, 30, 30, 16, 16},
                                        {3, 7, 9, 16, 48}, {2, 10, 130, 16, 32},
                                        {5, 9, 8, 96, 64}, {1, 8, 5, 256, 16}};
    assert_same_bits(weights_graph, pictures, sizeof pictures / sizeof *pictures);
}

/* -- the interpreter -- */

static NodeId conv(NodeId x, NodeId w, int64_t stride, int64_t dilation) {
    Window window = {{3, 3}, {stride, stride}, {dilation, dilation}};
    return build_conv(fixture.graph, x, w, &window, 1);
}

/* Numbers from -1 to 1. */
static float *draw(int64_t count, uint32_t seed) {
    float *numbers = malloc((size_t)count * sizeof *numbers);
    for (int64_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        numbers[i] = (float)((double)(seed >> 8) / 0x1p23 - 1);
    }
    return numbers;
}

/* Errors in units of the root mean square of the true values. */
typedef struct {
    double typical, largest; /* the root mean square of the errors */
} Errors;

static Errors errors_of(const float *y, const double *truth, int64_t count) {
    double squares = 0, errors = 0, largest = 0;
    for (int64_t i = 0; i < count; i++) {
        double error = fabs((double)y[i] - truth[i]);
        squares += truth[i] * truth[i], errors += error * error;
        largest = fmax(largest, error);
    }
    return (Errors){sqrt(errors / squares), largest / sqrt(squares / (double)count)};
}

/* The convolution as docs/numerics.md defines it where it is not computed by tiles. */
static void sum_in_order(const Pictures *p, const float *x, const float *w, float *y) {
    int64_t height = p->height - 2, width = p->width - 2;
    for (int64_t i = 0; i < p->n * p->filters * height * width; i++) {
        int64_t n = i / width / height / p->filters, o = i / width / height % p->filters;
        y[i] = 0;
        for (int64_t k = 0; k < 9 * p->channels; k++) {
            int64_t c = k % p->channels, tap = k / p->channels, row = i / width % height + tap / 3,
                    column = i % width + tap % 3;
            y[i] = fmaf(x[((n * p->channels + c) * p->height + row) * p->width + column],
                        w[(o * p->channels + c) * 9 + tap], y[i]);
        }
    }
}

/* Expands the fixture's graph. The ids of its outputs change. */
static void expand_fixture(void) {
    Compilation compilation = {.graph = fixture.graph};
    assert_true(pass_run(PASS_expand, &compilation, &(PassOptions){0}));
    fixture.graph = compilation.graph;
}

static int count_tiled(void) {
    int count = 0;
    for (NodeId id = 1; id < fixture.graph->node_count; id++)
        count += op_class(graph_node(fixture.graph, id)->op) == CLASS_WINOGRAD;
    return count;
}

/* The gradient of the weights for a gradient y, in order; more than one part is added at the
 * end. */
static void weights_in_order_of(const Pictures *p, const float *x, const float *y, float *w) {
    int64_t height = p->height - 2, width = p->width - 2, places = height * width,
            images = window_part(p->n, places);
    for (int64_t i = 0; i < p->filters * p->channels * 9; i++) {
        int64_t o = i / 9 / p->channels, c = i / 9 % p->channels, tap = i % 9;
        float part = 0;
        w[i] = 0;
        for (int64_t k = 0; k < p->n * places; k++) {
            int64_t n = k / places, row = k / width % height, column = k % width;
            const float *channel = x + (n * p->channels + c) * p->height * p->width;
            part = fmaf(channel[(row + tap / 3) * p->width + column + tap % 3],
                        y[(n * p->filters + o) * places + k % places], part);
            if ((k + 1) % (images * places)) continue;
            w[i] += part;
            part = 0;
        }
    }
}

/* A convolution of random pictures, or the gradient of its weights: in f64, as it is written; in
 * f32 by tiles, and in order. */
typedef struct {
    int64_t count;
    double *truth;
    float *tiled, *in_order;
} Convolved;

static Convolved compute(const Pictures *p, bool of_weights) {
    int64_t places = (p->height - 2) * (p->width - 2), taps = p->filters * p->channels * 9,
            results = p->n * p->filters * places, count = of_weights ? taps : results;
    Convolved r = {count, malloc((size_t)count * sizeof(double)),
                   malloc((size_t)count * sizeof(float)), malloc((size_t)count * sizeof(float))};
    float *x = draw(p->n * p->channels * p->height * p->width, 1),
          *w = draw(of_weights ? results : taps, 2);
    NodeId a = eval_input(DTYPE_F32, SHAPE(p->n, p->channels, p->height, p->width), x),
           b = eval_input(DTYPE_F32,
                          of_weights ? SHAPE(p->n, p->filters, p->height - 2, p->width - 2)
                                     : SHAPE(p->filters, p->channels, 3, 3),
                          w);
    NodeId y = of_weights ? build_conv_weights(fixture.graph, a, b) : conv(a, b, 1, 1);
    memcpy(r.truth, eval_run(y, INTERP_F64), (size_t)count * sizeof(double));
    expand_fixture();
    assert_int_equal(count_tiled(), 1);
    memcpy(r.tiled, eval_run(fixture.graph->outputs[0].node, INTERP_F32),
           (size_t)count * sizeof(float));
    (of_weights ? weights_in_order_of : sum_in_order)(p, x, w, r.in_order);
    free(x);
    free(w);
    return r;
}

static void results_free(Convolved *r) {
    free(r->truth);
    free(r->tiled);
    free(r->in_order);
}

static void compare_errors(const Pictures *p, bool of_weights) {
    eval_tear_down(NULL);
    eval_set_up(NULL);
    Convolved r = compute(p, of_weights);
    Errors tiled = errors_of(r.tiled, r.truth, r.count),
           in_order = errors_of(r.in_order, r.truth, r.count);
    print_message("%3d channels%s: typical %.1e, in order %.1e; largest %.1e, in order %.1e\n",
                  (int)p->channels, of_weights ? ", weights" : "", tiled.typical, in_order.typical,
                  tiled.largest, in_order.largest);
    assert_true(tiled.typical <= 4 * in_order.typical);
    assert_true(tiled.largest <= 4 * in_order.largest);
    results_free(&r);
}

/* docs/numerics.md has tables of what this prints. */
static void errors_are_near_those_of_sums_in_order(void **state) {
    (void)state;
    static const Pictures convolutions[] = {{1, 30, 30, 16, 16},
                                            {1, 16, 16, 32, 32},
                                            {4, 9, 9, 64, 64},
                                            {4, 9, 9, 128, 128},
                                            {2, 9, 9, 256, 256}},
                          weights[] = {{8, 30, 30, 16, 16},
                                       {16, 16, 16, 32, 32},
                                       {32, 9, 9, 64, 64},
                                       {32, 9, 9, 128, 128}};
    for (size_t i = 0; i < sizeof convolutions / sizeof *convolutions; i++)
        compare_errors(&convolutions[i], false);
    for (size_t i = 0; i < sizeof weights / sizeof *weights; i++) compare_errors(&weights[i], true);
}

/* The first picture alone, and before others. */
static void a_picture_does_not_depend_on_its_batch(void **state) {
    Convolved alone = compute(&(Pictures){1, 16, 13, 16, 32}, false);
    eval_tear_down(state);
    eval_set_up(state);
    Convolved in_batch = compute(&(Pictures){3, 16, 13, 16, 32}, false);
    assert_memory_equal(alone.tiled, in_batch.tiled, (size_t)alone.count * sizeof(float));
    results_free(&alone);
    results_free(&in_batch);
}

/* -- the rule -- */

static int tiled(int64_t size, int64_t channels, int64_t filters, int64_t stride,
                 int64_t dilation) {
    eval_tear_down(NULL);
    eval_set_up(NULL);
    NodeId x = eval_input(DTYPE_F32, SHAPE(2, channels, size, size), NULL),
           w = eval_input(DTYPE_F32, SHAPE(filters, channels, 3, 3), NULL);
    graph_output(fixture.graph, "y", conv(x, w, stride, dilation));
    expand_fixture();
    return count_tiled();
}

/* Whether the gradient of the weights is. */
static int tiled_weights(int64_t size, int64_t channels, int64_t filters) {
    eval_tear_down(NULL);
    eval_set_up(NULL);
    NodeId x = eval_input(DTYPE_F32, SHAPE(2, channels, size, size), NULL),
           y = eval_input(DTYPE_F32, SHAPE(2, filters, size - 2, size - 2), NULL);
    graph_output(fixture.graph, "w", build_conv_weights(fixture.graph, x, y));
    expand_fixture();
    return count_tiled();
}

static void the_shape_decides(void **state) {
    (void)state;
    assert_int_equal(tiled_weights(30, 16, 16), 1);
    assert_int_equal(tiled_weights(9, 64, 64), 1);
    assert_int_equal(tiled_weights(9, 16, 16), 0);
    assert_int_equal(tiled_weights(30, 16, 24), 0);
    assert_int_equal(tiled(30, 16, 16, 1, 1), 1);
    assert_int_equal(tiled(9, 64, 64, 1, 1), 1);
    assert_int_equal(tiled(9, 16, 16, 1, 1), 0); /* ragged tiles, and transforms of few products */
    assert_int_equal(tiled(4, 64, 64, 1, 1), 0);
    assert_int_equal(tiled(30, 3, 16, 1, 1), 0);
    assert_int_equal(tiled(30, 16, 24, 1, 1), 0);
    assert_int_equal(tiled(30, 16, 16, 2, 1), 0);
    assert_int_equal(tiled(30, 16, 16, 1, 2), 0);
    assert_int_equal(tiled(30, 16, WINOGRAD_MAX_CHANNELS + 16, 1, 1), 0);
}

/* -- messages -- */

static void wrong_operands_are_refused(void **state) {
    (void)state;
    NodeId x = eval_input(DTYPE_F32, SHAPE(2, 8, 8, 16), NULL),
           w = eval_input(DTYPE_F32, SHAPE(36, 16, 16), NULL),
           odd = eval_input(DTYPE_F32, SHAPE(36, 16, 8), NULL),
           low = eval_input(DTYPE_F32, SHAPE(2, 2, 8, 16), NULL);
    assert_int_not_equal(build_winograd(fixture.graph, x, w), NODE_NONE);
    assert_int_equal(build_winograd(fixture.graph, x, odd), NODE_NONE);
    assert_int_equal(build_winograd(fixture.graph, low, w), NODE_NONE);
    assert_int_equal(build_winograd(fixture.graph, w, w), NODE_NONE);
    assert_int_equal(build_winograd(fixture.graph, x, x), NODE_NONE);
    assert_int_equal(diag_errors(fixture.diag), 4);
    NodeId y = build_f32(fixture.graph, 1, SHAPE(2, 6, 6, 32));
    assert_int_not_equal(build_winograd_weights(fixture.graph, x, y), NODE_NONE);
    assert_int_equal(build_winograd_weights(fixture.graph, x, x), NODE_NONE);
    assert_int_equal(build_winograd_weights(fixture.graph, low, y), NODE_NONE);
    assert_int_equal(build_conv_weights(fixture.graph, x, w), NODE_NONE);
    assert_int_equal(diag_errors(fixture.diag), 7);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, eval_set_up, eval_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(compiled_convolutions_have_the_same_bits),
                                       cmocka_unit_test(compiled_sums_have_the_same_bits),
                                       TEST(errors_are_near_those_of_sums_in_order),
                                       TEST(a_picture_does_not_depend_on_its_batch),
                                       TEST(the_shape_decides),
                                       TEST(wrong_operands_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
