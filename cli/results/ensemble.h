/* The mean of the predictions of several runs.
 *
 * Of an output with classes: the mean of the probabilities. Of an output with a target: the mean in
 * the units of the data. Of others: the mean of their numbers. Each mean is computed in f64: a sum
 * in the order of the runs, divided by their number. It is rounded once to the type of the
 * result. */
#ifndef MLC_CLI_RESULTS_ENSEMBLE_H
#define MLC_CLI_RESULTS_ENSEMBLE_H

#include "cli/results/forward.h"

typedef struct {
    double *values; /* [rows][width]: sums of numbers or probabilities; then their means */
    double **units; /* [runs]: the predictions of each run in the units of the data; NULL: none */
} EnsembleOutput;

typedef struct {
    Arena *arena;  /* the arena of the first run's session */
    uint32_t runs; /* the number of runs added so far */
    const char *first_run;
    const Session *first;
    const int32_t *rows;
    int64_t count;
    const Predictions *predictions; /* the predictions of the first run */
    EnsembleOutput *outputs;
    uint32_t output_count;
    bool files;         /* the rows are those of new files */
    const char *scaled; /* a run that measures a target in another scale than the first; or NULL */
} Ensemble;

/* Takes the first run, whose session stays open. capacity: how many runs there will be. */
void ensemble_begin(Ensemble *ensemble, const char *run, const Session *session,
                    const Forward *forward, bool files, uint32_t capacity);
/* Adds another run. false after reporting how its outputs or rows differ from the first run's. */
bool ensemble_add(Ensemble *ensemble, const char *run, const Session *session,
                  const Forward *forward, Diagnostics *diag);
/* Replaces the first run's predictions by the means; the class with the highest mean is the
 * predicted one. `deviations` of several runs are sqrt(sum((p - mean)^2) / (runs - 1)). */
void ensemble_finish(Ensemble *ensemble, Predictions *predictions);
/* Adds the means to the first run's data set, as the inputs of its GRAPH_GIVEN, before
 * ensemble_finish. Logits are the logarithms of the probabilities, which count as at least 1e-38.
 * An output with a target has the mean of the networks' own numbers. false after reporting that a
 * run measures a target in another scale. */
bool ensemble_give(const Ensemble *ensemble, Session *session, Diagnostics *diag);

/* -- which runs -- */

typedef struct {
    const char **runs;
    uint32_t count;
    int files;        /* the first operand that is no run */
    Options *options; /* [count]: for each run, its folder and the files as operands */
} EnsembleRuns;

/* The runs that --ensemble means: the first operands, as long as they are runs or folders that hold
 * runs. best:N takes the N runs with the best score at the epoch of the checkpoint, the best one
 * first. false after reporting errors. */
bool ensemble_find(const Options *options, Arena *arena, EnsembleRuns *found, Diagnostics *diag);
/* Without --ensemble: false after reporting that the second operand is a run. */
bool ensemble_check_single(const Options *options, Diagnostics *diag);

#endif
