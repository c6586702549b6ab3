/* What every op computes: the corners of the numerics contract, checked through the interpreter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ir/ir.h"

#include <math.h>
#include <string.h>

typedef struct {
    Diagnostics *diag;
    Graph *graph;
    Interp *interp;
    const void *data[4]; /* of the inputs, in order */
} Fixture;

static Fixture fixture;

static int set_up(void **state) {
    (void)state;
    fixture = (Fixture){.diag = diag_new()};
    fixture.graph = graph_new("test", fixture.diag);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    interp_free(fixture.interp);
    graph_free(fixture.graph);
    diag_free(fixture.diag);
    return 0;
}

#define SHAPE(...)                                                                                 \
    shape_of((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})

static const Shape scalar = {0};

static NodeId input(DType dtype, Shape shape, const void *data) {
    static const char *const names[] = {"a", "b", "c", "d"};
    fixture.data[fixture.graph->symbol_count] = data;
    return graph_input(fixture.graph, SYMBOL_VALUE, names[fixture.graph->symbol_count], dtype,
                       shape);
}

/* Data of dtype f32 is given as float in both precisions. */
static void write_input(NodeId node, Precision precision, const void *data) {
    void *value = interp_value(fixture.interp, node);
    int64_t count = shape_elements(graph_node(fixture.graph, node)->shape);
    bool widen = precision == INTERP_F64 && graph_node(fixture.graph, node)->dtype == DTYPE_F32;
    for (int64_t i = 0; widen && i < count; i++)
        ((double *)value)[i] = (double)((const float *)data)[i];
    if (!widen) memcpy(value, data, interp_value_bytes(fixture.interp, node));
}

static const void *run(NodeId node, Precision precision) {
    assert_int_not_equal(node, NODE_NONE);
    graph_output(fixture.graph, "result", node);
    interp_free(fixture.interp);
    fixture.interp = interp_new(fixture.graph, precision);
    for (uint32_t i = 0; i < fixture.graph->symbol_count; i++)
        write_input(fixture.graph->symbols[i].node, precision, fixture.data[i]);
    interp_run(fixture.interp);
    return interp_value(fixture.interp, node);
}

static uint32_t canonical(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return isnan(value) ? 0x7fc00000 : bits;
}

/* As f32 rounds: f64 may have another result. */
static void expect_rounded(NodeId node, const float *expected, int count) {
    const float *got = run(node, INTERP_F32);
    for (int i = 0; i < count; i++)
        if (canonical(got[i]) != canonical(expected[i]))
            fail_msg("element %d: %a, not %a", i, (double)got[i], (double)expected[i]);
}

static void expect_floats(NodeId node, const float *expected, int count) {
    expect_rounded(node, expected, count);
    const double *twofold = run(node, INTERP_F64);
    for (int i = 0; i < count; i++)
        if (canonical((float)twofold[i]) != canonical(expected[i]))
            fail_msg("f64 element %d: %a", i, twofold[i]);
}

static void expect_ints(NodeId node, const int32_t *expected, int count) {
    for (Precision precision = INTERP_F32; precision <= INTERP_F64; precision++) {
        const int32_t *got = run(node, precision);
        for (int i = 0; i < count; i++) assert_int_equal(got[i], expected[i]);
    }
}

static void expect_bytes(NodeId node, const uint8_t *expected, int count) {
    for (Precision precision = INTERP_F32; precision <= INTERP_F64; precision++)
        assert_memory_equal(run(node, precision), expected, (size_t)count);
}

#define FLOATS(node, ...)                                                                          \
    expect_floats(node, (float[]){__VA_ARGS__},                                                    \
                  (int)(sizeof((float[]){__VA_ARGS__}) / sizeof(float)))
#define ROUNDED(node, ...)                                                                         \
    expect_rounded(node, (float[]){__VA_ARGS__},                                                   \
                   (int)(sizeof((float[]){__VA_ARGS__}) / sizeof(float)))
#define INTS(node, ...)                                                                            \
    expect_ints(node, (int32_t[]){__VA_ARGS__},                                                    \
                (int)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)))
