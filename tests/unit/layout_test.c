/* Layouts: the first use of a weight decides its form, optimizer states have the form of their
 * weight, and tiles run along contiguous columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/mlp_graph.h"
#include "tests/support/plan_fixture.h"

#include <stdlib.h>
#include <string.h>

static Shape matrix(int64_t rows, int64_t columns) {
    return shape_of(2, (int64_t[]){rows, columns});
}
static NodeId input(const char *name, Shape shape) {
    return graph_input(graph, SYMBOL_BATCH, name, DTYPE_F32, shape);
}
static NodeId weight(const char *name, Shape shape) {
    return graph_state(graph, name, DTYPE_F32, shape, (Init){0}, true);
}

/* How many forms a state has; *primary is the index of the first. */
static uint32_t count_forms(const Plan *plan, const char *name, uint32_t *primary) {
    uint32_t count = 0;
    for (uint32_t s = 0; s < plan->state_count; s++)
        if (!strcmp(plan->graph->symbols[plan->states[s].symbol].name, name) && count++ == 0)
            *primary = s;
    return count;
}

static void assert_primary(const Plan *plan, const char *name, uint32_t forms, Layout layout) {
    uint32_t primary = 0;
    assert_int_equal(count_forms(plan, name, &primary), forms);
    assert_true(layout_equal(plan->states[primary].layout, layout));
}

static const Kernel *only_product(const Plan *plan) {
    const Kernel *found = NULL;
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        if (plan->kernels[k].kind != KERNEL_MATMUL) continue;
        assert_null(found);
        found = &plan->kernels[k];
    }
    assert_non_null(found);
    return found;
}

static const Layout along_rows = {.kind = LAYOUT_PANEL, .axis = 0, .width = 32},
                    along_columns = {.kind = LAYOUT_PANEL, .axis = 1, .width = 32}, plain = {0};

/* x @ w^T: the product's columns run along the rows of w */
static void a_dense_weight_has_panels_along_its_outputs(void **state) {
    (void)state;
    graph_output(graph, "y",
                 build_matmul(graph, input("x", matrix(64, 100)), weight("w", matrix(40, 100)),
                              false, true));
    const Plan *plan = compile();
    assert_primary(plan, "w", 1, along_rows);
    assert_false(only_product(plan)->product.swapped);
    assert_true(layout_equal(only_product(plan)->product.right.layout, along_rows));
}

static void a_plain_product_has_panels_along_columns(void **state) {
    (void)state;
    graph_output(graph, "y",
                 build_matmul(graph, input("x", matrix(64, 100)), weight("w", matrix(100, 40)),
                              false, false));
    assert_primary(compile(), "w", 1, along_columns);
}

static void narrow_weights_have_narrow_panels(void **state) {
    (void)state;
    graph_output(graph, "y",
                 build_matmul(graph, input("x", matrix(64, 100)), weight("w", matrix(10, 100)),
                              false, true));
    const Plan *plan = compile();
    assert_primary(plan, "w", 1, (Layout){.kind = LAYOUT_PANEL, .axis = 0, .width = 16});
    assert_int_equal(layout_bytes(plan->states[0].layout, DTYPE_F32, matrix(10, 100)),
                     16 * 100 * 4);
}

/* An encoder and a decoder that share their weight read it both ways: it is kept in two forms. */
static void a_weight_used_both_ways_has_two_forms(void **state) {
    (void)state;
    NodeId w = weight("w", matrix(128, 64)),
           z = build_matmul(graph, input("x", matrix(64, 128)), w, false, false);
    graph_output(graph, "y", build_matmul(graph, z, w, false, true));
    graph_update(graph, w, build_unary(graph, OP_neg, w));
    const Plan *plan = compile();
    assert_primary(plan, "w", 2, along_columns);
    assert_true(layout_equal(plan->states[1].layout, along_rows));
}

