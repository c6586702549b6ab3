/* Gradients against central differences in f64: of every differentiable op of ops.def, of
 * gradients, and of the conventions at kinks. A case builds f(inputs); the test differentiates the
 * sum of f weighted by fixed random numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "passes/pass_list.h"
#include "tests/support/gradient_cases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIRECTIONS = 3 };

#define DIMS(...) ((int64_t[]){__VA_ARGS__})

/* -- random numbers, running -- */

static uint64_t random_state;

static double uniform(double low, double high) {
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return low + (high - low) * (double)(random_state >> 11) * 0x1p-53;
}

static size_t elements(const Graph *graph, NodeId id) {
    return (size_t)shape_elements(graph_node(graph, id)->shape);
}

/* sum(node * weights), where the weights are an input. */
static NodeId weighted_sum(Graph *graph, NodeId node, const char *name) {
    Shape shape = graph_node(graph, node)->shape;
    NodeId weights = graph_input(graph, SYMBOL_VALUE, name, DTYPE_F32, shape);
    return build_reduce_axes(graph, OP_sum, build_binary(graph, OP_mul, node, weights),
                             (1u << shape.rank) - 1);
}

static NodeId input_named(const Graph *graph, const char *name) {
    const Symbol *symbol = graph_symbol(graph, name);
    return symbol ? symbol->node : NODE_NONE;
}

/* -- central differences -- */

/* A graph with inputs x0.., weights, output `y` (a scalar) and outputs g0.., its gradients by the
 * inputs. */
typedef struct {
    Graph *graph;
    Interp *interp;
    uint32_t count;
    NodeId x[MAX_INPUTS], y, g[MAX_INPUTS];
    double *origin[MAX_INPUTS], *direction[MAX_INPUTS];
} Probe;

static void probe_move(const Probe *probe, double distance) {
    for (uint32_t i = 0; i < probe->count; i++) {
        double *x = interp_value(probe->interp, probe->x[i]);
        for (size_t j = 0; j < elements(probe->graph, probe->x[i]); j++)
            x[j] = probe->origin[i][j] + distance * probe->direction[i][j];
    }
    interp_run(probe->interp);
}

static double probe_value(const Probe *probe, double distance) {
    probe_move(probe, distance);
    return *(double *)interp_value(probe->interp, probe->y);
}

/* The five-point formula: its error is h^4 times the fifth derivative. */
static double probe_difference(const Probe *probe) {
    const double h = 1e-3;
    double near = probe_value(probe, h) - probe_value(probe, -h),
           far = probe_value(probe, 2 * h) - probe_value(probe, -2 * h);
    return (8 * near - far) / (12 * h);
}

/* The gradient along the direction, and the sum of the sizes of its terms. */
static double probe_slope(const Probe *probe, double *size) {
    double slope = 0;
    *size = 0;
    probe_move(probe, 0);
    for (uint32_t i = 0; i < probe->count; i++) {
        const double *g = interp_value(probe->interp, probe->g[i]);
        for (size_t j = 0; j < elements(probe->graph, probe->g[i]); j++) {
            slope += g[j] * probe->direction[i][j];
            *size += fabs(g[j] * probe->direction[i][j]);
        }
    }
    return slope;
}

static void probe_check(Probe *probe, const GradientCase *at, const char *what) {
    for (int k = 0; k < DIRECTIONS; k++) {
        for (uint32_t i = 0; i < probe->count; i++)
            for (size_t j = 0; j < elements(probe->graph, probe->x[i]); j++)
                probe->direction[i][j] = uniform(-1, 1);
        double size, slope = probe_slope(probe, &size), difference = probe_difference(probe);
        if (!(fabs(slope - difference) <= 1e-6 * fmax(size, 1e-3)))
            fail_msg("%s of %s: %.12g, by differences %.12g", what, at->name, slope, difference);
    }
}

