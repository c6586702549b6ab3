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
    COLUMN_PROBABILITY,       /* of the class predicted */
    COLUMN_CLASS_PROBABILITY, /* the probability of the class `element` */
    COLUMN_WRONG,
    COLUMN_TRUTH, /* the number `element`, in the units of the data */
    COLUMN_UNITS,
    COLUMN_ERROR,
    COLUMN_VALUE, /* the number `element` as the network gives it */
    COLUMN_MORE   /* there are more of them */
} AnswerColumnKind;

typedef struct {
    AnswerColumnKind kind;
    const Predictions *output; /* NULL: of the row */
    int64_t element;
    const char *head;
} AnswerColumn;

/* all: every number, as a csv file has them; otherwise those that fit into a table. classes: with
 * the outputs that have classes. */
AnswerColumn *predicted_columns(const Predicting *predicting, bool all, bool classes,
                                uint32_t *count);
bool column_is_name(const AnswerColumn *column);
/* What stands in it: the number or the name, and either as a table shows it. */
double column_number(const Predicting *predicting, const AnswerColumn *column, int64_t i);
const char *column_name(const Predicting *predicting, const AnswerColumn *column, int64_t i,
                        char buffer[NUMBER_TEXT]);
const char *column_text(const Predicting *predicting, const AnswerColumn *column, int64_t i,
                        char buffer[NUMBER_TEXT]);

#endif
