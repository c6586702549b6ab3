/* Generated code against the interpreter, bit for bit, on graphs given as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "codegen/codegen.h"
#include "ir/ir.h"
#include "passes/passes.h"
#include "../support/mlp_graph.h"
#include "../support/results.h"

#include <string.h>

typedef struct {
    int level, threads;
    const char *cpu;
    bool gemm;
} Setting;

/* The graph after the mandatory passes, interpreted; and the graph compiled at the setting's level. */
static void assert_equal_programs(Graph *(*make)(Diagnostics *, const void *), const void *context, Setting setting) {
    Diagnostics *diag = diag_new();
    PassOptions plain = {.level = 0, .threads = 1}, full = {.level = setting.level, .threads = setting.threads, .external_gemm = setting.gemm};
    Compilation reference, compiled;
    assert_true(passes_run(&reference, make(diag, context), &plain, PASS_functions));
    assert_true(passes_run(&compiled, make(diag, context), &full, (PassId)(PASS_COUNT - 1)));
    CodegenOptions options = {.level = setting.level, .cpu = setting.cpu};
    Program *interpreted = program_interpret(reference.graph);
    Program *program = codegen_compile(compiled.plan, compiled.graph, &options, diag);
    if (!program) diag_print(diag, stderr);
    assert_non_null(program);
    uint32_t steps = setting.gemm ? 1 : 2;
    Results *expected = results_run(interpreted, 7, steps, 1), *got = results_run(program, 7, steps, setting.threads);
    const char *difference = results_difference(expected, got, setting.gemm ? 1e-5 : 0);
    if (difference) print_message("-O%d, %d threads: %s\n", setting.level, setting.threads, difference);
    results_free(expected);
    results_free(got);
    program_free(program);
    program_free(interpreted);
    compilation_free(&reference);
    diag_free(diag);
    assert_null(difference);
}

static Graph *from_text(Diagnostics *diag, const void *text) {
    Graph *graph = graph_read("test", text, strlen(text), diag);
    if (!graph) diag_print(diag, stderr);
    assert_non_null(graph);
    return graph;
}

static Graph *from_shape(Diagnostics *diag, const void *shape) { return mlp_graph(shape, diag); }

static void assert_text(const char *text) {
    static const int threads[] = {1, 3};
    for (int level = 0; level <= 3; level++)
        for (int i = 0; i < 2; i++) assert_equal_programs(from_text, text, (Setting){.level = level, .threads = threads[i]});
}

static void elementwise(void **state) {
    (void)state;
    assert_text("mlc-ir 1\ngraph \"t\"\n"
                "%1 = input f32[7,33] value \"a\"\n%2 = input f32[7,33] value \"b\"\n"
                "%3 = add f32[7,33] %1 %2\n%4 = fma f32[7,33] %3 %1 %2\n%5 = lt bool[7,33] %4 %2\n"
                "%6 = select f32[7,33] %5 %3 %4\n%7 = max f32[7,33] %6 %1\n%8 = convert i32[7,33] %7\n"
                "output \"x\" %7\noutput \"y\" %8\noutput \"z\" %5\n");
}

static void views(void **state) {
    (void)state;
    assert_text("mlc-ir 1\ngraph \"t\"\n"
                "%1 = input f32[5,6,7] value \"a\"\n"
                "%2 = transpose f32[7,5,6] %1 perm=[2,0,1]\n%3 = neg f32[7,5,6] %2\n%4 = reshape f32[35,6] %3\n"
                "%5 = pad f32[40,9] %4 before=[2,1] after=[3,2]\n%6 = slice f32[13,4] %5 start=[1,0] stop=[40,8] step=[3,2]\n"
                "%7 = concat f32[70,6] %4 %4 axis=0\noutput \"x\" %6\noutput \"y\" %5\n");
}

static void narrow_products(void **state) {
    (void)state;
    assert_text("mlc-ir 1\ngraph \"t\"\n"
                "%1 = input f32[9,5] value \"a\"\n%2 = input f32[5,1] value \"b\"\n%3 = input f32[1,5] value \"c\"\n"
                "%4 = matmul f32[9,1] %1 %2\n%5 = matmul f32[1,9] %3 %1 transpose_b\n%6 = matmul f32[1,1] %3 %2\n"
                "output \"x\" %4\noutput \"y\" %5\noutput \"z\" %6\n");
}

static void mlps(void **state) {
    (void)state;
    static const int64_t widths[] = {33, 40, 17, 10};
    MlpShape shape = {.batch = 13, .widths = widths, .layers = 3, .train = true};
    for (int level = 0; level <= 3; level++)
        for (int threads = 1; threads <= 3; threads++)
            assert_equal_programs(from_shape, &shape, (Setting){.level = level, .threads = threads});
    assert_equal_programs(from_shape, &shape, (Setting){.level = 2, .threads = 2, .cpu = "x86-64-v3"});
    shape.batch = 1;
    assert_equal_programs(from_shape, &shape, (Setting){.level = 3, .threads = 2});
}

static void mnist(void **state) {
    (void)state;
    static const int64_t widths[] = {784, 512, 256, 128, 10};
    MlpShape shape = {.batch = 64, .widths = widths, .layers = 4, .train = true};
    assert_equal_programs(from_shape, &shape, (Setting){.level = 3, .threads = 2});
}

/* Forward only: Adam turns the smallest difference of a gradient near zero into a whole step. */
static void openblas(void **state) {
    (void)state;
    static const int64_t widths[] = {33, 40, 17, 10};
    MlpShape shape = {.batch = 13, .widths = widths, .layers = 3};
    assert_equal_programs(from_shape, &shape, (Setting){.level = 2, .threads = 2, .gemm = true});
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(elementwise), cmocka_unit_test(views), cmocka_unit_test(narrow_products), cmocka_unit_test(mlps), cmocka_unit_test(mnist),
                                       cmocka_unit_test(openblas)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
