/* Fusion: which operations share a kernel, and which must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/mlp_graph.h"
#include "tests/support/plan_fixture.h"

static uint32_t count_kind(const Plan *plan, KernelKind kind) {
    uint32_t count = 0;
    for (uint32_t k = 0; k < plan->kernel_count; k++) count += plan->kernels[k].kind == kind;
    return count;
}

static void assert_kernels(const Plan *plan, uint32_t maps, uint32_t reductions,
                           uint32_t products) {
    assert_int_equal(count_kind(plan, KERNEL_MAP), maps);
    assert_int_equal(count_kind(plan, KERNEL_REDUCE), reductions);
    assert_int_equal(count_kind(plan, KERNEL_MATMUL), products);
}

static uint32_t count_stores(const Plan *plan, StorageKind kind) {
    uint32_t count = 0;
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        for (uint32_t i = 0; i < plan->kernels[k].store_count; i++)
            count += plan->kernels[k].stores[i].to.kind == kind;
    return count;
}

static Shape matrix(int64_t rows, int64_t columns) {
    return shape_of(2, (int64_t[]){rows, columns});
}
static Shape vector(int64_t n) { return shape_of(1, &n); }
static NodeId input(const char *name, Shape shape) {
    return graph_input(graph, SYMBOL_BATCH, name, DTYPE_F32, shape);
}
static NodeId weight(const char *name, Shape shape) {
    return graph_state(graph, name, DTYPE_F32, shape, (Init){0}, true);
}
static NodeId add(NodeId a, NodeId b) { return build_binary(graph, OP_add, a, b); }
static NodeId times(NodeId a, NodeId b) { return build_binary(graph, OP_mul, a, b); }
static NodeId product(NodeId a, NodeId b) { return build_matmul(graph, a, b, false, false); }
static NodeId negative(NodeId a) { return build_unary(graph, OP_neg, a); }

/* -- products -- */

static void bias_and_relu_join_the_product(void **state) {
    (void)state;
    NodeId x = weight("x", matrix(64, 64)), w = weight("w", matrix(64, 64)),
           b = weight("b", vector(64));
    graph_output(graph, "y", build_unary(graph, OP_relu, add(product(x, w), b)));
    assert_kernels(compile(), 0, 0, 1);
}

/* The backward pass needs the slope of sigmoid, y - y * y. It is one step from y, which is stored
 * anyway, so it is computed again. A value many steps away is stored. */
static void what_follows_from_stored_values_is_not_stored(void **state) {
    (void)state;
    NodeId x = weight("x", matrix(64, 64)), w = weight("w", matrix(64, 64)),
           v = weight("v", matrix(64, 64));
    NodeId y = build_unary(graph, OP_sigmoid, product(x, w)),
           slope = build_ternary(graph, OP_fma, negative(y), y, y);
    graph_output(graph, "z", product(y, v));
    graph_output(graph, "g", times(slope, product(v, x)));
    const Plan *plan = compile();
    assert_kernels(plan, 0, 0, 3);
    assert_int_equal(count_stores(plan, STORAGE_SLAB), 1);
}

/* y and slope are needed by the last kernel; y is also needed by the first one, which has p. Both
 * follow from one number that takes long to compute: that number is stored. */
static const Plan *compile_pair(Op function, Op derivative, NodeId p, NodeId x) {
    NodeId y = build_unary(graph, function, p), slope = build_unary(graph, derivative, p);
    NodeId last = product(product(add(y, x), weight("v", matrix(64, 64))), x);
    graph_output(graph, "g", add(times(y, last), times(slope, last)));
    return compile();
}

static void what_values_follow_from_is_stored(void **state) {
    (void)state;
    NodeId x = weight("x", matrix(64, 64)), w = weight("w", matrix(64, 64));
    const Plan *plan = compile_pair(OP_sigmoid, OP_sigmoid_slope, product(x, w), x);
    assert_kernels(plan, 0, 0, 3);
    assert_int_equal(count_stores(plan, STORAGE_SLAB), 3); /* y + x, its product, the number */
}

