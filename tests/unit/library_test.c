/* What the functions of the library compute, in f64, against formulas written out here: losses,
 * metrics, schedules, and the steps of the optimizers as PyTorch's documentation gives them. */
#include "frontend/model/model.h"
#include "frontend/library/library.h"
#include "ir/interp/interp.h"
#include "passes/passes.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS 3
#define WIDTH 4
static const uint8_t images[ROWS][WIDTH] = {{3, 0, 250, 17}, {90, 91, 2, 255}, {1, 128, 64, 7}};
static const uint8_t labels[ROWS] = {2, 0, 3};

static bool schema(void *context, const DataSource *source, const SplitRequest *request,
                   Arena *arena, SourceSchema *fields, Diagnostics *diag) {
    static const SourceField all[] = {{.name = "image", .dtype = DTYPE_U8, .row = {1, {WIDTH}}},
                                      {.name = "label", .dtype = DTYPE_U8}};
    (void)context, (void)source, (void)request, (void)arena, (void)diag;
    *fields = (SourceSchema){.fields = all, .field_count = 2};
    return true;
}

/* x is f32[N, 4] with values between -2 and 3, t has the same values in reverse order. The network
 * is one weight, 1, that multiplies x. */
static Graph *train_graph(const char *loss, const char *optimizer, Diagnostics *diag) {
    char text[2048];
    snprintf(
        text, sizeof text,
        "mdl 1\ndata {\n source = mnist()\n field x = source.image / 50 - 2\n field t = (255 - source.image) / 50 - 2\n "
        "field label = source.label\n}\n"
        "model net(x) -> y {\n w = weight([1], init = ones)\n y = x * w\n}\ntrain {\n loss = %s\n optimizer = %s\n}\n",
        loss, optimizer);
    ModelOptions options = {
        .path = "test.mdl", .text = text, .length = strlen(text), .schema = schema};
    Model *model = model_load(&options, diag);
    if (!model) diag_print(diag, stderr);
    assert_non_null(model);
    Graph *graph = model_graph(model, GRAPH_TRAIN, ROWS, diag);
    assert_non_null(graph);
    model_free(model);
    Compilation compilation = {graph, NULL};
    assert_true(pass_run(PASS_gradients, &compilation, &(PassOptions){0}));
    return compilation.graph;
}

static void *symbol_value(Interp *interp, const Graph *graph, const char *name) {
    const Symbol *symbol = graph_symbol(graph, name);
    return symbol && symbol->node ? interp_value(interp, symbol->node) : NULL;
}

static void set_inputs(Interp *interp, const Graph *graph, int epoch, int step, int steps) {
    const struct {
        const char *name;
        const void *value;
        size_t bytes;
    } inputs[] = {{"image", images, sizeof images},
                  {"label", labels, sizeof labels},
                  {"epoch", &epoch, 4},
                  {"step", &step, 4},
                  {"steps", &steps, 4}};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++) {
        void *value = symbol_value(interp, graph, inputs[i].name);
        if (value) memcpy(value, inputs[i].value, inputs[i].bytes);
    }
}

/* The value of a scalar expression of the train block. */
static double value_of(const char *expression, int epoch, int step, int steps) {
    char loss[1024];
    Diagnostics *diag = diag_new();
    snprintf(loss, sizeof loss, "(%s) + 0 * mean(y)", expression);
    Graph *graph = train_graph(loss, "sgd(lr = 0.0)", diag);
    Interp *interp = interp_new(graph, INTERP_F64);
    set_inputs(interp, graph, epoch, step, steps);
    *(double *)symbol_value(interp, graph, "w") = 1;
    interp_run(interp);
    double value = *(double *)interp_value(interp, graph->outputs[0].node);
    interp_free(interp);
    graph_free(graph);
    diag_free(diag);
    return value;
}

static void expect_near(const char *what, double value, double expected) {
    if (!(fabs(value - expected) <= 1e-6 * (1 + fabs(expected))))
        fail_msg("%s is %.9g, expected %.9g", what, value, expected);
}

