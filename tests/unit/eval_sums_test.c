/* What reductions, scans and products compute: the order of every sum, checked through the
 * interpreter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/eval_graph.h"

#include <math.h>
#include <string.h>

static void sum_of_the_innermost_axis_has_16_parts(void **state) {
    (void)state;
    float x[33] = {0}, partial[16] = {0};
    for (int i = 0; i < 33; i++) x[i] = random_unit(7, STREAM_INPUT, 0, (uint64_t)i);
    for (int i = 0; i < 33; i++) partial[i % 16] += x[i];
    for (int w = 8; w > 0; w /= 2)
        for (int l = 0; l < w; l++) partial[l] += partial[l + w];
    float ascending = 0;
    for (int i = 0; i < 33; i++) ascending += x[i];
    assert_true(ascending != partial[0]); /* otherwise the test would show nothing */
    NodeId a = eval_input(DTYPE_F32, SHAPE(33), x),
           column = build_reshape(fixture.graph, a, SHAPE(33, 1));
    assert_true(*(const float *)eval_run(build_reduce(fixture.graph, OP_sum, a, 0, false),
                                         INTERP_F32) == partial[0]);
    assert_true(*(const float *)eval_run(build_reduce(fixture.graph, OP_sum, column, 0, false),
                                         INTERP_F32) == partial[0]);
}

static void sum_of_an_outer_axis_ascends(void **state) {
    (void)state;
    static const float x[] = {0x1p24f, 1, 1, 2, 1, 3};
    NodeId a = eval_input(DTYPE_F32, SHAPE(3, 2), x);
    FLOATS(build_reduce(fixture.graph, OP_sum,
                        build_slice(fixture.graph, a, (int64_t[]){1, 0}, (int64_t[]){3, 2}, NULL),
                        0, false),
           2, 5);
    const float *got = eval_run(build_reduce(fixture.graph, OP_sum, a, 0, false), INTERP_F32);
    assert_true(got[0] == 0x1p24f && got[1] == 6);
}

/* Blocks of 1,024 are added in ascending order; then pairs of blocks, pairs of pairs, and so on. A
 * block without a partner moves up. */
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
    NodeId all = eval_input(DTYPE_F32, SHAPE(16 * MOST), x);
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        int n = counts[c];
        NodeId table = build_reshape(fixture.graph, first_elements(all, 3 * n), SHAPE(n, 3));
        const float *columns =
            eval_run(build_reduce(fixture.graph, OP_sum, table, 0, false), INTERP_F32);
        for (int i = 0; i < 3; i++) assert_true(columns[i] == sum_in_blocks(x + i, n, 3));
        float partial[16];
        for (int l = 0; l < 16; l++) partial[l] = sum_in_blocks(x + l, l < 9 ? n : n - 1, 16);
        for (int w = 8; w > 0; w /= 2)
            for (int l = 0; l < w; l++) partial[l] += partial[l + w];
        NodeId row = first_elements(all, 16 * (n - 1) + 9);
        assert_true(*(const float *)eval_run(build_reduce(fixture.graph, OP_sum, row, 0, false),
                                             INTERP_F32) == partial[0]);
    }
}

/* Added one by one, so many numbers of this size would lose three digits. */
static void very_long_sums_keep_their_digits(void **state) {
    (void)state;
    const int64_t n = 1 << 21;
    double exact = (double)n * (double)0.1f;
    NodeId all = build_f32(fixture.graph, 0.1, SHAPE(n, 2)),
           half = build_f32(fixture.graph, 0.1, SHAPE(n));
    assert_true(fabs(*(const float *)eval_run(build_reduce(fixture.graph, OP_sum, all, 0, false),
                                              INTERP_F32) /
                         exact -
                     1) < 1e-5);
    assert_true(fabs(*(const float *)eval_run(build_reduce(fixture.graph, OP_sum, half, 0, false),
                                              INTERP_F32) /
                         exact -
                     1) < 1e-5);
    const float *running = eval_run(build_axiswise(fixture.graph, OP_cumsum, half, 0), INTERP_F32);
    for (int64_t i = 0; i < n; i += 1009)
        assert_true(running[i] == (float)((double)(i + 1) * (double)0.1f));
}