static void so_it_is_by_a_map(void **state) {
    (void)state;
    NodeId x = weight("x", matrix(64, 64)), w = weight("w", matrix(64, 64));
    const Plan *plan = compile_pair(OP_tanh, OP_tanh_slope, add(x, w), x);
    assert_kernels(plan, 1, 0, 2);
    assert_int_equal(count_stores(plan, STORAGE_SLAB), 3);
}

/* The sine and the logarithm of p both take long: they are stored, and p is not. */
static void what_takes_long_to_follow_is_stored_itself(void **state) {
    (void)state;
    NodeId x = weight("x", matrix(64, 64)), w = weight("w", matrix(64, 64)),
           v = weight("v", matrix(64, 64));
    NodeId p = build_unary(graph, OP_exp, product(x, w)), y = build_unary(graph, OP_sin, p),
           z = build_unary(graph, OP_log, p);
    NodeId last = product(product(add(add(y, z), x), v), x);
    graph_output(graph, "g", add(times(y, last), times(z, last)));
    const Plan *plan = compile();
    assert_kernels(plan, 0, 0, 3);
    assert_int_equal(count_stores(plan, STORAGE_SLAB), 4); /* y + z + x, its product, y, z */
}

/* The product is needed on its own too: it is stored, and used from the register. */
static void a_product_is_stored_and_used(void **state) {
    (void)state;
    NodeId x = weight("x", matrix(64, 64)), w = weight("w", matrix(64, 64)), p = product(x, w);
    graph_output(graph, "p", p);
    graph_output(graph, "y", negative(p));
    const Plan *plan = compile();
    assert_kernels(plan, 0, 0, 1);
    assert_int_equal(plan->kernels[0].store_count, 2);
    assert_int_equal(plan->slab_bytes, 0);
}

/* The sum of two products joins the kernel of the second product, and reads the first product from
 * memory. */
static void the_sum_of_two_products_joins_one(void **state) {
    (void)state;
    NodeId x = weight("x", matrix(64, 64)), w = weight("w", matrix(64, 64)),
           v = weight("v", matrix(64, 64));
    graph_output(graph, "y", add(product(x, w), product(x, v)));
    const Plan *plan = compile();
    assert_kernels(plan, 0, 0, 2);
    assert_int_equal(count_stores(plan, STORAGE_SLAB), 1);
}

/* y = p + sum(p): the sum needs all of p, so the addition cannot run on a tile of p. */
static void a_sum_over_the_product_is_not_its_epilogue(void **state) {
    (void)state;
    NodeId x = weight("x", matrix(64, 64)), w = weight("w", matrix(64, 64)), p = product(x, w);
    graph_output(graph, "y", add(p, build_reduce(graph, OP_sum, p, 0, false)));
    const Plan *plan = compile();
    assert_int_equal(count_kind(plan, KERNEL_MATMUL), 1);
    assert_int_equal(plan->kernel_count, 3);
}

/* Two products, each followed by a step that needs the other: fusing both would make a cycle. */
static void kernels_do_not_wait_for_each_other(void **state) {
    (void)state;
    NodeId x = weight("x", matrix(64, 64)), p = product(x, x),
           q = build_matmul(graph, x, x, true, false);
    NodeId p_sum = build_broadcast(graph, build_reduce(graph, OP_sum, p, 0, false), matrix(64, 64));
    NodeId q_sum = build_broadcast(graph, build_reduce(graph, OP_sum, q, 0, false), matrix(64, 64));
    graph_output(graph, "a", add(p, q_sum));
    graph_output(graph, "b", add(q, p_sum));
    assert_int_equal(count_kind(compile(), KERNEL_MATMUL), 2);
}

/* Rows of tokens: the product is of a matrix, and everything after it has three dimensions, at the
 * same places. */
static void epilogues_go_on_after_a_reshape(void **state) {
    (void)state;
    Shape tokens = shape_of(3, (int64_t[]){8, 16, 64});
    NodeId x = weight("x", matrix(128, 64)), w = weight("w", matrix(64, 64)),
           position = weight("p", matrix(16, 64));
    NodeId y = add(build_reshape(graph, product(x, w), tokens), position);
    graph_output(graph, "y", negative(y));
    graph_update(graph, weight("s", tokens), y);
    const Plan *plan = compile();
    assert_kernels(plan, 0, 0, 1);
    assert_int_equal(plan->slab_bytes, 0);
}

