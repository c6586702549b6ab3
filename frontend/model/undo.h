/* Inverts the steps that compute a target from the data: standardize, log, a division by 1000. */
#ifndef MLC_FRONTEND_MODEL_UNDO_H
#define MLC_FRONTEND_MODEL_UNDO_H

#include "frontend/model/loading.h"

typedef struct {
    const Model *model;
    Evaluator *evaluator;
    Graph *graph;
    const bool *network; /* nodes that an output needs */
} Undoing;

/* The result of inverting the steps that computed a node: `value`, given in place of the node, in
 * the units of `data`, the node where the inversion ended. Both have the shape of the node. */
typedef struct {
    NodeId value, data;
    const char *const *names; /* the name of each element of a row */
    bool converted;           /* at least one step was inverted */
} Undone;

/* -- nodes -- */

static inline const Node *node_of(const Undoing *undoing, NodeId id) {
    return graph_node(undoing->graph, id);
}

static inline Shape shape_at(const Undoing *undoing, NodeId id) {
    return node_of(undoing, id)->shape;
}

static inline bool has_rows(const Undoing *undoing, NodeId id) {
    Shape shape = shape_at(undoing, id);
    return shape.rank > 0 && shape.dim[0] == undoing->evaluator->batch;
}

static inline int64_t width_of(const Undoing *undoing, NodeId id) {
    return shape_inner(shape_at(undoing, id), 0);
}

static inline bool is_table(const Undoing *undoing, NodeId id) {
    return has_rows(undoing, id) && shape_at(undoing, id).rank == 2;
}

/* Whether a slice takes adjacent columns of a table, and all its rows. */
static inline bool columns_only(const Undoing *undoing, const Node *node) {
    return is_table(undoing, node->operands[0]) && node->attrs.range.start[0] == 0 &&
           node->attrs.range.step[0] == 1 &&
           node->attrs.range.stop[0] == undoing->evaluator->batch && node->attrs.range.step[1] == 1;
}

/* Inverts the steps that computed node `id`, on `value`, which has its shape. `field` names the
 * elements that have no name in the source. */
Undone undo(const Undoing *undoing, NodeId id, NodeId value, const char *field);

#endif
