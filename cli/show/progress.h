/* Progress of a training on stderr: a table with a line for every finished epoch. On a terminal, a
 * line below it is redrawn while an epoch runs. */
#ifndef MLC_CLI_SHOW_PROGRESS_H
#define MLC_CLI_SHOW_PROGRESS_H

#include "cli/results/journal.h"
#include "cli/text/terminal.h"
#include "runtime/train/evaluate.h"

enum { PROGRESS_COLUMNS = 5 + 2 * (1 + RUNTIME_MAX_METRICS) };

typedef enum {
    COLUMN_EPOCH,
    COLUMN_TRAIN_LOSS,
    COLUMN_LOSS,
    COLUMN_METRIC,
    COLUMN_TIME,
    COLUMN_RATE
} ProgressKind;
typedef struct {
    ProgressKind kind;
    Split split;     /* the split of a loss or metric */
    uint32_t metric; /* index of the metric */
    const char *head;
    int width;
} ProgressColumn;

typedef struct {
    const Journal *journal; /* has the names of the metrics */
    uint32_t epochs, batch;
    bool quiet, redraws; /* redraws: the terminal can redraw a line */
    bool drawn;          /* a line that will be redrawn is on the screen */
    uint32_t epoch;      /* the current epoch: */
    uint64_t first_step; /* its first reported step, and the time of that step in seconds */
    double start;
    ProgressColumn columns[PROGRESS_COLUMNS];
    uint32_t column_count; /* 0 until the head has been printed */
    double printed;        /* when the last table line was printed, in seconds */
    bool thinned;          /* the note about omitted lines has been printed */
    bool waiting;          /* `last` has no line yet */
    EpochRecord last;
} Progress;

Progress progress_new(const Journal *journal, uint32_t epochs, uint32_t batch, bool quiet);
/* Redraws the line of the running epoch: step `step` of `steps`. */
void progress_step(Progress *progress, uint32_t epoch, uint64_t step, uint64_t steps, double loss);
void progress_epoch(Progress *progress, const EpochRecord *record);
/* Ends the output: clears the redrawn line and prints the line of the last epoch. */
void progress_end(Progress *progress);

/* "97.72 %" for a fraction, "0.0807" otherwise. */
const char *metric_text(char buffer[NUMBER_TEXT], bool is_fraction, double value);

#endif
