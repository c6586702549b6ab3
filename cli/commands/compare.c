/* mlc compare: shows runs side by side: different settings, metrics and curves. */
#include "cli/results/journal.h"
#include "cli/results/run_columns.h"
#include "cli/session/commands.h"
#include "engine/session/runs.h"
#include "cli/show/curves.h"
#include "cli/text/table.h"
#include "cli/text/terminal.h"
#include "ir/base/display.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_SHOWN = 12, VALUE_TEXT = 64 };

typedef struct {
    const Options *options;
    Diagnostics *diag;
    Arena *arena;
    RunRecord runs[CURVES_MAX];
    uint32_t count;
    const char **metrics; /* metrics of the last epochs: "train_loss", "test_accuracy" */
    uint32_t metric_count;
} RunComparison;

static bool open_runs(RunComparison *c) {
    for (int i = 0; i < c->options->operand_count; i++) {
        const char *folder = c->options->operands[i];
        if (run_record_read(folder, &c->runs[c->count])) {
            c->count++;
            continue;
        }
        diag_error(c->diag, STATUS_FILE, (Span){0}, "'%s' is not the folder of a run: it has no %s",
                   folder, RUN_METRICS);
        diag_help(c->diag, "'mlc runs' lists the runs");
        return false;
    }
    uint32_t columns;
    const char **names = run_columns(c->runs, c->count, c->arena, &columns);
    c->metrics = names + RUN_FIXED_COLUMNS;
    while (RUN_FIXED_COLUMNS + c->metric_count < columns &&
           strncmp(c->metrics[c->metric_count], "best_", 5) != 0)
        c->metric_count++;
    return true;
}

/* -- a table with a line for each fact and a column for each run -- */

typedef struct {
    const char **cells;
    uint32_t rows, columns;
} Facts;

static void add_fact(Facts *facts, const char *name) {
    facts->cells[facts->rows++ * facts->columns] = name;
}

static void put_fact(Facts *facts, uint32_t run, const char *text) {
    facts->cells[(facts->rows - 1) * facts->columns + 1 + run] = text;
}

static const char *number_text(const RunComparison *c, double value) {
    char text[NUMBER_TEXT];
    return isnan(value) ? "" : arena_format(c->arena, "%s", text_number(text, value));
}

static void print_facts(const RunComparison *c, const Facts *facts, const char *head) {
    const char **heads = (const char **)ARENA_ARRAY(c->arena, char *, facts->columns);
    bool *right = ARENA_ARRAY(c->arena, bool, facts->columns);
    heads[0] = head;
    for (uint32_t r = 0; r < c->count; r++) {
        heads[1 + r] = c->runs[r].folder.path;
        right[1 + r] = true;
    }
    table_print(&(TextTable){heads, right, facts->cells, facts->columns, facts->rows}, stdout);
}

static Facts facts_new(const RunComparison *c, uint32_t rows) {
    uint32_t columns = 1 + c->count;
    return (Facts){(const char **)ARENA_ARRAY(c->arena, char *, rows *columns), 0, columns};
}

/* -- settings -- */

/* The value of NAME in the run's --set options; NULL: it was not set. */
static const char *set_value(const RunRecord *run, const char *name, size_t length) {
    size_t i;
    json_t *text;
    json_array_foreach(json_object_get(run->start, "set"), i, text) {
        const char *set = json_string_value(text);
        if (set && !strncmp(set, name, length) && set[length] == '=') return set + length + 1;
    }
    return NULL;
}

static void add_settings(const RunComparison *c, Facts *facts, const RunRecord *run) {
    size_t i;
    json_t *text;
    json_array_foreach(json_object_get(run->start, "set"), i, text) {
        const char *set = json_string_value(text), *equals = set ? strchr(set, '=') : NULL;
        if (!equals) continue;
        size_t length = (size_t)(equals - set);
        const char *name = arena_format(c->arena, "%.*s", (int)length, set);
        bool listed = false;
        for (uint32_t r = 0; r < facts->rows; r++)
            listed |= !strcmp(facts->cells[r * facts->columns], name);
        if (listed) continue;
        add_fact(facts, name);
        for (uint32_t r = 0; r < c->count; r++) {
            const char *value = set_value(&c->runs[r], name, length);
            put_fact(facts, r, value ? arena_format(c->arena, "%.*s", VALUE_TEXT, value) : "-");
        }
    }
}

static void add_states(const RunComparison *c, Facts *facts) {
    static const char *const names[] = {"model", "state", "epoch", "epochs", "seconds"};
    for (size_t n = 0; n < sizeof names / sizeof *names; n++) {
        add_fact(facts, names[n]);
        for (uint32_t r = 0; r < c->count; r++) {
            char text[NUMBER_TEXT];
            json_t *value = run_column(&c->runs[r], names[n]);
            put_fact(facts, r,
                     arena_format(c->arena, "%s",
                                  json_is_string(value) ? json_string_value(value)
                                  : json_is_integer(value)
                                      ? text_count(text, json_integer_value(value))
                                      : text_number(text, json_number_value(value))));
            json_decref(value);
        }
    }
}

/* -- metrics and curves -- */

