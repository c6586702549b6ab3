/* The text form of graphs: a printed graph reads back as the same graph, and errors in a text show
 * their place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ir/ir.h"
#include "tests/support/texts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static Graph *read_text(Diagnostics *diag, const char *text) {
    return graph_read("test.ir", text, strlen(text), diag);
}

static void expect_round_trip(const char *text) {
    Diagnostics *diag = diag_new();
    Graph *graph = read_text(diag, text);
    if (!graph) diag_print(diag, stderr);
    assert_non_null(graph);
    assert_true(graph_verify(graph));
    char *again = graph_text(graph);
    assert_string_equal(again, text);
    free(again);
    graph_free(graph);
    diag_free(diag);
}

/* Checks that the messages about a wrong text contain all of `parts`, in order. */
static void expect_errors(const char *text, size_t length, const char *const *parts) {
    Diagnostics *diag = diag_new();
    assert_null(graph_read("test.ir", text, length, diag));
    assert_int_equal(diag_status(diag), STATUS_MODEL);
    char *messages = diag_text(diag);
    const char *at = messages;
    for (; *parts; parts++) {
        at = strstr(at, *parts);
        if (!at) fail_msg("'%s' is not in its place in:\n%s", *parts, messages);
        at += strlen(*parts);
    }
    free(messages);
    diag_free(diag);
}
#define HEAD "mlc-ir 1\ngraph \"t\"\n"
#define ERRORS(text, ...)                                                                          \
    expect_errors(text, sizeof(text) - 1, (const char *const[]){__VA_ARGS__, NULL})

static void every_kind_of_attribute(void **state) {
    (void)state;
    expect_round_trip(
        "mlc-ir 1\n"
        "graph \"mlp.train\"\n"
        "%1 = input u8[4,1,2,3] batch \"image\"\n"
        "%2 = input i32[] value \"step\"\n"
        "%3 = state f32[5,6] trainable \"dense1.weight\" uniform(-0.40824828, 0.40824828)\n"
        "%4 = state f32[5,6] \"adam.m.dense1.weight\" constant(0)\n"
        "%5 = state f32[6] \"n\" normal(0, 0.02)\n"
        "%6 = state f32[6,6] \"o\" orthogonal(1.5)\n"
        "%7 = constant f32[4,6] 255\n"
        "%8 = iota i32[4,6] axis=1\n"
        "%9 = reshape u8[4,6] %1\n"
        "%10 = convert f32[4,6] %9\n"
        "%11 = div f32[4,6] %10 %7\n"
        "%12 = matmul f32[4,5] %11 %3 transpose_b\n"
        "%13 = transpose f32[6,4] %11 perm=[1,0]\n"
        "%14 = slice f32[2,2] %13 start=[0,1] stop=[6,3] step=[4,1]\n"
        "%15 = pad f32[3,2] %14 before=[1,0] after=[0,0]\n"
        "%16 = concat f32[5,2] %15 %14 axis=0\n"
        "%17 = sum f32[2] %16 axis=0\n"
        "%18 = sum f32[] %17 axis=0\n"
        "%19 = grad f32[5,6] %18 %3\n"
        "%20 = softmax f32[4,5] %12 axis=1\n"
        "output \"loss\" %18\n"
        "output \"p\" %20\n"
        "update %3 %19\n"
        "update %4 %3\n");
}

static void constants_of_every_type(void **state) {
    (void)state;
    expect_round_trip(HEAD "%1 = constant f32[] -0\n"
                           "%2 = constant f32[] nan\n"
                           "%3 = constant f32[] -inf\n"
                           "%4 = constant f32[2] 0.1\n"
                           "%5 = constant f32[] 1e-45\n"
                           "%6 = constant f32[] 3.4028235e+38\n"
                           "%7 = constant f32[] 16777216\n"
                           "%8 = constant i32[] -2147483648\n"
                           "%9 = constant u8[3] 255\n"
                           "%10 = constant bool[] true\n"
                           "%11 = constant bool[] false\n"
                           "output \"a\" %1\n");
}

