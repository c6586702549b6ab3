/* Functions of the library at the edges of their range: zero, the largest and the smallest numbers, kinks and
 * tails. The loss is sum(f(x) * k), so that the gradient by k is f(x) and the gradient by x is k times the derivative.
 * tests/truth/edges.txt holds what they must be, and by how many ulp they may differ. */
#include "tests/support/truth.h"

enum { EDGES = 48 };

/* -- running a function on all edges at once -- */

typedef struct {
    float value[EDGES], gradient[EDGES];
} Answers;

/* "f = " the function of all elements of x; of a loss, which is a mean, one element at a time: "loss mse 0.0". */
static void print_function(FILE *out, const char *function) {
    char name[64];
    double target;
    if (sscanf(function, "loss %63s %lf", name, &target) != 2) {
        fprintf(out, "    f = %s\n", function);
        return;
    }
    fprintf(out, "    parts = []\n    for i in 0..%d { parts = parts + [unsqueeze(%s(x[i:i + 1], expand(%.17f, [1])), 0)] }\n",
            EDGES - 1, name, target);
    fprintf(out, "    f = concat(parts, axis = 0)\n");
}

static char *edge_model(const char *function) {
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    fprintf(out,
            "mdl 1\ndata {\n    source = mnist()\n    field unit = source.unit / 1\n    field label = source.label\n}\n"
            "model edges(unit) -> y {\n    x = weight([%d])\n    k = weight([%d])\n",
            EDGES, EDGES);
    print_function(out, function);
    fprintf(out,
            "    y = expand(sum(f * k), [N, 1]) + unit[:, 0:1]\n}\n"
            "train {\n    loss = sum(y)\n    optimizer = sgd(lr = 0.0, momentum = 0.5)\n    batch = 1\n    epochs = 1\n}\n");
    fclose(out);
    return text;
}

/* After one step from 0 the momentum is the gradient, bit for bit. */
static void read_gradient(const Session *s, const char *weight, float gradient[EDGES]) {
    char name[64];
    snprintf(name, sizeof name, "sgd.momentum.%s", weight);
    assert_true(states_read(s->states, name, gradient));
}

static void run_edges(const char *function, Backend backend, const float x[EDGES], const float k[EDGES], Answers *answers) {
    char *text = edge_model(function);
    Session s = session_open(text, 1, backend);
    static const uint8_t unit[ROWS], classes[1];
    static const int32_t rows[1] = {0};
    states_write(s.states, "x", x);
    states_write(s.states, "k", k);
    runner_input(s.runner, "label", classes);
    runner_input(s.runner, "unit", unit);
    session_step(&s, rows);
    read_gradient(&s, "k", answers->value);
    read_gradient(&s, "x", answers->gradient);
    session_close(&s);
    free(text);
}

