/* Stands in for parts of other folders until they are there; linked last, so that it is out of use as soon as they are. */
#include "frontend/frontend.h"
#include "runtime/runtime.h"

#define MISSING __attribute__((weak))

static void report(Diagnostics *diag) { diag_error(diag, STATUS_BUG, (Span){0}, "this part of mlc is not there yet"); }

MISSING Model *model_load(const ModelOptions *options, Diagnostics *diag) { return (void)options, report(diag), NULL; }
MISSING void model_free(Model *model) { (void)model; }
MISSING const ModelInfo *model_info(const Model *model) { return (void)model, NULL; }
MISSING Graph *model_graph(const Model *model, GraphKind kind, uint32_t batch, Diagnostics *diag) {
    return (void)model, (void)kind, (void)batch, report(diag), NULL;
}
MISSING const LayerInfo *model_layers(const Model *model, uint32_t *count) { return (void)model, *count = 0, NULL; }
MISSING bool data_get(const char *name, const char *from, bool quiet, Diagnostics *diag) {
    return (void)name, (void)from, (void)quiet, report(diag), false;
}
