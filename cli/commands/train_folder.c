/* The folder of a run: its journal, its model, and the note about a changed schedule. */
#include "cli/commands/training.h"
#include "cli/text/terminal.h"
#include "ir/base/clock.h"
#include "ir/base/display.h"
#include "ir/base/integers.h"

#include <string.h>
#include <time.h>

static int64_t count_weights(const Training *training) {
    return graph_state_bytes(training->session.programs.items[0].program->graph, true) / 4;
}

/* Adds the score that chooses the best epoch; nothing if no rows are held out. */
static void put_score(json_t *line, const Training *training) {
    const Dataset *dataset = training->session.dataset;
    const Score *score = &training->session.build.info->keep_best;
    Split split = dataset_rows(dataset, SPLIT_VALID) ? SPLIT_VALID : SPLIT_TEST;
    if (!dataset_rows(dataset, split)) return;
    const char *name = arena_format(training->session.arena, "%s_%s", split_name(split),
                                    score->metric ? score->metric : "loss");
    json_object_set_new(line, "best", json_string(name));
    json_object_set_new(line, "higher_is_better", json_boolean(score->higher_is_better));
}

int64_t training_epoch_steps(const Training *training) {
    const ModelInfo *info = training->session.build.info;
    int64_t rows = dataset_rows(training->session.dataset, SPLIT_TRAIN), batch = info->batch;
    return divide_up(divide_up(rows, batch), (int64_t)info->accumulate);
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
    if (info->replicas > 1) json_object_set_new(line, "replicas", json_integer(info->replicas));
    json_object_set_new(line, "epoch_steps", json_integer(training_epoch_steps(training)));
    json_object_set_new(line, "seed", json_integer((json_int_t)info->seed));
    for (Split split = SPLIT_TRAIN; split < SPLIT_COUNT; split++) {
        char key[32];
        snprintf(key, sizeof key, "%s_rows", split_name(split));
        json_object_set_new(line, key, json_integer(dataset_rows(session->dataset, split)));
    }
    json_object_set_new(line, "weights", json_integer(count_weights(training)));
    if (training->weights)
        json_object_set_new(line, "weights_from", json_string(training->weights));
    json_t *set = json_array();
    for (uint32_t i = 0; i < training->options->set.count; i++)
        json_array_append_new(set, json_text(training->options->set.items[i]));
    json_object_set_new(line, "set", set);
    put_score(line, training);
    json_object_set_new(line, "threads", json_integer(threads_count(session->threads)));
    const Device *device = session->build.device;
    if (device) json_object_set_new(line, "device", json_text(device_facts(device)->name));
    json_object_set_new(line, "data", json_string(dataset_digest(session->dataset)));
    return line;
}

static void print_start(const Training *training) {
    char weights[NUMBER_TEXT], rows[NUMBER_TEXT];
    if (training->options->quiet) return;
    fprintf(stderr, "%s: %s weights, %s rows to train on, run folder ",
            training->session.build.info->name, text_count(weights, count_weights(training)),
            text_count(rows, dataset_rows(training->session.dataset, SPLIT_TRAIN)));
    display_text(training->folder.path, stderr);
    if (training->session.build.device)
        fprintf(stderr, ", on %s", device_facts(training->session.build.device)->name);
    putc('\n', stderr);
}

/* -- a resumed run with more epochs than before -- */

/* The position of the next step in a run of `epochs` epochs, or of its last step if it is over. */
static RunClock clock_in(const Training *training, uint64_t epochs) {
    const ModelInfo *info = training->session.build.info;
    const CheckpointInfo *before = &training->before;
    int64_t rows = dataset_rows(training->session.dataset, SPLIT_TRAIN), batch = info->batch,
            accumulate = info->accumulate, batches = divide_up(rows, batch),
            steps = training_epoch_steps(training);
    int64_t done = (int64_t)before->step - (int64_t)before->epoch * batches;
    bool over = before->epoch >= epochs;
    return (RunClock){.epoch = (int32_t)before->epoch - over,
                      .step = (int32_t)((int64_t)before->epoch * steps + done / accumulate) - over,
                      .steps = (int32_t)(steps * (int64_t)epochs)};
}

