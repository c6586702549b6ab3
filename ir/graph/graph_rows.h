/* Which nodes compute row by row. */
#ifndef MLC_IR_GRAPH_GRAPH_ROWS_H
#define MLC_IR_GRAPH_GRAPH_ROWS_H

#include "ir/graph/graph.h"

/* The number of leading axes that make up so many rows; -1: no axis begins where a row begins. */
int shape_row_axes(const Shape *shape, int64_t rows);
/* Whether row r of a node needs only row r of its operand i. Both have so many rows, in row-major
 * order. The node is no product. */
bool node_stays_in_row(const Graph *graph, const Node *node, uint32_t i, int64_t rows);

#endif