#define BYTES(node, ...)                                                                           \
    expect_bytes(node, (uint8_t[]){__VA_ARGS__}, (int)sizeof((uint8_t[]){__VA_ARGS__}))

static const float specials[] = {1, -0.0f, NAN, INFINITY, -2.5f, 0};
static const float others[] = {NAN, 0, 3, 1, -2.5f, -0.0f};

static NodeId binary(Op op) {
    NodeId a = input(DTYPE_F32, SHAPE(6), specials), b = input(DTYPE_F32, SHAPE(6), others);
    return build_binary(fixture.graph, op, a, b);
}

static void maximum_is_that_of_ieee(void **state) {
    (void)state;
    FLOATS(binary(OP_max), NAN, 0, NAN, INFINITY, -2.5f, 0);
}

static void minimum_is_that_of_ieee(void **state) {
    (void)state;
    FLOATS(binary(OP_min), NAN, -0.0f, NAN, 1, -2.5f, -0.0f);
}

static void comparisons_with_nan(void **state) {
    (void)state;
    BYTES(binary(OP_lt), 0, 0, 0, 0, 0, 0);
    Graph *graph = fixture.graph;
    NodeId a = 1, b = 2;
    BYTES(build_binary(graph, OP_le, a, b), 0, 1, 0, 0, 1, 1);
    BYTES(build_binary(graph, OP_eq, a, b), 0, 1, 0, 0, 1, 1);
    BYTES(build_binary(graph, OP_ne, a, b), 1, 0, 1, 1, 0, 0);
}

static void real_functions_of_one_operand(void **state) {
    (void)state;
    static const float x[] = {2.5f, 3.5f, -0.5f, -1.5f, 8388609, -0.0f, NAN};
    NodeId a = input(DTYPE_F32, SHAPE(7), x);
    FLOATS(build_unary(fixture.graph, OP_rint, a), 2, 4, -0.0f, -2, 8388609, -0.0f, NAN);
    FLOATS(build_unary(fixture.graph, OP_floor, a), 2, 3, -1, -2, 8388609, -0.0f, NAN);
    FLOATS(build_unary(fixture.graph, OP_abs, a), 2.5f, 3.5f, 0.5f, 1.5f, 8388609, 0, NAN);
    FLOATS(build_unary(fixture.graph, OP_neg, a), -2.5f, -3.5f, 0.5f, 1.5f, -8388609, 0, NAN);
}

static void roots_and_quotients_round_once(void **state) {
    (void)state;
    static const float x[] = {2, 1, -1}, y[] = {3, -0.0f, 0};
    NodeId a = input(DTYPE_F32, SHAPE(3), x), b = input(DTYPE_F32, SHAPE(3), y);
    FLOATS(build_unary(fixture.graph, OP_sqrt, a), 0x1.6a09e6p+0f, 1, NAN);
    FLOATS(build_binary(fixture.graph, OP_div, a, b), 0x1.555556p-1f, -INFINITY, -INFINITY);
}

static void denormals_are_honoured(void **state) {
    (void)state;
    static const float x[] = {0x1p-126f, 0x1p-149f}, y[] = {0.5f, 0.5f};
    NodeId a = input(DTYPE_F32, SHAPE(2), x), b = input(DTYPE_F32, SHAPE(2), y);
    const float *got = run(build_binary(fixture.graph, OP_mul, a, b), INTERP_F32);
    assert_true(got[0] == 0x1p-127f && got[1] == 0); /* the tie goes to the even 0 */
}

static void fma_rounds_once(void **state) {
    (void)state;
    static const float x[] = {0x1.000002p+0f, 0x1p-100f}, z[] = {-1, 1};
    NodeId a = input(DTYPE_F32, SHAPE(2), x), c = input(DTYPE_F32, SHAPE(2), z);
    const float *got = run(build_ternary(fixture.graph, OP_fma, a, a, c), INTERP_F32);
    /* 2^-22 + 2^-46 would lose its end if the product were rounded */
    assert_true(got[0] == 0x1.000001p-22f && got[1] == 1);
}