static void probe_open(Probe *probe, Graph *graph, const GradientCase *at) {
    *probe = (Probe){.graph = graph, .interp = interp_new(graph, INTERP_F64), .count = at->count};
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        double *data = interp_value(probe->interp, graph->symbols[i].node);
        for (size_t k = 0; k < elements(graph, graph->symbols[i].node); k++)
            data[k] = uniform(at->low, at->high);
    }
    for (uint32_t i = 0; i < at->count; i++) {
        char name[16];
        snprintf(name, sizeof name, "x%u", i);
        probe->x[i] = input_named(graph, name);
        probe->g[i] = graph->outputs[1 + i].node;
        size_t bytes = interp_value_bytes(probe->interp, probe->x[i]);
        probe->origin[i] = malloc(bytes);
        probe->direction[i] = malloc(bytes);
        memcpy(probe->origin[i], interp_value(probe->interp, probe->x[i]), bytes);
    }
    probe->y = graph->outputs[0].node;
}

static void probe_close(Probe *probe) {
    for (uint32_t i = 0; i < probe->count; i++) {
        free(probe->origin[i]);
        free(probe->direction[i]);
    }
    interp_free(probe->interp);
    graph_free(probe->graph);
}

/* -- the tests -- */

static Diagnostics *diag;

static NodeId build_case(Graph *graph, const GradientCase *at, NodeId *x) {
    for (uint32_t i = 0; i < at->count; i++) {
        char name[16];
        snprintf(name, sizeof name, "x%u", i);
        x[i] = graph_input(graph, SYMBOL_VALUE, name, DTYPE_F32, at->shapes[i]);
    }
    NodeId y = weighted_sum(graph, at->build(graph, x), "w");
    assert_true(y != NODE_NONE);
    return y;
}

static void add_gradient_outputs(Graph *graph, NodeId y, const NodeId *x, uint32_t count) {
    graph_output(graph, "y", y);
    for (uint32_t i = 0; i < count; i++) graph_output(graph, "g", build_grad(graph, y, x[i]));
}

static void check_case(const GradientCase *at, const char *what, bool second) {
    NodeId x[MAX_INPUTS];
    random_state = 7;
    Graph *graph = graph_new(at->name, diag);
    NodeId y = build_case(graph, at, x);
    for (uint32_t i = 0; second && i < at->count; i++) {
        NodeId term =
            weighted_sum(graph, build_grad(graph, y, x[i]), (const char *[]){"v0", "v1", "v2"}[i]);
        x[0] = input_named(graph, "x0");
        y = i ? build_binary(graph, OP_add, term,
                             build_binary(graph, OP_mul, y, build_f32(graph, 0.5, (Shape){0})))
              : term;
    }
    add_gradient_outputs(graph, y, x, at->count);
    Graph *rewritten = pass_gradients(graph, &(PassOptions){0});
    graph_free(graph);
    assert_int_equal(diag_errors(diag), 0);
    Probe probe;
    probe_open(&probe, rewritten, at);
    probe_check(&probe, at, what);
    probe_close(&probe);
}

static void test_first_order(void **state) {
    (void)state;
    for (int i = 0; i < gradient_case_count; i++) check_case(&gradient_cases[i], "gradient", false);
}

static void test_second_order(void **state) {
    (void)state;
    for (int i = 0; i < gradient_case_count; i++)
        if (!gradient_cases[i].once) check_case(&gradient_cases[i], "second gradient", true);
}

