/* graph_in_order: the same computation built in another order gives the same text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ir/ir.h"
#include "tests/support/texts.h"

#include <stdlib.h>

/* exp(x) * 2 - neg(x), and the update of a state. If `backwards`, nodes that may come in any order
 * come in reverse order. */
static Graph *built(bool backwards, Diagnostics *diag) {
    Graph *graph = graph_new("order", diag);
    NodeId x = graph_input(graph, SYMBOL_VALUE, "x", DTYPE_F32, (Shape){0});
    graph_input(graph, SYMBOL_VALUE, "unused", DTYPE_F32, (Shape){0});
    NodeId w = graph_state(graph, "w", DTYPE_F32, (Shape){0}, (Init){0}, true);
    NodeId neg = backwards ? build_unary(graph, OP_neg, x) : NODE_NONE;
    NodeId two = backwards ? build_f32(graph, 2, (Shape){0}) : NODE_NONE;
    NodeId exp = build_unary(graph, OP_exp, x);
    if (!backwards) two = build_f32(graph, 2, (Shape){0});
    NodeId product = build_binary(graph, OP_mul, exp, two);
    if (!backwards) neg = build_unary(graph, OP_neg, x);
    graph_update(graph, w, build_binary(graph, OP_sub, w, neg));
    graph_output(graph, "y", build_binary(graph, OP_sub, product, neg));
    return graph;
}

static void test_building_order_does_not_show(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Graph *a = graph_in_order(built(false, diag), NULL, 0),
          *b = graph_in_order(built(true, diag), NULL, 0);
    assert_true(graph_verify(a) && graph_verify(b));
    char *text_a = graph_text(a), *text_b = graph_text(b);
    assert_string_equal(text_a, text_b);
    assert_true(graph_symbol(a, "unused")->node != NODE_NONE);
    assert_true(graph_symbol(a, "w")->update != NODE_NONE);
    free(text_a);
    free(text_b);
    graph_free(a);
    graph_free(b);
    diag_free(diag);
}

static void test_roots_decide(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Graph *graph = graph_new("roots", diag);
    NodeId x = graph_input(graph, SYMBOL_VALUE, "x", DTYPE_F32, (Shape){0});
    build_unary(graph, OP_abs, x);
    NodeId roots[] = {NODE_NONE, build_unary(graph, OP_neg, build_unary(graph, OP_exp, x)), x};
    graph_output(graph, "y", roots[1]);
    graph = graph_in_order(graph, roots, 3);
    assert_int_equal(graph->node_count, 1 + 3); /* without abs */
    assert_int_equal(graph_node(graph, graph->outputs[0].node)->op, OP_neg);
    graph_free(graph);
    diag_free(diag);
}

/* A chain of nodes that is too long for recursion. */
static void test_long_chain(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Graph *graph = graph_new("chain", diag);
    NodeId x = graph_input(graph, SYMBOL_VALUE, "x", DTYPE_F32, (Shape){0});
    for (int i = 0; i < 50000; i++) x = build_unary(graph, OP_exp, x);
    graph_output(graph, "y", x);
    graph = graph_in_order(graph, NULL, 0);
    assert_int_equal(graph->node_count, 1 + 50001);
    graph_free(graph);
    diag_free(diag);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_building_order_does_not_show),
        cmocka_unit_test(test_roots_decide),
        cmocka_unit_test(test_long_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
