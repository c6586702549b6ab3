/* Collects what the picture of a sweep shows: every setting with a score, over the parameters that
 * vary. */
#include "cli/show/settings.h"
#include "cli/results/run_record.h"
#include "cli/sweep/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const SweepPlan *plan;
    Arena *arena;
    const uint32_t *settings; /* [count] */
    uint32_t count;
} ScoredSettings;

static const char *value_text(const ScoredSettings *scored, uint32_t param, uint32_t i) {
    const json_t *setting = plan_setting(scored->plan, scored->settings[i]);
    return strchr(json_string_value(json_array_get(setting, param)), '=') + 1;
}

/* Fills the values if all texts are numbers. Numbers that span more than a factor of 20 are drawn
 * by their logarithms. */
static bool read_numbers(const ScoredSettings *scored, uint32_t param, double *values,
                         SettingsAxis *axis) {
    double low = INFINITY, high = 0;
    for (uint32_t i = 0; i < scored->count; i++) {
        const char *text = value_text(scored, param, i);
        char *end;
        values[i] = strtod(text, &end);
        if (end == text || end[strspn(end, " ")] || !isfinite(values[i])) return false;
        low = fmin(low, values[i]);
        high = fmax(high, values[i]);
    }
    axis->logarithmic = low > 0 && high > 20 * low;
    return true;
}

static int by_text(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Numbers the values that are texts, in the order of the texts, so that they are drawn at equal
 * distances. */
static void number_texts(const ScoredSettings *scored, uint32_t param, double *values,
                         SettingsAxis *axis) {
    const char **texts = (const char **)ARENA_ARRAY(scored->arena, char *, scored->count);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < scored->count; i++) texts[i] = value_text(scored, param, i);
    qsort(texts, scored->count, sizeof *texts, by_text);
    for (uint32_t i = 0; i < scored->count; i++)
        if (!kept || strcmp(texts[kept - 1], texts[i]) != 0) texts[kept++] = texts[i];
    axis->labels = texts;
    axis->label_count = kept;
    for (uint32_t i = 0; i < scored->count; i++) {
        const char *text = value_text(scored, param, i);
        const char **found = bsearch(&text, texts, kept, sizeof *texts, by_text);
        values[i] = (double)(found - texts);
    }
}

static SettingsAxis axis_of(const ScoredSettings *scored, uint32_t param) {
    double *values = ARENA_ARRAY(scored->arena, double, scored->count);
    SettingsAxis axis = {.name = json_string_value(json_array_get(plan_names(scored->plan), param)),
                         .values = values};
    if (!read_numbers(scored, param, values, &axis)) number_texts(scored, param, values, &axis);
    return axis;
}

/* Keeps the settings whose score is finite; returns how many of them were trained to the end. */
static uint32_t keep_scored(Results *results, uint32_t *settings, uint32_t *count, double *scores) {
    uint32_t kept = 0, finished = 0;
    for (uint32_t i = 0; i < *count; i++) {
        uint32_t rung = (uint32_t)results_rung(results, settings[i]);
        double score = results_score(results, settings[i], rung);
        if (!isfinite(score)) continue;
        finished += rung + 1 == results->plan->rungs;
        settings[kept] = settings[i];
        scores[kept++] = score;
    }
    *count = kept;
    return finished;
}

bool sweep_draw(Results *results, const char *path, Diagnostics *diag) {
    const SweepPlan *plan = results->plan;
    Arena *arena = arena_new();
    uint32_t *settings = ARENA_ARRAY(arena, uint32_t, plan->settings),
             names = (uint32_t)json_array_size(plan_names(plan)),
             count = results_ranking(results, settings), varying = 0;
    double *scores = ARENA_ARRAY(arena, double, plan->settings);
    uint32_t finished = keep_scored(results, settings, &count, scores);
    const ScoredSettings scored = {plan, arena, settings, count};
    SettingsAxis *params = ARENA_ARRAY(arena, SettingsAxis, names);
    for (uint32_t p = 0; p < names && count; p++)
        if (plan_varies(plan, p)) params[varying++] = axis_of(&scored, p);
    bool drawn = count && varying;
    if (!drawn) {
        diag_error(diag, STATUS_USAGE, (Span){0},
                   count ? "--png: no value varies in this sweep"
                         : "--png: no setting has a score yet");
    } else {
        uint32_t rung = (uint32_t)results_rung(results, settings[0]);
        const json_t *best = results_get(results, settings[0] * plan->repeats, rung);
        const SettingsPicture picture = {
            .title = arena_format(arena, "sweep %s", plan->folder.path),
            .subtitle = arena_format(arena, "%u settings; the best one is orange%s", count,
                                     finished < count ? ", those that did not go on are pale" : ""),
            .score = {.name = json_string_value(json_object_get(best, "score_of")),
                      .values = scores},
            .params = params,
            .param_count = varying,
            .count = count,
            .finished = finished};
        drawn = settings_draw(path, &picture, diag);
    }
    arena_free(arena);
    return drawn;
}
