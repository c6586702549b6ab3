/* The front end: syntax trees, values, graphs of all kinds, --set, and limits. */
#include "frontend/model/model.h"
#include "frontend/syntax/ast_print.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A source like MNIST's, without data. */
static bool schema(void *context, const DataSource *source, const SplitRequest *request,
                   Arena *arena, SourceSchema *fields, Diagnostics *diag) {
    static const SourceField all[] = {{.name = "image", .dtype = DTYPE_U8, .row = {3, {1, 28, 28}}},
                                      {.name = "label", .dtype = DTYPE_U8, .classes = 10}};
    (void)context, (void)source, (void)request, (void)arena, (void)diag;
    *fields = (SourceSchema){.fields = all, .field_count = 2};
    return true;
}

static Model *load_with(const char *text, const char *const *sets, uint32_t set_count,
                        Diagnostics *diag) {
    ModelOptions options = {.path = "test.mdl",
                            .text = text,
                            .length = strlen(text),
                            .sets = sets,
                            .set_count = set_count,
                            .schema = schema};
    return model_load(&options, diag);
}

static const char *errors_of(const Diagnostics *diag) {
    static char text[1 << 16];
    FILE *out = fmemopen(text, sizeof text, "w");
    diag_print(diag, out);
    fputc('\0', out);
    fclose(out);
    return text;
}

/* A model that has to be right. */
static Model *load(const char *text, Diagnostics *diag) {
    Model *model = load_with(text, NULL, 0, diag);
    if (!model) fail_msg("%s", errors_of(diag));
    return model;
}

#define DATA                                                                                       \
    "data {\n source = mnist()\n field image = source.image / 255\n field label = source.label\n}\n"
#define TRAIN                                                                                      \
    "train {\n loss = cross_entropy(logits, label)\n optimizer = sgd(lr = 0.1)\n metrics = [accuracy(logits, label)]\n}\n"
#define NET "model net(image) -> logits {\n logits = image |> flatten |> dense(10)\n}\n"

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
    assert_null(load_with(text, NULL, 0, diag));
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

/* -- graphs -- */

static void expect_graph(const Model *model, GraphKind kind, uint32_t batch, Diagnostics *diag) {
    Graph *graph = model_graph(model, kind, batch, diag);
    if (!graph) fail_msg("%s", errors_of(diag));
    assert_true(graph_verify(graph));
    const ModelInfo *info = model_info(model);
    uint32_t results = kind == GRAPH_PREDICT ? 0 : 1 + info->metric_count,
             outputs = kind == GRAPH_TRAIN ? 0 : info->output_count, updates = 0;
    assert_int_equal(graph->output_count, results + outputs);
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        updates += graph->symbols[i].update != NODE_NONE;
        if (graph->symbols[i].kind == SYMBOL_BATCH)
            assert_int_equal(graph->symbols[i].shape.dim[0], batch);
    }
    assert_true(kind == GRAPH_TRAIN ? updates > 0 : updates == 0);
    graph_free(graph);
}

static void expect_all_graphs(const Model *model, Diagnostics *diag) {
    static const uint32_t batches[] = {1, 7, 64};
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++)
        for (int kind = GRAPH_TRAIN; kind <= GRAPH_PREDICT; kind++)
            expect_graph(model, (GraphKind)kind, batches[i], diag);
}

static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1 << 16);
    assert_non_null(file);
    assert_true(fread(text, 1, (1 << 16) - 1, file) > 0);
    fclose(file);
    return text;
}

/* Calls `use` with the text of every file in models/ whose data are like MNIST's. */
static void for_all_models(void (*use)(const char *name, const char *text)) {
    DIR *folder = opendir(MLC_SOURCE_DIR "/models");
    int count = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[512];
        if (!strstr(entry->d_name, ".mdl")) continue;
        snprintf(path, sizeof path, "%s/models/%s", MLC_SOURCE_DIR, entry->d_name);
        char *text = read_file(path);
        if (!strstr(text, "csv(")) use(entry->d_name, text);
        free(text);
        count++;
    }
    closedir(folder);
    assert_true(count >= 5);
}

static void check_model(const char *name, const char *text) {
    (void)name;
    Diagnostics *diag = diag_new();
    Model *model = load(text, diag);
    expect_all_graphs(model, diag);
    assert_string_equal(model_info(model)->resolved, text);
    model_free(model);
    diag_free(diag);
}

static void test_models(void **state) {
    (void)state;
    for_all_models(check_model);
}

static void expect_symbol(const Graph *graph, const char *name, const char *type) {
    char text[SHAPE_TEXT];
    const Symbol *symbol = graph_symbol(graph, name);
    if (!symbol) fail_msg("there is no '%s'", name);
    assert_string_equal(shape_text(symbol->dtype, symbol->shape, text), type);
}

