/* Names of CPUs, and what machines can run their code. */
#include "codegen/target/cpu.h"
#include "tests/support/texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define V2 "+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt"
#define V3 V2 ",+avx,+avx2,+fma,+bmi,+bmi2,+f16c,+lzcnt,+movbe"

static void names(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    assert_true(cpu_known("x86-64-v3", diag));
    assert_int_equal(diag_errors(diag), 0);
    assert_false(cpu_known("haswel", diag));
    assert_int_equal(diag_status(diag), STATUS_USAGE);
    char *text = diag_text(diag);
    assert_non_null(strstr(text, "did you mean 'haswell'?"));
    free(text);
    diag_free(diag);
}

static void machines(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    assert_true(cpu_runs_on("x86-64", "", diag));
    assert_true(cpu_runs_on("x86-64-v2", V2, diag));
    assert_true(cpu_runs_on("haswell", V3, diag));
    assert_int_equal(diag_errors(diag), 0);
    assert_false(cpu_runs_on("x86-64-v3", V2, diag));
    /* -avx is not +avx, and +avx2 neither */
    assert_false(cpu_runs_on("x86-64-v3", V2 ",-avx,+avx2", diag));
    assert_false(cpu_runs_on("x86-64-v4", V3, diag));
    char *text = diag_text(diag);
    assert_non_null(strstr(text, "'x86-64-v4': it has no avx512f"));
    assert_int_equal(diag_errors(diag), 3);
    free(text);
    diag_free(diag);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(names), cmocka_unit_test(machines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
