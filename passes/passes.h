/* The public header of passes/: graph to graph, then graph to plan. The order of passes is the
 * order of rows in passes.def. */
#ifndef MLC_PASSES_PASSES_H
#define MLC_PASSES_PASSES_H

#include "ir/ir.h"

typedef enum {
#define PASS(name, kind, level, keeps, doc) PASS_##name,
#include "passes/passes.def"
    PASS_COUNT
} PassId;

const char *pass_name(PassId pass);
const char *pass_doc(PassId pass);
bool pass_is_mandatory(PassId pass);
bool pass_makes_plan(PassId pass); /* works on a plan, not a graph */
int pass_level(PassId pass);
bool pass_from_name(const char *name, PassId *pass);

/* The state of a compilation between passes: the graph so far, and the plan once fuse has made
 * one. */
typedef struct {
    Graph *graph; /* owned */
    Plan *plan;   /* owned; NULL before fuse */
} Compilation;

typedef struct {
    int level;          /* -O: 0 .. 3 */
    uint32_t skip;      /* bit PassId: leave it out (mandatory passes cannot be skipped) */
    bool external_gemm; /* matmuls become KERNEL_GEMM */
    bool no_vectors; /* of the target: no row kernels; states in one form each, in narrow panels */
    /* of the target: images keep their order in memory; all threads share each kernel, however small,
     * and values whose kernels can run side by side do not share memory */
    bool on_gpu;
    /* sets Kernel.max_threads only; never changes a bit. -n, for tests: n threads even for kernels
     * too small to gain from them */
    int threads;
    /* Called by passes_run after every pass that ran; NULL: no call. */
    void (*after)(PassId pass, const Compilation *compilation, void *context);
    void *context; /* of `after` */
} PassOptions;

/* Runs one pass: the graph or the plan is replaced, and verified afterwards. false after reporting
 * an error. */
bool pass_run(PassId pass, Compilation *compilation, const PassOptions *options);
/* Runs all passes of options->level from the first to `last` (inclusive; PASS_COUNT - 1 for all).
 * Takes over `graph`. */
bool passes_run(Compilation *compilation, Graph *graph, const PassOptions *options, PassId last);
void compilation_free(Compilation *compilation);

/* What a step takes on so many threads of a CPU, roughly: to compare it with a GPU. */
double plan_seconds(const Plan *plan, int threads);

/* Replaces what other programs do not have, and nothing else: random numbers by the whole numbers
 * that they are computed from, and the gradients of a convolution's weights by products. */
void passes_expand_exported(Compilation *compilation);

/* Differentiates a graph as the gradients pass does: result[i] is the gradient of the scalar `y` by
 * by[i]. Adds nodes to the graph and changes none. The gradient of a node that y does not depend on
 * is a constant 0. No ancestor of y may be a grad node. */
void gradients_build(Graph *graph, NodeId y, const NodeId *by, uint32_t count, NodeId *result);

#endif
