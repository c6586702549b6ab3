/* Opens and closes a trainer, sets it to the beginning or to a checkpoint, and runs its batches. */
#include "runtime/train/trainer.h"
#include "ir/base/integers.h"
#include "ir/ops/random.h"
#include "ir/base/memory.h"
#include "runtime/program/states.h"
#include "runtime/train/noise.h"
#include "runtime/train/spread.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* -- position -- */

void trainer_order(Trainer *trainer) {
    int64_t count = trainer->runners.cut.rows, batch = trainer->runners.cut.batch;
    if (trainer->options->given_rows) { /* rows of the batch that is given */
        for (int64_t i = 0; i < count; i++) trainer->order[i] = (int32_t)(i % batch);
        return;
    }
    const int32_t *rows = dataset_split(trainer->options->dataset, SPLIT_TRAIN);
    if (!trainer->options->shuffle) {
        memcpy(trainer->order, rows, (size_t)count * sizeof *rows);
        return;
    }
    random_permutation(trainer->options->seed, STREAM_SHUFFLE, (uint32_t)trainer->info.epoch,
                       (uint32_t)count, trainer->order);
    for (int64_t i = 0; i < count; i++) trainer->order[i] = rows[trainer->order[i]];
}

int64_t trainer_step(const Trainer *trainer) {
    return (int64_t)(trainer->info.step - trainer->info.epoch * (uint64_t)trainer->runners.batches);
}

RunTimes trainer_times(const Trainer *trainer) {
    int64_t batches = trainer->runners.batches,
            accumulate = trainer->options->accumulate ? trainer->options->accumulate : 1;
    int64_t steps = divide_up(batches, accumulate), epoch = (int64_t)trainer->info.epoch;
    RunTimes times = {.start = {.epoch = (int32_t)epoch,
                                .step = (int32_t)(epoch * steps),
                                .steps = (int32_t)(steps * trainer->options->epochs),
                                .draw = (int32_t)(epoch * batches)},
                      .cut = trainer->runners.cut,
                      .accumulate = accumulate};
    run_clock_seed(&times.start, trainer->options->seed);
    return times;
}

/* -- batches -- */

RunClock trainer_clock(const Trainer *trainer, int64_t batch) {
    RunTimes times = trainer_times(trainer);
    return run_clock(&times, min_i64((batch + 1) * times.cut.replicas, cut_shares(&times.cut)) - 1);
}

float trainer_loss(const Trainer *trainer, int64_t share, const void *outputs) {
    return run_scalar(outputs, trainer->loss[cut_share_size(&trainer->runners.cut, share)]);
}

typedef struct {
    const Trainer *trainer;
    TrainerVisit *visit;
    void *context;
    double loss_sum; /* of the shares of the present batch, times their rows */
    bool ended;      /* by the visitor */
} TrainedBatches;

static bool after_share(void *context, int64_t number, const void *outputs) {
    TrainedBatches *batches = context;
    const Cut *cut = &batches->trainer->runners.cut;
    Share share = cut_share(cut, number);
    double loss = (double)trainer_loss(batches->trainer, number, outputs);
    batches->loss_sum += loss * (double)share.rows;
    if (!share.ends) return true;
    loss = batches->loss_sum / (double)cut_batch_rows(cut, share.batch);
    batches->loss_sum = 0;
    batches->ended |= !batches->visit(batches->context, share.batch, loss);
    return !batches->ended;
}

bool trainer_loop(const Trainer *trainer, int64_t batch, int64_t end, TrainerVisit *visit,
                  void *context) {
    if (trainer->spread) return spread_loop(trainer->spread, batch, end, visit, context);
    TrainedBatches batches = {.trainer = trainer, .visit = visit, .context = context};
    RunTimes times = trainer_times(trainer);
    int64_t first = batch * times.cut.replicas,
            stop = min_i64(end * times.cut.replicas, cut_shares(&times.cut));
    runners_loop(&trainer->runners, trainer->order, first, stop, &times, after_share, &batches);
    return !batches.ended && !runners_failed(&trainer->runners);
}

/* -- restarting from a checkpoint -- */

static bool refuse(const Trainer *trainer, const char *what, const char *help) {
    diag_error(trainer->diag, STATUS_FILE, (Span){0}, "cannot resume from '%s': %s", trainer->saved,
               what);
    diag_help(trainer->diag, "%s", help);
    return false;
}

/* Refuses a checkpoint of an earlier numerics version if the training would differ: with
 * accumulated gradients, or with columns standardized in f32. */
static bool check_numerics(const Trainer *trainer) {
    uint32_t fitted;
    dataset_fitted(trainer->options->dataset, &fitted);
    if (trainer->info.numerics == NUMERICS_VERSION ||
        (trainer->options->accumulate <= 1 && !fitted))
        return true;
    if (fitted)
        return refuse(
            trainer,
            "it was written by an older mlc, which standardized and imputed columns in f32",
            "'mlc train FILE.mdl --weights RUN' begins a new run with its weights");
    return refuse(
        trainer,
        "it was written by an older mlc, which adds the gradients of several batches in another order",
        "'mlc train FILE.mdl --weights RUN' begins a new run with its weights");
}

