/* The event files of a training, for TensorBoard: --tensorboard. */
#include "cli/commands/training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The settings of this run. */
static json_t *settings_of(const Training *training) {
    const ModelInfo *info = training->session.build.info;
    json_t *settings = json_pack("{s:I, s:I, s:I}", "batch", (json_int_t)info->batch, "epochs",
                                 (json_int_t)info->epochs, "seed", (json_int_t)info->seed);
    for (uint32_t i = 0; i < training->options->set.count; i++) {
        const char *set = training->options->set.items[i], *equals = strchr(set, '=');
        const char *name =
            !equals ? NULL
                    : arena_format(training->session.arena, "%.*s", (int)(equals - set), set);
        char *end = NULL;
        double number = equals ? strtod(equals + 1, &end) : 0;
        if (!name) continue;
        bool whole = end > equals + 1 && !*end && isfinite(number);
        if (!strncmp(name, "train.", strlen("train.")) && json_object_get(settings, name + 6))
            continue;
        json_object_set_new(settings, name, whole ? json_real(number) : json_text(equals + 1));
    }
    return settings;
}

bool training_events_open(Training *training, uint64_t steps_done) {
    const char *folder = training->folder.path;
    if (!training->options->tensorboard && !event_files_there(folder)) return true;
    json_t *settings = settings_of(training);
    training->writes_events = event_file_open(&training->events, folder, training->resumes,
                                              steps_done, settings, training->diag);
    json_decref(settings);
    return training->writes_events;
}

bool training_events_step(Training *training, const StepLog *step, double rate) {
    if (!training->writes_events) return true;
    event_begin(&training->events, step->step);
    event_value(&training->events, "loss/train", step->loss);
    event_value(&training->events, "rate", rate);
    event_end(&training->events);
    return training->events.file != NULL;
}

static void put_measured(Training *training, const char *split, const Measured *measured) {
    const ModelInfo *info = training->session.build.info;
    Arena *arena = arena_new();
    if (measured->present)
        event_value(&training->events, arena_format(arena, "loss/%s", split), measured->loss);
    for (uint32_t i = 0; measured->present && i < info->metric_count; i++)
        if (!info->counts[i].classes)
            event_value(&training->events, arena_format(arena, "%s/%s", info->metrics[i], split),
                        measured->metrics[i]);
    arena_free(arena);
}

bool training_events_epoch(Training *training, const EpochRecord *record) {
    if (!training->writes_events) return true;
    int64_t steps = training_epoch_steps(training);
    event_begin(&training->events, (uint64_t)steps * record->epoch);
    if (record->epoch && !training->session.build.info->log_every) {
        event_value(&training->events, "loss/train", record->train_loss);
        /* The rate of the last step of the epoch. */
        event_value(
            &training->events, "rate",
            rates_at(&training->rates,
                     (RunClock){.epoch = (int32_t)record->epoch - 1,
                                .step = (int32_t)(record->epoch * steps - 1),
                                .steps = (int32_t)(steps * training->session.build.info->epochs)}));
    }
    put_measured(training, "valid", &record->valid);
    put_measured(training, "test", &record->test);
    event_end(&training->events);
    return training->events.file != NULL;
}
