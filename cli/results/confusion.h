/* Which classes a network takes for which: matrices of counts, as tables and as JSON. */
#ifndef MLC_CLI_RESULTS_CONFUSION_H
#define MLC_CLI_RESULTS_CONFUSION_H

#include "cli/text/terminal.h"
#include "ir/ir.h"

#include <jansson.h>

typedef struct {
    int64_t classes;
    const char *label; /* the source field that knows the classes' names, or NULL */
    int64_t elements;  /* that were to be counted; 0: not known */
    int64_t *counts;   /* [classes][classes]: true, predicted */
} Confusion;

/* With the recall of each class, the share of its elements that were recognized, and how many
 * elements have none of the classes. Of more classes than CONFUSION_PRINTED no matrix is printed,
 * but the most frequent mistakes and the classes with the lowest recall. */
enum { CONFUSION_PRINTED = 40 };
void confusion_print(const SourceSchema *schema, const Confusion *confusion);
/* An array of rows; of more classes than CONFUSION_ROWS {"classes": 5000, "cells": [[true,
 * predicted, count], ...]} without zeros. */
enum { CONFUSION_ROWS = 200 };
json_t *confusion_json(const Confusion *confusion);
/* Lines output,true,predicted,count of a csv file, for all counts but zeros; classes by their
 * names. */
void confusion_print_csv(const char *output, const SourceSchema *schema, const Confusion *confusion,
                         FILE *out);
json_t *confusion_recalls(const Confusion *confusion);
json_t *confusion_classes(const SourceSchema *schema, const Confusion *confusion); /* their names */

/* Counts that the caller frees: of the metric's numbers, and as confusion_json wrote them (NULL: it
 * did not). */
int64_t *confusion_counts(const double *values, int64_t classes);
int64_t *confusion_read(const json_t *rows, int64_t classes);

/* "7" or "Ankle boot", a name in full, as the data have it; `number` is room for a number. */
const char *class_name(const SourceSchema *schema, const char *label, int32_t class,
                       char number[NUMBER_TEXT]);

#endif
