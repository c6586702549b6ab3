/* States: programs share them by name, with different layouts, and see the same values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "runtime/program/layouts.h"
#include "ir/ops/random.h"
#include "runtime/program/states.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 5, COLUMNS = 70, WEIGHTS = ROWS * COLUMNS };

static const Layout plain = {.kind = LAYOUT_PLAIN, .axis = 0, .width = 0},
                    by_columns = {.kind = LAYOUT_PANEL, .axis = 1, .width = 32},
                    by_rows = {.kind = LAYOUT_PANEL, .axis = 0, .width = 4};

/* A graph with two states; `w` is updated. */
typedef struct {
    Diagnostics *diag;
    Graph *graph;
    States *states;
    Program programs[2]; /* w has two panel layouts in the first, plain order in the second */
} StatesFixture;

static int set_up(void **state) {
    static const PlanState first[] = {{0, {.kind = LAYOUT_PANEL, .axis = 1, .width = 32}},
                                      {0, {.kind = LAYOUT_PANEL, .axis = 0, .width = 4}},
                                      {1, {.kind = LAYOUT_PLAIN, .axis = 0, .width = 0}}};
    static const PlanState second[] = {{0, {.kind = LAYOUT_PLAIN, .axis = 0, .width = 0}}};
    StatesFixture *fixture = calloc(1, sizeof *fixture);
    fixture->diag = diag_new();
    fixture->states = states_new();
    Graph *graph = fixture->graph = graph_new("test", fixture->diag);
    NodeId w = graph_state(graph, "w", DTYPE_F32, shape_of(2, (int64_t[]){ROWS, COLUMNS}),
                           (Init){INIT_UNIFORM, -1, 1}, true);
    graph_state(graph, "b", DTYPE_F32, shape_of(1, (int64_t[]){3}), (Init){INIT_CONSTANT, 0.5f, 0},
                true);
    graph_update(graph, w, build_unary(graph, OP_neg, w));
    fixture->programs[0] = (Program){.graph = graph, .states = first, .state_count = 3};
    fixture->programs[1] = (Program){.graph = graph, .states = second, .state_count = 1};
    *state = fixture;
    return 0;
}

static int tear_down(void **state) {
    StatesFixture *fixture = *state;
    states_free(fixture->states);
    graph_free(fixture->graph);
    diag_free(fixture->diag);
    free(fixture);
    return 0;
}

/* The fast copies put every element where the definition of the layout says, and write no
 * padding. */
static void expect_layout(Layout layout, DType dtype, int64_t rows, int64_t columns) {
    Shape shape = shape_of(2, (int64_t[]){rows, columns});
    size_t size = dtype_bytes(dtype), count = (size_t)(rows * columns),
           room = layout_bytes(layout, dtype, shape);
    char *values = malloc(count * size), *back = malloc(count * size), *stored = malloc(room),
         *expected = malloc(room);
    for (size_t i = 0; i < count * size; i++) values[i] = (char)(i * 37 % 251);
    memset(stored, -1, room);
    memset(expected, -1, room);
    for (int64_t row = 0; row < rows; row++)
        for (int64_t column = 0; column < columns; column++)
            memcpy(expected + (size_t)layout_offset(layout, shape, (int64_t[]){row, column}) * size,
                   values + (size_t)(row * columns + column) * size, size);
    layout_from_plain(layout, dtype, shape, values, stored);
    assert_memory_equal(stored, expected, room);
    layout_to_plain(layout, dtype, shape, stored, back);
    assert_memory_equal(back, values, count * size);
    free(values);
    free(back);
    free(stored);
    free(expected);
}

static void test_layouts(void **state) {
    (void)state;
    const DType dtypes[] = {DTYPE_F32, DTYPE_U8};
    for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++)
        for (int64_t rows = 1; rows <= 9; rows++)
            for (int64_t columns = 1; columns <= 70; columns += columns < 10 ? 1 : 15) {
                expect_layout(plain, dtypes[d], rows, columns);
                for (uint8_t axis = 0; axis < 2; axis++)
                    for (uint16_t width = 1; width <= 32; width *= 2)
                        expect_layout((Layout){.kind = LAYOUT_PANEL, .axis = axis, .width = width},
                                      dtypes[d], rows, columns);
                for (uint8_t axis = 0; axis < 2; axis++)
                    expect_layout(
                        (Layout){.kind = LAYOUT_PANEL, .axis = axis, .width = 4, .fours = true},
                        DTYPE_I8, rows, columns);
            }
}

