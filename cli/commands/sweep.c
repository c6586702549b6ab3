/* mlc sweep: trains a model many times with different values, on any number of workers. */
#include "cli/commands/sweeping.h"
#include "cli/commands/training.h"
#include "cli/session/commands.h"
#include "cli/sweep/slurm.h"
#include "cli/sweep/sobol.h"
#include "cli/sweep/study.h"
#include "cli/sweep/table.h"
#include "cli/sweep/worker.h"
#include "ir/base/display.h"
#include "ir/base/memory.h"
#include "runtime/threads/threads.h"

#include <stdlib.h>
#include <string.h>

/* -- a new sweep -- */

/* Optuna chooses one setting after the other. So options that choose all of them at the start are
 * refused. */
static bool check_study(const Options *options, Diagnostics *diag) {
    static const struct {
        OptionId id;
        const char *name;
    } others[] = {
        {OPTION_halving, "--halving"}, {OPTION_search, "--search"}, {OPTION_draw_seed, "--seed"}};
    if (!options->optuna && !options->study) return true;
    if (!options->optuna || !options->study || !option_given(options, OPTION_trials)) {
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "a study needs --optuna, --study and --trials: where it is, its name, and how "
                   "many settings it chooses");
        diag_help(diag, "mlc sweep my.mdl --set 'lr=log(1e-4, 1e-1)' --trials 20 --optuna "
                        "sqlite:///study.db --study mine");
        return false;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (!option_given(options, others[i].id)) continue;
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "%s does not go with --optuna: Optuna chooses the settings", others[i].name);
        return false;
    }
    return true;
}

static bool check_usage(const Options *options, Diagnostics *diag) {
    int ways = (options->operand_count > 0) + (options->join != NULL) + (options->status != NULL);
    if (ways != 1) {
        diag_error(
            diag, STATUS_USAGE, (Span){0},
            "'mlc sweep' needs a model file, or --join or --status with the folder of a sweep");
        diag_help(diag, "mlc sweep my.mdl --set 'lr=log(1e-4, 1e-1)' --trials 20");
        return false;
    }
    if (options->operand_count ||
        !(options->set.count || option_given(options, OPTION_trials) ||
          option_given(options, OPTION_seeds) || option_given(options, OPTION_folds) ||
          options->optuna || options->study || options->sweep_folder))
        return check_study(options, diag);
    diag_error(
        diag, STATUS_USAGE, (Span){0},
        "--set, --trials, --seeds, --folds, --optuna and --out belong to a new sweep: this one exists");
    return false;
}

/* Reads the model with some values; false after reporting what is wrong with them. */
static bool try_values(const Options *given, OptionList sets, Build *build, Diagnostics *diag) {
    Options options = *given;
    options.set = sets;
    return build_open(build, given->operands[0], &options, diag);
}

/* Tries every value of a list and both bounds of a range, with the first values of the other
 * parameters. So a wrong name or value is reported before anything is trained. */
static bool check_values(const Space *space, const Options *given, Arena *arena,
                         Diagnostics *diag) {
    OptionList sets = {.count = space->count};
    const char **ends[OPTION_LIST_MAX];
    uint32_t counts[OPTION_LIST_MAX];
    bool good = true;
    for (uint32_t p = 0; p < space->count; p++) {
        ends[p] = (const char **)ARENA_ARRAY(arena, char *, space->params[p].item_count + 2);
        counts[p] = space_ends(space, p, ends[p], arena);
        sets.items[p] = ends[p][0];
    }
    for (uint32_t p = 0; p < space->count && good; p++) {
        for (uint32_t i = 0; i < counts[p] && good; i++) {
            Build build;
            sets.items[p] = ends[p][i];
            good = try_values(given, sets, &build, diag);
            build_close(&build);
        }
        sets.items[p] = ends[p][0];
    }
    return good;
}

static bool choose_search(const Options *options, const Space *space, SweepRequest *request,
                          Diagnostics *diag) {
    static const Search searches[] = {[CHOICE_search_auto] = SEARCH_RANDOM,
                                      [CHOICE_search_random] = SEARCH_RANDOM,
                                      [CHOICE_search_sobol] = SEARCH_SOBOL,
                                      [CHOICE_search_grid] = SEARCH_GRID};
    uint32_t size = space_size(space);
    bool trials = option_given(options, OPTION_trials);
    request->search = searches[options->search];
    if (options->search == CHOICE_search_auto && size && !trials) request->search = SEARCH_GRID;
    if (request->search == SEARCH_GRID ? !size : !trials) {
        diag_error(diag, STATUS_USAGE, (Span){0},
                   request->search == SEARCH_GRID
                       ? "a grid needs lists of values: numbers between bounds have no end"
                       : "values between bounds need --trials: how many of them are tried");
        diag_help(diag, "--set 'lr=1e-3|1e-2' is a list; --trials 20 tries 20 settings");
        return false;
    }
    request->settings =
        request->search == SEARCH_GRID && !trials ? size : (uint32_t)options->trials;
    if (request->search == SEARCH_GRID && size < request->settings) request->settings = size;
    if ((uint64_t)request->settings * request->seeds * request->folds <= SWEEP_TRIALS &&
        (request->search != SEARCH_SOBOL || space->count <= SOBOL_DIMENSIONS))
        return true;
    if (request->search == SEARCH_SOBOL && space->count > SOBOL_DIMENSIONS)
        diag_error(diag, STATUS_USAGE, (Span){0}, "--search sobol takes at most %d values",
                   SOBOL_DIMENSIONS);
    else
        diag_error(diag, STATUS_USAGE, (Span){0}, "that makes more than %d trials", SWEEP_TRIALS);
    return false;
}

