/* mlc runs: lists the trainings in a folder, one a line. */
#include "cli/results/journal.h"
#include "cli/results/run_columns.h"
#include "cli/session/commands.h"
#include "cli/session/run_search.h"
#include "cli/text/table.h"
#include "cli/text/terminal.h"
#include "ir/base/memory.h"
#include "ir/base/names.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const Options *options;
    Diagnostics *diag;
    Arena *arena;
    RunRecord *runs;
    uint32_t count;
    const char **columns;
    uint32_t column_count;
} RunList;

/* -- finding -- */

static bool add_folder(RunList *list, const char *folder) {
    uint32_t count;
    const char **paths = runs_search(folder, list->arena, &count, list->diag);
    if (!paths) return false;
    list->runs = memory_grow(list->runs, list->count + count, sizeof *list->runs, "a list of runs");
    for (uint32_t i = 0; i < count; i++)
        list->count += run_record_read(paths[i], &list->runs[list->count]);
    return true;
}

static bool find_runs(RunList *list) {
    bool found = true;
    for (int i = 0; i < list->options->operand_count; i++)
        found &= add_folder(list, list->options->operands[i]);
    if (!list->options->operand_count) found = add_folder(list, "runs");
    if (!found) return false;
    list->columns = run_columns(list->runs, list->count, list->arena, &list->column_count);
    return true;
}

static bool sort_runs(RunList *list) {
    const char *sort = list->options->sort;
    if (!sort) return true;
    for (uint32_t i = 0; i < list->column_count; i++) {
        if (strcmp(sort + (*sort == '-'), list->columns[i])) continue;
        run_sort(list->runs, list->count, sort);
        return true;
    }
    diag_error(list->diag, STATUS_USAGE, (Span){0}, "--sort: no run has a column '%s'",
               sort + (*sort == '-'));
    if (!diag_suggest(list->diag, sort + (*sort == '-'), list->columns, list->column_count))
        diag_help(list->diag, "the columns are %s",
                  names_quoted(list->arena, list->columns, list->column_count, list->column_count));
    return false;
}

/* -- as csv and JSON -- */

static bool write_csv(const RunList *list) {
    MemoryStream stream;
    memory_stream_begin(&stream);
    for (uint32_t c = 0; c < list->column_count; c++)
        fprintf(stream.out, "%s%s", c ? "," : "", list->columns[c]);
    for (uint32_t r = 0; r < list->count; r++)
        for (uint32_t c = 0; c < list->column_count; c++) {
            json_t *value = run_column(&list->runs[r], list->columns[c]);
            putc(c ? ',' : '\n', stream.out);
            run_put_csv(value, stream.out);
            json_decref(value);
        }
    putc('\n', stream.out);
    return file_write_stream(list->options->table, &stream, list->diag);
}

static void print_json(const RunList *list) {
    for (uint32_t r = 0; r < list->count; r++) {
        json_t *line = json_object();
        for (uint32_t c = 0; c < list->column_count; c++) {
            json_t *value = run_column(&list->runs[r], list->columns[c]);
            if (value) json_object_set_new(line, list->columns[c], value);
        }
        json_object_set(line, "set", json_object_get(list->runs[r].start, "set"));
        json_print_line(line, stdout);
    }
}

/* -- as a table -- */

static const char *cell_of(const RunList *list, const RunRecord *run, const char *column) {
    json_t *value = run_column(run, column);
    const char *text = json_is_integer(value)
                           ? arena_format(list->arena, "%lld", (long long)json_integer_value(value))
                       : json_is_string(value)
                           ? arena_format(list->arena, "%s", json_string_value(value))
                           : "";
    json_decref(value);
    return text;
}

enum { HEADS = 8 };

static void fill_line(const RunList *list, const RunRecord *run, const char *cells[HEADS]) {
    char number[NUMBER_TEXT];
    const json_t *last = run_record_last(run);
    double loss = run_record_number(last, "train_loss");
    const char *best = "";
    if (run->best)
        best = arena_format(list->arena, "%s %s, epoch %lld", run->best_score,
                            text_number(number, run_record_number(run->best, run->best_score)),
                            (long long)json_integer_value(json_object_get(run->best, "epoch")));
    const char *line[HEADS] = {
        run->folder.path,
        cell_of(list, run, "model"),
        run_state_name(run->state),
        arena_format(list->arena, "%lld/%s",
                     (long long)json_integer_value(json_object_get(last, "epoch")),
                     cell_of(list, run, "epochs")),
        arena_format(list->arena, "%.1f", run->seconds),
        isnan(loss) ? "" : arena_format(list->arena, "%s", text_number(number, loss)),
        best,
        cell_of(list, run, "set")};
    memcpy(cells, line, sizeof line);
}

static void print_table(const RunList *list) {
    static const char *const heads[HEADS] = {"run",     "model",      "state", "epochs",
                                             "seconds", "train loss", "best",  "set"};
    static const bool right[HEADS] = {false, false, false, true, true, true, false, false};
    const char **cells = (const char **)ARENA_ARRAY(list->arena, char *, list->count *HEADS);
    for (uint32_t r = 0; r < list->count; r++) fill_line(list, &list->runs[r], &cells[r * HEADS]);
    table_print(&(TextTable){heads, right, cells, HEADS, list->count}, stdout);
}

Status command_runs(const Options *given, Diagnostics *diag) {
    RunList list = {.options = given, .diag = diag, .arena = arena_new()};
    if (find_runs(&list) && sort_runs(&list)) {
        if (given->json)
            print_json(&list);
        else if (!given->table)
            print_table(&list);
        if (given->table) write_csv(&list);
    }
    for (uint32_t i = 0; i < list.count; i++) run_record_free(&list.runs[i]);
    free(list.runs);
    arena_free(list.arena);
    return diag_status(diag);
}
