/* The driver: runs the passes in the order of passes.def, and verifies the result of each. */
#include "passes/pass_list.h"
#include "passes/plan/plan_verify.h"

#include <string.h>

typedef Graph *GraphPass(Graph *from, const PassOptions *options);
typedef bool PlanPass(Compilation *compilation, const PassOptions *options);

enum { MANDATORY = -1 };

/* Exactly one of `graph_pass` and `plan_pass` is set. */
typedef struct {
    const char *name, *doc;
    int level;
    GraphPass *graph_pass;
    PlanPass *plan_pass;
} PassFacts;

#define RUN_GRAPH(name) .graph_pass = pass_##name
#define RUN_PLAN(name) .plan_pass = pass_##name
static const PassFacts pass_facts[PASS_COUNT] = {
#define PASS(name, kind, level, keeps, doc) [PASS_##name] = {#name, doc, level, RUN_##kind(name)},
#include "passes/passes.def"
};

const char *pass_name(PassId pass) { return pass_facts[pass].name; }
const char *pass_doc(PassId pass) { return pass_facts[pass].doc; }
bool pass_is_mandatory(PassId pass) { return pass_facts[pass].level == MANDATORY; }
bool pass_makes_plan(PassId pass) { return pass_facts[pass].plan_pass != NULL; }
int pass_level(PassId pass) { return pass_is_mandatory(pass) ? 0 : pass_facts[pass].level; }

bool pass_from_name(const char *name, PassId *pass) {
    for (int i = 0; i < PASS_COUNT; i++)
        if (!strcmp(pass_facts[i].name, name)) return *pass = (PassId)i, true;
    return false;
}

static void drop_plan(Compilation *compilation) {
    if (compilation->plan) plan_free(compilation->plan);
    compilation->plan = NULL;
}

void compilation_free(Compilation *compilation) {
    drop_plan(compilation);
    graph_free(compilation->graph);
    compilation->graph = NULL;
}

/* A plan belongs to one graph, so a new graph drops it. */
static bool run_graph_pass(PassId pass, Compilation *compilation, const PassOptions *options) {
    size_t errors = diag_errors(compilation->graph->diag);
    Graph *graph = pass_facts[pass].graph_pass(compilation->graph, options);
    if (!graph) return false;
    drop_plan(compilation);
    if (graph != compilation->graph) graph_free(compilation->graph);
    compilation->graph = graph;
    if (diag_errors(graph->diag) > errors) return false;
    if (graph_verify(graph)) return true;
    diag_error(graph->diag, STATUS_BUG, (Span){0}, "the graph that pass '%s' made breaks a rule",
               pass_name(pass));
    return false;
}

bool pass_run(PassId pass, Compilation *compilation, const PassOptions *options) {
    if (!pass_makes_plan(pass)) return run_graph_pass(pass, compilation, options);
    if (pass == PASS_fuse || compilation->plan) {
        char fault[PLAN_FAULT];
        if (!pass_facts[pass].plan_pass(compilation, options)) return false;
        if (plan_verify(compilation->plan, pass == PASS_plan, fault)) return true;
        diag_error(compilation->graph->diag, STATUS_BUG, (Span){0},
                   "the plan that pass '%s' made breaks a rule: %s", pass_name(pass), fault);
        return false;
    }
    diag_error(compilation->graph->diag, STATUS_USAGE, (Span){0},
               "pass '%s' works on a plan, and there is none yet", pass_name(pass));
    diag_help(compilation->graph->diag, "run pass '%s' before it", pass_name(PASS_fuse));
    return false;
}

bool passes_run(Compilation *compilation, Graph *graph, const PassOptions *options, PassId last) {
    *compilation = (Compilation){.graph = graph};
    for (PassId pass = 0; pass < PASS_COUNT && pass <= last; pass++) {
        bool wanted = pass_is_mandatory(pass) ||
                      (options->level >= pass_level(pass) && !(options->skip >> pass & 1));
        if (!wanted) continue;
        if (!pass_run(pass, compilation, options)) return false;
        if (options->after) options->after(pass, compilation, options->context);
    }
    return true;
}
