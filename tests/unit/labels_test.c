/* Finding the label of each output of a model from the loss and the metrics. Unclear cases give no
 * label. */
#include "frontend/model/model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* A schema with two labels, a number of pieces, and the fields that the network reads. */
static bool schema(void *context, const DataSource *source, const SplitRequest *request,
                   Arena *arena, SourceSchema *fields, Diagnostics *diag) {
    static const SourceField all[] = {{.name = "x", .dtype = DTYPE_F32, .row = {1, {8}}},
                                      {.name = "digit", .dtype = DTYPE_U8, .classes = 10},
                                      {.name = "kind", .dtype = DTYPE_I32, .classes = 3},
                                      {.name = "pieces", .dtype = DTYPE_I32}};
    (void)context, (void)source, (void)request, (void)arena, (void)diag;
    *fields = (SourceSchema){.fields = all, .field_count = 4};
    return true;
}

#define BEGIN                                                                                                     \
    "mdl 1\ndata { source = mnist(); field x = source.x; field digit = source.digit; field kind = source.kind;\n" \
    "field pieces = source.pieces; field many = source.pieces > 3 }\nmodel net(x) -> (a, b, c) {\n"               \
    "a = dense(x, 10); b = dense(x, 3); c = "
#define LOSS "\n}\ntrain { optimizer = sgd(0.1); loss = "

/* For each output: its label, "?" for a computed label, or "-" for none, if it has no classes. */
static const struct {
    const char *third, *loss, *belongs;
} cases[] = {
    /* losses of labels in any order; regression next to classes */
    {"dense(x, 1)", "cross_entropy(a, digit) + cross_entropy(b, kind) + mean(c ** 2)",
     "digit kind -"},
    {"dense(x, 3)",
     "cross_entropy(b, kind, weights = [1, 2, 3], smooth = 0.1) * 0.5 + mean(c ** 2) + nll(log_softmax(a), digit)",
     "digit kind -"},
    /* two outputs of one label; one that only a metric compares */
    {"dense(x, 10)", "cross_entropy(a, digit) + cross_entropy(c, digit) + mean(b ** 2)",
     "digit - digit"},
    {"dense(x, 1)",
     "mean(a ** 2) + mean(b ** 2) + mean(c ** 2); metrics = [accuracy(b, kind), f1(b, kind)]",
     "- kind -"},
    /* computed labels; of several labels of an output the first one counts */
    {"dense(x, 2)", "cross_entropy(c, many) + cross_entropy(a, digit)", "digit - pieces > 3"},
    {"dense(x, 2)", "cross_entropy(a, kind) + cross_entropy(a, digit)", "kind - -"},
    /* the nearest output gets the label; outputs before and after it do not */
    {"softmax(a)", "nll(log(c), digit)", "- - digit"},
    {"softmax(a)", "cross_entropy(a, digit)", "digit - -"},
    /* no label for outputs that are combined first, or of which only a part is compared */
    {"dense(x, 10)", "cross_entropy(a + c, digit) + cross_entropy(b, kind)", "- kind -"},
    {"dense(x, 3)", "cross_entropy(a[:, 0:3], kind) + mean(b ** 2) + mean(c ** 2)", "- - -"},
    /* a comparison of two outputs gives no label */
    {"dense(x, 3)", "cross_entropy(b, kind) + cross_entropy(c, argmax(b)) + mean(a ** 2)",
     "- kind -"},
    /* losses that are written out */
    {"dense(x, 1)",
     "-mean(select(index([N, 3], axis = 1) == reshape(kind, [N, 1]), log_softmax(b), 0.0)) + mean(a ** 2)",
     "- kind -"},
    {"dense(x, 1)",
     "-mean(gather(log_softmax(a), reshape(pieces, [N, 1]))) + mean(one_hot(kind, 3) * b)",
     "- kind -"},
    {"dense(x, 1)", "-mean(gather(log_softmax(a), reshape(pieces, [N, 1]))) + mean(b) + mean(c)",
     "pieces - -"},
    /* a whole number that takes part in arithmetic is a quantity, not a class */
    {"dense(x, 2)",
     "mse(c, concat([reshape(pieces, [N, 1]), reshape(digit, [N, 1])], axis = 1)) + mean(a) + mean(b)",
     "- - -"},
    {"dense(x, 2)", "mse(c, reshape(pieces, [N, 1]) + 0.0 * c) + mean(a) + mean(b)", "- - -"},
    {"dense(x, 2)", "mean(select(reshape(pieces, [N, 1]) == 1, c ** 2, 0.0)) + mean(a) + mean(b)",
     "- - -"},
};

static void expect_belongs(const ModelInfo *info, const char *loss, const char *belongs) {
    char found[128] = "";
    for (uint32_t i = 0; i < info->output_count; i++) {
        const ModelOutput *output = &info->outputs[i];
        const char *label = output->label ? output->label : output->classes ? "?" : "-";
        assert_true(output->classes || !output->label);
        strcat(strcat(found, i ? " " : ""), label);
    }
    if (strcmp(found, belongs)) fail_msg("%s: '%s', not '%s'", loss, found, belongs);
}

static void test_labels(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[2048];
        Diagnostics *diag = diag_new();
        snprintf(text, sizeof text, "%s%s%s%s }\n", BEGIN, cases[i].third, LOSS, cases[i].loss);
        ModelOptions options = {
            .path = "labels.mdl", .text = text, .length = strlen(text), .schema = schema};
        Model *model = model_load(&options, diag);
        if (!model) diag_print(diag, stderr);
        assert_non_null(model);
        expect_belongs(model_info(model), cases[i].loss, cases[i].belongs);
        model_free(model);
        diag_free(diag);
    }
}

/* A mean of truth values is a fraction of predictions, whichever function computes it. A number
 * computed from it is not. */
static void test_fractions(void **state) {
    (void)state;
    static const int64_t answers[] = {1, 1, 1, 10, 0, 0, 0};
    Diagnostics *diag = diag_new();
    const char *text = BEGIN
        "dense(x, 1)" LOSS "cross_entropy(a, digit) + mean(b) + mean(c)\n"
        "metrics = [accuracy(a, digit), top_k(a, digit, 3), mean(argmax(b) == kind), mean(a > 0.0), mean(a),\n"
        "           1.0 - accuracy(a, digit), rmse(c, c)] }\n";
    ModelOptions options = {
        .path = "fractions.mdl", .text = text, .length = strlen(text), .schema = schema};
    Model *model = model_load(&options, diag);
    if (!model) diag_print(diag, stderr);
    assert_non_null(model);
    for (uint32_t i = 0; i < model_info(model)->metric_count; i++)
        if (model_info(model)->answers[i] != answers[i])
            fail_msg("%s: %lld answers", model_info(model)->metrics[i],
                     (long long)model_info(model)->answers[i]);
    assert_int_equal(model_info(model)->metric_count, sizeof answers / sizeof *answers);
    model_free(model);
    diag_free(diag);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_labels),
                                       cmocka_unit_test(test_fractions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
