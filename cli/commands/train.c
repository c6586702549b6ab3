/* mlc train: compiles a model, trains it, and keeps the run in a folder. */
#include "cli/session/commands.h"
#include "cli/results/confusion.h"
#include "cli/results/expect.h"
#include "cli/show/picture.h"
#include "cli/show/progress.h"
#include "cli/session/session.h"
#include "cli/text/terminal.h"
#include "cli/session/warm_start.h"
#include "cli/results/units.h"
#include "ir/base/integers.h"
#include "ir/base/clock.h"
#include "ir/base/memory.h"
#include "ir/base/display.h"
#include "runtime/data/class_counts.h"
#include "runtime/train/train.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    Session session;
    const Options *options;
    Diagnostics *diag;
    Path folder;
    int lock; /* of the folder; -1: none yet */
    Journal journal;
    Progress progress;
    ProgramPair train, valid, test;
    char model_hash[65];
    bool resumes;          /* from the checkpoint of the run that --resume names */
    CheckpointInfo before; /* of that run */
    bool begun;            /* resolved.mdl and the start line are written */
    json_t *warnings;      /* told before the journal was there; NULL: written since */
    /* the file that the first weights were taken from; NULL: none */
    const char *weights;
    uint32_t best_epoch; /* that best.safetensors is of; 0: none */
    bool early;          /* stop_when ended the training */
    double started;      /* by seconds_now */
    /* when the curves were drawn last, and how long it took; 0: not yet */
    double drawn, drawing;
    uint32_t drawn_epochs; /* that the curves have, by the journal's records */
    /* of held-out rows after the last epoch, in the units of the data */
    UnitErrors *errors[SPLIT_COUNT];
    uint32_t error_count[SPLIT_COUNT];
} Training;

/* -- signals: the first one saves and stops; the handler is gone then, so that a second one kills
 * -- */

static volatile sig_atomic_t received_signal;

static void on_signal(int number) {
    received_signal = number;
    train_request_stop();
}

/* A terminal that goes away tells so twice, by its shell and by the system: SIGHUP keeps its
 * handler. nohup has it ignored. */
static void catch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_RESTART},
                     hang_up;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    action.sa_flags = SA_RESTART;
    if (sigaction(SIGHUP, NULL, &hang_up) == 0 && hang_up.sa_handler != SIG_IGN)
        sigaction(SIGHUP, &action, NULL);
}

static Status signal_status(void) {
    return received_signal == SIGTERM  ? STATUS_TERMINATED
           : received_signal == SIGHUP ? STATUS_HUNG_UP
                                       : STATUS_INTERRUPTED;
}

/* -- before -- */

static bool check_usage(const Options *options, Diagnostics *diag) {
    if (options->resume && options->out) {
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "--out and --resume exclude each other: a run goes on in its own folder");
        return false;
    }
    if (options->resume && options->weights) {
        diag_error(diag, STATUS_USAGE, (Span){0},
                   "--weights and --resume exclude each other: a run goes on with its own weights");
        return false;
    }
    if (options->resume || options->operand_count) return true;
    diag_error(diag, STATUS_USAGE, (Span){0},
               "'mlc train' needs a model file, or --resume with the folder of a run");
    diag_help(diag, "mlc train models/mnist.mdl");
    return false;
}

static bool has_file(const char *folder, const char *name) {
    return path_exists(path_join(folder, name).path);
}

/* Killed before its first checkpoint, a run begins anew; the folder is locked first, so that nobody
 * else is about to write one. */
static bool open_resumed(Training *training) {
    const char *folder = training->options->resume;
    if (!folder) return true;
    snprintf(training->folder.path, sizeof training->folder.path, "%s", folder);
    if ((training->lock = run_lock(folder, training->diag)) < 0) return false;
    training->resumes = has_file(folder, RUN_LAST) || has_file(folder, RUN_BEST);
    if (training->resumes)
        return checkpoint_info(path_join(folder, RUN_LAST).path, &training->before, training->diag);
    if (has_file(folder, RUN_MODEL)) {
        shown_text(folder, stderr);
        fputs(": no checkpoint yet: the training begins anew\n", stderr);
    }
    return true;
}

static bool open_model(void *context) {
    Training *training = context;
    const Options *options = training->options;
    Build *build = &training->session.build;
    if (!open_resumed(training)) return false;
    training->session.trains_anew = !training->resumes;
    bool opened = options->operand_count
                      ? build_open(build, options->operands[0], options, training->diag)
                      : run_open_model(build, options->resume, NULL, options, training->diag);
    return opened && expect_parse(options, build->info, training->diag);
}

