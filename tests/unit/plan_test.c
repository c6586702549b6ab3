/* The plan: layouts, and plans of small graphs under the plan checker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "passes/passes.h"
#include "tests/support/mlp_graph.h"
#include "passes/plan/plan_verify.h"
#include "tests/support/random_graph.h"

#include <stdlib.h>

static Shape matrix(int64_t rows, int64_t columns) {
    return shape_of(2, (int64_t[]){rows, columns});
}

/* -- layouts -- */

static void plain_is_row_major(void **state) {
    (void)state;
    Shape shape = shape_of(3, (int64_t[]){2, 3, 4});
    assert_int_equal(layout_offset((Layout){0}, shape, (int64_t[]){1, 2, 3}), 23);
    assert_int_equal(layout_offset((Layout){0}, (Shape){0}, NULL), 0);
    assert_int_equal(layout_bytes((Layout){0}, DTYPE_U8, shape), 24);
    assert_int_equal(layout_bytes((Layout){0}, DTYPE_F32, (Shape){0}), 4);
}

static void panels_follow_their_formula(void **state) {
    (void)state;
    Layout layout = {.kind = LAYOUT_PANEL, .axis = 0, .width = 32};
    Shape shape = matrix(70, 5);
    assert_int_equal(layout_bytes(layout, DTYPE_F32, shape), 96 * 5 * 4);
    assert_int_equal(layout_offset(layout, shape, (int64_t[]){0, 1}), 32);
    assert_int_equal(layout_offset(layout, shape, (int64_t[]){33, 2}), 1 * 5 * 32 + 2 * 32 + 1);
    layout.axis = 1;
    assert_int_equal(layout_bytes(layout, DTYPE_F32, shape), 32 * 70 * 4);
    assert_int_equal(layout_offset(layout, shape, (int64_t[]){69, 4}), 69 * 32 + 4);
    layout = (Layout){.kind = LAYOUT_PANEL, .axis = 0, .width = 4, .fours = true};
    assert_int_equal(layout_bytes(layout, DTYPE_I8, shape), 72 * 8);
    assert_int_equal(layout_offset(layout, shape, (int64_t[]){5, 2}), 4 * 8 + 4 + 1);
    assert_int_equal(layout_offset(layout, shape, (int64_t[]){3, 4}), 4 * 4 + 3 * 4);
}

/* Every element has a place of its own inside the bytes of the layout. */
static void offsets_are_distinct(void **state) {
    (void)state;
    const Layout layouts[] = {{0},
                              {.kind = LAYOUT_PANEL, .axis = 0, .width = 16},
                              {.kind = LAYOUT_PANEL, .axis = 1, .width = 32},
                              {.kind = LAYOUT_PANEL, .axis = 1, .width = 4, .fours = true}};
    Shape shape = matrix(37, 41);
    for (size_t l = 0; l < 4; l++) {
        size_t count = layout_bytes(layouts[l], DTYPE_U8, shape);
        bool *taken = calloc(count, 1);
        for (int64_t i = 0; i < 37 * 41; i++) {
            int64_t at = layout_offset(layouts[l], shape, (int64_t[]){i / 41, i % 41});
            assert_in_range(at, 0, count - 1);
            assert_false(taken[at]);
            taken[at] = true;
        }
        free(taken);
    }
}

static void layouts_compare(void **state) {
    (void)state;
    assert_true(layout_equal((Layout){0}, (Layout){.kind = LAYOUT_PLAIN, .axis = 1, .width = 16}));
    assert_false(layout_equal((Layout){0}, (Layout){.kind = LAYOUT_PANEL, .axis = 0, .width = 16}));
    assert_false(layout_equal((Layout){.kind = LAYOUT_PANEL, .axis = 1, .width = 16},
                              (Layout){.kind = LAYOUT_PANEL, .axis = 0, .width = 16}));
    assert_false(layout_equal((Layout){.kind = LAYOUT_PANEL, .axis = 0, .width = 32},
                              (Layout){.kind = LAYOUT_PANEL, .axis = 0, .width = 16}));
    assert_false(
        layout_equal((Layout){.kind = LAYOUT_PANEL, .axis = 0, .width = 4},
                     (Layout){.kind = LAYOUT_PANEL, .axis = 0, .width = 4, .fours = true}));
}

