/* The JSON lines of a run: start, one for every epoch, end. They go to metrics.jsonl, and to stdout
 * with --json. Epochs are kept in memory too, for the curves and for --expect. */
#ifndef MLC_CLI_RESULTS_JOURNAL_H
#define MLC_CLI_RESULTS_JOURNAL_H

#include "cli/session/files.h"
#include "frontend/model/model.h"
#include "runtime/train/evaluate.h"

#include <jansson.h>

/* What was measured on one split after an epoch. */
typedef struct {
    bool present; /* the split has rows */
    double loss, metrics[RUNTIME_MAX_METRICS];
    /* of a metric that is a matrix; kept of the last epoch only. NULL: there are none */
    int64_t *counts[RUNTIME_MAX_METRICS];
} Measured;

typedef struct {
    uint32_t epoch;                              /* 0: untrained */
    double train_loss, seconds, rows_per_second; /* train_loss is NaN for epoch 0 */
    Measured valid, test;
} EpochRecord;

typedef struct {
    Diagnostics *diag;
    Path path;
    FILE *file; /* NULL until opened, and after a failure */
    bool to_stdout;
    const ModelInfo *info; /* names the metrics */
    EpochRecord *records;
    uint32_t record_count, record_capacity;
} Journal;

/* `info` outlives the journal. */
void journal_init(Journal *journal, const char *folder, const ModelInfo *info, bool to_stdout,
                  Diagnostics *diag);
/* Opens the file and writes the start line, which it takes over. Of an earlier part of a run that
 * goes on it keeps, and records, what came before `first_epoch`; zero: the run begins anew, and
 * nothing is kept. The file is replaced whole: it is never without a start line. */
bool journal_open(Journal *journal, uint32_t first_epoch, json_t *start);
/* Writes a line; takes over `line`. A failure is reported once. */
void journal_write(Journal *journal, json_t *line);
/* Records an epoch, whose counts it takes over, and writes its line. */
void journal_epoch(Journal *journal, const EpochRecord *record);
/* The last epoch so far, or NULL. */
const EpochRecord *journal_last(const Journal *journal);
void journal_free(Journal *journal);

/* The warnings (`kind` DIAG_WARNING) or errors so far as events:
 * {"event":"warning","message":...,"file":...,"line":...,
 * "column":...,"notes":[...],"help":[...]}. */
json_t *journal_diagnostics(const Diagnostics *diag, DiagKind kind);

/* A number with nine digits, or null if it is not finite. */
json_t *json_number(double value);
/* Likewise, with all digits that are sure of an f64. */
json_t *json_exact(double value);
/* A text, or "?" if it is no UTF-8, as names of files need not be. */
json_t *json_text(const char *text);
/* Prints a value as one line on `out` and frees it. */
bool json_print_line(json_t *value, FILE *out);

#endif
