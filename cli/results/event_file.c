/* Event files for TensorBoard. */
#include "cli/results/event_file.h"
#include "cli/session/options.h"
#include "ir/base/files.h"
#include "onnx/wire/reader.h"
#include "runtime/formats/tfrecord.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NAME_BEGIN "events.out.tfevents."
#define NAME_END ".mlc"

/* Numbers of the fields. */
enum { EVENT_TIME = 1, EVENT_STEP = 2, EVENT_VERSION = 3, EVENT_SUMMARY = 5, EVENT_SESSION = 7 };
enum { SUMMARY_VALUE = 1 };
enum { VALUE_TAG = 1, VALUE_SIMPLE = 2, VALUE_TENSOR = 8, VALUE_METADATA = 9 };
enum { SESSION_STATUS = 1, SESSION_START = 1 /* the status */ };

/* -- messages -- */

static void begin_message(EventFile *events, uint64_t step) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    events->event.length = 0;
    wire_double(&events->event, EVENT_TIME, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
    if (step) wire_int(&events->event, EVENT_STEP, (int64_t)step);
}

static void write_message(EventFile *events) {
    if (events->file && !tfrecord_write(events->file, events->event.bytes, events->event.length))
        file_give_up(&events->file, events->path.path, events->diag);
}

void event_begin(EventFile *events, uint64_t step) {
    begin_message(events, step);
    events->summary = wire_begin(&events->event, EVENT_SUMMARY);
}

void event_value(EventFile *events, const char *tag, double value) {
    if (isnan(value)) return;
    size_t item = wire_begin(&events->event, SUMMARY_VALUE);
    wire_text(&events->event, VALUE_TAG, tag);
    wire_float(&events->event, VALUE_SIMPLE, (float)value);
    wire_end(&events->event, item);
}

void event_end(EventFile *events) {
    wire_end(&events->event, events->summary);
    write_message(events);
}

/* Tells a TensorBoard that is running to forget the events from this step on. */
static void write_restart(EventFile *events, uint64_t step) {
    begin_message(events, step);
    size_t session = wire_begin(&events->event, EVENT_SESSION);
    wire_int(&events->event, SESSION_STATUS, SESSION_START);
    wire_end(&events->event, session);
    write_message(events);
}

/* -- the settings of the run, for the page HParams -- */

/* HParamsPluginData { version 0, session_start_info (3) { hparams (1): map to Value } }, where
 * Value has number_value (2, double) or string_value (3). */
static void put_settings(WireWriter *to, const json_t *settings) {
    enum { START_INFO = 3, HPARAMS = 1, KEY = 1, VALUE = 2, NUMBER = 2, STRING = 3 };
    const char *key;
    json_t *value;
    size_t info = wire_begin(to, START_INFO);
    json_object_foreach((json_t *)settings, key, value) {
        size_t entry = wire_begin(to, HPARAMS);
        wire_text(to, KEY, key);
        size_t inside = wire_begin(to, VALUE);
        if (json_is_number(value))
            wire_double(to, NUMBER, json_number_value(value));
        else
            wire_text(to, STRING, json_string_value(value));
        wire_end(to, inside);
        wire_end(to, entry);
    }
    wire_end(to, info);
}

/* SummaryMetadata { plugin_data (1) { plugin_name (1), content (2) } }; the tensor is one 0. */
static void write_settings(EventFile *events, const json_t *settings) {
    enum {
        PLUGIN_DATA = 1,
        PLUGIN_NAME = 1,
        CONTENT = 2,
        DTYPE = 1,
        SHAPE = 2,
        DIM = 2,
        SIZE = 1,
        FLOATS = 5,
        DT_FLOAT = 1
    };
    static const float zero = 0;
    WireWriter *to = &events->event;
    event_begin(events, 0);
    size_t item = wire_begin(to, SUMMARY_VALUE);
    wire_text(to, VALUE_TAG, "_hparams_/session_start_info");
    size_t tensor = wire_begin(to, VALUE_TENSOR);
    wire_int(to, DTYPE, DT_FLOAT);
    size_t shape = wire_begin(to, SHAPE), dim = wire_begin(to, DIM);
    wire_int(to, SIZE, 1);
    wire_end(to, dim);
    wire_end(to, shape);
    wire_bytes(to, FLOATS, &zero, sizeof zero);
    wire_end(to, tensor);
    size_t metadata = wire_begin(to, VALUE_METADATA), plugin = wire_begin(to, PLUGIN_DATA);
    wire_text(to, PLUGIN_NAME, "hparams");
    size_t content = wire_begin(to, CONTENT);
    put_settings(to, settings);
    wire_end(to, content);
    wire_end(to, plugin);
    wire_end(to, metadata);
    wire_end(to, item);
    event_end(events);
}