/* A schedule over the whole run, such as a cosine, changes when the number of epochs changes. The
 * note and the journal state the old and the new rate. */
static void note_schedule(Training *training) {
    const ModelInfo *info = training->session.build.info;
    if (!training->before.epochs || training->before.epochs == info->epochs ||
        training->before.epoch >= info->epochs)
        return;
    Rates rates;
    if (!rates_open(&rates, training->session.build.model, training->diag)) return;
    bool changes = rates_depend_on_steps(&rates);
    double planned = rates_at(&rates, clock_in(training, training->before.epochs)),
           rate = rates_at(&rates, clock_in(training, info->epochs));
    rates_close(&rates);
    if (!changes) return;
    json_t *line = json_pack(
        "{s:s, s:I, s:I, s:I}", "event", "schedule", "step", (json_int_t)training->before.step,
        "epochs_before", (json_int_t)training->before.epochs, "epochs", (json_int_t)info->epochs);
    json_object_set_new(line, "rate_before", json_number(planned));
    json_object_set_new(line, "rate", json_number(rate));
    journal_write(&training->journal, line);
    fprintf(
        stderr,
        "mlc: note: the learning rate now follows a schedule of %u epochs instead of %llu: it is %.4g at the next step, and %s %.4g\n",
        info->epochs, (unsigned long long)training->before.epochs, rate,
        training->before.epoch >= training->before.epochs ? "at the last one it was"
                                                          : "would have been",
        planned);
}

static uint64_t steps_done(const Training *training) {
    return training->resumes ? (uint64_t)clock_in(training, training->before.epoch + 1).step : 0;
}

bool training_begin(Training *training) {
    if (training->begun) return true;
    training->begun = true;
    uint32_t first = training->resumes ? (uint32_t)training->before.epoch + 1 : 0;
    if (!journal_open(&training->journal, first, steps_done(training), start_line(training)))
        return false; /* first, because its start line names the folder of the model */
    size_t i;
    json_t *line;
    json_array_foreach(training->warnings, i, line)
        journal_write(&training->journal, json_incref(line));
    json_decref(training->warnings);
    training->warnings = NULL;
    if (!training->journal.file ||
        !run_write_model(&training->session.build, training->folder.path) ||
        !training_events_open(training, steps_done(training)))
        return false;
    print_start(training);
    if (training->resumes) note_schedule(training);
    return true;
}

bool training_open_folder(Training *training) {
    const ModelInfo *info = training->session.build.info;
    const Options *options = training->options;
    if (!options->resume &&
        (!run_create(options->out, &training->folder, training->diag) ||
         (training->lock = run_lock(training->folder.path, training->diag)) < 0))
        return false;
    journal_init(&training->journal, training->folder.path, info, training_epoch_steps(training),
                 options->json, training->diag);
    training->progress =
        progress_new(&training->journal, info->epochs, info->batch, options->quiet);
    return build_hash_model(&training->session.build, training->model_hash) &&
           (training->resumes || training_begin(training));
}

void training_write_end(Training *training, TrainResult result) {
    static const char *const results[] = {"done", "stopped", "nonfinite", "failed"};
    const EpochRecord *last = journal_last(&training->journal);
    json_t *line =
        json_pack("{s:s, s:s, s:i, s:f}", "event", "end", "result", results[result], "epochs_done",
                  last ? (int)last->epoch : 0, "seconds", seconds_now() - training->started);
    json_object_set_new(line, "stopped_early", json_boolean(training->early));
    json_object_set_new(line, "best_epoch",
                        training->best_epoch ? json_integer(training->best_epoch) : json_null());
    if (training->session.build.info->replicas > 1)
        json_object_set_new(line, "noise_scale", json_number(training->noise_scale));
    for (Split split = SPLIT_VALID; split < SPLIT_COUNT; split++) {
        if (!training->error_count[split]) continue;
        json_object_set_new(line,
                            arena_format(training->session.arena, "%s_units", split_name(split)),
                            units_json(training->errors[split], training->error_count[split]));
    }
    journal_write(&training->journal, line);
}