static void floats_are_shortest_and_exact(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Graph *graph = graph_new("t", diag);
    for (uint64_t i = 0; i < 300; i++)
        build_constant(graph, (TensorType){DTYPE_F32, {0}}, random_bits(5, STREAM_INPUT, 0, i));
    char *text = graph_text(graph);
    Graph *again = read_text(diag, text);
    assert_non_null(again);
    assert_int_equal(again->node_count, graph->node_count);
    for (NodeId id = 1; id < graph->node_count; id++)
        assert_int_equal(graph_node(again, id)->attrs.value.bits,
                         graph_node(graph, id)->attrs.value.bits);
    free(text);
    graph_free(again);
    graph_free(graph);
    diag_free(diag);
}

static void names_are_escaped(void **state) {
    (void)state;
    expect_round_trip(
        "mlc-ir 1\ngraph \"a\\\"b\\\\c\\x01\\x0a\xc3\xa4\"\n%1 = input f32[] value \"\\x7f\"\noutput \"\" %1\n");
}

static void comments_and_gaps_are_read(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Graph *graph = read_text(
        diag, "# a graph\n\nmlc-ir 1 # version\r\n\tgraph \"t\"\n%70 = constant f32[] 2\n"
              "%9 = constant f32[] 3 # folds with\n%10=add f32[] %9 %70\noutput \"x\" %10");
    assert_non_null(graph);
    assert_true(graph_node(graph, graph->outputs[0].node)->attrs.value.f == 5);
    const char *name;
    uint32_t line, column;
    assert_true(diag_locate(diag, graph_node(graph, 1)->span, &name, &line, &column));
    assert_int_equal(line, 5);
    graph_free(graph);
    diag_free(diag);
}

static void heads_are_checked(void **state) {
    (void)state;
    ERRORS("", "ends where mlc-ir should be");
    ERRORS("mlc-ir 2\ngraph \"t\"\n", "test.ir:1:8", "version 1");
    ERRORS("mlc-ir 1\n%1 = constant f32[] 1\n", "test.ir:2:1", "expected graph");
    ERRORS("mlc-ir 1\ngraph t\n", "expected a name in double quotes");
}

static void wrong_words_get_suggestions(void **state) {
    (void)state;
    ERRORS(
        HEAD
        "%1 = input f32[2] value \"x\"\n%2 = sqr f32[2] %1\n%3 = neg f23[2] %1\n%4 = state f32[2] \"w\" unifrom(0,1)\n",
        "test.ir:4:6: error: 'sqr' is not an op", "%2 = sqr", "^~~", "did you mean 'sqrt'?",
        "test.ir:5:10: error: 'f23' is not a type", "did you mean 'f32'?",
        "did you mean 'uniform'?");
}

static void wrong_types_show_the_right_one(void **state) {
    (void)state;
    ERRORS(
        HEAD
        "%1 = input f32[2,3] value \"x\"\n%2 = sum f32[3] %1 axis=1\n%3 = add f32[2,3] %1 %2\n%4 = sum f32[] %1 axis=5\n",
        "test.ir:4:10: error: the result of sum is f32[2]",
        "test.ir:6:1: error: sum of f32[2,3]: no such axis");
}

static void wrong_ids(void **state) {
    (void)state;
    ERRORS(
        HEAD
        "%1 = neg f32[] %2\n%1 = constant f32[] 1\n%100001 = constant f32[] 2\n%0 = constant f32[] 2\nneg\n%x = 1\n",
        "test.ir:3:16: error: %2 is not defined before this line",
        "test.ir:4:1: error: %1 is defined twice", "test.ir:5:1", "test.ir:6:1",
        "test.ir:7:1: error: expected a node", "test.ir:8:1: error: a character");
}