static void want_programs(Training *training, const int64_t rows[SPLIT_COUNT]) {
    Programs *programs = &training->session.programs;
    uint32_t batch = training->session.build.info->batch;
    programs_want(programs, GRAPH_TRAIN, rows[SPLIT_TRAIN], batch);
    for (Split split = SPLIT_VALID; split < SPLIT_COUNT; split++)
        programs_want(programs, GRAPH_EVAL, rows[split],
                      programs_forward_batch(rows[split], batch));
}

static void expect_rows(void *context, const int64_t rows[SPLIT_COUNT]) {
    Training *training = context;
    model_set_training_rows(training->session.build.model, rows[SPLIT_TRAIN]);
    want_programs(training, rows);
}

static bool read_data(void *context) { return session_read_data(&((Training *)context)->session); }

/* Prints the warnings so far, and keeps them for the journal: a training takes long. */
static void publish_warnings(Training *training) {
    if (diag_errors(training->diag)) return; /* they are told together */
    json_t *more = journal_diagnostics(training->diag, DIAG_WARNING);
    if (!training->warnings) training->warnings = json_array();
    json_array_extend(training->warnings, more);
    json_decref(more);
    diag_print_warnings(training->diag, stderr);
}

/* What is known of the rows. */
static void warn_of_rows(const Training *training, const int64_t rows[SPLIT_COUNT]) {
    const Session *session = &training->session;
    const ModelInfo *info = session->build.info;
    model_warn_last_batch(session->build.model, training->diag);
    if (!rows[SPLIT_VALID] && rows[SPLIT_TEST])
        model_warn_choice(session->build.model, training->diag);
    for (uint32_t i = 0; i < info->output_count; i++) {
        const ModelOutput *output = &info->outputs[i];
        if (!output->label || !dataset_all_alike(session->dataset, output->label, SPLIT_TRAIN))
            continue;
        diag_warning(training->diag, output->span,
                     "all training rows have the same '%s': there is nothing to tell apart",
                     output->label);
        diag_help(training->diag,
                  "'mlc data FILE.mdl' shows how many rows of each class every split has");
    }
}

static bool take_rows(void *context) {
    Training *training = context;
    Session *session = &training->session;
    int64_t rows[SPLIT_COUNT];
    for (Split split = SPLIT_TRAIN; split < SPLIT_COUNT; split++)
        rows[split] = dataset_rows(session->dataset, split);
    model_set_training_rows(session->build.model, rows[SPLIT_TRAIN]);
    if (!training->resumes) {
        model_warn(session->build.model, training->diag);
        session_check_digits(session, NULL);
    }
    warn_of_rows(training, rows);
    publish_warnings(training);
    want_programs(training, rows);
    return true;
}

static bool fit_states(void *context) { return session_fit(&((Training *)context)->session); }

static ProgramPair pair_of(const Training *training, GraphKind kind, Split split) {
    const Session *session = &training->session;
    uint32_t batch = session->build.info->batch;
    int64_t rows = dataset_rows(session->dataset, split);
    return programs_pair(&session->programs, kind, rows,
                         kind == GRAPH_TRAIN ? batch : programs_forward_batch(rows, batch));
}

static bool open_session(Training *training) {
    const SessionHooks hooks = {training,  open_model, expect_rows,
                                read_data, take_rows,  fit_states};
    Session *session = &training->session;
    if (!session_open(session, &hooks)) return false;
    publish_warnings(training);
    if (session->trains_anew && !warm_start(session, &training->weights)) return false;
    training->train = pair_of(training, GRAPH_TRAIN, SPLIT_TRAIN);
    training->valid = pair_of(training, GRAPH_EVAL, SPLIT_VALID);
    training->test = pair_of(training, GRAPH_EVAL, SPLIT_TEST);
    return true;
}

/* -- the run folder and its journal -- */

static int64_t count_weights(const Training *training) {
    return graph_state_bytes(training->session.programs.items[0].program->graph, true) / 4;
}

