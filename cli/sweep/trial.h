/* A trial in a process of its own, so that no trial can harm the next one. */
#ifndef MLC_CLI_SWEEP_TRIAL_H
#define MLC_CLI_SWEEP_TRIAL_H

#include "engine/build/stock.h"
#include "cli/sweep/plan.h"

#include <signal.h>
#include <sys/types.h>

/* A training of one model file. */
typedef struct {
    const char *model, *source; /* the file, and the folder where its relative paths start */
    /* The training ends after this epoch, and saves as if a signal had stopped it. 0: it ends when
     * it is done. */
    uint32_t until;
    Stock *stock;
} TrainingOrder;

typedef struct {
    /* Trains a model. options->out names the folder of a new training, options->resume that of one
     * that goes on. */
    Status (*train)(const Options *options, const TrainingOrder *order, Diagnostics *diag);
    /* Fills order->stock with what such a training needs. If its model or data are bad, the
     * training reports it. others: --set options that each have one other value; they show which
     * constants vary. */
    void (*fill)(const Options *options, const TrainingOrder *order, const OptionList *others,
                 uint32_t other_count);
} TrialTraining;

typedef struct {
    const SweepPlan *plan;
    const Options *common; /* options that all trainings share */
    const TrialTraining *training;
    Stock *stock;
} TrialRunner;

/* The number of the signal that asked the worker to stop; 0: none has. */
extern volatile sig_atomic_t trial_stop;
/* From now on, SIGINT, SIGTERM and SIGHUP set trial_stop. */
void trial_catch_stops(void);
/* Waits for a child, and touches `claim` meanwhile, unless that is NULL. A signal to stop is passed
 * on to the child once. Returns its wait status. */
int trial_wait(pid_t child, const char *claim);

/* Fills the stock with what the training of a trial needs. */
void trial_fill(const TrialRunner *runner, uint32_t trial);
/* Trains a trial up to an epoch (0: to its end), and touches its claim meanwhile. A training that a
 * signal has killed, for example for lack of memory, is started again from its checkpoint:
 * TRIAL_TRIES times in all. Returns the wait status of the last try; -1: errno says why it cannot
 * be started. */
enum { TRIAL_TRIES = 3 };
int trial_run(const TrialRunner *runner, uint32_t trial, uint32_t until, const char *claim);

#endif
