/* sweep.json. */
#include "cli/sweep/plan.h"
#include "cli/results/journal.h"
#include "cli/sweep/study.h"
#include "engine/session/runs.h"
#include "ir/base/files.h"
#include "ir/base/integers.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Programs before Optuna was known read version 1, and refuse the other one. */
enum { VERSION = 1, STUDY_VERSION = 2 };

/* -- writing -- */

/* Writes the epochs after which each rung ends: 1 / factor of those of the next rung. 0: the end of
 * the training. */
static void put_rungs(json_t *document, const SweepRequest *request) {
    uint32_t rungs = 1;
    for (uint64_t power = request->factor; request->factor > 1 && power <= request->epochs;
         power *= request->factor)
        rungs += rungs < SWEEP_RUNGS;
    json_t *epochs = json_array();
    for (uint32_t r = 0; r < rungs; r++) {
        int64_t part = request->epochs;
        for (uint32_t later = r + 1; later < rungs; later++)
            part = divide_up(part, request->factor);
        json_array_append_new(epochs, json_integer(r + 1 < rungs ? part : 0));
    }
    json_object_set_new(document, "rungs", epochs);
}

static void put_settings(json_t *document, const SweepRequest *request) {
    Arena *arena = arena_new();
    json_t *settings = json_array();
    for (uint32_t i = 0; i < request->settings; i++) {
        json_t *setting = json_array();
        for (uint32_t p = 0; p < request->space->count; p++)
            json_array_append_new(setting,
                                  json_string(space_value(request->space, p, i, request->search,
                                                          request->seed, arena)));
        json_array_append_new(settings, setting);
    }
    json_object_set_new(document, "settings", settings);
    arena_free(arena);
}

static void put_names(json_t *document, const Space *space) {
    json_t *names = json_array();
    for (uint32_t p = 0; p < space->count; p++)
        json_array_append_new(names, json_string(space->params[p].name));
    json_object_set_new(document, "names", names);
}

static json_t *document_of(const SweepRequest *request) {
    json_t *document = json_pack(
        "{s:i, s:s, s:s, s:I, s:I, s:I}", "version", request->study.name ? STUDY_VERSION : VERSION,
        "file", request->file, "folder", request->source.path, "seeds", (json_int_t)request->seeds,
        "first_seed", (json_int_t)request->first_seed, "factor", (json_int_t)request->factor);
    if (request->folds > 1)
        json_object_set_new(document, "folds", json_integer((json_int_t)request->folds));
    put_rungs(document, request);
    put_names(document, request->space);
    if (request->study.name)
        study_put(document, request);
    else
        put_settings(document, request);
    return document;
}

static bool make_folder(const char *path, Diagnostics *diag) {
    if (mkdir(path, 0777) == 0 || errno == EEXIST) return true;
    diag_error(diag, STATUS_FILE, (Span){0}, "cannot make the folder '%s': %s", path,
               strerror(errno));
    return false;
}

/* sweeps/N with the next free number N. */
static bool next_folder(Path *folder, Diagnostics *diag) {
    if (!make_folder("sweeps", diag)) return false;
    for (int number = 1;; number++) {
        snprintf(folder->path, sizeof folder->path, "sweeps/%d", number);
        if (mkdir(folder->path, 0777) == 0) return true;
        if (errno != EEXIST) return make_folder(folder->path, diag);
    }
}

static bool named_folder(const char *out, Path *folder, Diagnostics *diag) {
    if (file_is_there(path_join(out, SWEEP_FILE).path)) {
        diag_error(diag, STATUS_FILE, (Span){0}, "'%s' already holds a sweep", out);
        diag_help(diag, "mlc sweep --join %s goes on with it", out);
        return false;
    }
    return run_create(out, folder, diag);
}

