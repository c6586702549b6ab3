/* A trainer: the parts of a training and its position. Internal to runtime/train. */
#ifndef MLC_RUNTIME_TRAIN_TRAINER_H
#define MLC_RUNTIME_TRAIN_TRAINER_H

#include "runtime/train/evaluate.h"
#include "runtime/train/train.h"

typedef struct Noise Noise;
typedef struct Spread Spread;

typedef struct {
    const TrainOptions *options;
    const TrainEvents *events;
    Diagnostics *diag;
    SplitRunners runners;
    Spread *spread;           /* over several processes; NULL: one process */
    size_t loss[SHARE_SIZES]; /* of each program: the byte offset of the loss in its outputs */
    SplitEvaluator valid, test;
    Noise *noise;        /* NULL: it is not measured */
    CheckpointInfo info; /* the position */
    /* a step has run, so the states differ from the initial ones */
    bool begun;
    int32_t *order; /* the rows of the current epoch */
    int64_t first;  /* its first batch in this process */
    /* the last checkpoint, where trainer_restart begins; NULL: begin from the seed */
    char *saved;
    uint64_t nonfinite;           /* the first step with a non-finite loss, from 1; 0: none */
    double seconds;               /* spent on the steps of this epoch */
    double run_time;              /* when they were last continued */
    double event_time, save_time; /* of the last step event and the last checkpoint */
} Trainer;

/* The caller sets options, events and diag; all else is 0. false after reporting an error;
 * trainer_close is required even then. */
bool trainer_open(Trainer *trainer);
/* The same without the evaluators: for steps alone. With given_rows, the caller binds `runners` to
 * the rows of each batch. */
bool trainer_open_steps(Trainer *trainer);
void trainer_close(Trainer *trainer);
/* Loads trainer->saved, or initializes the states from the seed. */
bool trainer_restart(Trainer *trainer);
void trainer_order(Trainer *trainer);           /* fills order for the current epoch */
int64_t trainer_step(const Trainer *trainer);   /* steps done in the current epoch */
RunTimes trainer_times(const Trainer *trainer); /* of the current epoch */
/* The clock of the last share of a batch. */
RunClock trainer_clock(const Trainer *trainer, int64_t batch);
float trainer_loss(const Trainer *trainer, int64_t share, const void *outputs);
/* Called after each batch, on any thread, one call at a time. loss: the mean over its rows. false:
 * ends the loop. */
typedef bool TrainerVisit(void *context, int64_t batch, double loss);
/* Runs the batches `batch` .. `end` - 1 of the current epoch; false: `visit` has ended the loop, or
 * the device has failed. A device also visits batches that it had begun before. */
bool trainer_loop(const Trainer *trainer, int64_t batch, int64_t end, TrainerVisit *visit,
                  void *context);

/* Reports why the loss of step trainer->nonfinite, or a state after it, is not finite: repeats the
 * training up to that step and finds the first operation with a non-finite result. state: NULL for
 * the loss. */
void trainer_report_nonfinite(Trainer *trainer, const Symbol *state);

#endif
