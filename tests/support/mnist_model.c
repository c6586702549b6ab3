#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/mnist_model.h"

#include <stdio.h>
#include <string.h>

/* A source like MNIST's, without data. */
bool mnist_schema(void *context, const DataSource *source, const SplitRequest *request,
                  Arena *arena, SourceSchema *fields, Diagnostics *diag) {
    static const SourceField all[] = {{.name = "image", .dtype = DTYPE_U8, .row = {3, {1, 28, 28}}},
                                      {.name = "label", .dtype = DTYPE_U8, .classes = 10}};
    (void)context, (void)source, (void)request, (void)arena, (void)diag;
    *fields = (SourceSchema){.fields = all, .field_count = 2};
    return true;
}

Model *mnist_load_with(const char *text, const char *const *sets, uint32_t set_count,
                       Diagnostics *diag) {
    ModelOptions options = {.path = "test.mdl",
                            .text = text,
                            .length = strlen(text),
                            .sets = sets,
                            .set_count = set_count,
                            .schema = mnist_schema};
    return model_load(&options, diag);
}

const char *errors_of(const Diagnostics *diag) {
    static char text[1 << 16];
    FILE *out = fmemopen(text, sizeof text, "w");
    diag_print(diag, out);
    fputc('\0', out);
    fclose(out);
    return text;
}

/* Loads a model that must have no errors. */
Model *mnist_load(const char *text, Diagnostics *diag) {
    Model *model = mnist_load_with(text, NULL, 0, diag);
    if (!model) fail_msg("%s", errors_of(diag));
    return model;
}

void expect_symbol(const Graph *graph, const char *name, const char *type) {
    char text[SHAPE_TEXT];
    const Symbol *symbol = graph_symbol(graph, name);
    if (!symbol) fail_msg("there is no '%s'", name);
    assert_string_equal(shape_text(symbol->dtype, symbol->shape, text), type);
}
