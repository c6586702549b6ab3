/* Matrix products of all shapes: partial tiles, operands stored either way, batches, epilogues,
 * states updated in place and kept in two layouts, with 32 vector registers and with 16. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/equal_programs.h"
#include "tests/support/mlp_graph.h"

typedef struct {
    int64_t batch, m, n, k;
    bool transpose_a, transpose_b;
} ProductShape;

static NodeId matrix_input(Graph *graph, const char *name, int64_t batch, int64_t rows,
                           int64_t columns, bool transposed) {
    Shape shape = {.rank = 2, .dim = {transposed ? columns : rows, transposed ? rows : columns}};
    if (batch) shape = (Shape){.rank = 3, .dim = {batch, shape.dim[0], shape.dim[1]}};
    return graph_input(graph, SYMBOL_VALUE, name, DTYPE_F32, shape);
}

/* The product; the product with a bias along its last axis and its relu; the transposed product. */
static Graph *product_graph(Diagnostics *diag, const void *context) {
    const ProductShape *s = context;
    Graph *graph = graph_new("product", diag);
    NodeId a = matrix_input(graph, "a", s->batch, s->m, s->k, s->transpose_a);
    NodeId b = matrix_input(graph, "b", s->batch, s->k, s->n, s->transpose_b);
    NodeId bias = graph_input(graph, SYMBOL_VALUE, "bias", DTYPE_F32, shape_of(1, &s->n));
    NodeId product = build_matmul(graph, a, b, s->transpose_a, s->transpose_b);
    NodeId sum = build_binary(graph, OP_add, product, bias);
    graph_output(graph, "product", product);
    graph_output(
        graph, "above",
        build_binary(graph, OP_max, sum, build_f32(graph, 0, graph_node(graph, sum)->shape)));
    graph_output(graph, "transposed",
                 build_transpose(graph, build_unary(graph, OP_neg, product), NULL));
    return graph;
}

static Graph *mlp(Diagnostics *diag, const void *context) { return mlp_graph(context, diag); }

static void assert_equal(MakeGraph *make, const void *context) {
    assert_true(equal_everywhere(make, context));
}

static void shapes(void **state) {
    (void)state;
    static const ProductShape list[] = {
        {.m = 1, .n = 1, .k = 1},
        {.m = 1, .n = 100, .k = 7, .transpose_b = true},
        {.m = 7, .n = 33, .k = 40},
        {.m = 33, .n = 7, .k = 16, .transpose_a = true},
        {.m = 100, .n = 16, .k = 33, .transpose_a = true, .transpose_b = true},
        {.m = 64, .n = 48, .k = 64, .transpose_b = true},
        {.m = 9, .n = 65, .k = 300},
        {.m = 1, .n = 300, .k = 50},
        {.m = 2, .n = 130, .k = 33, .transpose_a = true},
        {.m = 3, .n = 97, .k = 20, .transpose_b = true},
        {.m = 4, .n = 64, .k = 9},
        {.m = 11, .n = 80, .k = 1},
        {.m = 37, .n = 77, .k = 40, .transpose_b = true},
        {.m = 30, .n = 40, .k = 21, .transpose_a = true},
        {.m = 512, .n = 100, .k = 40, .transpose_a = true},
        {.batch = 2, .m = 256, .n = 70, .k = 48, .transpose_a = true},
        {.batch = 2, .m = 13, .n = 33, .k = 8, .transpose_b = true},
        {.batch = 1, .m = 64, .n = 32, .k = 9},
        {.batch = 1, .m = 32, .n = 64, .k = 9, .transpose_a = true},
        {.batch = 3, .m = 20, .n = 34, .k = 5},
        {.batch = 2, .m = 34, .n = 20, .k = 31, .transpose_a = true, .transpose_b = true}};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) assert_equal(product_graph, &list[i]);
}

/* Several blocks of k with a smaller last one, several chunks of rows likewise, and rows and
 * columns with and without copies in panels. */
static void blocks(void **state) {
    (void)state;
    static const ProductShape list[] = {
        {.m = 5, .n = 20, .k = 2100},
        {.m = 1, .n = 150, .k = 1100},
        {.m = 37, .n = 70, .k = 1030, .transpose_a = true},
        {.m = 45, .n = 33, .k = 1500, .transpose_a = true, .transpose_b = true},
        {.m = 250, .n = 34, .k = 600, .transpose_a = true},
        {.m = 45, .n = 77, .k = 1100},
        {.batch = 2, .m = 150, .n = 40, .k = 520, .transpose_a = true}};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) assert_equal(product_graph, &list[i]);
}

/* Weights whose second layout is written by transposing tiles, among them sizes that do not fill
 * the tiles. */
static void training(void **state) {
    (void)state;
    static const int64_t whole[] = {48, 64, 32, 16}, ragged[] = {50, 36, 20, 12, 6},
                         odd[] = {77, 33, 41, 10};
    assert_equal(mlp, &(MlpShape){.batch = 40, .widths = whole, .layers = 3, .train = true});
    assert_equal(mlp, &(MlpShape){.batch = 5, .widths = ragged, .layers = 4, .train = true});
    assert_equal(mlp, &(MlpShape){.batch = 9, .widths = odd, .layers = 3, .train = true});
}

