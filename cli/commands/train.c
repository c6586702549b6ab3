/* mlc train: compiles a model, trains it and writes the run into a folder. */
#include "cli/commands/sweeping.h"
#include "cli/commands/training.h"
#include "cli/results/confusion.h"
#include "cli/results/expect.h"
#include "cli/session/commands.h"
#include "cli/session/stops.h"
#include "cli/show/picture.h"
#include "ir/base/clock.h"
#include "ir/base/display.h"
#include "ir/base/memory.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* -- signals: the first saves and stops; its handler is reset, so that a second one kills -- */

static volatile sig_atomic_t received_signal;

/* Launchers may send a signal to all processes that one of them has got already. So with several
 * processes the second one only counts some time after the first. */
static volatile sig_atomic_t signal_repeats;
static double signal_time;
#define REPEAT_SECONDS 1.0

static void on_signal(int number) {
    double now = seconds_now();
    if (received_signal && signal_repeats) {
        if (now - signal_time < REPEAT_SECONDS) return;
        signal(number, SIG_DFL);
        raise(number);
    }
    signal_time = now;
    received_signal = number;
    train_request_stop();
}

/* Closing a terminal sends SIGHUP twice, from the shell and from the kernel, so its handler is not
 * reset. Under nohup it stays ignored. */
static void catch_signals(bool repeats) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_RESTART},
                     hang_up;
    signal_repeats = repeats;
    if (repeats) action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_flags = SA_RESTART;
    if (sigaction(SIGHUP, NULL, &hang_up) == 0 && hang_up.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
}

/* -- events of the training -- */

static void on_begin(void *context) {
    const Training *training = context;
    if (!training->options->verbose) return;
    fprintf(
        stderr,
        "mlc: the first step begins %.0f ms after the start, %.0f ms after the data were read\n",
        1e3 * (seconds_now() - training->started),
        1e3 * (seconds_now() - training->session.data_time));
}

static void on_step(void *context, uint32_t epoch, uint64_t step, uint64_t steps_per_epoch,
                    double loss) {
    Training *training = context;
    training_begin(training);
    progress_step(&training->progress, epoch, step, steps_per_epoch, loss);
}

static void on_log(void *context, const StepLog *step) {
    Training *training = context;
    training_begin(training);
    double rate = rates_at(&training->rates, step->clock);
    journal_step(&training->journal, step, rate);
    if (!training_events_step(training, step, rate) || !training->journal.file)
        train_request_stop(); /* the same as after the line of an epoch */
}

static Measured measured_from(const ModelInfo *info, const Evaluation *evaluation) {
    Measured measured = {.present = evaluation != NULL};
    if (!evaluation) return measured;
    measured.loss = evaluation->loss;
    memcpy(measured.metrics, evaluation->metrics, sizeof measured.metrics);
    for (uint32_t i = 0; i < info->metric_count; i++)
        if (evaluation->counts[i])
            measured.counts[i] = confusion_counts(evaluation->counts[i], info->counts[i].classes);
    return measured;
}

static bool draw_curves(Training *training) {
    char title[PATH_MAX + 128];
    const ModelInfo *info = training->session.build.info;
    double begin = seconds_now();
    snprintf(title, sizeof title, "%s on %s, %s", info->name, info->source.reader,
             training->folder.path);
    bool drawn = curves_draw(path_join(training->folder.path, RUN_CURVES).path, title,
                             &training->journal, training->diag);
    training->drawn = seconds_now();
    training->drawn_epochs = training->journal.record_count;
    training->drawing = training->drawn - begin;
    return drawn;
}

/* Draws the curves, but spends at most 1/50 of the time on it: short epochs are not slowed down. A
 * trial of a sweep has no picture: drawing may take longer than its training. */
static bool draw_now(Training *training) {
    if (training->order) return true;
    double since = seconds_now() - (training->drawn > 0 ? training->drawn : training->started);
    return since < 2 || since < 50 * training->drawing || draw_curves(training);
}