static uint32_t bits_of(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static bool same_bits(float a, float b) { return (isnan(a) && isnan(b)) || bits_of(a) == bits_of(b); }

/* Compiled and interpreted, which must agree. */
static void answer(const char *function, const float x[EDGES], const float k[EDGES], Answers *answers) {
    Answers interpreted;
    run_edges(function, JIT, x, k, answers);
    run_edges(function, REFERENCE, x, k, &interpreted);
    for (int i = 0; i < EDGES; i++)
        if (!same_bits(answers->value[i], interpreted.value[i]) || !same_bits(answers->gradient[i], interpreted.gradient[i]))
            fail_msg("%s at %a: compiled %a, gradient %a; interpreted %a, gradient %a", function, (double)x[i],
                     (double)answers->value[i], (double)answers->gradient[i], (double)interpreted.value[i],
                     (double)interpreted.gradient[i]);
}

/* -- a gradient of 0 stays 0, whatever the derivative is; weights are finite, what is computed from them need not be -- */

static const float edges[EDGES] = {
    0,     -0.0f,  0x1p-149f, -0x1p-149f, 0x1p-126f, -0x1p-126f, 1e-30f, -1e-30f, 1e-20f, -1e-20f, 1e-10f, -1e-10f,
    1e-4f, -1e-4f, 0.1f,      -0.1f,      0.5f,      -0.5f,      1,      -1,      1.5f,   -1.5f,   2,      -2,
    5,     -5,     10,        -10,        20,        -20,        88,     -88,     89,     -89,     104,    -104,
    1000,  -1000,  1e7f,      -1e7f,      1e13f,     -1e13f,     1e30f,  -1e30f,  3e38f,  -3e38f,  3,      -3,
};

/* What has an infinite or undefined derivative somewhere, alone and inside each other, and through views, sums and products. */
static const char *const masked[] = {
    "log(x)",
    "sqrt(x)",
    "exp(x)",
    "expm1(x)",
    "1.0 / x",
    "x / (x - 1.0)",
    "x ** -1",
    "x ** -2",
    "x ** -3",
    "x ** -0.5",
    "x ** 0.5",
    "x ** 0.3",
    "x ** 2.5",
    "x ** x",
    "2.0 ** x",
    "x ** 3",
    "x * x * x * x",
    "log(sqrt(x))",
    "sqrt(log(x))",
    "log(log(x))",
    "log(1.0 + exp(x))",
    "exp(exp(x))",
    "exp(x) * x",
    "exp(x) / exp(x)",
    "tanh(log(x))",
    "sigmoid(1.0 / x)",
    "sin(x)",
    "cos(1.0 / x)",
    "erf(log(x))",
    "relu(log(x)) * log(x)",
    "max(log(x), sqrt(x)) ** 2",
    "abs(log(x)) ** 0.5",
    "clip(log(x), -1.0, 1.0) / x",
    "softplus(log(x))",
    "elu(1.0 / x)",
    "silu(log(x))",
    "gelu(log(x))",
    "gelu_tanh(exp(x))",
    "leaky_relu(log(x))",
    "fma(exp(x), log(x), 1.0 / x)",
    "softmax(log(x))",
    "log_softmax(1.0 / x)",
    "select(x > 1.0, log(x), 1.0 / x)",
    "reshape(sum(unsqueeze(log(x), 1) * index([48, 2], axis = 1), axis = 1), [48])",
    "norm(x)",
    "norm(unsqueeze(log(x), 1), axis = 1)",
    "sum(sqrt(x))",
    "cumsum(log(x))",
    "gather(x, 47 - index([48], 0), 0) ** -3",
    "concat([log(x)[24:], exp(x)[:24]], axis = 0)",
    "amax(log(x))",
    "x % 0.0",
};

static void test_zero_stays_zero(void **state) {
    (void)state;
    static const float none[EDGES];
    Answers answers;
    for (size_t f = 0; f < sizeof masked / sizeof *masked; f++) {
        answer(masked[f], edges, none, &answers);
        for (int i = 0; i < EDGES; i++)
            if (answers.gradient[i] != 0)
                fail_msg("%s at %a: gradient %a", masked[f], (double)edges[i], (double)answers.gradient[i]);
    }
}

/* select keeps the branch that was not chosen out, on both sides; what was chosen has its own derivative, NaN included. */
static void test_select_keeps_the_other_branch_out(void **state) {
    (void)state;
    float ones[EDGES], x[EDGES] = {0, 2, 3, -1, NAN, INFINITY, -0.0f, 0.5f};
    Answers answers;
    for (int i = 0; i < EDGES; i++) ones[i] = 1;
    answer("select(x > 2.0, log(x) / log(2.0), 2.0 * x)", x, ones, &answers);
    const float expected[] = {2, 2, 0.48089835f, 2, 2, 0, 2, 2};
    for (int i = 0; i < 8; i++) assert_true(fabsf(answers.gradient[i] - expected[i]) <= 1e-6f);
    answer("select(x > 0.0, log(x) + sqrt(x) + x ** -3, x * x)", x, ones, &answers);
    assert_true(answers.gradient[0] == 0 && answers.gradient[3] == -2 && isnan(answers.gradient[4]));
    answer("sqrt(x) + log(x)", x, ones, &answers);
    assert_true(isinf(answers.gradient[0]) && isnan(answers.gradient[4]) && isnan(answers.value[3]));
}

/* The gradient of a distance of 0 is 0 where nothing pulls at it; norm() has the gradient 0 there in any case. */
static void test_distance_of_zero(void **state) {
    (void)state;
    float zeros[EDGES] = {0}, ones[EDGES];
    Answers answers;
    for (int i = 0; i < EDGES; i++) ones[i] = 1;
    answer("sqrt(sum(x ** 2)) ** 2", zeros, ones, &answers);
    for (int i = 0; i < EDGES; i++) assert_true(answers.gradient[i] == 0);
    answer("max(0.0 - sqrt(sum(x ** 2)), -1.0) * 0.0", zeros, ones, &answers);
    for (int i = 0; i < EDGES; i++) assert_true(answers.gradient[i] == 0);
    answer("norm(x)", zeros, ones, &answers);
    for (int i = 0; i < EDGES; i++) assert_true(answers.gradient[i] == 0 && answers.value[i] == 0);
}

/* Squares that would overflow or underflow: 3-4-5 triangles of every size. */
static void test_norm_of_every_size(void **state) {
    (void)state;
    const float sizes[] = {1, 0x1p-140f, 0x1p-100f, 0x1p-60f, 0x1p-40f, 0x1p40f, 0x1p45f, 0x1p60f, 0x1p120f};
    float ones[EDGES] = {1};
    Answers answers;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        float x[EDGES] = {3 * sizes[s], -4 * sizes[s]};
        answer("norm(x)", x, ones, &answers);
        assert_true(answers.value[0] == 5 * sizes[s]);
        assert_true(fabsf(answers.gradient[0] - 0.6f) <= 1e-7f && fabsf(answers.gradient[1] + 0.8f) <= 1e-7f);
    }
    answer("norm(x)", (float[EDGES]){3, INFINITY}, ones, &answers);
    assert_true(answers.value[0] == INFINITY);
}

