/* Opens the session of a training: checks its options, chooses the run, and says which programs it
 * needs. */
#include "cli/commands/training.h"
#include "cli/results/expect.h"
#include "cli/session/warm_start.h"
#include "engine/build/device.h"
#include "ir/base/display.h"
#include "ir/base/files.h"
#include "ir/base/integers.h"
#include "runtime/data/class_counts.h"

#include <stdio.h>

static bool check_usage(const Options *options, Diagnostics *diag) {
    if (!training_check_find_lr(options, diag)) return false;
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
    return file_is_there(path_join(folder, name).path);
}

/* --continue: a run that has begun is resumed, and has its own weights. */
static bool choose_run(Training *training) {
    Options *own = &training->own_options;
    const char *folder = training->options->out;
    if (!training->options->go_on) return true;
    if (!folder || training->options->resume) {
        diag_error(training->diag, STATUS_USAGE, (Span){0},
                   "--continue needs --out DIR, which names the run, and no --resume");
        diag_help(training->diag, "mlc train my.mdl --continue --out runs/mine");
        return false;
    }
    if (!has_file(folder, RUN_MODEL)) return true;
    *own = *training->options;
    own->resume = folder;
    own->out = own->weights = NULL;
    training->options = own;
    return true;
}

/* A run that was killed before its first checkpoint starts over. The folder is locked first:
 * another process may be about to write that checkpoint. */
static bool open_resumed(Training *training) {
    const char *folder = training->options->resume;
    if (!folder) return true;
    snprintf(training->folder.path, sizeof training->folder.path, "%s", folder);
    if (training_is_first(training) && (training->lock = run_lock(folder, training->diag)) < 0)
        return false;
    training->resumes = has_file(folder, RUN_LAST) || has_file(folder, RUN_BEST);
    if (training->resumes)
        return checkpoint_info(path_join(folder, RUN_LAST).path, &training->before, training->diag);
    if (has_file(folder, RUN_MODEL) && training_is_first(training)) {
        display_text(folder, stderr);
        fputs(": no checkpoint yet: the training starts from the beginning\n", stderr);
    }
    return true;
}

/* What --device auto compares devices by. Folds and processes train on the CPU. */
static void describe_work(Training *training) {
    Build *build = &training->session.build;
    const ModelInfo *info = build->info;
    int64_t rows = info->schema.train_rows ? info->schema.train_rows : BUILD_USUAL_ROWS;
    double epochs = (double)info->epochs - (double)training->before.epoch;
    build->work = (DeviceWork){GRAPH_TRAIN, model_batch(info, GRAPH_TRAIN),
                               epochs * (double)divide_up(rows, info->batch)};
    if ((training->order || training->peers) && build_device_is_auto(build->options.device))
        build->options.device = "cpu";
}

static bool open_model(void *context) {
    Training *training = context;
    Build *build = &training->session.build;
    if (!training->order &&
        !(choose_run(training) && check_usage(training->options, training->diag)))
        return false;
    if (!open_resumed(training)) return false;
    const Options *options = training->options;
    training->session.trains_anew = !training->resumes;
    const TrainingOrder *order = training->order;
    training->session.programs.stock = order ? order->stock : NULL;
    bool opened = order ? build_open_shared(build, order->model, order->source, order->stock->data,
                                            options, training->diag)
                  : options->operand_count
                      ? build_open(build, options->operands[0], options, training->diag)
                      : build_open_run(build, options->resume, options, training->diag);
    if (opened) describe_work(training);
    if (opened && training->peers)
        model_set_process(build->model, peers_rank(training->peers), peers_size(training->peers));
    return opened && expect_parse(options, build->info, training->diag) &&
           (!training->peers ||
            training_check_replicas(build->info, peers_size(training->peers), training->diag));
}

/* How a training goes through the rows of a split. */
static Cut cut_of(const Session *session, Split split, int64_t rows) {
    const ModelInfo *info = session->build.info;
    return split == SPLIT_TRAIN ? (Cut){rows, info->batch, info->replicas}
                                : (Cut){rows, programs_forward_batch(rows, info->batch), 1};
}

/* The update of the weights does not depend on the rows of a batch. */
static const Cut update_cut = {1, 1, 1};

static void want_training(Session *session, const Cut *cut) {
    Programs *programs = &session->programs;
    programs_want(programs, session->is_spread ? GRAPH_SHARE : GRAPH_TRAIN, cut);
    if (!session->is_spread) return;
    const ModelInfo *info = session->build.info;
    if (info->updates_states) programs_want(programs, GRAPH_STATISTICS, cut);
    if (info->clips_norm) programs_want(programs, GRAPH_LARGEST, &update_cut);
    if (info->clips_norm) programs_want(programs, GRAPH_SQUARES, &update_cut);
    programs_want(programs, GRAPH_UPDATE, &update_cut);
}

