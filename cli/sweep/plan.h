/* The plan of a sweep: its folder, its settings, and how long each trial is trained. sweep.json
 * holds it and never changes, so that every worker sees the same trials.
 *
 * A setting is trained repeats = seeds * folds times. Trial t trains setting t / repeats; with r =
 * t % repeats, its seed is first_seed + r / folds, and its fold is r % folds + 1.
 *
 * With halving, a sweep has rungs: all trials are trained up to epochs[0], the best 1 / factor of
 * the settings up to epochs[1], and so on. The last rung trains to the end. Without halving there
 * is one rung. */
#ifndef MLC_CLI_SWEEP_PLAN_H
#define MLC_CLI_SWEEP_PLAN_H

#include "engine/files/files.h"
#include "cli/sweep/space.h"

#include <jansson.h>

enum { SWEEP_RUNGS = 20, SWEEP_TRIALS = 1000000 };
#define SWEEP_FILE "sweep.json"
#define SWEEP_MODEL "sweep.mdl"
#define SWEEP_TRIALS_FOLDER "trials"
/* Of the first trial of a setting: the values that a study has chosen, and that it knows their
 * score (study.h). */
#define PLAN_ASKED ".asked"
#define PLAN_TOLD ".told"
/* Claims (claims.h): a trial is trained, the values of a setting are asked for, its score is
 * told. */
#define PLAN_CLAIM ".claim"
#define PLAN_ASKING ".asking"
#define PLAN_TELLING ".telling"

typedef struct {
    Path folder, source; /* folder: of the sweep; source: where relative paths in the model start */
    uint32_t settings, seeds, folds, repeats, factor, rungs; /* folds 1: none */
    uint32_t epochs[SWEEP_RUNGS];                            /* 0: to the end of the training */
    uint64_t first_seed;
    json_t *document;
    const json_t *study; /* chooses the settings (study.h); NULL: all are in the document */
} SweepPlan;

/* A study of Optuna: where it is stored, its name, and whether it looks for high scores. */
typedef struct {
    const char *storage, *name; /* NULL: no study */
    bool maximize;
} Study;

/* What `mlc sweep FILE.mdl` asks for. */
typedef struct {
    const Space *space;
    Search search;
    uint64_t seed; /* of the drawn values */
    uint32_t settings, seeds, folds, factor;
    const char *text, *file; /* of the model: its resolved text, and the name of its file */
    Path source;
    uint32_t epochs;     /* train.epochs of the model */
    uint64_t first_seed; /* train.seed of the model */
    Study study;
} SweepRequest;

/* Writes a new sweep into the folder `out`; NULL: sweeps/N, with the next free number N. false
 * after reporting an error. */
bool plan_create(SweepPlan *plan, const SweepRequest *request, const char *out, Diagnostics *diag);
/* Reads the sweep in a folder. false after reporting an error. */
bool plan_open(SweepPlan *plan, const char *folder, Diagnostics *diag);
void plan_close(SweepPlan *plan);

static inline uint32_t plan_trials(const SweepPlan *plan) { return plan->settings * plan->repeats; }
static inline uint32_t plan_first(const SweepPlan *plan, uint32_t setting) {
    return setting * plan->repeats;
}
static inline uint64_t plan_seed(const SweepPlan *plan, uint32_t trial) {
    return plan->first_seed + trial % plan->repeats / plan->folds;
}
static inline uint32_t plan_fold(const SweepPlan *plan, uint32_t trial) {
    return trial % plan->folds + 1;
}
/* "NAME=VALUE" texts of a setting, an array that belongs to the plan. Values that a study has not
 * chosen yet are empty. */
const json_t *plan_setting(const SweepPlan *plan, uint32_t setting);
/* The names of the parameters, an array of texts that belongs to the plan. */
const json_t *plan_names(const SweepPlan *plan);
/* Whether a parameter has several values in the sweep. */
bool plan_varies(const SweepPlan *plan, uint32_t param);
/* The --set options of a trial: its setting, and seed and fold if there are several. */
void plan_sets(const SweepPlan *plan, uint32_t trial, Arena *arena, OptionList *sets);
/* Fills others[] with the --set options of a trial in which one parameter has another value that
 * the sweep tries: a few values for each parameter. Returns how many, at most `most`. */
uint32_t plan_neighbours(const SweepPlan *plan, uint32_t trial, Arena *arena, OptionList *others,
                         uint32_t most);
/* The path trials/000012 in the sweep's folder, with a suffix. */
Path plan_trial(const SweepPlan *plan, uint32_t trial, const char *suffix);
/* What this file holds, a new reference; NULL: it is not there, or holds no JSON. */
json_t *plan_trial_json(const SweepPlan *plan, uint32_t trial, const char *suffix);

#endif
