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
    if (trial->ended) return false;
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

bool trial_steps(const TrainOptions *options, TrialVisit *visit, void *context, Diagnostics *diag) {
    Trial trial = {
        .trainer = {.options = options, .diag = diag}, .visit = visit, .context = context};
    Trainer *trainer = &trial.trainer;
    bool good = trainer_open_steps(trainer) && trainer_restart(trainer);
    for (; good && !trial.ended && trainer->info.epoch < options->epochs; trainer->info.epoch++) {
        trainer_order(trainer);
        trainer_loop(trainer, 0, trainer->runners.batches, after_batch, &trial);
        good = !runners_failed(&trainer->runners);
    }
    trainer_close(trainer);
    return good;
}
