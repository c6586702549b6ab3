/* mlc's layers against PyTorch's. A layer stands between two weights: its input x, and k, with
 * which its output y is compared. SGD with rate 1 subtracts gradients, so the change of a weight is
 * its gradient, and that of k gives the output itself. Then the weights are reset and ten steps are
 * trained: losses, running statistics and the loss in evaluation are compared. The numbers are in
 * tests/truth/layers.txt. */
#include "runtime/program/run.h"
#include "tests/support/truth.h"

enum { LAYER_STEPS = 11, NAME = 128 };

static const uint8_t unit[ROWS][ROWS] = {{1}, {0, 1}, {0, 0, 1}, {0, 0, 0, 1}};
static const int32_t rows[ROWS] = {0, 1, 2, 3};

/* `text` is "[N,6] dense(x, 5)": the shape of x, then the expression. */
static char *layer_model(const char *text) {
    int64_t row = 1;
    const char *end = strchr(text, ']'), *at = strchr(text, ',');
    assert_non_null(end);
    for (; at && at < end; at = strchr(at + 1, ',')) row *= strtoll(at + 1, NULL, 10);
    char *model;
    int length = asprintf(
        &model,
        "mdl 1\n"
        "data {\n    source = mnist()\n    field unit = source.unit / 1\n    field label = source.label\n}\n"
        "model layer(unit, label) -> (y, k) {\n    x = weight([%d, %lld])\n    x = reshape(unit @ x, %.*s])\n"
        "    y = %s\n    k = weight([%d, count(y) / N])\n    k = reshape(unit @ k, shape(y))\n}\n"
        "train {\n    loss = mean((y - k) ** 2)\n    optimizer = sgd(lr = select(step < 1, 1.0, 0.03))\n    "
        "batch = %d\n    epochs = 1\n}\n",
        ROWS, (long long)row, (int)(end - text), text, end + 2, ROWS, ROWS);
    assert_true(length > 0);
    return model;
}

static const Symbol *symbol_of(const TruthSession *s, const char *name) {
    const Symbol *symbol = graph_symbol(s->program->graph, name);
    if (!symbol) fail_msg("there is no state '%s'", name);
    return symbol;
}

/* x and k are between -3 and 3, the layer's weights between -1 and 1. */
static void draw_weight(const TruthSession *s, const Symbol *symbol) {
    int64_t count = shape_elements(symbol->shape);
    float *values = malloc((size_t)count * sizeof *values),
          width = strchr(symbol->name, '.') ? 2 : 6;
    assert_non_null(values);
    for (int64_t i = 0; i < count; i++)
        values[i] =
            (random_unit(SEED, STREAM_INPUT, hash_name(symbol->name), (uint64_t)i) - 0.5f) * width;
    states_write(s->states, symbol->name, values);
    free(values);
}

static void draw_weights(const TruthSession *s) {
    const Graph *graph = s->program->graph;
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].trainable) draw_weight(s, &graph->symbols[i]);
}

/* Compares the next numbers of the file with state `name`, or with its decrease since `before`. */
static void compare_state(const TruthSession *s, const char *name, const States *before, FILE *file,
                          const char *text) {
    int64_t count = shape_elements(symbol_of(s, name)->shape);
    float *now = malloc((size_t)count * sizeof *now), *then = calloc((size_t)count, sizeof *then);
    assert_true(now && then && states_read(s->states, name, now));
    if (before) assert_true(states_read(before, name, then));
    for (int64_t i = 0; i < count; i++) {
        double expected = next_number(file),
               got = before ? (double)then[i] - (double)now[i] : (double)now[i];
        if (!near(got, expected))
            fail_msg("%s: %s%s, element %lld: %.9g, PyTorch %.9g", text,
                     before ? "gradient by " : "", name, (long long)i, got, expected);
    }
    free(now);
    free(then);
}

/* Compares the next lines of the file: "WORD NAME numbers...". */
static void compare_states(const TruthSession *s, const char *word, const States *before,
                           FILE *file, const char *text) {
    char found[NAME], name[NAME];
    for (;;) {
        long at = ftell(file);
        if (fscanf(file, "%127s %127s", found, name) != 2 || strcmp(found, word)) {
            fseek(file, at, SEEK_SET);
            return;
        }
        compare_state(s, name, before, file, text);
    }
}

static void expect_word(FILE *file, const char *word) {
    char found[NAME];
    assert_int_equal(fscanf(file, "%127s", found), 1);
    assert_string_equal(found, word);
}

static void compare_loss(double got, FILE *file, const char *text, int step) {
    double expected = next_number(file);
    if (!(fabs(got - expected) <= 1e-5 * fabs(expected)))
        fail_msg("%s, step %d: loss %.9g, PyTorch %.9g", text, step, got, expected);
}

/* Sets the inputs that never change. */
static void give_inputs(const TruthSession *s) {
    static uint8_t classes[ROWS];
    for (uint32_t i = 0; i < ROWS; i++)
        classes[i] = (uint8_t)(random_bits(SEED, STREAM_INPUT, 4, i) % COLUMNS);
    runner_input(s->runner, "unit", unit);
    runner_input(s->runner, "label", classes);
}

/* Compares the loss of the evaluation: another program over the same states. */
static void compare_evaluation(const TruthSession *s, FILE *file, const char *text,
                               Backend backend) {
    TruthSession eval = {.diag = s->diag};
    eval.program = compile(&eval, model_graph(s->model, GRAPH_EVAL, ROWS, s->diag), backend);
    require_no_errors(s->diag);
    assert_true(states_bind(s->states, eval.program, s->diag));
    eval.runner = runner_new(eval.program, s->states, s->threads, s->diag);
    give_inputs(&eval);
    compare_loss((double)session_step(&eval, rows), file, text, LAYER_STEPS);
    runner_free(eval.runner);
    program_free(eval.program);
    compilation_free(&eval.interpreted);
}

/* The weights before the first step. */
static States *first_weights(const TruthSession *s) {
    States *copy = states_new();
    assert_true(states_bind(copy, s->program, s->diag));
    draw_weights(&(TruthSession){.program = s->program, .states = copy});
    return copy;
}

static void compare_layer(const char *text, FILE *file, Backend backend) {
    char *model = layer_model(text);
    TruthSession s = session_open(model, ROWS, backend);
    draw_weights(&s);
    give_inputs(&s);
    States *before = first_weights(&s);
    expect_word(file, "losses");
    for (int step = 0; step < LAYER_STEPS; step++) {
        int32_t done = step;
        runner_input(s.runner, "step", &done);
        compare_loss((double)session_step(&s, rows), file, text, step);
        if (step == 0) {
            compare_states(&s, "gradient", before, file, text);
            draw_weights(&s);
        }
    }
    compare_states(&s, "state", NULL, file, text);
    expect_word(file, "evaluated");
    compare_evaluation(&s, file, text, backend);
    states_free(before);
    session_close(&s);
    free(model);
}

static void layers_agree_with_pytorch(void **state) {
    (void)state;
    compare_cases("tests/truth/layers.txt", "layer", JIT, compare_layer);
}

static void interpreted_layers_agree_with_pytorch(void **state) {
    (void)state;
    compare_cases("tests/truth/layers.txt", "layer", REFERENCE, compare_layer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_agree_with_pytorch),
        cmocka_unit_test(interpreted_layers_agree_with_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