/* -- plans -- */

static Graph *begin(void) { return graph_new("test", diag_new()); }

static bool is_right(const Plan *plan) {
    char wrong[PLAN_FAULT];
    return plan_verify(plan, true, wrong);
}

enum { GPU = 1000 }; /* instead of a number of threads */

static Compilation compile(Graph *graph, int level, int threads) {
    Compilation compilation = {0};
    PassOptions options = {.level = level, .threads = threads, .on_gpu = threads == GPU};
    assert_true(passes_run(&compilation, graph, &options, PASS_COUNT - 1));
    char wrong[PLAN_FAULT];
    if (!plan_verify(compilation.plan, true, wrong)) {
        plan_print(compilation.plan, stderr);
        fail_msg("%s", wrong);
    }
    return compilation;
}

static void finish(Compilation *compilation) {
    Diagnostics *diag = compilation->graph->diag;
    compilation_free(compilation);
    diag_free(diag);
}

static NodeId f32_state(Graph *graph, const char *name, Shape shape) {
    return graph_state(graph, name, DTYPE_F32, shape, (Init){0}, true);
}

/* Compiles the graph that `build` makes at every level, for 1 and 3 threads. The verifier checks
 * the plans. */
static void check_all(void (*build)(Graph *)) {
    for (int level = 0; level <= 3; level++)
        for (int i = 0; i < 5; i++) {
            static const int threads[] = {-3, -1, 1, 3, GPU};
            Graph *graph = begin();
            build(graph);
            Compilation compilation = compile(graph, level, threads[i]);
            finish(&compilation);
        }
}

static void build_swap(Graph *graph) {
    NodeId a = f32_state(graph, "a", matrix(300, 500)), b = f32_state(graph, "b", matrix(300, 500));
    graph_update(graph, a, b);
    graph_update(graph, b, a);
    graph_output(graph, "a", a);
}

static void states_may_exchange_values(void **state) {
    (void)state;
    check_all(build_swap);
}

static void build_crossed(Graph *graph) {
    NodeId a = f32_state(graph, "a", matrix(300, 500)), b = f32_state(graph, "b", matrix(500, 300));
    graph_update(graph, a, build_transpose(graph, b, NULL));
    graph_update(graph, b, build_transpose(graph, a, NULL));
}

static void states_may_exchange_values_across_kernels(void **state) {
    (void)state;
    check_all(build_crossed);
}

static void build_self_transpose(Graph *graph) {
    NodeId a = f32_state(graph, "a", matrix(400, 400));
    graph_update(graph, a, build_binary(graph, OP_add, a, build_transpose(graph, a, NULL)));
}

static void a_state_read_elsewhere_is_not_updated_in_place(void **state) {
    (void)state;
    check_all(build_self_transpose);
}

static void build_leaves(Graph *graph) {
    NodeId x = graph_input(graph, SYMBOL_BATCH, "x", DTYPE_F32, matrix(8, 20));
    NodeId ones = build_f32(graph, 1, matrix(20, 8)), w = f32_state(graph, "w", matrix(8, 8));
    NodeId count = graph_state(graph, "count", DTYPE_I32, (Shape){0}, (Init){0}, false);
    graph_output(graph, "x", x);
    graph_output(graph, "flat", build_reshape(graph, x, shape_of(1, (int64_t[]){160})));
    graph_output(graph, "ones", ones);
    graph_output(graph, "product", build_matmul(graph, x, ones, false, false));
    graph_output(graph, "same", build_matmul(graph, x, ones, false, false));
    graph_update(graph, w, build_f32(graph, 3, matrix(8, 8)));
    graph_update(graph, count, build_binary(graph, OP_add, count, build_i32(graph, 1, (Shape){0})));
    graph_output(graph, "count", count);
}

static void leaves_may_be_outputs_updates_and_operands(void **state) {
    (void)state;
    check_all(build_leaves);
}

