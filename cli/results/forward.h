/* Running a trained network forward over rows, and what comes out: values, or classes with their
 * probabilities. */
#ifndef MLC_CLI_RESULTS_FORWARD_H
#define MLC_CLI_RESULTS_FORWARD_H

#include "cli/results/confusion.h"
#include "cli/session/session.h"

typedef struct {
    const ModelOutput *output;
    int64_t rows;
    int64_t width; /* values of a row */
    /* [rows][width], in the session's arena: the output; of one with classes their probabilities */
    float *values;
    /* Of an output with a target (model.h), after units_run: likewise in the units of the data,
     * what it is compared with, and that in the units of the data. NULL: there is no target, or the
     * data do not hold it; NaN: it is missing in a row. */
    double *units, *targets, *truths;
} Predictions;

/* Which rows are run, in which batches, and what is kept of what comes out. */
typedef struct {
    uint32_t batch;
    const int32_t *rows;
    int64_t count;
    Predictions *outputs; /* each says which output it is of, the rest is filled in */
    uint32_t output_count;
} Forward;
/* Runs the programs of `kind` that were wanted for so many rows, once for all outputs. false after
 * reporting errors. */
bool forward_run(Session *session, GraphKind kind, const Forward *forward);
/* After that: predictions and targets in the units of the data (cli/results/units.c). false after
 * reporting errors. */
bool units_run(Session *session, const Forward *forward);
/* Before the weights are loaded: with them what standardize has fitted of the targets, which
 * predicting does not need. */
bool units_keep(Session *session);
int32_t prediction_class(const Predictions *predictions, int64_t row);
float prediction_value(const Predictions *predictions, int64_t row, int64_t column);
/* The probability of a class; below 1 where another class has some, too little for an f32 to
 * show. */
double prediction_probability(const Predictions *predictions, int64_t row, int32_t class);

/* The class of a row of the data set, or -1 if it is not known. */
int32_t true_class(const Session *session, const ModelOutput *output, int32_t row);
/* The name of a class, by the label of the output (confusion.h). */
const char *class_text(const Session *session, const ModelOutput *output, int32_t class,
                       char number[NUMBER_TEXT]);
/* Columns of a class's name in a table */
enum { CLASS_WIDTH = 40 };

#endif
