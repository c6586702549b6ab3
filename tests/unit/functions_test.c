/* The expansions of functions: their error in ulp against the double functions of the C library,
 * over about a million arguments spread over all bit patterns and as many in the interesting range,
 * and their special values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "passes/pass_list.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 14, SAMPLES = 1 << 20 };

/* -- running an expansion on many arguments -- */

/* A graph of one function of one or two inputs, expanded. */
typedef struct {
    Diagnostics *diag;
    Graph *graph;
    Interp *interp;
    NodeId in[2], out;
} Machine;

static Graph *function_graph(Op op, DType dtype, const float *exponent, Diagnostics *diag) {
    Shape shape = shape_of(1, (int64_t[]){CHUNK});
    Graph *graph = graph_new("function", diag);
    NodeId operands[2] = {graph_input(graph, SYMBOL_VALUE, "a", dtype, shape)};
    if (op_arity(op) == 2)
        operands[1] = exponent ? build_f32(graph, (double)*exponent, shape)
                               : graph_input(graph, SYMBOL_VALUE, "b", dtype, shape);
    graph_output(graph, "out", graph_add(graph, op, operands, (uint32_t)op_arity(op), NULL, NULL));
    return graph;
}

/* `exponent`: the second operand as a constant, or NULL. */
static Machine machine_open_of(Op op, DType dtype, const float *exponent) {
    Machine machine = {.diag = diag_new()};
    Graph *graph = function_graph(op, dtype, exponent, machine.diag);
    machine.graph = pass_functions(graph, &(PassOptions){0});
    graph_free(graph);
    machine.interp = interp_new(machine.graph, INTERP_F32);
    const Symbol *a = graph_symbol(machine.graph, "a"), *b = graph_symbol(machine.graph, "b");
    machine.in[0] = a->node;
    machine.in[1] = b ? b->node : NODE_NONE;
    machine.out = machine.graph->outputs[0].node;
    return machine;
}

static Machine machine_open(Op op, const float *exponent) {
    return machine_open_of(op, DTYPE_F32, exponent);
}

static void machine_close(Machine *machine) {
    interp_free(machine->interp);
    graph_free(machine->graph);
    diag_free(machine->diag);
}

static float *machine_values(Machine *machine, NodeId id) {
    return interp_value(machine->interp, id);
}

static float machine_at(Machine *machine, float a, float b) {
    machine_values(machine, machine->in[0])[0] = a;
    if (machine->in[1]) machine_values(machine, machine->in[1])[0] = b;
    interp_run(machine->interp);
    return machine_values(machine, machine->out)[0];
}

/* -- errors -- */

/* |y - exact| in units of the last place of an f32 of exact's size; infinity where one of them is
 * NaN or the sign of zero is
 * wrong. An infinity counts as 2^128. */
static double error_in_ulp(float y, double exact) {
    if (isnan(exact)) return isnan(y) ? 0 : (double)INFINITY;
    if (isnan(y) || (y == 0 && exact == 0 && !signbit(y) != !signbit(exact)))
        return (double)INFINITY;
    if (isinf(exact) || (double)y == exact) return (double)y == exact ? 0 : (double)INFINITY;
    int exponent;
    frexp(exact, &exponent);
    if (exponent > 128) return isinf(y) ? 0 : (double)INFINITY;
    double value = isinf(y) ? copysign(0x1p128, (double)y) : (double)y;
    return fabs(value - exact) / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

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
} Function;

static const Function functions[] = {
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

static void check_chunk(Machine *machine, const Function *function) {
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
        Machine machine = machine_open(functions[k].op, NULL);
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
        Machine machine = machine_open(functions[k].op, NULL);
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
        Machine machine = machine_open(functions[k].op, NULL);
        for (size_t i = 0; i < sizeof special / sizeof *special; i++) {
            float y = machine_at(&machine, special[i], 0);
            if (!(error_in_ulp(y, functions[k].exact((double)special[i])) <= functions[k].ulp))
                fail_msg("%s(%a) = %a", op_name(functions[k].op), (double)special[i], (double)y);
        }
        machine_close(&machine);
    }
}

/* -- pow -- */

static const double POW_ULP = 3;

static void check_pow(float a, float b, float y) {
    double error = error_in_ulp(y, pow((double)a, (double)b));
    if (!(error <= POW_ULP))
        fail_msg("pow(%a, %a) = %a: %.3f ulp", (double)a, (double)b, (double)y, error);
}

static uint32_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 32);
}

