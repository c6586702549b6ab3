/* The dce pass (dead code elimination): drops nodes that no output or update needs. Inputs and
 * states stay, as they are the interface of the graph. */
#include "passes/pass_list.h"

Graph *pass_dce(Graph *from, const PassOptions *options) {
    (void)options;
    Graph *to = graph_like(from);
    Arena *scratch = arena_new();
    const bool *live = graph_live(from);
    NodeId *map = ARENA_ARRAY(scratch, NodeId, from->node_count);
    for (NodeId id = 1; id < from->node_count; id++)
        if (live[id] || op_attrs(graph_node(from, id)->op) == ATTRS_SYMBOL)
            map[id] = graph_copy_node(to, from, id, map);
    graph_finish(to, from, map);
    arena_free(scratch);
    return to;
}