void sweep_set_folds(OptionList *sets, int64_t folds, Arena *arena) {
    if (folds < 2 || sets->count + 2 > OPTION_LIST_MAX) return;
    sets->items[sets->count++] = arena_format(arena, "data.folds=%lld", (long long)folds);
    sets->items[sets->count++] = arena_format(arena, "data.fold=%lld", (long long)folds);
}

/* Opens the model with the values that do not vary: it has the epochs and the first seed of all
 * trials. */
static bool open_base(const Space *space, const Options *options, Arena *arena, Build *build,
                      Diagnostics *diag) {
    OptionList fixed = {0};
    sweep_set_folds(&fixed, options->folds, arena);
    for (uint32_t p = 0; p < space->count; p++) {
        const Swept *swept = &space->params[p];
        if (options->folds > 1 && !strncmp(swept->name, "data.fold", 9)) {
            diag_error(diag, STATUS_USAGE, (Span){0},
                       "--folds chooses the folds: '%s' cannot be set as well", swept->name);
            return false;
        }
        if (!swept_varies(swept)) {
            fixed.items[fixed.count++] = options->set.items[p];
            continue;
        }
        bool epochs = !strcmp(swept->name, "train.epochs") && options->halving > 1;
        if (!epochs && (strcmp(swept->name, "train.seed") != 0 || options->seeds == 1)) continue;
        diag_error(diag, STATUS_USAGE, (Span){0},
                   epochs ? "--halving chooses the epochs: 'train.epochs' cannot vary as well"
                          : "--seeds chooses the seeds: 'train.seed' cannot vary as well");
        return false;
    }
    return try_values(options, fixed, build, diag);
}

static bool create(SweepPlan *plan, const Options *options, Arena *arena, Diagnostics *diag) {
    Space space;
    Build build = {0};
    SweepRequest request = {.space = &space,
                            .seed = (uint64_t)options->draw_seed,
                            .seeds = (uint32_t)options->seeds,
                            .folds = (uint32_t)options->folds,
                            .factor = (uint32_t)options->halving};
    bool good = space_parse(&space, &options->set, arena, diag) &&
                choose_search(options, &space, &request, diag) &&
                open_base(&space, options, arena, &build, diag) &&
                check_values(&space, options, arena, diag);
    if (good) {
        request.text = build.info->resolved;
        request.file = build.path.path;
        request.source = path_absolute(build.folder.path);
        request.epochs = build.info->epochs;
        request.first_seed = build.info->seed;
        request.study =
            (Study){options->optuna, options->study, build.info->keep_best.higher_is_better};
        good = (!options->optuna || study_create(&request, diag)) &&
               plan_create(plan, &request, options->sweep_folder, diag);
    }
    build_close(&build);
    return good;
}

/* -- working -- */

/* Workers of one thread finish the most trainings an hour. If only one of --threads and --workers
 * is given, the other one is chosen so that all cores are used. */
static uint32_t share_cores(const Options *given, Options *common) {
    int64_t cores = threads_online();
    bool workers = option_given(given, OPTION_workers), threads = given->threads != 0;
    *common = *given;
    if (!threads) common->threads = workers && given->workers < cores ? cores / given->workers : 1;
    int64_t count = workers ? given->workers : cores / common->threads;
    return (uint32_t)(count < 1 ? 1 : count);
}

static void tell_start(const SweepPlan *plan, const Options *options, uint32_t workers) {
    if (options->quiet) return;
    fputs("sweep folder ", stderr);
    display_text(plan->folder.path, stderr);
    fprintf(stderr, ": %u trials, %u worker%s\n", plan_trials(plan), workers,
            workers == 1 ? "" : "s");
}

static Status show(Results *results, const Options *options, Status status, Diagnostics *diag) {
    if (options->table && !sweep_write_csv(results, options->table, diag)) return diag_status(diag);
    if (options->settings_png && !sweep_draw(results, options->settings_png, diag))
        return diag_status(diag);
    if (options->table && !strcmp(options->table, "-")) return status;
    sweep_print_status(results, stdout);
    sweep_print_best(results, (uint32_t)options->best, stdout);
    return status;
}

/* A worker that was killed does not count if others have done its work. */
Status sweep_work(const SweepPlan *plan, const Options *options, Results *results,
                  Diagnostics *diag) {
    Options common;
    uint32_t workers = share_cores(options, &common);
    tell_start(plan, options, workers);
    Status status = workers_run(results, &common, workers, &training_of_trials, diag);
    return sweep_complete(results) && !diag_errors(diag) ? STATUS_OK : status;
}

static Status print_slurm(const SweepPlan *plan, const Options *options) {
    enum { WORKERS = 4 }; /* the number of workers of a Slurm job without --workers */
    uint32_t threads = options->threads ? (uint32_t)options->threads : 1,
             workers = option_given(options, OPTION_workers) ? (uint32_t)options->workers : WORKERS;
    sweep_print_slurm(plan, workers, threads, stdout);
    return STATUS_OK;
}

Status command_sweep(const Options *given, Diagnostics *diag) {
    SweepPlan plan = {0};
    Arena *arena = arena_new();
    bool opened =
        check_usage(given, diag) &&
        (given->operand_count ? create(&plan, given, arena, diag)
                              : plan_open(&plan, given->join ? given->join : given->status, diag));
    Status status = diag_status(diag);
    if (opened && given->slurm) {
        status = print_slurm(&plan, given);
    } else if (opened) {
        Results results;
        results_open(&results, &plan);
        status = given->status ? STATUS_OK : sweep_work(&plan, given, &results, diag);
        status = show(&results, given, status, diag);
        results_close(&results);
    }
    plan_close(&plan);
    arena_free(arena);
    return status;
}
