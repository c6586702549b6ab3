#include "tests/support/compile_on.h"
#include "codegen/codegen.h"
#include "passes/passes.h"

#include <stdlib.h>

Program *compile_on(Device *device, Graph *graph, int threads) {
    Diagnostics *diag = graph->diag;
    Compilation compilation;
    CodegenOptions options = {.level = 2, .gpu = device ? device_facts(device)->code : NULL};
    PassOptions passes = {.level = 2, .threads = threads, .on_gpu = device != NULL};
    if (!passes_run(&compilation, graph, &passes, PASS_COUNT - 1)) return NULL;
    if (!device) return codegen_compile(compilation.plan, compilation.graph, &options, diag);
    char *ptx = codegen_ptx(compilation.plan, &options, diag);
    Program *program =
        ptx ? device_program(device, ptx, compilation.plan, compilation.graph, diag) : NULL;
    free(ptx);
    return program;
}
