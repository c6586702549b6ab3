/* Progress of a training run on stderr: a line that is redrawn while an epoch runs, where the terminal can do that, and a line
 * that stays for every finished epoch. */
#ifndef MLC_CLI_PROGRESS_H
#define MLC_CLI_PROGRESS_H

#include "cli/journal.h"
#include "cli/terminal.h"

typedef struct {
    const Journal *journal; /* names the metrics */
    uint32_t epochs, batch;
    bool quiet, moves; /* moves: lines can be redrawn */
    bool drawn;        /* a line that will be redrawn is on the screen */
    uint32_t epoch;    /* the one that the three below belong to */
    double start;      /* when its first step was seen, in seconds */
    uint64_t first_step;
} Progress;

Progress progress_new(const Journal *journal, uint32_t epochs, uint32_t batch, bool quiet);
/* step: of the epoch, out of `steps`. */
void progress_step(Progress *progress, uint32_t epoch, uint64_t step, uint64_t steps, double loss);
void progress_epoch(Progress *progress, const EpochRecord *record);
/* Takes the moving line away. */
void progress_clear(Progress *progress);

/* "97.72 %" for a share, "0.0807" otherwise. */
const char *metric_text(char buffer[NUMBER_TEXT], bool share, double value);

#endif
