/* Symbolic gradients of random graphs against central differences in f64: the rules of single ops
 * combined. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "passes/passes.h"
#include "tests/support/random_graph.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 300, ENOUGH = 500 };

/* A graph with the gradient of its loss by every f32 state as an output "by <state>". */
typedef struct {
    Diagnostics *diag;
    Graph *graph;
    Interp *interp;
    uint64_t seed;
    NodeId loss;
} Subject;

static bool is_real_state(const Symbol *symbol) {
    return symbol->kind == SYMBOL_STATE && symbol->dtype == DTYPE_F32 && symbol->node;
}

/* Graphs with a bitcast or a detach are not smooth. In f64 a bitcast has the bits of the value
 * rounded to f32, so differences see steps; and the gradient that detach blocks is missing from the
 * slope, as is that of winograd. */
static bool is_smooth(const Graph *graph) {
    for (NodeId id = 1; id < graph->node_count; id++)
        if (graph_node(graph, id)->op == OP_bitcast || graph_node(graph, id)->op == OP_detach ||
            op_class(graph_node(graph, id)->op) == CLASS_WINOGRAD)
            return false;
    return true;
}

static void subject_open(Subject *subject, uint64_t seed) {
    *subject = (Subject){.diag = diag_new(), .seed = seed};
    Compilation compilation = {.graph = random_graph(seed, subject->diag)};
    char name[64];
    NodeId loss = graph_output_node(compilation.graph, "loss");
    for (uint32_t i = 0; i < compilation.graph->symbol_count; i++) {
        if (!is_real_state(&compilation.graph->symbols[i])) continue;
        snprintf(name, sizeof name, "by %s", compilation.graph->symbols[i].name);
        graph_output(compilation.graph, name,
                     build_grad(compilation.graph, loss, compilation.graph->symbols[i].node));
    }
    assert_true(pass_run(PASS_gradients, &compilation, &(PassOptions){0}));
    subject->graph = compilation.graph;
    subject->loss = graph_output_node(subject->graph, "loss");
    subject->interp = interp_new(subject->graph, INTERP_F64);
}

static void subject_close(Subject *subject) {
    interp_free(subject->interp);
    graph_free(subject->graph);
    diag_free(subject->diag);
}

static void *contents_of(const Symbol *symbol, uint64_t seed) {
    if (symbol->kind != SYMBOL_STATE) return random_input(symbol, seed);
    void *data = malloc((size_t)shape_elements(symbol->shape) * sizeof(float));
    state_initialize(symbol, seed, data);
    return data;
}

/* Ordinary values, no two of them equal: equal ones have no two-sided derivative of a maximum. */
static void fill(Subject *subject, const Symbol *symbol) {
    void *data = contents_of(symbol, subject->seed);
    double *value = interp_value(subject->interp, symbol->node);
    if (symbol->dtype != DTYPE_F32)
        memcpy(value, data, interp_value_bytes(subject->interp, symbol->node));
    for (int64_t i = 0; symbol->dtype == DTYPE_F32 && i < shape_elements(symbol->shape); i++) {
        double ordinary = fabs((double)((float *)data)[i]) < 10 ? (double)((float *)data)[i] : 0.3;
        value[i] = ordinary + 1e-3 * (double)random_unit(subject->seed, STREAM_AUGMENT,
                                                         symbol->node, (uint64_t)i);
    }
    free(data);
}

static double loss_at(Subject *subject, double *state, const double *origin,
                      const double *direction, int64_t n, double h) {
    for (int64_t i = 0; i < n; i++) state[i] = origin[i] + h * direction[i];
    interp_run(subject->interp);
    return *(double *)interp_value(subject->interp, subject->loss);
}

/* The smallest error over several step widths. A wide step may cross a kink, and a narrow one
 * suffers from rounding. */
static double difference_error(Subject *subject, double *state, const double *direction, int64_t n,
                               double slope) {
    double *origin = malloc((size_t)n * sizeof *origin), best = INFINITY;
    memcpy(origin, state, (size_t)n * sizeof *origin);
    for (double h = 1e-3; h > 1e-8; h /= 10) {
        double above = loss_at(subject, state, origin, direction, n, h),
               below = loss_at(subject, state, origin, direction, n, -h);
        best = fmin(best, fabs((above - below) / (2 * h) - slope) / fmax(1e-2, fabs(slope)));
    }
    memcpy(state, origin, (size_t)n * sizeof *origin);
    free(origin);
    return best;
}

/* false if the gradient cannot be compared: the loss or its gradient is not finite, or too large
 * for differences. */
static bool check_state(Subject *subject, const Symbol *symbol) {
    char name[64];
    snprintf(name, sizeof name, "by %s", symbol->name);
    const double *gradient = interp_value(subject->interp, graph_output_node(subject->graph, name));
    int64_t n = shape_elements(symbol->shape);
    double *direction = malloc((size_t)n * sizeof *direction), slope = 0, error = 0;
    interp_run(subject->interp);
    double loss = *(double *)interp_value(subject->interp, subject->loss);
    for (int64_t i = 0; i < n; i++) {
        direction[i] =
            2 * (double)random_unit(subject->seed, STREAM_SPLIT, symbol->node, (uint64_t)i) - 1;
        slope += direction[i] * gradient[i];
    }
    bool possible = fabs(loss) < 1e4 && isfinite(slope);
    if (possible)
        error = difference_error(subject, interp_value(subject->interp, symbol->node), direction, n,
                                 slope);
    free(direction);
    if (error > 1e-6)
        fail_msg("seed %llu, '%s': relative error %g, gradient %g",
                 (unsigned long long)subject->seed, symbol->name, error, slope);
    return possible;
}

static int check_seed(uint64_t seed) {
    Subject subject;
    int checked = 0;
    subject_open(&subject, seed);
    for (uint32_t i = 0; i < subject.graph->symbol_count; i++)
        if (subject.graph->symbols[i].node) fill(&subject, &subject.graph->symbols[i]);
    for (uint32_t i = 0; is_smooth(subject.graph) && i < subject.graph->symbol_count; i++)
        if (is_real_state(&subject.graph->symbols[i]))
            checked += check_state(&subject, &subject.graph->symbols[i]);
    subject_close(&subject);
    return checked;
}

static void gradients_are_slopes(void **state) {
    (void)state;
    int checked = 0;
    for (uint64_t seed = 0; seed < SEEDS; seed++) checked += check_seed(seed);
    assert_true(checked > ENOUGH);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(gradients_are_slopes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
