/* The runs of an ensemble. */
#include "cli/results/ensemble.h"
#include "cli/results/run_record.h"
#include "cli/session/run_search.h"
#include "engine/session/runs.h"
#include "ir/base/files.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool is_run(const char *path) { return file_is_there(path_join(path, RUN_MODEL).path); }

/* The runs at or below an operand. NULL, without an error, if it holds none. */
static const char **runs_at(const char *path, Arena *arena, uint32_t *count) {
    Diagnostics *unheard = diag_new();
    const char **runs = path_is_folder(path) ? runs_search(path, arena, count, unheard) : NULL;
    diag_free(unheard);
    return runs;
}

static bool gather(const Options *options, Arena *arena, EnsembleRuns *found) {
    uint32_t capacity = 0, count;
    for (; found->files < options->operand_count; found->files++) {
        const char **runs = runs_at(options->operands[found->files], arena, &count);
        if (!runs) break;
        for (uint32_t i = 0; i < count; i++) {
            ARENA_ROOM(arena, found->runs, found->count, capacity);
            found->runs[found->count++] = runs[i];
        }
    }
    return found->count > 0;
}

/* -- best:N -- */

typedef struct {
    const char *run;
    double score; /* higher is better; NaN: the run has no score */
    char *name;   /* the name of the score, malloc'ed */
    uint32_t at;
} RankedRun;

static int by_score(const void *a, const void *b) {
    const RankedRun *x = a, *y = b;
    if (x->score != y->score) return x->score > y->score ? -1 : 1;
    return x->at < y->at ? -1 : 1;
}

/* The score of the epoch whose weights the checkpoint has. */
static RankedRun rank(const char *run, uint32_t at, bool best) {
    RunRecord record;
    RankedRun ranked = {.run = run, .score = NAN, .at = at};
    if (!run_record_read(run, &record)) return ranked;
    const json_t *line = best ? record.best : run_record_last(&record);
    if (record.best_score && line) {
        double value = run_record_number(line, record.best_score);
        ranked.score = record.higher_is_better ? value : -value;
        ranked.name = strdup(record.best_score);
    }
    run_record_free(&record);
    return ranked;
}

static bool check_names(const RankedRun *ranked, uint32_t count, Diagnostics *diag) {
    for (uint32_t i = 1; i < count; i++) {
        if (!strcmp(ranked[0].name, ranked[i].name)) continue;
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "--ensemble best: '%s' is measured by %s and '%s' by %s", ranked[0].run,
                   ranked[0].name, ranked[i].run, ranked[i].name);
        diag_help(diag, "--ensemble mean takes the runs that you name");
        return false;
    }
    return true;
}

static bool check_enough(uint32_t count, int64_t wanted, const char *folder, Diagnostics *diag) {
    if (count >= wanted) return true;
    diag_error(diag, STATUS_USAGE, (Span){0},
               "--ensemble best:%lld: '%s' has %u run%s with a score", (long long)wanted, folder,
               count, count == 1 ? "" : "s");
    diag_help(diag,
              count ? "--ensemble best:%u takes all of them"
                    : "a run has a score if rows are held out: test = 0.2",
              count);
    return false;
}

static bool take_best(const Options *options, int64_t wanted, EnsembleRuns *found,
                      Diagnostics *diag) {
    RankedRun *ranked = memory_array(found->count, sizeof *ranked, "the runs of an ensemble");
    uint32_t count = 0;
    for (uint32_t i = 0; i < found->count; i++) {
        RankedRun next = rank(found->runs[i], i, options->checkpoint == CHOICE_checkpoint_best);
        if (isnan(next.score) || !is_run(next.run))
            free(next.name);
        else
            ranked[count++] = next;
    }
    bool good =
        check_enough(count, wanted, options->operands[0], diag) && check_names(ranked, count, diag);
    qsort(ranked, count, sizeof *ranked, by_score);
    for (uint32_t i = 0; i < wanted && good; i++) found->runs[i] = ranked[i].run;
    if (good) found->count = (uint32_t)wanted;
    for (uint32_t i = 0; i < count; i++) free(ranked[i].name);
    free(ranked);
    return good;
}

static Options options_of(const Options *given, const EnsembleRuns *found, uint32_t run,
                          Arena *arena) {
    Options options = *given;
    int files = options.operand_count - found->files;
    char **operands = (char **)ARENA_ARRAY(arena, char *, files + 1);
    operands[0] = arena_format(arena, "%s", found->runs[run]);
    for (int i = 0; i < files; i++) operands[i + 1] = options.operands[found->files + i];
    options.operands = operands;
    options.operand_count = files + 1;
    options.quiet |= run > 0; /* notes about the files are printed once */
    return options;
}

bool ensemble_find(const Options *options, Arena *arena, EnsembleRuns *found, Diagnostics *diag) {
    enum { MOST = 1000 };
    const char *which = options->ensemble;
    int64_t wanted = 0;
    *found = (EnsembleRuns){0};
    if (strcmp(which, "mean") &&
        (strncmp(which, "best:", 5) || !parse_number(which + 5, 1, MOST, &wanted))) {
        diag_error(diag, STATUS_USAGE, (Span){0}, "--ensemble takes mean or best:N, not '%s'",
                   which);
        diag_help(diag, "--ensemble mean averages all runs that are named, best:5 the best five");
        return false;
    }
    if (gather(options, arena, found)) {
        if (wanted && !take_best(options, wanted, found, diag)) return false;
        found->options = ARENA_ARRAY(arena, Options, found->count);
        for (uint32_t i = 0; i < found->count; i++)
            found->options[i] = options_of(options, found, i, arena);
        return true;
    }
    diag_error(diag, STATUS_FILE, (Span){0}, "'%s' is no run, and no folder that holds runs",
               options->operands[0]);
    diag_help(diag, "the runs come before the files: RUN RUN FILE --ensemble mean");
    return false;
}

bool ensemble_check_single(const Options *options, Diagnostics *diag) {
    if (options->operand_count < 2 || !is_run(options->operands[1]) ||
        !file_is_there(path_join(options->operands[1], RUN_METRICS).path))
        return true;
    diag_error(diag, STATUS_USAGE, (Span){0}, "'%s' is a run, not a file with new rows",
               options->operands[1]);
    diag_help(diag, "--ensemble mean averages the predictions of several runs");
    return false;
}
