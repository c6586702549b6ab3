/* Studies of Optuna: see study.h. Its distributions have the form of its function
 * distribution_to_json. */
#include "cli/sweep/study.h"
#include "cli/results/run_record.h"
#include "cli/sweep/optuna.h"
#include "ir/base/arena.h"
#include "ir/base/files.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- sweep.json -- */

static json_t *number(const Swept *swept, double value) {
    return swept->whole ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *distribution(const Swept *swept) {
    if (swept->kind == SWEPT_LIST) {
        json_t *choices = json_array();
        for (uint32_t i = 0; i < swept->item_count; i++)
            json_array_append_new(choices, json_string(swept->items[i]));
        return json_pack("{s:s, s:{s:o}}", "name", "CategoricalDistribution", "attributes",
                         "choices", choices);
    }
    return json_pack("{s:s, s:{s:o, s:o, s:b, s:o}}", "name",
                     swept->whole ? "IntDistribution" : "FloatDistribution", "attributes", "low",
                     number(swept, swept->low), "high", number(swept, swept->high), "log",
                     swept->kind == SWEPT_LOG, "step",
                     swept->whole ? json_integer(1) : json_null());
}

/* The values at the ends of a parameter, as "NAME=VALUE". */
static json_t *ends_of(const Space *space, uint32_t param, Arena *arena) {
    const Swept *swept = &space->params[param];
    const char **ends = (const char **)ARENA_ARRAY(arena, char *, swept->item_count + 2);
    uint32_t count = space_ends(space, param, ends, arena);
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++) json_array_append_new(list, json_string(ends[i]));
    return list;
}

void study_put(json_t *document, const SweepRequest *request) {
    char *here = getcwd(NULL, 0);
    Arena *arena = arena_new();
    json_t *space = json_object(), *ends = json_array(), *blank = json_array(),
           *settings = json_array();
    for (uint32_t p = 0; p < request->space->count; p++) {
        const Swept *swept = &request->space->params[p];
        const char *fixed = swept_varies(swept) ? "" : swept->items[0];
        json_array_append_new(ends, ends_of(request->space, p, arena));
        json_array_append_new(blank, json_string(arena_format(arena, "%s=%s", swept->name, fixed)));
        if (swept_varies(swept)) json_object_set_new(space, swept->name, distribution(swept));
    }
    for (uint32_t i = 0; i < request->settings; i++) json_array_append_new(settings, json_null());
    json_object_set_new(document, "settings", settings);
    json_object_set_new(document, "study",
                        json_pack("{s:s, s:s, s:s, s:b, s:o, s:o, s:o}", "storage",
                                  request->study.storage, "name", request->study.name, "folder",
                                  here ? here : ".", "maximize", request->study.maximize, "space",
                                  space, "ends", ends, "blank", blank));
    arena_free(arena);
    free(here);
}

/* -- the study -- */

/* The entry of a study in the list of all; NULL: it is not there. */
static const json_t *entry_of(const json_t *studies, const char *name) {
    size_t i;
    json_t *study;
    json_array_foreach(studies, i, study) {
        const char *its = json_string_value(json_object_get(study, "name"));
        if (its && !strcmp(its, name)) return study;
    }
    return NULL;
}

static bool check_direction(const Study *study, const char *list, Diagnostics *diag) {
    const char *wanted = study->maximize ? "MAXIMIZE" : "MINIMIZE";
    json_t *studies = json_loads(list, 0, NULL);
    const json_t *directions = json_object_get(entry_of(studies, study->name), "direction");
    const char *direction = json_string_value(json_array_get(directions, 0));
    bool good = json_array_size(directions) == 1 && direction && !strcmp(direction, wanted);
    if (!good) {
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "the study '%s' has another direction: the scores of this model want %s",
                   study->name, wanted);
        diag_help(diag, "another name with --study makes a new study");
    }
    json_decref(studies);
    return good;
}

bool study_create(const SweepRequest *request, Diagnostics *diag) {
    const Study *study = &request->study;
    const char *const create[] = {"create-study",
                                  "--skip-if-exists",
                                  "--storage",
                                  study->storage,
                                  "--study-name",
                                  study->name,
                                  "--direction",
                                  study->maximize ? "maximize" : "minimize",
                                  NULL};
    const char *const list[] = {"studies", "--storage", study->storage, "-f", "json", NULL};
    char *created = optuna_run(".", create, NULL, diag), *studies = NULL;
    bool good = created && (studies = optuna_run(".", list, NULL, diag)) != NULL &&
                check_direction(study, studies, diag);
    free(created);
    free(studies);
    return good;
}

/* -- trials -- */

static const char *text_at(const SweepPlan *plan, const char *key) {
    return json_string_value(json_object_get(plan->study, key));
}

