/* The learning rate of a model at any step of a training, computed from its schedule. */
#ifndef MLC_CLI_RESULTS_RATES_H
#define MLC_CLI_RESULTS_RATES_H

#include "frontend/model/model.h"
#include "ir/data/run_clock.h"
#include "ir/interp/interp.h"

typedef struct {
    Graph *graph; /* GRAPH_RATE; NULL: closed, or not opened */
    Interp *interp;
} Rates;

/* false after reporting errors; nothing has to be closed then. */
bool rates_open(Rates *rates, const Model *model, Diagnostics *diag);
void rates_close(Rates *rates);
/* Whether the rate depends on the number of epochs of the run. */
bool rates_depend_on_steps(const Rates *rates);
/* The rate of the step that the clock says. */
double rates_at(const Rates *rates, RunClock clock);

#endif