static void build_reshapes(Graph *graph) {
    NodeId x = graph_input(graph, SYMBOL_BATCH, "x", DTYPE_F32, matrix(32, 128));
    NodeId w = f32_state(graph, "w", matrix(32, 64)),
           v = f32_state(graph, "v", shape_of(1, (int64_t[]){2048}));
    NodeId y = build_unary(graph, OP_sqrt, build_reshape(graph, x, matrix(64, 64)));
    NodeId half = build_reshape(graph, build_matmul(graph, y, y, false, false), matrix(128, 32));
    NodeId z = build_slice(graph, half, (int64_t[]){0, 0}, (int64_t[]){64, 32}, NULL);
    graph_update(graph, w, build_reshape(graph, z, matrix(32, 64)));
    graph_update(graph, v, build_reshape(graph, w, shape_of(1, (int64_t[]){2048})));
    graph_output(graph, "half", half);
    graph_output(graph, "z", build_reshape(graph, z, shape_of(1, (int64_t[]){2048})));
}

static void reshapes_share_memory(void **state) {
    (void)state;
    check_all(build_reshapes);
}

/* -- random graphs, at every level, for one thread, three, three even where it does not pay, and for a
 * GPU -- */

/* Two chains of sums along alternating axes, [300,300] each, that do not need each other. */
enum { CHAIN = 6 };
static Graph *two_chains(void) {
    Graph *graph = begin();
    for (int c = 0; c < 2; c++) {
        NodeId x = graph_input(graph, SYMBOL_VALUE, c ? "a" : "b", DTYPE_F32, matrix(300, 300));
        for (int i = 0; i < CHAIN; i++)
            x = build_broadcast(graph, build_reduce(graph, OP_sum, x, i % 2, true),
                                matrix(300, 300));
        graph_output(graph, c ? "a" : "b", x);
    }
    return graph;
}

static void plans_of_random_graphs_are_right(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        static const int threads[] = {1, 3, -3, GPU};
        for (int level = 0; level <= 2; level++)
            for (int i = 0; i < 4; i++) {
                Compilation compilation =
                    compile(random_graph(seed, diag_new()), level, threads[i]);
                finish(&compilation);
            }
    }
}

/* Where all threads share each kernel, a barrier stands before each kernel that reads what another
 * has computed since the last one, and no kernel waits for the memory of a value. */
static void kernels_of_gpus_wait_for_values_only(void **state) {
    (void)state;
    Compilation compilation = compile(two_chains(), 2, GPU);
    const Plan *plan = compilation.plan;
    uint32_t barriers = 0;
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        assert_true(plan->kernels[k].max_threads > 1);
        assert_false(plan->kernels[k].replicated || plan->kernels[k].by_rows);
        barriers += plan->kernels[k].barrier_before;
    }
    assert_int_equal(plan->kernel_count, 2 * CHAIN + 1); /* the last one broadcasts both */
    assert_int_equal(barriers, CHAIN);
    finish(&compilation);
}

/* -- the checker itself: every barrier and place of a real plan matters -- */

static Compilation compile_mnist(int threads) {
    Diagnostics *diag = diag_new();
    return compile(mlp_graph_mnist(diag), 2, threads);
}

static void a_missing_barrier_is_noticed(void **state) {
    (void)state;
    Compilation compilation = compile_mnist(2);
    uint32_t barriers = 0;
    for (uint32_t k = 0; k < compilation.plan->kernel_count; k++) {
        if (!compilation.plan->kernels[k].barrier_before) continue;
        compilation.plan->kernels[k].barrier_before = false;
        assert_false(is_right(compilation.plan));
        compilation.plan->kernels[k].barrier_before = true;
        barriers++;
    }
    assert_in_range(barriers, 4, 20);
    finish(&compilation);
}

static void one_thread_needs_no_barrier(void **state) {
    (void)state;
    Compilation compilation = compile_mnist(1);
    for (uint32_t k = 0; k < compilation.plan->kernel_count; k++)
        assert_false(compilation.plan->kernels[k].barrier_before);
    finish(&compilation);
}

/* On one thread, kernels run in order and need no barrier to reuse memory: of a chain of products
 * two are alive at a time. */
static void one_thread_reuses_memory(void **state) {
    (void)state;
    enum { SIZE = 64, LENGTH = 8 };
    Graph *graph = begin();
    Shape square = shape_of(2, (int64_t[]){SIZE, SIZE});
    NodeId x = graph_input(graph, SYMBOL_BATCH, "x", DTYPE_F32, square),
           w = f32_state(graph, "w", square);
    for (int i = 0; i < LENGTH; i++) x = build_matmul(graph, x, w, false, true);
    graph_output(graph, "y", x);
    Compilation compilation = compile(graph, 2, 1);
    assert_int_equal(compilation.plan->slab_bytes, 2 * SIZE * SIZE * sizeof(float));
    finish(&compilation);
}

