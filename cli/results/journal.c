/* The JSON lines of a run: written during the training, read again when the run is resumed. */
#include "cli/results/journal.h"
#include "cli/results/confusion.h"
#include "cli/results/run_record.h"
#include "engine/session/runs.h"
#include "cli/text/terminal.h"
#include "ir/base/files.h"
#include "ir/base/memory.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* 9 digits identify an f32; every f64 has 15 digits. */
enum {
    NUMBER_DIGITS = 9,
    EXACT_DIGITS = 15,
    KEY_MAX = 256,
    LINE_FLAGS = JSON_COMPACT | JSON_REAL_PRECISION(EXACT_DIGITS)
};

/* A whole number beyond 1e9 keeps all of its digits as a JSON integer. */
static json_t *whole_up_to(double limit, double value) {
    bool whole = value == floor(value) && fabs(value) >= 1e9 && fabs(value) <= limit;
    if (whole) return json_integer((json_int_t)value);
    return isfinite(value) ? json_real(number_shortest(value)) : json_null();
}

json_t *json_exact(double value) { return whole_up_to(nextafter(0x1p63, 0), value); }

json_t *json_number(double value) {
    char text[NUMBER_TEXT];
    bool whole = value == floor(value) && fabs(value) <= 0x1p53;
    snprintf(text, sizeof text, "%.*g", NUMBER_DIGITS, number_shortest(value));
    return whole_up_to(0x1p53, whole ? value : strtod(text, NULL));
}

json_t *json_text(const char *text) {
    json_t *string = json_string(text);
    return string ? string : json_string("?");
}

bool json_print_line(json_t *value, FILE *out) {
    bool printed =
        json_dumpf(value, out, LINE_FLAGS) == 0 && fputc('\n', out) != EOF && fflush(out) == 0;
    json_decref(value);
    return printed;
}

void journal_init(Journal *journal, const char *folder, const ModelInfo *info, int64_t epoch_steps,
                  bool to_stdout, Diagnostics *diag) {
    *journal = (Journal){
        .diag = diag,
        .path = path_join(folder, RUN_METRICS),
        .to_stdout = to_stdout,
        .info = info,
        .epoch_steps = epoch_steps,
    };
}

static void free_counts(EpochRecord *record) {
    for (uint32_t i = 0; i < RUNTIME_MAX_METRICS; i++) {
        free(record->valid.counts[i]);
        free(record->test.counts[i]);
        record->valid.counts[i] = record->test.counts[i] = NULL;
    }
}

EpochRecord *journal_last(const Journal *journal) {
    return journal->record_count ? &journal->records[journal->record_count - 1] : NULL;
}

void journal_free(Journal *journal) {
    if (journal->file) fclose(journal->file);
    if (journal->record_count) free_counts(journal_last(journal));
    free(journal->records);
    free(journal->steps);
    *journal = (Journal){0};
}

static void add_record(Journal *journal, const EpochRecord *record) {
    if (journal->record_count) free_counts(journal_last(journal));
    if (journal->record_count == journal->record_capacity) {
        uint32_t capacity = journal->record_capacity ? 2 * journal->record_capacity : 32;
        journal->records = memory_grow(journal->records, capacity, sizeof *journal->records,
                                       "the epochs of a run");
        journal->record_capacity = capacity;
    }
    journal->records[journal->record_count++] = *record;
}

static void add_step(Journal *journal, uint64_t step, double loss) {
    if (journal->step_count == journal->step_capacity) {
        uint32_t capacity = journal->step_capacity ? 2 * journal->step_capacity : 256;
        journal->steps = memory_grow(journal->steps, capacity, sizeof *journal->steps,
                                     "the logged steps of a run");
        journal->step_capacity = capacity;
    }
    journal->steps[journal->step_count++] =
        (StepRecord){(double)step / (double)journal->epoch_steps, loss};
}

/* -- one epoch as JSON and back -- */

static const char *split_key(char key[KEY_MAX], const char *split, const char *value) {
    snprintf(key, KEY_MAX, "%s_%s", split, value);
    return key;
}

