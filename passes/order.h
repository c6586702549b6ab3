/* Internal to passes/: the order of a graph's nodes. */
#ifndef MLC_PASSES_ORDER_H
#define MLC_PASSES_ORDER_H

#include "passes/passes.h"

/* Copies the graph with its nodes in the order of roots[count] (NODE_NONE is skipped), each right after those it needs that
 * have not come before; nodes that no root needs are left out. All outputs and updates must be among the roots. Frees `from`.
 */
Graph *graph_in_order(Graph *from, const NodeId *roots, uint32_t count);

#endif
