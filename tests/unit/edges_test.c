/* Functions of the library at the edges of their range: zero, the largest and the smallest numbers,
 * kinks and tails. The loss is sum(f(x) * k), so the gradient by k is f(x) and the gradient by x is
 * k times the derivative. tests/truth/edges.txt has the true values and how many ulp results may
 * differ from them. */
#include "runtime/program/run.h"
#include "tests/support/truth.h"

enum { EDGES = 48 };

/* -- running a function on all edges at once -- */

/* A function of `inputs` numbers with `outputs` results at every edge; most functions have one of
 * each. */
typedef struct {
    const char *text;
    int inputs, outputs;
} EdgeFunction;

enum { WIDTH = 4 };
typedef struct {
    float value[EDGES * WIDTH], gradient[EDGES * WIDTH];
} Answers;

/* [rows], or [rows, width] of several */
static void print_shape(FILE *out, const char *rows, int width) {
    if (width > 1)
        fprintf(out, "[%s, %d]", rows, width);
    else
        fprintf(out, "[%s]", rows);
}

/* Writes "f = " and the function of all elements of x. A loss is a mean, so it takes one row at a
 * time: "loss mse(row, expand(1.75, [N]))". */
static void print_function(FILE *out, const EdgeFunction *function) {
    if (strncmp(function->text, "loss ", 5)) {
        fprintf(out, "    f = %s\n", function->text);
        return;
    }
    fprintf(out, "    parts = []\n    for i in 0..%d {\n        row = expand(x[i:i + 1], ",
            EDGES - 1);
    print_shape(out, "N", function->inputs);
    fprintf(
        out,
        ")\n        parts = parts + [unsqueeze(%s, 0)]\n    }\n    f = concat(parts, axis = 0)\n",
        function->text + 5);
}

static char *edge_model(const EdgeFunction *function) {
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    fprintf(
        out,
        "mdl 1\ndata {\n    source = mnist()\n    field unit = source.unit / 1\n    field label = source.label\n}\n"
        "model edges(unit, label) -> y {\n    x = weight(");
    print_shape(out, "48", function->inputs);
    fprintf(out, ")\n    k = weight(");
    print_shape(out, "48", function->outputs);
    fprintf(out, ")\n");
    print_function(out, function);
    fprintf(
        out,
        "    y = expand(sum(f * k), [N, 1]) + unit[:, 0:1]\n}\n"
        "train {\n    loss = sum(y)\n    optimizer = sgd(lr = 0.0, momentum = 0.5)\n    batch = 1\n    epochs = 1\n}\n");
    fclose(out);
    return text;
}

/* After one step from 0 the momentum equals the gradient, bit for bit. */
static void read_gradient(const TruthSession *s, const char *weight, float *gradient) {
    char name[64];
    snprintf(name, sizeof name, "sgd.momentum.%s", weight);
    assert_true(states_read(s->states, name, gradient));
}

static void run_edges(const EdgeFunction *function, Backend backend, const float *x, const float *k,
                      Answers *answers) {
    char *text = edge_model(function);
    TruthSession s = session_open(text, 1, backend);
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

static bool same_bits(float a, float b) {
    return (isnan(a) && isnan(b)) || bits_of(a) == bits_of(b);
}

static void require_same(const EdgeFunction *function, const char *what, const float *compiled,
                         const float *interpreted, int count) {
    for (int i = 0; i < count; i++)
        if (!same_bits(compiled[i], interpreted[i]))
            fail_msg("%s, %s %d: compiled %a, interpreted %a", function->text, what, i,
                     (double)compiled[i], (double)interpreted[i]);
}

/* Compiles and interprets the function; both must agree. */
static void answer_rows(const EdgeFunction *function, const float *x, const float *k,
                        Answers *answers) {
    static Answers interpreted;
    run_edges(function, JIT, x, k, answers);
    run_edges(function, REFERENCE, x, k, &interpreted);
    require_same(function, "value", answers->value, interpreted.value, EDGES * function->outputs);
    require_same(function, "gradient", answers->gradient, interpreted.gradient,
                 EDGES * function->inputs);
}

static void answer(const char *function, const float x[EDGES], const float k[EDGES],
                   Answers *answers) {
    answer_rows(&(EdgeFunction){function, 1, 1}, x, k, answers);
}

/* -- a gradient of 0 stays 0, whatever the derivative is; weights are finite, what is computed from
 * them need not be -- */

static const float edges[EDGES] = {
    0,      -0.0f,   0x1p-149f, -0x1p-149f, 0x1p-126f, -0x1p-126f, 1e-30f, -1e-30f, 1e-20f, -1e-20f,
    1e-10f, -1e-10f, 1e-4f,     -1e-4f,     0.1f,      -0.1f,      0.5f,   -0.5f,   1,      -1,
    1.5f,   -1.5f,   2,         -2,         5,         -5,         10,     -10,     20,     -20,
    88,     -88,     89,        -89,        104,       -104,       1000,   -1000,   1e7f,   -1e7f,
    1e13f,  -1e13f,  1e30f,     -1e30f,     3e38f,     -3e38f,     3,      -3,
};

/* Functions with an infinite or undefined derivative somewhere: alone, nested, and through views,
 * sums and products. */
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
                fail_msg("%s at %a: gradient %a", masked[f], (double)edges[i],
                         (double)answers.gradient[i]);
    }
}

