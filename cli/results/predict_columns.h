/* The columns of what mlc predict answers. */
#ifndef MLC_CLI_RESULTS_PREDICT_COLUMNS_H
#define MLC_CLI_RESULTS_PREDICT_COLUMNS_H

#include "cli/results/predicted.h"

typedef enum {
    COLUMN_INDEX, /* in the split */
    COLUMN_FILE,
    COLUMN_ROW, /* in the file */
    COLUMN_LINE,
    COLUMN_TRUE, /* the classes, by name */
    COLUMN_PREDICTED,
    COLUMN_PROBABILITY, /* of the class predicted */
    COLUMN_SHARE,       /* the probability of the class `element` */
    COLUMN_WRONG,
    COLUMN_TRUTH, /* the number `element`, in the units of the data */
    COLUMN_UNITS,
    COLUMN_ERROR,
    COLUMN_VALUE, /* the number `element` as the network gives it */
    COLUMN_MORE   /* there are more of them */
} ColumnKind;

typedef struct {
    ColumnKind kind;
    const Predictions *output; /* NULL: of the row */
    int64_t element;
    const char *head;
} Column;

/* all: every number, as a csv file has them; otherwise those that fit into a table. classes: with the outputs that have classes. */
Column *predicted_columns(const Predicting *predicting, bool all, bool classes, uint32_t *count);
bool column_is_name(const Column *column);
/* What stands in it: the number or the name, and either as a table shows it. */
double column_number(const Predicting *predicting, const Column *column, int64_t i);
const char *column_name(const Predicting *predicting, const Column *column, int64_t i, char buffer[NUMBER_TEXT]);
const char *column_text(const Predicting *predicting, const Column *column, int64_t i, char buffer[NUMBER_TEXT]);

#endif