/* A weight in panels must be updated in its own shape. */
static void a_matrix_is_not_updated_in_another_shape(void **state) {
    (void)state;
    NodeId x = weight("x", matrix(128, 64)), w = weight("w", matrix(64, 64)),
           v = weight("v", matrix(64, 128));
    graph_update(graph, v, add(v, build_reshape(graph, product(x, w), matrix(64, 128))));
    const Plan *plan = compile();
    assert_kernels(plan, 1, 0, 1);
}

/* An epilogue may read other values through views, but its own product only at its own place. */
static void epilogues_read_through_views(void **state) {
    (void)state;
    NodeId x = weight("x", matrix(64, 64)), w = weight("w", matrix(64, 64)),
           v = weight("v", matrix(64, 64));
    graph_output(graph, "y", add(product(x, w), build_transpose(graph, product(x, v), NULL)));
    assert_kernels(compile(), 0, 0, 2);
}

static void an_epilogue_cannot_move_its_product(void **state) {
    (void)state;
    NodeId x = weight("x", matrix(64, 64)), w = weight("w", matrix(64, 64)), p = product(x, w);
    graph_output(graph, "y", add(p, build_transpose(graph, p, NULL)));
    assert_kernels(compile(), 1, 0, 1);
}

/* x @ x^T of a computed x: neither operand is contiguous along the columns, so one gets a
 * transposed copy. */
static void computed_operands_are_transposed_once(void **state) {
    (void)state;
    NodeId x = build_unary(graph, OP_exp, input("x", matrix(64, 48)));
    graph_output(graph, "y", build_matmul(graph, x, x, false, true));
    const Plan *plan = compile();
    assert_kernels(plan, 2, 0, 1);
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        if (plan->kernels[k].root)
            assert_false(graph_node(plan->graph, plan->kernels[k].root)->attrs.matmul.transpose_b);
}

static void gemm_has_no_epilogue(void **state) {
    (void)state;
    NodeId x = input("x", matrix(64, 64)), w = weight("w", matrix(64, 64)), p = product(x, w);
    graph_update(graph, w, add(w, p));
    graph_output(graph, "p", p);
    const Plan *plan = compile_with((PassOptions){.level = 2, .threads = 2, .external_gemm = true});
    assert_int_equal(count_kind(plan, KERNEL_GEMM), 1);
    assert_int_equal(count_kind(plan, KERNEL_MATMUL), 0);
}

/* -- reductions -- */

static void reductions_take_what_is_before_and_after(void **state) {
    (void)state;
    NodeId x = input("x", matrix(64, 512)), b = weight("b", vector(512));
    NodeId sum = build_reduce(graph, OP_sum, times(x, x), 0, false);
    graph_update(graph, b,
                 build_binary(graph, OP_sub, b, times(sum, build_f32(graph, 0.1, (Shape){0}))));
    const Plan *plan = compile();
    assert_kernels(plan, 0, 1, 0);
    assert_int_equal(plan->slab_bytes, 0);
}

/* -- elementwise -- */

/* exp is worth storing for two kernels; a - 1 is cheap enough to compute twice. */
static void expensive_values_are_stored_once(void **state) {
    (void)state;
    NodeId x = input("x", matrix(64, 512)), e = build_unary(graph, OP_exp, x);
    graph_output(graph, "a", build_reduce(graph, OP_sum, e, 0, false));
    graph_output(graph, "b", build_reduce(graph, OP_sum, e, 1, false));
    const Plan *plan = compile();
    assert_kernels(plan, 1, 2, 0);
    assert_int_equal(count_stores(plan, STORAGE_SLAB), 1);
}

