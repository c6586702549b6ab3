/* The training loop. The only entry point is train(). */
#ifndef MLC_RUNTIME_TRAIN_TRAIN_H
#define MLC_RUNTIME_TRAIN_TRAIN_H

#include "ir/data/early_stopping.h"
#include "runtime/peers/peers.h"
#include "runtime/train/checkpoint.h"
#include "runtime/train/evaluate.h"
#include "runtime/train/spread_plan.h"
#include "runtime/train/step_log.h"

/* A training on several processes. Its programs `train` compute gradients (GRAPH_SHARE). Every
 * process has the same options, but only rank 0 has events and a folder. */
typedef struct {
    Peers *peers;             /* NULL: one process */
    SplitPrograms statistics; /* NULLs: the model updates no states */
    const Program *update;    /* of the part of the weights that this process owns */
    /* What the update needs to know with clip_norm, GRAPH_LARGEST and GRAPH_SQUARES; NULL without.
     */
    const Program *largest, *squares;
    /* Makes the programs of a training on one process, in which rank 0 looks for numbers that are
     * not finite. false after reporting errors. */
    bool (*alone)(void *context, SplitPrograms *train);
    void *context;
} SpreadOptions;

typedef struct {
    const Dataset *dataset;
    States *states;
    Threads *threads;
    /* splits may share programs; see runners.h */
    SplitPrograms train, valid, test;
    SpreadOptions spread;
    Metrics metrics;
    /* the rows of an epoch whose batches are given one by one; 0: they are in the data set */
    int64_t given_rows;
    uint32_t epochs;
    uint32_t accumulate; /* batches whose gradients make one step; 0: one */
    uint64_t seed;
    uint32_t log_every; /* steps between two log events; 0: none */
    double save_every;  /* seconds between two checkpoints within an epoch; 0: ten */
    bool initialized;   /* the states have already been initialized with this seed */
    bool shuffle;
    Score keep_best;
    StopRule stop;
    const char *folder; /* the run folder, which exists; NULL: write no checkpoints */
    /* for the checkpoint: BLAKE3 of the resolved model without train.epochs */
    const char *model_hash;
    const char *resume; /* path of a checkpoint to continue from, or NULL */
} TrainOptions;

/* Events for the caller; any function may be NULL. `step` and `log` may be called by any thread,
 * but only by one at a time. */
typedef struct {
    void *context;
    void (*step)(void *context, uint32_t epoch, uint64_t step, uint64_t steps_per_epoch,
                 double loss); /* about 10 times a second */
    /* after every log_every-th step of the run, also of a resumed one; called like `step` */
    void (*log)(void *context, const StepLog *log);
    /* After each epoch. epoch 0: the untrained network, with train_loss NaN. valid, test: NULL if
     * the split has no rows. */
    void (*epoch)(void *context, uint32_t epoch, double train_loss, double seconds, int64_t rows,
                  const Evaluation *valid, const Evaluation *test);
    void (*begin)(void *context); /* just before the first step */
    /* At the end, on several processes: what this one has sent to others for its batches, and the
     * seconds that it has spent in exchanges. */
    void (*exchanged)(void *context, const SpreadTraffic *sent);
    /* At the end of the training; early: the StopRule ended it. */
    void (*end)(void *context, const CheckpointInfo *info, bool early);
} TrainEvents;

typedef enum { TRAIN_DONE, TRAIN_STOPPED, TRAIN_NONFINITE, TRAIN_FAILED, TRAIN_LOST } TrainResult;
/* Initializes the states from the seed, or loads them from options->resume. Evaluates the untrained
 * network as epoch 0, unless it resumes. Trains. Checkpoints in options->folder:
 *   last.safetensors  after the first step, then about every ten seconds, after each epoch and its
 *                     event, and when stopped
 *   best.safetensors  when keep_best is better than ever before, on the validation rows or else on
 *                     the test rows
 * Results:
 *   TRAIN_STOPPED    train_request_stop was called (SIGHUP, SIGINT, SIGTERM). The checkpoint is
 *                    written; resuming gives the same bits.
 *   TRAIN_NONFINITE  a loss or a state is not finite. The first op with a non-finite result is
 *                    reported with its line. The last checkpoint is kept, as no checkpoint holds
 *                    states that are not finite.
 *   TRAIN_FAILED     another error was reported.
 *   TRAIN_LOST       another process has ended or does not answer. Rank 0 has saved the last step if
 *                    it could. */
TrainResult train(const TrainOptions *options, const TrainEvents *events, Diagnostics *diag);
void train_request_stop(void); /* for signal handlers */

#endif
