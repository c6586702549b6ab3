/* Checkpoints are safetensors files. They do not depend on the time, the machine, or the numbers of
 * threads and processes: the same training gives the same bytes, even if it was stopped and
 * resumed. */
#ifndef MLC_RUNTIME_TRAIN_CHECKPOINT_H
#define MLC_RUNTIME_TRAIN_CHECKPOINT_H

#include "runtime/data/dataset.h"
#include "runtime/program/states.h"

typedef struct {
    uint64_t step, epoch, seed; /* epoch: whole epochs done; step: steps done over the whole run */
    uint64_t epochs;            /* planned for the run; 0: not known */
    /* the sum of loss * rows over the finished batches of the current epoch */
    double loss_sum;
    /* the same since the last step that was logged, and the rows of these batches */
    double log_sum;
    uint64_t log_rows;
    /* of the gradient noise (noise.h): tr(S) and |G|^2; both 0: not measured yet */
    double noise_trace, noise_square;
    /* the score of best.safetensors (negative metric if less is better); NaN: none yet */
    double best;
    uint64_t best_epoch; /* its epoch; 0: none yet */
    double gained;       /* the best score of the StopRule, with the same sign */
    uint64_t waited;     /* epochs since then */
    uint64_t numerics;   /* NUMERICS_VERSION of the mlc that wrote it; set by loading */
    char model_hash[65], data_digest[65];
    const char *schema;         /* dataset_schema_text; NULL: not written. Loading sets NULL */
    const FittedColumn *fitted; /* dataset_fitted; checkpoint_fitted reads it back */
    uint32_t fitted_count;
} CheckpointInfo;

/* Whether the gradient noise has been measured. */
bool checkpoint_noise(const CheckpointInfo *info);
/* Writes a temporary file in the same folder, syncs it, renames it and syncs the folder.
 * STATUS_FILE errors. */
bool checkpoint_save(const char *path, const States *states, const CheckpointInfo *info,
                     Diagnostics *diag);
/* Reads the states. Their names, dtypes and shapes must match the file, else an error is reported
 * and nothing changes. partial, for evaluation: the file may have more tensors, such as optimizer
 * moments, and may come from another program (then *info is zero). */
bool checkpoint_load(const char *path, States *states, bool partial, CheckpointInfo *info,
                     Diagnostics *diag);
/* Reads the fitted transforms of columns into the arena. NULL after reporting errors. */
const FittedColumn *checkpoint_fitted(const char *path, const Fit *fits, uint32_t count,
                                      Arena *arena, uint32_t *found, Diagnostics *diag);
/* Reads only the metadata. */
bool checkpoint_info(const char *path, CheckpointInfo *info, Diagnostics *diag);
/* Reads only the schema of the data, into the arena. false, without a report: the file has none. */
bool checkpoint_schema(const char *path, Arena *arena, SourceSchema *schema);

#endif
