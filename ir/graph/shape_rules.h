/* Internal to ir/: shape rules. A rule checks the operands of a node that is being built and infers
 * its type. */
#ifndef MLC_IR_GRAPH_SHAPE_RULES_H
#define MLC_IR_GRAPH_SHAPE_RULES_H

#include "ir/graph/graph.h"

typedef struct {
    const Graph *graph; /* for diagnostics and operands */
    Op op;
    const NodeId *operands;
    uint32_t count;
    const Attrs *attrs;
    /* in: the wanted type, of reshape, convert and leaves; out: the inferred type */
    TensorType *result;
} ShapeCheck;

/* Runs the rule of check->op; false after reporting an error that names all operands and their
 * places. */
bool shape_infer(const ShapeCheck *check);

#endif
