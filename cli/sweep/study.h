/* A sweep whose settings a study of Optuna chooses. A trial of the study is a setting. A worker asks
 * for its values before it begins the first of its trials, and tells the mean of their scores when
 * all of them have ended:
 *
 *     trials/000012.asked    {"number":14,"setting":["lr=0.0123","hidden=16"]}
 *     trials/000012.told     {"number":14,"score":0.25}
 *
 * where 12 is the first trial of the setting. The files stay: so a trial that is resumed keeps its
 * values, and a score is told once. Which values a study chooses depends on the order in which
 * settings end: with Optuna, two sweeps are not the same. */
#ifndef MLC_CLI_SWEEP_STUDY_H
#define MLC_CLI_SWEEP_STUDY_H

#include "cli/sweep/results.h"

/* Adds to sweep.json, in place of settings: the study, and the search space in Optuna's form. */
void study_put(json_t *document, const SweepRequest *request);
/* Makes the study, or finds the one of that name. false after reporting an error, for instance that
 * it looks for low scores and the model for high ones. */
bool study_create(const SweepRequest *request, Diagnostics *diag);
/* Whether a setting has values, and whether the study knows its score. */
bool study_has_asked(const SweepPlan *plan, uint32_t setting);
bool study_has_told(const SweepPlan *plan, uint32_t setting);
/* For one worker at a time, which has `claim` (claims.h) and keeps it fresh. Gets the values of a
 * setting, unless it has some. false after reporting an error, or if a signal has stopped it. */
bool study_ask(const SweepPlan *plan, uint32_t setting, const char *claim, Diagnostics *diag);
/* Likewise: tells the mean score of a setting whose trials all have results, or that it has none,
 * unless the study knows it. */
bool study_tell(Results *results, uint32_t setting, const char *claim, Diagnostics *diag);

#endif