/* Several kernels need exp. The first one that computes it at its own index also stores it. */
static void the_first_kernel_stores_for_the_others(void **state) {
    (void)state;
    NodeId x = input("x", matrix(64, 64)), w = weight("w", matrix(64, 64)),
           e = build_unary(graph, OP_exp, x);
    NodeId y = product(add(e, build_f32(graph, 1, (Shape){0})), w);
    graph_output(graph, "y", times(y, e));
    const Plan *plan = compile();
    assert_kernels(plan, 1, 0, 1);
    assert_int_equal(plan->kernels[0].store_count, 2);
}

static void cheap_values_are_computed_again(void **state) {
    (void)state;
    NodeId x = input("x", matrix(64, 512)), d = add(x, build_f32(graph, -1, (Shape){0}));
    graph_output(graph, "a", build_reduce(graph, OP_sum, d, 0, false));
    graph_output(graph, "b", build_reduce(graph, OP_sum, d, 1, false));
    const Plan *plan = compile();
    assert_kernels(plan, 0, 2, 0);
    assert_int_equal(plan->slab_bytes, 0);
}

static void views_are_read_through(void **state) {
    (void)state;
    NodeId x = input("x", matrix(64, 512)), t = build_transpose(graph, x, NULL);
    NodeId part = build_slice(graph, t, (int64_t[]){0, 0}, (int64_t[]){512, 32}, NULL);
    graph_output(graph, "y",
                 negative(build_pad(graph, part, (int64_t[]){0, 1}, (int64_t[]){0, 0})));
    const Plan *plan = compile();
    assert_kernels(plan, 1, 0, 0);
    assert_int_equal(plan->slab_bytes, 0);
}

/* Each level of y = y + transpose(y) would double the work if no value were stored. */
static void views_do_not_multiply_work(void **state) {
    (void)state;
    NodeId y = input("x", matrix(64, 64));
    for (int i = 0; i < 30; i++) y = add(y, build_transpose(graph, y, NULL));
    graph_output(graph, "y", y);
    const Plan *plan = compile();
    assert_in_range(count_stores(plan, STORAGE_SLAB), 7, 30);
}

/* A schedule is a few scalars, computed once a step and not once an element. */
static void scalars_are_computed_once(void **state) {
    (void)state;
    NodeId step = graph_input(graph, SYMBOL_VALUE, "step", DTYPE_F32, (Shape){0}),
           w = weight("w", matrix(512, 512));
    NodeId rate = build_unary(graph, OP_exp, negative(step)),
           scale = build_unary(graph, OP_sqrt, step);
    graph_update(graph, w, times(add(w, rate), scale));
    const Plan *plan = compile();
    assert_kernels(plan, 2, 0, 0);
    assert_int_equal(plan->kernels[0].space.rank, 0);
    assert_int_equal(plan->kernels[0].store_count, 2);
}

/* -- the whole step -- */

/* Four elements share a block of random bits. One kernel over the blocks stores each word, and its
 * users read the words. */
static void random_blocks_are_computed_once(void **state) {
    (void)state;
    NodeId seeds[4];
    static const char *const names[] = {"low", "high", "draw", "row"};
    for (int i = 0; i < 4; i++)
        seeds[i] = graph_input(graph, SYMBOL_VALUE, names[i], DTYPE_I32, (Shape){0});
    NodeId bits = build_random(graph, seeds, &(RandomNumbers){1, 2, 0}, matrix(30, 64));
    NodeId kept = build_binary(graph, OP_lt, bits, build_i32(graph, 0, matrix(30, 64)));
    NodeId x = product(weight("x", matrix(30, 64)), weight("w", matrix(64, 64)));
    graph_output(graph, "y", build_ternary(graph, OP_select, kept, x, negative(x)));
    const Plan *plan = compile();
    assert_kernels(plan, 2, 0, 1); /* keys of the rounds, blocks */
    uint32_t words = 0;
    for (uint32_t k = 0; k < plan->kernel_count; k++)
        if (shape_elements(plan->kernels[k].space) == 30 * 64 / 4)
            words += plan->kernels[k].store_count;
    assert_int_equal(words, 4);
}

