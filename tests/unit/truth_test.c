/* mlc against PyTorch: the losses of models/mnist.mdl for every optimizer, and values and gradients of single functions. The
 * numbers lie in tests/truth, next to the script that made them. Compiled code and the interpreter are compared elsewhere for
 * equal bits; here each must be right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/codegen.h"
#include "frontend/frontend.h"
#include "passes/passes.h"
#include "runtime/runtime.h"

enum { SEED = 42, BATCH = 64, BATCHES = 5, STEPS = 20, PIXELS = 784, ROWS = 4, COLUMNS = 6, THREADS = 2, LINE = 1024 };
typedef enum { JIT, REFERENCE } Backend;

/* A model bound to memory, ready to step. */
typedef struct {
    Diagnostics *diag;
    Model *model;
    Compilation interpreted; /* what the interpreter runs; machine code has its own */
    Program *program;
    States *states;
    Threads *threads;
    Runner *runner;
} Session;

/* MNIST's fields, and "unit": row i is 1 at i. Its product with a weight is the weight's rows, exactly, as rows of a batch. */
static bool give_schema(void *context, const DataSource *source, SourceSchema *schema, Diagnostics *diag) {
    (void)context, (void)source, (void)diag;
    *schema = (SourceSchema){
        .fields = {{"image", DTYPE_U8, {3, {1, 28, 28}}, 0}, {"label", DTYPE_U8, {0}, 0}, {"unit", DTYPE_U8, {1, {ROWS}}, 0}}, .field_count = 3};
    return true;
}

static Program *compile(Session *s, Graph *graph, Backend backend) {
    Compilation compilation = {0};
    PassOptions options = {.level = 2, .threads = THREADS};
    assert_true(passes_run(&compilation, graph, &options, backend == JIT ? PASS_COUNT - 1 : PASS_dce));
    if (backend == JIT) return codegen_compile(compilation.plan, compilation.graph, &(CodegenOptions){.level = 2}, s->diag);
    s->interpreted = compilation;
    return program_interpret(compilation.graph);
}

static void require_no_errors(const Diagnostics *diag) {
    diag_print(diag, stderr);
    assert_int_equal(diag_errors(diag), 0);
}

static Session session_open(const char *text, uint32_t batch, Backend backend) {
    Session s = {.diag = diag_new()};
    ModelOptions options = {.path = "truth.mdl", .text = text, .length = strlen(text), .schema = give_schema};
    s.model = model_load(&options, s.diag);
    require_no_errors(s.diag);
    s.program = compile(&s, model_graph(s.model, GRAPH_TRAIN, batch, s.diag), backend);
    require_no_errors(s.diag);
    s.threads = threads_new(backend == JIT ? THREADS : 1);
    s.states = states_new();
    assert_true(states_bind(s.states, s.program, s.diag));
    states_initialize(s.states, SEED);
    s.runner = runner_new(s.program, s.states, s.threads, s.diag);
    require_no_errors(s.diag);
    return s;
}

static void session_close(Session *s) {
    runner_free(s->runner);
    states_free(s->states);
    threads_free(s->threads);
    program_free(s->program);
    compilation_free(&s->interpreted);
    model_free(s->model);
    diag_free(s->diag);
}

static float session_step(Session *s, const int32_t *rows) {
    runner_step(s->runner, rows);
    return *(const float *)runner_output(s->runner, "loss");
}

/* -- files -- */

static FILE *open_truth(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, MLC_SOURCE_DIR "/%s", name);
    FILE *file = fopen(path, "r");
    if (!file) fail_msg("cannot open %s", path);
    return file;
}

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

/* The next line that begins with `word` and a space: what follows it, without the newline; NULL at the end. */
static const char *next_case(FILE *file, const char *word, char line[LINE]) {
    size_t length = strlen(word);
    while (fgets(line, LINE, file)) {
        if (strncmp(line, word, length) || line[length] != ' ') continue;
        line[strcspn(line, "\n")] = '\0';
        return line + length + 1;
    }
    return NULL;
}

static double next_number(FILE *file) {
    double value;
    assert_int_equal(fscanf(file, "%lf", &value), 1);
    return value;
}

/* -- the network: losses while it is trained -- */

static uint8_t images[BATCHES * BATCH][PIXELS], labels[BATCHES * BATCH];

