/* Finds the random numbers that belong to the rows of a batch, such as those of dropout. A share of
 * a batch draws the numbers that the whole batch would draw for its rows (`replicas`). */
#include "frontend/model/loading.h"

/* Rows that lie one after the other begin at a place that follows from their number. */
static bool check_first_axis(const Model *model, const Node *node, int axis) {
    if (axis == 0) return true;
    diag_error(
        model->diag, STATUS_MODEL, node->span,
        "with 'replicas', random numbers for the rows of a batch need the rows on their first axis, not on axis %d",
        axis);
    diag_help(model->diag, "permute the tensor, so that N is its first size");
    return false;
}

bool random_rows_find(Model *model, const Graph *graph) {
    uint32_t *found = ARENA_ARRAY(model->arena, uint32_t, graph->node_count), count = 0;
    bool good = true;
    for (NodeId id = 1; id < graph->node_count && model->info.replicas > 1; id++) {
        const Node *node = graph_node(graph, id);
        int axis = 0, rank = node->shape.rank; /* the axis whose size comes from N */
        while (axis < rank && node->shape.dim[axis] % model->globals.distinct_batch != 0) axis++;
        if (node->op != OP_random || axis == rank) continue;
        good &= check_first_axis(model, node, axis);
        found[count++] = node->attrs.random.substream;
    }
    model->globals.row_substreams = found;
    model->globals.row_substream_count = count;
    return good;
}