static void a_wrong_node_is_one_error(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    assert_null(read_text(
        diag, HEAD
        "%1 = neg f32[] %7\n%2 = neg f32[] %1\n%3 = pad f32[] %2 before=[] after=[]\noutput \"x\" %3\n"));
    assert_int_equal(diag_errors(diag), 1);
    diag_free(diag);
}

static void limits_are_errors(void **state) {
    (void)state;
    ERRORS(HEAD "%1 = constant f32[4294967296] 1\n", "must be between 1 and 2147483648");
    ERRORS(HEAD "%1 = constant f32[65536,65536] 1\n",
           "test.ir:3:25: error: the number must be between 1 and 32768");
    ERRORS(HEAD "%1 = constant f32[1,1,1,1,1,1,1] 1\n", "at most 6 axes");
    ERRORS(HEAD "%1 = constant f32[] 1e99\n", "too large for f32");
    ERRORS(HEAD "%1 = constant i32[] 2147483648\n", "must be between");
    ERRORS(HEAD "%1 = iota i32[2] axis=256\n", "must be between 0 and 5");
    ERRORS(
        HEAD
        "%1 = input f32[2] value \"x\"\n%2 = slice f32[1] %1 start=[0] stop=[1] step=[9223372036854775807]\n",
        "must be between");
    ERRORS(HEAD "%1 = input f32[2] value \"x\"\n%2 = reshape f32[2,2] %1\n",
           "another number of elements");
}

static void attributes_are_checked(void **state) {
    (void)state;
    ERRORS(
        HEAD
        "%1 = input f32[2,2] value \"x\"\n%2 = transpose f32[2,2] %1 perm=[0]\n%3 = transpose f32[2,2] %1 perm=[0,0]\n"
        "%4 = sum f32[2] %1\n%5 = neg f32[2,2] %1 axis=1\n%6 = constant bool[] 1\n%7 = constant u8[] 256\n",
        "expected ','", "test.ir:5", "name every axis once", "test.ir:6",
        "ends where axis should be", "test.ir:7", "expected the end of the line",
        "expected true or false", "between 0 and 255");
}

static void operands_are_counted(void **state) {
    (void)state;
    ERRORS(
        HEAD
        "%1 = input f32[2] value \"x\"\n%2 = add f32[2] %1\n%3 = neg f32[2]\n%4 = concat f32[2] axis=0\n",
        "test.ir:4:1: error: add of f32[2]: it takes 2 operands, not 1",
        "neg of nothing: it takes 1 operand, not 0", "it takes at least 1 operand");
}

static void symbols_and_results_are_checked(void **state) {
    (void)state;
    ERRORS(
        HEAD
        "%1 = input f32[] batch \"x\"\n%2 = state i32[2] \"s\" uniform(0, 1)\n%3 = state i32[2] \"s\" constant(0)\n"
        "%4 = state i32[2] \"s\" constant(1)\n%5 = constant f32[2] 1\nupdate %3 %5\nupdate %5 %5\noutput \"a\" "
        "%3\noutput \"a\" %5\n"
        "update %3 %3\nupdate %3 %3\noutput \"b\"\n",
        "a batch has at least one axis", "only an f32 state", "'s' is already the name",
        "the state is i32[2], its update f32[2]", "only a state can be updated",
        "already an output 'a'", "updated twice", "ends where");
}

static void strange_bytes_are_errors(void **state) {
    (void)state;
    ERRORS(HEAD "%1 = constant f32[] \0\n", "means nothing here");
    ERRORS("mlc-ir 1\ngraph \"t\0\"\n", "without its closing quote");
    ERRORS("mlc-ir 1\ngraph \"t\\q\"\n", "stand for a character");
    ERRORS("mlc-ir 1\ngraph \"t\\x00\"\n", "stand for a character");
    ERRORS("mlc-ir 1\ngraph \"t", "without its closing quote");
}

