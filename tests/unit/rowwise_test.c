/* The rowwise pass: which kernels it joins, and that a joined kernel computes what the interpreter
 * computes, bit for bit, for rows of all lengths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "codegen/codegen.h"
#include "passes/passes.h"
#include "tests/support/results.h"

enum { ROWS = 48, SEED = 7, STEPS = 2, LEVEL = 2 };

static Shape matrix(int64_t rows, int64_t columns) {
    return (Shape){.rank = 2, .dim = {rows, columns}};
}

static NodeId input(Graph *graph, int64_t length) {
    return graph_input(graph, SYMBOL_BATCH, "x", DTYPE_F32, matrix(ROWS, length));
}

/* exp(x - largest) along the axis */
static NodeId powers(Graph *graph, NodeId x, int axis) {
    NodeId largest = build_reduce(graph, OP_reduce_max, x, axis, true);
    return build_unary(graph, OP_exp, build_binary(graph, OP_sub, x, largest));
}

static NodeId softmax(Graph *graph, NodeId x, int axis) {
    NodeId e = powers(graph, x, axis);
    return build_binary(graph, OP_div, e, build_reduce(graph, OP_sum, e, axis, true));
}

/* (x - mean) / sqrt(variance + 0.001); *mean: of which a row has one */
static NodeId standardized(Graph *graph, NodeId x, int64_t length, NodeId *mean) {
    NodeId count = build_f32(graph, (double)length, (Shape){0});
    *mean = build_binary(graph, OP_div, build_reduce(graph, OP_sum, x, 1, true), count);
    NodeId centred = build_binary(graph, OP_sub, x, *mean);
    NodeId squares = build_binary(graph, OP_mul, centred, centred);
    NodeId variance =
        build_binary(graph, OP_div, build_reduce(graph, OP_sum, squares, 1, true), count);
    NodeId safe = build_binary(graph, OP_add, variance, build_f32(graph, 0.001, (Shape){0}));
    return build_binary(graph, OP_div, centred, build_unary(graph, OP_sqrt, safe));
}

static Compilation compile(Graph *graph, int level, int threads, PassId last) {
    Compilation compilation = {0};
    PassOptions options = {.level = level, .threads = threads};
    assert_true(passes_run(&compilation, graph, &options, last));
    return compilation;
}

static uint32_t count_kind(const Plan *plan, KernelKind kind) {
    uint32_t count = 0;
    for (uint32_t k = 0; k < plan->kernel_count; k++) count += plan->kernels[k].kind == kind;
    return count;
}

typedef struct {
    uint32_t kernels, of_rows;
} Count;

static Count count_kernels(Graph *graph, NodeId y) {
    graph_output(graph, "y", y);
    Diagnostics *diag = graph->diag;
    Compilation compilation = compile(graph, LEVEL, 2, PASS_COUNT - 1);
    const Plan *plan = compilation.plan;
    Count count = {plan->kernel_count, count_kind(plan, KERNEL_ROW)};
    compilation_free(&compilation);
    diag_free(diag);
    return count;
}

static Graph *begin(void) { return graph_new("test", diag_new()); }

static void a_softmax_is_one_kernel(void **state) {
    (void)state;
    Graph *graph = begin();
    Count count = count_kernels(graph, softmax(graph, input(graph, 40), 1));
    assert_int_equal(count.kernels, 1);
    assert_int_equal(count.of_rows, 1);
}

static void few_rows_are_left_alone(void **state) {
    (void)state;
    Graph *graph = begin();
    NodeId x = graph_input(graph, SYMBOL_BATCH, "x", DTYPE_F32, matrix(15, 40));
    assert_int_equal(count_kernels(graph, softmax(graph, x, 1)).of_rows, 0);
}

static void columns_are_not_joined(void **state) {
    (void)state;
    Graph *graph = begin();
    assert_int_equal(count_kernels(graph, softmax(graph, input(graph, 40), 0)).of_rows, 0);
}

/* Rows that would leave many lanes idle, and rows that do not fit registers. */
static void some_lengths_are_left_alone(void **state) {
    (void)state;
    const int64_t lengths[] = {3, 9, 17, 257, 1000};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        Graph *graph = begin();
        NodeId y = softmax(graph, input(graph, lengths[i]), 1);
        assert_int_equal(count_kernels(graph, y).of_rows, 0);
    }
}

