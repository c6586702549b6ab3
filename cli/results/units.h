/* How far predictions are from their targets, in the units of the data. */
#ifndef MLC_CLI_RESULTS_UNITS_H
#define MLC_CLI_RESULTS_UNITS_H

#include "cli/results/forward.h"
#include "runtime/data/dataset.h"

#include <jansson.h>

/* Of a column of a target, or of all columns where there are many. */
typedef struct {
    const char *output, *name;
    int64_t count;        /* of values whose truth is known */
    double rmse, mae, r2; /* r2: NaN where the truths do not differ */
} UnitErrors;

/* Of predictions after units_run; those without a known truth have none. */
UnitErrors *units_errors(Arena *arena, const Predictions *outputs, uint32_t output_count,
                         uint32_t *count);
/* Of the rows of a split, for which the programs of GRAPH_EVAL were wanted in this batch. NULL
 * after reporting errors. */
UnitErrors *units_measure(Session *session, Split split, uint32_t batch, uint32_t *count);
void units_print(Arena *arena, const UnitErrors *list, uint32_t count);
/* What one of them is called: its column, of several outputs after its output. */
const char *units_name(Arena *arena, const UnitErrors *list, uint32_t count, uint32_t i);
json_t *units_json(const UnitErrors *list, uint32_t count);

#endif
