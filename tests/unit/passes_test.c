/* The driver of passes: which passes run at which level and in which order, and errors about wrong
 * requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "passes/passes.h"

#include <string.h>

/* Every graph pass finds something to do in this graph. One node is dead once x * 1 has become
 * x. */
static Graph *small_graph(Diagnostics *diag) {
    Graph *graph = graph_new("small", diag);
    Shape shape = shape_of(1, (int64_t[]){4});
    NodeId x = graph_input(graph, SYMBOL_VALUE, "x", DTYPE_F32, shape);
    NodeId same = build_binary(graph, OP_mul, x, build_f32(graph, 1, shape));
    NodeId y =
        build_reduce(graph, OP_sum, build_axiswise(graph, OP_log_softmax, same, 0), 0, false);
    graph_output(graph, "slope", build_grad(graph, y, x));
    return graph;
}

static bool has_op(const Graph *graph, Op op) {
    for (NodeId id = 1; id < graph->node_count; id++)
        if (graph_node(graph, id)->op == op) return true;
    return false;
}

/* Runs the graph passes of a level up to `last` and returns the graph. */
static Graph *run(const PassOptions *options, PassId last, Diagnostics *diag) {
    Compilation compilation;
    assert_true(passes_run(&compilation, small_graph(diag), options, last));
    assert_null(compilation.plan);
    return compilation.graph;
}

static void test_names(void **state) {
    (void)state;
    for (PassId pass = 0; pass < PASS_COUNT; pass++) {
        PassId found;
        assert_true(pass_from_name(pass_name(pass), &found));
        assert_int_equal(found, pass);
        assert_true(strlen(pass_doc(pass)) > 0);
    }
    PassId found;
    assert_false(pass_from_name("grad", &found));
    assert_string_equal(pass_name(PASS_gradients), "gradients");
}

static void test_facts(void **state) {
    (void)state;
    assert_true(pass_is_mandatory(PASS_gradients) && pass_level(PASS_gradients) == 0 &&
                !pass_makes_plan(PASS_gradients));
    assert_true(!pass_is_mandatory(PASS_simplify) && pass_level(PASS_simplify) == 1);
    assert_true(pass_is_mandatory(PASS_fuse) && pass_makes_plan(PASS_fuse));
    assert_true(pass_level(PASS_layout) == 2 && pass_makes_plan(PASS_layout));
}

static void test_each_pass_removes_its_ops(void **state) {
    (void)state;
    static const struct {
        PassId last;
        bool grad, log_softmax, log1p;
    } after[] = {{PASS_gradients, false, true, false},
                 {PASS_expand, false, false, true},
                 {PASS_functions, false, false, false}};
    for (size_t i = 0; i < sizeof after / sizeof *after; i++) {
        Diagnostics *diag = diag_new();
        Graph *graph = run(&(PassOptions){0}, after[i].last, diag);
        assert_true(has_op(graph, OP_grad) == after[i].grad);
        assert_true(has_op(graph, OP_log_softmax) == after[i].log_softmax);
        assert_true(has_op(graph, OP_log1p) == after[i].log1p);
        graph_free(graph);
        diag_free(diag);
    }
}

static void test_levels_and_skip(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Graph *plain = run(&(PassOptions){.level = 0}, PASS_dce, diag);
    Graph *better = run(&(PassOptions){.level = 1}, PASS_dce, diag);
    Graph *skipped = run(&(PassOptions){.level = 1, .skip = 1u << PASS_simplify | 1u << PASS_dce},
                         PASS_dce, diag);
    Graph *stubborn = run(&(PassOptions){.level = 1, .skip = ~0u}, PASS_functions, diag);
    assert_true(better->node_count < plain->node_count);
    assert_int_equal(skipped->node_count, plain->node_count);
    assert_false(has_op(stubborn, OP_grad));
    graph_free(plain);
    graph_free(better);
    graph_free(skipped);
    graph_free(stubborn);
    diag_free(diag);
}

/* Only mandatory passes have to run: without dce, dead nodes and inputs stay. */
static void test_dce(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Graph *graph = graph_new("dead", diag);
    NodeId x = graph_input(graph, SYMBOL_VALUE, "x", DTYPE_F32, (Shape){0});
    graph_input(graph, SYMBOL_VALUE, "unused", DTYPE_F32, (Shape){0});
    NodeId w = graph_state(graph, "w", DTYPE_F32, (Shape){0}, (Init){0}, true);
    build_unary(graph, OP_neg, x);
    graph_update(graph, w, build_unary(graph, OP_abs, x));
    Compilation compilation = {.graph = graph};
    assert_true(pass_run(PASS_dce, &compilation, &(PassOptions){0}));
    assert_false(has_op(compilation.graph, OP_neg));
    assert_true(has_op(compilation.graph, OP_abs));
    assert_int_equal(compilation.graph->node_count, 1 + 4);
    assert_true(graph_symbol(compilation.graph, "unused")->node != NODE_NONE);
    compilation_free(&compilation);
    diag_free(diag);
}

static void test_plan_pass_needs_a_plan(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Compilation compilation = {.graph = small_graph(diag)};
    assert_false(pass_run(PASS_plan, &compilation, &(PassOptions){0}));
    assert_int_equal(diag_status(diag), STATUS_USAGE);
    compilation_free(&compilation);
    diag_free(diag);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_each_pass_removes_its_ops),
        cmocka_unit_test(test_levels_and_skip),
        cmocka_unit_test(test_dce),
        cmocka_unit_test(test_plan_pass_needs_a_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