static void expect_form(const void *form, Layout layout, const float *values) {
    float found[WEIGHTS];
    layout_to_plain(layout, DTYPE_F32, shape_of(2, (int64_t[]){ROWS, COLUMNS}), form, found);
    assert_memory_equal(found, values, sizeof found);
}

static void test_initial_values_in_all_forms(void **state) {
    StatesFixture *fixture = *state;
    float expected[WEIGHTS], b[3], found[WEIGHTS];
    for (int i = 0; i < 2; i++)
        assert_true(states_bind(fixture->states, &fixture->programs[i], fixture->diag));
    states_initialize(fixture->states, 7);
    state_initialize(graph_symbol(fixture->graph, "w"), 7, expected);
    void *const *first = states_pointers(fixture->states, &fixture->programs[0]);
    expect_form(first[0], by_columns, expected);
    expect_form(first[1], by_rows, expected);
    expect_form(states_pointers(fixture->states, &fixture->programs[1])[0], plain, expected);
    assert_true(states_read(fixture->states, "w", found));
    assert_memory_equal(found, expected, sizeof found);
    assert_true(states_read(fixture->states, "b", b));
    assert_true(b[0] == 0.5f && b[2] == 0.5f);
    assert_false(states_read(fixture->states, "c", b));
    for (int i = 0; i < 3; i++) assert_int_equal((uintptr_t)first[i] % 64, 0);
}

static void test_a_late_form_gets_the_values(void **state) {
    StatesFixture *fixture = *state;
    float values[WEIGHTS];
    for (int i = 0; i < WEIGHTS; i++) values[i] = (float)i;
    assert_true(states_bind(fixture->states, &fixture->programs[0], fixture->diag));
    assert_true(states_write(fixture->states, "w", values));
    assert_true(states_bind(fixture->states, &fixture->programs[1], fixture->diag));
    expect_form(states_pointers(fixture->states, &fixture->programs[1])[0], plain, values);
    assert_false(states_write(fixture->states, "c", values));
}

/* A state that no program has bound is saved and restored as others are. Its values outlive the
 * program that binds it; cleared, it is zero. */
static void test_kept_states(void **state) {
    StatesFixture *fixture = *state;
    const float none[3] = {0}, values[3] = {1, 2, 3};
    float found[3], w[WEIGHTS], saved[WEIGHTS + 3];
    states_keep(fixture->states, fixture->graph);
    assert_true(states_read(fixture->states, "b", found));
    assert_memory_equal(found, none, sizeof found);
    assert_true(states_write(fixture->states, "b", values));
    states_save(fixture->states, saved);
    states_clear(fixture->states, "b");
    assert_true(states_read(fixture->states, "b", found));
    assert_memory_equal(found, none, sizeof found);
    states_restore(fixture->states, saved);
    assert_true(states_read(fixture->states, "b", found));
    assert_memory_equal(found, values, sizeof found);
    for (int i = 0; i < WEIGHTS; i++) w[i] = (float)i;
    assert_true(states_write(fixture->states, "w", w));
    states_clear(fixture->states, "w");
    for (int i = 0; i < 2; i++)
        assert_true(states_bind(fixture->states, &fixture->programs[i], fixture->diag));
    float *second = states_pointers(fixture->states, &fixture->programs[1])[0];
    for (int i = 0; i < WEIGHTS; i++) assert_true(second[i] == 0);
    memcpy(second, w, sizeof w);
    states_publish(fixture->states, &fixture->programs[1]);
    float after[WEIGHTS];
    assert_true(states_read(fixture->states, "w", after));
    assert_memory_equal(after, w, sizeof w);
    expect_form(states_pointers(fixture->states, &fixture->programs[0])[0], by_columns, w);
}