/* select keeps the value and the gradient of the unchosen branch out. The chosen branch has its own
 * derivative, NaN included. */
static void test_select_keeps_the_other_branch_out(void **state) {
    (void)state;
    float ones[EDGES], x[EDGES] = {0, 2, 3, -1, NAN, INFINITY, -0.0f, 0.5f};
    Answers answers;
    for (int i = 0; i < EDGES; i++) ones[i] = 1;
    answer("select(x > 2.0, log(x) / log(2.0), 2.0 * x)", x, ones, &answers);
    const float expected[] = {2, 2, 0.48089835f, 2, 2, 0, 2, 2};
    for (int i = 0; i < 8; i++) assert_true(fabsf(answers.gradient[i] - expected[i]) <= 1e-6f);
    answer("select(x > 0.0, log(x) + sqrt(x) + x ** -3, x * x)", x, ones, &answers);
    assert_true(answers.gradient[0] == 0 && answers.gradient[3] == -2 &&
                isnan(answers.gradient[4]));
    answer("sqrt(x) + log(x)", x, ones, &answers);
    assert_true(isinf(answers.gradient[0]) && isnan(answers.gradient[4]) &&
                isnan(answers.value[3]));
}

/* If the gradient by a distance of 0 is 0, so is the gradient by its operands. norm() has the
 * gradient 0 there in any case. */
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

/* Squares would overflow or underflow here: 3-4-5 triangles of every size. */
static void test_norm_of_every_size(void **state) {
    (void)state;
    const float sizes[] = {1,       0x1p-140f, 0x1p-100f, 0x1p-60f, 0x1p-40f,
                           0x1p40f, 0x1p45f,   0x1p60f,   0x1p120f};
    float ones[EDGES] = {1};
    Answers answers;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        float x[EDGES] = {3 * sizes[s], -4 * sizes[s]};
        answer("norm(x)", x, ones, &answers);
        assert_true(answers.value[0] == 5 * sizes[s]);
        assert_true(fabsf(answers.gradient[0] - 0.6f) <= 1e-7f &&
                    fabsf(answers.gradient[1] + 0.8f) <= 1e-7f);
    }
    answer("norm(x)", (float[EDGES]){3, INFINITY}, ones, &answers);
    assert_true(answers.value[0] == INFINITY);
}

/* -- values and derivatives at edges -- */

static double ulp_of(double value) {
    int exponent;
    frexp(value, &exponent);
    return ldexp(1, exponent < -125 ? -149 : exponent - 24);
}

/* The error in ulp of `scale`, against the f32 nearest to the true value. A value that is not
 * finite must be the same. */
static double error_in_ulp(float got, double expected, double scale) {
    float nearest = (float)expected;
    if (!isfinite(nearest)) return same_bits(got, nearest) ? 0 : INFINITY;
    return fabs((double)got - expected) / ulp_of(scale);
}

/* The largest error allowed. `of_row`: in ulp of the largest number of the row. */
typedef struct {
    double ulp;
    bool of_row;
} Limit;

/* The largest error found, and the largest one of denormal results. A product with a denormal
 * factor has only that factor's digits. */
typedef struct {
    double ulp, denormal;
} Worst;

static const double DENORMAL_LIMIT = 40; /* in units of 2^-149: 6e-44 */

/* The data of a function at each edge: `inputs` numbers a row, then as many values and
 * derivatives. */
