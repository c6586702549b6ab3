/* Internal to passes/: one function a row of passes.def. A graph pass returns a new graph (the
 * driver frees the old one), the graph that it was given if it changes nothing, or NULL after
 * reporting an error. A plan pass changes the compilation's plan, and returns false after reporting
 * an error. */
#ifndef MLC_PASSES_PASS_LIST_H
#define MLC_PASSES_PASS_LIST_H

#include "passes/passes.h"

#define DECLARE_GRAPH(name) Graph *pass_##name(Graph *from, const PassOptions *options);
#define DECLARE_PLAN(name) bool pass_##name(Compilation *compilation, const PassOptions *options);
#define PASS(name, kind, level, keeps, doc) DECLARE_##kind(name)
#include "passes/passes.def"
#undef DECLARE_GRAPH
#undef DECLARE_PLAN

#endif
