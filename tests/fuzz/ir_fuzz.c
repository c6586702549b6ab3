/* Fuzzes graphs in text form. An accepted graph is valid, and it prints as a text that reads and
 * prints as the same text again. */
#include "tests/fuzz/fuzz.h"
#include "tests/support/texts.h"

#include <string.h>

const char *const fuzz_words[] = {"%1",
                                  "%99999999999",
                                  "[",
                                  "]",
                                  "9223372036854775807",
                                  "-1",
                                  "nan",
                                  "f32[]",
                                  "\"",
                                  "\\x",
                                  "axis=",
                                  "18446744073709551616",
                                  "\n",
                                  "# ",
                                  "output",
                                  "update",
                                  "grad",
                                  "%100000",
                                  "perm=[0,0,0,0,0,0,0]",
                                  "2147483648,",
                                  "transpose_b",
                                  "trainable",
                                  NULL};

static void check_accepted(const Graph *graph, Diagnostics *diag) {
    REQUIRE(graph_verify(graph));
    char *first = graph_text(graph);
    Graph *again = graph_read("again.ir", first, strlen(first), diag);
    REQUIRE(again);
    char *second = graph_text(again);
    REQUIRE(!strcmp(first, second));
    graph_free(again);
    free(first);
    free(second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Diagnostics *diag = diag_new();
    char *text = fuzz_copy(data, size);
    Graph *graph = graph_read("fuzz.ir", text, size, diag);
    if (graph)
        check_accepted(graph, diag);
    else
        fuzz_rejected(diag, STATUS_MODEL);
    graph_free(graph);
    free(text);
    diag_free(diag);
    return 0;
}
