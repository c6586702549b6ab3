/* Steps of a training that is thrown away. */
#include "runtime/train/trial_steps.h"
#include "ir/base/memory.h"
#include "runtime/train/trainer.h"

#include <stdlib.h>

typedef struct {
    Trainer trainer;
    TrialVisit *visit;
    void *context;
    double loss_sum;
    int64_t rows; /* of the batches since the last step */
    bool ended;
} Trial;

static bool after_batch(void *context, int64_t batch, double loss) {
    Trial *trial = context;
    Trainer *trainer = &trial->trainer;
    int64_t rows = cut_batch_rows(&trainer->runners.cut, batch);
    trial->loss_sum += loss * (double)rows;
    trial->rows += rows;
    trainer->info.step++;
    RunClock clock = trainer_clock(trainer, batch);
    if (!clock.update) return true;
    loss = trial->loss_sum / (double)trial->rows;
    trial->loss_sum = 0;
    trial->rows = 0;
    trial->ended = !trial->visit(trial->context, &clock, loss);
    return !trial->ended;
}

static void run_epochs(Trial *trial) {
    Trainer *trainer = &trial->trainer;
    while (!trial->ended && trainer->info.epoch < trainer->options->epochs) {
        trainer_order(trainer);
        trainer_loop(trainer, 0, trainer->runners.batches, after_batch, trial);
        trainer->info.epoch++;
    }
}

bool trial_steps(const TrainOptions *options, TrialVisit *visit, void *context, Diagnostics *diag) {
    Trial trial = {
        .trainer = {.options = options, .diag = diag}, .visit = visit, .context = context};
    bool opened = trainer_open_steps(&trial.trainer) && trainer_restart(&trial.trainer);
    if (opened) run_epochs(&trial);
    trainer_close(&trial.trainer);
    return opened;
}
