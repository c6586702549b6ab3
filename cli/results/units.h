/* Errors of predictions in the units of the data. */
#ifndef MLC_CLI_RESULTS_UNITS_H
#define MLC_CLI_RESULTS_UNITS_H

#include "cli/results/forward.h"
#include "runtime/data/dataset.h"

#include <jansson.h>

/* Errors of one column of a target, or of all columns of a wide target together. */
typedef struct {
    const char *output, *name;
    int64_t count;        /* values with a known truth */
    double rmse, mae, r2; /* r2: NaN if all truths are equal */
} UnitErrors;

/* The errors of predictions, after units_run. Outputs without known truths are left out. */
UnitErrors *units_errors(Arena *arena, const Predictions *outputs, uint32_t output_count,
                         uint32_t *count);
/* Runs the network over a split and returns its errors. The programs of GRAPH_EVAL must have been
 * requested for this batch. NULL after reporting errors. */
UnitErrors *units_measure(Session *session, Split split, uint32_t batch, uint32_t *count);
void units_print(Arena *arena, const UnitErrors *list, uint32_t count);
/* The name of entry i: its column, or "output.column" if the list has several outputs. */
const char *units_name(Arena *arena, const UnitErrors *list, uint32_t count, uint32_t i);
json_t *units_json(const UnitErrors *list, uint32_t count);

#endif