/* Bytes of data are often 0, and 0 times infinity is NaN. So products may skip zeros only if all
 * other operands are finite. */
typedef struct {
    int64_t rows, k;
    double factor; /* times numbers around 1, squared, makes the weights */
} BytesShape;

static Graph *product_of_bytes(Diagnostics *diag, const void *context) {
    const BytesShape *s = context;
    Graph *graph = graph_new("bytes", diag);
    NodeId bytes =
        graph_input(graph, SYMBOL_BATCH, "x", DTYPE_U8, (Shape){.rank = 2, .dim = {s->rows, s->k}});
    NodeId w =
        graph_input(graph, SYMBOL_VALUE, "w", DTYPE_F32, (Shape){.rank = 2, .dim = {s->k, 96}});
    for (int i = 0; i < 2; i++)
        w = build_binary(graph, OP_mul, w,
                         build_f32(graph, s->factor, graph_node(graph, w)->shape));
    graph_output(graph, "y",
                 build_matmul(graph, build_convert(graph, bytes, DTYPE_F32), w, false, false));
    return graph;
}

static void zeros(void **state) {
    (void)state;
    static const BytesShape list[] = {{24, 70, 1.5},    {24, 70, 3e38}, {9, 1, 1.5},
                                      {9, 1, 3e38},     {65, 9, 0},     {100, 1100, 1.5},
                                      {100, 1100, 1e19}};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        assert_equal(product_of_bytes, &list[i]);
}

/* Products of whole bytes: the left operand, or the columns, from a state; rows read from the data,
 * so that zeros are left out; windows, as in a convolution. */
typedef struct {
    int64_t rows, n, k;
    DType left;
    bool transpose_b;
} WholeShape;

static Graph *product_of_whole(Diagnostics *diag, const void *context) {
    const WholeShape *s = context;
    Graph *graph = graph_new("whole", diag);
    int64_t sizes[] = {s->transpose_b ? s->n : s->k, s->transpose_b ? s->k : s->n};
    NodeId a =
        graph_input(graph, SYMBOL_BATCH, "x", s->left, shape_of(2, (int64_t[]){s->rows, s->k}));
    NodeId b = graph_input(graph, SYMBOL_VALUE, "w", DTYPE_I8, shape_of(2, sizes)),
           bias = graph_input(graph, SYMBOL_VALUE, "bias", DTYPE_I32, shape_of(1, &s->n));
    NodeId product = build_matmul(graph, a, b, false, s->transpose_b);
    NodeId sum = build_binary(graph, OP_add, product, bias);
    Shape shape = graph_node(graph, sum)->shape;
    NodeId scaled = build_ternary(graph, OP_scale, sum, build_i32(graph, 0x50000003, shape),
                                  build_i32(graph, 6, shape));
    graph_output(graph, "product", product);
    graph_output(graph, "bytes", build_convert(graph, scaled, DTYPE_U8));
    graph_output(graph, "transposed", build_transpose(graph, product, NULL));
    return graph;
}

static Graph *windows_of_whole(Diagnostics *diag, const void *context) {
    const WholeShape *s = context;
    Graph *graph = graph_new("windows", diag);
    Window window = {{3, 3}, {1, 1}, {1, 1}};
    int64_t channels = s->k / 9;
    NodeId x = graph_input(graph, SYMBOL_BATCH, "x", s->left,
                           shape_of(4, (int64_t[]){s->rows, 9, 12, channels}));
    NodeId w =
        graph_input(graph, SYMBOL_VALUE, "w", DTYPE_I8, shape_of(2, (int64_t[]){s->k, s->n}));
    NodeId rows = build_reshape(graph, build_windows(graph, x, &window),
                                shape_of(2, (int64_t[]){s->rows * 70, s->k}));
    graph_output(graph, "y", build_matmul(graph, rows, w, false, false));
    return graph;
}

static void whole_numbers(void **state) {
    (void)state;
    static const WholeShape list[] = {{1, 1, 1, DTYPE_U8, false},     {1, 300, 50, DTYPE_U8, true},
                                      {7, 33, 40, DTYPE_I8, false},   {24, 96, 70, DTYPE_U8, true},
                                      {45, 77, 1100, DTYPE_U8, true}, {5, 20, 2100, DTYPE_I8, true},
                                      {100, 16, 33, DTYPE_U8, false}};
    static const WholeShape pictures[] = {{2, 6, 9, DTYPE_U8, false}, {3, 20, 36, DTYPE_U8, false}};
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        assert_equal(product_of_whole, &list[i]);
    for (size_t i = 0; i < sizeof pictures / sizeof pictures[0]; i++)
        assert_equal(windows_of_whole, &pictures[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(shapes), cmocka_unit_test(blocks),
                                       cmocka_unit_test(training), cmocka_unit_test(zeros),
                                       cmocka_unit_test(whole_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