static void put_measured(json_t *line, const Journal *journal, const char *split,
                         const Measured *measured) {
    char key[KEY_MAX];
    if (!measured->present) return;
    json_object_set_new(line, split_key(key, split, "loss"), json_number(measured->loss));
    const ModelInfo *info = journal->info;
    for (uint32_t i = 0; i < info->metric_count; i++) {
        Confusion confusion = {.classes = info->counts[i].classes, .counts = measured->counts[i]};
        json_object_set_new(line, split_key(key, split, info->metrics[i]),
                            measured->counts[i] ? confusion_json(&confusion)
                                                : json_number(measured->metrics[i]));
    }
}

static Measured get_measured(const json_t *line, const Journal *journal, const char *split) {
    char key[KEY_MAX];
    Measured measured = {.present = json_object_get(line, split_key(key, split, "loss")) != NULL};
    measured.loss = run_record_number(line, key);
    for (uint32_t i = 0; i < journal->info->metric_count; i++) {
        int64_t classes = journal->info->counts[i].classes;
        split_key(key, split, journal->info->metrics[i]);
        measured.metrics[i] = run_record_number(line, key);
        if (classes) measured.counts[i] = confusion_read(json_object_get(line, key), classes);
    }
    return measured;
}

/* -- the file -- */

static const char *event_of(const json_t *line) {
    const char *event = json_string_value(json_object_get(line, "event"));
    return event ? event : "";
}

/* The part of a run whose results a checkpoint contains. */
typedef struct {
    uint32_t first_epoch; /* the first epoch that is not complete */
    uint64_t steps;
} Done;

/* Whether an earlier line is kept: it is complete, it is not an end line, and its epoch or step
 * will not be repeated. Records the line if it is kept. */
static bool keeps_line(Journal *journal, const char *text, size_t length, Done done) {
    json_t *line = json_loadb(text, length, 0, NULL);
    bool kept = line && strcmp(event_of(line), "end") != 0;
    if (kept && strcmp(event_of(line), "step") == 0) {
        uint64_t step = (uint64_t)json_integer_value(json_object_get(line, "step"));
        kept = step <= done.steps;
        if (kept) add_step(journal, step, run_record_number(line, "loss"));
    }
    if (kept && strcmp(event_of(line), "epoch") == 0) {
        EpochRecord record = {
            .epoch = (uint32_t)json_integer_value(json_object_get(line, "epoch")),
            .train_loss = run_record_number(line, "train_loss"),
            .seconds = run_record_number(line, "seconds"),
            .rows_per_second = run_record_number(line, "rows_per_second"),
            .valid = get_measured(line, journal, "valid"),
            .test = get_measured(line, journal, "test"),
        };
        kept = record.epoch < done.first_epoch;
        if (kept)
            add_record(journal, &record);
        else
            free_counts(&record);
    }
    json_decref(line);
    return kept;
}

/* Moves the lines that are kept to the front of the text, and returns their length in bytes. */
static size_t keep_lines(Journal *journal, char *text, size_t length, Done done) {
    size_t kept = 0;
    for (size_t begin = 0, next; begin < length; begin = next) {
        const char *newline = memchr(text + begin, '\n', length - begin);
        next = newline ? (size_t)(newline - text) + 1 : length;
        if (!newline || !keeps_line(journal, text + begin, next - begin, done)) continue;
        memmove(text + kept, text + begin, next - begin);
        kept += next - begin;
    }
    return kept;
}

/* After the earlier lines that are kept, if there are any. */
static bool write_beginning(Journal *journal, Done done, const json_t *start) {
    size_t length = 0;
    bool keeps = done.first_epoch && file_is_there(journal->path.path);
    char *line = json_dumps(start, LINE_FLAGS);
    char *earlier = keeps ? file_read(journal->path.path, &length, STATUS_FILE, journal->diag)
                          : memory_copy_string("", "the lines of a run");
    if (keeps && earlier) length = keep_lines(journal, earlier, length, done);
    FilePart parts[] = {{earlier, length}, {line, line ? strlen(line) : 0}, {"\n", 1}};
    bool written = earlier && file_replace(journal->path.path, parts, sizeof parts / sizeof *parts);
    if (earlier && !written) file_give_up(&journal->file, journal->path.path, journal->diag);
    free(earlier);
    free(line);
    return written;
}