static json_t *start_line(const Training *training) {
    const Session *session = &training->session;
    const ModelInfo *info = session->build.info;
    char time_text[32];
    time_t time_now = time(NULL);
    strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%SZ", gmtime(&time_now));
    json_t *line = json_pack("{s:s, s:s, s:s, s:s}", "event", "start", "mlc", MLC_VERSION, "time",
                             time_text, "model", info->name);
    json_object_set_new(line, "file", json_string(session->build.path.path));
    json_object_set_new(line, "folder",
                        json_string(path_absolute(session->build.folder.path).path));
    json_object_set_new(line, "run", json_string(training->folder.path));
    json_object_set_new(line, "epochs_done", json_integer((json_int_t)training->before.epoch));
    json_object_set_new(line, "epochs", json_integer(info->epochs));
    json_object_set_new(line, "batch", json_integer(info->batch));
    json_object_set_new(line, "seed", json_integer((json_int_t)info->seed));
    for (Split split = SPLIT_TRAIN; split < SPLIT_COUNT; split++) {
        char key[32];
        snprintf(key, sizeof key, "%s_rows", split_name(split));
        json_object_set_new(line, key, json_integer(dataset_rows(session->dataset, split)));
    }
    json_object_set_new(line, "weights", json_integer(count_weights(training)));
    if (training->weights)
        json_object_set_new(line, "weights_from", json_string(training->weights));
    json_object_set_new(line, "threads", json_integer(threads_count(session->threads)));
    json_object_set_new(line, "data", json_string(dataset_digest(session->dataset)));
    return line;
}

static void print_start(const Training *training) {
    char weights[NUMBER_TEXT], rows[NUMBER_TEXT];
    if (training->options->quiet) return;
    fprintf(stderr, "%s: %s weights, %s rows to train on, run folder ",
            training->session.build.info->name, text_count(weights, count_weights(training)),
            text_count(rows, dataset_rows(training->session.dataset, SPLIT_TRAIN)));
    shown_text(training->folder.path, stderr);
    putc('\n', stderr);
}

/* -- a run that goes on for longer than it was to -- */

/* The learning rate of the next step in a run of so many epochs, or of its last one if it is over;
 * NaN: the rate does not depend on the epochs of the run. */
static double rate_in(const Training *training, const Graph *graph, uint64_t epochs) {
    const ModelInfo *info = training->session.build.info;
    const CheckpointInfo *before = &training->before;
    if (!graph_symbol(graph, INPUT_STEPS)) return NAN;
    int64_t rows = dataset_rows(training->session.dataset, SPLIT_TRAIN), batch = info->batch,
            accumulate = info->accumulate;
    int64_t batches = divide_up(rows, batch), steps = divide_up(batches, accumulate);
    int64_t done = (int64_t)before->step - (int64_t)before->epoch * batches;
    bool over = before->epoch >= epochs;
    RunClock clock = {.epoch = (int32_t)before->epoch - over,
                      .step = (int32_t)((int64_t)before->epoch * steps + done / accumulate) - over,
                      .steps = (int32_t)(steps * (int64_t)epochs)};
    Interp *interp = interp_new(graph, INTERP_F64);
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const int32_t *value = run_clock_field(&clock, graph->symbols[i].name);
        if (graph->symbols[i].node && value)
            memcpy(interp_value(interp, graph->symbols[i].node), value, sizeof *value);
    }
    interp_run(interp);
    double rate = *(const double *)interp_value(interp, graph->outputs[0].node);
    interp_free(interp);
    return rate;
}

/* A schedule that looks at the steps of the whole run is another one when there are more of
 * them. */
static void note_schedule(Training *training) {
    const ModelInfo *info = training->session.build.info;
    if (!training->before.epochs || training->before.epochs == info->epochs ||
        training->before.epoch >= info->epochs)
        return;
    Graph *graph =
        model_graph(training->session.build.model, GRAPH_RATE, info->batch, training->diag);
    double planned = graph ? rate_in(training, graph, training->before.epochs) : NAN;
    double rate = graph ? rate_in(training, graph, info->epochs) : NAN;
    graph_free(graph);
    if (isnan(rate)) return;
    json_t *line = json_pack(
        "{s:s, s:I, s:I, s:I}", "event", "schedule", "step", (json_int_t)training->before.step,
        "epochs_before", (json_int_t)training->before.epochs, "epochs", (json_int_t)info->epochs);
    json_object_set_new(line, "rate_before", json_number(planned));
    json_object_set_new(line, "rate", json_number(rate));
    journal_write(&training->journal, line);
    fprintf(
        stderr,
        "mlc: note: the learning rate follows the schedule of %u epochs from here on, no longer that of %llu: it is %.4g "
        "at the next step, and %s %.4g\n",
        info->epochs, (unsigned long long)training->before.epochs, rate,
        training->before.epoch >= training->before.epochs ? "at the last one it was"
                                                          : "would have been",
        planned);
}