/* A thread takes a large kernel in several pieces. A kernel that looks for zeros is not cut,
 * because each piece would look again. */
static void large_kernels_are_cut(void **state) {
    (void)state;
    Compilation compilation = compile_mnist(2);
    uint32_t cut = 0, looking = 0;
    for (uint32_t k = 0; k < compilation.plan->kernel_count; k++) {
        const Kernel *kernel = &compilation.plan->kernels[k];
        if (kernel->product.skips_zeros) assert_int_equal(kernel->pieces, 1);
        looking += kernel->product.skips_zeros;
        cut += kernel->max_threads == 2 && kernel->pieces > 1;
    }
    assert_int_equal(looking, 2);
    assert_in_range(cut, 3, 12);
    finish(&compilation);
}

/* -- kernels that every thread does for itself -- */

static uint32_t count_own(const Plan *plan) {
    uint32_t count = 0;
    for (uint32_t k = 0; k < plan->kernel_count; k++) count += plan->kernels[k].replicated;
    return count;
}

/* The first replicated kernel: every thread computes it for itself. */
static Kernel *first_own(const Plan *plan) {
    uint32_t k = 0;
    while (!plan->kernels[k].replicated) k++;
    return &plan->kernels[k];
}

static void every_thread_gathers_for_itself(void **state) {
    (void)state;
    Compilation compilation = compile_mnist(2);
    assert_int_equal(count_own(compilation.plan), 1);
    const Kernel *gather = first_own(compilation.plan);
    assert_true(gather->replicated && !gather->barrier_before && gather->stores[0].to.replicated);
    assert_int_equal(compilation.plan->thread_slab_bytes, 64 * 784 * sizeof(float));
    finish(&compilation);
    compilation = compile_mnist(1);
    assert_int_equal(count_own(compilation.plan), 0);
    assert_int_equal(compilation.plan->thread_slab_bytes, 0);
    finish(&compilation);
}

/* A large batch would fill the cache of every core, so it is gathered once. */
static void large_batches_are_gathered_once(void **state) {
    (void)state;
    const int64_t widths[] = {784, 512, 10};
    Compilation compilation =
        compile(mlp_graph(&(MlpShape){256, widths, 2, true}, diag_new()), 2, 2);
    assert_int_equal(count_own(compilation.plan), 0);
    finish(&compilation);
}

static void a_wrong_own_kernel_is_noticed(void **state) {
    (void)state;
    Compilation compilation = compile_mnist(2);
    Kernel *kernels = compilation.plan->kernels;
    uint32_t reader = 1;
    while (!kernels[reader].reads_replicated) reader++;
    kernels[reader].reads_replicated = false;
    assert_false(is_right(compilation.plan));
    kernels[reader].reads_replicated = true;
    Kernel *gather = first_own(compilation.plan);
    gather->replicated = false;
    assert_false(is_right(compilation.plan));
    gather->replicated = true;
    kernels[reader].replicated = true;
    assert_false(is_right(compilation.plan));
    kernels[reader].replicated = false;
    assert_true(is_right(compilation.plan));
    finish(&compilation);
}

/* -- kernels by rows -- */

static Compilation compile_narrow(int64_t batch) {
    const int64_t widths[] = {784, 77, 33, 10};
    return compile(mlp_graph(&(MlpShape){batch, widths, 3, true}, diag_new()), 2, 2);
}

static uint32_t count_barriers(const Plan *plan) {
    uint32_t count = 0;
    for (uint32_t k = 0; k < plan->kernel_count; k++) count += plan->kernels[k].barrier_before;
    return count;
}

static uint32_t count_by_rows(const Plan *plan) {
    uint32_t count = 0;
    for (uint32_t k = 0; k < plan->kernel_count; k++) count += plan->kernels[k].by_rows;
    return count;
}

/* Rows pass through all layers and back before the sums over them need a barrier. */
static void narrow_layers_need_one_barrier(void **state) {
    (void)state;
    Compilation compilation = compile_narrow(64);
    assert_int_equal(count_barriers(compilation.plan), 1);
    assert_in_range(count_by_rows(compilation.plan), 8, 16);
    finish(&compilation);
}

