/* The front end: syntax trees, values, --set, and limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "frontend/syntax/ast_print.h"
#include "tests/support/mnist_model.h"

#include <stdlib.h>
#include <string.h>

/* five functions, each with the next one deep inside its expression */
#define DEEP                                                                                       \
    "--------------------------------------------------------------------------------------------------"
#define CHAIN                                                                                      \
    "def a(x) = " DEEP "x\ndef b(x) = " DEEP "a(x)\ndef c(x) = " DEEP "b(x)\ndef d(x) = " DEEP     \
    "c(x)\ndef f(x) = " DEEP "d(x)"                                                                \
    "\n"

/* -- the tree -- */

static void print_tree(const char *text, char *tree, size_t size) {
    Diagnostics *diag = diag_new();
    FILE *out = fmemopen(tree, size, "w");
    if (!ast_print("test.mdl", text, strlen(text), out, diag)) fail_msg("%s", errors_of(diag));
    fputc('\0', out);
    fclose(out);
    diag_free(diag);
}

static void expect_tree(const char *expression, const char *expected) {
    char text[512], tree[2048];
    snprintf(text, sizeof text, "mdl 1\nparam x = %s\n", expression);
    print_tree(text, tree, sizeof tree);
    assert_string_equal(tree, expected);
}

static void test_precedence(void **state) {
    (void)state;
    expect_tree(
        "a + b * -c ** d",
        "param x\n  binary +\n    name a\n    binary *\n      name b\n      unary -\n        binary "
        "**\n          name c\n          name d\n");
    expect_tree("a - b - c",
                "param x\n  binary -\n    binary -\n      name a\n      name b\n    name c\n");
    expect_tree(
        "2 ** 3 ** -1",
        "param x\n  binary **\n    int 2\n    binary **\n      int 3\n      unary -\n        int 1\n");
    expect_tree(
        "not a == b and c",
        "param x\n  binary and\n    unary not\n      binary ==\n        name a\n        name b\n    name c\n");
    expect_tree(
        "a |> f |> g(1, k = 2.50)",
        "param x\n  pipe\n    name g\n    pipe\n      name f\n      name a\n    int 1\n    argument k\n      float 2.5\n");
    expect_tree(
        "f(a)[1:, -1].b",
        "param x\n  member b\n    index\n      call\n        name f\n        name a\n      slice\n   "
        "     from\n          int 1\n"
        "      at\n        unary -\n          int 1\n");
}

static void test_limits_of_values(void **state) {
    (void)state;
    char tree[1024];
    print_tree(
        "mdl 1\nparam x = 1 in 0..2\nparam y = 1 in [1, 2]\ndef f(a in 1.., b: int = 2 in 0..<a, c in 0.5<..) = a\n",
        tree, sizeof tree);
    assert_string_equal(
        tree,
        "param x\n  int 1\n  in ..\n    int 0\n    int 2\nparam y\n  int 1\n  in\n    list\n      int 1\n      int 2\n"
        "def f\n  input a\n    in ..\n      int 1\n  input b\n    type int\n    default\n      int 2\n"
        "    in ..<\n      int 0\n      name a\n  input c\n    in <..\n      float 0.5\n  value\n    name a\n");
}

static void test_newlines(void **state) {
    (void)state;
    expect_tree("f(\n  1,\n  2,\n)\n   # a comment\n  |> g",
                "param x\n  pipe\n    name g\n    call\n      name f\n      int 1\n      int 2\n");
    expect_tree("1 +\n 2", "param x\n  binary +\n    int 1\n    int 2\n");
    char tree[1024];
    print_tree("mdl 1; def f(x) -> y { if x { y = 1 } else if z { y = 2 }\n else { y = [\n] } }",
               tree, sizeof tree);
    assert_string_equal(
        tree,
        "def f\n  input x\n  output y\n  if\n    name x\n  then\n    assign\n      name y\n    to\n      int 1\n"
        "  else if\n    name z\n  then\n    assign\n      name y\n    to\n      int 2\n"
        "  else\n    assign\n      name y\n    to\n      list\n");
}

/* -- values: what a parameter of this expression is, as the range check prints it -- */

static void expect_computed(const char *expression, const char *expected) {
    char text[512], wanted[128];
    Diagnostics *diag = diag_new();
    snprintf(text, sizeof text, "mdl 1\nparam x = %s in [\"none of these\"]\n" DATA NET TRAIN,
             expression);
    assert_null(mnist_load_with(text, NULL, 0, diag));
    snprintf(wanted, sizeof wanted, "error: %s is not allowed", expected);
    if (!strstr(errors_of(diag), wanted))
        fail_msg("%s is not %s:\n%s", expression, expected, errors_of(diag));
    diag_free(diag);
}

static void test_values(void **state) {
    (void)state;
    expect_computed("2 + 3 * 4", "14");
    expect_computed("7 / 2", "3.5");
    expect_computed("8 / 2", "4");
    expect_computed("-7 % 3", "2");
    expect_computed("2 ** 10", "1024");
    expect_computed("2 ** -1", "0.5");
    expect_computed("-2 ** 2", "-4");
    expect_computed("10_000", "10000");
    expect_computed("sqrt(16)", "4.0");
    expect_computed("floor(7 / 2)", "3");
    expect_computed("max(2, 3.5)", "3.5");
    expect_computed("select(1 < 2, 5, 6)", "5");
    expect_computed("1 < 2 and not 3 == 3.0", "false");
    expect_computed("false and 1 / 0 == 1", "false");
    expect_computed("[1, 2, 3][-1]", "3");
    expect_computed("([1, 2] + [3])[1:3] == [2, 3]", "true");
    expect_computed("cos(pi)", "-1.0");
    expect_computed("\"a\\\"b\"", "\"a\"b\"");
}

