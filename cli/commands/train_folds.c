/* mlc train --folds K: runs a sweep of one setting. Then it prints the metrics of the folds, and
 * writes one table with the predictions of each network for the rows that it was not trained on. */
#include "cli/commands/sweeping.h"
#include "cli/session/build.h"
#include "cli/session/commands.h"
#include "engine/session/runs.h"
#include "cli/sweep/table.h"
#include "ir/base/display.h"
#include "ir/base/memory.h"

#include <stdlib.h>
#include <string.h>

#define FOLDS_TABLE "folds.csv"
#define FOLDS_PREDICTIONS "predictions.csv"

static bool check_usage(const Options *given, Diagnostics *diag) {
    static const OptionId others[] = {OPTION_resume,      OPTION_weights, OPTION_map, OPTION_expect,
                                      OPTION_tensorboard, OPTION_find_lr, OPTION_json};
    char name[OPTION_SPELLING];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (!option_given(given, others[i])) continue;
        diag_error(diag, STATUS_USAGE, (Span){0}, "--folds and %s exclude each other",
                   option_spelling(&option_rows[others[i]], name));
        if (others[i] == OPTION_resume) diag_help(diag, "mlc sweep --join DIR goes on with folds");
        return false;
    }
    if (given->operand_count) return true;
    diag_error(diag, STATUS_USAGE, (Span){0}, "'mlc train --folds' needs a model file");
    return false;
}

/* Makes the folder, and in it a sweep whose only setting has the values of --set. */
static bool create(SweepPlan *plan, const Options *given, Arena *arena, Diagnostics *diag) {
    Build build = {0};
    Path folder;
    Space space;
    Options options = *given;
    sweep_set_folds(&options.set, given->folds, arena);
    bool good = space_fixed(&space, &given->set, arena, diag) &&
                build_open(&build, given->operands[0], &options, diag) &&
                run_create(given->out, &folder, diag);
    if (good) {
        const SweepRequest request = {.space = &space,
                                      .search = SEARCH_GRID,
                                      .settings = 1,
                                      .seeds = 1,
                                      .folds = (uint32_t)given->folds,
                                      .factor = 1,
                                      .text = build.info->resolved,
                                      .file = build.path.path,
                                      .source = path_absolute(build.folder.path),
                                      .epochs = build.info->epochs,
                                      .first_seed = build.info->seed};
        good = plan_create(plan, &request, folder.path, diag);
    }
    build_close(&build);
    return good;
}

/* -- the predictions -- */

typedef struct {
    const char *text; /* the rest of the line, from the number of the row on */
    size_t length;
    long long row;
    uint32_t fold;
} PredictedRow;

typedef struct {
    PredictedRow *rows;
    size_t count, capacity;
    char *texts[1000]; /* the texts of the files, one a fold */
    const char *head;  /* the names of the columns from "row" on */
    size_t head_length;
} PredictedRows;

static int by_row(const void *a, const void *b) {
    const PredictedRow *x = a, *y = b;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    return (x->fold > y->fold) - (x->fold < y->fold);
}

/* The end of a record: a line feed that no quotes surround. */
static const char *record_end(const char *at) {
    bool quoted = false;
    for (; *at && (quoted || *at != '\n'); at++) quoted ^= *at == '"';
    return at;
}

/* The records of a fold's file begin with "index,row,". The index is that within the fold. */
static void add_rows(PredictedRows *all, uint32_t fold, char *text) {
    all->texts[fold - 1] = text;
    for (const char *at = text, *end; *at; at = end + (*end != 0)) {
        end = record_end(at);
        const char *from = memchr(at, ',', (size_t)(end - at));
        if (!from) continue;
        from++;
        if (at == text) {
            all->head = from;
            all->head_length = (size_t)(end - from);
            continue;
        }
        if (all->count == all->capacity)
            all->rows = memory_grow(all->rows, all->capacity = 2 * all->capacity + 256,
                                    sizeof *all->rows, "the predictions of all folds");
        all->rows[all->count++] =
            (PredictedRow){from, (size_t)(end - from), strtoll(from, NULL, 10), fold};
    }
}

