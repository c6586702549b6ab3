/* Internal to passes/graph: convolutions that are computed with fewer multiplications. */
#ifndef MLC_PASSES_GRAPH_WINOGRAD_H
#define MLC_PASSES_GRAPH_WINOGRAD_H

#include "passes/graph/formula.h"

/* Whether a convolution with weights of this shape can be computed by tiles (ir/ops/winograd.h). */
bool winograd_allows(const Attrs *conv, Shape weights);
/* Whether it is then faster, for a result [N,O,OH,OW]; the same for the gradient of its weights.
 * That depends on shapes alone, so that every machine computes the same bits; and not on the number
 * of pictures, so that a picture has the same result in any batch. */
bool winograd_pays(Shape weights, Shape result);
bool winograd_weights_pay(Shape weights, Shape result);
/* The convolution of x [N,C,H,W], and the gradient of its weights from that of its result. */
NodeId winograd_conv(Graph *graph, NodeId x, NodeId weights);
NodeId winograd_weights(Graph *graph, NodeId x, NodeId gradient);

#endif