static void integers_wrap(void **state) {
    (void)state;
    static const int32_t x[] = {INT32_MAX, INT32_MIN, 65536}, y[] = {1, -1, 65536};
    NodeId a = input(DTYPE_I32, SHAPE(3), x), b = input(DTYPE_I32, SHAPE(3), y);
    INTS(build_binary(fixture.graph, OP_add, a, b), INT32_MIN, INT32_MAX, 131072);
    INTS(build_binary(fixture.graph, OP_sub, a, b), INT32_MAX - 1, INT32_MIN + 1, 0);
    INTS(build_binary(fixture.graph, OP_mul, a, b), INT32_MAX, INT32_MIN, 0);
    INTS(build_unary(fixture.graph, OP_neg, a), -INT32_MAX, INT32_MIN, -65536);
    INTS(build_binary(fixture.graph, OP_max, a, b), INT32_MAX, -1, 65536);
    INTS(build_binary(fixture.graph, OP_min, a, b), 1, INT32_MIN, 65536);
}

static void bits_and_shifts(void **state) {
    (void)state;
    static const int32_t x[] = {-1, 5, 1}, y[] = {33, 1, -1};
    NodeId a = input(DTYPE_I32, SHAPE(3), x), b = input(DTYPE_I32, SHAPE(3), y);
    INTS(build_binary(fixture.graph, OP_shl, a, b), -2, 10, INT32_MIN);
    INTS(build_binary(fixture.graph, OP_shr, a, b), INT32_MAX, 2, 0);
    INTS(build_binary(fixture.graph, OP_and, a, b), 33, 1, 1);
    INTS(build_binary(fixture.graph, OP_or, a, b), -1, 5, -1);
    INTS(build_binary(fixture.graph, OP_xor, a, b), ~33, 4, -2);
    INTS(build_unary(fixture.graph, OP_not, a), 0, -6, -2);
}

static void logic_of_booleans(void **state) {
    (void)state;
    static const uint8_t x[] = {0, 0, 1, 1}, y[] = {0, 1, 0, 1};
    NodeId a = input(DTYPE_BOOL, SHAPE(4), x), b = input(DTYPE_BOOL, SHAPE(4), y);
    BYTES(build_binary(fixture.graph, OP_and, a, b), 0, 0, 0, 1);
    BYTES(build_binary(fixture.graph, OP_xor, a, b), 0, 1, 1, 0);
    BYTES(build_unary(fixture.graph, OP_not, a), 1, 1, 0, 0);
    BYTES(build_binary(fixture.graph, OP_lt, a, b), 0, 1, 0, 0);
    BYTES(build_ternary(fixture.graph, OP_select, a, b, a), 0, 0, 0, 1);
}

static void conversions_saturate(void **state) {
    (void)state;
    static const float x[] = {-1.9f, 255.9f, NAN, INFINITY, -INFINITY, 300};
    NodeId a = input(DTYPE_F32, SHAPE(6), x);
    NodeId ints = build_convert(fixture.graph, a, DTYPE_I32);
    INTS(ints, -1, 255, 0, INT32_MAX, INT32_MIN, 300);
    BYTES(build_convert(fixture.graph, a, DTYPE_U8), 0, 255, 0, 255, 0, 255);
    BYTES(build_convert(fixture.graph, ints, DTYPE_U8), 0, 255, 0, 255, 0, 255);
    BYTES(build_convert(fixture.graph, a, DTYPE_BOOL), 1, 1, 1, 1, 1, 1);
    BYTES(build_convert(fixture.graph, ints, DTYPE_BOOL), 1, 1, 0, 1, 1, 1);
}

static void integers_round_to_f32(void **state) {
    (void)state;
    static const int32_t x[] = {16777217, 16777219, -16777217, INT32_MAX};
    NodeId a = input(DTYPE_I32, SHAPE(4), x);
    const float *got = run(build_convert(fixture.graph, a, DTYPE_F32), INTERP_F32);
    assert_true(got[0] == 16777216 && got[1] == 16777220 && got[2] == -16777216 &&
                got[3] == 2147483648.0f);
}