static void other_states_stay_plain(void **state) {
    (void)state;
    NodeId b = weight("b", matrix(64, 64)),
           t = graph_state(graph, "t", DTYPE_I32, matrix(64, 64), (Init){0}, false);
    graph_update(graph, b, build_unary(graph, OP_neg, b));
    graph_update(graph, t, build_unary(graph, OP_neg, t));
    const Plan *plan = compile();
    assert_primary(plan, "b", 1, plain);
    assert_primary(plan, "t", 1, plain);
}

static void external_gemm_reads_plain_states(void **state) {
    (void)state;
    graph_output(graph, "y",
                 build_matmul(graph, input("x", matrix(64, 100)), weight("w", matrix(40, 100)),
                              false, true));
    assert_primary(compile_with((PassOptions){.level = 2, .external_gemm = true}), "w", 1, plain);
}

/* w @ x: the weight is on the left, and its rows are the product's rows. Either axis would do, so
 * no second form is needed. */
static void a_weight_on_the_left_has_one_form(void **state) {
    (void)state;
    graph_output(graph, "y",
                 build_matmul(graph, weight("w", matrix(40, 100)), input("x", matrix(100, 64)),
                              false, false));
    const Plan *plan = compile();
    assert_primary(plan, "w", 1, along_rows);
    assert_false(only_product(plan)->product.swapped);
}

/* A weight gradient's tile runs along the panels of the weight, although its left operand has to be
 * read by columns then. */
static void weight_gradients_are_swapped(void **state) {
    (void)state;
    graph_free(graph);
    graph = mlp_graph_mnist(diag);
    const Plan *plan = compile();
    uint32_t swapped = 0;
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        const Kernel *kernel = &plan->kernels[k];
        swapped += kernel->product.swapped;
        if (kernel->product.swapped)
            assert_true(kernel->stores[0].to.kind == STORAGE_STATE &&
                        kernel->stores[0].to.layout.axis == 0);
    }
    assert_int_equal(swapped, 4);
    assert_primary(plan, "w0", 1, along_rows);
    assert_primary(plan, "w1", 2, along_rows);
    assert_primary(plan, "w_m1", 1, along_rows);
    assert_primary(plan, "w_v3", 1, (Layout){.kind = LAYOUT_PANEL, .axis = 0, .width = 16});
    assert_primary(plan, "b1", 1, plain);
}

/* The product of computed pictures (relu) and filters of 3 by 3. */
static void add_conv(int64_t images, int64_t channels, int64_t width, int64_t filters) {
    NodeId x = input("x", shape_of(4, (int64_t[]){images, channels, 16, width}));
    NodeId w = weight("w", shape_of(4, (int64_t[]){filters, channels, 3, 3}));
    Window window = {{3, 3}, {1, 1}, {1, 1}};
    graph_output(graph, "y", build_conv(graph, build_unary(graph, OP_relu, x), w, &window, 1));
}

static const Plan *compile_conv(int64_t channels, int64_t width, int64_t filters) {
    add_conv(2, channels, width, filters);
    return compile();
}

static int64_t pixel_step(const Plan *plan) {
    return windows_image(plan->graph, graph_node(plan->graph, only_product(plan)->product.windows))
        .pixel;
}

/* The tile runs along the windows. They are neighbours in a copy with the channels first. */
static void few_filters_run_along_windows(void **state) {
    (void)state;
    const Plan *plan = compile_conv(4, 16, 6);
    assert_true(only_product(plan)->product.swapped);
    assert_int_equal(pixel_step(plan), 1);
}

static void one_channel_needs_no_copy(void **state) {
    (void)state;
    const Plan *plan = compile_conv(1, 16, 6);
    assert_true(only_product(plan)->product.swapped);
    assert_int_equal(
        graph_node(plan->graph, kernel_operand(plan, only_product(plan), 0))->shape.dim[3], 1);
}

static void many_filters_run_along_themselves(void **state) {
    (void)state;
    const Plan *plan = compile_conv(4, 16, 12);
    assert_false(only_product(plan)->product.swapped);
    assert_int_equal(pixel_step(plan), 4);
}

/* Tiles along rows of six windows would leave more lanes empty. */
static void few_filters_of_narrow_pictures_stay(void **state) {
    (void)state;
    assert_false(only_product(compile_conv(4, 8, 6))->product.swapped);
}