/* -- --set -- */

#define PARAMS                                                                                                                 \
    "mdl 1\nparam lr = 1e-3 in 1e-6..1.0\nparam act = \"relu\" in [\"relu\", \"tanh\"]\nparam hidden = [64, 32]\nparam twice " \
    "= hidden[0] * 2\n"
#define TUNED                                                                                                        \
    "model net(image) -> logits {\n x = flatten(image)\n for w in hidden { x = x |> dense(w) |> activation(act) }\n" \
    " logits = x |> dense(twice) |> dense(10)\n}\n"
#define RATED                                                                                      \
    "train {\n loss = cross_entropy(logits, label)\n optimizer = adam(lr = lr)\n batch = 16\n}\n"

static void test_set(void **state) {
    (void)state;
    static const char *const sets[] = {"lr=1",           "act=tanh",       "hidden=[8]",
                                       "train.batch=10", "train.epochs=2", "data.valid=0.25",
                                       "lr=1e-2"};
    Diagnostics *diag = diag_new();
    Model *model = mnist_load_with(PARAMS DATA TUNED RATED, sets, sizeof sets / sizeof *sets, diag);
    if (!model) fail_msg("%s", errors_of(diag));
    const char *resolved =
        "mdl 1\nparam lr = 1e-2 in 1e-6..1.0\nparam act = \"tanh\" in [\"relu\", \"tanh\"]\nparam hidden = [8]\nparam twice = "
        "hidden[0] * 2\n"
        "data {\n source = mnist()\n field image = source.image / 255\n field label = source.label\n\n    valid = "
        "0.25\n}\n" TUNED
        "train {\n loss = cross_entropy(logits, label)\n optimizer = adam(lr = lr)\n batch = 10\n\n    epochs = 2\n}\n";
    assert_string_equal(model_info(model)->resolved, resolved);
    Model *again = mnist_load(resolved, diag);
    assert_int_equal(model_info(again)->batch, 10);
    assert_int_equal(model_info(again)->epochs, 2);
    assert_false(model_info(again)->split.valid.is_count);
    Graph *first = model_graph(model, GRAPH_TRAIN, 10, diag),
          *second = model_graph(again, GRAPH_TRAIN, 10, diag);
    assert_int_equal(first->node_count, second->node_count);
    expect_symbol(second, "dense1.weight", "f32[8,784]");
    expect_symbol(second, "dense2.weight", "f32[16,8]");
    graph_free(first);
    graph_free(second);
    model_free(model);
    model_free(again);
    diag_free(diag);
}

/* -- texts that were never meant to be models -- */

static void expect_error(const char *text, size_t length, const char *message) {
    Diagnostics *diag = diag_new();
    ModelOptions options = {
        .path = "test.mdl", .text = text, .length = length, .schema = mnist_schema};
    assert_null(model_load(&options, diag));
    if (!strstr(errors_of(diag), message))
        fail_msg("expected '%s', got:\n%s", message, errors_of(diag));
    diag_free(diag);
}

/* head, then `part` count times, then tail */
static void expect_repeated_error(const char *head, const char *part, size_t count,
                                  const char *tail, const char *message) {
    size_t size = strlen(head) + strlen(part) * count + strlen(tail), at = 0;
    char *text = malloc(size + 1);
    at += (size_t)sprintf(text, "%s", head);
    for (size_t i = 0; i < count; i++) at += (size_t)sprintf(text + at, "%s", part);
    sprintf(text + at, "%s", tail);
    expect_error(text, size, message);
    free(text);
}

static void test_limits(void **state) {
    (void)state;
    expect_repeated_error("mdl 1\n", "#################\n", 60000, "", "this text has");
    expect_repeated_error("mdl 1\nparam x = ", "(", 65, "1", "nested more than 64 levels");
    expect_repeated_error("mdl 1\nparam x = ", "-", 500000, "1", "nested too deep");
    expect_repeated_error("mdl 1\nparam x = ", "not ", 200000, "1", "nested too deep");
    expect_repeated_error("mdl 1\nparam x = ", "1 + ", 200000, "1", "operations deep");
    expect_repeated_error("mdl 1\nparam x = 1", " |> f", 100000, "", "operations deep");
    expect_repeated_error("mdl 1\nparam x = 1", ".y", 100000, "", "operations deep");
    expect_repeated_error("mdl 1\ndef f(x) -> y {\n if x { y = 1 }", " else if x { y = 1 }", 40000,
                          "\n}\n", "there is no data block");
    expect_repeated_error("mdl 1\n", "param x = )\n", 1000, "", "more errors are not shown");
    expect_repeated_error("mdl 1\n" DATA NET TRAIN CHAIN "param p = ", "-", 590, "f(1)\n",
                          "levels deep here");
    expect_repeated_error("mdl 1\n" DATA TRAIN
                          "model net(image) -> logits {\n l = [1]\n for i in 1..100000 { l = l",
                          " + [i]", 100, " }\n logits = image\n}\n", "steps to evaluate");
    expect_repeated_error("mdl 1\n", "}", 5000, "", "has no opening brace");
    expect_repeated_error("mdl 1\ndata {", "\n[", 60, "", "never closed");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_precedence), cmocka_unit_test(test_limits_of_values),
        cmocka_unit_test(test_newlines),   cmocka_unit_test(test_values),
        cmocka_unit_test(test_set),        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
