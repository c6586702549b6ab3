/* The state of mlc eval: eval.c measures and prints, eval_ensemble.c averages the predictions of
 * several runs. */
#ifndef MLC_CLI_COMMANDS_EVALUATING_H
#define MLC_CLI_COMMANDS_EVALUATING_H

#include "cli/results/ensemble.h"
#include "cli/results/units.h"
#include "cli/session/inputs.h"
#include "runtime/train/evaluate.h"

typedef struct {
    const ModelOutput *output;
    Confusion confusion;
} OutputConfusion;

typedef struct {
    Session session;
    const Options *options;
    Diagnostics *diag;
    bool files; /* evaluates new files, whose rows are in SPLIT_TRAIN */
    Split split;
    int64_t rows;
    uint32_t batch;
    CheckpointInfo checkpoint;
    Evaluation evaluation;
    /* [metric]: its confusion matrix; NULL for a metric that is a number */
    int64_t *counts[RUNTIME_MAX_METRICS];
    OutputConfusion *confusions; /* set by --confusion: one for each output with labels */
    uint32_t confusion_count;
    UnitErrors *errors; /* the errors of outputs with targets */
    uint32_t error_count;
    /* set by --ensemble: its runs, and the means of their predictions; the session is that of the
     * first run. NULL: one run is evaluated */
    const EnsembleRuns *found;
    Predictions *means; /* [outputs] */
} Evaluating;

/* Opens the session of one run. false after reporting errors; session_close is required even
 * then. */
bool evaluating_open(Evaluating *evaluating);
/* Opens the session of the first run of --ensemble, predicts with all runs, and sets `means`. */
bool evaluating_average(Evaluating *evaluating, Arena *arena);

#endif