static void odd_batches_are_not_shared_by_rows(void **state) {
    (void)state;
    Compilation compilation = compile_narrow(60);
    assert_int_equal(count_by_rows(compilation.plan), 0);
    finish(&compilation);
}

/* A kernel that reads rows of other threads needs a barrier: here each kernel of the chain sums
 * over the batch. */
static NodeId chain_begin(Graph *graph) {
    NodeId x = graph_input(graph, SYMBOL_BATCH, "x", DTYPE_F32, matrix(64, 700)),
           w = f32_state(graph, "w", matrix(700, 90));
    return build_unary(graph, OP_sqrt, build_matmul(graph, x, w, false, false));
}

static uint32_t barriers_of(Graph *graph, NodeId result) {
    graph_output(graph, "y", result);
    Compilation compilation = compile(graph, 2, 2);
    uint32_t barriers = count_barriers(compilation.plan);
    finish(&compilation);
    return barriers;
}

static void other_rows_need_a_barrier(void **state) {
    (void)state;
    Graph *graph = begin();
    NodeId y = chain_begin(graph);
    NodeId v = f32_state(graph, "v", matrix(90, 70));
    assert_int_equal(barriers_of(graph, build_matmul(graph, y, v, false, false)), 0);
    graph = begin();
    y = chain_begin(graph);
    assert_int_equal(barriers_of(graph, build_reduce(graph, OP_sum, y, 1, false)), 0);
    graph = begin();
    y = chain_begin(graph);
    assert_int_equal(barriers_of(graph, build_reduce(graph, OP_sum, y, 0, false)), 1);
    graph = begin();
    y = chain_begin(graph);
    NodeId square = f32_state(graph, "square", matrix(64, 64));
    assert_in_range(barriers_of(graph, build_matmul(graph, square, y, false, false)), 1, 2);
}

static void a_missing_store_is_noticed(void **state) {
    (void)state;
    Compilation compilation = compile_mnist(2);
    for (uint32_t k = 0; k < compilation.plan->kernel_count; k++) {
        compilation.plan->kernels[k].store_count--;
        assert_false(is_right(compilation.plan));
        compilation.plan->kernels[k].store_count++;
    }
    assert_true(is_right(compilation.plan));
    finish(&compilation);
}

static void kernels_out_of_order_are_noticed(void **state) {
    (void)state;
    Compilation compilation = compile_mnist(1);
    Kernel *kernels = compilation.plan->kernels, last = kernels[compilation.plan->kernel_count - 1];
    kernels[compilation.plan->kernel_count - 1] = kernels[0];
    kernels[0] = last;
    assert_false(is_right(compilation.plan));
    finish(&compilation);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_is_row_major),
        cmocka_unit_test(panels_follow_their_formula),
        cmocka_unit_test(offsets_are_distinct),
        cmocka_unit_test(layouts_compare),
        cmocka_unit_test(states_may_exchange_values),
        cmocka_unit_test(states_may_exchange_values_across_kernels),
        cmocka_unit_test(a_state_read_elsewhere_is_not_updated_in_place),
        cmocka_unit_test(leaves_may_be_outputs_updates_and_operands),
        cmocka_unit_test(reshapes_share_memory),
        cmocka_unit_test(plans_of_random_graphs_are_right),
        cmocka_unit_test(kernels_of_gpus_wait_for_values_only),
        cmocka_unit_test(a_missing_barrier_is_noticed),
        cmocka_unit_test(one_thread_needs_no_barrier),
        cmocka_unit_test(one_thread_reuses_memory),
        cmocka_unit_test(large_kernels_are_cut),
        cmocka_unit_test(every_thread_gathers_for_itself),
        cmocka_unit_test(large_batches_are_gathered_once),
        cmocka_unit_test(a_wrong_own_kernel_is_noticed),
        cmocka_unit_test(narrow_layers_need_one_barrier),
        cmocka_unit_test(odd_batches_are_not_shared_by_rows),
        cmocka_unit_test(other_rows_need_a_barrier),
        cmocka_unit_test(a_missing_store_is_noticed),
        cmocka_unit_test(kernels_out_of_order_are_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