/* Of a resumed run nothing may change until train() has found that its checkpoint fits: the first
 * event says so. */
static bool begin_run(Training *training) {
    if (training->begun) return true;
    training->begun = true;
    uint32_t first = training->resumes ? (uint32_t)training->before.epoch + 1 : 0;
    if (!journal_open(&training->journal, first, start_line(training)))
        return false; /* first: it tells the folder of the model */
    size_t i;
    json_t *line;
    json_array_foreach(training->warnings, i, line)
        journal_write(&training->journal, json_incref(line));
    json_decref(training->warnings);
    training->warnings = NULL;
    if (!training->journal.file ||
        !run_write_model(&training->session.build, training->folder.path))
        return false;
    print_start(training);
    if (training->resumes) note_schedule(training);
    return true;
}

static bool open_folder(Training *training) {
    const ModelInfo *info = training->session.build.info;
    const Options *options = training->options;
    if (!options->resume &&
        (!run_create(options->out, &training->folder, training->diag) ||
         (training->lock = run_lock(training->folder.path, training->diag)) < 0))
        return false;
    journal_init(&training->journal, training->folder.path, info, options->json, training->diag);
    training->progress =
        progress_new(&training->journal, info->epochs, info->batch, options->quiet);
    return build_hash_model(&training->session.build, training->model_hash) &&
           (training->resumes || begin_run(training));
}

/* -- while it runs -- */

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
    begin_run(training);
    progress_step(&training->progress, epoch, step, steps_per_epoch, loss);
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

/* Drawing after every epoch may take a fiftieth of the time, so that a training of short epochs is
 * not slowed down. */
static bool draw_now(Training *training) {
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
    begin_run(training);
    progress_epoch(&training->progress, &record);
    journal_epoch(&training->journal, &record);
    if (!training->journal.file || !draw_now(training))
        train_request_stop(); /* the disk is full: the error is reported, the weights are saved */
}

static void on_end(void *context, const CheckpointInfo *info, bool early) {
    Training *training = context;
    training->best_epoch = (uint32_t)info->best_epoch;
    training->early = early;
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
        .metrics = {info->metrics, info->metric_count, session->finish},
        .epochs = info->epochs,
        .accumulate = info->accumulate,
        .seed = info->seed,
        .initialized = session->trains_anew,
        .shuffle = info->shuffle,
        .keep_best = info->keep_best,
        .stop = info->stop,
        .folder = training->folder.path,
        .model_hash = training->model_hash,
        .resume = training->resumes ? last.path : NULL,
    };
    TrainEvents events = {
        .context = training, .begin = on_begin, .step = on_step, .epoch = on_epoch, .end = on_end};
    catch_signals();
    TrainResult result = train(&options, &events, training->diag);
    progress_end(&training->progress);
    return result;
}

/* -- after -- */

static void write_end(Training *training, TrainResult result) {
    static const char *const results[] = {"done", "stopped", "nonfinite", "failed"};
    const EpochRecord *last = journal_last(&training->journal);
    json_t *line =
        json_pack("{s:s, s:s, s:i, s:f}", "event", "end", "result", results[result], "epochs_done",
                  last ? (int)last->epoch : 0, "seconds", seconds_now() - training->started);
    json_object_set_new(line, "stopped_early", json_boolean(training->early));
    json_object_set_new(line, "best_epoch",
                        training->best_epoch ? json_integer(training->best_epoch) : json_null());
    for (Split split = SPLIT_VALID; split < SPLIT_COUNT; split++) {
        if (!training->error_count[split]) continue;
        json_object_set_new(line,
                            arena_format(training->session.arena, "%s_units", split_name(split)),
                            units_json(training->errors[split], training->error_count[split]));
    }
    journal_write(&training->journal, line);
}

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

static void print_measured(const Training *training, const char *split, const Measured *measured) {
    char value[NUMBER_TEXT];
    if (!measured->present) return;
    const ModelInfo *info = training->journal.info;
    for (uint32_t i = 0; i < info->metric_count; i++)
        if (!info->counts[i].classes)
            printf("%s %s %s, ", split, info->metrics[i],
                   metric_text(value, info->answers[i] > 0, measured->metrics[i]));
    printf("%s loss %s, ", split, text_number(value, measured->loss));
}