/* -- values and derivatives at edges -- */

/* Of the f32 nearest to the true value; what is not finite must be the same. */
static double error_in_ulp(float got, double expected) {
    float nearest = (float)expected;
    if (!isfinite(nearest)) return same_bits(got, nearest) ? 0 : INFINITY;
    int exponent;
    frexp(expected, &exponent);
    return fabs((double)got - expected) / ldexp(1, exponent < -125 ? -149 : exponent - 24);
}

/* What one line of the file says of each edge. */
typedef struct {
    float x[EDGES];
    double value[EDGES], gradient[EDGES];
} Edges;

static void read_edges(FILE *file, Edges *truth) {
    for (int i = 0; i < EDGES; i++) {
        truth->x[i] = (float)next_number(file);
        truth->value[i] = next_number(file);
        truth->gradient[i] = next_number(file);
    }
}

static double worst_error(const char *function, const char *what, const float *x, const float *got, const double *expected,
                          double limit) {
    double worst = 0;
    for (int i = 0; i < EDGES; i++) {
        double error = error_in_ulp(got[i], expected[i]);
        if (!(error <= limit))
            print_error("%s of %s at %.9g: %.9g, not %.9g: %.2f ulp\n", what, function, (double)x[i], (double)got[i],
                        expected[i], error);
        if (!(error <= worst)) worst = error;
    }
    return worst;
}

static void test_edges(void **state) {
    (void)state;
    FILE *file = open_truth("tests/truth/edges.txt");
    char line[LINE];
    const char *text;
    bool good = true;
    while ((text = next_case(file, "function", line))) {
        double limits[2], worst[2];
        int begin;
        static Edges truth;
        Answers answers;
        float ones[EDGES];
        for (int i = 0; i < EDGES; i++) ones[i] = 1;
        assert_int_equal(sscanf(text, "%lf %lf %n", &limits[0], &limits[1], &begin), 2);
        read_edges(file, &truth);
        answer(text + begin, truth.x, ones, &answers);
        worst[0] = worst_error(text + begin, "value", truth.x, answers.value, truth.value, limits[0]);
        worst[1] = worst_error(text + begin, "gradient", truth.x, answers.gradient, truth.gradient, limits[1]);
        good &= worst[0] <= limits[0] && worst[1] <= limits[1];
        print_message("%-40s %7.2f %7.2f ulp\n", text + begin, worst[0], worst[1]);
    }
    fclose(file);
    assert_true(good);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_zero_stays_zero),
        cmocka_unit_test(test_select_keeps_the_other_branch_out),
        cmocka_unit_test(test_distance_of_zero),
        cmocka_unit_test(test_norm_of_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