/* Bases of every size and near 1, exponents that take the result through the whole range. */
static void test_pow_is_accurate(void **state) {
    (void)state;
    Machine machine = machine_open(OP_pow, NULL);
    float *a = machine_values(&machine, machine.in[0]),
          *b = machine_values(&machine, machine.in[1]);
    uint64_t seed = 1;
    for (int at = 0; at < SAMPLES / 2; at += CHUNK) {
        for (int i = 0; i < CHUNK; i++) {
            uint32_t bits = next_random(&seed) & 0x7fffffff;
            if (i % 2) bits = 0x3f000000 + (bits & 0xffffff); /* 0.5 .. 2 */
            memcpy(&a[i], &bits, sizeof bits);
            double wanted = next_random(&seed) * 0x1p-32 * 300 - 150;
            b[i] = (float)(wanted / log2((double)a[i]));
        }
        interp_run(machine.interp);
        for (int i = 0; i < CHUNK; i++)
            check_pow(a[i], b[i], machine_values(&machine, machine.out)[i]);
    }
    machine_close(&machine);
}

static const float pow_special[] = {0,
                                    -0.0f,
                                    1,
                                    -1,
                                    2,
                                    -2,
                                    3,
                                    -3,
                                    0.5f,
                                    -0.5f,
                                    1.5f,
                                    -1.5f,
                                    INFINITY,
                                    -INFINITY,
                                    NAN,
                                    0x1p-149f,
                                    -0x1p-149f,
                                    1e38f,
                                    -1e38f,
                                    16777216,
                                    16777215,
                                    -16777215,
                                    0x1.fffffep-1f,
                                    0x1.000002p0f};
enum { POW_SPECIALS = sizeof pow_special / sizeof *pow_special };

static void test_pow_special_values(void **state) {
    (void)state;
    Machine machine = machine_open(OP_pow, NULL);
    float *a = machine_values(&machine, machine.in[0]),
          *b = machine_values(&machine, machine.in[1]);
    for (int i = 0; i < POW_SPECIALS * POW_SPECIALS; i++) {
        a[i] = pow_special[i / POW_SPECIALS];
        b[i] = pow_special[i % POW_SPECIALS];
    }
    interp_run(machine.interp);
    for (int i = 0; i < POW_SPECIALS * POW_SPECIALS; i++)
        check_pow(a[i], b[i], machine_values(&machine, machine.out)[i]);
    machine_close(&machine);
}

static void test_pow_of_constant_exponent(void **state) {
    (void)state;
    const float exponents[] = {0, 1, 2, 3, -1, 0.5f, -0.5f, 2.5f, -2, -3, NAN};
    for (size_t k = 0; k < sizeof exponents / sizeof *exponents; k++) {
        Machine machine = machine_open(OP_pow, &exponents[k]);
        float *a = machine_values(&machine, machine.in[0]);
        for (int i = 0; i < CHUNK; i++)
            a[i] = i < POW_SPECIALS ? pow_special[i] : (float)i * 0.37f - 3000;
        interp_run(machine.interp);
        for (int i = 0; i < CHUNK; i++)
            check_pow(a[i], exponents[k], machine_values(&machine, machine.out)[i]);
        machine_close(&machine);
    }
}

static void test_easy_exponents_are_cheap(void **state) {
    (void)state;
    Machine machine = machine_open(OP_pow, &(float){2});
    assert_int_equal(machine.graph->node_count, 1 + 3); /* the base, the exponent, one product */
    machine_close(&machine);
}

/* -- remainders: exact, so every bit counts -- */

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* fmod is exact; the sum with the divisor is rounded once, to f32. */
static float exact_remainder(float a, float b) {
    float rest = (float)fmod((double)a, (double)b);
    if (rest == 0) return copysignf(0, b);
    return (rest < 0) != (b < 0) ? rest + b : rest;
}

static void check_remainders(Machine *machine) {
    const float *a = machine_values(machine, machine->in[0]),
                *b = machine_values(machine, machine->in[1]);
    const float *got = machine_values(machine, machine->out);
    interp_run(machine->interp);
    for (int i = 0; i < CHUNK; i++) {
        float expected = exact_remainder(a[i], b[i]);
        if (!(isnan(expected) && isnan(got[i])) && memcmp(&expected, &got[i], sizeof expected) != 0)
            fail_msg("%a %% %a = %a, not %a", (double)a[i], (double)b[i], (double)got[i],
                     (double)expected);
    }
}

/* All patterns of bits, huge quotients and denormals among them; then quotients that are near whole
 * numbers; then special values. */
