/* Layers and functions that subtract a mean, on data whose mean is large beside its deviation.
 * Values and gradients in f32 are compared with the same graph in f64. A variance that is affected
 * by the rounding of the mean would exceed the bounds here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/model/model.h"
#include "ir/interp/interp.h"
#include "ir/ops/random.h"
#include "passes/passes.h"

enum { ROWS = 64, SEED = 5 };

/* "unit": row i is 1 at i. Its product with a weight gives the weight exactly, as the rows of a
 * batch. */
static bool give_schema(void *context, const DataSource *source, const SplitRequest *request,
                        Arena *arena, SourceSchema *schema, Diagnostics *diag) {
    static const SourceField unit = {.name = "unit", .dtype = DTYPE_U8, .row = {1, {ROWS}}};
    (void)context, (void)source, (void)request, (void)arena, (void)diag;
    *schema = (SourceSchema){.fields = &unit, .field_count = 1};
    return true;
}

/* The graph of y = layer(x) for x of f32[N, row]. After the first step of SGD, the momentum is the
 * gradient. */
static Graph *layer_graph(const char *row, const char *layer, Diagnostics *diag) {
    char text[2048];
    snprintf(
        text, sizeof text,
        "mdl 1\ndata {\n source = mnist()\n field unit = source.unit / 1\n}\n"
        "model net(unit) -> y {\n w = weight([%d, prod_of(%s)])\n x = reshape(unit @ w, [N] + %s)\n y = %s\n}\n"
        "def prod_of(sizes) -> p {\n p = 1\n for size in sizes { p = p * size }\n}\n"
        "train {\n loss = mean(y ** 3)\n optimizer = sgd(lr = 0.0, momentum = 0.9)\n batch = %d\n}\n",
        ROWS, row, row, layer, ROWS);
    ModelOptions options = {
        .path = "test.mdl", .text = text, .length = strlen(text), .schema = give_schema};
    Model *model = model_load(&options, diag);
    diag_print(diag, stderr);
    assert_non_null(model);
    Graph *graph = model_graph(model, GRAPH_TRAIN, ROWS, diag);
    model_free(model);
    Compilation compilation = {0};
    PassOptions pass_options = {.level = 2, .threads = 1};
    assert_true(passes_run(&compilation, graph, &pass_options, PASS_dce));
    return compilation.graph;
}

typedef struct {
    Graph *graph;
    Interp *interp;
    Precision precision;
} LayerRun;

static void write_value(const LayerRun *run, const char *name, const float *from, int64_t count) {
    const Symbol *symbol = graph_symbol(run->graph, name);
    void *to = interp_value(run->interp, symbol->node);
    for (int64_t i = 0; i < count; i++) {
        if (run->precision == INTERP_F64)
            ((double *)to)[i] = (double)from[i];
        else
            ((float *)to)[i] = from[i];
    }
}

static double element(const LayerRun *run, NodeId node, int64_t i) {
    const void *values = interp_value(run->interp, node);
    return run->precision == INTERP_F64 ? ((const double *)values)[i]
                                        : (double)((const float *)values)[i];
}

/* Normally distributed about the mean, rounded to f32. */
static float *drawn(int64_t count, double mean, double deviation) {
    float *values = malloc((size_t)count * sizeof *values);
    assert_non_null(values);
    for (int64_t i = 0; i < count; i++) {
        double sum = 0;
        for (uint32_t part = 0; part < 12; part++)
            sum += (double)random_unit(SEED, STREAM_INPUT, part, (uint64_t)i);
        values[i] = (float)(mean + deviation * (sum - 6));
    }
    return values;
}