static void on_epoch(void *context, uint32_t epoch, double train_loss, double seconds, int64_t rows,
                     const Evaluation *valid, const Evaluation *test) {
    Training *training = context;
    const ModelInfo *info = training->session.build.info;
    EpochRecord record = {
        .epoch = epoch,
        .train_loss = train_loss,
        .seconds = seconds,
        .rows_per_second = epoch ? (double)rows / seconds : NAN,
        .valid = measured_from(info, valid),
        .test = measured_from(info, test),
    };
    training_begin(training);
    progress_epoch(&training->progress, &record);
    journal_epoch(&training->journal, &record);
    bool failed =
        !training_events_epoch(training, &record) || !training->journal.file || !draw_now(training);
    /* after a failure, such as a full disk, the error is reported, and train() still tries to
     * save */
    const TrainingOrder *order = training->order;
    if (failed || (order && order->until && epoch >= order->until)) train_request_stop();
}

static void on_end(void *context, const CheckpointInfo *info, bool early) {
    Training *training = context;
    training->best_epoch = (uint32_t)info->best_epoch;
    training->early = early;
    bool known = info->noise_trace > 0 && info->noise_square > 0;
    training->noise_scale = known ? info->noise_trace / info->noise_square : NAN;
}

static void on_exchanged(void *context, const SpreadTraffic *sent) {
    const Training *training = context;
    char messages[NUMBER_TEXT], bytes[NUMBER_TEXT];
    if (training->options->verbose)
        fprintf(stderr,
                "mlc: rank 0 has sent %s messages with %s bytes for %lld batches; its exchanges "
                "have taken %.2f s\n",
                text_count(messages, sent->messages), text_count(bytes, sent->bytes),
                (long long)sent->batches, sent->seconds);
}

static TrainResult run_training(Training *training) {
    Session *session = &training->session;
    const ModelInfo *info = session->build.info;
    Path last = path_join(training->folder.path, RUN_LAST);
    TrainOptions options = {
        .dataset = session->dataset,
        .states = session->states,
        .threads = session->threads,
        .train = training->train,
        .valid = training->valid,
        .test = training->test,
        .spread = training_spread(training),
        .metrics = {info->metrics, info->metric_count, session->finish},
        .epochs = info->epochs,
        .accumulate = info->accumulate,
        .log_every = info->log_every,
        .save_every = (double)training->options->save_every,
        .seed = info->seed,
        .initialized = session->trains_anew,
        .shuffle = info->shuffle,
        .keep_best = info->keep_best,
        .stop = info->stop,
        .folder = training_is_first(training) ? training->folder.path : NULL,
        .model_hash = training->model_hash,
        .resume = training->resumes ? last.path : NULL,
    };
    TrainEvents events = {.context = training,
                          .begin = on_begin,
                          .step = on_step,
                          .log = on_log,
                          .epoch = on_epoch,
                          .exchanged = on_exchanged,
                          .end = on_end};
    if (!training_is_first(training)) events = (TrainEvents){0};
    if (!training->peers) catch_signals(false);
    TrainResult result = train(&options, &events, training->diag);
    if (training_is_first(training)) progress_end(&training->progress);
    return result;
}

/* -- the end -- */

static bool measure_units(Training *training) {
    Session *session = &training->session;
    bool good = true;
    for (Split split = SPLIT_VALID; split < SPLIT_COUNT && good; split++) {
        uint32_t batch = programs_forward_batch(dataset_rows(session->dataset, split),
                                                session->build.info->batch);
        training->errors[split] =
            units_measure(session, split, batch, &training->error_count[split]);
        good = training->errors[split] != NULL;
    }
    return good;
}

static Status stopped_status(const Training *training) {
    return stop_status(training->peers ? peers_signal(training->peers) : received_signal);
}

/* Another process was lost. */
static Status finish_lost(Training *training) {
    if (diag_errors(training->diag) && training_is_first(training))
        diag_help(
            training->diag,
            "'mlc train --resume %s' continues from the last checkpoint, on any number of processes",
            training->folder.path);
    training->speaks = diag_errors(training->diag) > 0;
    return peers_status(training->peers);
}

/* The end of a process that is not the first. All processes know the same about the training, and
 * the first one tells it. */
