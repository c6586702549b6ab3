/* Reads the lines of a run. */
#include "cli/results/run_record.h"
#include "engine/session/runs.h"
#include "ir/base/files.h"
#include "runtime/formats/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
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

static void take_line(RunRecord *record, json_t *line) {
    const char *event = json_string_value(json_object_get(line, "event"));
    if (!event) return;
    if (!strcmp(event, "start")) {
        json_decref(record->start);
        record->start = json_incref(line);
        record->told = RUN_KILLED; /* until its end line comes */
    } else if (!strcmp(event, "epoch")) {
        json_array_append(record->epochs, line);
        double seconds = run_record_number(line, "seconds");
        if (isfinite(seconds)) record->seconds += seconds;
    } else if (!strcmp(event, "step")) {
        if (record->steps) json_array_append(record->steps, line);
    } else if (!strcmp(event, "end")) {
        record->told = state_named(json_string_value(json_object_get(line, "result")));
    }
}

/* Records the complete lines and returns their bytes. A line that is not JSON, such as one cut off
 * by a full disk, is left out. */
static size_t take_lines(RunRecord *record, const char *text, size_t length) {
    size_t begin = 0;
    for (const char *newline; begin < length; begin = (size_t)(newline - text) + 1) {
        newline = memchr(text + begin, '\n', length - begin);
        if (!newline) break;
        json_t *line = json_loadb(text + begin, (size_t)(newline - text) - begin, 0, NULL);
        take_line(record, line);
        json_decref(line);
    }
    return begin;
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
        bool better = record->higher_is_better ? value > before : value < before;
        if (isnan(before)) better = !isnan(value);
        if (!record->best || better) record->best = line;
    }
}

/* Forgets all lines, because a resumed training has replaced the file. */
static void begin_anew(RunRecord *record, ino_t file) {
    json_decref(record->start);
    json_array_clear(record->epochs);
    if (record->steps) json_array_clear(record->steps);
    record->start = NULL;
    record->best = NULL;
    record->seconds = 0;
    record->taken = 0;
    record->file = file;
    record->told = RUN_KILLED;
}

/* Reads from the first byte that has not been read. */
static bool take_rest(RunRecord *record) {
    uint64_t length;
    struct stat status;
    int file = file_open(path_join(record->folder.path, RUN_METRICS).path, &length);
    if (file < 0) return false;
    if (fstat(file, &status) == 0 && (status.st_ino != record->file || length < record->taken))
        begin_anew(record, status.st_ino);
    size_t size = length - record->taken, filled = 0;
    char *text = memory_array(size + 1, 1, "the lines of a run");
    for (ssize_t got = 1; filled < size && got > 0; filled += got > 0 ? (size_t)got : 0)
        got = pread(file, text + filled, size - filled, (off_t)(record->taken + filled));
    record->taken += take_lines(record, text, filled);
    free(text);
    close(file);
    return record->start != NULL;
}

bool run_record_update(RunRecord *record) {
    /* A training holds a lock on its folder. The lock is checked first: if the training ends after
     * that, its end line is read too. */
    int folder = open(record->folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool locked = folder >= 0 && flock(folder, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (folder >= 0) close(folder);
    if (!take_rest(record)) return false;
    record->state = locked ? RUN_RUNNING : record->told;
    record->best = NULL;
    find_best(record);
    return true;
}

static bool read_run(const char *folder, RunRecord *record, json_t *steps) {
    *record = (RunRecord){.told = RUN_KILLED, .epochs = json_array(), .steps = steps};
    snprintf(record->folder.path, sizeof record->folder.path, "%s", folder);
    if (run_record_update(record)) return true;
    run_record_free(record);
    return false;
}

bool run_record_read(const char *folder, RunRecord *record) {
    return read_run(folder, record, NULL);
}

bool run_record_read_steps(const char *folder, RunRecord *record) {
    return read_run(folder, record, json_array());
}

void run_record_free(RunRecord *record) {
    json_decref(record->start);
    json_decref(record->epochs);
    json_decref(record->steps);
    *record = (RunRecord){0};
}

void run_record_hash(const RunRecord *record, char hash[65]) {
    size_t length;
    char *bytes = file_read_plain(path_join(record->folder.path, RUN_LAST).path, &length);
    hash[0] = 0;
    if (bytes) blake3_hex(bytes, length, hash);
    free(bytes);
}
