/* The initializers of the language: range, mean and deviation of the weights, and orthogonal
 * matrices. The first values of a layer are distributed like those of PyTorch's layers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/model/model.h"

enum { IN = 300, OUT = 200, COUNT = IN * OUT };
/* means are normally distributed: one in a million is farther away than this */
static const double DEVIATIONS = 5;

static bool give_schema(void *context, const DataSource *source, const SplitRequest *request,
                        Arena *arena, SourceSchema *schema, Diagnostics *diag) {
    static const SourceField all[] = {{.name = "x", .dtype = DTYPE_F32, .row = {1, {IN}}}};
    (void)context, (void)source, (void)request, (void)arena, (void)diag;
    *schema = (SourceSchema){.fields = all, .field_count = 1};
    return true;
}

/* The first values of the first weight of a model that computes `layer` of x, f32[N, IN]. */
static float *first_values(const char *layer, uint64_t seed, int64_t *count) {
    char text[1024];
    snprintf(
        text, sizeof text,
        "mdl 1\ndata {\n source = mnist()\n field x = source.x\n}\nmodel m(x) -> y {\n y = %s\n}\n"
        "train {\n loss = mean(y)\n optimizer = sgd(0.1)\n}\n",
        layer);
    Diagnostics *diag = diag_new();
    ModelOptions options = {
        .path = "m.mdl", .text = text, .length = strlen(text), .schema = give_schema};
    Model *model = model_load(&options, diag);
    diag_print(diag, stderr);
    assert_non_null(model);
    Graph *graph = model_graph(model, GRAPH_PREDICT, 4, diag);
    assert_non_null(graph);
    const Symbol *weight = NULL;
    for (uint32_t i = 0; i < graph->symbol_count && !weight; i++)
        if (graph->symbols[i].trainable) weight = &graph->symbols[i];
    assert_non_null(weight);
    *count = shape_elements(weight->shape);
    float *values = malloc((size_t)*count * sizeof *values);
    assert_non_null(values);
    state_initialize(weight, seed, values);
    graph_free(graph);
    model_free(model);
    diag_free(diag);
    return values;
}

typedef struct {
    double mean, deviation, low, high;
} SampleMoments;

static SampleMoments moments_of(const float *values, int64_t count) {
    SampleMoments m = {.low = INFINITY, .high = -INFINITY};
    double squares = 0;
    for (int64_t i = 0; i < count; i++) m.mean += (double)values[i] / (double)count;
    for (int64_t i = 0; i < count; i++) {
        squares += ((double)values[i] - m.mean) * ((double)values[i] - m.mean);
        m.low = fmin(m.low, (double)values[i]);
        m.high = fmax(m.high, (double)values[i]);
    }
    m.deviation = sqrt(squares / (double)(count - 1));
    return m;
}

typedef enum { UNIFORM, NORMAL, CONSTANT } Distribution;

static void expect_moments(const char *layer, Distribution kind, double mean, double deviation) {
    int64_t count;
    float *values = first_values(layer, 7, &count);
    SampleMoments m = moments_of(values, count);
    free(values);
    double root = sqrt((double)count), reach = sqrt(3) * deviation;
    /* The variance of n numbers has itself the variance 2 d^4 / n if they are normally distributed,
     * and a smaller one if they are uniform. */
    if (fabs(m.mean - mean) > DEVIATIONS * deviation / root + 1e-12)
        fail_msg("%s: mean %g, expected %g", layer, m.mean, mean);
    if (fabs(m.deviation - deviation) > DEVIATIONS * deviation / root + 1e-12)
        fail_msg("%s: deviation %g, expected %g", layer, m.deviation, deviation);
    if (kind == CONSTANT && (m.low != mean || m.high != mean))
        fail_msg("%s: not %g everywhere", layer, mean);
    bool within = m.low >= mean - reach * 1.000001 && m.high <= mean + reach * 1.000001;
    bool fills = m.low < mean - 0.99 * reach && m.high > mean + 0.99 * reach;
    if (kind == UNIFORM && !(within && fills))
        fail_msg("%s: from %g to %g, expected +-%g around %g", layer, m.low, m.high, reach, mean);
    if (kind == NORMAL && (m.high < mean + 3 * deviation || m.low > mean - 3 * deviation))
        fail_msg("%s: no tails", layer);
}

