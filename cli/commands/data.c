/* mlc data: describes the data of a model, lists named data sets, downloads one of them. */
#include "cli/session/commands.h"
#include "cli/show/data_print.h"
#include "engine/files/files.h"
#include "ir/base/files.h"
#include "runtime/data/dataset.h"
#include "runtime/data/fetch.h"
#include "runtime/data/sources.h"

#include <string.h>

static Status list(void) {
    uint32_t count;
    const char *const *names = data_names(&count);
    for (uint32_t i = 0; i < count; i++) {
        char folder[PATH_MAX];
        bool found = data_find(names[i], folder, sizeof folder);
        printf("%-16s %s%s\n", names[i], found ? folder : "not there yet: mlc data get ",
               found ? "" : names[i]);
    }
    return STATUS_OK;
}

static Status get(const Options *given, Diagnostics *diag) {
    char folder[PATH_MAX];
    const char *name = given->operands[1];
    if (!data_get(name, given->from, given->quiet, diag)) return diag_outcome(diag, false);
    printf("%s: in %s\n", name, data_folder(name, folder, sizeof folder));
    return STATUS_OK;
}

static Status show(const Options *given, Diagnostics *diag) {
    DataReport report = {.options = given, .diag = diag, .split = SPLIT_TRAIN};
    bool good = report_source(&report);
    if (good) {
        report_fields(&report);
        (given->json ? report_print_json : report_print)(&report);
    }
    report_free(&report);
    return diag_outcome(diag, good);
}

static bool is_named(const char *name) {
    uint32_t count;
    const char *const *names = data_names(&count);
    for (uint32_t i = 0; i < count; i++)
        if (!strcmp(names[i], name)) return true;
    return false;
}

Status command_data(const Options *given, Diagnostics *diag) {
    const char *action = given->operands[0];
    if (strcmp(action, "list") == 0 && given->operand_count == 1) return list();
    if (strcmp(action, "get") == 0 && given->operand_count == 2) return get(given, diag);
    /* a model: its name ends in .mdl, is "-" (stdin), or names a file */
    if (given->operand_count == 1 &&
        (path_ends_in(action, ".mdl") || !strcmp(action, "-") || file_is_there(action)))
        return show(given, diag);
    diag_error(diag, STATUS_USAGE, (Span){0},
               "'mlc data' takes a model file, or 'list', or 'get' and the name of a data set");
    if (given->operand_count == 1 && is_named(action))
        diag_help(diag, "did you mean 'mlc data get %s'?", action);
    else
        diag_help(diag, "mlc data models/mnist.mdl; mlc data get mnist");
    return STATUS_USAGE;
}
