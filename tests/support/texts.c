/* Graphs and messages as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/texts.h"

#include <stdlib.h>
#include <string.h>

static FILE *stream_to(char **text, size_t *size) {
    FILE *out = open_memstream(text, size);
    if (!out) abort();
    return out;
}

static char *printed(const Graph *graph, void (*print)(const Graph *, FILE *)) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = stream_to(&text, &size);
    print(graph, out);
    fclose(out);
    return text;
}

char *graph_text(const Graph *graph) { return printed(graph, graph_print); }
char *graph_dot_text(const Graph *graph) { return printed(graph, graph_print_dot); }

char *diag_text(const Diagnostics *diag) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = stream_to(&text, &size);
    diag_print(diag, out);
    fclose(out);
    return text;
}

void expect_messages(Diagnostics *diag, Status status, const char *part) {
    char *messages = diag_text(diag);
    assert_int_equal(diag_status(diag), status);
    if (!strstr(messages, part)) fail_msg("expected \"%s\" in \"%s\"", part, messages);
    free(messages);
    diag_clear(diag);
}