static void test_names_of_states(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Model *model = load(
        "mdl 1\n" DATA
        "def block(x) -> y {\n w = weight([784, 784], init = orthogonal)\n y = x @ w |> dense(20) |> layer_norm\n}\n"
        "model net(image) -> logits {\n x = flatten(image)\n a = block(x)\n b = block(x)\n logits = (a + b) |> dense(10, "
        "bias = false)\n}\n"
        "train {\n loss = cross_entropy(logits, label)\n optimizer = adam(lr = 1e-3)\n}\n",
        diag);
    Graph *graph = model_graph(model, GRAPH_TRAIN, 5, diag);
    expect_symbol(graph, "w", "f32[784,784]");
    expect_symbol(graph, "w_2", "f32[784,784]");
    expect_symbol(graph, "dense1.weight", "f32[20,784]");
    expect_symbol(graph, "dense2.bias", "f32[20]");
    expect_symbol(graph, "layer_norm2.weight", "f32[20]");
    expect_symbol(graph, "dense3.weight", "f32[10,20]");
    expect_symbol(graph, "adam.v.w_2", "f32[784,784]");
    expect_symbol(graph, "label", "u8[5]");
    expect_symbol(graph, "step", "i32[]");
    assert_null(graph_symbol(graph, "dense3.bias"));
    assert_int_equal(graph_symbol(graph, "w")->init.kind, INIT_ORTHOGONAL);
    graph_free(graph);
    graph = model_graph(model, GRAPH_PREDICT, 5, diag);
    assert_null(graph_symbol(graph, "label"));
    graph_free(graph);
    model_free(model);
    diag_free(diag);
}

/* -- states that are not trained -- */

#define CENTRED                                                                                                          \
    "model net(image) -> logits {\n x = flatten(image)\n seen = state([784])\n kept = update(seen, mean(x, axis = 0))\n" \
    " y = x - seen\n if training { y = x + seen }\n logits = y |> dense(10)\n}\n"

/* The op that combines image and state, and whether the state changes. */
static void expect_state(const Model *model, GraphKind kind, Op op, bool updated,
                         Diagnostics *diag) {
    Graph *graph = model_graph(model, kind, 5, diag);
    const Symbol *seen = graph_symbol(graph, "seen");
    bool found = false;
    assert_non_null(seen);
    assert_false(seen->trainable);
    assert_int_equal(seen->update != NODE_NONE, updated);
    for (NodeId id = 1; id < graph->node_count; id++) {
        const Node *node = graph_node(graph, id);
        if (node->op != op || graph_operand(graph, node, 1)->op != OP_broadcast) continue;
        found |= graph_operand(graph, node, 1)->operands[0] == seen->node;
    }
    assert_true(found);
    graph_free(graph);
}

static void test_states(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Model *model = load("mdl 1\n" DATA CENTRED TRAIN, diag);
    expect_state(model, GRAPH_TRAIN, OP_add, true, diag);
    expect_state(model, GRAPH_EVAL, OP_sub, false, diag);
    expect_state(model, GRAPH_PREDICT, OP_sub, false, diag);
    model_free(model);
    diag_free(diag);
}

static void test_info(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Model *model = load(
        "mdl 1\n" DATA NET
        "train {\n loss = cross_entropy(logits, label)\n optimizer = adam()\n batch = 32\n epochs = 3\n seed = 9\n"
        " metrics = [accuracy(logits, label), nll(log_softmax(logits), label), accuracy(logits, label),\n"
        " mean(logits > 0), 1 - accuracy(logits, label), top_k(logits, label, 2), sum(label == 1)]\n keep_best = "
        "accuracy_2\n"
        " shuffle = false\n}\n",
        diag);
    const ModelInfo *info = model_info(model);
    assert_string_equal(info->name, "net");
    assert_string_equal(info->source.reader, "mnist");
    assert_string_equal(info->source.folder, ".");
    assert_int_equal(info->batch, 32);
    assert_int_equal(info->epochs, 3);
    assert_int_equal(info->seed, 9);
    assert_int_equal(info->split.seed, 9);
    assert_false(info->shuffle);
    static const int64_t answers[] = {1, 0, 1, 10, 0, 1, 0};
    assert_int_equal(info->metric_count, sizeof answers / sizeof *answers);
    for (uint32_t i = 0; i < info->metric_count; i++)
        assert_int_equal(info->answers[i], answers[i]);
    assert_string_equal(info->metrics[1], "nll");
    assert_string_equal(info->keep_best.metric, "accuracy_2");
    assert_true(info->keep_best.higher_is_better);
    assert_string_equal(info->outputs[0].name, "logits");
    assert_string_equal(info->label_field, "label");
    assert_string_equal(info->image_field, "image");
    model_free(model);
    diag_free(diag);
}