static Status finish_quietly(Training *training, TrainResult result) {
    training->speaks = result == TRAIN_FAILED && diag_errors(training->diag);
    if (training->speaks) peers_fail(training->peers);
    return training->speaks            ? diag_status(training->diag)
           : result == TRAIN_FAILED    ? peers_status(training->peers)
           : result == TRAIN_NONFINITE ? STATUS_NONFINITE
           : result == TRAIN_STOPPED   ? stopped_status(training)
                                       : STATUS_OK;
}

static Status finish(Training *training, TrainResult result) {
    const char *folder = training->folder.path;
    if (result == TRAIN_LOST) return finish_lost(training);
    if (!training_is_first(training)) return finish_quietly(training, result);
    if (result == TRAIN_FAILED && training->peers) peers_fail(training->peers);
    if (result == TRAIN_FAILED || diag_status(training->diag) == STATUS_FILE ||
        !training_begin(training))
        return diag_outcome(training->diag, false);
    if (result == TRAIN_DONE && !measure_units(training))
        return diag_outcome(training->diag, false);
    training_write_end(training, result);
    if (!training->order && training->drawn_epochs != training->journal.record_count)
        draw_curves(training);
    if (result == TRAIN_NONFINITE) return diag_outcome(training->diag, false);
    if (result == TRAIN_STOPPED) {
        fputs("stopped and saved; to continue: mlc train --resume ", stderr);
        display_text(folder, stderr);
        putc('\n', stderr);
        return stopped_status(training);
    }
    training_print_answer(training);
    expect_check(training->options, training->session.build.info, &training->journal,
                 training->diag);
    return diag_status(training->diag);
}

/* Makes a run, unless the options ask for something else. */
static Status work(Training *training) {
    const TrainingOrder *order = training->order;
    bool opened = training_open_session(training);
    if (training->peers && !training_agree(training, opened)) {
        training->speaks = peers_lost(training->peers) && diag_errors(training->diag);
        return peers_status(training->peers);
    }
    if (!opened) {
        bool lacks = order && order->stock->lacks; /* no error: the sweep starts it once more */
        return lacks ? STATUS_OK : diag_outcome(training->diag, false);
    }
    if (training->options->find_lr) return training_find_lr(training);
    /* The last worker may have saved the trial up to here after this one was started. */
    if (order && order->until && training->before.epoch >= order->until) return STATUS_INTERRUPTED;
    if (training_is_first(training) && !training_open_folder(training)) {
        if (training->peers) peers_fail(training->peers);
        return diag_outcome(training->diag, false);
    }
    return finish(training, run_training(training));
}

Status training_run(const Options *given, const TrainingOrder *order, Diagnostics *diag) {
    Training *training = MEMORY_NEW(Training, "the training");
    training->order = order;
    training->options = given;
    training->diag = diag;
    training->lock = -1;
    training->started = seconds_now();
    Status status = STATUS_OK;
    if (!order && training_wants_peers(given))
        catch_signals(true); /* even a process that waits or compiles takes part in a stop */
    bool here = order || training_open_peers(training, &received_signal, &status);
    if (here) status = training_part(training, work(training));
    if (!here && status == STATUS_OK) status = diag_status(training->diag);
    if (training->options->json) {
        /* A program that reads the events must see the reason of the end without reading stderr. */
        size_t i;
        json_t *line, *errors = journal_diagnostics(training->diag, DIAG_ERROR);
        json_array_foreach(errors, i, line) json_print_line(json_incref(line), stdout);
        json_decref(errors);
    }
    training_close_peers(training, status);
    json_decref(training->warnings);
    journal_free(&training->journal);
    rates_close(&training->rates);
    event_file_close(&training->events);
    session_close(&training->session);
    if (training->lock >= 0) close(training->lock);
    free(training);
    return status;
}

Status command_train(const Options *given, Diagnostics *diag) {
    if (!training_check_spread(given, diag)) return STATUS_USAGE;
    return given->folds > 1 ? train_folds(given, diag) : training_run(given, NULL, diag);
}