static void bitcasts_keep_bits(void **state) {
    (void)state;
    static const float x[] = {1, -0.0f};
    NodeId ints = build_bitcast(fixture.graph, input(DTYPE_F32, SHAPE(2), x), DTYPE_I32);
    INTS(ints, 0x3f800000, INT32_MIN);
    FLOATS(build_bitcast(fixture.graph, ints, DTYPE_F32), 1, -0.0f);
}

static const float counted[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

static void views_move_elements(void **state) {
    (void)state;
    Graph *graph = fixture.graph;
    NodeId a = input(DTYPE_F32, SHAPE(2, 3, 2), counted),
           row = input(DTYPE_F32, SHAPE(3, 1), counted);
    FLOATS(build_transpose(graph, a, (int64_t[]){2, 0, 1}), 0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11);
    FLOATS(build_reshape(graph, a, SHAPE(12)), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11);
    FLOATS(build_slice(graph, a, (int64_t[]){1, 0, 1}, (int64_t[]){2, 3, 2}, (int64_t[]){1, 2, 1}),
           7, 11);
    FLOATS(build_pad(graph, row, (int64_t[]){1, 0}, (int64_t[]){0, 2}), 0, 0, 0, 0, 0, 0, 1, 0, 0,
           2, 0, 0);
    FLOATS(build_broadcast(graph, row, SHAPE(2, 3, 2)), 0, 0, 1, 1, 2, 2, 0, 0, 1, 1, 2, 2);
    FLOATS(build_broadcast(
               graph,
               build_reshape(graph,
                             build_slice(graph, row, (int64_t[]){2, 0}, (int64_t[]){3, 1}, NULL),
                             scalar),
               SHAPE(2)),
           2, 2);
}

static void concat_places_operands(void **state) {
    (void)state;
    NodeId a = input(DTYPE_F32, SHAPE(2, 2), counted),
           b = input(DTYPE_F32, SHAPE(2, 1), counted + 6);
    FLOATS(build_concat(fixture.graph, (NodeId[]){a, b, a}, 3, 1), 0, 1, 6, 0, 1, 2, 3, 7, 2, 3);
    FLOATS(build_concat(fixture.graph, (NodeId[]){a, a}, 2, 0), 0, 1, 2, 3, 0, 1, 2, 3);
}

static void bytes_are_moved_too(void **state) {
    (void)state;
    static const uint8_t x[] = {1, 2, 3, 4, 5, 6};
    NodeId a = input(DTYPE_U8, SHAPE(2, 3), x);
    BYTES(build_transpose(fixture.graph, a, NULL), 1, 4, 2, 5, 3, 6);
    BYTES(build_pad(fixture.graph, a, (int64_t[]){0, 1}, (int64_t[]){1, 0}), 0, 1, 2, 3, 0, 4, 5, 6,
          0, 0, 0, 0);
}

static void iota_counts_along_an_axis(void **state) {
    (void)state;
    INTS(build_iota(fixture.graph, SHAPE(2, 3), 1), 0, 1, 2, 0, 1, 2);
    INTS(build_iota(fixture.graph, SHAPE(2, 3), 0), 0, 0, 0, 1, 1, 1);
}

static void sum_of_the_innermost_axis_has_16_parts(void **state) {
    (void)state;
    float x[33] = {0}, partial[16] = {0};
    for (int i = 0; i < 33; i++) x[i] = random_unit(7, STREAM_INPUT, 0, (uint64_t)i);
    for (int i = 0; i < 33; i++) partial[i % 16] += x[i];
    for (int w = 8; w > 0; w /= 2)
        for (int l = 0; l < w; l++) partial[l] += partial[l + w];
    float ascending = 0;
    for (int i = 0; i < 33; i++) ascending += x[i];
    assert_true(ascending != partial[0]); /* else the test shows nothing */
    NodeId a = input(DTYPE_F32, SHAPE(33), x),
           column = build_reshape(fixture.graph, a, SHAPE(33, 1));
    assert_true(*(const float *)run(build_reduce(fixture.graph, OP_sum, a, 0, false), INTERP_F32) ==
                partial[0]);
    assert_true(*(const float *)run(build_reduce(fixture.graph, OP_sum, column, 0, false),
                                    INTERP_F32) == partial[0]);
}

static void sum_of_an_outer_axis_ascends(void **state) {
    (void)state;
    static const float x[] = {0x1p24f, 1, 1, 2, 1, 3};
    NodeId a = input(DTYPE_F32, SHAPE(3, 2), x);
    FLOATS(build_reduce(fixture.graph, OP_sum,
                        build_slice(fixture.graph, a, (int64_t[]){1, 0}, (int64_t[]){3, 2}, NULL),
                        0, false),
           2, 5);
    const float *got = run(build_reduce(fixture.graph, OP_sum, a, 0, false), INTERP_F32);
    assert_true(got[0] == 0x1p24f && got[1] == 6);
}

/* Blocks of 1,024 in ascending order, then pairs of them, pairs of pairs...; an odd one rises. */
static float sum_in_blocks(const float *x, int count, int stride) {
    enum { BLOCK = 1024 };
    float sums[64];
    int blocks = 0;
    for (int begin = 0; begin < count; begin += BLOCK) {
        sums[blocks] = 0;
        for (int j = begin; j < begin + BLOCK && j < count; j++) sums[blocks] += x[j * stride];
        blocks++;
    }
    for (; blocks > 1; blocks = (blocks + 1) / 2)
        for (int i = 0; 2 * i < blocks; i++)
            sums[i] = 2 * i + 1 < blocks ? sums[2 * i] + sums[2 * i + 1] : sums[2 * i];
    return sums[0];
}

static NodeId first_elements(NodeId all, int64_t count) {
    return build_slice(fixture.graph, all, (int64_t[]){0}, (int64_t[]){count}, NULL);
}

static void long_sums_are_made_in_blocks(void **state) {
    (void)state;
    enum { MOST = 11265 };
    static const int counts[] = {1023, 1024, 1025, 2048, 3077, 5120, 7168, MOST};
    static float x[16 * MOST];
    for (int i = 0; i < 16 * MOST; i++) x[i] = random_unit(8, STREAM_INPUT, 0, (uint64_t)i) + 0.5f;
    NodeId all = input(DTYPE_F32, SHAPE(16 * MOST), x);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        int n = counts[c];
        NodeId table = build_reshape(fixture.graph, first_elements(all, 3 * n), SHAPE(n, 3));
        const float *columns =
            run(build_reduce(fixture.graph, OP_sum, table, 0, false), INTERP_F32);
        for (int i = 0; i < 3; i++) assert_true(columns[i] == sum_in_blocks(x + i, n, 3));
        float partial[16];
        for (int l = 0; l < 16; l++) partial[l] = sum_in_blocks(x + l, l < 9 ? n : n - 1, 16);
        for (int w = 8; w > 0; w /= 2)
            for (int l = 0; l < w; l++) partial[l] += partial[l + w];
        NodeId row = first_elements(all, 16 * (n - 1) + 9);
        assert_true(*(const float *)run(build_reduce(fixture.graph, OP_sum, row, 0, false),
                                        INTERP_F32) == partial[0]);
    }
}