static LayerRun run_layer(const char *row, const char *layer, double mean, double deviation,
                          Precision precision) {
    Diagnostics *diag = diag_new();
    LayerRun run = {layer_graph(row, layer, diag), NULL, precision};
    run.interp = interp_new(run.graph, precision);
    static uint8_t unit[ROWS][ROWS];
    for (int i = 0; i < ROWS; i++) unit[i][i] = 1;
    memcpy(interp_value(run.interp, graph_symbol(run.graph, "unit")->node), unit, sizeof unit);
    for (uint32_t i = 0; i < run.graph->symbol_count; i++) {
        const Symbol *symbol = &run.graph->symbols[i];
        int64_t count = shape_elements(symbol->shape);
        bool is_x = !strcmp(symbol->name, "w");
        float *values = drawn(count, is_x ? mean : 1, is_x ? deviation : 0);
        if (symbol->trainable) write_value(&run, symbol->name, values, count);
        free(values);
    }
    interp_run(run.interp);
    diag_free(diag);
    return run;
}

/* The largest difference between two values of the graph, relative to the largest element, or to
 * 1. */
static double difference(const LayerRun *got, NodeId a, const LayerRun *expected, NodeId b) {
    int64_t count = shape_elements(graph_node(got->graph, a)->shape);
    double most = 0, worst = 0;
    for (int64_t i = 0; i < count; i++) {
        most = fmax(most, fabs(element(expected, b, i)));
        worst = fmax(worst, fabs(element(got, a, i) - element(expected, b, i)));
        if (isnan(element(got, a, i))) return INFINITY;
    }
    return worst / fmax(most, 1);
}

static NodeId loss_of(const LayerRun *run) { return run->graph->outputs[0].node; }
static NodeId update_of(const LayerRun *run, const char *name) {
    return graph_symbol(run->graph, name)->update;
}

static void end_run(LayerRun *run) {
    interp_free(run->interp);
    graph_free(run->graph);
}

/* Deviations of a few ulp of the mean, of 1 / 100 and of 1; and data without a mean. */
static void compare_means(const char *row, const char *layer) {
    const struct {
        double mean, deviation;
    } data[] = {{0, 1},   {3, 1},     {1e4, 1e-2}, {-1e4, 1},
                {1e6, 1}, {1e6, 0.1}, {3e7, 8},    {1e-3, 1e-6}};
    for (size_t i = 0; i < sizeof data / sizeof *data; i++) {
        LayerRun got = run_layer(row, layer, data[i].mean, data[i].deviation, INTERP_F32),
                 expected = run_layer(row, layer, data[i].mean, data[i].deviation, INTERP_F64);
        double loss = difference(&got, loss_of(&got), &expected, loss_of(&expected));
        double gradient = difference(&got, update_of(&got, "sgd.momentum.w"), &expected,
                                     update_of(&expected, "sgd.momentum.w"));
        if (!(loss <= 2e-5) || !(gradient <= 2e-5))
            fail_msg("%s of %s about %g: loss wrong by %.3g, gradient by %.3g", layer, row,
                     data[i].mean, loss, gradient);
        end_run(&got);
        end_run(&expected);
    }
}

static void layer_norm_of_a_large_mean(void **state) {
    (void)state;
    compare_means("[24]", "layer_norm(x, eps = 1e-20)");
    compare_means("[5, 300]", "layer_norm(x, eps = 1e-20)");
    compare_means("[3000]", "layer_norm(x, eps = 1e-20)");
}

static void batch_norm_of_a_large_mean(void **state) {
    (void)state;
    compare_means("[5]", "batch_norm(x, eps = 1e-20)");
    compare_means("[3, 20, 9]", "batch_norm(x, eps = 1e-20)");
}

static void deviations_of_a_large_mean(void **state) {
    (void)state;
    compare_means("[30]", "distances(x) / std(x)");
    compare_means("[30]", "distances(x, axis = 0) / std(x, axis = 0)");
    compare_means(
        "[7, 50]",
        "distances(x, axis = [0, 2]) / sqrt(var(x, axis = [0, 2], keep = true, correction = 0))");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layer_norm_of_a_large_mean),
        cmocka_unit_test(batch_norm_of_a_large_mean),
        cmocka_unit_test(deviations_of_a_large_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
