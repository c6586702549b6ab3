/* The training loop. An epoch is a pure function of the states, the seed and its number, and a step is known by its number:
 * that is all a checkpoint has to hold for training to go on bit for bit, in the middle of an epoch too. */
#include "runtime/trainer.h"
#include "ir/clock.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_SECONDS 0.1 /* between two step events */
#define SAVE_SECONDS 10.0 /* between two checkpoints within an epoch */

static atomic_bool stop_requested; /* set by signal handlers */

void train_request_stop(void) { atomic_store(&stop_requested, true); }

/* -- position -- */

/* The order of the training rows in an epoch. */
void trainer_order(Trainer *trainer) {
    const int32_t *rows = dataset_split(trainer->options->dataset, SPLIT_TRAIN);
    int64_t count = trainer->pair.rows;
    if (!trainer->options->shuffle) {
        memcpy(trainer->order, rows, (size_t)count * sizeof *rows);
        return;
    }
    random_permutation(trainer->options->seed, STREAM_SHUFFLE, (uint32_t)trainer->info.epoch, (uint32_t)count, trainer->order);
    for (int64_t i = 0; i < count; i++) trainer->order[i] = rows[trainer->order[i]];
}

int64_t trainer_step(const Trainer *trainer) {
    return (int64_t)(trainer->info.step - trainer->info.epoch * (uint64_t)trainer->pair.steps);
}

RunTimes trainer_times(const Trainer *trainer) {
    int64_t batches = trainer->pair.steps, accumulate = trainer->options->accumulate ? trainer->options->accumulate : 1;
    int64_t steps = (batches + accumulate - 1) / accumulate, epoch = (int64_t)trainer->info.epoch;
    RunTimes times = {.start = {.epoch = (int32_t)epoch,
                                .step = (int32_t)(epoch * steps),
                                .steps = (int32_t)(steps * trainer->options->epochs),
                                .draw = (int32_t)(epoch * batches)},
                      .batches = batches,
                      .accumulate = accumulate};
    run_clock_seed(&times.start, trainer->options->seed);
    return times;
}

/* -- one stretch of steps -- */

float trainer_loss(const Trainer *trainer, int64_t step, const void *outputs) {
    bool last = pair_runner(&trainer->pair, step) == trainer->pair.last;
    return run_scalar(outputs, trainer->loss[last]);
}

/* On thread 0 after each step. */
static bool after_step(void *context, int64_t step, const void *outputs) {
    Trainer *trainer = context;
    const TrainEvents *events = trainer->events;
    double loss = (double)trainer_loss(trainer, step, outputs), time = seconds_now();
    trainer->info.loss_sum += loss * (double)pair_step_rows(&trainer->pair, step);
    trainer->info.step++;
    if (!isfinite(loss) && !trainer->nonfinite) trainer->nonfinite = trainer->info.step;
    if (events->step && time - trainer->event_time >= EVENT_SECONDS) {
        trainer->event_time = time;
        events->step(events->context, (uint32_t)trainer->info.epoch + 1, (uint64_t)step + 1, (uint64_t)trainer->pair.steps,
                     loss);
    }
    bool save = trainer->options->folder && time - trainer->save_time >= SAVE_SECONDS;
    return !trainer->nonfinite && !save && !atomic_load_explicit(&stop_requested, memory_order_relaxed);
}

static void run_steps(Trainer *trainer) {
    double start = seconds_now();
    RunTimes times = trainer_times(trainer);
    pair_loop(&trainer->pair, trainer->order, trainer_step(trainer), trainer->pair.steps, &times, after_step, trainer);
    trainer->seconds += seconds_now() - start;
}

/* -- checkpoints -- */

/* Returns the path; NULL after reporting an error. */
static char *save_as(Trainer *trainer, const char *name) {
    const char *folder = trainer->options->folder;
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = malloc(size);
    if (!path) abort();
    snprintf(path, size, "%s/%s", folder, name);
    if (!*trainer->info.data_digest) strcpy(trainer->info.data_digest, dataset_digest(trainer->options->dataset));
    trainer->info.schema = dataset_schema_text(trainer->options->dataset);
    if (checkpoint_save(path, trainer->options->states, &trainer->info, trainer->diag)) return path;
    free(path);
    return NULL;
}

static bool save_last(Trainer *trainer) {
    if (!trainer->options->folder) return true;
    char *path = save_as(trainer, "last.safetensors");
    if (!path) return false;
    free(trainer->saved);
    trainer->saved = path;
    trainer->save_time = seconds_now();
    return true;
}

