/* A sweep whose settings a study of Optuna chooses. A worker asks for the values when it begins a
 * trial, and tells the score when the trial has ended:
 *
 *     trials/000012.asked    {"number":14,"setting":["lr=0.0123","hidden=16"]}
 *
 * The file stays, so a trial that is resumed keeps its values. Which values a study chooses depends
 * on the order in which trials end: with Optuna, two sweeps are not the same. */
#ifndef MLC_CLI_SWEEP_STUDY_H
#define MLC_CLI_SWEEP_STUDY_H

#include "cli/sweep/plan.h"

/* Adds to sweep.json, in place of settings: the study, and the search space in Optuna's form. */
void study_put(json_t *document, const SweepRequest *request);
/* Makes the study, or finds the one of that name. false after reporting an error, for instance that
 * it looks for low scores and the model for high ones. */
bool study_create(const SweepRequest *request, Diagnostics *diag);
/* Gets the values of a trial, unless it has some. false after reporting an error, or if a signal
 * has stopped it. */
bool study_ask(const SweepPlan *plan, uint32_t trial, Diagnostics *diag);
/* Tells the result of a trial (results.h), or that it has none. false as above. */
bool study_tell(const SweepPlan *plan, uint32_t trial, const json_t *result, Diagnostics *diag);

#endif
