#include "tests/support/models.h"
#include "runtime/train/train.h"

#include <assert.h>
#include <glob.h>
#include <stdlib.h>

static char *read_text(const char *path, size_t *length) {
    enum { LONGEST = 1 << 20 };
    FILE *file = fopen(path, "rb");
    assert(file);
    char *text = calloc(1, LONGEST);
    *length = fread(text, 1, LONGEST - 1, file);
    fclose(file);
    return text;
}

Model *model_in_file(const char *path, Diagnostics *diag) {
    size_t length;
    char *text = read_text(path, &length);
    Model *model = model_load(
        &(ModelOptions){.path = path, .text = text, .length = length, .schema = dataset_schema},
        diag);
    free(text);
    bool no_data = !model && diag_status(diag) == STATUS_DATA;
    if (!model) diag_print(diag, stderr);
    if (!model && !no_data) abort();
    return model;
}

void each_model(const char *pattern, UseModel *use) {
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0) abort();
    for (size_t i = 0; i < found.gl_pathc; i++) {
        Diagnostics *diag = diag_new();
        Model *model = model_in_file(found.gl_pathv[i], diag);
        if (model) use(found.gl_pathv[i], model, diag);
        model_free(model);
        diag_free(diag);
    }
    globfree(&found);
}
