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
    /* It ends after this epoch, saved as if a signal had stopped it; 0: when it is done. */
    uint32_t until;
    Stock *stock;
} TrainingOrder;

typedef struct {
    /* Trains. options->out or options->resume is the folder. */
    Status (*train)(const Options *options, const TrainingOrder *order, Diagnostics *diag);
    /* Fills order->stock with what such a training needs, as far as its model and data are good:
     * errors are left to the training. others: --set options with another value each, which find
     * the constants that vary. */
    void (*fill)(const Options *options, const TrainingOrder *order, const OptionList *others,
                 uint32_t other_count);
} TrialTraining;

typedef struct {
    const SweepPlan *plan;
    const Options *common; /* that all trainings share */
    const TrialTraining *training;
    Stock *stock;
} TrialRunner;

/* The number of the first signal that asks the worker to stop; 0: none. */
extern volatile sig_atomic_t trial_stop;
/* From now on, signals to stop set trial_stop. */
void trial_catch_stops(void);

/* Fills the stock for a trial. */
void trial_fill(const TrialRunner *runner, uint32_t trial);
/* Trains a trial up to an epoch (0: to its end), and touches its claim meanwhile. A training that
 * something else has killed, such as a machine without memory, goes on from its checkpoint, up to
 * TRIAL_TRIES times. Returns its wait status; -1: errno says why it cannot be started. */
enum { TRIAL_TRIES = 3 };
int trial_run(const TrialRunner *runner, uint32_t trial, uint32_t until, const char *claim);

#endif
