/* Predictions as a table: a line for each row, columns for each output. */
#include "cli/results/predict_columns.h"
#include "cli/show/predict_show.h"
#include "cli/results/units.h"
#include "ir/base/display.h"
#include "runtime/data/dataset.h"

#include <limits.h>
#include <math.h>
#include <string.h>

enum { BAR_WIDTH = 24, BAR_NAME_WIDTH = 12, GAP = 2, FIRST_WIDTH = 7 };

typedef struct {
    const Predicting *predicting;
    const AnswerColumn *columns;
    int *widths;
    uint32_t count;
    int blanks; /* spaces to print before the next text; so a line has none at its end */
} PredictTable;

/* -- cells -- */

/* The width at which text is cut off. File names are printed in full. */
static int max_width(const AnswerColumn *column) {
    return column->kind == COLUMN_FILE ? PATH_MAX : CLASS_WIDTH;
}

static int text_width(const char *text, int max) {
    return (int)display_columns(text, display_fitting(text, (size_t)max));
}

static void widen(int *width, const char *text, int max) {
    if (text_width(text, max) > *width) *width = text_width(text, max);
}

static void print_cell(PredictTable *table, const char *text, int width, int max, bool left) {
    FILE *out = table->predicting->out;
    int room = width - text_width(text, max);
    table->blanks += GAP + (left ? 0 : room);
    if (*text) {
        fprintf(out, "%*s", table->blanks, "");
        terminal_cell(out, text, 0, max);
        table->blanks = 0;
    }
    table->blanks += *text ? (left ? room : 0) : (left ? width : 0);
}

static void end_line(PredictTable *table) {
    putc('\n', table->predicting->out);
    table->blanks = 0;
}

/* -- lines -- */

/* Prints the names of several outputs above their columns. */
static void print_outputs(PredictTable *table) {
    const Predictions *last = NULL;
    if (table->predicting->output_count < 2) return;
    for (uint32_t k = 0; k < table->count; k++) {
        const Predictions *output = table->columns[k].output;
        const char *name = output && output != last ? output->output->name : "";
        last = output;
        print_cell(table, name, table->widths[k], CLASS_WIDTH, true);
        int beyond = text_width(name, CLASS_WIDTH) - table->widths[k];
        if (beyond > 0) table->blanks -= beyond;
        if (table->blanks < 0) table->blanks = 0;
    }
    end_line(table);
}

static void print_row(PredictTable *table, int64_t i) {
    const Predicting *predicting = table->predicting;
    char buffer[NUMBER_TEXT];
    for (uint32_t k = 0; k < table->count; k++) {
        const AnswerColumn *column = &table->columns[k];
        bool bad = column->output && predicted_wrongly(predicting, column->output, i);
        if (bad) fputs(terminal_style(predicting->out, STYLE_BAD), predicting->out);
        print_cell(table, column_text(predicting, column, i, buffer), table->widths[k],
                   max_width(column), column_is_name(column));
        if (bad) fputs(terminal_style(predicting->out, STYLE_PLAIN), predicting->out);
    }
    end_line(table);
}

static void print_table(const Predicting *predicting, bool classes) {
    PredictTable table = {.predicting = predicting};
    table.columns = predicted_columns(predicting, false, classes, &table.count);
    char buffer[NUMBER_TEXT];
    table.widths = ARENA_ARRAY(table.predicting->session.arena, int, table.count);
    for (uint32_t k = 0; k < table.count; k++) {
        table.widths[k] = k ? 0 : FIRST_WIDTH - GAP;
        widen(&table.widths[k], table.columns[k].head, CLASS_WIDTH);
        for (int64_t i = 0; i < table.predicting->displayed; i++)
            widen(&table.widths[k], column_text(table.predicting, &table.columns[k], i, buffer),
                  max_width(&table.columns[k]));
    }
    print_outputs(&table);
    for (uint32_t k = 0; k < table.count; k++)
        print_cell(&table, table.columns[k].head, table.widths[k], CLASS_WIDTH,
                   column_is_name(&table.columns[k]));
    end_line(&table);
    for (int64_t i = 0; i < predicting->displayed; i++) print_row(&table, i);
}

/* -- totals -- */

