/* Errors and warnings: what is counted, what is printed, and in which order. */
#include "ir/base/diag.h"

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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
    assert_printed(
        diag,
        "a.mdl:1:1: warning: 'x' is never used\n     1 | x = 1\n       | ^\n  help: leave it out\n");
    diag_free(diag);
}

/* Beyond the limit of errors their notes are left out too, but a later warning is shown. */
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
    assert_string_equal(
        end, "mlc: warning: take care\nmlc: note: of this\nmlc: 1 more error is not shown\n");
    free(printed);
    diag_free(diag);
}

/* Names of files and users' names may have any length and any bytes. */
static void long_names(void **state) {
    (void)state;
    enum { LENGTH = 100000 };
    Diagnostics *diag = diag_new();
    char *name = malloc(LENGTH + 1), expected[512], head[121], tail[41];
    memset(name, 'a', LENGTH);
    name[LENGTH] = 0;
    snprintf(head, sizeof head, "%s", name);
    snprintf(tail, sizeof tail, "%s", name);
    diag_error(diag, STATUS_DATA, (Span){0}, "the model's field '%s' is not '%s'", name,
               "b\033[31m\n");
    snprintf(expected, sizeof expected,
             "mlc: error: the model's field '%s...%s' (100000 bytes) is not 'b?[31m?'\n", head,
             tail);
    assert_printed(diag, expected);
    diag_clear(diag);
    /* a name that ends in a quote and begins with characters of two bytes */
    name[60001] = '\'', name[60002] = 0;
    for (int i = 0; i < 30001; i++) memcpy(name + 2 * i, "\xc3\xa4", 2);
    diag_error(diag, STATUS_DATA, (Span){0}, "'%s' is long", name);
    char *printed = diag_text(diag);
    assert_non_null(strstr(printed, "\xc3\xa4..."));
    assert_null(strchr(printed, '?'));
    assert_non_null(strstr(printed, " is long\n"));
    free(printed);
    diag_clear(diag);
    memset(name, 'a', LENGTH); /* a long name without quotes, and a long one among short ones */
    diag_error(diag, STATUS_DATA, (Span){0}, "%s", name);
    printed = diag_text(diag);
    assert_int_equal(strlen(printed), strlen("mlc: error: ... (96000 more bytes)\n") + 4000);
    assert_non_null(strstr(printed, "a... (96000 more bytes)\n"));
    free(printed);
    free(name);
    diag_free(diag);
}

/* `bug` must end a process with the status of a bug, and the line `expected`. */
static void assert_bug(void (*bug)(void), const char *expected) {
    int pipe_ends[2], status;
    char said[256] = "";
    assert_int_equal(pipe(pipe_ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipe_ends[1], STDERR_FILENO);
        bug();
        _exit(0);
    }
    close(pipe_ends[1]);
    size_t length = 0;
    for (ssize_t got; (got = read(pipe_ends[0], said + length, sizeof said - 1 - length)) > 0;)
        length += (size_t)got;
    close(pipe_ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), STATUS_BUG);
    assert_string_equal(said, expected);
}

static void broken_rule(void) { __assert_fail("two == 3", "/a/folder/file.c", 12, "count"); }

static void silent_failure(void) { diag_outcome(diag_new(), false); }

/* A violated invariant, and a failure that nobody reported. */
static void bugs_are_told(void **state) {
    (void)state;
    assert_bug(broken_rule, "mlc: a bug in mlc: 'two == 3' does not hold (file.c:12, in count)\n");
    assert_bug(
        silent_failure,
        "mlc: a bug in mlc: something failed without telling why; the answer is not complete\n");
}

static void outcomes(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    assert_int_equal(diag_outcome(diag, true), STATUS_OK);
    diag_error(diag, STATUS_DATA, (Span){0}, "no");
    assert_int_equal(diag_outcome(diag, false), STATUS_DATA);
    assert_int_equal(diag_outcome(diag, true), STATUS_DATA);
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
    diag_print_warnings(diag, out); /* it is printed after the error */
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
        cmocka_unit_test(long_names),
        cmocka_unit_test(bugs_are_told),
        cmocka_unit_test(outcomes),
        cmocka_unit_test(printed_early),
        cmocka_unit_test(appended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