static void values_are_spread_as_documented(void **state) {
    (void)state;
    double in = IN, glorot = sqrt(2.0 / (IN + OUT)), he = sqrt(2.0 / in),
           layer = 1 / sqrt(3.0 * in);
    expect_moments("x @ weight([300, 200], init = zeros)", CONSTANT, 0, 0);
    expect_moments("x @ weight([300, 200], init = ones)", CONSTANT, 1, 0);
    expect_moments("x @ weight([300, 200], init = -0.25)", CONSTANT, -0.25, 0);
    expect_moments("dense(x, 200, init = 1)", CONSTANT, 1, 0);
    expect_moments("x @ weight([300, 200], init = uniform(-0.5, 1.5))", UNIFORM, 0.5, 2 / sqrt(12));
    expect_moments("x @ weight([300, 200], init = normal(0.02))", NORMAL, 0, 0.02);
    expect_moments("x @ weight([300, 200], init = normal(2.0, mean = -3.0))", NORMAL, -3, 2);
    expect_moments("x @ weight([300, 200])", UNIFORM, 0, glorot);
    expect_moments("x @ weight([300, 200], init = glorot(gain = 2.0))", UNIFORM, 0, 2 * glorot);
    expect_moments("x @ weight([300, 200], init = glorot(normal = true))", NORMAL, 0, glorot);
    expect_moments("x @ weight([300, 200], init = he)", NORMAL, 0, he);
    expect_moments("x @ weight([300, 200], init = he(gain = 0.5, normal = false))", UNIFORM, 0,
                   0.5 * he);
    expect_moments("dense(x, 200)", UNIFORM, 0, layer);
    expect_moments("dense(x, 200, init = he)", NORMAL, 0, he);
}

/* The vectors along the shorter side have length `gain` and are orthogonal. */
static void expect_orthogonal(const char *layer, int rows, int columns, double gain) {
    int64_t count;
    float *w = first_values(layer, 3, &count);
    assert_int_equal(count, rows * columns);
    bool wide = columns > rows;
    int vectors = wide ? rows : columns, length = wide ? columns : rows;
    for (int a = 0; a < vectors; a++)
        for (int b = 0; b <= a; b++) {
            double product = 0;
            for (int i = 0; i < length; i++)
                product += (double)w[wide ? a * columns + i : i * columns + a] *
                           (double)w[wide ? b * columns + i : i * columns + b];
            if (fabs(product - (a == b) * gain * gain) > 1e-5)
                fail_msg("%s: vectors %d and %d have product %g", layer, a, b, product);
        }
    free(w);
}

static void orthogonal_is(void **state) {
    (void)state;
    expect_orthogonal("x @ weight([300, 40], init = orthogonal)", 300, 40, 1);
    expect_orthogonal("x @ transpose(weight([40, 300], init = orthogonal(gain = 1.5)))", 40, 300,
                      1.5);
    expect_orthogonal("x @ weight([300, 300], init = orthogonal)", 300, 300, 1);
}

static void seeds_differ(void **state) {
    (void)state;
    int64_t count;
    float *one = first_values("dense(x, 200)", 1, &count),
          *same = first_values("dense(x, 200)", 1, &count);
    float *other = first_values("dense(x, 200)", 2, &count);
    assert_memory_equal(one, same, (size_t)count * sizeof *one);
    assert_memory_not_equal(one, other, (size_t)count * sizeof *one);
    free(one);
    free(same);
    free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_spread_as_documented),
        cmocka_unit_test(orthogonal_is),
        cmocka_unit_test(seeds_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