static void print_correct(const Predicting *predicting, const Predictions *output) {
    int64_t known = predicted_known(predicting, output);
    if (!known) return;
    if (predicting->output_count > 1) fprintf(predicting->out, "%s: ", output->output->name);
    fprintf(predicting->out, "%lld of %lld correct",
            (long long)(known - predicted_mistakes(predicting, output)), (long long)known);
    if (known < predicting->count)
        fprintf(predicting->out, ", %lld of an unknown class",
                (long long)(predicting->count - known));
    putc('\n', predicting->out);
}

static void print_totals(const Predicting *predicting) {
    uint32_t count;
    const UnitErrors *errors = units_errors(predicting->session.arena, predicting->outputs,
                                            predicting->output_count, &count);
    for (uint32_t k = 0; k < predicting->output_count; k++)
        if (predicting->outputs[k].output->classes)
            print_correct(predicting, &predicting->outputs[k]);
    for (uint32_t k = 0; k < count && predicting->count > 1; k++) {
        char rmse[NUMBER_TEXT], mae[NUMBER_TEXT], values[NUMBER_TEXT];
        terminal_cell(predicting->out, units_name(predicting->session.arena, errors, count, k), 0,
                      CLASS_WIDTH);
        fprintf(predicting->out, ": rmse %s, mae %s of %s value%s\n",
                text_value(rmse, errors[k].rmse, VALUE_DIGITS),
                text_value(mae, errors[k].mae, VALUE_DIGITS), text_count(values, errors[k].count),
                errors[k].count == 1 ? "" : "s");
    }
}

/* -- a single row: its image, then for each output a bar per class, or the values -- */

static void print_bars(const Predicting *predicting, const Predictions *output) {
    char number[NUMBER_TEXT], percent[NUMBER_TEXT];
    FILE *out = predicting->out;
    int32_t truth = predicted_truth(predicting, output, 0), best = prediction_class(output, 0);
    int width = BAR_NAME_WIDTH;
    if (predicting->output_count > 1) fprintf(out, "%s:\n", output->output->name);
    for (int32_t i = 0; i < output->width; i++)
        widen(&width, class_text(&predicting->session, output->output, i, number), CLASS_WIDTH);
    for (int32_t i = 0; i < output->width; i++) {
        double fraction = prediction_probability(output, 0, i);
        fputs(terminal_style(out, i == best ? STYLE_BOLD : STYLE_PLAIN), out);
        terminal_cell(out, class_text(&predicting->session, output->output, i, number), width,
                      CLASS_WIDTH);
        putc(' ', out);
        terminal_bar(out, fraction, BAR_WIDTH);
        fprintf(out, " %8s%s%s\n", text_percent(percent, fraction, 2), i == truth ? "  true" : "",
                terminal_style(out, STYLE_PLAIN));
    }
}

static void print_single(const Predicting *predicting) {
    bool values = false;
    if (!predicting->files) {
        /* A row of the model's data: where it is from. */
        char place[PLACE_TEXT];
        fprintf(predicting->out, "%s row %lld: ", split_name(predicting->split),
                (long long)predicting->first);
        display_text(
            dataset_place_text(predicting->session.dataset, NULL, predicting->rows[0], place),
            predicting->out);
        putc('\n', predicting->out);
    }
    if (predicting->height)
        terminal_image(predicting->out, predicted_pixels(predicting, 0), predicting->height,
                       predicting->width);
    for (uint32_t k = 0; k < predicting->output_count; k++)
        if (predicting->outputs[k].output->classes)
            print_bars(predicting, &predicting->outputs[k]);
        else
            values = true;
    if (values) print_table(predicting, false);
}

void predicted_print(const Predicting *predicting) {
    if (predicting->count == 1 && (predicting->files || predicting->options->index)) {
        print_single(predicting);
        return;
    }
    print_table(predicting, true);
    print_totals(predicting);
    if (predicting->omitted) {
        char displayed[NUMBER_TEXT], rows[NUMBER_TEXT];
        fprintf(predicting->out,
                "the first %s of %s %s rows; --all shows all, --index A..B those from A to B\n",
                text_count(displayed, predicting->displayed),
                text_count(rows, predicting->displayed + predicting->omitted),
                split_name(predicting->split));
    }
}
