/* The columns of the predictions that mlc predict prints. */
#ifndef MLC_CLI_RESULTS_PREDICT_COLUMNS_H
#define MLC_CLI_RESULTS_PREDICT_COLUMNS_H

#include "cli/results/predicted.h"

typedef enum {
    COLUMN_INDEX, /* row in the split */
    COLUMN_FILE,
    COLUMN_ROW, /* row in the file */
    COLUMN_LINE,
    COLUMN_TRUE, /* the classes, by name */
    COLUMN_PREDICTED,
    COLUMN_PROBABILITY,       /* the probability of the predicted class */
    COLUMN_CLASS_PROBABILITY, /* the probability of the class `element` */
    COLUMN_WRONG,
    COLUMN_TRUTH, /* the true number `element`, in the units of the data */
    COLUMN_UNITS,
    COLUMN_ERROR,
    COLUMN_DEVIATION, /* the deviation of number `element` over the runs of an ensemble */
    COLUMN_VALUE,     /* the number `element` of the output */
    COLUMN_MORE       /* "...": further numbers are left out */
} AnswerColumnKind;

typedef struct {
    AnswerColumnKind kind;
    const Predictions *output; /* NULL: a column about the row */
    int64_t element;
    const char *head;
} AnswerColumn;

/* The columns of all outputs; in the session's arena. all: every number, for a csv file; else only
 * those that fit into a table. classes: include outputs with classes. */
AnswerColumn *predicted_columns(const Predicting *predicting, bool all, bool classes,
                                uint32_t *count);
bool column_is_name(const AnswerColumn *column);
/* The cell of row i: its number, its name, or either as the text of a table. */
double column_number(const Predicting *predicting, const AnswerColumn *column, int64_t i);
const char *column_name(const Predicting *predicting, const AnswerColumn *column, int64_t i,
                        char buffer[NUMBER_TEXT]);
const char *column_text(const Predicting *predicting, const AnswerColumn *column, int64_t i,
                        char buffer[NUMBER_TEXT]);

#endif
