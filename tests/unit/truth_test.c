/* mlc against PyTorch: the losses of models/mnist.mdl for every optimizer, and values and gradients
 * of single functions. The numbers are in tests/truth, next to the script that made them. Other
 * tests compare the compiled code with the interpreter bit for bit; here both are compared with the
 * truth. */
#include "runtime/program/run.h"
#include "tests/support/truth.h"

enum { BATCH = 64, BATCHES = 5, STEPS = 20, PIXELS = 784 };

/* The text of models/mnist.mdl with another optimizer. */
static char *mnist_with(const char *optimizer) {
    FILE *file = open_truth("models/mnist.mdl");
    char line[LINE], *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    while (fgets(line, sizeof line, file)) {
        if (strstr(line, "    optimizer ") == line)
            fprintf(out, "    optimizer = %s\n", optimizer);
        else
            fputs(line, out);
    }
    fclose(out);
    fclose(file);
    return text;
}

/* -- the network: losses while it is trained -- */

static uint8_t images[BATCHES * BATCH][PIXELS], labels[BATCHES * BATCH];

static void draw_data(void) {
    for (uint32_t i = 0; i < BATCHES * BATCH * PIXELS; i++) {
        uint32_t bits = random_bits(SEED, STREAM_INPUT, 0, i);
        images[i / PIXELS][i % PIXELS] = bits & 3 ? 0 : (uint8_t)(bits >> 24);
    }
    for (uint32_t i = 0; i < BATCHES * BATCH; i++)
        labels[i] = (uint8_t)(random_bits(SEED, STREAM_INPUT, 1, i) % 10);
}

/* Trains `steps` steps and compares each loss with the next line of the file, whose first column is
 * PyTorch's f32. */
static void compare_losses(FILE *file, const char *optimizer, Backend backend, int32_t steps) {
    char *text = mnist_with(optimizer);
    TruthSession s = session_open(text, BATCH, backend);
    runner_input(s.runner, "image", images);
    runner_input(s.runner, "label", labels);
    static const int32_t all_steps = STEPS;
    runner_input(s.runner, "steps", &all_steps);
    for (int32_t step = 0; step < steps; step++) {
        int32_t rows[BATCH];
        for (int32_t i = 0; i < BATCH; i++) rows[i] = step % BATCHES * BATCH + i;
        int32_t epoch = step / BATCHES;
        runner_input(s.runner, "step", &step);
        runner_input(s.runner, "epoch", &epoch);
        double got = session_step(&s, rows), single = next_number(file), wide = next_number(file);
        if (!(fabs(got - single) <= 1e-5 * single))
            fail_msg("%s, step %d: loss %.9g, PyTorch %.9g (in f64 %.9g)", optimizer, step, got,
                     single, wide);
    }
    session_close(&s);
    free(text);
}

static void losses_agree_with_pytorch(void **state) {
    (void)state;
    FILE *file = open_truth("tests/truth/mnist.txt");
    char line[LINE];
    const char *optimizer;
    int cases = 0;
    draw_data();
    for (; (optimizer = next_case(file, "optimizer", line)); cases++)
        compare_losses(file, optimizer, JIT, STEPS);
    fclose(file);
    assert_true(cases > 0);
}

/* The interpreter is slow: the first optimizer, a few steps. */
static void interpreted_losses_agree_with_pytorch(void **state) {
    (void)state;
    FILE *file = open_truth("tests/truth/mnist.txt");
    char line[LINE];
    draw_data();
    compare_losses(file, next_case(file, "optimizer", line), REFERENCE, 3);
    fclose(file);
}

/* -- single functions: a step of plain SGD with rate 1 subtracts the gradient -- */

static void draw_operand(uint32_t sub, float operand[ROWS * COLUMNS]) {
    for (uint32_t i = 0; i < ROWS * COLUMNS; i++)
        operand[i] = (random_unit(SEED, STREAM_INPUT, sub, i) - 0.5f) * 6;
}

static char *function_model(const char *loss) {
    char *text;
    int length = asprintf(
        &text,
        "mdl 1\n"
        "data {\n    source = mnist()\n    field unit = source.unit / 1\n    field label = source.label\n}\n"
        "model function(unit) -> (x, k) {\n    x = unit @ weight([%d, %d])\n    k = unit @ weight([%d, %d])\n}\n"
        "train {\n    loss = %s\n    optimizer = sgd(lr = 1.0)\n    batch = %d\n    epochs = 1\n}\n",
        ROWS, COLUMNS, ROWS, COLUMNS, loss, ROWS);
    assert_true(length > 0);
    return text;
}

/* The name of trainable state number `index`. */
static const char *weight_name(const Graph *graph, uint32_t index) {
    for (uint32_t i = 0; i < graph->symbol_count; i++)
        if (graph->symbols[i].trainable && index-- == 0) return graph->symbols[i].name;
    fail_msg("the model has too few weights");
    return NULL;
}

static void compare_gradient(const TruthSession *s, uint32_t index, const float *before, FILE *file,
                             const char *text) {
    float after[ROWS * COLUMNS];
    /* The program does not have a weight that the loss does not use, and it has no gradient. */
    if (!states_read(s->states, weight_name(s->program->graph, index), after))
        memcpy(after, before, sizeof after);
    for (uint32_t i = 0; i < ROWS * COLUMNS; i++) {
        double expected = next_number(file), got = (double)before[i] - (double)after[i];
        if (!near(got, expected))
            fail_msg("%s: gradient by %s, element %u: %.9g, PyTorch %.9g", text, index ? "k" : "x",
                     i, got, expected);
    }
}

static void compare_function(const char *loss, FILE *file, Backend backend) {
    char *text = function_model(loss);
    TruthSession s = session_open(text, ROWS, backend);
    float operands[2][ROWS * COLUMNS];
    uint8_t classes[ROWS];
    static const uint8_t unit[ROWS][ROWS] = {{1}, {0, 1}, {0, 0, 1}, {0, 0, 0, 1}};
    static const int32_t rows[ROWS] = {0, 1, 2, 3};
    for (uint32_t i = 0; i < 2; i++) {
        draw_operand(2 + i, operands[i]);
        states_write(s.states, weight_name(s.program->graph, i), operands[i]);
    }
    for (uint32_t i = 0; i < ROWS; i++)
        classes[i] = (uint8_t)(random_bits(SEED, STREAM_INPUT, 4, i) % COLUMNS);
    runner_input(s.runner, "label", classes);
    runner_input(s.runner, "unit", unit);
    double got = session_step(&s, rows), expected = next_number(file);
    if (!near(got, expected)) fail_msg("%s: %.9g, PyTorch %.9g", loss, got, expected);
    for (uint32_t i = 0; i < 2; i++) compare_gradient(&s, i, operands[i], file, loss);
    session_close(&s);
    free(text);
}

static void functions_agree_with_pytorch(void **state) {
    (void)state;
    compare_cases("tests/truth/functions.txt", "loss", JIT, compare_function);
}

static void interpreted_functions_agree_with_pytorch(void **state) {
    (void)state;
    compare_cases("tests/truth/functions.txt", "loss", REFERENCE, compare_function);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_agree_with_pytorch),
        cmocka_unit_test(interpreted_losses_agree_with_pytorch),
        cmocka_unit_test(functions_agree_with_pytorch),
        cmocka_unit_test(interpreted_functions_agree_with_pytorch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