void training_want_programs(Session *session, const int64_t rows[SPLIT_COUNT]) {
    bool evaluates = !session->build.options.tries_rates;
    for (Split split = SPLIT_TRAIN; split < SPLIT_COUNT; split++) {
        Cut cut = cut_of(session, split, rows[split]);
        if (split == SPLIT_TRAIN)
            want_training(session, &cut);
        else if (evaluates)
            programs_want(&session->programs, GRAPH_EVAL, &cut);
    }
}

static void expect_rows(void *context, const int64_t rows[SPLIT_COUNT]) {
    Training *training = context;
    model_set_training_rows(training->session.build.model, rows[SPLIT_TRAIN]);
    training_want_programs(&training->session, rows);
}

/* Prints the warnings before the long training, and stores them for the journal. */
static void publish_warnings(Training *training) {
    if (diag_errors(training->diag)) return; /* main prints errors and warnings together */
    if (!training_is_first(training)) {
        diag_clear(training->diag);
        return;
    }
    json_t *more = journal_diagnostics(training->diag, DIAG_WARNING);
    if (!training->warnings) training->warnings = json_array();
    json_array_extend(training->warnings, more);
    json_decref(more);
    diag_print_warnings(training->diag, stderr);
}

/* Warnings that depend on the rows of the splits. */
static void warn_about_rows(const Training *training, const int64_t rows[SPLIT_COUNT]) {
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
                     "all training rows have the same '%s': there is nothing to distinguish",
                     output->label);
        diag_help(training->diag,
                  "'mlc data FILE.mdl' shows how many rows of each class every split has");
    }
}

static bool take_rows(void *context) {
    Training *training = context;
    Session *session = &training->session;
    int64_t rows[SPLIT_COUNT];
    if (!training->options->quiet) build_print_choice(&session->build);
    for (Split split = SPLIT_TRAIN; split < SPLIT_COUNT; split++)
        rows[split] = dataset_rows(session->dataset, split);
    model_set_training_rows(session->build.model, rows[SPLIT_TRAIN]);
    if (!training->resumes) {
        model_warn(session->build.model, training->diag);
        if (!session_check_digits(session, GRAPH_TRAIN, NULL)) return false;
    }
    warn_about_rows(training, rows);
    publish_warnings(training);
    training_want_programs(&training->session, rows);
    return true;
}

static bool fit_states(void *context) { return session_fit_graph(&((Training *)context)->session); }

static SplitPrograms split_programs(const Training *training, GraphKind kind, Split split) {
    const Session *session = &training->session;
    Cut cut = cut_of(session, split, dataset_rows(session->dataset, split));
    return programs_of_split(&session->programs, kind, &cut);
}

bool training_open_session(Training *training) {
    const SessionHooks hooks = {.context = training,
                                .model = open_model,
                                .expect = expect_rows,
                                .rows = take_rows,
                                .weights = fit_states};
    Session *session = &training->session;
    session->is_spread = training->peers != NULL;
    if (!session_open(session, &hooks)) return false;
    publish_warnings(training);
    /* A resumed run may go on with event files, which have rates. */
    const Options *options = training->options;
    bool needs_rates = options->find_lr || options->tensorboard || options->resume ||
                       session->build.info->log_every;
    if (needs_rates && !rates_open(&training->rates, session->build.model, training->diag))
        return false;
    if (session->trains_anew && !warm_start(session, &training->weights)) return false;
    training->train =
        split_programs(training, session->is_spread ? GRAPH_SHARE : GRAPH_TRAIN, SPLIT_TRAIN);
    if (options->find_lr) return true;
    training->valid = split_programs(training, GRAPH_EVAL, SPLIT_VALID);
    training->test = split_programs(training, GRAPH_EVAL, SPLIT_TEST);
    return true;
}

/* -- a training on several processes -- */

/* Compiles what a training on one process needs. */
static bool make_alone(void *context, SplitPrograms *train) {
    Training *training = context;
    Session *session = &training->session;
    Cut cut = cut_of(session, SPLIT_TRAIN, dataset_rows(session->dataset, SPLIT_TRAIN));
    programs_want(&session->programs, GRAPH_TRAIN, &cut);
    if (!programs_compile(&session->programs, &session->build)) return false;
    *train = split_programs(training, GRAPH_TRAIN, SPLIT_TRAIN);
    return true;
}

static const Program *update_program(const Training *training, GraphKind kind) {
    return programs_of_split(&training->session.programs, kind, &update_cut).full;
}

SpreadOptions training_spread(Training *training) {
    if (!training->peers) return (SpreadOptions){0};
    const ModelInfo *info = training->session.build.info;
    return (SpreadOptions){
        .peers = training->peers,
        .statistics = info->updates_states ? split_programs(training, GRAPH_STATISTICS, SPLIT_TRAIN)
                                           : (SplitPrograms){0},
        .update = update_program(training, GRAPH_UPDATE),
        .largest = info->clips_norm ? update_program(training, GRAPH_LARGEST) : NULL,
        .squares = info->clips_norm ? update_program(training, GRAPH_SQUARES) : NULL,
        .alone = make_alone,
        .context = training};
}