static void a_training_step_has_the_kernels_one_writes_by_hand(void **state) {
    (void)state;
    graph_free(graph);
    graph = mlp_graph_mnist(diag);
    const Plan *plan = compile();
    /* 4 forward, 3 input gradients, 4 weight gradients */
    assert_int_equal(count_kind(plan, KERNEL_MATMUL), 11);
    assert_in_range(plan->kernel_count, 20, 26);
    uint32_t barriers = 0;
    for (uint32_t k = 0; k < plan->kernel_count; k++) {
        const Kernel *kernel = &plan->kernels[k];
        barriers += kernel->barrier_before;
        for (uint32_t i = 0; i < kernel->store_count; i++) /* no weight gradient is stored */
            assert_true(kernel->stores[i].to.kind != STORAGE_SLAB || kernel->space.rank < 2 ||
                        kernel->space.dim[0] == 64);
    }
    assert_in_range(barriers, 4, 8);
}

static void the_first_level_fuses_nothing(void **state) {
    (void)state;
    NodeId x = weight("x", matrix(64, 64)), w = weight("w", matrix(64, 64));
    graph_output(graph, "y", negative(add(product(x, w), w)));
    assert_kernels(compile_with((PassOptions){.level = 1, .threads = 2}), 2, 0, 1);
}

/* -- the places of the largest elements -- */

/* The largest elements of x along an axis, and their places along another one (or the same). */
static void largest_and_places(Shape shape, int axis, int other) {
    NodeId x = input("x", shape);
    graph_output(graph, "largest", build_reduce(graph, OP_reduce_max, x, axis, false));
    graph_output(graph, "places", build_reduce(graph, OP_argmax, x, other, false));
}

static void places_are_found_with_the_largest(void **state) {
    (void)state;
    largest_and_places(shape_of(3, (int64_t[]){64, 25, 6}), 1, 1);
    assert_kernels(compile(), 0, 1, 0);
}

static void places_along_another_axis_are_found_alone(void **state) {
    (void)state;
    largest_and_places(shape_of(3, (int64_t[]){4, 4, 6}), 1, 0);
    assert_kernels(compile(), 0, 2, 0);
}

static void places_in_rows_are_found_alone(void **state) {
    (void)state;
    largest_and_places(shape_of(3, (int64_t[]){64, 6, 4}), 2, 2);
    assert_kernels(compile(), 0, 2, 0);
}

static void places_among_many_are_found_alone(void **state) {
    (void)state;
    largest_and_places(shape_of(3, (int64_t[]){64, 26, 6}), 1, 1);
    assert_kernels(compile(), 0, 2, 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(bias_and_relu_join_the_product),
        TEST(what_follows_from_stored_values_is_not_stored),
        TEST(what_values_follow_from_is_stored),
        TEST(so_it_is_by_a_map),
        TEST(what_takes_long_to_follow_is_stored_itself),
        TEST(a_product_is_stored_and_used),
        TEST(the_sum_of_two_products_joins_one),
        TEST(a_sum_over_the_product_is_not_its_epilogue),
        TEST(kernels_do_not_wait_for_each_other),
        TEST(epilogues_go_on_after_a_reshape),
        TEST(a_matrix_is_not_updated_in_another_shape),
        TEST(epilogues_read_through_views),
        TEST(an_epilogue_cannot_move_its_product),
        TEST(computed_operands_are_transposed_once),
        TEST(gemm_has_no_epilogue),
        TEST(reductions_take_what_is_before_and_after),
        TEST(expensive_values_are_stored_once),
        TEST(the_first_kernel_stores_for_the_others),
        TEST(cheap_values_are_computed_again),
        TEST(views_are_read_through),
        TEST(views_do_not_multiply_work),
        TEST(scalars_are_computed_once),
        TEST(random_blocks_are_computed_once),
        TEST(a_training_step_has_the_kernels_one_writes_by_hand),
        TEST(the_first_level_fuses_nothing),
        TEST(places_are_found_with_the_largest),
        TEST(places_along_another_axis_are_found_alone),
        TEST(places_in_rows_are_found_alone),
        TEST(places_among_many_are_found_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