/* y = x / (total + total @ w): the product must run after the sum and before the quotient. */
static void no_kernel_lies_on_a_path_between(void **state) {
    (void)state;
    Graph *graph = begin();
    NodeId x = input(graph, 40), total = build_reduce(graph, OP_sum, x, 1, true),
           w = graph_state(graph, "w", DTYPE_F32, matrix(1, 1), (Init){0}, true),
           product = build_matmul(graph, total, w, false, false);
    NodeId both = build_binary(graph, OP_add, total, product);
    assert_int_equal(count_kernels(graph, build_binary(graph, OP_div, x, both)).of_rows, 0);
}

/* The rows are read in another order than they are stored. */
static void other_rows_are_not_joined(void **state) {
    (void)state;
    Graph *graph = begin();
    NodeId e = powers(graph, input(graph, ROWS), 1),
           turned = build_transpose(graph, build_reduce(graph, OP_sum, e, 1, true), NULL);
    NodeId y = build_binary(graph, OP_mul, e, turned);
    graph_output(graph, "y", y);
    Compilation compilation = compile(graph, LEVEL, 2, PASS_COUNT - 1);
    const Plan *plan = compilation.plan;
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        for (uint32_t i = 0; i < plan->kernels[k].node_count; i++)
            assert_false(plan->kernels[k].kind == KERNEL_ROW &&
                         plan->kernels[k].nodes[i] == turned);
    Diagnostics *diag = compilation.graph->diag;
    compilation_free(&compilation);
    diag_free(diag);
}

/* -- the same bits -- */

static Graph *all_graph(int64_t length) {
    Graph *graph = begin();
    NodeId x = input(graph, length), mean, y = softmax(graph, x, 1);
    graph_output(graph, "z", standardized(graph, y, length, &mean));
    graph_output(graph, "y", y);
    graph_output(graph, "mean", mean);
    graph_output(graph, "largest", build_reduce(graph, OP_reduce_max, x, 1, false));
    NodeId first = build_slice(graph, x, (int64_t[]){0, 0}, (int64_t[]){ROWS, 1}, NULL);
    NodeId moved = build_binary(graph, OP_sub, x, first);
    NodeId sum = build_reduce(graph, OP_sum, moved, 1, true);
    graph_output(graph, "moved", build_binary(graph, OP_mul, moved, sum));
    return graph;
}

/* threads < 0: small kernels are divided too. */
static void check_code(const RunResults *expected, int64_t length, int threads, const char *cpu) {
    Compilation compilation = compile(all_graph(length), LEVEL, -threads, PASS_COUNT - 1);
    Diagnostics *diag = compilation.graph->diag;
    assert_true(count_kind(compilation.plan, KERNEL_ROW) >= 1);
    Program *program = codegen_compile(compilation.plan, compilation.graph,
                                       &(CodegenOptions){.level = LEVEL, .cpu = cpu}, diag);
    diag_print(diag, stderr);
    assert_non_null(program);
    RunResults *got = results_run(program, SEED, STEPS, threads);
    const char *difference = results_difference(expected, got, 0);
    if (difference) fail_msg("length %lld: %s", (long long)length, difference);
    results_free(got);
    program_free(program);
    diag_free(diag);
}

static void check_length(int64_t length, const char *cpu) {
    Compilation compilation = compile(all_graph(length), 0, 1, PASS_functions);
    Diagnostics *diag = compilation.graph->diag;
    Program *reference = program_interpret(compilation.graph);
    RunResults *expected = results_run(reference, SEED, STEPS, 1);
    check_code(expected, length, 1, NULL);
    check_code(expected, length, 3, cpu);
    results_free(expected);
    program_free(reference);
    compilation_free(&compilation);
    diag_free(diag);
}

static void joined_kernels_equal_the_interpreter(void **state) {
    (void)state;
    const int64_t lengths[] = {10, 15, 16, 28, 40, 64, 100, 256};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        check_length(lengths[i], i % 2 ? NULL : "x86-64");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_softmax_is_one_kernel),
        cmocka_unit_test(few_rows_are_left_alone),
        cmocka_unit_test(columns_are_not_joined),
        cmocka_unit_test(some_lengths_are_left_alone),
        cmocka_unit_test(no_kernel_lies_on_a_path_between),
        cmocka_unit_test(other_rows_are_not_joined),
        cmocka_unit_test(joined_kernels_equal_the_interpreter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
