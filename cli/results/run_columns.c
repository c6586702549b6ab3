/* Columns of runs. */
#include "cli/results/run_columns.h"
#include "cli/results/journal.h"
#include "cli/text/csv.h"
#include "cli/text/terminal.h"
#include "ir/base/memory.h"

#include <stdlib.h>
#include <string.h>

#define BEST "best_"

static const char *const fixed[RUN_FIXED_COLUMNS] = {
    "run", "model", "state", "epoch", "epochs", "seconds", "set", "best_epoch", "hash"};

/* -- the value of a column -- */

static json_t *joined(const json_t *texts) {
    size_t i, length = 0;
    json_t *text;
    char all[1024] = "";
    json_array_foreach(texts, i, text) {
        int added = snprintf(all + length, sizeof all - length, "%s%s", i ? " " : "",
                             json_string_value(text));
        length += (size_t)added;
        if (length >= sizeof all) break;
    }
    return json_text(all);
}

static json_t *value_in(const json_t *line, const char *key) {
    json_t *value = json_object_get(line, key);
    return json_is_number(value) ? json_incref(value) : NULL;
}

json_t *run_column(const RunRecord *run, const char *name) {
    const json_t *last = run_record_last(run);
    char hash[65];
    if (!strcmp(name, "run")) return json_text(run->folder.path);
    if (!strcmp(name, "state")) return json_string(run_state_name(run->state));
    if (!strcmp(name, "seconds")) return json_real(run->seconds);
    if (!strcmp(name, "hash")) return run_record_hash(run, hash), *hash ? json_string(hash) : NULL;
    if (!strcmp(name, "set")) return joined(json_object_get(run->start, "set"));
    if (!strcmp(name, "model") || !strcmp(name, "epochs"))
        return json_incref(json_object_get(run->start, name));
    if (!strncmp(name, BEST, strlen(BEST))) return value_in(run->best, name + strlen(BEST));
    return value_in(last, name);
}

/* -- their names -- */

bool run_is_metric(const char *key, const json_t *value) {
    static const char *const others[] = {"epoch", "seconds", "rows_per_second"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(key, others[i])) return false;
    return json_is_number(value);
}

static void add_keys(json_t *set, const json_t *line) {
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)line, key, value) {
        if (run_is_metric(key, value) && !json_object_get(set, key))
            json_object_set_new(set, key, json_true());
    }
}

const char **run_columns(const RunRecord *runs, uint32_t run_count, Arena *arena, uint32_t *count) {
    json_t *last = json_object(), *best = json_object();
    for (uint32_t i = 0; i < run_count; i++) {
        add_keys(last, run_record_last(&runs[i]));
        add_keys(best, runs[i].best);
    }
    const char **names = (const char **)ARENA_ARRAY(
        arena, char *, RUN_FIXED_COLUMNS + json_object_size(last) + json_object_size(best));
    const char *key;
    json_t *value;
    *count = RUN_FIXED_COLUMNS;
    memcpy(names, fixed, sizeof fixed);
    json_object_foreach(last, key, value) names[(*count)++] = arena_format(arena, "%s", key);
    json_object_foreach(best, key, value) names[(*count)++] = arena_format(arena, BEST "%s", key);
    json_decref(last);
    json_decref(best);
    return names;
}

void run_put_csv(const json_t *value, FILE *out) {
    char number[NUMBER_TEXT];
    if (json_is_string(value))
        csv_put_text(json_string_value(value), out);
    else if (json_is_number(value))
        fputs(text_exact(number, json_number_value(value), VALUE_DIGITS), out);
}

/* -- sorting -- */

static int kind_of(const json_t *value) {
    return json_is_number(value) ? 0 : json_is_string(value) ? 1 : 2;
}

/* Numbers stand before texts, and texts before missing values. */
static int value_order(const json_t *a, const json_t *b) {
    if (kind_of(a) != kind_of(b)) return kind_of(a) - kind_of(b);
    if (json_is_string(a)) return strverscmp(json_string_value(a), json_string_value(b));
    double x = json_number_value(a), y = json_number_value(b);
    return (x > y) - (x < y);
}

/* A few thousand runs at most: insertion keeps equal ones in their order. */
void run_sort(RunRecord *runs, uint32_t count, const char *column) {
    int sign = *column == '-' ? -1 : 1;
    json_t **values = (json_t **)memory_array(count + 1, sizeof *values, "the values of a column");
    for (uint32_t i = 0; i < count; i++) {
        RunRecord run = runs[i];
        json_t *value = run_column(&run, column + (sign < 0));
        uint32_t at = i;
        for (; at; at--) {
            int order = value_order(value, values[at - 1]);
            bool both = kind_of(value) < 2 && kind_of(values[at - 1]) < 2;
            if ((both ? sign * order : order) >= 0) break;
            runs[at] = runs[at - 1];
            values[at] = values[at - 1];
        }
        runs[at] = run;
        values[at] = value;
    }
    for (uint32_t i = 0; i < count; i++) json_decref(values[i]);
    free(values);
}