bool plan_create(SweepPlan *plan, const SweepRequest *request, const char *out, Diagnostics *diag) {
    Path folder;
    *plan = (SweepPlan){0};
    if (!(out ? named_folder(out, &folder, diag) : next_folder(&folder, diag)) ||
        !make_folder(path_join(folder.path, SWEEP_TRIALS_FOLDER).path, diag) ||
        !file_write(path_join(folder.path, SWEEP_MODEL).path, request->text, strlen(request->text),
                    diag))
        return false;
    json_t *document = document_of(request);
    char *text = json_dumps(document, JSON_COMPACT);
    json_decref(document);
    /* written last: a folder with this file is a complete sweep */
    bool written = file_write(path_join(folder.path, SWEEP_FILE).path, text, strlen(text), diag);
    free(text);
    return written && plan_open(plan, folder.path, diag);
}

/* -- reading -- */

static uint32_t whole(const json_t *document, const char *key) {
    json_int_t value = json_integer_value(json_object_get(document, key));
    return value > 0 && value <= UINT32_MAX ? (uint32_t)value : 0;
}

static bool read_document(SweepPlan *plan) {
    const json_t *document = plan->document, *rungs = json_object_get(document, "rungs");
    const char *source = json_string_value(json_object_get(document, "folder"));
    plan->study = json_object_get(document, "study");
    plan->settings = (uint32_t)json_array_size(json_object_get(document, "settings"));
    plan->seeds = whole(document, "seeds");
    plan->folds = json_object_get(document, "folds") ? whole(document, "folds") : 1;
    plan->factor = whole(document, "factor");
    plan->rungs = (uint32_t)json_array_size(rungs);
    plan->first_seed = (uint64_t)json_integer_value(json_object_get(document, "first_seed"));
    if (whole(document, "version") != (plan->study ? STUDY_VERSION : VERSION) || !source ||
        !plan->settings || !plan->seeds || !plan->folds || !plan->rungs ||
        plan->rungs > SWEEP_RUNGS)
        return false;
    for (uint32_t r = 0; r < plan->rungs; r++)
        plan->epochs[r] = (uint32_t)json_integer_value(json_array_get(rungs, r));
    snprintf(plan->source.path, sizeof plan->source.path, "%s", source);
    uint64_t repeats = (uint64_t)plan->seeds * plan->folds;
    plan->repeats = (uint32_t)repeats;
    return repeats <= SWEEP_TRIALS && plan->settings * repeats <= SWEEP_TRIALS;
}

bool plan_open(SweepPlan *plan, const char *folder, Diagnostics *diag) {
    *plan = (SweepPlan){0};
    snprintf(plan->folder.path, sizeof plan->folder.path, "%s", folder);
    Path path = path_join(folder, SWEEP_FILE);
    if (!file_is_there(path.path)) {
        diag_error(diag, STATUS_FILE, (Span){0}, "'%s' holds no sweep: it has no %s", folder,
                   SWEEP_FILE);
        diag_help(diag, "'mlc sweep FILE.mdl --out DIR --set NAME=VALUES' makes one");
        return false;
    }
    size_t length;
    char *text = file_read(path.path, &length, STATUS_FILE, diag);
    if (!text) return false;
    plan->document = json_loadb(text, length, 0, NULL);
    free(text);
    if (plan->document && read_document(plan)) return true;
    diag_error(diag, STATUS_FILE, (Span){0}, "'%s' is not a sweep that this mlc can read",
               path.path);
    plan_close(plan);
    return false;
}

void plan_close(SweepPlan *plan) {
    json_decref(plan->document);
    *plan = (SweepPlan){0};
}

/* -- trials -- */

/* Reads the values that a study has chosen in the meantime. */
static void read_asked(const SweepPlan *plan, uint32_t setting, json_t *settings) {
    json_t *asked = plan_trial_json(plan, plan_first(plan, setting), PLAN_ASKED);
    json_t *values = json_object_get(asked, "setting");
    if (json_array_size(values) == json_array_size(plan_names(plan)))
        json_array_set(settings, setting, values);
    json_decref(asked);
}