static void test_remainder_is_exact(void **state) {
    (void)state;
    Machine machine = machine_open(OP_remainder, NULL);
    float *a = machine_values(&machine, machine.in[0]),
          *b = machine_values(&machine, machine.in[1]);
    uint64_t seed = 3;
    for (int at = 0; at < SAMPLES / 4; at += CHUNK) {
        for (int i = 0; i < CHUNK; i++) {
            a[i] = float_of(next_random(&seed));
            b[i] = float_of(next_random(&seed));
            if (i % 3 == 1) a[i] = b[i] * (float)(next_random(&seed) % 5000);
            if (i % 3 == 2) b[i] = float_of(next_random(&seed) & 0x807fffff);
        }
        check_remainders(&machine);
    }
    for (int i = 0; i < CHUNK; i++) {
        a[i] = pow_special[i / POW_SPECIALS % POW_SPECIALS];
        b[i] = pow_special[i % POW_SPECIALS];
    }
    check_remainders(&machine);
    machine_close(&machine);
}

static void test_whole_remainder(void **state) {
    (void)state;
    const int32_t special[] = {0,
                               1,
                               -1,
                               2,
                               -2,
                               3,
                               -3,
                               7,
                               10,
                               -10,
                               65535,
                               65536,
                               INT32_MAX,
                               INT32_MIN,
                               INT32_MAX - 1,
                               INT32_MIN + 1};
    enum { SPECIALS = sizeof special / sizeof *special };
    Machine machine = machine_open_of(OP_remainder, DTYPE_I32, NULL);
    int32_t *a = interp_value(machine.interp, machine.in[0]),
            *b = interp_value(machine.interp, machine.in[1]);
    uint64_t seed = 4;
    for (int at = 0; at < SAMPLES / 4; at += CHUNK) {
        for (int i = 0; i < CHUNK; i++) {
            a[i] =
                i % 4 == 3 ? special[next_random(&seed) % SPECIALS] : (int32_t)next_random(&seed);
            b[i] = i % 4 == 2 ? special[next_random(&seed) % SPECIALS]
                              : (int32_t)next_random(&seed) >> next_random(&seed) % 32;
            if (i < SPECIALS * SPECIALS) a[i] = special[i / SPECIALS], b[i] = special[i % SPECIALS];
        }
        interp_run(machine.interp);
        const int32_t *got = interp_value(machine.interp, machine.out);
        for (int i = 0; i < CHUNK; i++) {
            int64_t rest = b[i] ? (int64_t)a[i] % b[i] : 0,
                    expected = rest && (rest < 0) != (b[i] < 0) ? rest + b[i] : rest;
            if (got[i] != expected)
                fail_msg("%d %% %d = %d, not %d", a[i], b[i], got[i], (int)expected);
        }
    }
    machine_close(&machine);
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

/* The written-out bits are those of ir/ops/random.c, and so are those that the interpreter computes
 * of the whole op. */
static void random_bits_are_those_of_the_generator(void **state) {
    (void)state;
    enum { DRAW = 70000, SUBSTREAM = 0x79abcdef, ELEMENTS = 3 * 7 };
    const uint64_t seed = UINT64_C(0xfedcba9876543210);
    Diagnostics *diag = diag_new();
    Graph *whole = graph_new("random", diag);
    NodeId operands[] = {build_i32(whole, (int32_t)(uint32_t)seed, (Shape){0}),
                         build_i32(whole, (int32_t)(seed >> 32), (Shape){0}),
                         build_i32(whole, DRAW, (Shape){0})};
    graph_output(
        whole, "bits",
        build_random(whole, operands, STREAM_DROPOUT, SUBSTREAM, shape_of(2, (int64_t[]){3, 7})));
    /* of constants: it is all folded but for the element's number */
    Graph *expanded = pass_expand(whole, &(PassOptions){0});
    Interp *interps[] = {interp_new(whole, INTERP_F64), interp_new(expanded, INTERP_F32)};
    const Graph *graphs[] = {whole, expanded};
    for (int g = 0; g < 2; g++) {
        interp_run(interps[g]);
        const uint32_t *bits = interp_value(interps[g], graphs[g]->outputs[0].node);
        for (uint64_t i = 0; i < ELEMENTS; i++)
            assert_int_equal(
                bits[i], random_bits(seed, STREAM_DROPOUT, SUBSTREAM, ((uint64_t)DRAW << 34) + i));
        interp_free(interps[g]);
    }
    graph_free(whole);
    graph_free(expanded);
    diag_free(diag);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_bit_patterns),
        cmocka_unit_test(test_interesting_range),
        cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_pow_is_accurate),
        cmocka_unit_test(test_pow_special_values),
        cmocka_unit_test(test_pow_of_constant_exponent),
        cmocka_unit_test(test_remainder_is_exact),
        cmocka_unit_test(test_whole_remainder),
        cmocka_unit_test(test_easy_exponents_are_cheap),
        cmocka_unit_test(test_only_primitives_are_left),
        cmocka_unit_test(test_softmax_is_stable),
        cmocka_unit_test(random_bits_are_those_of_the_generator),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