static void draw_data(void) {
    for (uint32_t i = 0; i < BATCHES * BATCH * PIXELS; i++) {
        uint32_t bits = random_bits(SEED, STREAM_INPUT, 0, i);
        images[i / PIXELS][i % PIXELS] = bits & 3 ? 0 : (uint8_t)(bits >> 24);
    }
    for (uint32_t i = 0; i < BATCHES * BATCH; i++) labels[i] = (uint8_t)(random_bits(SEED, STREAM_INPUT, 1, i) % 10);
}

/* Trains `steps` steps and compares each loss with the file's next lines, of which the first column is PyTorch's f32. */
static void compare_losses(FILE *file, const char *optimizer, Backend backend, int32_t steps) {
    char *text = mnist_with(optimizer);
    Session s = session_open(text, BATCH, backend);
    runner_input(s.runner, "image", images);
    runner_input(s.runner, "label", labels);
    static const int32_t all_steps = STEPS;
    runner_input(s.runner, "steps", &all_steps);
    for (int32_t step = 0; step < steps; step++) {
        int32_t rows[BATCH];
        for (int32_t i = 0; i < BATCH; i++) rows[i] = step % BATCHES * BATCH + i;
        runner_input(s.runner, "step", &step);
        double got = session_step(&s, rows), single = next_number(file), wide = next_number(file);
        if (!(fabs(got - single) <= 1e-5 * single))
            fail_msg("%s, step %d: loss %.9g, PyTorch %.9g (in f64 %.9g)", optimizer, step, got, single, wide);
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
    for (; (optimizer = next_case(file, "optimizer", line)); cases++) compare_losses(file, optimizer, JIT, STEPS);
    fclose(file);
    assert_int_equal(cases, 16);
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

/* 1e-5 relative; beside sums of numbers around 1 that cancel out, absolute. */
static bool near(double got, double expected) { return fabs(got - expected) <= 1e-6 + 1e-5 * fabs(expected); }

static void draw_operand(uint32_t sub, float operand[ROWS * COLUMNS]) {
    for (uint32_t i = 0; i < ROWS * COLUMNS; i++) operand[i] = (random_unit(SEED, STREAM_INPUT, sub, i) - 0.5f) * 6;
}

static char *function_model(const char *loss) {
    char *text;
    int length = asprintf(&text,
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

static void compare_gradient(const Session *s, uint32_t index, const float *before, FILE *file, const char *text) {
    float after[ROWS * COLUMNS];
    /* A weight that the loss does not use is not there and has no gradient. */
    if (!states_read(s->states, weight_name(s->program->graph, index), after)) memcpy(after, before, sizeof after);
    for (uint32_t i = 0; i < ROWS * COLUMNS; i++) {
        double expected = next_number(file), got = (double)before[i] - (double)after[i];
        if (!near(got, expected))
            fail_msg("%s: gradient by %s, element %u: %.9g, PyTorch %.9g", text, index ? "k" : "x", i, got, expected);
    }
}

static void compare_function(const char *loss, FILE *file, Backend backend) {
    char *text = function_model(loss);
    Session s = session_open(text, ROWS, backend);
    float operands[2][ROWS * COLUMNS];
    uint8_t classes[ROWS];
    static const uint8_t unit[ROWS][ROWS] = {{1}, {0, 1}, {0, 0, 1}, {0, 0, 0, 1}};
    static const int32_t rows[ROWS] = {0, 1, 2, 3};
    for (uint32_t i = 0; i < 2; i++) {
        draw_operand(2 + i, operands[i]);
        states_write(s.states, weight_name(s.program->graph, i), operands[i]);
    }
    for (uint32_t i = 0; i < ROWS; i++) classes[i] = (uint8_t)(random_bits(SEED, STREAM_INPUT, 4, i) % COLUMNS);
    runner_input(s.runner, "label", classes);
    runner_input(s.runner, "unit", unit);
    double got = session_step(&s, rows), expected = next_number(file);
    if (!near(got, expected)) fail_msg("%s: %.9g, PyTorch %.9g", loss, got, expected);
    for (uint32_t i = 0; i < 2; i++) compare_gradient(&s, i, operands[i], file, loss);
    session_close(&s);
    free(text);
}

static void compare_functions(Backend backend) {
    FILE *file = open_truth("tests/truth/functions.txt");
    char line[LINE];
    const char *loss;
    int cases = 0;
    for (; (loss = next_case(file, "loss", line)); cases++) compare_function(loss, file, backend);
    fclose(file);
    assert_int_equal(cases, 35);
}

static void functions_agree_with_pytorch(void **state) {
    (void)state;
    compare_functions(JIT);
}

static void interpreted_functions_agree_with_pytorch(void **state) {
    (void)state;
    compare_functions(REFERENCE);
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