/* -- files -- */

/* The number in "events.out.tfevents.NUMBER.mlc"; -1: another name. */
static int64_t number_in(const char *name) {
    char digits[32];
    int64_t number;
    size_t begin = strlen(NAME_BEGIN), end = strlen(NAME_END), length = strlen(name);
    if (strncmp(name, NAME_BEGIN, begin) || length < begin + end ||
        strcmp(name + length - end, NAME_END))
        return -1;
    snprintf(digits, sizeof digits, "%.*s", (int)(length - begin - end), name + begin);
    return parse_number(digits, 0, INT64_MAX / 2, &number) ? number : -1;
}

bool event_files_there(const char *folder) {
    bool there = false;
    DIR *opened = opendir(folder);
    for (const char *name; opened && (name = folder_next(opened));) there |= number_in(name) >= 0;
    if (opened) closedir(opened);
    return there;
}

static uint64_t step_of(const char *record, size_t size) {
    WireField field;
    for (WireReader at = wire_open(record, size); wire_next(&at, &field);)
        if (field.number == EVENT_STEP && field.type == WIRE_VARINT) return field.value;
    return 0;
}

/* Replaces a file by its events up to `steps_done`. Nothing is written if these are all. */
static bool cut_file(const char *path, uint64_t steps_done, Diagnostics *diag) {
    size_t length, at = 0, kept = 0, size;
    char *bytes = file_read(path, &length, STATUS_FILE, diag);
    const char *record;
    if (!bytes) return false;
    for (size_t begin = 0; tfrecord_next(bytes, length, &at, &record, &size); begin = at) {
        if (step_of(record, size) > steps_done) continue;
        memmove(bytes + kept, bytes + begin, at - begin);
        kept += at - begin;
    }
    bool good = kept == length || file_write(path, bytes, kept, diag);
    free(bytes);
    return good;
}

/* Cuts the files of earlier starts, or removes them. *highest: the highest of their numbers. */
static bool cut_earlier(const char *folder, bool resumes, uint64_t steps_done, int64_t *highest,
                        Diagnostics *diag) {
    bool good = true;
    DIR *opened = opendir(folder);
    *highest = 0;
    for (const char *name; good && opened && (name = folder_next(opened));) {
        int64_t number = number_in(name);
        if (number < 0) continue;
        Path path = path_join(folder, name);
        if (resumes)
            good = cut_file(path.path, steps_done, diag);
        else
            unlink(path.path);
        if (number > *highest) *highest = number;
    }
    if (opened) closedir(opened);
    return good;
}

/* TensorBoard reads the files in the order of their names: the number is the time of the start, and
 * higher than those before. */
bool event_file_open(EventFile *events, const char *folder, bool resumes, uint64_t steps_done,
                     const json_t *settings, Diagnostics *diag) {
    char name[80];
    int64_t highest, now = (int64_t)time(NULL);
    *events = (EventFile){.diag = diag};
    if (!cut_earlier(folder, resumes, steps_done, &highest, diag)) return false;
    snprintf(name, sizeof name, NAME_BEGIN "%010lld" NAME_END,
             (long long)(now > highest ? now : highest + 1));
    events->path = path_join(folder, name);
    int file = open(events->path.path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    events->file = file < 0 ? NULL : fdopen(file, "ab");
    if (!events->file) file_give_up(&events->file, events->path.path, events->diag);
    if (!events->file && file >= 0) close(file);
    if (!events->file) return false;
    begin_message(events, 0); /* the first record of every file */
    wire_text(&events->event, EVENT_VERSION, "brain.Event:2");
    write_message(events);
    if (resumes)
        write_restart(events, steps_done + 1);
    else if (settings && json_object_size(settings))
        write_settings(events, settings);
    return events->file != NULL;
}

void event_file_close(EventFile *events) {
    if (events->file) fclose(events->file);
    wire_free(&events->event);
    *events = (EventFile){0};
}