const json_t *plan_setting(const SweepPlan *plan, uint32_t setting) {
    json_t *settings = json_object_get(plan->document, "settings");
    if (!plan->study) return json_array_get(settings, setting);
    if (json_is_null(json_array_get(settings, setting))) read_asked(plan, setting, settings);
    const json_t *values = json_array_get(settings, setting);
    return json_is_null(values) ? json_object_get(plan->study, "blank") : values;
}

const json_t *plan_names(const SweepPlan *plan) { return json_object_get(plan->document, "names"); }

bool plan_varies(const SweepPlan *plan, uint32_t param) {
    const json_t *first = json_array_get(plan_setting(plan, 0), param);
    for (uint32_t i = 1; i < plan->settings; i++)
        if (!json_equal(first, json_array_get(plan_setting(plan, i), param))) return true;
    return false;
}

static void add_set(OptionList *sets, const char *text) {
    if (sets->count < OPTION_LIST_MAX) sets->items[sets->count++] = text;
}

void plan_sets(const SweepPlan *plan, uint32_t trial, Arena *arena, OptionList *sets) {
    size_t i;
    json_t *text;
    json_array_foreach(plan_setting(plan, trial / plan->repeats), i, text) {
        add_set(sets, json_string_value(text));
    }
    if (plan->seeds > 1)
        add_set(sets,
                arena_format(arena, "train.seed=%llu", (unsigned long long)plan_seed(plan, trial)));
    if (plan->folds == 1) return;
    add_set(sets, arena_format(arena, "data.folds=%u", plan->folds));
    add_set(sets, arena_format(arena, "data.fold=%u", plan_fold(plan, trial)));
}

/* Value k of a parameter, after that of setting `from`; NULL: there are no more. With a study, the
 * values of other settings are not known, but the ends of the parameter are. */
static const char *value_after(const SweepPlan *plan, uint32_t param, uint32_t from, uint32_t k) {
    if (plan->study) {
        const json_t *ends = json_array_get(json_object_get(plan->study, "ends"), param);
        return json_string_value(json_array_get(ends, k - 1));
    }
    if (k >= plan->settings) return NULL;
    uint32_t setting = (uint32_t)(((uint64_t)from + k) % plan->settings);
    return json_string_value(json_array_get(plan_setting(plan, setting), param));
}

/* The next value of a parameter, after that of setting `from`, that differs from those in
 * taken[count]; NULL: there is none. */
static const char *next_value(const SweepPlan *plan, uint32_t param, uint32_t from,
                              const char *const *taken, uint32_t count) {
    const char *text;
    for (uint32_t k = 1; (text = value_after(plan, param, from, k)) != NULL; k++) {
        bool known = false;
        for (uint32_t i = 0; i < count; i++) known |= !strcmp(text, taken[i]);
        if (!known) return text;
    }
    return NULL;
}

uint32_t plan_neighbours(const SweepPlan *plan, uint32_t trial, Arena *arena, OptionList *others,
                         uint32_t most) {
    enum { VALUES = 3 }; /* of a parameter: some of them may lead to another program */
    OptionList own = {0};
    uint32_t count = 0, params = (uint32_t)json_array_size(plan_names(plan));
    plan_sets(plan, trial, arena, &own);
    for (uint32_t p = 0; p < params; p++) {
        const char *taken[VALUES + 1] = {own.items[p]};
        for (uint32_t i = 1; i <= VALUES && count < most; i++) {
            taken[i] = next_value(plan, p, trial / plan->repeats, taken, i);
            if (!taken[i]) break;
            others[count] = own;
            others[count++].items[p] = taken[i];
        }
    }
    return count;
}

Path plan_trial(const SweepPlan *plan, uint32_t trial, const char *suffix) {
    char name[64];
    snprintf(name, sizeof name, SWEEP_TRIALS_FOLDER "/%06u%s", trial, suffix);
    return path_join(plan->folder.path, name);
}

json_t *plan_trial_json(const SweepPlan *plan, uint32_t trial, const char *suffix) {
    size_t length;
    char *text = file_read_plain(plan_trial(plan, trial, suffix).path, &length);
    json_t *content = text ? json_loadb(text, length, 0, NULL) : NULL;
    free(text);
    return content;
}
