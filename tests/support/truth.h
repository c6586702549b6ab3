/* Used by the tests against PyTorch: a model bound to memory and ready to step, and functions that
 * read tests/truth. */
#ifndef MLC_TESTS_TRUTH_H
#define MLC_TESTS_TRUTH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "codegen/codegen.h"
#include "frontend/model/model.h"
#include "passes/passes.h"
#include "runtime/program/run.h"

enum { SEED = 42, ROWS = 4, COLUMNS = 6, THREADS = 2, LINE = 1024 };
typedef enum { JIT, REFERENCE } Backend;

/* A model bound to memory, ready to step. */
typedef struct {
    Diagnostics *diag;
    Model *model;
    Compilation interpreted; /* for the interpreter; machine code has its own */
    Program *program;
    States *states;
    Threads *threads;
    Runner *runner;
} TruthSession;

/* MNIST's fields, and "unit": row i is 1 at i. Its product with a weight has exactly the weight's
 * rows. */
static inline bool give_schema(void *context, const DataSource *source, const SplitRequest *request,
                               Arena *arena, SourceSchema *schema, Diagnostics *diag) {
    static const SourceField all[] = {{.name = "image", .dtype = DTYPE_U8, .row = {3, {1, 28, 28}}},
                                      {.name = "label", .dtype = DTYPE_U8},
                                      {.name = "unit", .dtype = DTYPE_U8, .row = {1, {ROWS}}}};
    (void)context, (void)source, (void)request, (void)arena, (void)diag;
    *schema = (SourceSchema){.fields = all, .field_count = 3};
    return true;
}

static inline Program *compile(TruthSession *s, Graph *graph, Backend backend) {
    Compilation compilation = {0};
    PassOptions options = {.level = 2, .threads = THREADS};
    assert_true(
        passes_run(&compilation, graph, &options, backend == JIT ? PASS_COUNT - 1 : PASS_dce));
    if (backend == JIT)
        return codegen_compile(compilation.plan, compilation.graph, &(CodegenOptions){.level = 2},
                               s->diag);
    s->interpreted = compilation;
    return program_interpret(compilation.graph);
}

static inline void require_no_errors(const Diagnostics *diag) {
    diag_print(diag, stderr);
    assert_int_equal(diag_errors(diag), 0);
}

static inline TruthSession session_open(const char *text, uint32_t batch, Backend backend) {
    TruthSession s = {.diag = diag_new()};
    ModelOptions options = {
        .path = "truth.mdl", .text = text, .length = strlen(text), .schema = give_schema};
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

static inline void session_close(TruthSession *s) {
    runner_free(s->runner);
    states_free(s->states);
    threads_free(s->threads);
    program_free(s->program);
    compilation_free(&s->interpreted);
    model_free(s->model);
    diag_free(s->diag);
}

static inline float session_step(TruthSession *s, const int32_t *rows) {
    runner_step(s->runner, rows);
    return *(const float *)runner_output(s->runner, "loss");
}

/* -- files -- */

static inline FILE *open_truth(const char *name) {
    char path[4096];
    snprintf(path, sizeof path, MLC_SOURCE_DIR "/%s", name);
    FILE *file = fopen(path, "r");
    if (!file) fail_msg("cannot open %s", path);
    return file;
}

/* Finds the next line that begins with `word` and a space. Returns the rest of the line without the
 * newline; NULL at the end. */
static inline const char *next_case(FILE *file, const char *word, char line[LINE]) {
    size_t length = strlen(word);
    while (fgets(line, LINE, file)) {
        if (strncmp(line, word, length) || line[length] != ' ') continue;
        line[strcspn(line, "\n")] = '\0';
        return line + length + 1;
    }
    return NULL;
}

static inline double next_number(FILE *file) {
    double value;
    assert_int_equal(fscanf(file, "%lf", &value), 1);
    return value;
}

/* Calls `compare` for each case of a file: a line that begins with `word`. `compare` reads the
 * numbers that follow. */
static inline void compare_cases(const char *name, const char *word, Backend backend,
                                 void (*compare)(const char *text, FILE *file, Backend backend)) {
    FILE *file = open_truth(name);
    char line[LINE];
    const char *text;
    int cases = 0;
    for (; (text = next_case(file, word, line)); cases++) compare(text, file, backend);
    fclose(file);
    assert_true(cases > 0);
}

/* Within 1e-5, relative to the expected value; absolute if it is below 1, as when sums of numbers
 * around 1 cancel out. */
static inline bool near(double got, double expected) {
    return fabs(got - expected) <= 1e-6 + 1e-5 * fabs(expected);
}

#endif
