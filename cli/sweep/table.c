/* Tables of a sweep. */
#include "cli/sweep/table.h"
#include "cli/results/journal.h"
#include "cli/results/run_columns.h"
#include "cli/sweep/study.h"
#include "engine/files/files.h"
#include "cli/text/csv.h"
#include "cli/text/table.h"
#include "cli/text/terminal.h"
#include "ir/base/files.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The result of the last rung that a trial has reached; NULL: none. */
static const json_t *last_result(Results *results, uint32_t trial, uint32_t *rung) {
    const json_t *last = NULL;
    for (uint32_t r = 0; r < results->plan->rungs && results_decided(results, r); r++) {
        const json_t *line = results_alive(results, r, trial / results->plan->repeats)
                                 ? results_get(results, trial, r)
                                 : NULL;
        if (!line) break;
        last = line;
        *rung = r;
    }
    return last;
}

/* -- csv -- */

/* The metrics of the last epochs of all trials, in the order in which they appear. */
static json_t *metric_keys(Results *results) {
    json_t *keys = json_object(), *value;
    const char *key;
    uint32_t rung;
    for (uint32_t trial = 0; trial < plan_trials(results->plan); trial++) {
        json_t *last = json_object_get(last_result(results, trial, &rung), "last");
        json_object_foreach(last, key, value) {
            if (run_is_metric(key, value) && !json_object_get(keys, key))
                json_object_set_new(keys, key, json_true());
        }
    }
    return keys;
}

static void put_value(const json_t *value, FILE *out) {
    putc(',', out);
    run_put_csv(value, out);
}

static const char *after_equals(const json_t *setting) {
    const char *text = json_string_value(setting);
    return strchr(text, '=') + 1;
}

static void print_csv_line(Results *results, uint32_t trial, const json_t *keys, FILE *out) {
    static const char *const columns[] = {"state", "epoch", "best_epoch", "score_of", "score"};
    const SweepPlan *plan = results->plan;
    uint32_t rung = 0, setting = trial / plan->repeats;
    const json_t *line = last_result(results, trial, &rung);
    size_t i;
    json_t *text;
    fprintf(out, "%u,%u,%llu", trial, setting, (unsigned long long)plan_seed(plan, trial));
    if (plan->folds > 1) fprintf(out, ",%u", plan_fold(plan, trial));
    json_array_foreach(plan_setting(plan, setting), i, text) {
        putc(',', out);
        csv_put_text(after_equals(text), out);
    }
    fprintf(out, ",%u", rung);
    for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
        put_value(json_object_get(line, columns[c]), out);
    const char *key;
    json_object_foreach((json_t *)keys, key, text)
        put_value(json_object_get(json_object_get(line, "last"), key), out);
    put_value(json_object_get(line, "hash"), out);
    put_value(json_object_get(line, "message"), out);
    putc('\n', out);
}

static void print_csv(Results *results, FILE *out) {
    json_t *keys = metric_keys(results), *text;
    const char *key;
    size_t i;
    fputs("trial,setting,seed", out);
    if (results->plan->folds > 1) fputs(",fold", out);
    json_array_foreach(plan_names(results->plan), i, text) {
        putc(',', out);
        csv_put_text(json_string_value(text), out);
    }
    fputs(",rung,state,epoch,best_epoch,score_of,score", out);
    json_object_foreach(keys, key, text) fprintf(out, ",%s", key);
    fputs(",hash,message\n", out);
    for (uint32_t trial = 0; trial < plan_trials(results->plan); trial++)
        print_csv_line(results, trial, keys, out);
    json_decref(keys);
}

bool sweep_write_csv(Results *results, const char *path, Diagnostics *diag) {
    MemoryStream stream;
    memory_stream_begin(&stream);
    print_csv(results, stream.out);
    return file_write_stream(path, &stream, diag);
}

/* -- the best -- */

/* The standard deviation of the score over the trials of a setting, with their number - 1 as the
 * divisor. */
static double deviation(Results *results, uint32_t setting, uint32_t rung, double mean) {
    uint32_t repeats = results->plan->repeats;
    double sum = 0;
    for (uint32_t r = 0; r < repeats; r++) {
        double away =
            run_record_number(results_get(results, setting * repeats + r, rung), "score") - mean;
        sum += away * away;
    }
    return sqrt(sum / (repeats - 1));
}

static const char *score_cell(Results *results, uint32_t setting, Arena *arena) {
    char mean_text[NUMBER_TEXT], deviation_text[NUMBER_TEXT];
    uint32_t rung = (uint32_t)results_rung(results, setting);
    double mean = results_score(results, setting, rung);
    const json_t *line = results_get(results, setting * results->plan->repeats, rung);
    if (isnan(mean))
        return arena_format(arena, "%s", json_string_value(json_object_get(line, "state")));
    if (results->plan->repeats == 1) return arena_format(arena, "%s", text_number(mean_text, mean));
    return arena_format(arena, "%s +- %s", text_number(mean_text, mean),
                        text_number(deviation_text, deviation(results, setting, rung, mean)));
}