/* What epochs are compared by: more is better. */
static double merit(const Metrics *metrics, const Judge *judge, const Evaluation *evaluation) {
    double value = evaluation->loss;
    for (uint32_t i = 0; i < metrics->count && judge->metric; i++)
        if (!strcmp(metrics->names[i], judge->metric)) value = evaluation->metrics[i];
    return judge->more ? value : -value;
}

/* No value yet is NaN. */
static bool is_better(double value, double best, double gain) { return !isnan(value) && (isnan(best) || value > best + gain); }

static bool save_best(Trainer *trainer, const Evaluation *evaluation) {
    const TrainOptions *options = trainer->options;
    double value = merit(&options->metrics, &options->keep_best, evaluation);
    if (!is_better(value, trainer->info.best, 0)) return true;
    trainer->info.best = value;
    trainer->info.best_epoch = trainer->info.epoch;
    if (!options->folder) return true;
    char *path = save_as(trainer, "best.safetensors");
    free(path);
    return path != NULL;
}

/* -- stopping early -- */

static void count_patience(Trainer *trainer, const Evaluation *evaluation) {
    const StopRule *stop = &trainer->options->stop;
    double value = merit(&trainer->options->metrics, &stop->judge, evaluation);
    trainer->info.waited++;
    if (!is_better(value, trainer->info.gained, stop->gain)) return;
    trainer->info.gained = value;
    trainer->info.waited = 0;
}

static bool stops_early(const Trainer *trainer) {
    const StopRule *stop = &trainer->options->stop;
    return stop->patience && trainer->info.waited >= stop->patience;
}

/* A rule needs rows that it can look at. */
static bool check_stop(const Trainer *trainer) {
    if (!trainer->options->stop.patience || trainer->valid.pair.rows || trainer->test.pair.rows) return true;
    diag_error(trainer->diag, STATUS_MODEL, (Span){0}, "'stop_when' has nothing to look at: no rows are held out");
    diag_help(trainer->diag, "valid = 0.1 in the data block holds out a tenth of them");
    return false;
}

/* -- epochs -- */

/* Evaluates and tells; NULL where a split has no rows. */
static const Evaluation *evaluate_split(const Trainer *trainer, Evaluator *evaluator, Evaluation *result) {
    if (!evaluator->pair.rows) return NULL;
    evaluator_run(evaluator, trainer_times(trainer).start, result);
    return result;
}

/* `rows`, `seconds`: what was trained in this process, for the throughput. */
static const Evaluation *tell_epoch(Trainer *trainer, double train_loss, int64_t rows, Evaluation results[2]) {
    const Evaluation *valid = evaluate_split(trainer, &trainer->valid, &results[0]);
    const Evaluation *test = evaluate_split(trainer, &trainer->test, &results[1]);
    const TrainEvents *events = trainer->events;
    if (events->epoch)
        events->epoch(events->context, (uint32_t)trainer->info.epoch, train_loss, trainer->seconds, rows, valid, test);
    return valid ? valid : test;
}

static bool finish_epoch(Trainer *trainer, int64_t rows) {
    double train_loss = trainer->info.loss_sum / (double)trainer->pair.rows;
    Evaluation results[2];
    trainer->info.epoch++;
    trainer->info.loss_sum = 0;
    const Evaluation *judged = tell_epoch(trainer, train_loss, rows, results);
    if (judged) count_patience(trainer, judged);
    return (!judged || save_best(trainer, judged)) && save_last(trainer);
}

/* From where the training stands to the end of the epoch; TRAIN_DONE: it was reached. */
static TrainResult run_epoch(Trainer *trainer) {
    int64_t begin = trainer_step(trainer), steps = trainer->pair.steps;
    trainer_order(trainer);
    trainer->seconds = 0;
    while (trainer_step(trainer) < steps) {
        if (atomic_load(&stop_requested)) return save_last(trainer) ? TRAIN_STOPPED : TRAIN_FAILED;
        run_steps(trainer);
        if (trainer->nonfinite) {
            trainer_blame(trainer);
            return TRAIN_NONFINITE;
        }
        if (trainer_step(trainer) < steps && !atomic_load(&stop_requested) && !save_last(trainer)) return TRAIN_FAILED;
    }
    int64_t rows = trainer->pair.rows - begin * trainer->pair.batch;
    return finish_epoch(trainer, rows) ? TRAIN_DONE : TRAIN_FAILED;
}

