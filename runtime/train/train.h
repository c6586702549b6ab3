/* The training. */
#ifndef MLC_RUNTIME_TRAIN_TRAIN_H
#define MLC_RUNTIME_TRAIN_TRAIN_H

#include "ir/data/early_stopping.h"
#include "runtime/train/checkpoint.h"
#include "runtime/train/evaluate.h"

typedef struct {
    const Dataset *dataset;
    States *states;
    Threads *threads;
    ProgramPair train, valid, test; /* pairs may share programs; full may be NULL when a split has fewer rows than batch */
    Metrics metrics;
    uint32_t epochs;
    uint32_t accumulate; /* batches whose gradients make one step; 0: one */
    uint64_t seed;
    bool initialized; /* the states have their first values, of this seed, already */
    bool shuffle;
    Judge keep_best;
    StopRule stop;
    const char *folder;     /* run folder, exists; NULL: write nothing */
    const char *model_hash; /* goes into the checkpoint: BLAKE3 of the resolved text without train.epochs */
    const char *resume;     /* path of a checkpoint to continue from, or NULL */
} TrainOptions;

/* What the caller is told, `step` on any of the threads, one call after the other; any function may be NULL. */
typedef struct {
    void *context;
    void (*step)(void *context, uint32_t epoch, uint64_t step, uint64_t steps_per_epoch,
                 double loss); /* about 10 times a second */
    /* epoch 0: the untrained network (train_loss is NaN then). valid, test: NULL if the split has no rows. */
    void (*epoch)(void *context, uint32_t epoch, double train_loss, double seconds, int64_t rows, const Evaluation *valid,
                  const Evaluation *test);
    void (*begin)(void *context); /* just before the first step */
    /* After the last epoch, or when the training ends before it; early: because the StopRule says so. */
    void (*end)(void *context, const CheckpointInfo *info, bool early);
} TrainEvents;

typedef enum { TRAIN_DONE, TRAIN_STOPPED, TRAIN_NONFINITE, TRAIN_FAILED } TrainResult;
/* Initializes the states from the seed, or loads them from options->resume; evaluates as epoch 0 unless resuming; trains. In
 * options->folder, last.safetensors is written after the first step, then about every ten seconds, at the end of each epoch
 * (after the epoch's event) and when stopped; best.safetensors when keep_best is better than ever before (on the validation rows, or else
 * the test rows).
 * TRAIN_STOPPED: train_request_stop was called (SIGHUP 129, SIGINT 130, SIGTERM 143): the checkpoint is written and resumes bit for bit.
 * TRAIN_NONFINITE: a loss on training or held-out rows, a weight or another state is not finite: reported with the op and line that went
 * wrong first. The last checkpoint stays: none is written whose states are not finite. */
TrainResult train(const TrainOptions *options, const TrainEvents *events, Diagnostics *diag);
void train_request_stop(void); /* async-signal-safe */

#endif