static void add_metrics(const RunComparison *c, Facts *facts) {
    for (uint32_t m = 0; m < c->metric_count; m++) {
        add_fact(facts, c->metrics[m]);
        for (uint32_t r = 0; r < c->count; r++)
            put_fact(
                facts, r,
                number_text(c, run_record_number(run_record_last(&c->runs[r]), c->metrics[m])));
    }
    add_fact(facts, "best epoch");
    for (uint32_t r = 0; r < c->count; r++) {
        const RunRecord *run = &c->runs[r];
        put_fact(facts, r,
                 run->best ? arena_format(
                                 c->arena, "%lld: %s %s",
                                 (long long)json_integer_value(json_object_get(run->best, "epoch")),
                                 run->best_score,
                                 number_text(c, run_record_number(run->best, run->best_score)))
                           : "");
    }
}

static const json_t *epoch_line(const RunRecord *run, int64_t epoch) {
    size_t i;
    json_t *line;
    json_array_foreach(run->epochs, i, line) {
        if (json_integer_value(json_object_get(line, "epoch")) == epoch) return line;
    }
    return NULL;
}

static int64_t last_epoch(const RunComparison *c) {
    int64_t last = 0;
    for (uint32_t r = 0; r < c->count; r++) {
        int64_t of_run = json_integer_value(json_object_get(run_record_last(&c->runs[r]), "epoch"));
        if (of_run > last) last = of_run;
    }
    return last;
}

/* At most ROWS_SHOWN epochs, evenly spread, the last one among them. */
static void print_epochs(const RunComparison *c) {
    int64_t last = last_epoch(c), shown = last < ROWS_SHOWN ? last : ROWS_SHOWN;
    const char *metric = "train_loss";
    /* the score by which the first run with one chooses its best epoch */
    for (uint32_t r = c->count; r-- > 0;)
        if (c->runs[r].best_score) metric = c->runs[r].best_score;
    Facts facts = facts_new(c, (uint32_t)shown + 1);
    for (int64_t i = 1; i <= shown; i++) {
        int64_t epoch = last * i / shown;
        add_fact(&facts, arena_format(c->arena, "%lld", (long long)epoch));
        for (uint32_t r = 0; r < c->count; r++)
            put_fact(&facts, r,
                     number_text(c, run_record_number(epoch_line(&c->runs[r], epoch), metric)));
    }
    printf("\n%s after epoch\n", metric);
    print_facts(c, &facts, "");
}

static Curve curve_of(const RunComparison *c, uint32_t run, const char *metric) {
    static const Colour colours[CURVES_MAX] = {COLOUR_BLUE, COLOUR_ORANGE, COLOUR_GREEN,
                                               COLOUR_RED,  0x7b4fa3u,     0x8c6d31u,
                                               0x17a2b8u,   COLOUR_FAINT};
    const json_t *epochs = c->runs[run].epochs;
    uint32_t count = (uint32_t)json_array_size(epochs);
    double *values = ARENA_ARRAY(c->arena, double, count),
           *numbers = ARENA_ARRAY(c->arena, double, count);
    for (uint32_t i = 0; i < count; i++) {
        const json_t *line = json_array_get(epochs, i);
        numbers[i] = (double)json_integer_value(json_object_get(line, "epoch"));
        values[i] = run_record_number(line, metric);
    }
    return (Curve){c->runs[run].folder.path, colours[run], values, numbers, count};
}

static bool draw(const RunComparison *c) {
    CurvePanel *panels = ARENA_ARRAY(c->arena, CurvePanel, c->metric_count);
    for (uint32_t m = 0; m < c->metric_count; m++) {
        Curve *curves = ARENA_ARRAY(c->arena, Curve, c->count);
        for (uint32_t r = 0; r < c->count; r++) curves[r] = curve_of(c, r, c->metrics[m]);
        panels[m] = (CurvePanel){.title = c->metrics[m],
                                 .percent = strstr(c->metrics[m], "accuracy") != NULL,
                                 .untrained = NAN,
                                 .curves = curves,
                                 .curve_count = c->count};
    }
    return curve_panels_draw(c->options->curves, "runs compared", panels, c->metric_count, c->diag);
}

Status command_compare(const Options *given, Diagnostics *diag) {
    enum { FIXED_FACTS = 8 };
    RunComparison c = {.options = given, .diag = diag, .arena = arena_new()};
    if (open_runs(&c)) {
        uint32_t sets = 0;
        for (uint32_t r = 0; r < c.count; r++)
            sets += (uint32_t)json_array_size(json_object_get(c.runs[r].start, "set"));
        Facts facts = facts_new(&c, FIXED_FACTS + sets + c.metric_count);
        for (uint32_t r = 0; r < c.count; r++) add_settings(&c, &facts, &c.runs[r]);
        add_states(&c, &facts);
        add_metrics(&c, &facts);
        print_facts(&c, &facts, "");
        if (last_epoch(&c)) print_epochs(&c);
        if (given->curves) draw(&c);
    }
    for (uint32_t r = 0; r < c.count; r++) run_record_free(&c.runs[r]);
    arena_free(c.arena);
    return diag_status(diag);
}
