/* Internal to passes/: one function for each row of passes.def. A graph pass returns a new graph,
 * and the driver frees the old one. It may return the old graph if it changes nothing, and NULL
 * after reporting an error. A plan pass changes the plan of the compilation, and returns false
 * after reporting an error. */
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
