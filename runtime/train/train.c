/* The training loop.
 *
 *     evaluate the untrained network
 *     for each epoch: for each step: batch, gradients, update; now and then a checkpoint
 *         evaluate the held-out rows; best checkpoint; stop early?; last checkpoint
 *
 * An epoch is a pure function of the states, the seed and its number. So a checkpoint needs only
 * the states and the numbers of epoch and step, and resuming gives the same bits, in the middle of
 * an epoch too. */
#include "runtime/train/trainer.h"
#include "ir/base/clock.h"
#include "ir/base/memory.h"
#include "runtime/program/states.h"
#include "runtime/train/noise.h"
#include "runtime/train/spread.h"
#include "runtime/formats/hash.h"
#include "runtime/train/train.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define EVENT_SECONDS 0.1 /* between two step events */
#define SAVE_SECONDS 10.0 /* between two checkpoints within an epoch */

static atomic_bool stop_requested; /* set by signal handlers */

void train_request_stop(void) { atomic_store(&stop_requested, true); }

static bool is_lost(const Trainer *trainer) {
    const Peers *peers = trainer->options->spread.peers;
    return peers && peers_lost(peers);
}

/* Nothing runs any more on a device that has failed, and no state may be saved. */
static TrainResult report_device(const Trainer *trainer) {
    const char *folder = trainer->options->folder;
    if (folder && trainer->saved)
        diag_help(trainer->diag,
                  "'%s' is whole: 'mlc train --resume %s' goes on from it, on any device",
                  trainer->saved, folder);
    return TRAIN_FAILED;
}

/* Whether to stop before the next batch. Several processes agree on that in their exchanges. */
static bool stops_now(const Trainer *trainer) {
    bool requested = atomic_load_explicit(&stop_requested, memory_order_relaxed);
    if (!trainer->spread) return requested;
    if (requested) peers_ask_stop(trainer->options->spread.peers);
    return spread_stops(trainer->spread);
}

/* Whether to save after the last batch. Several processes agree on that, too: rank 0 asks for it
 * when it is due, and the others learn it in the exchange of the next batch. */
static bool saves_now(const Trainer *trainer, double time) {
    double every = trainer->options->save_every > 0 ? trainer->options->save_every : SAVE_SECONDS;
    bool due = trainer->options->folder && time - trainer->save_time >= every;
    if (!trainer->spread) return due;
    if (spread_saves(trainer->spread)) return true;
    if (due) peers_ask_save(trainer->options->spread.peers);
    return false;
}

/* -- steps up to the next checkpoint, the end of the epoch, or a stop -- */

/* After each batch: a log event if it ends a step whose number is a multiple of log_every. */
static void log_step(Trainer *trainer, int64_t batch, double loss, double time) {
    const TrainEvents *events = trainer->events;
    uint32_t every = trainer->options->log_every;
    if (!every || !events->log) return;
    int64_t rows = cut_batch_rows(&trainer->runners.cut, batch);
    trainer->info.log_sum += loss * (double)rows;
    trainer->info.log_rows += (uint64_t)rows;
    RunClock clock = trainer_clock(trainer, batch);
    if (!clock.update || ((uint32_t)clock.step + 1) % every) return;
    StepLog log = {.epoch = (uint32_t)clock.epoch + 1,
                   .step = (uint64_t)clock.step + 1,
                   .loss = trainer->info.log_sum / (double)trainer->info.log_rows,
                   .seconds = trainer->seconds + time - trainer->run_time,
                   .clock = clock};
    trainer->info.log_sum = 0;
    trainer->info.log_rows = 0;
    events->log(events->context, &log);
}

