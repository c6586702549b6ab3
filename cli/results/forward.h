/* Runs a trained network over rows and collects its outputs: values, or classes with
 * probabilities. */
#ifndef MLC_CLI_RESULTS_FORWARD_H
#define MLC_CLI_RESULTS_FORWARD_H

#include "cli/results/confusion.h"
#include "cli/session/build.h"

typedef struct {
    const ModelOutput *output;
    int64_t rows;
    int64_t width; /* values per row; 2 for an output that is_binary */
    Shape shape;   /* [rows, ...] as the network makes it */
    /* [rows][width], in the session's arena: the output, or the probabilities of its classes */
    float *values;
    /* [rows], of an output with classes: the one with the largest number, of equal ones the first,
     * as accuracy counts. It is found before the numbers become probabilities, which may round to
     * equal ones. */
    int32_t *predicted;
    bool logits; /* of an output with classes: its numbers are no probabilities */
    /* [rows][width], set by units_run for an output with a target (model.h). units: the prediction
     * in the units of the data. targets: the number that the loss compares it with. truths: the
     * target in the units of the data. NULL without a target or its data; NaN where a row lacks
     * it. */
    double *units, *targets, *truths;
    /* of an ensemble: these are means of several runs, and the standard deviations of `units` over
     * the runs; NULL: there are none */
    bool averaged;
    double *deviations;
} Predictions;

/* A request: the rows, the batch size and the outputs to collect. */
typedef struct {
    uint32_t batch;
    const int32_t *rows;
    int64_t count;
    Predictions *outputs; /* the caller sets `output` of each; the rest is filled in */
    uint32_t output_count;
} Forward;
/* Binds the inputs of a forward pass to the data. false after reporting errors. */
bool forward_bind(Runner *runner, const Session *session, const Graph *graph);
/* Runs the programs that programs_want requested for `kind`, once for all outputs. false after
 * reporting errors. */
bool forward_run(Session *session, GraphKind kind, const Forward *forward);
/* Converts predictions and targets to the units of the data, after forward_run
 * (cli/results/units.c). false after reporting errors. */
bool units_run(Session *session, const Forward *forward);
/* Adds the states that units_run reads, such as the mean of a standardized target. Predicting does
 * not need them. Call it before the weights are loaded. */
bool units_keep(Session *session);
int32_t prediction_class(const Predictions *predictions, int64_t row);
float prediction_value(const Predictions *predictions, int64_t row, int64_t column);
/* The probability of a class. It is below 1 if another class has a probability above 0, even if the
 * f32 is rounded to 1. */
double prediction_probability(const Predictions *predictions, int64_t row, int32_t class);

/* The true class of a row of the data set, or -1 if it is unknown. */
int32_t true_class(const Session *session, const ModelOutput *output, int32_t row);
/* The name of a class of the output (class_name in confusion.h). */
const char *class_text(const Session *session, const ModelOutput *output, int32_t class,
                       char number[NUMBER_TEXT]);
/* The width of class names in a table. */
enum { CLASS_WIDTH = 40 };

#endif