static bool runs_along_images(const Plan *plan) {
    const Kernel *product = only_product(plan);
    return product->product.swapped &&
           windows_image(graph, graph_node(graph, product->product.windows)).images_adjoin;
}

/* The tile runs along whole vectors of images, which are neighbours in a copy. */
static void few_filters_run_along_images(void **state) {
    (void)state;
    add_conv(64, 4, 9, 6);
    const Plan *plan = compile();
    graph = compilation.graph;
    assert_true(runs_along_images(plan));
    assert_int_equal(pixel_step(plan), 4 * 64);
}

/* Too few images, filters or channels; too many filters; results that do not fit the stack; a GPU. */
static void others_do_not_run_along_images(void **state) {
    (void)state;
    const struct {
        int64_t images, channels, width, filters;
        bool on_gpu;
    } cases[] = {{48, 4, 16, 6, false}, {32, 4, 16, 3, false},     {32, 1, 16, 6, false},
                 {32, 4, 16, 9, false}, {32, 4, 64 + 3, 8, false}, {32, 4, 16, 6, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (i) { /* the graph before belongs to its compilation */
            tear_down(state);
            set_up(state);
        }
        add_conv(cases[i].images, cases[i].channels, cases[i].width, cases[i].filters);
        const Plan *plan =
            compile_with((PassOptions){.level = 2, .threads = 2, .on_gpu = cases[i].on_gpu});
        graph = compilation.graph;
        assert_false(runs_along_images(plan));
    }
}

/* Weights are shared between the graphs of a model: their primary forms must be the same in all. */
static void training_and_evaluation_agree(void **state) {
    (void)state;
    const int64_t widths[] = {100, 60, 40, 10};
    Layout primary[3];
    for (int variant = 0; variant < 4; variant++) {
        graph_free(graph);
        graph = mlp_graph(&(MlpShape){variant == 1 ? 1 : 32, widths, 3, variant < 2}, diag);
        const Plan *plan = compile();
        for (int layer = 0; layer < 3; layer++) {
            char name[] = {'w', (char)('0' + layer), 0};
            uint32_t state_index = 0;
            count_forms(plan, name, &state_index);
            if (variant == 0) primary[layer] = plan->states[state_index].layout;
            assert_true(layout_equal(primary[layer], plan->states[state_index].layout));
        }
        graph = NULL;
        compilation_free(&compilation);
        compilation = (Compilation){0};
    }
}

/* Without vectors, panels are as wide as the code computes columns, at most 8, and all the same. A
 * second product along the other axis reads the same form. */
static void without_vectors_a_weight_has_one_narrow_form(void **state) {
    (void)state;
    NodeId w = weight("w", matrix(33, 100));
    graph_output(graph, "y", build_matmul(graph, input("x", matrix(64, 100)), w, false, true));
    graph_output(graph, "z", build_matmul(graph, input("v", matrix(64, 33)), w, false, false));
    const Plan *plan = compile_with((PassOptions){.level = 2, .no_vectors = true});
    assert_primary(plan, "w", 1, (Layout){.kind = LAYOUT_PANEL, .axis = 0, .width = 7});
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_dense_weight_has_panels_along_its_outputs),
        TEST(a_plain_product_has_panels_along_columns),
        TEST(narrow_weights_have_narrow_panels),
        TEST(a_weight_used_both_ways_has_two_forms),
        TEST(other_states_stay_plain),
        TEST(external_gemm_reads_plain_states),
        TEST(a_weight_on_the_left_has_one_form),
        TEST(weight_gradients_are_swapped),
        TEST(without_vectors_a_weight_has_one_narrow_form),
        TEST(few_filters_run_along_windows),
        TEST(one_channel_needs_no_copy),
        TEST(many_filters_run_along_themselves),
        TEST(few_filters_of_narrow_pictures_stay),
        TEST(few_filters_run_along_images),
        TEST(others_do_not_run_along_images),
        TEST(training_and_evaluation_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