static void too_long_a_text_is_an_error(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    assert_null(graph_read("big.ir", "", (size_t)17 << 20, diag));
    assert_int_equal(diag_errors(diag), 1);
    diag_free(diag);
}

static void pictures_show_nodes_and_symbols(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Graph *graph = read_text(
        diag, HEAD "%1 = state f32[2] trainable \"w\\\"\" constant(1)\n%2 = constant f32[2] 0.5\n"
                   "%3 = mul f32[2] %1 %2\noutput \"y\" %3\nupdate %1 %2\n");
    char *dot = graph_dot_text(graph);
    assert_non_null(strstr(dot, "digraph \"t\" {"));
    assert_non_null(strstr(dot, "w\\\"\\nf32[2]\", shape=cylinder"));
    assert_non_null(strstr(dot, "%3 mul\\noperand 2: 0.5\\nf32[2]"));
    assert_non_null(strstr(dot, "n1 -> n3;"));
    assert_null(strstr(dot, "n2 -> n3;"));
    assert_non_null(strstr(dot, "n2 -> n1 [style=dashed"));
    free(dot);
    graph_free(graph);
    diag_free(diag);
}

/* graph_verify prints its findings to stderr. A graph that is damaged in one place must give
 * one. */
static void damage_is_found(void **state) {
    (void)state;
    static const NodeId itself[] = {2}, two[] = {1, 2};
    for (int damage = 0; damage < 9; damage++) {
        Diagnostics *diag = diag_new();
        Graph *graph = read_text(
            diag, HEAD
            "%1 = state f32[2] \"w\" constant(1)\n%2 = neg f32[2] %1\n%3 = sum f32[] %2 axis=0\n"
            "output \"y\" %3\nupdate %1 %2\n");
        assert_true(graph_verify(graph));
        if (damage == 0) graph->nodes[2].shape.dim[0] = 3;
        if (damage == 1) graph->nodes[2].dtype = DTYPE_I32;
        if (damage == 2) graph->nodes[2].operands = itself;
        if (damage == 3) graph->nodes[2].attrs.axis = 1;
        if (damage == 4) graph->nodes[3].attrs.axis = 1;
        if (damage == 5) graph->outputs[0].node = 9;
        if (damage == 6) graph->symbols[0].update = 3;
        if (damage == 7) graph->symbols[0].shape.dim[0] = 1;
        if (damage == 8) graph->nodes[3].operand_count = 2, graph->nodes[3].operands = two;
        FILE *kept = stderr;
        stderr = fopen("/dev/null", "w");
        bool valid = graph_verify(graph);
        fclose(stderr);
        stderr = kept;
        if (valid) fail_msg("damage %d is not found", damage);
        assert_int_equal(diag_errors(diag), 0);
        graph_free(graph);
        diag_free(diag);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_kind_of_attribute),
                                       cmocka_unit_test(constants_of_every_type),
                                       cmocka_unit_test(floats_are_shortest_and_exact),
                                       cmocka_unit_test(names_are_escaped),
                                       cmocka_unit_test(comments_and_gaps_are_read),
                                       cmocka_unit_test(heads_are_checked),
                                       cmocka_unit_test(wrong_words_get_suggestions),
                                       cmocka_unit_test(wrong_types_show_the_right_one),
                                       cmocka_unit_test(wrong_ids),
                                       cmocka_unit_test(a_wrong_node_is_one_error),
                                       cmocka_unit_test(limits_are_errors),
                                       cmocka_unit_test(attributes_are_checked),
                                       cmocka_unit_test(operands_are_counted),
                                       cmocka_unit_test(symbols_and_results_are_checked),
                                       cmocka_unit_test(strange_bytes_are_errors),
                                       cmocka_unit_test(too_long_a_text_is_an_error),
                                       cmocka_unit_test(pictures_show_nodes_and_symbols),
                                       cmocka_unit_test(damage_is_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