static bool warn_of_numerics(const Trainer *trainer) {
    if (trainer->info.numerics != NUMERICS_VERSION && !trainer->begun)
        diag_warning(
            trainer->diag, (Span){0},
            "'%s' was written by an older mlc, which adds sums in another order (numerics version %llu, here %d): the training continues, but its bits differ from those of the older mlc",
            trainer->saved, (unsigned long long)trainer->info.numerics, NUMERICS_VERSION);
    return true;
}

static bool load_saved(Trainer *trainer) {
    const TrainOptions *options = trainer->options;
    CheckpointInfo *info = &trainer->info;
    char model_hash[sizeof info->model_hash];
    strcpy(model_hash, info->model_hash);
    if (!checkpoint_info(trainer->saved, info, trainer->diag)) return false;
    if (strcmp(info->model_hash, model_hash))
        return refuse(trainer, "the model has changed since it was written",
                      "only train.epochs may be changed");
    if (!check_numerics(trainer)) return false;
    if (!checkpoint_load(trainer->saved, options->states, false, info, trainer->diag)) return false;
    if (strcmp(info->data_digest, dataset_digest(options->dataset)))
        return refuse(trainer, "the data have changed since it was written",
                      "resume with the data it was trained on");
    if (states_nonfinite(options->states))
        return refuse(trainer, "its weights are not finite",
                      "train again, or resume from an earlier checkpoint");
    uint64_t steps = (uint64_t)trainer->runners.batches, begin = info->epoch * steps;
    info->epochs = options->epochs;
    if (info->epoch > options->epochs)
        return refuse(trainer, "it has been trained for more epochs than train.epochs",
                      "--set train.epochs can only raise the number of epochs");
    if (info->seed == options->seed && info->step >= begin && info->step - begin < steps &&
        (info->step > begin || info->loss_sum == 0))
        return warn_of_numerics(trainer);
    return refuse(trainer, "its seed, epoch or step do not fit the model",
                  "only train.epochs may be changed, to a larger number");
}

bool trainer_restart(Trainer *trainer) {
    const TrainOptions *options = trainer->options;
    trainer->info = (CheckpointInfo){
        .seed = options->seed, .epochs = options->epochs, .best = NAN, .gained = NAN};
    snprintf(trainer->info.model_hash, sizeof trainer->info.model_hash, "%s",
             options->model_hash ? options->model_hash : "");
    if (!trainer->saved && (!options->initialized || trainer->begun))
        states_initialize(options->states, options->seed);
    if (trainer->saved && !load_saved(trainer)) return false;
    if (trainer->spread) spread_restart(trainer->spread);
    return true;
}

/* -- open and close -- */

/* A StopRule needs held-out rows. */
static bool check_stop(const Trainer *trainer) {
    if (!trainer->options->stop.patience || trainer->valid.runners.cut.rows ||
        trainer->test.runners.cut.rows)
        return true;
    diag_error(trainer->diag, STATUS_MODEL, (Span){0},
               "'stop_when' compares scores of held-out rows, but none are held out");
    diag_help(trainer->diag, "valid = 0.1 in the data block holds out a tenth of them");
    return false;
}

/* The model sees the step's number as an i32. */
static bool check_steps(const Trainer *trainer) {
    uint64_t most = INT32_MAX / (uint64_t)trainer->runners.batches;
    if (trainer->options->epochs <= most) return true;
    diag_error(trainer->diag, STATUS_MODEL, (Span){0}, "%u epochs of %lld steps are too many",
               trainer->options->epochs, (long long)trainer->runners.batches);
    diag_help(trainer->diag, "at most %llu epochs are possible", (unsigned long long)most);
    return false;
}

bool trainer_open_steps(Trainer *trainer) {
    const TrainOptions *o = trainer->options;
    bool opened = o->given_rows ? runners_open_unbound(&trainer->runners, &o->train, o->given_rows,
                                                       o->states, o->threads, trainer->diag)
                                : runners_open(&trainer->runners, &o->train, o->dataset,
                                               SPLIT_TRAIN, o->states, o->threads, trainer->diag);
    if (!opened || !check_steps(trainer)) return false;
    trainer->order = memory_array((size_t)trainer->runners.cut.rows, sizeof *trainer->order,
                                  "the order of the rows");
    if (o->resume) trainer->saved = memory_copy_string(o->resume, "a path");
    for (ShareSize size = 0; size < SHARE_SIZES; size++)
        if (trainer->runners.by_size[size])
            runner_place(trainer->runners.by_size[size], "loss", &trainer->loss[size]);
    if (o->spread.peers) trainer->spread = spread_new(trainer);
    return trainer->spread || !o->spread.peers;
}

bool trainer_open(Trainer *trainer) {
    const TrainOptions *o = trainer->options;
    if (!trainer_open_steps(trainer) ||
        !evaluator_open(&trainer->valid, o->dataset, SPLIT_VALID, &o->valid, o->states, o->threads,
                        &o->metrics, trainer->diag) ||
        !evaluator_open(&trainer->test, o->dataset, SPLIT_TEST, &o->test, o->states, o->threads,
                        &o->metrics, trainer->diag))
        return false;
    evaluator_spread(&trainer->valid, o->spread.peers);
    evaluator_spread(&trainer->test, o->spread.peers);
    return check_stop(trainer);
}

void trainer_close(Trainer *trainer) {
    noise_free(trainer->noise);
    spread_free(trainer->spread);
    runners_close(&trainer->runners);
    evaluator_close(&trainer->valid);
    evaluator_close(&trainer->test);
    free(trainer->order);
    free(trainer->saved);
}