static void print_counts(const Training *training, Split split, const Measured *measured) {
    const ModelInfo *info = training->journal.info;
    int64_t rows = dataset_rows(training->session.dataset, split);
    for (uint32_t i = 0; i < info->metric_count; i++) {
        const MetricCounts *counts = &info->counts[i];
        Confusion confusion = {counts->classes, counts->label, counts->answers * rows,
                               measured->counts[i]};
        if (!confusion.counts) continue;
        printf("\n%s %s:\n", split_name(split), info->metrics[i]);
        confusion_print(&info->schema, &confusion);
    }
}

/* What the folder of the run holds; without rows to choose by there is no best. */
static void print_files(const char *folder) {
    static const char *const files[] = {RUN_LAST, RUN_BEST, RUN_MODEL, RUN_METRICS, RUN_CURVES};
    const char *before = ": ";
    shown_text(folder, stdout);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        if (!path_exists(path_join(folder, files[i]).path)) continue;
        printf("%s%s", before, files[i]);
        before = ", ";
    }
    putchar('\n');
}

/* Why the training ended before its last epoch, and which epoch was the best. */
static void print_best(const Training *training, const EpochRecord *last) {
    const ModelInfo *info = training->session.build.info;
    const char *split = last->valid.present ? "valid" : "test",
               *metric = info->keep_best.metric ? info->keep_best.metric : "loss";
    const char *looked_at = info->stop.judge.metric ? info->stop.judge.metric : "loss";
    if (training->early)
        printf("stopped early: the %s %s did not improve in %u epoch%s\n", split, looked_at,
               info->stop.patience, info->stop.patience == 1 ? "" : "s");
    if (training->best_epoch)
        printf(
            "best %s %s: epoch %u%s\n", split, metric, training->best_epoch,
            last->valid.present
                ? ""
                : ", chosen on the test rows; 'valid = 0.1' holds out other rows for this choice");
}

static void print_answer(const Training *training) {
    char number[NUMBER_TEXT];
    const EpochRecord *last = journal_last(&training->journal);
    const char *folder = training->folder.path;
    if (training->options->json || !last) return;
    print_measured(training, "test", &last->test);
    print_measured(training, "valid", &last->valid);
    if (isfinite(last->train_loss))
        printf("train loss %s, ", text_number(number, last->train_loss));
    printf("%u epoch%s, %.1f s\n", last->epoch, last->epoch == 1 ? "" : "s",
           seconds_now() - training->started);
    for (Split split = SPLIT_COUNT; split-- > SPLIT_VALID;) {
        if (training->error_count[split])
            printf("%s errors in the units of the data\n", split_name(split));
        units_print(training->session.arena, training->errors[split], training->error_count[split]);
    }
    print_best(training, last);
    print_files(folder);
    print_counts(training, SPLIT_TEST, &last->test);
    print_counts(training, SPLIT_VALID, &last->valid);
}

static Status finish(Training *training, TrainResult result) {
    const char *folder = training->folder.path;
    if (result == TRAIN_FAILED || diag_status(training->diag) == STATUS_FILE ||
        !begin_run(training))
        return diag_outcome(training->diag, false);
    if (result == TRAIN_DONE && !measure_units(training))
        return diag_outcome(training->diag, false);
    write_end(training, result);
    if (training->drawn_epochs != training->journal.record_count) draw_curves(training);
    if (result == TRAIN_NONFINITE) return diag_outcome(training->diag, false);
    if (result == TRAIN_STOPPED) {
        fputs("stopped and saved; to go on: mlc train --resume ", stderr);
        shown_text(folder, stderr);
        putc('\n', stderr);
        return signal_status();
    }
    print_answer(training);
    expect_check(training->options, training->session.build.info, &training->journal,
                 training->diag);
    return diag_status(training->diag);
}

Status command_train(const Options *given, Diagnostics *diag) {
    Training *training = MEMORY_NEW(Training, "the training");
    training->options = given;
    training->diag = diag;
    training->lock = -1;
    training->started = seconds_now();
    bool ready = check_usage(training->options, training->diag) && open_session(training) &&
                 open_folder(training);
    Status status =
        ready ? finish(training, run_training(training)) : diag_outcome(training->diag, false);
    if (given->json) {
        /* Whoever reads the events need not read stderr to know why there are no more. */
        size_t i;
        json_t *line, *errors = journal_diagnostics(training->diag, DIAG_ERROR);
        json_array_foreach(errors, i, line) json_print_line(json_incref(line), stdout);
        json_decref(errors);
    }
    json_decref(training->warnings);
    journal_free(&training->journal);
    session_close(&training->session);
    if (training->lock >= 0) close(training->lock);
    free(training);
    return status;
}
