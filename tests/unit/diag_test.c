/* Errors and warnings: what is counted, what is printed, and in which order. */
#include "ir/diag.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/texts.h"

static void assert_printed(const Diagnostics *diag, const char *expected) {
    char *printed = diag_text(diag);
    assert_string_equal(printed, expected);
    free(printed);
}

static void warnings_are_no_errors(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    uint32_t file = diag_add_text(diag, "a.mdl", "x = 1\n", 6);
    diag_warning(diag, (Span){file, 0, 1}, "'x' is never used");
    diag_help(diag, "leave it out");
    assert_int_equal(diag_errors(diag), 0);
    assert_int_equal(diag_status(diag), STATUS_OK);
    assert_printed(diag, "a.mdl:1:1: warning: 'x' is never used\n     1 | x = 1\n       | ^\n  help: leave it out\n");
    diag_free(diag);
}

/* Of too many errors the notes are left out as well, but a warning after them is shown. */
static void too_many(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    for (int i = 0; i <= DIAG_MAX_ERRORS; i++) {
        diag_error(diag, STATUS_DATA, (Span){0}, "no");
        diag_help(diag, "never");
    }
    diag_warning(diag, (Span){0}, "take care");
    diag_note(diag, (Span){0}, "of this");
    char *printed = diag_text(diag);
    assert_int_equal(diag_errors(diag), DIAG_MAX_ERRORS + 1);
    const char *end = strstr(printed, "mlc: warning");
    assert_string_equal(end, "mlc: warning: take care\nmlc: note: of this\nmlc: 1 more error is not shown\n");
    free(printed);
    diag_free(diag);
}

static void printed_early(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    FILE *out = tmpfile();
    diag_warning(diag, (Span){0}, "first");
    diag_print_warnings(diag, out);
    assert_int_equal(ftell(out), strlen("mlc: warning: first\n"));
    assert_printed(diag, "");
    diag_error(diag, STATUS_DATA, (Span){0}, "second");
    diag_print_warnings(diag, out); /* it waits for the error */
    assert_int_equal(ftell(out), strlen("mlc: warning: first\n"));
    assert_printed(diag, "mlc: error: second\n");
    fclose(out);
    diag_free(diag);
}

static void appended(void **state) {
    (void)state;
    Diagnostics *diag = diag_new(), *other = diag_new();
    diag_warning(other, (Span){0}, "first");
    diag_append(diag, other);
    assert_int_equal(diag_status(diag), STATUS_OK);
    assert_printed(diag, "mlc: warning: first\n");
    diag_free(other);
    diag_free(diag);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warnings_are_no_errors),
        cmocka_unit_test(too_many),
        cmocka_unit_test(printed_early),
        cmocka_unit_test(appended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