static void sum_starts_from_plus_zero(void **state) {
    (void)state;
    static const float x[] = {-0.0f, -0.0f};
    NodeId a = eval_input(DTYPE_F32, SHAPE(1, 2), x);
    FLOATS(build_reduce(fixture.graph, OP_sum, a, 0, false), 0, 0);
    FLOATS(build_reduce(fixture.graph, OP_sum, a, 1, false), 0);
}

static void largest_element(void **state) {
    (void)state;
    static const float x[] = {1, 5, 5, -0.0f, 0, -0.0f, NAN, 7, NAN};
    NodeId a = eval_input(DTYPE_F32, SHAPE(3, 3), x);
    INTS(build_reduce(fixture.graph, OP_argmax, a, 1, false), 1, 0, 0);
    INTS(build_reduce(fixture.graph, OP_argmax, a, 0, false), 2, 2, 2);
    FLOATS(build_reduce(fixture.graph, OP_reduce_max, a, 1, false), 5, 0, NAN);
    FLOATS(build_reduce(fixture.graph, OP_reduce_max, a, 0, false), NAN, 7, NAN);
}

static void running_sums_ascend(void **state) {
    (void)state;
    static const float x[] = {0x1p24f, 1, 1, -0.0f, 2, 3};
    NodeId a = eval_input(DTYPE_F32, SHAPE(2, 3), x);
    ROUNDED(build_axiswise(fixture.graph, OP_cumsum, a, 1), 0x1p24f, 0x1p24f, 0x1.000002p24f, 0, 2,
            5);
    ROUNDED(build_axiswise(fixture.graph, OP_cumsum, a, 0), 0x1p24f, 1, 1, 0x1p24f, 3, 4);
}

/* Elements at the same place are added in their order. Indices beyond the ends mean the first and
 * the last element. */
static void scattered_elements_add_up_in_order(void **state) {
    (void)state;
    static const float x[] = {0x1p24f, 5, 1, 6, 1, -0.0f};
    static const int32_t places[] = {1, 9, 1, -9, 1, 2};
    NodeId a = eval_input(DTYPE_F32, SHAPE(3, 2), x),
           index = eval_input(DTYPE_I32, SHAPE(3, 2), places);
    ROUNDED(build_scatter_add(fixture.graph, a, index, 0, 3), 0, 6, 0x1p24f, 0, 0, 5);
    ROUNDED(build_scatter_add(fixture.graph, a, index, 1, 2), 0, 0x1p24f + 4, 6, 1, 0, 1);
}

/* Computes products as the contract defines them, for every combination of flags and odd sizes. */
static void matmul_accumulates_in_order(void **state) {
    (void)state;
    enum { M = 3, K = 5, N = 37 };
    float a[2 * M * K], b[2 * K * N];
    for (int i = 0; i < 2 * M * K; i++)
        a[i] = (float)random_bits(1, STREAM_INPUT, 0, (uint64_t)i) * 0x1p-31f - 1;
    for (int i = 0; i < 2 * K * N; i++)
        b[i] = (float)random_bits(1, STREAM_INPUT, 1, (uint64_t)i) * 0x1p-31f - 1;
    NodeId plain_a = eval_input(DTYPE_F32, SHAPE(2, M, K), a),
           plain_b = eval_input(DTYPE_F32, SHAPE(2, K, N), b);
    for (int flags = 0; flags < 4; flags++) {
        NodeId left = flags & 1 ? build_transpose(fixture.graph, plain_a, NULL) : plain_a;
        NodeId right = flags & 2 ? build_transpose(fixture.graph, plain_b, NULL) : plain_b;
        const float *got =
            eval_run(build_matmul(fixture.graph, left, right, flags & 1, flags & 2), INTERP_F32);
        for (int i = 0; i < 2 * M * N; i++) {
            float sum = 0;
            for (int k = 0; k < K; k++)
                sum = fmaf(a[i / N * K + k], b[i / (M * N) * K * N + k * N + i % N], sum);
            assert_true(got[i] == sum);
        }
    }
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, eval_set_up, eval_tear_down)
    const struct CMUnitTest tests[] = {TEST(sum_of_the_innermost_axis_has_16_parts),
                                       TEST(sum_of_an_outer_axis_ascends),
                                       TEST(long_sums_are_made_in_blocks),
                                       TEST(very_long_sums_keep_their_digits),
                                       TEST(sum_starts_from_plus_zero),
                                       TEST(largest_element),
                                       TEST(running_sums_ascend),
                                       TEST(scattered_elements_add_up_in_order),
                                       TEST(matmul_accumulates_in_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