/* Predicts the rows of a fold with the network that was not trained on them. */
static bool predict_fold(const SweepPlan *plan, const Options *given, uint32_t fold,
                         PredictedRows *all, Diagnostics *diag) {
    Path run = plan_trial(plan, fold - 1, ""), file = plan_trial(plan, fold - 1, ".csv");
    char *operands[] = {run.path};
    Options options = *given;
    options.set = (OptionList){0};
    options.operands = operands;
    options.operand_count = 1;
    options.split = CHOICE_split_valid;
    options.given = OPTION_BIT(split);
    options.answer = file.path;
    options.quiet = true;
    if (command_predict(&options, diag) != STATUS_OK) return false;
    size_t length;
    char *text = file_read(file.path, &length, STATUS_FILE, diag);
    remove(file.path);
    if (text) add_rows(all, fold, text);
    return text != NULL;
}

static bool write_rows(const SweepPlan *plan, PredictedRows *all, Diagnostics *diag) {
    MemoryStream stream;
    memory_stream_begin(&stream);
    if (all->count) qsort(all->rows, all->count, sizeof *all->rows, by_row);
    fprintf(stream.out, "fold,%.*s\n", (int)all->head_length, all->head ? all->head : "");
    for (size_t i = 0; i < all->count; i++)
        fprintf(stream.out, "%u,%.*s\n", all->rows[i].fold, (int)all->rows[i].length,
                all->rows[i].text);
    return file_write_stream(path_join(plan->folder.path, FOLDS_PREDICTIONS).path, &stream, diag);
}

static bool write_predictions(const SweepPlan *plan, const Options *given, Diagnostics *diag) {
    PredictedRows *all = MEMORY_NEW(PredictedRows, "the predictions of all folds");
    bool good = true;
    for (uint32_t fold = 1; fold <= plan->folds && good; fold++)
        good = predict_fold(plan, given, fold, all, diag);
    good = good && write_rows(plan, all, diag);
    for (uint32_t fold = 0; fold < plan->folds; fold++) free(all->texts[fold]);
    free(all->rows);
    free(all);
    return good;
}

/* -- the answer -- */

static bool report_failed(Results *results, Diagnostics *diag) {
    for (uint32_t fold = 0; fold < results->plan->folds; fold++) {
        const json_t *line = results_get(results, fold, 0);
        if (!line || json_object_get(line, "last")) continue;
        diag_error(diag,
                   strcmp(json_string_value(json_object_get(line, "state")), "nonfinite") == 0
                       ? STATUS_NONFINITE
                       : STATUS_MODEL,
                   (Span){0}, "fold %u: %s", fold + 1,
                   json_string_value(json_object_get(line, "message")));
        return true;
    }
    return false;
}

static bool answer(Results *results, const Options *given, Diagnostics *diag) {
    const SweepPlan *plan = results->plan;
    Path table = path_join(plan->folder.path, FOLDS_TABLE);
    if (report_failed(results, diag) || !sweep_write_csv(results, table.path, diag) ||
        !write_predictions(plan, given, diag))
        return false;
    sweep_print_folds(results, stdout);
    display_text(plan->folder.path, stdout);
    puts(": " FOLDS_TABLE ", " FOLDS_PREDICTIONS ", " SWEEP_TRIALS_FOLDER "/000000, ...");
    return true;
}

Status train_folds(const Options *given, Diagnostics *diag) {
    SweepPlan plan = {0};
    Arena *arena = arena_new();
    Status status = STATUS_OK;
    if (check_usage(given, diag) && create(&plan, given, arena, diag)) {
        Results results;
        results_open(&results, &plan);
        status = sweep_work(&plan, given, &results, diag);
        if (status == STATUS_OK) answer(&results, given, diag);
        results_close(&results);
    }
    plan_close(&plan);
    arena_free(arena);
    return status == STATUS_OK ? diag_status(diag) : status;
}
