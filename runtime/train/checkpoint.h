/* Checkpoints are safetensors files. Nothing in them depends on the time, the machine or the number of threads: the same training gives
 * the same bytes, stopped and resumed or not. */
#ifndef MLC_RUNTIME_TRAIN_CHECKPOINT_H
#define MLC_RUNTIME_TRAIN_CHECKPOINT_H

#include "runtime/data/dataset.h"
#include "runtime/program/states.h"

typedef struct {
    uint64_t step, epoch, seed; /* epoch: whole epochs done; step: steps done over the whole run */
    uint64_t epochs;            /* that the run was to have; 0: not known */
    double loss_sum;            /* of the epoch begun: the losses so far, times their rows */
    double best;         /* what best.safetensors was chosen by, with a minus where less is better; NaN: there is none yet */
    uint64_t best_epoch; /* the epoch that it is of; 0: there is none yet */
    double gained;       /* the best of what StopRule looks at, likewise */
    uint64_t waited;     /* epochs since then */
    uint64_t numerics;   /* NUMERICS_VERSION of the mlc that wrote it; saving writes this one's */
    char model_hash[65], data_digest[65];
    const char *schema;   /* of the data, by dataset_schema_text; NULL: leave it out. Loading sets it to NULL */
    const Learnt *learnt; /* of the data, which checkpoint_learnt reads back */
    uint32_t learnt_count;
} CheckpointInfo;

/* Written to a temporary file in the same folder, synced, renamed, folder synced. STATUS_FILE errors. */
bool checkpoint_save(const char *path, const States *states, const CheckpointInfo *info, Diagnostics *diag);
/* Reads into states bound before; every name, dtype and shape must agree (errors say which), else nothing is changed.
 * partial, for evaluation: the file may hold more than is bound (moments of an optimizer), and need not be mlc's own (*info
 * is zero then). */
bool checkpoint_load(const char *path, States *states, bool partial, CheckpointInfo *info, Diagnostics *diag);
/* Reads what transforms of columns have learnt, for the data set. */
bool checkpoint_learnt(const char *path, const Fit *fits, uint32_t count, Dataset *dataset, Diagnostics *diag);
/* Reads the info alone. */
bool checkpoint_info(const char *path, CheckpointInfo *info, Diagnostics *diag);
/* Reads the schema of the data alone, into the arena; false, without a report, if there is none. */
bool checkpoint_schema(const char *path, Arena *arena, SourceSchema *schema);

#endif