typedef struct {
    float x[EDGES * WIDTH];
    double value[EDGES * WIDTH], gradient[EDGES * WIDTH];
} Edges;

static void read_edges(FILE *file, const EdgeFunction *function, Edges *truth) {
    int inputs = function->inputs, outputs = function->outputs;
    for (int row = 0; row < EDGES; row++) {
        for (int i = 0; i < inputs; i++) truth->x[row * inputs + i] = (float)next_number(file);
        for (int i = 0; i < outputs; i++) truth->value[row * outputs + i] = next_number(file);
        for (int i = 0; i < inputs; i++) truth->gradient[row * inputs + i] = next_number(file);
    }
}

static double largest_of(const double *row, int width) {
    double largest = 0;
    for (int i = 0; i < width; i++) largest = fmax(largest, fabs(row[i]));
    return largest;
}

/* `got` and `expected` have rows of `width` numbers. */
static bool all_within(const EdgeFunction *function, const char *what, const float *got,
                       const double *expected, int width, Limit limit, Worst *worst) {
    bool good = true;
    for (int i = 0; i < EDGES * width; i++) {
        double scale = limit.of_row ? largest_of(&expected[i / width * width], width) : expected[i];
        double error = error_in_ulp(got[i], expected[i], scale);
        bool denormal = scale != 0 && fabs(scale) < 0x1p-126;
        double *largest = denormal ? &worst->denormal : &worst->ulp;
        *largest = error <= *largest ? *largest : error;
        if (error <= (denormal ? fmax(limit.ulp, DENORMAL_LIMIT) : limit.ulp)) continue;
        if (good)
            print_error("%s of %s, row %d: %.9g, not %.9g: %.2f ulp\n", what, function->text,
                        i / width, (double)got[i], expected[i], error);
        good = false;
    }
    return good;
}

static bool compare_edges(FILE *file, const EdgeFunction *function, Limit value, Limit gradient) {
    static Edges truth;
    static Answers answers;
    static const float seeds[WIDTH] = {1, -0.5f, 0.25f, 2};
    float k[EDGES * WIDTH];
    Worst values = {0}, gradients = {0};
    for (int i = 0; i < EDGES * function->outputs; i++) k[i] = seeds[i % function->outputs];
    read_edges(file, function, &truth);
    answer_rows(function, truth.x, k, &answers);
    bool good = all_within(function, "value", answers.value, truth.value, function->outputs, value,
                           &values);
    good &= all_within(function, "gradient", answers.gradient, truth.gradient, function->inputs,
                       gradient, &gradients);
    print_message("%-60s %5.1f%s %5.1f%s ulp, denormal %4.1f %4.1f\n", function->text, values.ulp,
                  value.of_row ? "r" : " ", gradients.ulp, gradient.of_row ? "r" : " ",
                  values.denormal, gradients.denormal);
    return good;
}

/* "4" or "4r" */
static const char *read_limit(const char *text, Limit *limit) {
    char *end;
    limit->ulp = strtod(text, &end);
    limit->of_row = *end == 'r';
    return end + limit->of_row;
}

/* Compares all cases of the file that begin with `word`: "function LIMITS TEXT", or "rows INPUTS
 * OUTPUTS LIMITS TEXT". */
static void compare_all(const char *word, bool several) {
    FILE *file = open_truth("tests/truth/edges.txt");
    char line[LINE];
    bool good = true;
    int cases = 0;
    for (const char *text; (text = next_case(file, word, line)); cases++) {
        EdgeFunction function = {.inputs = 1, .outputs = 1};
        Limit value, gradient;
        int begin = 0;
        if (several)
            assert_int_equal(sscanf(text, "%d %d %n", &function.inputs, &function.outputs, &begin),
                             2);
        assert_true(function.inputs <= WIDTH && function.outputs <= WIDTH);
        text = read_limit(text + begin, &value);
        function.text = read_limit(text, &gradient) + 1;
        good &= compare_edges(file, &function, value, gradient);
    }
    fclose(file);
    assert_true(good && cases > 0);
}

static void test_edges(void **state) {
    (void)state;
    compare_all("function", false);
}

static void test_rows_of_edges(void **state) {
    (void)state;
    compare_all("rows", true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_rows_of_edges),
        cmocka_unit_test(test_zero_stays_zero),
        cmocka_unit_test(test_select_keeps_the_other_branch_out),
        cmocka_unit_test(test_distance_of_zero),
        cmocka_unit_test(test_norm_of_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
