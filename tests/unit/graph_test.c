/* The graph: shape inference, folding, merging, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ir/ir.h"

#include <string.h>

typedef struct {
    Diagnostics *diag;
    Graph *graph;
} GraphFixture;

static int set_up(void **state) {
    static GraphFixture fixture;
    fixture.diag = diag_new();
    fixture.graph = graph_new("test", fixture.diag);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state) {
    GraphFixture *fixture = *state;
    graph_free(fixture->graph);
    diag_free(fixture->diag);
    return 0;
}

static Shape dims(int rank, int64_t a, int64_t b, int64_t c) {
    return shape_of(rank, (int64_t[]){a, b, c});
}

static NodeId input(Graph *graph, const char *name, Shape shape) {
    return graph_input(graph, SYMBOL_VALUE, name, DTYPE_F32, shape);
}

static void assert_shape(const Graph *graph, NodeId id, const char *expected) {
    char text[SHAPE_TEXT];
    assert_int_not_equal(id, NODE_NONE);
    assert_string_equal(
        shape_text(graph_node(graph, id)->dtype, graph_node(graph, id)->shape, text), expected);
}

static void equal_nodes_are_one(void **state) {
    Graph *graph = ((GraphFixture *)*state)->graph;
    NodeId a = input(graph, "a", dims(2, 2, 3, 0)), b = input(graph, "b", dims(2, 2, 3, 0));
    assert_int_equal(build_binary(graph, OP_add, a, b), build_binary(graph, OP_add, a, b));
    assert_int_not_equal(build_binary(graph, OP_add, a, b), build_binary(graph, OP_add, b, a));
    assert_int_not_equal(build_reduce(graph, OP_sum, a, 0, false),
                         build_reduce(graph, OP_sum, a, 1, false));
    assert_int_equal(input(graph, "a", dims(2, 2, 3, 0)), a);
}

static void constants_fold(void **state) {
    Graph *graph = ((GraphFixture *)*state)->graph;
    NodeId sum = build_binary(graph, OP_add, build_f32(graph, 2, (Shape){0}),
                              build_f32(graph, 0.5, dims(2, 4, 1, 0)));
    assert_int_equal(graph_node(graph, sum)->op, OP_constant);
    assert_true(graph_node(graph, sum)->attrs.value.f == 2.5f);
    assert_shape(graph, sum, "f32[4,1]");
    NodeId less = build_binary(graph, OP_lt, build_i32(graph, -3, (Shape){0}),
                               build_i32(graph, 4, (Shape){0}));
    assert_int_equal(graph_node(graph, less)->dtype, DTYPE_BOOL);
    assert_int_equal(graph_node(graph, less)->attrs.value.bits, 1);
}

static void shapes_are_inferred(void **state) {
    Graph *graph = ((GraphFixture *)*state)->graph;
    NodeId a = input(graph, "a", dims(3, 5, 2, 3)), b = input(graph, "b", dims(3, 5, 4, 3));
    assert_shape(graph, build_matmul(graph, a, b, false, true), "f32[5,2,4]");
    assert_shape(graph, build_transpose(graph, a, NULL), "f32[5,3,2]");
    assert_shape(graph, build_reduce(graph, OP_sum, a, 1, true), "f32[5,1,3]");
    assert_shape(graph, build_reduce_axes(graph, OP_sum, a, 5), "f32[2]");
    assert_shape(graph, build_reduce_axes(graph, OP_sum, a, 7), "f32[]");
    assert_shape(graph, build_concat(graph, (NodeId[]){a, b}, 2, 1), "f32[5,6,3]");
    int64_t start[] = {0, 0, 1}, stop[] = {5, 2, 3}, step[] = {2, 1, 1};
    assert_shape(graph, build_slice(graph, a, start, stop, step), "f32[3,2,2]");
}

static void wrong_operands_are_errors(void **state) {
    GraphFixture *fixture = *state;
    Graph *graph = fixture->graph;
    NodeId a = input(graph, "a", dims(2, 2, 3, 0)), b = input(graph, "b", dims(2, 4, 3, 0));
    assert_int_equal(build_binary(graph, OP_add, a, b), NODE_NONE);
    assert_int_equal(build_matmul(graph, a, b, false, false), NODE_NONE);
    assert_int_equal(build_reshape(graph, a, dims(1, 7, 0, 0)), NODE_NONE);
    assert_int_equal(build_reduce(graph, OP_sum, a, 2, false), NODE_NONE);
    assert_int_equal(build_binary(graph, OP_and, a, a), NODE_NONE);
    assert_int_equal(diag_errors(fixture->diag), 5);
    assert_int_equal(diag_status(fixture->diag), STATUS_MODEL);
    /* an operand without a node was reported before; it is not reported again */
    assert_int_equal(build_unary(graph, OP_neg, NODE_NONE), NODE_NONE);
    assert_int_equal(diag_errors(fixture->diag), 5);
}

static void too_large_is_an_error(void **state) {
    GraphFixture *fixture = *state;
    NodeId a = input(fixture->graph, "a", dims(2, 100000, 1, 0));
    assert_int_equal(build_broadcast(fixture->graph, a, dims(2, 100000, 100000, 0)), NODE_NONE);
    assert_int_equal(diag_errors(fixture->diag), 1);
}

static void passes_copy_graphs(void **state) {
    Graph *graph = ((GraphFixture *)*state)->graph;
    NodeId x = input(graph, "x", dims(1, 3, 0, 0));
    NodeId w = graph_state(graph, "w", DTYPE_F32, dims(1, 3, 0, 0), (Init){0}, true);
    build_unary(graph, OP_neg, w); /* dead */
    graph_update(graph, w, build_binary(graph, OP_sub, w, x));
    graph_output(graph, "y", build_binary(graph, OP_mul, w, x));
    bool *live = graph_live(graph);
    NodeId *map = arena_alloc(graph->arena, graph->node_count * sizeof *map);
    Graph *copy = graph_like(graph);
    for (NodeId id = 1; id < graph->node_count; id++)
        if (live[id]) map[id] = graph_copy_node(copy, graph, id, map);
    graph_finish(copy, graph, map);
    assert_int_equal(copy->node_count, graph->node_count - 1);
    assert_int_equal(graph_node(copy, copy->outputs[0].node)->op, OP_mul);
    assert_int_equal(graph_node(copy, graph_symbol(copy, "w")->update)->op, OP_sub);
    graph_free(copy);
}

static void names_near_each_other(void **state) {
    (void)state;
    const char *const names[] = {"relu", "sigmoid", "tanh"};
    assert_string_equal(diag_nearest("rleu", names, 3), "relu");
    assert_string_equal(diag_nearest("sigmod", names, 3), "sigmoid");
    assert_null(diag_nearest("xyz", names, 3));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {TEST(equal_nodes_are_one),   TEST(constants_fold),
                                       TEST(shapes_are_inferred),   TEST(wrong_operands_are_errors),
                                       TEST(too_large_is_an_error), TEST(passes_copy_graphs),
                                       TEST(names_near_each_other)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
