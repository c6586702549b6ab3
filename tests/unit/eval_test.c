/* What elementwise ops and views compute: the corners of the numerics contract, checked through the
 * interpreter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/eval_graph.h"

#include <math.h>
#include <string.h>

static const Shape scalar = {0};

static const float specials[] = {1, -0.0f, NAN, INFINITY, -2.5f, 0};
static const float others[] = {NAN, 0, 3, 1, -2.5f, -0.0f};

static NodeId binary(Op op) {
    NodeId a = eval_input(DTYPE_F32, SHAPE(6), specials),
           b = eval_input(DTYPE_F32, SHAPE(6), others);
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
    NodeId a = eval_input(DTYPE_F32, SHAPE(7), x);
    FLOATS(build_unary(fixture.graph, OP_rint, a), 2, 4, -0.0f, -2, 8388609, -0.0f, NAN);
    FLOATS(build_unary(fixture.graph, OP_floor, a), 2, 3, -1, -2, 8388609, -0.0f, NAN);
    FLOATS(build_unary(fixture.graph, OP_abs, a), 2.5f, 3.5f, 0.5f, 1.5f, 8388609, 0, NAN);
    FLOATS(build_unary(fixture.graph, OP_neg, a), -2.5f, -3.5f, 0.5f, 1.5f, -8388609, 0, NAN);
}

static void roots_and_quotients_round_once(void **state) {
    (void)state;
    static const float x[] = {2, 1, -1}, y[] = {3, -0.0f, 0};
    NodeId a = eval_input(DTYPE_F32, SHAPE(3), x), b = eval_input(DTYPE_F32, SHAPE(3), y);
    FLOATS(build_unary(fixture.graph, OP_sqrt, a), 0x1.6a09e6p+0f, 1, NAN);
    FLOATS(build_binary(fixture.graph, OP_div, a, b), 0x1.555556p-1f, -INFINITY, -INFINITY);
}

static void denormals_are_honoured(void **state) {
    (void)state;
    static const float x[] = {0x1p-126f, 0x1p-149f}, y[] = {0.5f, 0.5f};
    NodeId a = eval_input(DTYPE_F32, SHAPE(2), x), b = eval_input(DTYPE_F32, SHAPE(2), y);
    const float *got = eval_run(build_binary(fixture.graph, OP_mul, a, b), INTERP_F32);
    assert_true(got[0] == 0x1p-127f && got[1] == 0); /* the tie goes to the even 0 */
}

static void fma_rounds_once(void **state) {
    (void)state;
    static const float x[] = {0x1.000002p+0f, 0x1p-100f}, z[] = {-1, 1};
    NodeId a = eval_input(DTYPE_F32, SHAPE(2), x), c = eval_input(DTYPE_F32, SHAPE(2), z);
    const float *got = eval_run(build_ternary(fixture.graph, OP_fma, a, a, c), INTERP_F32);
    /* 2^-22 + 2^-46 would lose its end if the product were rounded */
    assert_true(got[0] == 0x1.000001p-22f && got[1] == 1);
}

static void integers_wrap(void **state) {
    (void)state;
    static const int32_t x[] = {INT32_MAX, INT32_MIN, 65536}, y[] = {1, -1, 65536};
    NodeId a = eval_input(DTYPE_I32, SHAPE(3), x), b = eval_input(DTYPE_I32, SHAPE(3), y);
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
    NodeId a = eval_input(DTYPE_I32, SHAPE(3), x), b = eval_input(DTYPE_I32, SHAPE(3), y);
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
    NodeId a = eval_input(DTYPE_BOOL, SHAPE(4), x), b = eval_input(DTYPE_BOOL, SHAPE(4), y);
    BYTES(build_binary(fixture.graph, OP_and, a, b), 0, 0, 0, 1);
    BYTES(build_binary(fixture.graph, OP_xor, a, b), 0, 1, 1, 0);
    BYTES(build_unary(fixture.graph, OP_not, a), 1, 1, 0, 0);
    BYTES(build_binary(fixture.graph, OP_lt, a, b), 0, 1, 0, 0);
    BYTES(build_ternary(fixture.graph, OP_select, a, b, a), 0, 0, 0, 1);
}

static void conversions_saturate(void **state) {
    (void)state;
    static const float x[] = {-1.9f, 255.9f, NAN, INFINITY, -INFINITY, 300};
    NodeId a = eval_input(DTYPE_F32, SHAPE(6), x);
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
    NodeId a = eval_input(DTYPE_I32, SHAPE(4), x);
    const float *got = eval_run(build_convert(fixture.graph, a, DTYPE_F32), INTERP_F32);
    assert_true(got[0] == 16777216 && got[1] == 16777220 && got[2] == -16777216 &&
                got[3] == 2147483648.0f);
}

static void bitcasts_keep_bits(void **state) {
    (void)state;
    static const float x[] = {1, -0.0f};
    NodeId ints = build_bitcast(fixture.graph, eval_input(DTYPE_F32, SHAPE(2), x), DTYPE_I32);
    INTS(ints, 0x3f800000, INT32_MIN);
    FLOATS(build_bitcast(fixture.graph, ints, DTYPE_F32), 1, -0.0f);
}

static const float counted[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};

static void views_move_elements(void **state) {
    (void)state;
    Graph *graph = fixture.graph;
    NodeId a = eval_input(DTYPE_F32, SHAPE(2, 3, 2), counted),
           row = eval_input(DTYPE_F32, SHAPE(3, 1), counted);
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
    NodeId a = eval_input(DTYPE_F32, SHAPE(2, 2), counted),
           b = eval_input(DTYPE_F32, SHAPE(2, 1), counted + 6);
    FLOATS(build_concat(fixture.graph, (NodeId[]){a, b, a}, 3, 1), 0, 1, 6, 0, 1, 2, 3, 7, 2, 3);
    FLOATS(build_concat(fixture.graph, (NodeId[]){a, a}, 2, 0), 0, 1, 2, 3, 0, 1, 2, 3);
}