/* One after the other, as many numbers of this size lose three digits. */
static void very_long_sums_keep_their_digits(void **state) {
    (void)state;
    const int64_t n = 1 << 21;
    double exact = (double)n * (double)0.1f;
    NodeId all = build_f32(fixture.graph, 0.1, SHAPE(n, 2)),
           half = build_f32(fixture.graph, 0.1, SHAPE(n));
    assert_true(
        fabs(*(const float *)run(build_reduce(fixture.graph, OP_sum, all, 0, false), INTERP_F32) /
                 exact -
             1) < 1e-5);
    assert_true(
        fabs(*(const float *)run(build_reduce(fixture.graph, OP_sum, half, 0, false), INTERP_F32) /
                 exact -
             1) < 1e-5);
    const float *running = run(build_axiswise(fixture.graph, OP_cumsum, half, 0), INTERP_F32);
    for (int64_t i = 0; i < n; i += 1009)
        assert_true(running[i] == (float)((double)(i + 1) * (double)0.1f));
}

static void sum_starts_from_plus_zero(void **state) {
    (void)state;
    static const float x[] = {-0.0f, -0.0f};
    NodeId a = input(DTYPE_F32, SHAPE(1, 2), x);
    FLOATS(build_reduce(fixture.graph, OP_sum, a, 0, false), 0, 0);
    FLOATS(build_reduce(fixture.graph, OP_sum, a, 1, false), 0);
}

