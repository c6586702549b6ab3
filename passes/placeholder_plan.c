/* Stands in for fuse.c, layout.c, plan.c until they exist. */
#include "passes/pass_list.h"

bool pass_fuse(Compilation *compilation, const PassOptions *options) { return compilation && options; }
bool pass_layout(Compilation *compilation, const PassOptions *options) { return compilation && options; }
bool pass_plan(Compilation *compilation, const PassOptions *options) { return compilation && options; }
