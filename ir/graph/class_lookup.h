/* Class lookups: numbers that are NaN where a label is not a class. */
#ifndef MLC_IR_GRAPH_CLASS_LOOKUP_H
#define MLC_IR_GRAPH_CLASS_LOOKUP_H

#include "ir/graph/graph.h"

/* x where 0 <= label < classes, NaN in the other rows. The label is i32 or f32, one number for each
 * row of x. */
NodeId build_class_lookup(Graph *graph, NodeId label, int64_t classes, NodeId x);
/* Whether a node is what build_class_lookup built, also after the passes. */
bool graph_is_class_lookup(const Graph *graph, const Node *node);

#endif