static void largest_element(void **state) {
    (void)state;
    static const float x[] = {1, 5, 5, -0.0f, 0, -0.0f, NAN, 7, NAN};
    NodeId a = input(DTYPE_F32, SHAPE(3, 3), x);
    INTS(build_reduce(fixture.graph, OP_argmax, a, 1, false), 1, 0, 0);
    INTS(build_reduce(fixture.graph, OP_argmax, a, 0, false), 2, 2, 2);
    FLOATS(build_reduce(fixture.graph, OP_reduce_max, a, 1, false), 5, 0, NAN);
    FLOATS(build_reduce(fixture.graph, OP_reduce_max, a, 0, false), NAN, 7, NAN);
}

static void running_sums_ascend(void **state) {
    (void)state;
    static const float x[] = {0x1p24f, 1, 1, -0.0f, 2, 3};
    NodeId a = input(DTYPE_F32, SHAPE(2, 3), x);
    ROUNDED(build_axiswise(fixture.graph, OP_cumsum, a, 1), 0x1p24f, 0x1p24f, 0x1.000002p24f, 0, 2,
            5);
    ROUNDED(build_axiswise(fixture.graph, OP_cumsum, a, 0), 0x1p24f, 1, 1, 0x1p24f, 3, 4);
}

/* Elements that meet are added in their order; beyond the ends lie the first and the last. */
static void scattered_elements_add_up_in_order(void **state) {
    (void)state;
    static const float x[] = {0x1p24f, 5, 1, 6, 1, -0.0f};
    static const int32_t places[] = {1, 9, 1, -9, 1, 2};
    NodeId a = input(DTYPE_F32, SHAPE(3, 2), x), index = input(DTYPE_I32, SHAPE(3, 2), places);
    ROUNDED(build_scatter_add(fixture.graph, a, index, 0, 3), 0, 6, 0x1p24f, 0, 0, 5);
    ROUNDED(build_scatter_add(fixture.graph, a, index, 1, 2), 0, 0x1p24f + 4, 6, 1, 0, 1);
}

/* The products as the contract spells them out, for every combination of flags and odd sizes. */
static void matmul_accumulates_in_order(void **state) {
    (void)state;
    enum { M = 3, K = 5, N = 37 };
    float a[2 * M * K], b[2 * K * N];
    for (int i = 0; i < 2 * M * K; i++)
        a[i] = (float)random_bits(1, STREAM_INPUT, 0, (uint64_t)i) * 0x1p-31f - 1;
    for (int i = 0; i < 2 * K * N; i++)
        b[i] = (float)random_bits(1, STREAM_INPUT, 1, (uint64_t)i) * 0x1p-31f - 1;
    NodeId plain_a = input(DTYPE_F32, SHAPE(2, M, K), a),
           plain_b = input(DTYPE_F32, SHAPE(2, K, N), b);
    for (int flags = 0; flags < 4; flags++) {
        NodeId left = flags & 1 ? build_transpose(fixture.graph, plain_a, NULL) : plain_a;
        NodeId right = flags & 2 ? build_transpose(fixture.graph, plain_b, NULL) : plain_b;
        const float *got =
            run(build_matmul(fixture.graph, left, right, flags & 1, flags & 2), INTERP_F32);
        for (int i = 0; i < 2 * M * N; i++) {
            float sum = 0;
            for (int k = 0; k < K; k++)
                sum = fmaf(a[i / N * K + k], b[i / (M * N) * K * N + k * N + i % N], sum);
            assert_true(got[i] == sum);
        }
    }
}

