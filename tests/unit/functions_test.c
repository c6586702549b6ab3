/* The expansions of functions of one argument: their error in ulp against the double functions of
 * the C library, and their special values. About a million arguments are spread over all bit
 * patterns, and as many over the interesting range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "passes/pass_list.h"
#include "tests/support/function_machine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double exact_relu(double x) { return x > 0 || isnan(x) ? x : 0; }
static double exact_detach(double x) { return x; }
static double exact_sigmoid(double x) { return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)); }
static double exact_tanh_slope(double x) { return 1 / (cosh(x) * cosh(x)); }
static double exact_sigmoid_slope(double x) { return exact_tanh_slope(x / 2) / 4; }
static double exact_sin(double x) { return fabs(x) <= 0x1p20 ? sin(x) : (double)NAN; }
static double exact_cos(double x) { return fabs(x) <= 0x1p20 ? cos(x) : (double)NAN; }

static double exact_normal_cdf(double x) { return 0.5 * erfc(-x * 0.70710678118654752440); }

typedef struct {
    Op op;
    double (*exact)(double x);
    double ulp;       /* what the expansion promises */
    double low, high; /* the interesting range */
} UnaryFunction;

static const UnaryFunction functions[] = {
    {OP_relu, exact_relu, 0, -1, 1},
    {OP_detach, exact_detach, 0, -1, 1},
    {OP_exp, exp, 0.9, -104, 89},
    {OP_expm1, expm1, 1.5, -18, 89},
    {OP_log, log, 0.9, 0, 4},
    {OP_log1p, log1p, 1.2, -1, 4},
    {OP_tanh, tanh, 2.5, -10, 10},
    {OP_sigmoid, exact_sigmoid, 2.5, -104, 20},
    {OP_tanh_slope, exact_tanh_slope, 3.5, -10, 10},
    {OP_tanh_slope, exact_tanh_slope, 3.5, 40, 54},
    {OP_sigmoid_slope, exact_sigmoid_slope, 3.5, -106, 20},
    {OP_erf, erf, 1.7, -4.5, 4.5},
    {OP_normal_cdf, exact_normal_cdf, 6, -14, 6},
    {OP_sin, exact_sin, 2.7, -100, 100},
    {OP_cos, exact_cos, 2.7, -100, 100},
};
enum { FUNCTION_COUNT = sizeof functions / sizeof *functions };

static void check_chunk(FunctionMachine *machine, const UnaryFunction *function) {
    const float *x = machine_values(machine, machine->in[0]),
                *y = machine_values(machine, machine->out);
    interp_run(machine->interp);
    for (int i = 0; i < CHUNK; i++) {
        double error = error_in_ulp(y[i], function->exact((double)x[i]));
        if (!(error <= function->ulp))
            fail_msg("%s(%a) = %a: %.3f ulp", op_name(function->op), (double)x[i], (double)y[i],
                     error);
    }
}

static void test_all_bit_patterns(void **state) {
    (void)state;
    for (int k = 0; k < FUNCTION_COUNT; k++) {
        FunctionMachine machine = machine_open(functions[k].op, NULL);
        float *x = machine_values(&machine, machine.in[0]);
        for (uint32_t at = 0; at < SAMPLES; at += CHUNK) {
            for (uint32_t i = 0; i < CHUNK; i++) {
                uint32_t bits = (at + i) * 4096u + ((at + i) * 2654435761u >> 20);
                memcpy(&x[i], &bits, sizeof bits);
            }
            check_chunk(&machine, &functions[k]);
        }
        machine_close(&machine);
    }
}

static void test_interesting_range(void **state) {
    (void)state;
    for (int k = 0; k < FUNCTION_COUNT; k++) {
        FunctionMachine machine = machine_open(functions[k].op, NULL);
        float *x = machine_values(&machine, machine.in[0]);
        double low = functions[k].low, step = (functions[k].high - low) / (double)SAMPLES;
        for (uint32_t at = 0; at < SAMPLES; at += CHUNK) {
            for (uint32_t i = 0; i < CHUNK; i++) x[i] = (float)(low + step * (at + i));
            check_chunk(&machine, &functions[k]);
        }
        machine_close(&machine);
    }
}

static void test_special_values(void **state) {
    (void)state;
    const float special[] = {
        0,          -0.0f,     INFINITY,   -INFINITY,       NAN,           1,      -1, 0x1p-149f,
        -0x1p-149f, 0x1p-126f, -0x1p-126f, 0x1.fffffep127f, -0x1p127f,     88.72f, 89, -87.4f,
        -104,       -103.9f,   0x1p20f,    -0x1p20f,        0x1.000002p20f};
    for (int k = 0; k < FUNCTION_COUNT; k++) {
        FunctionMachine machine = machine_open(functions[k].op, NULL);
        for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
            float y = machine_at(&machine, special[i], 0);
            if (!(error_in_ulp(y, functions[k].exact((double)special[i])) <= functions[k].ulp))
                fail_msg("%s(%a) = %a", op_name(functions[k].op), (double)special[i], (double)y);
        }
        machine_close(&machine);
    }
}

/* -- what is left after the passes -- */

