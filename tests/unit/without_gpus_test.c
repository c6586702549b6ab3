/* An mlc that is built without code for GPUs says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "codegen/codegen.h"
#include "passes/passes.h"
#include "tests/support/texts.h"

static void code_for_gpus_is_refused(void **state) {
    static const char message[] = "this mlc is built without code for GPUs";
    Diagnostics *diag = diag_new();
    Compilation compilation;
    Graph *graph = graph_new("one", diag);
    uint32_t count;
    CodegenPrediction prediction;
    CodegenOptions options = {.gpu = "sm_80"};
    (void)state;
    graph_output(graph, "y", build_f32(graph, 1, (Shape){0}));
    assert_true(passes_run(&compilation, graph, &(PassOptions){.threads = 1}, PASS_COUNT - 1));
    assert_null(codegen_ptx(compilation.plan, &options, diag));
    expect_messages(diag, STATUS_USAGE, message);
    assert_false(
        codegen_predict(compilation.plan, &options, codegen_gpus(&count), 1, &prediction, diag));
    expect_messages(diag, STATUS_USAGE, "--device cpu computes the same bits");
    assert_false(codegen_has_gpus(diag));
    expect_messages(diag, STATUS_USAGE, message);
    compilation_free(&compilation);
    diag_free(diag);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(code_for_gpus_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