static void functions_in_f64(void **state) {
    (void)state;
    static const float x[] = {-1.5f, 0, 0.25f, 3};
    static const struct {
        Op op;
        double (*function)(double);
    } functions[] = {
        {OP_exp, exp}, {OP_expm1, expm1}, {OP_tanh, tanh}, {OP_sin, sin}, {OP_cos, cos}};
    NodeId a = input(DTYPE_F32, SHAPE(4), x);
    for (size_t f = 0; f < sizeof functions / sizeof *functions; f++) {
        const double *got = run(build_unary(fixture.graph, functions[f].op, a), INTERP_F64);
        for (int i = 0; i < 4; i++) assert_true(got[i] == functions[f].function((double)x[i]));
    }
    const double *got = run(build_unary(fixture.graph, OP_sigmoid, a), INTERP_F64);
    assert_true(got[1] == 0.5);
    got = run(build_unary(fixture.graph, OP_relu, a), INTERP_F64);
    assert_true(got[0] == 0 && got[3] == 3);
    got = run(build_binary(fixture.graph, OP_pow, build_unary(fixture.graph, OP_abs, a), a),
              INTERP_F64);
    assert_true(got[3] == 27 && got[1] == 1);
}

static void softmax_in_f64(void **state) {
    (void)state;
    static const float x[] = {1, 1000, 2, 1001};
    NodeId a = input(DTYPE_F32, SHAPE(2, 2), x);
    const double *got = run(build_axiswise(fixture.graph, OP_softmax, a, 0), INTERP_F64);
    for (int i = 0; i < 4; i++) assert_true(fabs(got[i] - 1 / (1 + exp(i < 2 ? 1 : -1))) < 1e-15);
    got = run(build_axiswise(fixture.graph, OP_log_softmax, a, 1), INTERP_F64);
    assert_true(got[0] == -999 && got[1] == 0);
}

static void folding_gives_the_same_bits(void **state) {
    (void)state;
    Graph *graph = fixture.graph;
    NodeId nan =
        build_binary(graph, OP_div, build_f32(graph, 0, scalar), build_f32(graph, 0, scalar));
    assert_int_equal(nan, build_f32(graph, (double)NAN, scalar));
    NodeId byte = build_convert(graph, build_f32(graph, 300, SHAPE(2)), DTYPE_U8);
    assert_int_equal(byte, build_constant(graph, (TensorType){DTYPE_U8, SHAPE(2)}, 255));
    NodeId third =
        build_binary(graph, OP_div, build_f32(graph, 1, scalar), build_f32(graph, 3, scalar));
    assert_int_equal(third, build_f32(graph, (double)0x1.555556p-2f, scalar));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(maximum_is_that_of_ieee),
                                       TEST(minimum_is_that_of_ieee),
                                       TEST(comparisons_with_nan),
                                       TEST(real_functions_of_one_operand),
                                       TEST(roots_and_quotients_round_once),
                                       TEST(denormals_are_honoured),
                                       TEST(fma_rounds_once),
                                       TEST(integers_wrap),
                                       TEST(bits_and_shifts),
                                       TEST(logic_of_booleans),
                                       TEST(conversions_saturate),
                                       TEST(integers_round_to_f32),
                                       TEST(bitcasts_keep_bits),
                                       TEST(views_move_elements),
                                       TEST(concat_places_operands),
                                       TEST(bytes_are_moved_too),
                                       TEST(iota_counts_along_an_axis),
                                       TEST(sum_of_the_innermost_axis_has_16_parts),
                                       TEST(sum_of_an_outer_axis_ascends),
                                       TEST(long_sums_are_made_in_blocks),
                                       TEST(very_long_sums_keep_their_digits),
                                       TEST(sum_starts_from_plus_zero),
                                       TEST(largest_element),
                                       TEST(running_sums_ascend),
                                       TEST(scattered_elements_add_up_in_order),
                                       TEST(matmul_accumulates_in_order),
                                       TEST(functions_in_f64),
                                       TEST(softmax_in_f64),
                                       TEST(folding_gives_the_same_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
