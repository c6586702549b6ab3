/* The results of trials: trials/000012.0.json for the first rung of trial 12. A result is written
 * once, and is the same whoever has trained the trial, except for its seconds. */
#ifndef MLC_CLI_SWEEP_RESULTS_H
#define MLC_CLI_SWEEP_RESULTS_H

#include "cli/sweep/plan.h"

/* The results that have been read so far. */
typedef struct {
    const SweepPlan *plan;
    json_t **lines;   /* [rung * trials + trial]; NULL: none yet */
    bool *alive;      /* [rung * settings + setting], of the rungs that are decided */
    uint32_t decided; /* the number of rungs whose settings are known, at least 1 */
} Results;

void results_open(Results *results, const SweepPlan *plan);
void results_close(Results *results);
/* The result of a trial in a rung, from memory or from its file; NULL: there is none yet. It
 * belongs to `results`. */
const json_t *results_get(Results *results, uint32_t trial, uint32_t rung);
/* Writes a result and takes it over. false after reporting an error. */
bool results_put(Results *results, uint32_t trial, uint32_t rung, json_t *line, Diagnostics *diag);
/* Whether it is known which settings take part in a rung: the best ones of the rung before, once
 * all trials of that have results. */
bool results_decided(Results *results, uint32_t rung);
/* Whether a setting takes part in a decided rung. */
static inline bool results_alive(const Results *results, uint32_t rung, uint32_t setting) {
    return results->alive[rung * results->plan->settings + setting];
}
/* The mean score of a setting in a rung, over its seeds and folds; NaN: a result is missing or has
 * no score. */
double results_score(Results *results, uint32_t setting, uint32_t rung);
/* The settings with a result, best first: those that came further, then by score, then by number.
 * Returns how many. */
uint32_t results_ranking(Results *results, uint32_t *settings);
/* The last rung of a setting that has all its results; -1: none. */
int results_rung(Results *results, uint32_t setting);

#endif
