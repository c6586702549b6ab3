/* Predictions as a csv file (RFC 4180). */
#include "cli/text/csv.h"
#include "cli/results/predict_columns.h"
#include "cli/show/predict_show.h"

/* Numbers in the units of the data are f64, others f32. */
static int digits_of(const AnswerColumn *column) {
    enum { SINGLE_DIGITS = 9, DOUBLE_DIGITS = 15 };
    return column->kind == COLUMN_TRUTH || column->kind == COLUMN_UNITS ||
                   column->kind == COLUMN_ERROR || column->kind == COLUMN_DEVIATION
               ? DOUBLE_DIGITS
               : SINGLE_DIGITS;
}

/* Writes a cell, with enough digits to identify a number. An unknown truth is an empty cell. */
static void put_cell(const Predicting *predicting, const AnswerColumn *column, int64_t i,
                     FILE *out) {
    char buffer[NUMBER_TEXT];
    if (column_is_name(column)) {
        const char *name = column_name(predicting, column, i, buffer);
        bool unknown =
            column->kind == COLUMN_TRUE && predicted_truth(predicting, column->output, i) < 0;
        csv_put_text(unknown ? "" : name, out);
        return;
    }
    double number = column_number(predicting, column, i);
    bool unknown =
        (column->kind == COLUMN_TRUTH || column->kind == COLUMN_ERROR) && number != number;
    if (unknown) return;
    if (number != number)
        fputs("nan", out);
    else
        fprintf(out, "%.*g", digits_of(column), number_shortest(number));
}

void predicted_print_csv(const Predicting *predicting) {
    uint32_t count;
    const AnswerColumn *columns = predicted_columns(predicting, true, true, &count);
    for (uint32_t k = 0; k < count; k++) {
        if (k) putc(',', predicting->out);
        csv_put_text(columns[k].head, predicting->out);
    }
    for (int64_t i = 0; i < predicting->count; i++) {
        putc('\n', predicting->out);
        for (uint32_t k = 0; k < count; k++) {
            if (k) putc(',', predicting->out);
            put_cell(predicting, &columns[k], i, predicting->out);
        }
    }
    putc('\n', predicting->out);
}
