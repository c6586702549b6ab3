/* The manual of functions: every function has an entry with a text and an example that works, and
 * docs/library.md is up to date. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/manual/doc_entries.h"
#include "frontend/manual/explain.h"

static void every_function_is_described(void **state) {
    (void)state;
    Arena *arena = arena_new();
    Diagnostics *diag = diag_new();
    DocExamples *examples = doc_examples_open(diag);
    assert_non_null(examples);
    uint32_t count;
    const DocEntry *entries = doc_entries(arena, doc_examples_library(examples), &count);
    for (uint32_t i = 0; i < count; i++) {
        DocExample example;
        const char *name = entries[i].callee->name;
        if (!entries[i].text || !*entries[i].text) fail_msg("nothing is said about '%s'", name);
        if (!entries[i].example) fail_msg("'%s' has no example", name);
        if (!doc_example_evaluate(examples, arena, &entries[i], &example)) {
            diag_print(diag, stderr);
            fail_msg("the example of '%s' does not work", name);
        }
    }
    /* every function is in a known section */
    assert_int_equal(count, names_count(doc_examples_library(examples)->functions));
    doc_examples_close(examples);
    diag_free(diag);
    arena_free(arena);
}

/* An example must use its function. */
static void examples_show_their_function(void **state) {
    (void)state;
    Arena *arena = arena_new();
    uint32_t count;
    const DocEntry *entries = doc_entries(arena, library_get(), &count);
    for (uint32_t i = 0; i < count; i++)
        if (!entries[i].example || !strstr(entries[i].example, entries[i].callee->name))
            fail_msg("the example of '%s' does not show it", entries[i].callee->name);
    arena_free(arena);
}

static char *read_manual(void) {
    FILE *file = fopen(MLC_SOURCE_DIR "/docs/library.md", "rb");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

static void the_manual_is_up_to_date(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    char *written = NULL, *kept = read_manual();
    size_t length;
    FILE *out = open_memstream(&written, &length);
    assert_true(explain_manual(out, diag));
    fclose(out);
    if (strcmp(written, kept))
        fail_msg("docs/library.md is stale: mlc explain --manual >docs/library.md");
    free(written);
    free(kept);
    diag_free(diag);
}

static void unknown_names_are_told(void **state) {
    (void)state;
    Diagnostics *diag = diag_new();
    char *written = NULL;
    size_t length;
    FILE *out = open_memstream(&written, &length);
    assert_false(explain_function("layer_norn", out, diag));
    fclose(out);
    assert_int_equal(length, 0);
    assert_int_equal(diag_status(diag), STATUS_USAGE);
    free(written);
    diag_free(diag);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_is_described),
        cmocka_unit_test(examples_show_their_function),
        cmocka_unit_test(the_manual_is_up_to_date),
        cmocka_unit_test(unknown_names_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
