/* The interpreter: order, updates, finding the first value that is not finite, and the interpreter
 * behind the interface of a program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ir/ir.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    Diagnostics *diag;
    Graph *graph;
} InterpFixture;

static int tear_down(void **state) {
    InterpFixture *fixture = *state;
    graph_free(fixture->graph);
    diag_free(fixture->diag);
    return 0;
}

static Graph *read_graph(void **state, const char *body) {
    static InterpFixture fixture;
    fixture.diag = diag_new();
    char text[4096] = "mlc-ir 1\ngraph \"t\"\n";
    strncat(text, body, sizeof text - strlen(text) - 1);
    fixture.graph = graph_read("t.ir", text, strlen(text), fixture.diag);
    if (!fixture.graph) diag_print(fixture.diag, stderr);
    assert_non_null(fixture.graph);
    *state = &fixture;
    return fixture.graph;
}

static const char sgd[] = "%1 = input u8[2,3] batch \"x\"\n"
                          "%2 = state f32[2,3] trainable \"w\" constant(1)\n"
                          "%3 = input f32[2,3] value \"rate\"\n"
                          "%4 = convert f32[2,3] %1\n"
                          "%5 = mul f32[2,3] %4 %3\n"
                          "%6 = sub f32[2,3] %2 %5\n"
                          "%7 = sum f32[2] %2 axis=1\n"
                          "output \"before\" %7\n"
                          "output \"after\" %6\n"
                          "update %2 %6\n";

static void fill(float *data, int count, float value) {
    for (int i = 0; i < count; i++) data[i] = value;
}

static void updates_take_effect_when_told(void **state) {
    Interp *interp = interp_new(read_graph(state, sgd), INTERP_F32);
    memset(interp_value(interp, 1), 2, 6);
    fill(interp_value(interp, 2), 6, 1);
    fill(interp_value(interp, 3), 6, 0.25f);
    const float *weight = interp_value(interp, 2), *before = interp_value(interp, 7);
    interp_run(interp);
    assert_true(weight[5] == 1 && before[1] == 3);
    interp_update(interp);
    interp_run(interp);
    assert_true(weight[5] == 0.5f && before[1] == 1.5f);
    interp_free(interp);
}

static void reals_are_doubles_in_f64(void **state) {
    Interp *interp = interp_new(
        read_graph(state,
                   "%1 = constant f32[2] 1\n%2 = constant f32[2] 3\n%3 = input f32[2] value \"x\"\n"
                   "%4 = exp f32[2] %3\n%5 = div f32[2] %1 %4\noutput \"y\" %5\n"),
        INTERP_F64);
    assert_int_equal(interp_value_bytes(interp, 5), 16);
    double *x = interp_value(interp, 3);
    x[0] = x[1] = 0.1;
    interp_run(interp);
    assert_true(((double *)interp_value(interp, 5))[1] == 1 / exp(0.1));
    interp_free(interp);
}

/* Each of two states takes the other's value; neither may see the new one. */
static void states_can_be_exchanged(void **state) {
    Interp *interp = interp_new(
        read_graph(state,
                   "%1 = state f32[2] \"a\" constant(1)\n%2 = state f32[2] \"b\" constant(2)\n"
                   "update %1 %2\nupdate %2 %1\n"),
        INTERP_F32);
    float *a = interp_value(interp, 1), *b = interp_value(interp, 2);
    fill(a, 2, 1);
    fill(b, 2, 2);
    interp_run(interp);
    interp_update(interp);
    assert_true(a[0] == 2 && b[0] == 1);
    interp_free(interp);
}

/* log(0) makes the infinity. An infinite constant does not count, nor does a division that only
 * another output uses. */
static void the_first_nonfinite_node_is_found(void **state) {
    Interp *interp = interp_new(read_graph(state, "%1 = input f32[2] value \"x\"\n"
                                                  "%2 = constant f32[2] inf\n"
                                                  "%3 = div f32[2] %1 %1\n"
                                                  "%4 = min f32[2] %1 %2\n"
                                                  "%5 = eq bool[2] %4 %1\n"
                                                  "%6 = select f32[2] %5 %4 %3\n"
                                                  "%7 = log f32[2] %6\n"
                                                  "%8 = neg f32[2] %7\n"
                                                  "%9 = sum f32[] %8 axis=0\n"
                                                  "output \"loss\" %9\n"
                                                  "output \"metric\" %3\n"),
                                INTERP_F64);
    double *x = interp_value(interp, 1);
    x[0] = 0;
    x[1] = 1;
    interp_run(interp);
    assert_int_equal(interp_first_nonfinite(interp, "loss"), 7);
    x[0] = 2;
    interp_run(interp);
    assert_int_equal(interp_first_nonfinite(interp, "loss"), NODE_NONE);
    x[0] = (double)NAN;
    interp_run(interp);
    assert_int_equal(interp_first_nonfinite(interp, "loss"), 1);
    interp_free(interp);
}

/* -- as a program -- */

typedef struct {
    const Program *program;
    float weight[6], rate[6];
    uint8_t data[9];
    char *outputs;
    void *states[1];
    const void *inputs[3];
    int32_t rows[2];
    StepArgs args;
} BoundGraph;

static void bind(BoundGraph *bound, const Program *program) {
    *bound = (BoundGraph){.program = program, .data = {0, 0, 0, 4, 8, 12, 1, 1, 1}, .rows = {2, 1}};
    fill(bound->weight, 6, 1);
    fill(bound->rate, 6, 0.25f);
    bound->states[0] = bound->weight;
    bound->inputs[0] = bound->data;
    bound->inputs[2] = bound->rate;
    bound->outputs = malloc(program->output_bytes);
    bound->args = (StepArgs){NULL, bound->states, bound->inputs, bound->rows, bound->outputs, NULL};
}

static void programs_gather_rows_and_write_states(void **state) {
    Program *program = program_interpret(read_graph(state, sgd));
    BoundGraph bound;
    bind(&bound, program);
    assert_int_equal(program->state_count, 1);
    assert_int_equal(program->states[0].symbol, 1);
    program_run(program, &bound.args);
    assert_memory_equal(bound.weight, ((float[]){0.75f, 0.75f, 0.75f, 0, -1, -2}),
                        sizeof bound.weight);
    const float *before = (const float *)(bound.outputs + program->output_offsets[0]);
    assert_true(before[0] == 3 && before[1] == 3);
    assert_memory_equal(bound.outputs + program->output_offsets[1], bound.weight,
                        sizeof bound.weight);
    program_run(program, &bound.args);
    assert_true(before[0] == 2.25f && bound.weight[5] == -5);
    free(bound.outputs);
    program_free(program);
}

static void freeing_nothing_is_allowed(void **state) {
    (void)state;
    program_free(NULL);
    interp_free(NULL);
}

int main(void) {
#define TEST(name) cmocka_unit_test_teardown(name, tear_down)
    const struct CMUnitTest tests[] = {TEST(updates_take_effect_when_told),
                                       TEST(reals_are_doubles_in_f64),
                                       TEST(states_can_be_exchanged),
                                       TEST(the_first_nonfinite_node_is_found),
                                       TEST(programs_gather_rows_and_write_states),
                                       cmocka_unit_test(freeing_nothing_is_allowed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
