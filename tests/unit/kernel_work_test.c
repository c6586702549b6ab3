/* The work of kernels, and bounds of their time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/results/measure.h"
#include "tests/support/plan_fixture.h"

enum { ROWS = 8, COLUMNS = 16, COUNT = ROWS * COLUMNS };

static void divisions_and_roots_are_counted(void **state) {
    (void)state;
    Shape shape = shape_of(2, (int64_t[]){ROWS, COLUMNS});
    NodeId a = graph_input(graph, SYMBOL_VALUE, "a", DTYPE_F32, shape),
           b = graph_input(graph, SYMBOL_VALUE, "b", DTYPE_F32, shape);
    NodeId root = build_unary(graph, OP_sqrt, a);
    graph_output(graph, "y",
                 build_binary(graph, OP_add, build_binary(graph, OP_div, root, b), root));
    const Plan *plan = compile();
    assert_int_equal(plan->kernel_count, 1);
    KernelWork work = kernel_work(plan, &plan->kernels[0]);
    assert_true(work.operations == 3 * COUNT);
    assert_true(work.divisions == (double)COUNT);
    assert_true(work.roots == (double)COUNT);
    assert_true(work.stored == COUNT * sizeof(float));
    assert_true(work.bytes == 3 * COUNT * sizeof(float));
}

static NodeId rows_of(NodeId a, int64_t first, int64_t end) {
    return build_slice(graph, a, (int64_t[]){first, 0}, (int64_t[]){end, COLUMNS}, NULL);
}

/* The sum of one row: the other rows are not read. */
static void rows_beside_a_slice_are_not_counted(void **state) {
    (void)state;
    NodeId a = graph_input(graph, SYMBOL_VALUE, "a", DTYPE_F32,
                           shape_of(2, (int64_t[]){ROWS, COLUMNS})),
           row = rows_of(build_unary(graph, OP_sqrt, a), 2, 3);
    graph_output(graph, "y", build_reduce(graph, OP_sum, row, 1, false));
    const Plan *plan = compile();
    assert_int_equal(plan->kernel_count, 1);
    KernelWork work = kernel_work(plan, &plan->kernels[0]);
    assert_true(work.bytes == (COLUMNS + 1) * sizeof(float));
    assert_true(work.roots == (double)COLUMNS);
}

static void two_slices_are_counted(void **state) {
    (void)state;
    NodeId a =
        graph_input(graph, SYMBOL_VALUE, "a", DTYPE_F32, shape_of(2, (int64_t[]){ROWS, COLUMNS}));
    graph_output(graph, "y", build_binary(graph, OP_add, rows_of(a, 0, 2), rows_of(a, 5, 7)));
    const Plan *plan = compile();
    assert_int_equal(plan->kernel_count, 1);
    KernelWork work = kernel_work(plan, &plan->kernels[0]);
    assert_true(work.bytes == (2 * 2 * COLUMNS + 2 * COLUMNS) * sizeof(float));
}

/* Two threads of a machine that reads at half the speed at which it reads and writes. */
static Machine machine_of_two(void) {
    Machine machine = {.peak = {.operations = 1000, .divisions = 100, .roots = 50}};
    for (int level = 0; level < MEASURE_LEVELS; level++) {
        machine.together.any[level] = 4000, machine.together.reading[level] = 2000;
        machine.alone.any[level] = 2000, machine.alone.reading[level] = 1000;
    }
    return machine;
}

/* The bound in seconds; the work is that of one second of some unit of the machine, or a little
 * less. */
static void assert_bound(KernelWork work, uint32_t threads, double seconds) {
    Machine machine = machine_of_two();
    assert_true(work_bound(work, &machine, threads, 2) == seconds);
}

static void the_slowest_unit_is_the_bound(void **state) {
    (void)state;
    assert_bound((KernelWork){.operations = 1000, .bytes = 400}, 2, 1);
    assert_bound((KernelWork){.operations = 1000, .bytes = 400}, 1, 2);
    assert_bound((KernelWork){.operations = 1000, .divisions = 200}, 2, 2);
    assert_bound((KernelWork){.operations = 1000, .roots = 200}, 2, 4);
    assert_bound((KernelWork){.operations = 1000, .divisions = 200, .roots = 200}, 2, 6);
    assert_bound((KernelWork){.operations = 1000, .bytes = 8000, .stored = 4000}, 2, 2);
    assert_bound((KernelWork){.operations = 1000, .bytes = 8000, .stored = 8000}, 2, 2);
    assert_bound((KernelWork){.operations = 1000, .bytes = 8000}, 2, 4);
    assert_bound((KernelWork){.operations = 1000, .bytes = 8000}, 1, 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(divisions_and_roots_are_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rows_beside_a_slice_are_not_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_slices_are_counted, set_up, tear_down),
        cmocka_unit_test(the_slowest_unit_is_the_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
