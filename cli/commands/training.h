/* The state of mlc train, and what its files share: train.c runs a training, train_open.c opens its
 * session, train_processes.c connects several processes, train_folder.c keeps its folder,
 * train_answer.c prints its results, train_events.c writes events for TensorBoard, train_rates.c
 * tries learning rates. */
#ifndef MLC_CLI_COMMANDS_TRAINING_H
#define MLC_CLI_COMMANDS_TRAINING_H

#include "cli/results/event_file.h"
#include "cli/results/journal.h"
#include "cli/results/rates.h"
#include "cli/results/units.h"
#include "cli/session/build.h"
#include "cli/show/progress.h"
#include "cli/sweep/trial.h"
#include "runtime/train/train.h"

typedef struct {
    Session session;
    const TrainingOrder *order; /* set by a sweep; NULL: the training has only its command line */
    const Options *options;
    Diagnostics *diag;
    Options own_options; /* where they differ from those given */
    Peers *peers;        /* the processes of the training; NULL: only this one */
    bool speaks;         /* what this process reports, no other one does */
    Path folder;
    int lock; /* file descriptor that locks the folder; -1 before */
    Journal journal;
    Progress progress;
    Rates rates;
    EventFile events;
    bool writes_events;
    SplitPrograms train, valid, test;
    char model_hash[65];
    bool resumes;          /* continues the run of --resume from its checkpoint */
    CheckpointInfo before; /* that checkpoint */
    bool begun;            /* resolved.mdl and the start line have been written */
    json_t *warnings;      /* printed before the journal was open; NULL once they are in it */
    /* the file of the initial weights (--weights); NULL: none */
    const char *weights;
    uint32_t best_epoch; /* the epoch of best.safetensors; 0: none */
    double noise_scale;  /* of the gradients, in rows; NaN: not known */
    bool early;          /* stop_when ended the training */
    double started;      /* by seconds_now */
    /* when the curves were last drawn, and the seconds that took; 0: not yet */
    double drawn, drawing;
    uint32_t drawn_epochs; /* journal records in the drawn curves */
                           /* on held-out rows after the last epoch, in the units of the data */
    UnitErrors *errors[SPLIT_COUNT];
    uint32_t error_count[SPLIT_COUNT];
} Training;

/* The functions by which a sweep trains. */
extern const TrialTraining training_of_trials;
/* Trains as a sweep orders it. */
Status training_run(const Options *given, const TrainingOrder *order, Diagnostics *diag);
/* Checks the options and opens the model, the data and the programs. false after reporting
 * errors. */
bool training_open_session(Training *training);
/* How the processes of the training share its batches; empty if it is the only one. */
SpreadOptions training_spread(Training *training);
/* Requests the programs of a training with these numbers of rows. */
void training_want_programs(Session *session, const int64_t rows[SPLIT_COUNT]);
/* Makes the folder of a new run, or prepares that of a resumed one. false after reporting
 * errors. */
bool training_open_folder(Training *training);
/* Writes the first files of a run. A resumed run must not change until train() has accepted its
 * checkpoint, so the first event of train() calls this. false after reporting errors. */
bool training_begin(Training *training);
/* Changes of the weights in an epoch. */
int64_t training_epoch_steps(const Training *training);
/* Begins an event file if --tensorboard is given or the run already has one; then writes the values
 * of a logged step or an epoch. false after reporting errors. */
bool training_events_open(Training *training, uint64_t steps_done);
bool training_events_step(Training *training, const StepLog *step, double rate);
bool training_events_epoch(Training *training, const EpochRecord *record);
/* --find-lr: tries learning rates and suggests one. The check of the options reports what does not
 * go with it. */
bool training_check_find_lr(const Options *options, Diagnostics *diag);
Status training_find_lr(Training *training);
/* Reports what does not go with several processes, if the training has several, and what does not
 * go with a GPU. */
bool training_check_spread(const Options *options, Diagnostics *diag);
/* Whether the training is to have several processes. */
bool training_wants_peers(const Options *options);
/* Starts or finds the other processes of the training, if it is to have some. signal: that this
 * process got. false: the training does not take place in this process; *status tells how it ended,
 * unless errors were reported. */
bool training_open_peers(Training *training, const volatile sig_atomic_t *signal, Status *status);
/* Whether this process writes the run and prints. */
bool training_is_first(const Training *training);
/* Checks that a batch has a share for each process. false after reporting an error. */
bool training_check_replicas(const ModelInfo *info, int processes, Diagnostics *diag);
/* Compares the sessions of all processes. good: that of this one is open. false if one is not, or
 * differs; rank 0 has reported it. */
bool training_agree(Training *training, bool good);
/* Waits for the other processes to get to the end as well. Returns the status of this one. */
Status training_part(Training *training, Status status);
/* Prints what this process has reported, and closes the connections. */
void training_close_peers(Training *training, Status status);
/* Writes the last line of the journal. */
void training_write_end(Training *training, TrainResult result);
/* Prints the results as text; prints nothing with --json. */
void training_print_answer(const Training *training);

#endif
