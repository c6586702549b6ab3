/* Models, runs and splits as the command line names them. */
#include "cli/session/build.h"
#include "cli/session/suggest.h"
#include "ir/base/display.h"
#include "ir/base/files.h"
#include "ir/base/integers.h"

#include <errno.h>
#include <string.h>

BuildOptions options_build(const Options *options) {
    return (BuildOptions){
        .sets = options->set.items,
        .set_count = options->set.count,
        .level = (int)options->level,
        .threads = (int)options->threads,
        .cpu = options->cpu,
        .external_gemm = options->gemm == CHOICE_gemm_openblas,
        .no_cache = options->no_cache,
        .verbose = options->verbose,
        .given_weights = options->weights != NULL,
        .tries_rates = options->find_lr,
        .device = options->device,
    };
}

GraphKind options_graph_kind(const Options *options) {
    static const GraphKind kinds[] = {[CHOICE_kind_train] = GRAPH_TRAIN,
                                      [CHOICE_kind_eval] = GRAPH_EVAL,
                                      [CHOICE_kind_predict] = GRAPH_PREDICT};
    return kinds[options->kind];
}

const char *options_checkpoint(const Options *options) {
    return options->checkpoint == CHOICE_checkpoint_last ? RUN_LAST : RUN_BEST;
}

/* Reports a path that is not a file, and suggests the model that was meant. */
static bool check_file(const char *path, Diagnostics *diag) {
    if (path_is_stdin(path)) return true;
    if (path_is_folder(path))
        diag_error(diag, STATUS_FILE, (Span){0}, "'%s' is a folder, not the file of a model", path);
    else if (!file_is_there(path))
        diag_error(diag, STATUS_FILE, (Span){0}, "cannot read '%s': %s", path, strerror(errno));
    else
        return true;
    suggest_model(path, diag);
    return false;
}

char *build_read_text(const char *path, size_t *length, Diagnostics *diag) {
    return check_file(path, diag) ? file_read(path, length, STATUS_FILE, diag) : NULL;
}

bool build_open(Build *build, const char *path, const Options *options, Diagnostics *diag) {
    *build = (Build){0};
    if (!check_file(path, diag)) return false;
    BuildOptions how = options_build(options);
    bool good = build_load(build, path, path_is_stdin(path) ? "." : path_folder(path).path, NULL,
                           &how, diag);
    build->given = options;
    return good;
}

bool build_open_run(Build *build, const char *run, const Options *options, Diagnostics *diag) {
    BuildOptions how = options_build(options);
    bool good = run_open_model(build, run, NULL, &how, diag);
    build->given = options;
    return good;
}

bool build_open_shared(Build *build, const char *path, const char *folder, DataCache *data,
                       const Options *options, Diagnostics *diag) {
    BuildOptions how = options_build(options);
    bool good = build_load_shared(build, path, folder, data, &how, diag);
    build->given = options;
    return good;
}

bool session_open_run(Session *session, const Options *options, Diagnostics *diag) {
    BuildOptions how = options_build(options);
    bool good =
        session_load_run(session, options->operands[0], options_checkpoint(options), &how, diag);
    session->build.given = options;
    return good;
}

bool session_split(const Session *session, const Options *options, Split *split) {
    static const Split splits[] = {[CHOICE_split_test] = SPLIT_TEST,
                                   [CHOICE_split_valid] = SPLIT_VALID,
                                   [CHOICE_split_train] = SPLIT_TRAIN};
    const Split *wanted = &splits[options->split];
    return session_find_split(session, option_given(options, OPTION_split) ? wanted : NULL, split);
}

void build_describe_forward(Build *build, GraphKind kind, int64_t rows) {
    uint32_t batch = programs_forward_batch(rows, build->info->batch);
    build->work = (DeviceWork){kind, batch, rows ? (double)divide_up(rows, batch) : 0};
}

void build_print_choice(const Build *build) {
    if (!*build->choice) return;
    fputs("--device auto: ", stderr);
    display_text(build->choice, stderr);
    putc('\n', stderr);
}

bool build_find_pass(const char *name, PassId *pass, Diagnostics *diag) {
    if (pass_from_name(name, pass)) return true;
    diag_error(diag, STATUS_USAGE, (Span){0}, "there is no pass '%s'", name);
    const char *names[PASS_COUNT];
    for (int i = 0; i < PASS_COUNT; i++) names[i] = pass_name((PassId)i);
    if (!diag_suggest(diag, name, names, PASS_COUNT))
        diag_help(diag, "'mlc opt --list-passes' lists them");
    return false;
}