/* A number with the fewest digits that give the same f64. */
static const char *shortest(double value, Arena *arena) {
    const char *text = "";
    for (int digits = 6; digits <= 17; digits++) {
        text = arena_format(arena, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    return text;
}

static const char *value_text(const json_t *value, Arena *arena) {
    if (json_is_string(value)) return json_string_value(value);
    if (json_is_integer(value)) return arena_format(arena, "%lld", json_integer_value(value));
    return json_is_real(value) ? shortest(json_real_value(value), arena) : NULL;
}

/* "NAME=VALUE" of a parameter, with the value that Optuna has chosen, or the only one; NULL: Optuna
 * has not chosen it. */
static json_t *chosen(const SweepPlan *plan, size_t param, const json_t *params, Arena *arena) {
    const char *name = json_string_value(json_array_get(plan_names(plan), param));
    if (!json_object_get(json_object_get(plan->study, "space"), name))
        return json_incref(json_array_get(json_object_get(plan->study, "blank"), param));
    const char *value = value_text(json_object_get(params, name), arena);
    return value ? json_string(arena_format(arena, "%s=%s", name, value)) : NULL;
}

/* The content of trials/N.asked from Optuna's answer; NULL: it is not an answer. */
static json_t *asked_of(const SweepPlan *plan, const char *answer) {
    Arena *arena = arena_new();
    json_t *said = json_loads(answer, 0, NULL), *setting = json_array(), *asked = NULL;
    const json_t *number = json_object_get(said, "number");
    bool good = json_is_integer(number);
    for (size_t i = 0; i < json_array_size(plan_names(plan)) && good; i++)
        good = json_array_append_new(setting,
                                     chosen(plan, i, json_object_get(said, "params"), arena)) == 0;
    if (good) asked = json_pack("{s:O, s:O}", "number", number, "setting", setting);
    json_decref(setting);
    json_decref(said);
    arena_free(arena);
    return asked;
}

/* Writes trials/N.asked or trials/N.told, and frees the content. */
static bool write_file(const SweepPlan *plan, uint32_t setting, const char *suffix, json_t *content,
                       Diagnostics *diag) {
    char *text = json_dumps(content, JSON_COMPACT);
    Path path = plan_trial(plan, plan_first(plan, setting), suffix);
    bool written = file_write(path.path, text, strlen(text), diag);
    free(text);
    json_decref(content);
    return written;
}

static bool write_asked(const SweepPlan *plan, uint32_t setting, const char *answer,
                        Diagnostics *diag) {
    json_t *asked = asked_of(plan, answer);
    if (asked) return write_file(plan, setting, PLAN_ASKED, asked, diag);
    diag_error(diag, STATUS_FILE, (Span){0}, "optuna ask answers '%.200s': not a trial", answer);
    return false;
}

static bool has_file(const SweepPlan *plan, uint32_t setting, const char *suffix) {
    return file_is_there(plan_trial(plan, plan_first(plan, setting), suffix).path);
}

bool study_has_asked(const SweepPlan *plan, uint32_t setting) {
    return has_file(plan, setting, PLAN_ASKED);
}

bool study_has_told(const SweepPlan *plan, uint32_t setting) {
    return has_file(plan, setting, PLAN_TOLD);
}

bool study_ask(const SweepPlan *plan, uint32_t setting, const char *claim, Diagnostics *diag) {
    if (study_has_asked(plan, setting)) return true;
    char *space = json_dumps(json_object_get(plan->study, "space"), JSON_COMPACT);
    const char *const arguments[] = {"ask",
                                     "--storage",
                                     text_at(plan, "storage"),
                                     "--study-name",
                                     text_at(plan, "name"),
                                     "--search-space",
                                     space,
                                     "-f",
                                     "json",
                                     NULL};
    char *answer = optuna_run(text_at(plan, "folder"), arguments, claim, diag);
    bool good = answer && write_asked(plan, setting, answer, diag);
    free(answer);
    free(space);
    return good;
}

/* The model may want high values of a metric, but without rows to measure it the score is the
 * training loss. */
static bool check_score(const SweepPlan *plan, uint32_t trial, const json_t *result,
                        Diagnostics *diag) {
    bool maximize = json_is_true(json_object_get(plan->study, "maximize")),
         higher = json_is_true(json_object_get(result, "higher_is_better"));
    if (maximize == higher) return true;
    diag_error(diag, STATUS_DATA, (Span){0},
               "trial %u has the score %s, but the study looks for %s scores", trial,
               json_string_value(json_object_get(result, "score_of")), maximize ? "high" : "low");
    diag_help(diag, "keep_best needs rows that are held out: valid = 0.1 in the data block");
    return false;
}

/* The number of a setting in the study. */
static json_int_t number_of(const SweepPlan *plan, uint32_t setting) {
    json_t *asked = plan_trial_json(plan, plan_first(plan, setting), PLAN_ASKED);
    json_int_t number = json_integer_value(json_object_get(asked, "number"));
    json_decref(asked);
    return number;
}

/* A worker that is killed between Optuna's answer and its own file leaves a score that is told once
 * more. Optuna then keeps the first one, which is the same. */
static bool tell(const SweepPlan *plan, json_int_t number, double score, const char *claim,
                 Diagnostics *diag) {
    Arena *arena = arena_new();
    bool has_score = isfinite(score);
    const char *const arguments[] = {"tell",
                                     "--skip-if-finished",
                                     "--storage",
                                     text_at(plan, "storage"),
                                     "--study-name",
                                     text_at(plan, "name"),
                                     "--trial-number",
                                     arena_format(arena, "%lld", number),
                                     has_score ? "--values" : "--state",
                                     has_score ? shortest(score, arena) : "fail",
                                     NULL};
    char *answer = optuna_run(text_at(plan, "folder"), arguments, claim, diag);
    bool good = answer != NULL;
    free(answer);
    arena_free(arena);
    return good;
}

bool study_tell(Results *results, uint32_t setting, const char *claim, Diagnostics *diag) {
    const SweepPlan *plan = results->plan;
    uint32_t first = plan_first(plan, setting);
    if (study_has_told(plan, setting)) return true;
    double score = results_score(results, setting, 0);
    json_int_t number = number_of(plan, setting);
    if (isfinite(score) && !check_score(plan, first, results_get(results, first, 0), diag))
        return false;
    return tell(plan, number, score, claim, diag) &&
           write_file(plan, setting, PLAN_TOLD,
                      json_pack("{s:I, s:o}", "number", number, "score",
                                isfinite(score) ? json_real(score) : json_null()),
                      diag);
}