static bool after_batch(void *context, int64_t batch, double loss) {
    Trainer *trainer = context;
    const TrainEvents *events = trainer->events;
    double time = seconds_now();
    trainer->info.loss_sum += loss * (double)cut_batch_rows(&trainer->runners.cut, batch);
    trainer->info.step++;
    if (!isfinite(loss) && !trainer->nonfinite) trainer->nonfinite = trainer->info.step;
    if (events->step && time - trainer->event_time >= EVENT_SECONDS) {
        trainer->event_time = time;
        events->step(events->context, (uint32_t)trainer->info.epoch + 1, (uint64_t)batch + 1,
                     (uint64_t)trainer->runners.batches, loss);
    }
    if (!trainer->nonfinite) log_step(trainer, batch, loss, time);
    bool save = saves_now(trainer, time);
    return !trainer->nonfinite && !save && !stops_now(trainer);
}

static void begin(Trainer *trainer) {
    const TrainEvents *events = trainer->events;
    if (events->begin && !trainer->begun) events->begin(events->context);
    trainer->begun = true;
}

/* Runs the steps that are left in the epoch, until after_batch ends the loop. Measures the gradient
 * noise before some batches. */
static void run_steps(Trainer *trainer) {
    begin(trainer);
    trainer->run_time = seconds_now();
    saves_now(trainer, trainer->run_time);
    bool more = true;
    for (int64_t batch; more && (batch = trainer_step(trainer)) < trainer->runners.batches;) {
        more = (noise_next(trainer, batch) != batch || noise_measure(trainer, batch)) &&
               trainer_loop(trainer, batch, noise_next(trainer, batch + 1), after_batch, trainer);
    }
    trainer->seconds += seconds_now() - trainer->run_time;
}

/* -- checkpoints -- */

