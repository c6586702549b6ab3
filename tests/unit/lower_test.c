/* Graphs of models: all kinds of graphs of all models, states, layers, losses, optimizers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/mnist_model.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

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

static void check_model(const char *name, const char *text) {
    (void)name;
    Diagnostics *diag = diag_new();
    Model *model = mnist_load(text, diag);
    expect_all_graphs(model, diag);
    assert_string_equal(model_info(model)->resolved, text);
    model_free(model);
    diag_free(diag);
}

/* Checks every model in models/ whose data are like MNIST's. */
static void test_models(void **state) {
    (void)state;
    DIR *folder = opendir(MLC_SOURCE_DIR "/models");
    int count = 0;
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        char path[512];
        if (!strstr(entry->d_name, ".mdl")) continue;
        snprintf(path, sizeof path, "%s/models/%s", MLC_SOURCE_DIR, entry->d_name);
        char *text = read_file(path);
        if (!strstr(text, "csv(")) check_model(entry->d_name, text);
        free(text);
        count++;
    }
    closedir(folder);
    assert_true(count >= 5);
}

static void test_names_of_states(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Model *model = mnist_load(
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

/* Checks the op that combines image and state, and whether the state has an update. */
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
    Model *model = mnist_load("mdl 1\n" DATA CENTRED TRAIN, diag);
    expect_state(model, GRAPH_TRAIN, OP_add, true, diag);
    expect_state(model, GRAPH_EVAL, OP_sub, false, diag);
    expect_state(model, GRAPH_PREDICT, OP_sub, false, diag);
    model_free(model);
    diag_free(diag);
}

static void test_info(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    Model *model = mnist_load(
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
    Model *model = mnist_load("mdl 1\n" DATA NET TRAIN, diag);
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
    Model *model = mnist_load(text, diag);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_models), cmocka_unit_test(test_names_of_states),
        cmocka_unit_test(test_info),   cmocka_unit_test(test_layers),
        cmocka_unit_test(test_losses), cmocka_unit_test(test_optimizers),
        cmocka_unit_test(test_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