static double x_at(int row, int column) { return images[row][column] / 50.0 - 2; }
static double t_at(int row, int column) { return (255 - images[row][column]) / 50.0 - 2; }

/* The mean of f over all elements of x and t. */
static double mean_of(double (*f)(double x, double t)) {
    double sum = 0;
    for (int i = 0; i < ROWS * WIDTH; i++)
        sum += f(x_at(i / WIDTH, i % WIDTH), t_at(i / WIDTH, i % WIDTH));
    return sum / (ROWS * WIDTH);
}

/* -- functions of each element -- */

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }
static double f_leaky(double x, double t) { return (void)t, x > 0 ? x : 0.2 * x; }
static double f_elu(double x, double t) { return (void)t, x > 0 ? x : 0.5 * (exp(x) - 1); }
static double f_silu(double x, double t) { return (void)t, x * sigmoid(x); }
static double f_softplus(double x, double t) { return (void)t, log(1 + exp(x)); }
static double f_gelu_exact(double x, double t) { return (void)t, 0.5 * x * (1 + erf(x / sqrt(2))); }
static double f_gelu(double x, double t) {
    return (void)t, 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}
static double f_clip(double x, double t) { return (void)t, x < -1 ? -1 : x > 1.5 ? 1.5 : x; }
static double f_remainder(double x, double t) { return (void)t, x - floor(x / 0.75) * 0.75; }
static double f_select(double x, double t) { return x > t && !(x > 1) ? x : t; }
static double f_mse(double x, double t) { return (x - t) * (x - t); }
static double f_mae(double x, double t) { return fabs(x - t); }
static double f_huber(double x, double t) {
    return fabs(x - t) <= 1.5 ? 0.5 * (x - t) * (x - t) : 1.5 * (fabs(x - t) - 0.75);
}
static double f_bce(double x, double t) {
    return -(sigmoid(t) * log(sigmoid(x)) + (1 - sigmoid(t)) * log(1 - sigmoid(x)));
}
static double f_cut(double x, double t) { return (void)t, x > 0 ? fmax(log(x), -100) : -100; }