static void test_layers(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Model *model = load("mdl 1\n" DATA NET TRAIN, diag);
    uint32_t count;
    const LayerInfo *layers = model_layers(model, &count);
    assert_int_equal(count, 2);
    assert_string_equal(layers[1].name, "dense1");
    assert_string_equal(layers[1].op, "dense");
    assert_int_equal(layers[1].weights, 7850);
    assert_int_equal(layers[1].operations, 2 * 784 * 10 + 10);
    assert_int_equal(layers[1].line, 8);
    model_free(model);
    diag_free(diag);
}

/* -- every function of the library, in one model each -- */

static void expect_loss(const char *loss, const char *optimizer) {
    char text[2048];
    Diagnostics *diag = diag_new();
    snprintf(text, sizeof text,
             "mdl 1\n" DATA NET
             "train {\n loss = %s\n optimizer = %s\n clip_value = 0.5\n clip_norm = 1.0\n}\n",
             loss, optimizer);
    Model *model = load(text, diag);
    expect_all_graphs(model, diag);
    model_free(model);
    diag_free(diag);
}

static void test_losses(void **state) {
    (void)state;
    static const char *const losses[] = {
        "cross_entropy(logits, label, smooth = 0.1)",
        "nll(log_softmax(logits), label)",
        "mse(logits, one_hot(label, 10))",
        "mae(softmax(logits), one_hot(label, 10))",
        "huber(logits, one_hot(label, 10), delta = 0.5)",
        "bce(sigmoid(logits), one_hot(label, 10))",
        "bce_logits(logits, one_hot(label, 10))",
        "mean(var(logits, axis = 1))",
        "mean(leaky_relu(logits) + elu(logits) + silu(logits) + softplus(logits) + gelu_tanh(logits) + relu(logits))",
        "mean(exp(logits) + log(abs(logits) + 1) + sqrt(abs(logits)) + sin(logits) + cos(logits) + tanh(logits))",
        "mean(expm1(logits) + amax(logits, axis = 1, keep = true)) + mean(amin(logits))",
        "mean(clip(logits, -1, 1) % 3 + logits ** 2 + logits ** 3 + logits ** -1 + abs(logits) ** 1.5 + abs(logits) ** logits)",
        "mean(select(logits > 0 and logits <= 1 or not logits != 2, logits, 0)) + top_k(logits, label, 3)",
        "sum(concat([logits[:, 0:3], logits[:, -1:]])) + mean(pad(logits[0], 1, 2)) + mean(expand(logits[0], [3, 10]))",
        "mean(sum(logits, axis = [0, -1]) + max(logits, 0.5) + min(0.5, logits) + rint(logits) + floor(logits))",
    };
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
        expect_loss(losses[i], "sgd(lr = 0.1)");
}

static void test_optimizers(void **state) {
    (void)state;
    static const char *const optimizers[] = {
        "sgd(0.1)",
        "sgd(lr = 0.1, momentum = 0.9, nesterov = true, decay = 1e-4)",
        "adam",
        "adam(beta1 = 0.0, decay = 0.1)",
        "adamw(lr = cosine(1e-3, to = 1e-5, warmup = 200))",
        "rmsprop(momentum = 0.9)",
        "adagrad(lr_decay = 0.1)",
        "sgd(step(0.1, every = 3))",
        "sgd(exponential(0.1, 0.9))",
        "sgd(linear(0.1, warmup = 0.1))",
        "sgd(one_cycle(0.1))",
        "sgd(warmup(0.1, 100))",
        "sgd(constant(0.1))",
        "adam(lr = 1e-3 * 0.5 ** floor(epoch / 5) * (1 - step / steps))",
    };
    for (size_t i = 0; i < sizeof optimizers / sizeof *optimizers; i++)
        expect_loss("cross_entropy(logits, label)", optimizers[i]);
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
    Model *model = load_with(PARAMS DATA TUNED RATED, sets, sizeof sets / sizeof *sets, diag);
    if (!model) fail_msg("%s", errors_of(diag));
    const char *resolved =
        "mdl 1\nparam lr = 1e-2 in 1e-6..1.0\nparam act = \"tanh\" in [\"relu\", \"tanh\"]\nparam hidden = [8]\nparam twice = "
        "hidden[0] * 2\n"
        "data {\n source = mnist()\n field image = source.image / 255\n field label = source.label\n\n    valid = "
        "0.25\n}\n" TUNED
        "train {\n loss = cross_entropy(logits, label)\n optimizer = adam(lr = lr)\n batch = 10\n\n    epochs = 2\n}\n";
    assert_string_equal(model_info(model)->resolved, resolved);
    Model *again = load(resolved, diag);
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
    ModelOptions options = {.path = "test.mdl", .text = text, .length = length, .schema = schema};
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
        cmocka_unit_test(test_models),     cmocka_unit_test(test_names_of_states),
        cmocka_unit_test(test_info),       cmocka_unit_test(test_layers),
        cmocka_unit_test(test_losses),     cmocka_unit_test(test_optimizers),
        cmocka_unit_test(test_set),        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
