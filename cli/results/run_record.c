/* Reads a run's lines again. */
#include "cli/results/run_record.h"
#include "cli/session/runs.h"
#include "runtime/formats/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

_Static_assert(HASH_HEX == 65, "run_record_hash has room for a hash");

const char *run_state_name(RunState state) {
    static const char *const names[] = {"running",   "done",   "stopped",
                                        "nonfinite", "failed", "killed"};
    return names[state];
}

double run_record_number(const json_t *line, const char *key) {
    const json_t *value = json_object_get(line, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

const json_t *run_record_last(const RunRecord *record) {
    return json_array_get(record->epochs, json_array_size(record->epochs) - 1);
}

static RunState state_named(const char *name) {
    for (RunState state = RUN_DONE; state < RUN_KILLED; state++)
        if (name && !strcmp(name, run_state_name(state))) return state;
    return RUN_KILLED;
}

/* A training locks its folder. */
static bool is_locked(const char *folder) {
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool locked = file >= 0 && flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (file >= 0) close(file);
    return locked;
}

static void take_line(RunRecord *record, json_t *line) {
    const char *event = json_string_value(json_object_get(line, "event"));
    if (!event) return;
    if (!strcmp(event, "start")) {
        json_decref(record->start);
        record->start = json_incref(line);
        record->state = RUN_KILLED; /* until its end line comes */
    } else if (!strcmp(event, "epoch")) {
        json_array_append(record->epochs, line);
        double seconds = run_record_number(line, "seconds");
        if (isfinite(seconds)) record->seconds += seconds;
    } else if (!strcmp(event, "end")) {
        record->state = state_named(json_string_value(json_object_get(line, "result")));
    }
}

/* A line that is not JSON, such as the last one of a full disk, is left out. */
static void take_lines(RunRecord *record, const char *text, size_t length) {
    for (size_t begin = 0; begin < length;) {
        const char *newline = memchr(text + begin, '\n', length - begin);
        size_t next = newline ? (size_t)(newline - text) + 1 : length;
        json_t *line = json_loadb(text + begin, next - begin, 0, NULL);
        take_line(record, line);
        json_decref(line);
        begin = next;
    }
}

static bool is_better(const RunRecord *record, double value, double than) {
    return isnan(than) ? !isnan(value) : record->higher_is_better ? value > than : value < than;
}

/* The first epoch whose score no other epoch exceeds. The untrained network takes no part. */
static void find_best(RunRecord *record) {
    size_t i;
    json_t *line;
    record->best_score = json_string_value(json_object_get(record->start, "best"));
    record->higher_is_better = json_is_true(json_object_get(record->start, "higher_is_better"));
    if (!record->best_score) return;
    json_array_foreach(record->epochs, i, line) {
        if (json_integer_value(json_object_get(line, "epoch")) == 0) continue;
        double value = run_record_number(line, record->best_score),
               before = run_record_number(record->best, record->best_score);
        if (!record->best || is_better(record, value, before)) record->best = line;
    }
}

bool run_record_read(const char *folder, RunRecord *record) {
    size_t length;
    char *text = file_read_plain(path_join(folder, RUN_METRICS).path, &length);
    *record = (RunRecord){.state = RUN_KILLED, .epochs = json_array()};
    snprintf(record->folder.path, sizeof record->folder.path, "%s", folder);
    if (text) take_lines(record, text, length);
    free(text);
    if (!record->start) {
        run_record_free(record);
        return false;
    }
    if (is_locked(folder)) record->state = RUN_RUNNING;
    find_best(record);
    return true;
}

void run_record_free(RunRecord *record) {
    json_decref(record->start);
    json_decref(record->epochs);
    *record = (RunRecord){0};
}

void run_record_hash(const RunRecord *record, char hash[65]) {
    size_t length;
    char *bytes = file_read_plain(path_join(record->folder.path, RUN_LAST).path, &length);
    hash[0] = 0;
    if (bytes) blake3_hex(bytes, length, hash);
    free(bytes);
}