static void test_elementwise(void **state) {
    (void)state;
    const struct {
        const char *expression;
        double (*f)(double, double);
    } cases[] = {
        {"mean(leaky_relu(x, 0.2))", f_leaky},
        {"mean(elu(x, alpha = 0.5))", f_elu},
        {"mean(silu(x))", f_silu},
        {"mean(softplus(x))", f_softplus},
        {"mean(gelu(x))", f_gelu_exact},
        {"mean(gelu_tanh(x))", f_gelu},
        {"mean(clip(x, -1, 1.5))", f_clip},
        {"mean(x % 0.75)", f_remainder},
        {"mean(select(x > t and not x > 1, x, t))", f_select},
        {"mse(x, t)", f_mse},
        {"mae(x, t)", f_mae},
        {"huber(x, t, delta = 1.5)", f_huber},
        {"bce(sigmoid(x), sigmoid(t))", f_bce},
        {"bce_logits(x, sigmoid(t))", f_bce},
        {"mean(cut_log(x))", f_cut},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_near(cases[i].expression, value_of(cases[i].expression, 0, 0, 1),
                    mean_of(cases[i].f));
}

/* -- along axes -- */

static double log_p_at(int row, int column) {
    double sum = 0;
    for (int i = 0; i < WIDTH; i++) sum += exp(x_at(row, i));
    return x_at(row, column) - log(sum);
}

static double expected_cross_entropy(double smooth) {
    double loss = 0;
    for (int row = 0; row < ROWS; row++)
        for (int i = 0; i < WIDTH; i++)
            loss -= log_p_at(row, i) * ((i == labels[row]) * (1 - smooth) + smooth / WIDTH);
    return loss / ROWS;
}

static double expected_top(int k) {
    double right = 0;
    for (int row = 0; row < ROWS; row++) {
        int above = 0;
        for (int i = 0; i < WIDTH; i++) above += x_at(row, i) > x_at(row, labels[row]);
        right += above < k;
    }
    return right / ROWS;
}

static double expected_variance(void) {
    double result = 0;
    for (int row = 0; row < ROWS; row++) {
        double mean = 0, sum = 0;
        for (int i = 0; i < WIDTH; i++) mean += x_at(row, i) / WIDTH;
        for (int i = 0; i < WIDTH; i++) sum += (x_at(row, i) - mean) * (x_at(row, i) - mean);
        result += sum / (WIDTH - 1) * (row + 1);
    }
    return result;
}

static void test_along_axes(void **state) {
    (void)state;
    expect_near("cross entropy", value_of("cross_entropy(x, label)", 0, 0, 1),
                expected_cross_entropy(0));
    expect_near("smoothed cross entropy",
                value_of("cross_entropy(x, label, smooth = 0.3)", 0, 0, 1),
                expected_cross_entropy(0.3));
    expect_near("nll", value_of("nll(log_softmax(x), label)", 0, 0, 1), expected_cross_entropy(0));
    expect_near("a batch without weight",
                value_of("nll(log_softmax(x), label, weights = [0, 1, 0, 0])", 0, 0, 1), 0);
    expect_near("a batch without weight",
                value_of("cross_entropy(x, label, smooth = 0.3, weights = [0, 1, 0, 0])", 0, 0, 1),
                0);
    expect_near("accuracy", value_of("accuracy(x, label)", 0, 0, 1), expected_top(1));
    expect_near("top_k", value_of("top_k(x, label, 2)", 0, 0, 1), expected_top(2));
    expect_near("one_hot", value_of("-sum(one_hot(label, 4) * log_softmax(x)) / N", 0, 0, 1),
                expected_cross_entropy(0));
    expect_near("amax", value_of("amax(x) + amin(t) + sum(amax(x, axis = 1))", 0, 0, 1),
                3.1 - 2 + 3 + 3.1 + 0.56);
    expect_near("var", value_of("sum(var(x, axis = 1) * (index([N], 0) + 1))", 0, 0, 1),
                expected_variance());
    expect_near(
        "slices", value_of("sum(x[0, 1:3]) - x[-1, 2] + sum(concat([x, t], axis = 0)[4])", 0, 0, 1),
        x_at(0, 1) + x_at(0, 2) - x_at(2, 2) + t_at(1, 0) + t_at(1, 1) + t_at(1, 2) + t_at(1, 3));
    expect_near(
        "split",
        value_of(
            "sum(split(x, [1, 3])[1][:, 0]) + sum(split(permute(x, [1, 0]), 2, axis = 0)[1][1])", 0,
            0, 1),
        x_at(0, 1) + x_at(1, 1) + x_at(2, 1) + x_at(0, 3) + x_at(1, 3) + x_at(2, 3));
    expect_near("a whole remainder",
                value_of("sum((index([8], 0) % 3) == 2) + sum(index([4], 0) % -3)", 0, 0, 1),
                2 - 3);
    expect_near("pad", value_of("sum(pad(x, 1, 2)[1, 1:5]) + mean(pad(x, 0, 4)) * 2", 0, 0, 1),
                x_at(1, 0) + x_at(1, 1) + x_at(1, 2) + x_at(1, 3) + value_of("mean(x)", 0, 0, 1));
}

/* -- schedules -- */

static double half_wave(double a, double b, double share) {
    return b + (a - b) * 0.5 * (1 + cos(M_PI * share));
}

static void test_schedules(void **state) {
    (void)state;
    expect_near("step", value_of("step(0.1, every = 3, factor = 0.5)", 7, 0, 1), 0.025);
    expect_near("exponential", value_of("exponential(0.1, gamma = 0.9)", 4, 0, 1),
                0.1 * pow(0.9, 4));
    expect_near("linear", value_of("linear(0.1, to = 0.02)", 0, 25, 100), 0.08);
    expect_near("linear, warming up", value_of("linear(0.1, warmup = 10)", 0, 4, 110), 0.05);
    expect_near("linear, warm", value_of("linear(0.1, warmup = 10)", 0, 60, 110), 0.05);
    expect_near("cosine", value_of("cosine(0.1, to = 0.01)", 0, 30, 100),
                half_wave(0.1, 0.01, 0.3));
    expect_near("cosine, warming up", value_of("cosine(0.1, warmup = 0.1)", 0, 4, 200),
                0.1 * 5 / 20);
    expect_near("cosine, warm", value_of("cosine(0.1, warmup = 0.1)", 0, 110, 200), 0.05);
    expect_near("warmup", value_of("warmup(0.1, 10) + warmup(0.1, 4)", 0, 4, 100), 0.05 + 0.1);
    expect_near("one_cycle, first", value_of("one_cycle(0.1)", 0, 0, 100), 0.004);
    expect_near("one_cycle, up", value_of("one_cycle(0.1)", 0, 10, 100),
                half_wave(0.004, 0.1, 10.0 / 29));
    expect_near("one_cycle, down", value_of("one_cycle(0.1)", 0, 60, 100),
                half_wave(0.1, 4e-7, 31.0 / 70));
    expect_near("one_cycle, last", value_of("one_cycle(0.1)", 0, 99, 100), 4e-7);
    expect_near("an expression",
                value_of("0.1 * 0.5 ** floor(epoch / 5) + (step / steps) ** 2", 11, 3, 10),
                0.025 + 0.09);
}

/* -- optimizers: one weight, with gradient g = c w, c = mean(x^2) -- */

typedef struct {
    double w, a, b; /* the weight and two states, after t steps */
    int t;
} TrainedModel;

static void torch_sgd(TrainedModel *s, double g) { s->w -= 0.1 * g; }

static void torch_momentum(TrainedModel *s, double g) {
    g += 0.2 * s->w;
    s->a = 0.9 * s->a + g;
    s->w -= 0.1 * s->a;
}

static void torch_nesterov(TrainedModel *s, double g) {
    s->a = 0.9 * s->a + g;
    s->w -= 0.1 * (g + 0.9 * s->a);
}

static void torch_adam_step(TrainedModel *s, double g) {
    s->a = 0.8 * s->a + (1 - 0.8) * g;
    s->b = 0.95 * s->b + (1 - 0.95) * g * g;
    double m = s->a / (1 - pow(0.8, s->t)), v = s->b / (1 - pow(0.95, s->t));
    s->w -= 0.1 * m / (sqrt(v) + 1e-3);
}

static void torch_adam(TrainedModel *s, double g) { torch_adam_step(s, g + 0.3 * s->w); }

static void torch_adamw(TrainedModel *s, double g) {
    s->w *= 1 - 0.1 * 0.3;
    torch_adam_step(s, g);
}

static void torch_rmsprop(TrainedModel *s, double g) {
    s->a = 0.9 * s->a + 0.1 * g * g;
    s->b = 0.5 * s->b + g / (sqrt(s->a) + 1e-8);
    s->w -= 0.01 * s->b;
}

static void torch_adagrad(TrainedModel *s, double g) {
    s->a += g * g;
    s->w -= 0.1 / (1 + (s->t - 1) * 0.5) * g / (sqrt(s->a) + 1e-10);
}

static double square(double x, double t) { return (void)t, x * x; }

static void expect_steps(const char *optimizer, void (*torch)(TrainedModel *, double)) {
    Diagnostics *diag = diag_new();
    Graph *graph = train_graph("0.5 * mean(y ** 2)", optimizer, diag);
    Interp *interp = interp_new(graph, INTERP_F64);
    TrainedModel expected = {.w = 1};
    double *w = symbol_value(interp, graph, "w");
    *w = 1;
    for (int step = 0; step < 5; step++) {
        set_inputs(interp, graph, 0, step, 5);
        interp_run(interp);
        interp_update(interp);
        expected.t = step + 1;
        torch(&expected, mean_of(square) * expected.w);
        expect_near(optimizer, *w, expected.w);
    }
    interp_free(interp);
    graph_free(graph);
    diag_free(diag);
}

static void test_optimizers(void **state) {
    (void)state;
    expect_steps("sgd(lr = 0.1)", torch_sgd);
    expect_steps("sgd(lr = 0.1, momentum = 0.9, decay = 0.2)", torch_momentum);
    expect_steps("sgd(lr = 0.1, momentum = 0.9, nesterov = true)", torch_nesterov);
    expect_steps("adam(lr = 0.1, beta1 = 0.8, beta2 = 0.95, eps = 1e-3, decay = 0.3)", torch_adam);
    expect_steps("adamw(lr = 0.1, beta1 = 0.8, beta2 = 0.95, eps = 1e-3, decay = 0.3)",
                 torch_adamw);
    expect_steps("rmsprop(lr = 0.01, alpha = 0.9, momentum = 0.5)", torch_rmsprop);
    expect_steps("adagrad(lr = 0.1, lr_decay = 0.5)", torch_adagrad);
}

/* Without gradients a moment fades to exactly 0. It never becomes denormal, which processors
 * compute slowly. */
static void test_moments_fade(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Compilation compilation = {train_graph("0 * mean(y)", "adam(lr = 1e-3)", diag), NULL};
    assert_true(pass_run(PASS_expand, &compilation, &(PassOptions){0}));
    assert_true(pass_run(PASS_functions, &compilation, &(PassOptions){0}));
    Graph *graph = compilation.graph;
    Interp *interp = interp_new(graph, INTERP_F32);
    float *m = symbol_value(interp, graph, "adam.m.w"), *w = symbol_value(interp, graph, "w"),
          before = 1e-3f;
    *m = before, *w = 1;
    for (int step = 0; step < 700; step++, before = *m) {
        set_inputs(interp, graph, 0, step, 700);
        interp_run(interp);
        interp_update(interp);
        assert_true(*m == 0 || (*m >= 0x1p-100f && *m < before));
    }
    assert_true(*m == 0);
    interp_free(interp);
    graph_free(graph);
    diag_free(diag);
}

/* The errors of a loss, as they are printed. */
static char *printed_errors(const char *loss) {
    char text[512], *printed = NULL;
    size_t length;
    snprintf(
        text, sizeof text,
        "mdl 1\ndata { source = mnist(); field x = source.image / 50 }\nmodel net(x) -> y { y = dense(x, 3) }\n"
        "train { loss = %s; optimizer = sgd(0.1) }\n",
        loss);
    Diagnostics *diag = diag_new();
    ModelOptions options = {
        .path = "test.mdl", .text = text, .length = strlen(text), .schema = schema};
    assert_null(model_load(&options, diag));
    FILE *out = open_memstream(&printed, &length);
    assert_non_null(out);
    diag_print(diag, out);
    fclose(out);
    diag_free(diag);
    return printed;
}

/* The library is parsed once, and the errors of every model can show places in it. */
static void test_places(void **state) {
    (void)state;
    assert_ptr_equal(library_get(), library_get());
    char *first = printed_errors("mse(y, x)"), *second = printed_errors("mse(y, x)");
    assert_non_null(strstr(first, "test.mdl:4:16: error"));
    assert_non_null(strstr(first, "stdlib.mdl:"));
    assert_non_null(strstr(first, "in the library, here"));
    assert_string_equal(first, second);
    free(first);
    free(second);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_elementwise),  cmocka_unit_test(test_along_axes),
        cmocka_unit_test(test_schedules),    cmocka_unit_test(test_optimizers),
        cmocka_unit_test(test_moments_fade), cmocka_unit_test(test_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
