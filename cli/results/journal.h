/* The JSON lines of a run: a start line, a line for each epoch, lines of steps, an end line. They
 * are written to metrics.jsonl, and with --json to stdout. Epochs also stay in memory for the
 * curves and --expect. */
#ifndef MLC_CLI_RESULTS_JOURNAL_H
#define MLC_CLI_RESULTS_JOURNAL_H

#include "engine/files/files.h"
#include "frontend/model/model.h"
#include "runtime/train/evaluate.h"
#include "runtime/train/step_log.h"

#include <jansson.h>

/* Loss and metrics on one split after an epoch. */
typedef struct {
    bool present; /* the split has rows */
    double loss, metrics[RUNTIME_MAX_METRICS];
    /* [metric]: its confusion matrix in the last epoch; NULL in others and for numbers */
    int64_t *counts[RUNTIME_MAX_METRICS];
} Measured;

typedef struct {
    uint32_t epoch;                              /* 0: untrained */
    double train_loss, seconds, rows_per_second; /* train_loss is NaN for epoch 0 */
    Measured valid, test;
} EpochRecord;

typedef struct {
    double epoch; /* 1.5: in the middle of the second epoch */
    double loss;
} StepRecord;

typedef struct {
    Diagnostics *diag;
    Path path;
    FILE *file; /* NULL until opened, and after a failure */
    bool to_stdout;
    const ModelInfo *info; /* has the names of the metrics */
    EpochRecord *records;
    uint32_t record_count, record_capacity;
    StepRecord *steps; /* those that were logged */
    uint32_t step_count, step_capacity;
    int64_t epoch_steps; /* steps of an epoch */
} Journal;

/* `info` outlives the journal. */
void journal_init(Journal *journal, const char *folder, const ModelInfo *info, int64_t epoch_steps,
                  bool to_stdout, Diagnostics *diag);
/* Opens the file and writes the start line `start`, which it frees. A resumed run keeps and records
 * the lines of epochs before `first_epoch`; 0 starts a new file. Lines about steps after
 * `steps_done` are dropped, as these steps will be repeated. The file is replaced in one step, so
 * that it always has a start line. */
bool journal_open(Journal *journal, uint32_t first_epoch, uint64_t steps_done, json_t *start);
/* Writes a line and frees it. A failure is reported once. */
void journal_write(Journal *journal, json_t *line);
/* Records an epoch and writes its line. The journal then owns its counts. */
void journal_epoch(Journal *journal, const EpochRecord *record);
/* Records a step and writes its line. */
void journal_step(Journal *journal, const StepLog *step, double rate);
/* The last recorded epoch, or NULL. */
EpochRecord *journal_last(const Journal *journal);
void journal_free(Journal *journal);

/* The reported warnings (`kind` DIAG_WARNING) or errors as events:
 * {"event":"warning","message":...,"file":...,"line":...,
 * "column":...,"notes":[...],"help":[...]}. */
json_t *journal_diagnostics(const Diagnostics *diag, DiagKind kind);

/* A number with nine digits, or null if it is not finite. */
json_t *json_number(double value);
/* The same with 15 digits, which every f64 has. */
json_t *json_exact(double value);
/* A text, or "?" if it is not UTF-8: names of files need not be. */
json_t *json_text(const char *text);
/* Prints a value as one line on `out` and frees it. */
bool json_print_line(json_t *value, FILE *out);

#endif
