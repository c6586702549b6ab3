/* Plans of the models in models/ and bench/: the verifier accepts them at every level, and all
 * graphs of a model store its weights in the same form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "passes/passes.h"
#include "passes/plan/plan_verify.h"
#include "tests/support/models.h"

#include <string.h>

static Compilation compile(const Model *model, GraphKind kind, uint32_t batch, int level,
                           Diagnostics *diag) {
    Compilation compilation = {0};
    Graph *graph = model_graph(model, kind, batch, diag);
    assert_non_null(graph);
    assert_true(passes_run(&compilation, graph, &(PassOptions){.level = level, .threads = 2},
                           PASS_COUNT - 1));
    char wrong[PLAN_FAULT];
    if (!plan_verify(compilation.plan, true, wrong))
        fail_msg("level %d, batch %u: %s", level, batch, wrong);
    return compilation;
}

/* The layout of a state's first form in a plan. */
static bool primary_layout(const Plan *plan, const char *name, Layout *layout) {
    for (uint32_t i = 0; i < plan->state_count; i++) {
        if (strcmp(plan->graph->symbols[plan->states[i].symbol].name, name)) continue;
        *layout = plan->states[i].layout;
        return true;
    }
    return false;
}

static void assert_same_layouts(const Plan *train, const Plan *other) {
    for (uint32_t i = 0; i < other->state_count; i++) {
        Layout mine, theirs;
        const char *name = other->graph->symbols[other->states[i].symbol].name;
        if (!primary_layout(train, name, &theirs) || !primary_layout(other, name, &mine)) continue;
        if (!layout_equal(mine, theirs))
            fail_msg("%s: %s is stored in two ways", other->graph->name, name);
    }
}

static void check_model(const Model *model, int level, Diagnostics *diag) {
    static const uint32_t batches[] = {64, 7, 1};
    Compilation train = compile(model, GRAPH_TRAIN, 64, level, diag);
    for (size_t b = 0; b < sizeof batches / sizeof *batches; b++)
        for (GraphKind kind = GRAPH_TRAIN; kind <= GRAPH_PREDICT; kind++) {
            Compilation other = compile(model, kind, batches[b], level, diag);
            assert_same_layouts(train.plan, other.plan);
            compilation_free(&other);
        }
    compilation_free(&train);
}

static void check_levels(const char *path, const Model *model, Diagnostics *diag) {
    (void)path;
    for (int level = 0; level <= 2; level++) check_model(model, level, diag);
}

static void plans_of_models_are_right(void **state) {
    (void)state;
    each_model(MLC_SOURCE_DIR "/models/*.mdl", check_levels);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(plans_of_models_are_right)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
