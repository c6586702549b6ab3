/* Builds by hand the graph of a classifier as the front end writes it, for tests that need a real
 * training step. */
#ifndef MLC_TESTS_MLP_GRAPH_H
#define MLC_TESTS_MLP_GRAPH_H

#include "ir/ir.h"

typedef struct {
    int64_t batch;
    /* [layers + 1]: the widths of the input, of the hidden layers (relu) and of the output */
    const int64_t *widths;
    int layers;
    bool train; /* with gradients and Adam; else the loss alone */
} MlpShape;

/* Inputs: image (u8, batch), label (u8, batch), step (i32). Outputs: loss, logits. Weights: w0, b0,
 * w1, ... */
Graph *mlp_graph(const MlpShape *shape, Diagnostics *diag);
/* 784-512-256-128-10, batch 64 */
Graph *mlp_graph_mnist(Diagnostics *diag);

#endif
