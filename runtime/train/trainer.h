/* A training under way. Private to runtime/. */
#ifndef MLC_RUNTIME_TRAIN_TRAINER_H
#define MLC_RUNTIME_TRAIN_TRAINER_H

#include "runtime/train/evaluate.h"
#include "runtime/train/train.h"

typedef struct {
    const TrainOptions *options;
    const TrainEvents *events;
    Diagnostics *diag;
    Pair pair;
    size_t loss[2]; /* where the full and the last program put the loss */
    Evaluator valid, test;
    CheckpointInfo info;          /* where we stand */
    bool begun;                   /* the states may be others than at the beginning */
    int32_t *order;               /* the rows of the current epoch */
    char *saved;                  /* path of the checkpoint to go back to; NULL: start from the seed */
    uint64_t nonfinite;           /* the first step whose loss was not finite, from 1; 0: none */
    double seconds;               /* spent on the steps of this epoch */
    double event_time, save_time; /* of the last step event and the last checkpoint */
} Trainer;

/* `options`, `events` and `diag` are set, all else is 0; to be closed even after a failure, which is reported. */
bool trainer_open(Trainer *trainer);
void trainer_close(Trainer *trainer);
/* Back to trainer->saved, or to the beginning. */
bool trainer_restart(Trainer *trainer);
void trainer_order(Trainer *trainer);           /* fills order for the current epoch */
int64_t trainer_step(const Trainer *trainer);   /* steps done in the current epoch */
RunTimes trainer_times(const Trainer *trainer); /* of the current epoch */
float trainer_loss(const Trainer *trainer, int64_t step, const void *outputs);

/* The loss of step trainer->nonfinite, or a state after it, is not finite: trains again up to that step and reports the operation
 * that went wrong first. `state`: which one; NULL: the loss. */
void trainer_blame(Trainer *trainer, const Symbol *state);

#endif
