/* Sums over gradients, bit for bit: over the batches or shares of a step (accumulate, replicas),
 * and over all elements of all gradients (clip_norm). SGD with a rate of 0 changes no weight, and
 * after one step from zeros its momentum is the gradient. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/model/model.h"
#include "ir/interp/interp.h"
#include "ir/interp/program.h"
#include "ir/ops/random.h"
#include "passes/passes.h"

enum { WIDTH = 3, ROWS = 4, LAST_ROWS = 3 };

static bool give_schema(void *context, const DataSource *source, const SplitRequest *request,
                        Arena *arena, SourceSchema *schema, Diagnostics *diag) {
    static const SourceField image = {.name = "image", .dtype = DTYPE_U8, .row = {1, {WIDTH}}};
    (void)context, (void)source, (void)request, (void)arena, (void)diag;
    *schema = (SourceSchema){.fields = &image, .field_count = 1};
    return true;
}

static Graph *train_graph(const char *network, const char *loss, const char *settings,
                          uint32_t rows) {
    char text[1024];
    snprintf(
        text, sizeof text,
        "mdl 1\ndata {\n source = mnist()\n field x = source.image / 255\n}\nmodel net(x) -> (y, z) {\n %s\n}\n"
        "train {\n loss = %s\n optimizer = sgd(lr = 0.0, momentum = 0.9)\n batch = %d\n %s\n}\n",
        network, loss, ROWS, settings);
    Diagnostics *diag = diag_new();
    ModelOptions options = {
        .path = "test.mdl", .text = text, .length = strlen(text), .schema = give_schema};
    Model *model = model_load(&options, diag);
    diag_print(diag, stderr);
    assert_non_null(model);
    Compilation compilation = {0};
    PassOptions pass_options = {.level = 2, .threads = 1};
    assert_true(passes_run(&compilation, model_graph(model, GRAPH_TRAIN, rows, diag), &pass_options,
                           PASS_dce));
    model_free(model);
    diag_free(diag);
    return compilation.graph;
}

typedef struct {
    Graph *graph;
    Interp *interp;
} GradientRun;

static GradientRun run_new(Graph *graph) {
    return (GradientRun){graph, interp_new(graph, INTERP_F32)};
}

static void run_free(GradientRun *run) {
    interp_free(run->interp);
    graph_free(run->graph);
}

static void *value_of(const GradientRun *run, const char *name) {
    const Symbol *symbol = graph_symbol(run->graph, name);
    return symbol && symbol->node ? interp_value(run->interp, symbol->node) : NULL;
}

static size_t bytes_of(const GradientRun *run, const char *name) {
    return interp_value_bytes(run->interp, graph_symbol(run->graph, name)->node);
}

static void draw(const GradientRun *run, const char *name, uint32_t number) {
    float *values = value_of(run, name);
    for (size_t i = 0; i < bytes_of(run, name) / sizeof *values; i++)
        values[i] = random_unit(9, STREAM_INPUT, number, i) - 0.5f;
}

/* -- accumulate and replicas -- */

static const char network[] = "w = weight([3])\n y = tanh(x * w)\n z = y";
static const char loss[] = "mean((y - 0.1) ** 2)";

static uint32_t rows_of(uint32_t batch, uint32_t batches) {
    return batch + 1 == batches ? LAST_ROWS : ROWS;
}

static void give_batch(const GradientRun *run, uint32_t batch, bool update) {
    uint8_t *image = value_of(run, "image");
    for (size_t i = 0; i < bytes_of(run, "image"); i++)
        image[i] = (uint8_t)random_bits(10, STREAM_INPUT, batch, i);
    int32_t *flag = value_of(run, INPUT_UPDATE);
    if (flag) *flag = update;
}

static void copy_states(const GradientRun *from, const GradientRun *to) {
    for (uint32_t i = 0; i < from->graph->symbol_count; i++) {
        const Symbol *symbol = &from->graph->symbols[i];
        if (symbol->kind == SYMBOL_STATE)
            memcpy(value_of(to, symbol->name), value_of(from, symbol->name),
                   bytes_of(from, symbol->name));
    }
}

/* The gradient of one batch. */
static void batch_gradient(uint32_t batch, uint32_t batches, float gradient[WIDTH]) {
    GradientRun run = run_new(train_graph(network, loss, "", rows_of(batch, batches)));
    draw(&run, "w", 0);
    give_batch(&run, batch, true);
    interp_run(run.interp);
    interp_update(run.interp);
    memcpy(gradient, value_of(&run, "sgd.momentum.w"), WIDTH * sizeof *gradient);
    run_free(&run);
}

/* Batches are added in pairs, then pairs of pairs, and so on. A sum without a partner moves up. */
static void expected_gradient(uint32_t batches, float gradient[WIDTH]) {
    float sums[16][WIDTH], rows = 0;
    for (uint32_t b = 0; b < batches; b++) {
        batch_gradient(b, batches, sums[b]);
        for (int i = 0; i < WIDTH; i++) sums[b][i] *= (float)rows_of(b, batches);
        rows += (float)rows_of(b, batches);
    }
    for (uint32_t count = batches; count > 1; count = (count + 1) / 2)
        for (uint32_t b = 0; 2 * b < count; b++)
            for (int i = 0; i < WIDTH; i++)
                sums[b][i] =
                    2 * b + 1 < count ? sums[2 * b][i] + sums[2 * b + 1][i] : sums[2 * b][i];
    for (int i = 0; i < WIDTH; i++) gradient[i] = sums[0][i] / rows;
}

/* Runs a group of `batches`, at most `accumulate`. `run` is the graph of full batches and `last`
 * that of the last one. */
