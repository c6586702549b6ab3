/* Fuzzes models. An accepted model has graphs of all kinds, and its resolved text is the same
 * model. */
#include "frontend/model/model.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

const char *const fuzz_words[] = {"(",
                                  ")",
                                  "[",
                                  "]",
                                  "{",
                                  "}",
                                  "|>",
                                  "..",
                                  "..<",
                                  "<..",
                                  "**",
                                  "@",
                                  "=",
                                  ",",
                                  "\n",
                                  "\"",
                                  "#",
                                  "0",
                                  "1e9",
                                  "-",
                                  "N",
                                  "image",
                                  "for i in 0..3 ",
                                  "if true ",
                                  "def f(x) = x\n",
                                  "param p = 3\n",
                                  "use \"a\"\n",
                                  "weight([3], init = ones)",
                                  "dense(3)",
                                  "epoch",
                                  "source",
                                  "[0]",
                                  "[:, 1]",
                                  "none",
                                  "9223372036854775807",
                                  "not ",
                                  "mean",
                                  ".5",
                                  "\x80",
                                  "train {",
                                  "in 0..1",
                                  NULL};

/* A source like MNIST's, without data. */
static bool schema(void *context, const DataSource *source, const SplitRequest *request,
                   Arena *arena, SourceSchema *fields, Diagnostics *diag) {
    static const SourceField all[] = {{.name = "image", .dtype = DTYPE_U8, .row = {3, {1, 28, 28}}},
                                      {.name = "label", .dtype = DTYPE_U8, .classes = 10}};
    (void)context, (void)source, (void)request, (void)arena, (void)diag;
    *fields = (SourceSchema){.fields = all, .field_count = 2};
    return true;
}

static Model *load(const char *text, size_t length, Diagnostics *diag) {
    return model_load(
        &(ModelOptions){.path = "fuzz.mdl", .text = text, .length = length, .schema = schema},
        diag);
}

static void check_accepted(const Model *model, Diagnostics *diag) {
    const char *resolved = model_info(model)->resolved;
    Model *again = load(resolved, strlen(resolved), diag);
    REQUIRE(again && !strcmp(model_info(again)->resolved, resolved));
    for (GraphKind kind = GRAPH_TRAIN; kind <= GRAPH_PREDICT; kind++) {
        Graph *graph = model_graph(model, kind, 3, diag);
        if (graph) REQUIRE(graph_verify(graph));
        graph_free(graph);
    }
    model_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Diagnostics *diag = diag_new();
    char *text = fuzz_copy(data, size);
    Model *model = load(text, size, diag);
    if (model)
        check_accepted(model, diag);
    else
        fuzz_rejected(diag, STATUS_MODEL);
    model_free(model);
    free(text);
    diag_free(diag);
    return 0;
}