/* A program writes all forms that it has. The other forms are updated when it publishes. */
static void test_updates_reach_other_programs(void **state) {
    StatesFixture *fixture = *state;
    float values[WEIGHTS];
    for (int i = 0; i < 2; i++)
        assert_true(states_bind(fixture->states, &fixture->programs[i], fixture->diag));
    void *const *first = states_pointers(fixture->states, &fixture->programs[0]);
    float *second = states_pointers(fixture->states, &fixture->programs[1])[0];
    for (int i = 0; i < WEIGHTS; i++) second[i] = values[i] = (float)(i * 3);
    states_publish(fixture->states, &fixture->programs[1]);
    expect_form(first[0], by_columns, values);
    expect_form(first[1], by_rows, values);
    Shape shape = shape_of(2, (int64_t[]){ROWS, COLUMNS});
    for (int i = 0; i < WEIGHTS; i++) values[i] = (float)(i * 5);
    layout_from_plain(by_columns, DTYPE_F32, shape, values, first[0]);
    layout_from_plain(by_rows, DTYPE_F32, shape, values, first[1]);
    states_publish(fixture->states, &fixture->programs[0]);
    expect_form(second, plain, values);
}

static void test_save_and_restore(void **state) {
    StatesFixture *fixture = *state;
    assert_true(states_bind(fixture->states, &fixture->programs[0], fixture->diag));
    states_initialize(fixture->states, 1);
    assert_int_equal(states_bytes(fixture->states), (WEIGHTS + 3) * sizeof(float));
    float before[WEIGHTS + 3], after[WEIGHTS + 3];
    states_save(fixture->states, before);
    assert_true(before[0] == 0.5f); /* b is stored before w */
    states_initialize(fixture->states, 2);
    states_save(fixture->states, after);
    assert_memory_not_equal(before, after, sizeof before);
    states_restore(fixture->states, before);
    states_save(fixture->states, after);
    assert_memory_equal(before, after, sizeof before);
}

static void test_refuses_another_shape(void **state) {
    StatesFixture *fixture = *state;
    Graph *other = graph_new("other", fixture->diag);
    graph_state(other, "w", DTYPE_F32, shape_of(1, (int64_t[]){3}), (Init){0}, true);
    const PlanState states[] = {{0, {.kind = LAYOUT_PLAIN, .axis = 0, .width = 0}}};
    Program program = {.graph = other, .states = states, .state_count = 1};
    assert_true(states_bind(fixture->states, &fixture->programs[0], fixture->diag));
    assert_false(states_bind(fixture->states, &program, fixture->diag));
    assert_int_equal(diag_status(fixture->diag), STATUS_BUG);
    graph_free(other);
}

/* The memory of new states is zero, so that states which begin with 0 need no writing. This holds
 * until a program changes them. */
static void test_zeros(void **state) {
    StatesFixture *fixture = *state;
    Graph *graph = graph_new("moments", fixture->diag);
    const float zero = 0, minus_zero = -0.0F;
    NodeId m = graph_state(graph, "m", DTYPE_F32, shape_of(1, (int64_t[]){1}),
                           (Init){INIT_CONSTANT, 0, 0}, false);
    graph_state(graph, "z", DTYPE_F32, shape_of(1, (int64_t[]){1}),
                (Init){INIT_CONSTANT, minus_zero, 0}, false);
    graph_update(graph, m, build_unary(graph, OP_neg, m));
    const PlanState states[] = {{0, plain}, {1, plain}};
    Program program = {.graph = graph, .states = states, .state_count = 2};
    assert_true(states_bind(fixture->states, &program, fixture->diag));
    float *const *memory = (float *const *)states_pointers(fixture->states, &program);
    states_initialize(fixture->states, 1);
    assert_memory_equal(memory[0], &zero, sizeof zero);
    assert_memory_equal(memory[1], &minus_zero, sizeof zero);
    *memory[0] = 3;
    states_publish(fixture->states, &program);
    states_initialize(fixture->states, 1);
    assert_memory_equal(memory[0], &zero, sizeof zero);
    graph_free(graph);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        TEST(test_initial_values_in_all_forms),
        TEST(test_zeros),
        TEST(test_a_late_form_gets_the_values),
        TEST(test_kept_states),
        TEST(test_updates_reach_other_programs),
        TEST(test_save_and_restore),
        TEST(test_refuses_another_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
