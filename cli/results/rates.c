/* The learning rate at any step of a training. */
#include "cli/results/rates.h"

#include <string.h>

bool rates_open(Rates *rates, const Model *model, Diagnostics *diag) {
    *rates = (Rates){.graph = model_graph(model, GRAPH_RATE, model_info(model)->batch, diag)};
    if (rates->graph) rates->interp = interp_new(rates->graph, INTERP_F64);
    return rates->graph != NULL;
}

void rates_close(Rates *rates) {
    if (rates->interp) interp_free(rates->interp);
    graph_free(rates->graph);
    *rates = (Rates){0};
}

bool rates_depend_on_steps(const Rates *rates) {
    return graph_symbol(rates->graph, INPUT_STEPS) != NULL;
}

double rates_at(const Rates *rates, RunClock clock) {
    const Graph *graph = rates->graph;
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const int32_t *value = run_clock_field(&clock, graph->symbols[i].name);
        if (graph->symbols[i].node && value)
            memcpy(interp_value(rates->interp, graph->symbols[i].node), value, sizeof *value);
    }
    interp_run(rates->interp);
    double rate = *(const double *)interp_value(rates->interp, graph->outputs[0].node);
    return (double)(float)rate; /* the optimizer computes in f32 */
}
