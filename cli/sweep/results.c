/* Results of trials, and which settings go on. */
#include "cli/sweep/results.h"
#include "cli/results/run_record.h"
#include "ir/base/integers.h"
#include "ir/base/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void results_open(Results *results, const SweepPlan *plan) {
    size_t trials = plan_trials(plan);
    *results = (Results){.plan = plan, .decided = 1};
    results->lines =
        memory_array(trials * plan->rungs, sizeof *results->lines, "the results of a sweep");
    results->alive = memory_array((size_t)plan->settings * plan->rungs, sizeof *results->alive,
                                  "the settings of a sweep");
    memset(results->alive, true, plan->settings);
}

void results_close(Results *results) {
    if (!results->plan) return;
    size_t count = (size_t)plan_trials(results->plan) * results->plan->rungs;
    for (size_t i = 0; i < count; i++) json_decref(results->lines[i]);
    free(results->lines);
    free(results->alive);
    *results = (Results){0};
}

typedef struct {
    char text[20]; /* ".0.json" */
} RungSuffix;

static RungSuffix suffix_of(uint32_t rung) {
    RungSuffix suffix;
    snprintf(suffix.text, sizeof suffix.text, ".%u.json", rung);
    return suffix;
}

const json_t *results_get(Results *results, uint32_t trial, uint32_t rung) {
    json_t **line = &results->lines[(size_t)rung * plan_trials(results->plan) + trial];
    if (!*line) *line = plan_trial_json(results->plan, trial, suffix_of(rung).text);
    return *line;
}

bool results_put(Results *results, uint32_t trial, uint32_t rung, json_t *line, Diagnostics *diag) {
    char *text = json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(15));
    Path path = plan_trial(results->plan, trial, suffix_of(rung).text);
    bool written = file_write(path.path, text, strlen(text), diag);
    free(text);
    json_decref(line);
    return written && results_get(results, trial, rung);
}

/* -- scores -- */

double results_score(Results *results, uint32_t setting, uint32_t rung) {
    const SweepPlan *plan = results->plan;
    double sum = 0;
    for (uint32_t s = 0; s < plan->repeats; s++)
        sum += run_record_number(results_get(results, setting * plan->repeats + s, rung), "score");
    return sum / plan->repeats;
}

static bool has_all(Results *results, uint32_t setting, uint32_t rung) {
    for (uint32_t s = 0; s < results->plan->repeats; s++)
        if (!results_get(results, setting * results->plan->repeats + s, rung)) return false;
    return true;
}

int results_rung(Results *results, uint32_t setting) {
    int rung = -1;
    while (rung + 1 < (int)results->plan->rungs &&
           results_alive(results, (uint32_t)(rung + 1), setting) &&
           has_all(results, setting, (uint32_t)(rung + 1)))
        rung++;
    return rung;
}

/* Whether higher scores are better. Results with such scores say so. */
static bool higher_is_better(Results *results) {
    const SweepPlan *plan = results->plan;
    for (uint32_t trial = 0; trial < plan_trials(plan); trial++)
        if (json_is_true(json_object_get(results_get(results, trial, 0), "higher_is_better")))
            return true;
    return false;
}

/* -- order -- */

typedef struct {
    uint32_t setting;
    int rung;
    double score; /* larger is better; NaN: none */
} RankedSetting;

static int by_rank(const void *a, const void *b) {
    const RankedSetting *x = a, *y = b;
    if (x->rung != y->rung) return y->rung - x->rung;
    if (isnan(x->score) != isnan(y->score)) return isnan(x->score) - isnan(y->score);
    if (x->score > y->score || x->score < y->score) return x->score > y->score ? -1 : 1;
    return x->setting < y->setting ? -1 : 1;
}

/* The settings of a rung (-1: each in the last rung that it has reached), best first. */
static uint32_t rank(Results *results, int rung, RankedSetting *ranked) {
    double sign = higher_is_better(results) ? 1 : -1;
    uint32_t count = 0;
    for (uint32_t i = 0; i < results->plan->settings; i++) {
        int reached = rung < 0 ? results_rung(results, i)
                               : (results_alive(results, (uint32_t)rung, i) ? rung : -1);
        if (reached < 0) continue;
        ranked[count++] =
            (RankedSetting){i, reached, sign * results_score(results, i, (uint32_t)reached)};
    }
    qsort(ranked, count, sizeof *ranked, by_rank);
    return count;
}

static bool rung_complete(Results *results, uint32_t rung) {
    for (uint32_t i = 0; i < results->plan->settings; i++)
        if (results_alive(results, rung, i) && !has_all(results, i, rung)) return false;
    return true;
}

/* Decides which settings take part in the next rung. A setting without a score, such as one whose
 * loss became infinite, does not. */
static void decide_next(Results *results) {
    const SweepPlan *plan = results->plan;
    RankedSetting *ranked = memory_array(plan->settings, sizeof *ranked, "the order of settings");
    uint32_t rung = results->decided - 1, count = rank(results, (int)rung, ranked);
    for (uint32_t i = 0; i < (uint32_t)divide_up(count, plan->factor); i++)
        if (!isnan(ranked[i].score))
            results->alive[(rung + 1) * plan->settings + ranked[i].setting] = true;
    free(ranked);
    results->decided++;
}

bool results_decided(Results *results, uint32_t rung) {
    while (results->decided <= rung && rung_complete(results, results->decided - 1))
        decide_next(results);
    return rung < results->decided;
}

uint32_t results_ranking(Results *results, uint32_t *settings) {
    RankedSetting *ranked =
        memory_array(results->plan->settings, sizeof *ranked, "the order of settings");
    results_decided(results, results->plan->rungs - 1);
    uint32_t count = rank(results, -1, ranked);
    for (uint32_t i = 0; i < count; i++) settings[i] = ranked[i].setting;
    free(ranked);
    return count;
}
