/* Random graphs: they are valid, bounded, use every op, and survive being printed and read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/random_graph.h"
#include "tests/support/texts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 300, MAX_NODES = 800 };

static Graph *make(uint64_t seed, Diagnostics *diag) {
    Graph *graph = random_graph(seed, diag);
    diag_print(diag, stderr);
    if (diag_errors(diag)) fail_msg("seed %llu", (unsigned long long)seed);
    return graph;
}

static void graphs_are_valid_and_bounded(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        Diagnostics *diag = diag_new();
        Graph *graph = make(seed, diag);
        if (!graph_verify(graph)) fail_msg("seed %llu", (unsigned long long)seed);
        assert_true(graph->node_count < MAX_NODES);
        for (NodeId id = 1; id < graph->node_count; id++)
            assert_true(shape_elements(graph_node(graph, id)->shape) <= 65536);
        graph_free(graph);
        diag_free(diag);
    }
}

static void every_op_comes_up(void **state) {
    (void)state;
    int counts[OP_COUNT] = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        Diagnostics *diag = diag_new();
        Graph *graph = make(seed, diag);
        bool *live = graph_live(graph);
        for (NodeId id = 1; id < graph->node_count; id++)
            counts[graph_node(graph, id)->op] += live[id];
        graph_free(graph);
        diag_free(diag);
    }
    for (int op = 0; op < OP_COUNT; op++)
        if (counts[op] < 10) fail_msg("%s is live only %d times", op_name((Op)op), counts[op]);
}

static void the_seed_decides_everything(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Graph *first = make(7, diag), *again = make(7, diag), *other = make(8, diag);
    char *a = graph_text(first), *b = graph_text(again), *c = graph_text(other);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    free(a);
    free(b);
    free(c);
    graph_free(first);
    graph_free(again);
    graph_free(other);
    diag_free(diag);
}

static void printing_and_reading_change_nothing(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        Diagnostics *diag = diag_new();
        Graph *graph = make(seed, diag);
        char *text = graph_text(graph);
        Graph *again = graph_read("random.ir", text, strlen(text), diag);
        diag_print(diag, stderr);
        if (!again) fail_msg("seed %llu", (unsigned long long)seed);
        char *same = graph_text(again);
        assert_int_equal(again->node_count, graph->node_count);
        assert_string_equal(same, text);
        assert_true(graph_verify(again));
        free(same);
        free(text);
        graph_free(again);
        graph_free(graph);
        diag_free(diag);
    }
}

static void contents_fill_inputs(void **state) {
    (void)state;
    Symbol symbol = {.kind = SYMBOL_BATCH, .name = "x", .dtype = DTYPE_F32, .shape = {2, {3, 5}}};
    float *data = random_input(&symbol, 1);
    int finite = 0;
    for (int i = 0; i < RANDOM_DATA_ROWS * 5; i++)
        finite += isfinite(data[i]) && fabsf(data[i]) <= 2;
    assert_true(finite > RANDOM_DATA_ROWS * 5 * 9 / 10);
    free(data);
    int32_t *rows = random_rows(1, 0, 100);
    for (int i = 0; i < 100; i++) assert_in_range(rows[i], 0, RANDOM_DATA_ROWS - 1);
    free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(graphs_are_valid_and_bounded),
                                       cmocka_unit_test(every_op_comes_up),
                                       cmocka_unit_test(the_seed_decides_everything),
                                       cmocka_unit_test(printing_and_reading_change_nothing),
                                       cmocka_unit_test(contents_fill_inputs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
