/* Progress of a training run on stderr: a line that is redrawn while an epoch runs, where the
 * terminal can do that, and under a head a line that stays for every finished epoch. */
#ifndef MLC_CLI_SHOW_PROGRESS_H
#define MLC_CLI_SHOW_PROGRESS_H

#include "cli/results/journal.h"
#include "cli/text/terminal.h"
#include "runtime/train/evaluate.h"

enum { PROGRESS_COLUMNS = 5 + 2 * (1 + RUNTIME_MAX_METRICS) };

typedef enum {
    SHOWN_EPOCH,
    SHOWN_TRAIN_LOSS,
    SHOWN_LOSS,
    SHOWN_METRIC,
    SHOWN_TIME,
    SHOWN_RATE
} Shown;
typedef struct {
    Shown shown;
    Split split;     /* of a loss or metric */
    uint32_t metric; /* its number */
    const char *head;
    int width;
} ProgressColumn;

typedef struct {
    const Journal *journal; /* names the metrics */
    uint32_t epochs, batch;
    bool quiet, moves; /* moves: lines can be redrawn */
    bool drawn;        /* a line that will be redrawn is on the screen */
    uint32_t epoch;    /* the one that the two below belong to */
    uint64_t first_step;
    double start; /* when its first step was seen, in seconds */
    ProgressColumn columns[PROGRESS_COLUMNS];
    uint32_t column_count; /* 0: the head has not been printed yet */
    double printed;        /* when the last line was that stays */
    bool thinned;          /* that lines are left out has been said */
    bool waiting;          /* the last epoch has no line yet: */
    EpochRecord last;
} Progress;

Progress progress_new(const Journal *journal, uint32_t epochs, uint32_t batch, bool quiet);
/* step: of the epoch, out of `steps`. */
void progress_step(Progress *progress, uint32_t epoch, uint64_t step, uint64_t steps, double loss);
void progress_epoch(Progress *progress, const EpochRecord *record);
/* After the training: takes the moving line away; the last epoch has its line. */
void progress_end(Progress *progress);

/* "97.72 %" for a share, "0.0807" otherwise. */
const char *metric_text(char buffer[NUMBER_TEXT], bool share, double value);

#endif