bool journal_open(Journal *journal, uint32_t first_epoch, uint64_t steps_done, json_t *start) {
    bool written = write_beginning(journal, (Done){first_epoch, steps_done}, start);
    int file = written ? open(journal->path.path,
                              O_WRONLY | O_APPEND | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC)
                       : -1;
    journal->file = file < 0 ? NULL : fdopen(file, "ab");
    if (written && !journal->file) file_give_up(&journal->file, journal->path.path, journal->diag);
    if (!journal->file && file >= 0) close(file);
    if (journal->to_stdout && journal->file) json_print_line(json_incref(start), stdout);
    json_decref(start);
    return journal->file != NULL;
}

void journal_write(Journal *journal, json_t *line) {
    if (journal->to_stdout) json_print_line(json_incref(line), stdout);
    if (!journal->file)
        json_decref(line);
    else if (!json_print_line(line, journal->file))
        file_give_up(&journal->file, journal->path.path, journal->diag);
}

void journal_epoch(Journal *journal, const EpochRecord *record) {
    add_record(journal, record);
    json_t *line = json_pack("{s:s, s:i}", "event", "epoch", "epoch", (int)record->epoch);
    json_object_set_new(line, "train_loss", json_number(record->train_loss));
    put_measured(line, journal, "valid", &record->valid);
    put_measured(line, journal, "test", &record->test);
    json_object_set_new(line, "seconds", json_number(record->seconds));
    json_object_set_new(line, "rows_per_second", json_number(record->rows_per_second));
    journal_write(journal, line);
}

void journal_step(Journal *journal, const StepLog *step, double rate) {
    add_step(journal, step->step, step->loss);
    json_t *line = json_pack("{s:s, s:I, s:I}", "event", "step", "step", (json_int_t)step->step,
                             "epoch", (json_int_t)step->epoch);
    json_object_set_new(line, "loss", json_number(step->loss));
    json_object_set_new(line, "rate", json_number(rate));
    json_object_set_new(line, "seconds", json_number(step->seconds));
    journal_write(journal, line);
}

/* -- warnings and errors as events -- */

typedef struct {
    json_t *events;
    DiagKind kind;
    json_t *last; /* the event that notes and help belong to; NULL: it is not wanted */
} EventList;

static void put_place(json_t *object, const DiagLine *line) {
    json_object_set_new(object, "message", json_text(line->message));
    if (!line->file) return;
    json_object_set_new(object, "file", json_text(line->file));
    json_object_set_new(object, "line", json_integer(line->line));
    json_object_set_new(object, "column", json_integer(line->column));
}

static void append(json_t *object, const char *key, json_t *item) {
    if (!json_object_get(object, key)) json_object_set_new(object, key, json_array());
    json_array_append_new(json_object_get(object, key), item);
}

static void gather(void *context, const DiagLine *line) {
    EventList *list = context;
    bool begins = line->kind == DIAG_ERROR || line->kind == DIAG_WARNING;
    if (begins) list->last = NULL;
    if (line->kind == list->kind) {
        list->last = json_pack("{s:s}", "event", line->kind == DIAG_ERROR ? "error" : "warning");
        put_place(list->last, line);
        json_array_append_new(list->events, list->last);
    } else if (list->last && line->kind == DIAG_HELP) {
        append(list->last, "help", json_text(line->message));
    } else if (list->last && line->kind == DIAG_NOTE) {
        json_t *note = json_object();
        put_place(note, line);
        append(list->last, "notes", note);
    }
}

json_t *journal_diagnostics(const Diagnostics *diag, DiagKind kind) {
    EventList list = {json_array(), kind, NULL};
    diag_visit(diag, gather, &list);
    return list.events;
}