static void step_group(const GradientRun *run, const GradientRun *last, uint32_t batches) {
    for (uint32_t b = 0; b < batches; b++) {
        bool ends = b + 1 == batches;
        if (ends) copy_states(run, last);
        give_batch(ends ? last : run, b, ends);
        interp_run(ends ? last->interp : run->interp);
        interp_update(ends ? last->interp : run->interp);
    }
    copy_states(last, run);
}

/* Seven batches make a step, or as many shares. */
static void assert_tree(const char *settings) {
    static const uint32_t groups[] = {7, 1, 2, 5, 3, 6, 4, 7};
    GradientRun run = run_new(train_graph(network, loss, settings, ROWS));
    GradientRun last = run_new(train_graph(network, loss, settings, LAST_ROWS));
    draw(&run, "w", 0);
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        float expected[WIDTH];
        memset(value_of(&run, "sgd.momentum.w"), 0, WIDTH * sizeof *expected);
        step_group(&run, &last, groups[g]);
        expected_gradient(groups[g], expected);
        assert_memory_equal(value_of(&run, "sgd.momentum.w"), expected, sizeof expected);
    }
    /* three levels are enough for seven batches or eight shares */
    assert_null(graph_symbol(run.graph, "accumulate.3.w"));
    run_free(&run);
    run_free(&last);
}

static void batches_are_added_by_a_tree(void **state) {
    (void)state;
    assert_tree("accumulate = 7");
}

static void shares_are_added_by_the_same_tree(void **state) {
    (void)state;
    assert_tree("accumulate = 2\n replicas = 4");
    assert_tree("accumulate = 4\n replicas = 2");
}

/* -- clip_norm -- */

static float sum_of_squares(const float *x, int count) {
    float partial[16] = {0};
    for (int i = 0; i < count; i++) partial[i % 16] += x[i] * x[i];
    for (int w = 8; w > 0; w /= 2)
        for (int l = 0; l < w; l++) partial[l] += partial[l + w];
    return partial[0];
}

enum { LONG = 10000, SHORT = 70, BLOCK = 4096 };

static void blocks_of_4096_are_added_in_order(void **state) {
    (void)state;
    GradientRun run = run_new(train_graph(
        "w = weight([70])\n c = state([70])\n v = weight([100, 100])\n d = state([100, 100])\n "
        "y = 0 * x + sum(w * c) + sum(v * d)\n z = x",
        "sum(y[0, 0:1])", "clip_norm = 0.5", ROWS));
    static float c[SHORT], d[LONG], sums[3];
    draw(&run, "c", 1);
    draw(&run, "d", 2);
    memcpy(c, value_of(&run, "c"), sizeof c);
    memcpy(d, value_of(&run, "d"), sizeof d);
    interp_run(run.interp);
    interp_update(run.interp);
    float total = sum_of_squares(c, SHORT), blocks = 0;
    for (int b = 0; b < 3; b++)
        sums[b] = sum_of_squares(d + b * BLOCK, b < 2 ? BLOCK : LONG - 2 * BLOCK);
    /* three numbers of the sixteen partial sums: 0 and 2 are added first */
    blocks = (sums[0] + sums[2]) + sums[1];
    float factor = 0.5f / (sqrtf(total + blocks) + 1e-6f);
    const float *got = value_of(&run, "sgd.momentum.v");
    for (int i = 0; i < LONG; i++) assert_true(got[i] == d[i] * factor);
    run_free(&run);
}

/* Gradients of 3 scale and 4 scale. */
static void clip(float scale, const char *limit, float results[2]) {
    char settings[64];
    snprintf(settings, sizeof settings, "clip_norm = %s", limit);
    GradientRun run = run_new(train_graph(
        "a = weight([1])\n b = weight([1])\n s = state([1])\n y = 0 * x + sum(3 * a * s) + sum(4 * b * s)\n z = x",
        "sum(y[0, 0:1])", settings, ROWS));
    *(float *)value_of(&run, "s") = scale;
    interp_run(run.interp);
    interp_update(run.interp);
    results[0] = *(float *)value_of(&run, "sgd.momentum.a");
    results[1] = *(float *)value_of(&run, "sgd.momentum.b");
    run_free(&run);
}

static bool near(float got, double expected) { return fabs((double)got / expected - 1) < 1e-5; }

/* The squares of all but three of these numbers overflow or vanish. */
static void squares_neither_overflow_nor_vanish(void **state) {
    (void)state;
    static const float scales[] = {1e-30f, 1e-25f, 1e-20f, 1e-3f, 1,
                                   1e3f,   1e20f,  1e25f,  1e30f, 1e36f};
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
        double norm = 5 * (double)scales[i], factor = fmin(1, 1 / (norm + 1e-6));
        float results[2];
        clip(scales[i], "1.0", results);
        if (!near(results[0], 0.6 * norm * factor) || !near(results[1], 0.8 * norm * factor))
            fail_msg("gradients of norm %g become %g and %g", norm, (double)results[0],
                     (double)results[1]);
    }
    float results[2];
    clip(1e-30f, "1e-36", results); /* a limit so small that its square vanishes */
    assert_true(near(results[0], 5e-30 * 0.6 * fmin(1, 1e-36 / (5e-30 + 1e-6))) || results[0] == 0);
    clip(INFINITY, "1.0", results);
    assert_true(isnan(results[0]) && isnan(results[1]));
    clip(NAN, "1.0", results);
    assert_true(isnan(results[0]) && isnan(results[1]));
    clip(0, "1.0", results);
    assert_true(results[0] == 0 && results[1] == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_are_added_by_a_tree),
        cmocka_unit_test(shares_are_added_by_the_same_tree),
        cmocka_unit_test(blocks_of_4096_are_added_in_order),
        cmocka_unit_test(squares_neither_overflow_nor_vanish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