static void test_only_primitives_are_left(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Graph *graph = graph_new("all", diag);
    NodeId x = graph_input(graph, SYMBOL_VALUE, "x", DTYPE_F32, shape_of(2, (int64_t[]){2, 3}));
    for (int op = 0; op < OP_COUNT; op++)
        if (op_class((Op)op) == CLASS_ELEMENTWISE && !op_is_primitive((Op)op))
            graph_output(
                graph, op_name((Op)op),
                graph_add(graph, (Op)op, (NodeId[]){x, x}, (uint32_t)op_arity((Op)op), NULL, NULL));
    graph_output(graph, "softmax", build_axiswise(graph, OP_softmax, x, 0));
    graph_output(graph, "log_softmax", build_axiswise(graph, OP_log_softmax, x, 1));
    Graph *expanded = pass_expand(graph, &(PassOptions){0}),
          *written = pass_functions(expanded, &(PassOptions){0});
    assert_true(graph_verify(written));
    assert_int_equal(written->output_count, graph->output_count);
    for (NodeId id = 1; id < written->node_count; id++)
        assert_true(op_is_primitive(graph_node(written, id)->op));
    graph_free(graph);
    graph_free(expanded);
    graph_free(written);
    diag_free(diag);
}

/* Rows of huge numbers, and of numbers far apart, stay finite and sum to 1. */
static void test_softmax_is_stable(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Graph *graph = graph_new("softmax", diag);
    NodeId x = graph_input(graph, SYMBOL_VALUE, "x", DTYPE_F32, shape_of(2, (int64_t[]){2, 3}));
    graph_output(graph, "softmax", build_axiswise(graph, OP_softmax, x, 1));
    graph_output(graph, "log", build_axiswise(graph, OP_log_softmax, x, 1));
    Graph *expanded = pass_expand(graph, &(PassOptions){0}),
          *written = pass_functions(expanded, &(PassOptions){0});
    Interp *interp = interp_new(written, INTERP_F32);
    memcpy(interp_value(interp, graph_symbol(written, "x")->node),
           (float[]){1e30f, 1e30f, -1e30f, 3, 200, -200}, 6 * sizeof(float));
    interp_run(interp);
    const float *softmax = interp_value(interp, written->outputs[0].node),
                *log = interp_value(interp, written->outputs[1].node);
    assert_memory_equal(softmax, ((float[]){0.5, 0.5, 0, 0, 1, 0}), 3 * sizeof(float));
    assert_true(softmax[4] == 1 && softmax[3] < 1e-30f && softmax[5] == 0);
    assert_true(log[3] == -197 && log[4] == 0 && log[5] == -400 && log[2] < -1e30f &&
                isfinite(log[2]));
    interp_free(interp);
    graph_free(graph);
    graph_free(expanded);
    graph_free(written);
    diag_free(diag);
}

/* -- random bits -- */

/* The expansion computes the bits of ir/ops/random.c, and so does the interpreter of the whole
 * op. */
static void compare_random_bits(int32_t row, uint32_t elements) {
    enum { DRAW = 70000, SUBSTREAM = 0x79abcdef, ELEMENTS = 3 * 7 };
    const uint64_t seed = UINT64_C(0xfedcba9876543210);
    Diagnostics *diag = diag_new();
    Graph *whole = graph_new("random", diag);
    NodeId operands[] = {build_i32(whole, (int32_t)(uint32_t)seed, (Shape){0}),
                         build_i32(whole, (int32_t)(seed >> 32), (Shape){0}),
                         build_i32(whole, DRAW, (Shape){0}), build_i32(whole, row, (Shape){0})};
    RandomNumbers numbers = {STREAM_DROPOUT, SUBSTREAM, elements};
    graph_output(whole, "bits",
                 build_random(whole, operands, &numbers, shape_of(2, (int64_t[]){3, 7})));
    /* the operands are constants, so all but the element's number is folded */
    Graph *expanded = pass_expand(whole, &(PassOptions){0});
    Interp *interps[] = {interp_new(whole, INTERP_F64), interp_new(expanded, INTERP_F32)};
    const Graph *graphs[] = {whole, expanded};
    for (int g = 0; g < 2; g++) {
        interp_run(interps[g]);
        const uint32_t *bits = interp_value(interps[g], graphs[g]->outputs[0].node);
        for (uint64_t i = 0; i < ELEMENTS; i++)
            assert_int_equal(bits[i],
                             random_bits(seed, STREAM_DROPOUT, SUBSTREAM,
                                         ((uint64_t)DRAW << 34) + (uint64_t)row * elements + i));
        interp_free(interps[g]);
    }
    graph_free(whole);
    graph_free(expanded);
    diag_free(diag);
}

static void random_bits_are_those_of_the_generator(void **state) {
    (void)state;
    compare_random_bits(0, 0);
    compare_random_bits(5, 0); /* no rows: the row does not count */
}

/* Rows of 8 numbers begin with a block, rows of 7 within one. */
static void random_bits_of_a_share_are_those_of_its_rows(void **state) {
    (void)state;
    for (int32_t row = 0; row < 9; row++) {
        compare_random_bits(row, 8);
        compare_random_bits(row, 7);
    }
    compare_random_bits(1 << 20, 1 << 11);
    compare_random_bits((1 << 20) + 1, (1 << 11) - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_bit_patterns),
        cmocka_unit_test(test_interesting_range),
        cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_only_primitives_are_left),
        cmocka_unit_test(test_softmax_is_stable),
        cmocka_unit_test(random_bits_are_those_of_the_generator),
        cmocka_unit_test(random_bits_of_a_share_are_those_of_its_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
