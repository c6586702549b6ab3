/* Where a value lies: reshapes of plain values in the slab share that memory. */
#include "passes/planning.h"

void mark_matrix_updates(const Graph *graph, bool *marked) {
    for (uint32_t i = 0; i < graph->symbol_count; i++) {
        const Symbol *symbol = &graph->symbols[i];
        if (symbol->kind == SYMBOL_STATE && symbol->shape.rank == 2 && symbol->dtype == DTYPE_F32)
            marked[symbol->update] = true;
    }
}

NodeId *home_nodes(const Graph *graph, Arena *arena) {
    NodeId *home = ARENA_ARRAY(arena, NodeId, graph->node_count);
    bool *kept = ARENA_ARRAY(arena, bool, graph->node_count);
    mark_matrix_updates(graph, kept);
    for (NodeId id = 1; id < graph->node_count; id++) {
        const Node *node = graph_node(graph, id);
        home[id] = id;
        if (node->op != OP_reshape || kept[id]) continue;
        NodeId below = home[node->operands[0]];
        if (!node_is_leaf(graph_node(graph, below))) home[id] = below;
    }
    return home;
}