static TrainResult run_epochs(Trainer *trainer) {
    TrainResult result = TRAIN_DONE;
    Evaluation results[2];
    if (!trainer->options->resume) tell_epoch(trainer, NAN, 0, results);
    while (result == TRAIN_DONE && trainer->info.epoch < trainer->options->epochs && !stops_early(trainer))
        result = run_epoch(trainer);
    const TrainEvents *events = trainer->events;
    if (events->end && result != TRAIN_FAILED)
        events->end(events->context, &trainer->info, result == TRAIN_DONE && trainer->info.epoch < trainer->options->epochs);
    atomic_store(&stop_requested, false);
    return result;
}

/* -- start and end -- */

static bool refuse(const Trainer *trainer, const char *what, const char *help) {
    diag_error(trainer->diag, STATUS_FILE, (Span){0}, "cannot resume from '%s': %s", trainer->saved, what);
    diag_help(trainer->diag, "%s", help);
    return false;
}

static bool load_saved(Trainer *trainer) {
    const TrainOptions *options = trainer->options;
    CheckpointInfo *info = &trainer->info;
    char model_hash[sizeof info->model_hash];
    strcpy(model_hash, info->model_hash);
    if (!checkpoint_info(trainer->saved, info, trainer->diag)) return false;
    if (strcmp(info->model_hash, model_hash))
        return refuse(trainer, "the model has changed since it was written", "only train.epochs may be changed");
    if (!checkpoint_load(trainer->saved, options->states, false, info, trainer->diag)) return false;
    if (strcmp(info->data_digest, dataset_digest(options->dataset)))
        return refuse(trainer, "the data have changed since it was written", "resume with the data it was trained on");
    uint64_t steps = (uint64_t)trainer->pair.steps, begin = info->epoch * steps;
    if (info->seed == options->seed && info->epoch <= options->epochs && info->step >= begin && info->step - begin < steps)
        return true;
    return refuse(trainer, "its seed, epoch or step do not fit the model", "only train.epochs may be changed, to more");
}

bool trainer_restart(Trainer *trainer) {
    const TrainOptions *options = trainer->options;
    trainer->info = (CheckpointInfo){.seed = options->seed, .best = NAN, .gained = NAN};
    snprintf(trainer->info.model_hash, sizeof trainer->info.model_hash, "%s", options->model_hash ? options->model_hash : "");
    if (trainer->saved) return load_saved(trainer);
    states_initialize(options->states, options->seed);
    return true;
}

/* Steps are counted in i32, as the model sees them. */
static bool check_steps(const Trainer *trainer) {
    uint64_t most = INT32_MAX / (uint64_t)trainer->pair.steps;
    if (trainer->options->epochs <= most) return true;
    diag_error(trainer->diag, STATUS_MODEL, (Span){0}, "%u epochs of %lld steps are too many", trainer->options->epochs,
               (long long)trainer->pair.steps);
    diag_help(trainer->diag, "at most %llu epochs are possible", (unsigned long long)most);
    return false;
}

static bool trainer_open(Trainer *trainer) {
    const TrainOptions *o = trainer->options;
    if (!pair_open(&trainer->pair, &o->train, o->dataset, SPLIT_TRAIN, o->states, o->threads, trainer->diag)) return false;
    if (!check_steps(trainer)) return false;
    trainer->order = malloc((size_t)trainer->pair.rows * sizeof *trainer->order);
    if (!trainer->order) abort();
    if (o->resume && !(trainer->saved = strdup(o->resume))) abort();
    int64_t one;
    if (trainer->pair.full) trainer->loss[0] = runner_place(trainer->pair.full, "loss", &one);
    if (trainer->pair.last) trainer->loss[1] = runner_place(trainer->pair.last, "loss", &one);
    return evaluator_open(&trainer->valid, o->dataset, SPLIT_VALID, &o->valid, o->states, o->threads, &o->metrics,
                          trainer->diag) &&
           evaluator_open(&trainer->test, o->dataset, SPLIT_TEST, &o->test, o->states, o->threads, &o->metrics,
                          trainer->diag) &&
           check_stop(trainer);
}

static void trainer_close(Trainer *trainer) {
    pair_close(&trainer->pair);
    evaluator_close(&trainer->valid);
    evaluator_close(&trainer->test);
    free(trainer->order);
    free(trainer->saved);
}

TrainResult train(const TrainOptions *options, const TrainEvents *events, Diagnostics *diag) {
    Trainer trainer = {.options = options, .events = events, .diag = diag};
    TrainResult result = TRAIN_FAILED;
    if (trainer_open(&trainer) && trainer_restart(&trainer)) result = run_epochs(&trainer);
    trainer_close(&trainer);
    return result;
}
