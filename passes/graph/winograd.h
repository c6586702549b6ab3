/* Internal to passes/graph: convolutions that are computed with fewer multiplications. */
#ifndef MLC_PASSES_GRAPH_WINOGRAD_H
#define MLC_PASSES_GRAPH_WINOGRAD_H

#include "passes/graph/formula.h"

/* Whether a convolution is computed by tiles (ir/ops/winograd.h). It depends on shapes alone, so
 * that every machine computes the same bits; and not on the number of pictures, so that a picture
 * has the same result in any batch. */
bool winograd_pays(const Formula *conv);
/* The convolution, from [N,C,H,W] to [N,O,OH,OW]. */
NodeId winograd_conv(const Formula *conv);

#endif
