/* Confusion matrices: counts of true and predicted classes, as tables, csv and JSON. */
#ifndef MLC_CLI_RESULTS_CONFUSION_H
#define MLC_CLI_RESULTS_CONFUSION_H

#include "engine/session/answers.h"
#include "cli/text/terminal.h"
#include "ir/ir.h"

#include <jansson.h>

typedef struct {
    int64_t classes;
    const char *label; /* the source field with the names of the classes, or NULL */
    int64_t elements;  /* predictions, counted or not; 0: not known */
    int64_t *counts;   /* [classes][classes]: true, predicted */
} Confusion;

/* Prints the matrix with the recall of each class: the fraction of its elements that were predicted
 * correctly. Beyond CONFUSION_PRINTED classes it prints the most frequent mistakes and the classes
 * with the lowest recall instead. Elements outside of all classes are counted below. */
enum { CONFUSION_PRINTED = 40 };
void confusion_print(const SourceSchema *schema, const Confusion *confusion);
/* An array of rows. Beyond CONFUSION_ROWS classes it is {"classes": 5000, "cells": [[true,
 * predicted, count], ...]} without zeros. */
enum { CONFUSION_ROWS = 200 };
json_t *confusion_json(const Confusion *confusion);
/* Writes csv lines output,true,predicted,count with the names of the classes, without zero
 * counts. */
void confusion_print_csv(const char *output, const SourceSchema *schema, const Confusion *confusion,
                         FILE *out);
json_t *confusion_recalls(const Confusion *confusion);
json_t *confusion_classes(const SourceSchema *schema, const Confusion *confusion); /* names */

/* Counts from the values of a metric, or from JSON that confusion_json wrote (NULL if it did not).
 * The caller frees them. */
int64_t *confusion_counts(const double *values, int64_t classes);
int64_t *confusion_read(const json_t *rows, int64_t classes);

#endif
