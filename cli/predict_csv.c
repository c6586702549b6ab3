/* What a network makes of rows, as a csv file (RFC 4180) that any program of tables reads. */
#include "cli/predict_columns.h"

#include <string.h>

/* In quotes where it holds a delimiter, a quote or the end of a line. */
static void put_name(const char *text, FILE *out) {
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, out);
        return;
    }
    putc('"', out);
    for (; *text; text++) fprintf(out, *text == '"' ? "\"\"" : "%c", *text);
    putc('"', out);
}

/* A truth that is not known is an empty cell; digits as many as tell an f32 from its neighbours. */
static void put_cell(const Predicting *predicting, const Column *column, int64_t i, FILE *out) {
    char buffer[NUMBER_TEXT];
    if (column_is_name(column)) {
        const char *name = column_name(predicting, column, i, buffer);
        bool unknown = column->kind == COLUMN_TRUE && predicted_truth(predicting, column->output, i) < 0;
        put_name(unknown ? "" : name, out);
        return;
    }
    double number = column_number(predicting, column, i);
    bool unknown = (column->kind == COLUMN_TRUTH || column->kind == COLUMN_ERROR) && number != number;
    if (!unknown) fprintf(out, number != number ? "nan" : "%.9g", number_shortest(number));
}

void predicted_print_csv(const Predicting *predicting) {
    uint32_t count;
    const Column *columns = predicted_columns(predicting, true, true, &count);
    for (uint32_t k = 0; k < count; k++) {
        if (k) putc(',', predicting->out);
        put_name(columns[k].head, predicting->out);
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