static const char *const op_gradients[OP_COUNT] = {
#define OP(name, arity, class, attrs, rule, gradient, expand, place, steps, zero, doc)             \
    [OP_##name] = #gradient,
#include "ir/ops/ops.def"
};

static void test_every_rule_has_a_case(void **state) {
    (void)state;
    for (int op = 0; op < OP_COUNT; op++) {
        bool covered = !strcmp(op_gradients[op], "none");
        for (int i = 0; i < gradient_case_count; i++) covered |= gradient_cases[i].op == (Op)op;
        if (!covered) fail_msg("no case for the gradient of %s", op_name((Op)op));
    }
}

/* The gradient of sum(f(x)) by x for one-element x: runs in f64. */
static double slope_at(NodeId (*build)(Graph *, const NodeId *), uint32_t count, const double *at,
                       uint32_t by) {
    Graph *graph = graph_new("kink", diag);
    NodeId x[MAX_INPUTS], slope;
    for (uint32_t i = 0; i < count; i++)
        x[i] = graph_input(graph, SYMBOL_VALUE, (const char *[]){"x0", "x1", "x2"}[i], DTYPE_F32,
                           (Shape){0});
    gradients_build(graph, build(graph, x), &x[by], 1, &slope);
    graph_output(graph, "slope", slope);
    Interp *interp = interp_new(graph, INTERP_F64);
    for (uint32_t i = 0; i < count; i++) *(double *)interp_value(interp, x[i]) = at[i];
    interp_run(interp);
    double result = *(double *)interp_value(interp, slope);
    interp_free(interp);
    graph_free(graph);
    return result;
}

/* exp(a) b, whose gradient by a is masked, since exp can overflow. */
static NodeId case_scaled_exp(Graph *g, const NodeId *in) {
    return build_binary(g, OP_mul, build_unary(g, OP_exp, in[0]), in[1]);
}

/* Rows of data without a label hold NaN and are left out: (a - b)^2 where b is a number. */
static NodeId case_error_of_known(Graph *g, const NodeId *in) {
    NodeId error = build_binary(g, OP_sub, in[0], in[1]);
    return build_ternary(g, OP_select, build_binary(g, OP_eq, in[1], in[1]),
                         build_binary(g, OP_mul, error, error), build_f32(g, 0, (Shape){0}));
}

/* The gradient by b of the gradient by a. */
static NodeId case_slope_of_scaled_exp(Graph *g, const NodeId *in) {
    NodeId slope;
    gradients_build(g, case_scaled_exp(g, in), in, 1, &slope);
    return slope;
}

/* A gradient of exactly 0 stays 0, even times infinity. Any other gradient passes infinities and
 * NaN on. The masked gradient has a right gradient itself. */
static void test_masked(void **state) {
    (void)state;
    assert_true(slope_at(case_scaled_exp, 2, (double[]){1000, 0}, 0) == 0);
    assert_true(slope_at(case_scaled_exp, 2, (double[]){1000, 1}, 0) == INFINITY);
    assert_true(isnan(slope_at(case_scaled_exp, 2, (double[]){NAN, 1}, 0)));
    assert_true(slope_at(case_slope_of_scaled_exp, 2, (double[]){2, 0}, 1) == exp(2));
    assert_true(slope_at(case_error_of_known, 2, (double[]){3, NAN}, 0) == 0);
    assert_true(slope_at(case_error_of_known, 2, (double[]){3, 1}, 0) == 4);
    assert_true(slope_at(case_sqrt, 1, (double[]){0}, 0) == INFINITY);
    assert_true(isnan(slope_at(case_log, 1, (double[]){NAN}, 0)));
}

static void test_kinks(void **state) {
    (void)state;
    const double zeros[] = {0, 0}, zero_two[] = {0, 2}, two_zero[] = {2, 0};
    assert_true(slope_at(case_relu, 1, zeros, 0) == 0);
    assert_true(slope_at(case_abs, 1, zeros, 0) == 0);
    assert_true(slope_at(case_max, 2, zeros, 0) == 0.5 && slope_at(case_max, 2, zeros, 1) == 0.5);
    assert_true(slope_at(case_min, 2, zeros, 0) == 0.5 && slope_at(case_min, 2, zeros, 1) == 0.5);
    assert_true(slope_at(case_max, 2, zero_two, 0) == 0 && slope_at(case_max, 2, zero_two, 1) == 1);
    assert_true(slope_at(case_min, 2, zero_two, 0) == 1 && slope_at(case_min, 2, zero_two, 1) == 0);
    assert_true(slope_at(case_pow, 2, zeros, 0) == 0);
    assert_true(slope_at(case_pow, 2, zero_two, 0) == 0 && slope_at(case_pow, 2, zero_two, 1) == 0);
    assert_true(slope_at(case_pow, 2, two_zero, 0) == 0 &&
                slope_at(case_pow, 2, two_zero, 1) == log(2));
}

static void test_reduce_max_shares(void **state) {
    (void)state;
    Graph *graph = graph_new("shares", diag);
    NodeId x = graph_input(graph, SYMBOL_VALUE, "x", DTYPE_F32, shape_of(1, DIMS(4))), slope;
    gradients_build(graph, build_reduce(graph, OP_reduce_max, x, 0, false), &x, 1, &slope);
    graph_output(graph, "slope", slope);
    Interp *interp = interp_new(graph, INTERP_F64);
    memcpy(interp_value(interp, x), (double[]){3, 1, 3, 2}, 4 * sizeof(double));
    interp_run(interp);
    assert_memory_equal(interp_value(interp, slope), ((double[]){0.5, 0, 0.5, 0}),
                        4 * sizeof(double));
    interp_free(interp);
    graph_free(graph);
}

static uint32_t count_ops(const Graph *graph, Op op) {
    uint32_t count = 0;
    for (NodeId id = 1; id < graph->node_count; id++) count += graph_node(graph, id)->op == op;
    return count;
}

/* A chain of matrix products and tanh. If `grads`, with the gradient by every weight. */
static Graph *chain(uint32_t layers, bool grads) {
    Graph *graph = graph_new("chain", diag);
    Shape square = shape_of(2, DIMS(2, 2));
    NodeId *w = calloc(layers, sizeof *w),
           x = graph_input(graph, SYMBOL_VALUE, "x", DTYPE_F32, square);
    for (uint32_t i = 0; i < layers; i++) {
        char name[16];
        snprintf(name, sizeof name, "w%u", i);
        w[i] = graph_state(graph, name, DTYPE_F32, square, (Init){0}, true);
        x = build_unary(graph, OP_tanh, build_matmul(graph, x, w[i], false, true));
    }
    NodeId loss = build_reduce_axes(graph, OP_sum, x, 3);
    for (uint32_t i = 0; grads && i < layers; i++)
        graph_output(graph, "g", build_grad(graph, loss, w[i]));
    if (!grads) graph_output(graph, "loss", loss);
    free(w);
    return graph;
}

/* One backward sweep serves all weights, and the gradient of the first layer's input is not
 * built. */
static void test_one_sweep(void **state) {
    (void)state;
    const uint32_t layers = 50;
    Graph *graph = chain(layers, true), *rewritten = pass_gradients(graph, &(PassOptions){0});
    assert_int_equal(count_ops(rewritten, OP_matmul), layers + 2 * layers - 1);
    assert_int_equal(count_ops(rewritten, OP_grad), 0);
    graph_free(graph);
    graph_free(rewritten);
}

static void test_independent_value_has_zero_gradient(void **state) {
    (void)state;
    Graph *graph = chain(2, false);
    NodeId other = graph_input(graph, SYMBOL_VALUE, "other", DTYPE_F32, shape_of(1, DIMS(3)));
    NodeId by[] = {other, input_named(graph, "w0")}, result[2];
    gradients_build(graph, graph->outputs[0].node, by, 2, result);
    const Node *zero = graph_node(graph, result[0]);
    assert_true(zero->op == OP_constant && zero->attrs.value.bits == 0 &&
                shape_equal(zero->shape, shape_of(1, DIMS(3))));
    assert_true(graph_node(graph, result[1])->op == OP_matmul);
    graph_free(graph);
}

static void test_nothing_passes_whole_numbers(void **state) {
    (void)state;
    Graph *graph = graph_new("whole", diag);
    NodeId x = graph_input(graph, SYMBOL_VALUE, "x", DTYPE_F32, (Shape){0}), slope;
    NodeId there = build_convert(graph, build_convert(graph, x, DTYPE_I32), DTYPE_F32);
    gradients_build(graph, build_binary(graph, OP_add, there, build_unary(graph, OP_floor, x)), &x,
                    1, &slope);
    assert_true(graph_node(graph, slope)->op == OP_constant &&
                graph_node(graph, slope)->attrs.value.f == 0);
    graph_free(graph);
}

static int setup(void **state) {
    (void)state;
    diag = diag_new();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    diag_free(diag);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_order),
        cmocka_unit_test(test_second_order),
        cmocka_unit_test(test_every_rule_has_a_case),
        cmocka_unit_test(test_kinks),
        cmocka_unit_test(test_masked),
        cmocka_unit_test(test_reduce_max_shares),
        cmocka_unit_test(test_one_sweep),
        cmocka_unit_test(test_independent_value_has_zero_gradient),
        cmocka_unit_test(test_nothing_passes_whole_numbers),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