static const char *score_head(Results *results, const uint32_t *settings, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        const json_t *line = results_get(results, settings[i] * results->plan->repeats, 0);
        const char *name = json_string_value(json_object_get(line, "score_of"));
        if (name) return name;
    }
    return "score";
}

static void fill_line(Results *results, uint32_t setting, const char **cells, Arena *arena) {
    size_t i;
    json_t *text;
    uint32_t rung = (uint32_t)results_rung(results, setting);
    *cells++ = arena_format(arena, "%u", setting);
    *cells++ = score_cell(results, setting, arena);
    const json_t *line = results_get(results, setting * results->plan->repeats, rung);
    *cells++ =
        arena_format(arena, "%lld", (long long)json_integer_value(json_object_get(line, "epoch")));
    json_array_foreach(plan_setting(results->plan, setting), i, text) {
        if (plan_varies(results->plan, (uint32_t)i)) *cells++ = after_equals(text);
    }
}

void sweep_print_best(Results *results, uint32_t most, FILE *out) {
    enum { FIRST = 3 };
    const SweepPlan *plan = results->plan;
    Arena *arena = arena_new();
    uint32_t *settings = ARENA_ARRAY(arena, uint32_t, plan->settings),
             count = results_ranking(results, settings);
    uint32_t columns = FIRST, names = (uint32_t)json_array_size(plan_names(plan));
    for (uint32_t p = 0; p < names; p++) columns += plan_varies(plan, p);
    const char **heads = (const char **)ARENA_ARRAY(arena, char *, columns),
               **cells = (const char **)ARENA_ARRAY(arena, char *, columns *(count + 1));
    bool *right = ARENA_ARRAY(arena, bool, columns);
    size_t i;
    json_t *name;
    if (count > most) count = most;
    heads[0] = "setting", heads[1] = score_head(results, settings, count), heads[2] = "epochs";
    right[0] = right[2] = true;
    uint32_t column = FIRST;
    json_array_foreach(plan_names(plan), i, name) {
        if (plan_varies(plan, (uint32_t)i)) heads[column++] = json_string_value(name);
    }
    for (uint32_t r = 0; r < count; r++)
        fill_line(results, settings[r], &cells[r * columns], arena);
    if (count) table_print(&(TextTable){heads, right, cells, columns, count}, out);
    arena_free(arena);
}

/* -- how far the sweep is -- */

typedef struct {
    uint32_t finished, left, failed, claimed; /* trials */
    uint32_t untold;                          /* settings whose score a study does not know yet */
} Tally;

static Tally tally_of(Results *results) {
    const SweepPlan *plan = results->plan;
    Tally tally = {0};
    for (uint32_t rung = 0; rung < plan->rungs && results_decided(results, rung); rung++)
        for (uint32_t trial = 0; trial < plan_trials(plan); trial++) {
            if (!results_alive(results, rung, trial / plan->repeats)) continue;
            const json_t *line = results_get(results, trial, rung);
            tally.finished += line != NULL;
            tally.failed += line && !json_object_get(line, "score_of");
            tally.left += !line;
            tally.claimed += !line && file_is_there(plan_trial(plan, trial, PLAN_CLAIM).path);
        }
    for (uint32_t setting = 0; plan->study && setting < plan->settings; setting++)
        tally.untold += results_rung(results, setting) >= 0 && !study_has_told(plan, setting);
    return tally;
}

bool sweep_complete(Results *results) {
    if (!results_decided(results, results->plan->rungs - 1)) return false;
    Tally tally = tally_of(results);
    return !tally.left && !tally.untold;
}

void sweep_print_status(Results *results, FILE *out) {
    Tally tally = tally_of(results);
    const SweepPlan *plan = results->plan;
    fprintf(out, "%u settings", plan->settings);
    if (plan->seeds > 1) fprintf(out, " with %u seeds", plan->seeds);
    if (plan->folds > 1)
        fprintf(out, " %s %u folds", plan->seeds > 1 ? "and" : "with", plan->folds);
    fprintf(out, ": %u trials finished", tally.finished);
    if (tally.failed) fprintf(out, ", %u of them without a score", tally.failed);
    if (tally.left) fprintf(out, ", %u left", tally.left);
    if (tally.claimed) fprintf(out, ", %u claimed by workers", tally.claimed);
    if (tally.untold)
        fprintf(out, ", %u score%s not told to the study", tally.untold,
                tally.untold == 1 ? "" : "s");
    if (plan->rungs > 1)
        fprintf(out, "; rung %u of %u",
                results_decided(results, plan->rungs - 1) ? plan->rungs : results->decided,
                plan->rungs);
    putc('\n', out);
}