static void bytes_with_a_sign(void **state) {
    (void)state;
    static const float x[] = {-1.9f, 127.9f, NAN, INFINITY, -INFINITY, -128};
    static const int8_t y[] = {-128, -1, 127};
    NodeId a = eval_input(DTYPE_F32, SHAPE(6), x);
    NodeId bytes = build_convert(fixture.graph, a, DTYPE_I8);
    INTS(build_convert(fixture.graph, bytes, DTYPE_I32), -1, 127, 0, 127, -128, -128);
    BYTES(build_convert(fixture.graph, bytes, DTYPE_U8), 0, 127, 0, 127, 0, 0);
    NodeId b = eval_input(DTYPE_I8, SHAPE(3), y);
    FLOATS(build_convert(fixture.graph, b, DTYPE_F32), -128, -1, 127);
}

static void products_of_bytes_are_whole(void **state) {
    (void)state;
    static const uint8_t x[] = {255, 0, 3, 1, 2, 255};
    static const int8_t y[] = {-127, 127, 5, -1, -128, 2};
    NodeId a = eval_input(DTYPE_U8, SHAPE(2, 3), x), b = eval_input(DTYPE_I8, SHAPE(3, 2), y);
    INTS(build_matmul(fixture.graph, a, b, false, false), -32769, 32391, -32757, 635);
    INTS(build_matmul(fixture.graph, b, a, true, true), -32769, -32757, 32391, 635);
    INTS(build_matmul(fixture.graph, b, b, true, false), 32538, -16390, -16390, 16134);
}

static void scale_rounds_once(void **state) {
    (void)state;
    static const int32_t x[] = {5, -5, 7, -7, INT32_MAX, INT32_MIN, 3, 1},
                         y[] = {1 << 30,   1 << 30,   1 << 30, 1 << 30,
                                INT32_MAX, INT32_MAX, 1 << 30, 1 << 30},
                         z[] = {0, 0, 1, 1, 0, 31, 32, 31};
    NodeId in[] = {eval_input(DTYPE_I32, SHAPE(8), x), eval_input(DTYPE_I32, SHAPE(8), y),
                   eval_input(DTYPE_I32, SHAPE(8), z)};
    INTS(build_ternary(fixture.graph, OP_scale, in[0], in[1], in[2]), 3, -2, 2, -2, INT32_MAX - 1,
         -1, 2, 0);
}

static void bytes_are_moved_too(void **state) {
    (void)state;
    static const uint8_t x[] = {1, 2, 3, 4, 5, 6};
    NodeId a = eval_input(DTYPE_U8, SHAPE(2, 3), x);
    BYTES(build_transpose(fixture.graph, a, NULL), 1, 4, 2, 5, 3, 6);
    BYTES(build_pad(fixture.graph, a, (int64_t[]){0, 1}, (int64_t[]){1, 0}), 0, 1, 2, 3, 0, 4, 5, 6,
          0, 0, 0, 0);
}

static void iota_counts_along_an_axis(void **state) {
    (void)state;
    INTS(build_iota(fixture.graph, SHAPE(2, 3), 1), 0, 1, 2, 0, 1, 2);
    INTS(build_iota(fixture.graph, SHAPE(2, 3), 0), 0, 0, 0, 1, 1, 1);
}

static void functions_in_f64(void **state) {
    (void)state;
    static const float x[] = {-1.5f, 0, 0.25f, 3};
    static const struct {
        Op op;
        double (*function)(double);
    } functions[] = {
        {OP_exp, exp}, {OP_expm1, expm1}, {OP_tanh, tanh}, {OP_sin, sin}, {OP_cos, cos}};
    NodeId a = eval_input(DTYPE_F32, SHAPE(4), x);
    for (size_t f = 0; f < sizeof functions / sizeof *functions; f++) {
        const double *got = eval_run(build_unary(fixture.graph, functions[f].op, a), INTERP_F64);
        for (int i = 0; i < 4; i++) assert_true(got[i] == functions[f].function((double)x[i]));
    }
    const double *got = eval_run(build_unary(fixture.graph, OP_sigmoid, a), INTERP_F64);
    assert_true(got[1] == 0.5);
    got = eval_run(build_unary(fixture.graph, OP_relu, a), INTERP_F64);
    assert_true(got[0] == 0 && got[3] == 3);
    got = eval_run(build_binary(fixture.graph, OP_pow, build_unary(fixture.graph, OP_abs, a), a),
                   INTERP_F64);
    assert_true(got[3] == 27 && got[1] == 1);
}

static void softmax_in_f64(void **state) {
    (void)state;
    static const float x[] = {1, 1000, 2, 1001};
    NodeId a = eval_input(DTYPE_F32, SHAPE(2, 2), x);
    const double *got = eval_run(build_axiswise(fixture.graph, OP_softmax, a, 0), INTERP_F64);
    for (int i = 0; i < 4; i++) assert_true(fabs(got[i] - 1 / (1 + exp(i < 2 ? 1 : -1))) < 1e-15);
    got = eval_run(build_axiswise(fixture.graph, OP_log_softmax, a, 1), INTERP_F64);
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, eval_set_up, eval_tear_down)
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
                                       TEST(bytes_with_a_sign),
                                       TEST(products_of_bytes_are_whole),
                                       TEST(scale_rounds_once),
                                       TEST(bytes_are_moved_too),
                                       TEST(iota_counts_along_an_axis),
                                       TEST(functions_in_f64),
                                       TEST(softmax_in_f64),
                                       TEST(folding_gives_the_same_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
