/* Builds a graph and its plan, which the plan verifier checks. One test program includes it once,
 * after cmocka.h. */
#ifndef MLC_TESTS_PLAN_FIXTURE_H
#define MLC_TESTS_PLAN_FIXTURE_H

#include "passes/passes.h"
#include "passes/plan/plan_verify.h"

static Diagnostics *diag;
static Graph *graph;
static Compilation compilation;

static int set_up(void **state) {
    (void)state;
    diag = diag_new();
    graph = graph_new("test", diag);
    compilation = (Compilation){0};
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    compilation_free(&compilation);
    diag_free(diag);
    return 0;
}

static const Plan *compile_with(PassOptions options) {
    assert_true(passes_run(&compilation, graph, &options, PASS_COUNT - 1));
    char wrong[PLAN_FAULT];
    if (!plan_verify(compilation.plan, true, wrong)) {
        plan_print(compilation.plan, stderr);
        fail_msg("%s", wrong);
    }
    return compilation.plan;
}

static const Plan *compile(void) { return compile_with((PassOptions){.level = 2, .threads = 2}); }

#endif