/* Writes a checkpoint into the run folder. Returns its path; NULL after reporting an error. */
static char *save_as(Trainer *trainer, const char *name) {
    const char *folder = trainer->options->folder;
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = memory_array(size, 1, "a path");
    snprintf(path, size, "%s/%s", folder, name);
    if (!*trainer->info.data_digest)
        strcpy(trainer->info.data_digest, dataset_digest(trainer->options->dataset));
    trainer->info.schema = dataset_schema_text(trainer->options->dataset);
    trainer->info.fitted = dataset_fitted(trainer->options->dataset, &trainer->info.fitted_count);
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

/* A loss can be finite although the step made a weight, a moment or a running statistic non-finite.
 * No checkpoint may hold such a state. */
static bool check_states(Trainer *trainer) {
    const Symbol *state = states_nonfinite(trainer->options->states);
    if (!state && (!trainer->spread || spread_is_finite(trainer->spread))) return true;
    trainer->nonfinite = trainer->info.step;
    trainer_report_nonfinite(trainer, state);
    return false;
}

static TrainResult save_between_steps(Trainer *trainer) {
    if (!check_states(trainer)) return TRAIN_NONFINITE;
    return save_last(trainer) ? TRAIN_DONE : TRAIN_FAILED;
}

/* Runs `save`, which writes checkpoints, while the states of rank 0 have the moments of all
 * processes. They stay there if the training ends. */
static TrainResult with_moments(Trainer *trainer, TrainResult (*save)(Trainer *trainer)) {
    if (!trainer->spread) return save(trainer);
    if (!spread_collect(trainer->spread)) return TRAIN_LOST;
    TrainResult result = save(trainer);
    if (result == TRAIN_DONE) spread_drop(trainer->spread);
    return result;
}

/* After a process was lost: the states are those after the last batch. Its moments were lost with
 * the process, and in the middle of a step its partial sums: then the checkpoint before has to
 * do. */
static void save_lost(Trainer *trainer) {
    int64_t step = trainer_step(trainer);
    bool begins = step == 0 || trainer_clock(trainer, step - 1).update;
    if (begins && !spread_has_moments(trainer->spread) && trainer->info.step &&
        !states_nonfinite(trainer->options->states))
        save_last(trainer);
}

/* The score of an epoch; a higher score is better. */
static double score_of(const Metrics *metrics, const Score *score, const Evaluation *evaluation) {
    double value = evaluation->loss;
    for (uint32_t i = 0; i < metrics->count && score->metric; i++)
        if (!strcmp(metrics->names[i], score->metric)) value = evaluation->metrics[i];
    return score->higher_is_better ? value : -value;
}

/* Whether a score exceeds the best one so far by more than `gain`. best NaN: there is no score
 * yet. */
static bool score_improves(double value, double best, double gain) {
    return !isnan(value) && (isnan(best) || value > best + gain);
}

static bool save_best(Trainer *trainer, const Evaluation *evaluation) {
    const TrainOptions *options = trainer->options;
    double value = score_of(&options->metrics, &options->keep_best, evaluation);
    if (!score_improves(value, trainer->info.best, 0)) return true;
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
    double value = score_of(&trainer->options->metrics, &stop->score, evaluation);
    trainer->info.waited++;
    if (!score_improves(value, trainer->info.gained, stop->gain)) return;
    trainer->info.gained = value;
    trainer->info.waited = 0;
}

static bool stops_early(const Trainer *trainer) {
    const StopRule *stop = &trainer->options->stop;
    return stop->patience && trainer->info.waited >= stop->patience;
}

/* -- epochs -- */

/* NULL: the split has no rows. */
static const Evaluation *evaluate_split(const Trainer *trainer, SplitEvaluator *evaluator,
                                        Evaluation *result) {
    if (!evaluator->runners.cut.rows) return NULL;
    evaluator_run(evaluator, trainer_times(trainer).start, result);
    return result;
}

/* False if a process is lost, or after reporting why the loss on held-out rows is not finite. */
static bool check_split(const Trainer *trainer, const SplitEvaluator *evaluator,
                        const char *split) {
    char finding[80];
    const TrainOptions *options = trainer->options;
    if (!evaluator->runners.cut.rows) return true;
    if (is_lost(trainer)) return false;
    snprintf(finding, sizeof finding, "the %s loss is not finite %s epoch %llu", split,
             trainer->info.epoch ? "after" : "before",
             (unsigned long long)(trainer->info.epoch ? trainer->info.epoch : 1));
    return evaluator_check(evaluator, options->dataset, options->states,
                           trainer_times(trainer).start, finding, trainer->diag);
}

/* Evaluates the held-out rows and calls the epoch event. rows: rows trained in this process, for
 * the throughput. *compared: the evaluation that compares epochs, or NULL. False after reporting a
 * loss that is not finite. */
static bool report_epoch(Trainer *trainer, double train_loss, int64_t rows, Evaluation results[2],
                         const Evaluation **compared) {
    const Evaluation *valid = evaluate_split(trainer, &trainer->valid, &results[0]);
    const Evaluation *test = evaluate_split(trainer, &trainer->test, &results[1]);
    const TrainEvents *events = trainer->events;
    if (runners_failed(&trainer->runners)) return false;
    if (events->epoch && !is_lost(trainer))
        events->epoch(events->context, (uint32_t)trainer->info.epoch, train_loss, trainer->seconds,
                      rows, valid, test);
    *compared = valid ? valid : test;
    return check_split(trainer, &trainer->valid, "valid") &&
           check_split(trainer, &trainer->test, "test");
}

static TrainResult finish_epoch(Trainer *trainer) {
    double train_loss = trainer->info.loss_sum / (double)trainer->runners.cut.rows;
    int64_t rows = trainer->runners.cut.rows - trainer->first * trainer->runners.cut.batch;
    Evaluation results[2];
    const Evaluation *compared;
    if (!check_states(trainer)) return TRAIN_NONFINITE;
    trainer->info.epoch++;
    trainer->info.loss_sum = 0;
    if (!report_epoch(trainer, train_loss, rows, results, &compared))
        return runners_failed(&trainer->runners) ? report_device(trainer) : TRAIN_NONFINITE;
    if (compared) count_patience(trainer, compared);
    return (!compared || save_best(trainer, compared)) && save_last(trainer) ? TRAIN_DONE
                                                                             : TRAIN_FAILED;
}

/* Trains from the current step to the end of the epoch. TRAIN_DONE: the end was reached. */
static TrainResult run_epoch(Trainer *trainer) {
    int64_t steps = trainer->runners.batches;
    trainer->first = trainer_step(trainer);
    trainer_order(trainer);
    trainer->seconds = 0;
    while (trainer_step(trainer) < steps) {
        bool stops = stops_now(trainer);
        if (!stops) run_steps(trainer);
        if (is_lost(trainer)) {
            save_lost(trainer);
            return TRAIN_LOST;
        }
        if (runners_failed(&trainer->runners)) return report_device(trainer);
        if (trainer->nonfinite) {
            trainer_report_nonfinite(trainer, NULL);
            return TRAIN_NONFINITE;
        }
        /* saves once after a request to stop: in the next turn, unless the epoch has ended */
        bool between = trainer_step(trainer) < steps && (stops || !stops_now(trainer));
        TrainResult saved = between ? with_moments(trainer, save_between_steps) : TRAIN_DONE;
        if (stops || saved != TRAIN_DONE) return saved == TRAIN_DONE ? TRAIN_STOPPED : saved;
    }
    return with_moments(trainer, finish_epoch);
}

static TrainResult run_epochs(Trainer *trainer) {
    TrainResult result = TRAIN_DONE;
    Evaluation results[2];
    const Evaluation *compared;
    if (!check_states(trainer) ||
        (!trainer->options->resume && !report_epoch(trainer, NAN, 0, results, &compared)))
        result = TRAIN_NONFINITE;
    while (result == TRAIN_DONE && trainer->info.epoch < trainer->options->epochs &&
           !stops_early(trainer))
        result = run_epoch(trainer);
    if (is_lost(trainer)) result = TRAIN_LOST;
    if (runners_failed(&trainer->runners)) result = TRAIN_FAILED;
    const TrainEvents *events = trainer->events;
    if (events->exchanged && trainer->spread) {
        SpreadTraffic sent = spread_sent(trainer->spread);
        events->exchanged(events->context, &sent);
    }
    if (events->end && result != TRAIN_FAILED && result != TRAIN_LOST)
        events->end(events->context, &trainer->info,
                    result == TRAIN_DONE && trainer->info.epoch < trainer->options->epochs);
    atomic_store(&stop_requested, false);
    return result;
}

/* Processes whose weights differ would stay different. */
static bool agree(const Trainer *trainer, bool opened) {
    if (!trainer->options->spread.peers) return opened;
    PeerFacts *facts = MEMORY_NEW(PeerFacts, "a comparison of processes");
    const States *states = trainer->options->states;
    char hash[HASH_HEX], *values = memory_new(states_bytes(states), "the weights");
    states_save(states, values);
    blake3_hex(values, states_bytes(states), hash);
    peers_fact(facts, "the weights at the beginning", hash);
    facts->status = opened ? STATUS_OK : diag_outcome(trainer->diag, false);
    Peers *peers = trainer->options->spread.peers;
    bool good = peers_agree(peers, facts, trainer->diag);
    if (!good && peers_rank(peers) && !peers_lost(peers))
        diag_clear(trainer->diag); /* rank 0 has told it */
    free(values);
    free(facts);
    return good;
}

TrainResult train(const TrainOptions *options, const TrainEvents *events, Diagnostics *diag) {
    Trainer trainer = {.options = options, .events = events, .diag = diag};
    TrainResult result = TRAIN_FAILED;
    if (agree(&trainer, trainer_open(&trainer) && trainer_restart(&trainer))) {
        trainer.noise = noise_new(&trainer);
        if (trainer.spread) spread_drop(trainer.spread);
        result = run_epochs(&trainer);
    } else if (is_lost(&trainer))
        result = TRAIN_LOST;
    trainer_close(&trainer);
    return result;
}
